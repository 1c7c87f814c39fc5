/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When is a packet counted? When it is in the flow table, its place in the ring is passed, and
 * both are known to whoever comes after this process. That is one store (undo.h), between two
 * batches. What the world sees follows it: blocks go back to the kernel, messages leave. What a
 * killed process had begun after it is undone, and done again by the next one.
 */
#include "sensor/lane_inside.h"

#include <string.h>

#include "sensor/loop.h"

#define NS_PER_MS 1000000

static void save_counters(const struct lane *lane, struct lane_saved *to)
{
	to->clock = lane->clock;
	to->step_ns = lane->step_ns;
	to->start_ns = lane->start_ns;
	to->boot_move_ns = lane->boot_move_ns;
	to->seen_pkts = lane->seen_pkts;
	to->metered_frames = lane->metered_frames;
	to->exported_flows = lane->exported_flows;
	memcpy(to->dropped, lane->dropped, sizeof(to->dropped));
	to->to_skip_pkts = lane->sampler.to_skip_pkts;
	to->is_paused = lane->is_paused;
	to->has_begun = lane->has_begun;
	to->exporter_count = (uint32_t)lane->collectors.count;
	to->restarts = lane->restarts;
	to->committed_ns = loop_now_ns();
}

void lane_keep_commit(struct lane *lane)
{
	if (!lane->state)
		return;
	struct lane_saved *to = lane_state_next(lane->state);

	source_place(lane->source, &to->place);
	flow_cache_save(lane->cache, &to->cache);
	collectors_save(&lane->collectors, lane_state_next_exporter(lane->state, 0));
	save_counters(lane, to);
	lane_state_commit(lane->state);
}

void lane_keep_release(struct lane *lane)
{
	if (!lane->state)
		return;
	lane_keep_commit(lane);
	if (collectors_release(&lane->collectors))
		lane_keep_commit(lane);
}

/* There are two copies of what is saved, written by turns. */
void lane_keep_places(struct lane *lane)
{
	for (unsigned copy = 0; lane->state && copy < 2; copy++) {
		for (size_t i = lane->collectors.count; i < CONFIG_DESTINATIONS_MAX; i++)
			lane_state_next_exporter(lane->state, (unsigned)i)->is_used = 0;
		lane_keep_commit(lane);
	}
}

static void load_counters(struct lane *lane, const struct lane_saved *from)
{
	lane->clock = from->clock;
	lane->step_ns = from->step_ns;
	lane->start_ns = from->start_ns;
	lane->boot_move_ns = from->boot_move_ns;
	lane->seen_pkts = from->seen_pkts;
	lane->metered_frames = from->metered_frames;
	lane->exported_flows = from->exported_flows;
	memcpy(lane->dropped, from->dropped, sizeof(lane->dropped));
	lane->sampler.to_skip_pkts = from->to_skip_pkts;
	lane->is_paused = from->is_paused;
	lane->has_begun = from->has_begun;
	lane->restarts = from->restarts + 1;
	lane->outage_ms = (loop_now_ns() - from->committed_ns) / NS_PER_MS;
}

/* A state whose lane had not begun yet has no exporters: the lane begins. */
int lane_keep_resume(struct lane *lane)
{
	const struct lane_saved *saved = lane_state_saved(lane->state);

	load_counters(lane, saved);
	lane->held_due_ns = fragment_hold_due_ns(lane->hold);
	if (!saved->has_begun)
		return 0;
	uint64_t boot_ns =
		saved->start_ns > LANE_UPTIME_NS ? saved->start_ns - LANE_UPTIME_NS : 0;

	return collectors_resume(&lane->collectors, lane_unix_ns(lane, boot_ns),
		lane_state_exporter(lane->state, 0));
}

void lane_found(const struct lane *lane, uint64_t *flows, uint64_t *most_outage_ms)
{
	*flows += flow_cache_stats(lane->cache)->active_flows;
	if (lane->outage_ms > *most_outage_ms)
		*most_outage_ms = lane->outage_ms;
}
