/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a lane. Included by its files alone:
 *
 *	lane.c          the pass, and the thread that repeats it
 *	lane_meter.c    a batch of packets on its way into the flow cache
 *	lane_serve.c    requests of the main thread
 *	lane_keep.c     what is kept for another process
 *	lane_change.c   those that bring another configuration
 *	lane_life.c     making and freeing, starting and joining
 */
#ifndef SENSOR_LANE_INSIDE_H
#define SENSOR_LANE_INSIDE_H

#include <pthread.h>

#include "sensor/collectors.h"
#include "sensor/fragment_hold.h"
#include "sensor/lane.h"
#include "sensor/lane_clock.h"
#include "sensor/lane_pace.h"
#include "sensor/sampler.h"

/* What two lanes use is never in one line; two of 64 octets are fetched together. */
#define LINE_BYTES 128

/* On an interface sysUptime begins this long before the lane: packets that wait in the ring by
 * then are not older. */
#define LANE_UPTIME_NS 10000000000ULL

struct lane {
	/* Written by the main thread. */
	_Alignas(LINE_BYTES) _Atomic(struct lane_request *) mailbox;

	_Alignas(LINE_BYTES) struct lane_settings settings;
	struct source *source;
	struct decoder *decoder;
	struct fragment_hold *hold;
	struct flow_cache *cache;
	struct sampler sampler;
	struct lane_pace pace;
	const struct own_export *own;
	struct print_sink *print;

	struct collectors collectors;
	struct lane_state *state; /* NULL: nothing is kept for another process */

	unsigned number, count;
	uint32_t domain, if_index; /* as in lane_config */
	uint64_t steering_key[2];
	bool is_live, is_paused, has_begun;
	bool sees_all;     /* the packets of other lanes, too */
	bool is_busy;      /* the last batch held packets */
	bool is_finishing; /* told to end: meter what came before finish_ns, then end */
	bool is_leaving;
	uint64_t from_ns, until_ns; /* as in lane_config */
	uint64_t finish_ns;
	struct lane_clock clock; /* of all packets, other lanes' too */
	int64_t step_ns;         /* Unix time less the clock; for exporters and people */
	uint64_t start_ns;
	uint64_t boot_move_ns; /* when sysUptime's zero is to be moved; UINT64_MAX: never */
	uint64_t seen_pkts, metered_frames, exported_flows;
	uint64_t dropped[DROP_REASON_COUNT];
	uint32_t restarts;    /* processes that went on with the state */
	uint64_t outage_ms;   /* how long there was none, the last time */
	uint64_t held_due_ns; /* fragment_hold_due_ns(), for one look per packet */
	uint64_t release_ns;  /* the clock when held fragments are released */

	struct lane_request *request; /* taken from the mailbox, being worked on */
	int wake_fds[2];              /* the main thread writes to [1] to end a poll */
	int notice_fd;
	int cpu;
	pthread_t thread;
	bool is_started;
	_Atomic uint64_t progress; /* written by the lane alone */
	atomic_bool has_ended;
	int outcome;

	struct packet_batch batch;
	struct packet_meta metas[PACKET_BATCH_MAX]; /* the queue: what the cache meters next */
	unsigned queued;
};

/* -- lane.c -- */

/* Export all that is open, and send it. Only when the thread has ended, or in it. */
void lane_close_books(struct lane *lane);

/* The thread. .user is the lane. */
void *lane_main(void *user);

/* The clock's time is Unix time less so much, from here on. */
void lane_set_step(struct lane *lane, int64_t step_ns);

/* Unix time of a time of the clock, for those outside. */
static inline uint64_t lane_unix_ns(const struct lane *lane, uint64_t time_ns)
{
	if (lane->step_ns < 0 && time_ns < (uint64_t)-lane->step_ns)
		return 0;
	return time_ns + (uint64_t)lane->step_ns;
}

/* When sysUptime's zero is to be moved next; UINT64_MAX: never. */
static inline uint64_t lane_next_boot_move(const struct lane *lane, uint64_t now_ns)
{
	uint64_t interval_s = lane->settings.reinitialise_s;

	return interval_s ? now_ns + interval_s * 1000000000ULL : UINT64_MAX;
}

/* -- lane_meter.c -- */

/* Meter the packets of .batch. */
void lane_meter_batch(struct lane *lane);

/* Meter what is in the queue. */
void lane_meter_queue(struct lane *lane);

/* Meter the fragments whose first did not come, each at the moment when its wait ended. */
void lane_give_up_waiting(struct lane *lane, uint64_t now_ns);

/* Take back a fragment that was held: fragment_hold_config.release. */
void lane_take_back(void *user, const struct packet_meta *meta);

/* -- lane_keep.c: all of it does nothing without a state -- */

/* All that was done so far is done, whatever becomes of this process. Only with an empty
 * queue. */
void lane_keep_commit(struct lane *lane);

/* The same, and what waits in the collectors' outboxes may be sent. */
void lane_keep_release(struct lane *lane);

/* Go on with what the state has, as far as it is not in the parts of the lane. 0 or a negative
 * errno. */
int lane_keep_resume(struct lane *lane);

/* The collectors have other places: nobody has those behind them. Commits. */
void lane_keep_places(struct lane *lane);

/* -- lane_serve.c -- */

/* The id by which the world knows the lane's .ordinal-th flow. */
uint64_t lane_flow_id(const struct lane *lane, uint64_t ordinal);

/* Take what is in the mailbox, and do one bounded step of it. False: there was nothing. */
bool lane_serve(struct lane *lane);

/* There is something to look at for the main thread. */
void lane_notice(struct lane *lane);

/* A record of the flow cache goes out: flow_sink.record. */
void lane_record(void *user, const struct flow_record *record, uint64_t now_ns);

/* -- lane_change.c -- */

/* One bounded step; true when it is done. */
bool lane_change_step(struct lane *lane, struct lane_change *change);

#endif
