/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One lane: the straight line from a source to the collectors, on a thread of its own. Nothing
 * on the line waits for anybody. The main thread asks for things by posting a request, which
 * the lane reads between two batches and answers by setting .is_done and writing a byte to the
 * notice descriptor.
 *
 * Several lanes share nothing that changes. Those of an interface get different packets from
 * their sources. Those of capture files all get every packet: each samples and decodes all of
 * them, so that all know the same, and meters its own; lane 0 does the books of the others.
 */
#ifndef SENSOR_LANE_H
#define SENSOR_LANE_H

#include <stdatomic.h>

#include "ring/source.h"
#include "sensor/collectors.h"
#include "sensor/config.h"
#include "sensor/lane_state.h"
#include "sensor/own_export.h"
#include "sensor/print_sink.h"
#include "sensor/stats_text.h"

/* Random, and the same in all lanes: they have to agree. */
struct lane_keys {
	uint64_t steering[2];  /* ring/steering.h, sensor/steer.h */
	uint64_t fragments[2]; /* of the decoders' tables */
	uint64_t held[2];      /* of those who wait for their first fragment */
};

struct lane_config {
	const struct config *config;         /* borrowed for the call */
	const struct own_export *own;        /* borrowed for the lane's life */
	const struct lane_keys *keys;        /* borrowed for the call */
	struct source *source;               /* taken */
	struct transport *const *transports; /* the array is borrowed for the call, its members
					      * are taken */
	size_t transport_count;
	struct print_sink *print; /* borrowed; NULL when nothing is printed */
	unsigned number, count;   /* this lane, from 0, and how many there are */
	int cpu;                  /* to run on; -1: any */
	uint32_t maximum_flows;   /* this lane's */
	uint32_t domain;          /* observation domain id of lane 0 */
	uint32_t if_index;        /* of records whose packets do not say */
	int notice_fd;            /* written to when there is something to look at; borrowed */
	struct lane_state *state; /* where the lane keeps what another process can go on with,
				   * taken; NULL: nowhere */
	bool is_resumed;          /* this process goes on with it */
	bool is_moved;            /* with the flows that were put there (lane_move.h) alone */
	/* Packets before the one and from the other on are other lanes' (lanes_before.h); 0:
	 * there is no such time. A lane with an end leaves its flows open. */
	uint64_t from_ns, until_ns;
};

enum lane_verb {
	LANE_STATS,          /* fill .stats, and .exporters where there is room */
	LANE_SNAPSHOT,       /* fill .flows from .cursor on; .count 0 is the end */
	LANE_EXPIRE_ALL,     /* export every open flow; .count says how many */
	LANE_DELETE_ALL,     /* forget every open flow; .count says how many */
	LANE_SEND_TEMPLATES, /* with the next message */
	LANE_PAUSE,          /* count packets as not gathered */
	LANE_RESUME,
	LANE_LEAVE,  /* end at once, with all that is kept for the next process */
	LANE_FILTER, /* attach that of .changes */
	LANE_CHANGE, /* go on as .changes says: all of it at once, nothing is lost */
	LANE_FINISH, /* meter what came before .now_ns (of a capture file nothing more), export
		      * every open flow, end */
};

/* What a lane looks at of the configuration while it runs. */
struct lane_settings {
	uint64_t maximum_life_ns;
	uint32_t reinitialise_s;
	bool track_v6, has_own_mac;
	uint8_t own_mac[6];
};

/* What a lane is to do from now on: the request is answered with what came of it. */
struct lane_change {
	/* LANE_FILTER */
	const struct source_filter *filter; /* borrowed for the request */
	int outcome;                        /* 0, or why not every socket has it */
	/* LANE_CHANGE */
	struct lane_settings settings;
	struct flow_timeouts timeouts;
	uint32_t sampling_interval; /* all flows end when it is another one */
	uint32_t records_per_s;
	struct collectors_change collectors;
	bool is_taken;     /* false: the lane is ending, it has touched nothing */
	uint64_t since_ns; /* the lane's own: when it began to make room; 0 at first */
};

/* Owned by the main thread, lent to the lane from lane_post() until .is_done. */
struct lane_request {
	enum lane_verb verb;
	struct sensor_stats stats;
	struct flow_snapshot *flows; /* room for .capacity */
	size_t capacity;
	struct exporter_stats *exporters; /* NULL, or room for CONFIG_DESTINATIONS_MAX: in
					   * order; what has not begun stays as it is */
	uint64_t cursor;
	uint64_t count;
	struct lane_change *changes; /* LANE_FILTER, LANE_CHANGE: one for each lane */
	uint64_t now_ns; /* LANE_FINISH: Unix time of asking. Answered: the lane clock */
	atomic_bool is_done;
};

struct lane;

/* 0 or a negative errno with a sentence in .error. What is taken is taken only on success. */
int lane_new(const struct lane_config *config, struct lane **ret_lane,
	char error[static CONFIG_ERROR_BYTES]);

/* Fill what a lane has of a configuration: all of .ret_change but .filter and who is in
 * which place among the collectors. Any thread. */
void lane_change_fill(
	const struct lane *lane, const struct config *config, struct lane_change *ret_change);

/* Where messages to the .place-th collector outlive the process; NULL: nowhere. */
uint8_t *lane_kept_bytes(const struct lane *lane, size_t place);

/* For source_compile_filter(). Borrowed for the lane's life. */
struct source *lane_source(const struct lane *lane);

/* Start the lane's thread. 0 or a negative errno. */
int lane_start(struct lane *lane);

/* Lend a request to the lane. One at a time: the one before must be done. */
void lane_post(struct lane *lane, struct lane_request *request);

/* The thread has nothing more to do: the capture ended, failed or was told to finish. */
bool lane_has_ended(const struct lane *lane);

/* Grows with every pass, on an idle link several times a second: a lane whose number stands
 * still is stuck. */
uint64_t lane_progress(const struct lane *lane);

/* How it ended: as lane_join(). Only when lane_has_ended(). */
int lane_outcome(const struct lane *lane);

/* Wait for the thread to end. Returns 0, SOURCE_DAMAGED, or the source's negative errno. */
int lane_join(struct lane *lane);

/* The books. Only before lane_start() or when lane_has_ended(). */
void lane_stats(struct lane *lane, struct sensor_stats *ret_stats);

/* What a lane that goes on found: add its open flows, and the longest outage. Only before
 * lane_start(). */
void lane_found(const struct lane *lane, uint64_t *flows, uint64_t *most_outage_ms);

/* The source's words for its last outcome or link event. */
const char *lane_source_error(const struct lane *lane);

void lane_free(struct lane *lane); /* NULL is fine; joins if need be */

#endif
