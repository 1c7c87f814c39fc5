/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The end of a lane on an interface: every open flow is exported, no faster than the collectors
 * and the sockets to them can follow, and in bounded time.
 */
#ifndef SENSOR_LANE_END_H
#define SENSOR_LANE_END_H

#include "sensor/collectors.h"
#include "sensor/lane_pace.h"

/* However slow the pace and the sockets are, the lane ends after this. What could not be sent
 * by then is counted. */
#define LANE_END_NS 10000000000ULL

struct lane_end {
	struct flow_cache *cache; /* borrowed, like the next two */
	struct collectors *collectors;
	struct pacer *pacer; /* its rate is raised when it would take too long */
	int64_t step_ns;     /* Unix time less the cache's */
	/* Called often, so that the lane's thread is seen to live. */
	void (*turn)(void *user);
	void *user;
};

/* Close all flows and send all messages. The cache is empty afterwards, and nothing is held. */
void lane_end_run(const struct lane_end *end);

#endif
