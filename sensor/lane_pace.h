/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many of the records that are due a lane on an interface closes in a pass: a bounded
 * number, at the pace that was asked for, and none while a collector's socket is full. What has
 * to wait stays in the flow table, which is the largest buffer there is; when the table is
 * nearly full nothing waits.
 */
#ifndef SENSOR_LANE_PACE_H
#define SENSOR_LANE_PACE_H

#include "sensor/collectors.h"
#include "sensor/pacer.h"

/* Records that one pass may close: keeps a pass short when millions of flows end at once. */
#define LANE_PASS_RECORDS 4096

struct lane_pace {
	struct pacer pacer;
	bool is_live; /* a capture file's records wait for nothing */
	uint32_t maximum_flows;
	bool is_slowed;         /* records that are due wait for the pacer or for a socket */
	uint64_t held_since_ns; /* the loop's time when a socket was found full; 0: none is */
};

/* Records closed between two looks at the collectors' sockets: their messages fit what an
 * exporter can hold. */
#define LANE_LOOK_RECORDS 512

/* Should records wait in the table because a collector's socket takes nothing just now? */
bool lane_pace_is_held(struct lane_pace *pace, const struct flow_cache *cache,
	const struct collectors *collectors);

/* Move the cache's clock and close what is due, as far as that may be; false when something is
 * left. */
bool lane_pace_expire(struct lane_pace *pace, struct flow_cache *cache,
	const struct collectors *collectors, uint64_t now_ns);

#endif
