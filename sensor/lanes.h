/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * All lanes of a run, and what is opened for them: a source for each, a socket for each lane
 * and collector, one sink for what is printed. Belongs to the main thread.
 */
#ifndef SENSOR_LANES_H
#define SENSOR_LANES_H

#include "sensor/handover.h"
#include "sensor/lane.h"
#include "sensor/lane_state_read.h"

struct lanes_before;

struct lanes {
	const struct handover
		*handover; /* borrowed, set before anything is opened; NULL: none */
	unsigned count;
	struct lane *lanes[CONFIG_LANES_MAX];
	/* What is kept for another process, and whether this one goes on with it. */
	struct lane_state *states[CONFIG_LANES_MAX]; /* until the lanes take them; NULL: none */
	unsigned state_count;
	bool is_kept, is_resumed;
	/* The lanes that the process before had, where these are others; NULL: there are none.
	 */
	struct lanes_before *before;
	unsigned found_count;            /* lanes whose state was handed in */
	size_t found_destinations;       /* places of collectors that they had, at most */
	bool is_next;                    /* which of the two sets of names counts */
	bool is_moved;                   /* these have their flows */
	bool has_unread;                 /* there was something that cannot be read */
	bool is_translated;              /* it was of another layout; its flows are exported */
	struct lane_state_reading found; /* then: what there was, of all lanes */
	uint64_t from_ns, until_ns;      /* as in lane_config */
	struct source_sockets sockets;   /* that were handed in, while sources are opened */
	struct source *sources[CONFIG_LANES_MAX]; /* until the lanes take them */
	struct transport **transports;            /* of lane 0, of lane 1...; as above */
	bool *is_handed;                          /* of each transport: its socket was */
	size_t transport_count;                   /* opened */
	struct print_sink *print;
	struct own_export own;
	struct lane_keys keys;
	int cpus[CONFIG_LANES_MAX];
	unsigned cpu_count;
};

/* How long opening and making them may take, in microseconds, at the worst: the kernel hands
 * out the memory of rings and tables page by page. */
uint64_t lanes_opening_us(const struct config *config);

/*
 * Open the sources, or go on with those that were handed in: from here on .count is how many
 * lanes there are, which may be fewer than .wanted because the packets cannot be shared out.
 * stop_fd: as in source_config. 0 or a negative errno with a sentence in .error; so for all of
 * these.
 */
int lanes_open_sources(struct lanes *lanes, const struct config *config, int stop_fd,
	unsigned *ret_wanted, char error[static CONFIG_ERROR_BYTES]);
/* Likewise a transport for each lane and destination. */
int lanes_open_transports(struct lanes *lanes, const struct config *config,
	char error[static CONFIG_ERROR_BYTES]);

/* A lane's transport to the .destination-th collector, which .own knows then; handed_fd: a
 * socket to go on with, or -1. */
int lanes_open_collector(struct lanes *lanes, const struct config *config, unsigned lane,
	size_t destination, int handed_fd, struct transport **ret_transport,
	char error[static CONFIG_ERROR_BYTES]);

/* Have a collector's socket kept for the next process; -1: none any more. */
void lanes_store_collector(
	const struct lanes *lanes, unsigned lane, size_t destination, int fd);

/* How many flows a lane of .count may keep. */
uint32_t lanes_flows_of_lane(
	const struct lanes *lanes, const struct config *config, unsigned count);

/* Make the lanes, and have kept what another process would need to go on with them; .config is
 * borrowed for the call, but for .interface, which is for their life; notices go to notice_fd.
 */
int lanes_make(struct lanes *lanes, const struct config *config, int notice_fd,
	char error[static CONFIG_ERROR_BYTES]);

/* What is kept for the next process by lanes_make() is kept no more: they have ended for good.
 */
void lanes_forget(struct lanes *lanes, const struct config *config);

/* 0 or a negative errno; those that did start end with lanes_free(). */
int lanes_start(struct lanes *lanes);

bool lanes_have_ended(const struct lanes *lanes);  /* all */
bool lanes_have_failed(const struct lanes *lanes); /* one, with an error of its source */

/* Wait for all to end. Returns the worst outcome of lane_join(), and the words for it. */
int lanes_join(struct lanes *lanes, const char **ret_error);

/* After lanes_join(): write out what is still to be printed, and sum up the books. */
void lanes_close_books(struct lanes *lanes, struct sensor_stats *ret_stats);

/* Everything that is open is closed. Only after lanes_join(), or when they were not started. */
void lanes_free(struct lanes *lanes);

#endif
