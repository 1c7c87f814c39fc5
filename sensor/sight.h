/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the main thread saw of the lanes when it last looked, once a second: so that somebody
 * who asks how it is going gets an answer even when a lane gives none. Belongs to the main
 * thread.
 */
#ifndef SENSOR_SIGHT_H
#define SENSOR_SIGHT_H

#include "sensor/lane_desk.h"

#define SIGHT_SAMPLES 11 /* rates are over the last ten seconds */

struct sight_lane {
	uint64_t frames;         /* seen */
	uint64_t frames_dropped; /* of these, in no flow, for whatever reason */
	uint64_t active_flows;
	uint64_t ring_received_pkts, ring_dropped_pkts;
	uint64_t clock_ns; /* packet time */
	bool has_ended;
};

struct sight_sample {
	uint64_t taken_ns;
	uint64_t frames, octets, created_flows, exported_flows;
};

struct sight {
	uint64_t taken_ns; /* the loop's time; 0: no look yet */
	struct sensor_stats sum;
	struct sight_lane lanes[CONFIG_LANES_MAX];
	unsigned lane_count;
	struct sight_sample samples[SIGHT_SAMPLES]; /* the newest last */
	unsigned sample_count;
};

/* Per second, of the last ten seconds or of as many as there were. */
struct sight_rates {
	double frames, octets, created_flows, exported_flows;
};

/* Keep what a LANE_STATS order brought, while it is being answered. */
void sight_take(struct sight *sight, const struct lane_desk *desk,
	const struct sensor_stats *sum, uint64_t now_ns);

struct sight_rates sight_rates(const struct sight *sight);

#endif
