/* SPDX-License-Identifier: BSD-2-Clause */
/* What leaves a lane: records to the collectors, answers to the main thread. */
#include "sensor/lane_inside.h"

#include <string.h>
#include <unistd.h>

/* -- records -------------------------------------------------------------------------- */

/* The lanes number their flows in turns of one each, in an order that moves on from turn to
 * turn: so a number says nothing of the lane to those who share out flows by it. */
uint64_t lane_flow_id(const struct lane *lane, uint64_t ordinal)
{
	return (ordinal - 1) * lane->count + (lane->number + ordinal) % lane->count + 1;
}

static inline void lane_export(
	struct lane *lane, const struct flow_record *record, uint64_t now_ns)
{
	now_ns = lane_unix_ns(lane, now_ns);
	lane->exported_flows += lane->collectors.count > 0;
	if (lane->print)
		print_sink_record(lane->print, lane->number, record);
	collectors_add(&lane->collectors, record, now_ns);
}

/* The times of a live source are steady; those of a capture are what it says. */
static void lane_tell_unix(const struct lane *lane, struct flow_record *record)
{
	for (unsigned i = 0; i < 2; i++) {
		struct flow_side *side = &record->side[i];

		if (side->packets == 0)
			continue;
		side->first_ns = lane_unix_ns(lane, side->first_ns);
		side->last_ns = lane_unix_ns(lane, side->last_ns);
	}
}

__attribute__((noinline)) static void lane_export_changed(
	struct lane *lane, const struct flow_record *record, uint64_t now_ns)
{
	struct flow_record changed = *record;

	changed.flow_id = lane_flow_id(lane, record->flow_id);
	lane_tell_unix(lane, &changed);
	lane_export(lane, &changed, now_ns);
}

void lane_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
	struct lane *lane = user;

	if (lane->count == 1 && lane->step_ns == 0)
		lane_export(lane, record, now_ns);
	else
		lane_export_changed(lane, record, now_ns);
}

/* -- requests ------------------------------------------------------------------------- */

void lane_notice(struct lane *lane)
{
	/* The pipe is non-blocking; when it is full there is a notice to be read already. */
	ssize_t n = write(lane->notice_fd, "", 1);
	(void)n;
}

static void lane_answer(struct lane *lane)
{
	struct lane_request *request = lane->request;

	request->now_ns = lane_unix_ns(lane, flow_cache_clock_ns(lane->cache));
	lane->request = NULL;
	atomic_store_explicit(&request->is_done, true, memory_order_release);
	lane_notice(lane);
}

void lane_stats(struct lane *lane, struct sensor_stats *ret_stats)
{
	*ret_stats = (struct sensor_stats){
		.start_ns = lane_unix_ns(lane, lane->start_ns),
		.clock_jumps = lane->clock.jumps,
		.seen_pkts = lane->seen_pkts,
		.metered_frames = lane->metered_frames,
		.has_ring = lane->is_live,
		.exported = collectors_stats(&lane->collectors),
		.exported_flows = lane->exported_flows,
		.lost_prints = lane->print ? print_sink_lost(lane->print, lane->number) : 0,
		.restarts = lane->restarts,
		.outage_ms = lane->outage_ms,
		.cache = *flow_cache_stats(lane->cache),
	};
	if (!lane->sees_all || lane->number == 0) {
		ret_stats->held_fragments = fragment_hold_stats(lane->hold)->held;
		ret_stats->lone_fragments = fragment_hold_stats(lane->hold)->lone;
	}
	memcpy(ret_stats->dropped, lane->dropped, sizeof(ret_stats->dropped));
	source_stats(lane->source, &ret_stats->ring);
}

/* Close or forget at most a pass's worth of flows; done when none is left. On a link that is
 * never idle every pass begins new ones before this is called, so it looks after its step, too.
 */
static bool lane_empty_step(
	struct lane *lane, size_t (*step)(struct flow_cache *, size_t), size_t budget)
{
	size_t count = step(lane->cache, budget);

	lane->request->count += count;
	return count == 0 || flow_cache_stats(lane->cache)->active_flows == 0;
}

/* No faster than the sockets take it: records that would push others out wait. */
static bool lane_expire_step(struct lane *lane)
{
	lane->pace.is_slowed = lane_pace_is_held(&lane->pace, lane->cache, &lane->collectors);
	if (lane->pace.is_slowed)
		return false;
	return lane_empty_step(lane, flow_cache_expire_all, LANE_LOOK_RECORDS);
}

static bool lane_snapshot(struct lane *lane, struct lane_request *request)
{
	request->count = flow_cache_snapshot(
		lane->cache, &request->cursor, request->flows, request->capacity);
	for (uint64_t i = 0; i < request->count; i++) {
		struct flow_snapshot *flow = &request->flows[i];

		flow->record.flow_id = lane_flow_id(lane, flow->record.flow_id);
		lane_tell_unix(lane, &flow->record);
		flow->deadline_ns = lane_unix_ns(lane, flow->deadline_ns);
	}
	return request->count > 0 || flow_cache_snapshot_ended(lane->cache, request->cursor);
}

/* One bounded step of the request at hand; true when it is answered. */
static bool lane_request_step(struct lane *lane)
{
	struct lane_request *request = lane->request;

	switch (request->verb) {
	case LANE_STATS:
		lane_stats(lane, &request->stats);
		if (request->exporters)
			collectors_each(&lane->collectors, request->exporters);
		return true;
	case LANE_SNAPSHOT:
		return lane_snapshot(lane, request);
	case LANE_EXPIRE_ALL:
		if (!lane_expire_step(lane))
			return false;
		collectors_refresh_templates(&lane->collectors);
		collectors_flush(&lane->collectors,
			lane_unix_ns(lane, flow_cache_clock_ns(lane->cache)));
		return true;
	case LANE_DELETE_ALL:
		return lane_empty_step(lane, flow_cache_delete_all, LANE_PASS_RECORDS);
	case LANE_SEND_TEMPLATES:
		collectors_refresh_templates(&lane->collectors);
		return true;
	case LANE_PAUSE:
	case LANE_RESUME:
		lane->is_paused = request->verb == LANE_PAUSE;
		return true;
	case LANE_LEAVE:
		lane->is_leaving = true;
		return true;
	case LANE_FILTER:
		request->changes[lane->number].outcome =
			source_set_filter(lane->source, request->changes[lane->number].filter);
		return true;
	case LANE_CHANGE:
		return lane_change_step(lane, &request->changes[lane->number]);
	case LANE_FINISH:
		lane->is_finishing = true;
		lane->finish_ns = lane->is_live ? request->now_ns - (uint64_t)lane->step_ns : 0;
		return true;
	}
	return true;
}

bool lane_serve(struct lane *lane)
{
	if (!lane->request && atomic_load_explicit(&lane->mailbox, memory_order_relaxed))
		lane->request =
			atomic_exchange_explicit(&lane->mailbox, NULL, memory_order_acquire);
	if (!lane->request)
		return false;
	if (lane_request_step(lane))
		lane_answer(lane);
	return true;
}

void lane_post(struct lane *lane, struct lane_request *request)
{
	atomic_store_explicit(&request->is_done, false, memory_order_relaxed);
	atomic_store_explicit(&lane->mailbox, request, memory_order_release);
	ssize_t n = write(lane->wake_fds[1], "", 1);
	(void)n;
}
