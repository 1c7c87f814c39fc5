/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the sensor is doing, in one line for the service manager's status: what came per second
 * since the line before, and the totals that matter.
 */
#ifndef SENSOR_STATUS_LINE_H
#define SENSOR_STATUS_LINE_H

#include "sensor/stats_text.h"

#define STATUS_LINE_BYTES 320

/* What the line before said. All zero before the first. */
struct status_line {
	uint64_t when_ns; /* monotonic; 0: there was none */
	uint64_t seen_pkts, begun_flows, dropped_pkts;
};

/* Write the line, without a newline, to .text. now_ns: monotonic. */
void status_line_write(struct status_line *before, const struct sensor_stats *stats,
	uint64_t now_ns, char text[static STATUS_LINE_BYTES]);

#endif
