/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which collectors do not get what is sent to them: from their counters, looked at every second
 * or so, to the two lines of log that an outage has. Over UDP nobody says that messages arrive;
 * it is taken from no word of a loss for some looks with messages.
 */
#ifndef SENSOR_COLLECTOR_WATCH_H
#define SENSOR_COLLECTOR_WATCH_H

#include "sensor/config.h"
#include "sensor/log.h"

#define COLLECTOR_WATCH_LOOKS 3 /* without a loss, until a collector is taken for back */

enum collector_news {
	COLLECTOR_SAME,
	COLLECTOR_AWAY, /* messages get lost */
	COLLECTOR_BACK, /* they seem to arrive again */
};

struct collector_seen {
	uint64_t messages, failed_messages; /* as of the last look */
	uint64_t failed_records;            /* when the outage began */
	unsigned good_looks;
	bool is_away;
};

struct collector_watch {
	unsigned lanes;
	/* Room for what the lanes say (lane_request.exporters); owned. */
	struct exporter_stats *exporters;
	struct collector_seen seen[CONFIG_DESTINATIONS_MAX];
};

/* 0 or -ENOMEM. */
int collector_watch_open(struct collector_watch *watch, unsigned lanes);
void collector_watch_close(struct collector_watch *watch);

/* Look at what the lanes said, and log what is new. */
void collector_watch_tell(
	struct collector_watch *watch, const struct config *config, const struct log *log);

/* Look at the counters of a collector, summed over the lanes. BACK: *ret_lost is how many
 * records the outage took. */
enum collector_news collector_watch_look(struct collector_watch *watch, size_t place,
	const struct exporter_stats *now, uint64_t *ret_lost);

#endif
