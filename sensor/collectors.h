/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The collectors of one lane: an exporter for each, told together. Every record goes to all of
 * them, or, balanced, to one of them by flow. Belongs to the lane's thread.
 */
#ifndef SENSOR_COLLECTORS_H
#define SENSOR_COLLECTORS_H

#include "export/exporter_keep.h"
#include "sensor/config.h"

struct collectors {
	struct exporter_config config; /* the same for all; .boot_ns follows collectors_begin()
					* and collectors_set_boot() */
	bool is_balanced;
	size_t transport_count, count; /* given; begun */
	struct transport
		*transports[CONFIG_DESTINATIONS_MAX]; /* until the exporters take them */
	struct exporter *exporters[CONFIG_DESTINATIONS_MAX];
	struct exporter_stats past; /* of those that were removed */
	uint8_t *kept_bytes;        /* EXPORTER_KEPT_BYTES for each, where messages outlive the
				     * process, borrowed; NULL: they do not */
};

/* One place in a new row of collectors: somebody new, or who had the place .kept before. */
struct collectors_place {
	struct exporter *added; /* new, has sent nothing; NULL: .kept counts */
	size_t kept;
};

/* Another row of collectors. Made by another thread, which also frees what comes out of it. */
struct collectors_change {
	struct exporter_config config; /* new terms for those that are kept; .boot_ns is not
					* looked at */
	bool is_balanced;
	struct collectors_place places[CONFIG_DESTINATIONS_MAX];
	size_t count;
	/* Afterwards: the row, borrowed; who is in no place any more, to be freed. */
	struct exporter *row[CONFIG_DESTINATIONS_MAX];
	struct exporter *removed[CONFIG_DESTINATIONS_MAX];
	size_t removed_count;
};

/* Take the transports; they are closed with the collectors. */
void collectors_take(
	struct collectors *collectors, struct transport *const *transports, size_t count);

/* Make the exporters, with sysUptime 0 at .boot_ns. Until then nothing else here does anything.
 * 0 or exporter_new()'s negative errno. */
int collectors_begin(struct collectors *collectors, uint64_t boot_ns);

/*
 * The same, going on with what another process has saved: .saved for each place. A collector
 * whose configuration has changed begins anew, after what was left for it was sent. 0 or
 * exporter_new_kept()'s negative errno.
 */
int collectors_resume(
	struct collectors *collectors, uint64_t boot_ns, const struct exporter_saved *saved);

/* Where .kept_bytes: write what the next process goes on with, and send what was written
 * before. Returns whether anything was sent. */
void collectors_save(struct collectors *collectors, struct exporter_saved *to);
bool collectors_release(struct collectors *collectors);

/* The record to those of several, or none, that it concerns. */
void collectors_add_to_any(
	struct collectors *collectors, const struct flow_record *record, uint64_t now_ns);

/* As exporter_add(), exporter_advance()... of every collector that is concerned. */
static inline void collectors_add(
	struct collectors *collectors, const struct flow_record *record, uint64_t now_ns)
{
	if (collectors->count == 1)
		exporter_add(collectors->exporters[0], record, now_ns);
	else
		collectors_add_to_any(collectors, record, now_ns);
}
void collectors_advance(struct collectors *collectors, uint64_t now_ns);
void collectors_send_gathered(struct collectors *collectors);
void collectors_flush(struct collectors *collectors, uint64_t now_ns);
bool collectors_are_held(const struct collectors *collectors); /* one of them */
void collectors_give_up(struct collectors *collectors);
void collectors_refresh_templates(struct collectors *collectors);
void collectors_set_boot(struct collectors *collectors, uint64_t boot_ns);

void collectors_step_clock(struct collectors *collectors, int64_t step_ns);

/*
 * Finish what is meant for those that collectors_change() will remove, or move to other
 * .kept_bytes, and send it, or have it sent by collectors_release(). collectors_are_parted():
 * nothing waits in them any more, and the change may follow; with .give_up what waits for those
 * that are removed is counted as lost.
 */
void collectors_part(
	struct collectors *collectors, const struct collectors_change *change, uint64_t now_ns);
bool collectors_are_parted(const struct collectors *collectors,
	const struct collectors_change *change, bool give_up);

/* Exchange the row, after collectors_begin(). Cannot fail. */
void collectors_change(struct collectors *collectors, struct collectors_change *change);

/* The sums over all collectors, also those that were removed. */
struct exporter_stats collectors_stats(const struct collectors *collectors);

/* Those of each collector, as many as have begun; returns how many. */
size_t collectors_each(const struct collectors *collectors,
	struct exporter_stats ret_stats[static CONFIG_DESTINATIONS_MAX]);

/* Send what is left and close. */
void collectors_close(struct collectors *collectors);

#endif
