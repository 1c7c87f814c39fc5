/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collectors of one lane: an exporter for each, told together. Every record goes to all of
 * them, or, balanced, to one of them by flow. Belongs to the lane's thread.
 */
#ifndef SENSOR_COLLECTORS_H
#define SENSOR_COLLECTORS_H

#include "sensor/config.h"

struct collectors {
	struct exporter_config
		config; /* the same for all; .boot_ns is set by collectors_begin() */
	bool is_balanced;
	size_t transport_count, count; /* given; begun */
	struct transport
		*transports[CONFIG_DESTINATIONS_MAX]; /* until the exporters take them */
	struct exporter *exporters[CONFIG_DESTINATIONS_MAX];
};

/* Take the transports; they are closed with the collectors. */
void collectors_take(
	struct collectors *collectors, struct transport *const *transports, size_t count);

/* Make the exporters, with sysUptime 0 at .boot_ns. Until then nothing else here does anything.
 * 0 or exporter_new()'s negative errno. */
int collectors_begin(struct collectors *collectors, uint64_t boot_ns);

/* As exporter_add(), exporter_advance()... of every collector that is concerned. */
void collectors_add(
	struct collectors *collectors, const struct flow_record *record, uint64_t now_ns);
void collectors_advance(struct collectors *collectors, uint64_t now_ns);
void collectors_send_gathered(struct collectors *collectors);
void collectors_flush(struct collectors *collectors, uint64_t now_ns);
bool collectors_are_held(const struct collectors *collectors); /* one of them */
void collectors_give_up(struct collectors *collectors);
void collectors_refresh_templates(struct collectors *collectors);
void collectors_set_boot(struct collectors *collectors, uint64_t boot_ns);

void collectors_step_clock(struct collectors *collectors, int64_t step_ns, bool moves_boot);

/* The sums over all collectors. */
struct exporter_stats collectors_stats(const struct collectors *collectors);

/* Send what is left and close. */
void collectors_close(struct collectors *collectors);

#endif
