/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counters of counter.def as OpenMetrics text (the OpenMetrics specification 1.0, which
 * Prometheus reads). Labels are few and bounded: the interface, a lane, a collector, a reason,
 * a protocol; never addresses of flows.
 */
#ifndef SENSOR_METRICS_H
#define SENSOR_METRICS_H

#include "sensor/control.h"

/* One collector; borrowed for the call. */
struct metrics_collector {
	const char *address;
	struct exporter_stats stats; /* summed over the lanes */
};

struct metrics {
	const char *interface; /* NULL: none */
	const struct sensor_stats *stats;
	const struct sight *sight;
	const struct metrics_collector *collectors;
	size_t collector_count;
};

void metrics_write(const struct metrics *metrics, FILE *out);

#endif
