/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Looks at the lanes once a second, on the main thread: asks them how they are doing, logs what
 * happened to link, ring and collectors since the last look, keeps what it saw for who asks
 * (sight.h), and has one line told to the service manager.
 */
#ifndef SENSOR_LOOKOUT_H
#define SENSOR_LOOKOUT_H

#include "sensor/collector_watch.h"
#include "sensor/sight.h"
#include "sensor/status_line.h"

struct lookout {
	/* Borrowed for its life; set before the first call, the rest is zero. */
	const struct config *config;
	const struct log *log;
	struct lane_desk *desk;
	struct loop *loop;
	void (*tell)(void *user, const char *line); /* at every look */
	void *user;

	struct loop_watch watch;
	struct lane_order order;
	bool is_looking;
	struct ring_stats seen_ring; /* as of the last look, to log what changed */
	struct collector_watch collectors;
	struct status_line status; /* as of the last look */
	struct sight sight;        /* what the last look brought; zero before the first */
};

/* Say once that the interface is not there yet; the look that follows finds nothing new. */
void lookout_wait(struct lookout *lookout, struct source *source);

/* The first look is at the next turn of the loop. 0 or a negative errno. */
int lookout_start(struct lookout *lookout, unsigned lanes);

/* No more looks. One that the lanes have in hand is still answered, so it must stay. */
void lookout_stop(struct lookout *lookout);

/* Say what happened to the link and the ring since it was last said, once each. */
void lookout_log_ring(struct lookout *lookout, const struct ring_stats *now);

/* When no lane runs any more. */
void lookout_close(struct lookout *lookout);

#endif
