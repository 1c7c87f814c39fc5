/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lane_pace.h"

#include "sensor/loop.h"

/* So long does a full socket keep records in the table; then the oldest messages pay. */
#define HELD_PATIENCE_NS PACER_SECOND_NS

static bool is_nearly_full(const struct lane_pace *pace, const struct flow_cache *cache)
{
	return flow_cache_stats(cache)->active_flows >=
	       pace->maximum_flows - pace->maximum_flows / 4;
}

/* The clock of packets may stand still or jump, so the pace is that of the host's; it is only
 * asked when there is something to do. */
static size_t budget_of(struct lane_pace *pace, const struct flow_cache *cache, uint64_t now_ns)
{
	if (!pace->is_live)
		return SIZE_MAX;
	if (flow_cache_next_due_ns(cache) > now_ns || is_nearly_full(pace, cache))
		return LANE_PASS_RECORDS;
	return pacer_budget(&pace->pacer, loop_now_ns(), LANE_PASS_RECORDS);
}

/* Without a budget the clock moves all the same. */
static uint64_t close_some(struct lane_pace *pace, struct flow_cache *cache, uint64_t now_ns,
	size_t budget, bool *ret_is_done)
{
	uint64_t before = flow_cache_stats(cache)->expired_flows;

	*ret_is_done = flow_cache_advance(cache, now_ns, budget);
	uint64_t closed = flow_cache_stats(cache)->expired_flows - before;
	pacer_spend(&pace->pacer, closed);
	return closed;
}

bool lane_pace_is_held(struct lane_pace *pace, const struct flow_cache *cache,
	const struct collectors *collectors)
{
	if (!collectors_are_held(collectors) || is_nearly_full(pace, cache)) {
		pace->held_since_ns = 0;
		return false;
	}
	uint64_t now_ns = loop_now_ns();

	if (pace->held_since_ns == 0)
		pace->held_since_ns = now_ns;
	return now_ns - pace->held_since_ns < HELD_PATIENCE_NS;
}

bool lane_pace_expire(struct lane_pace *pace, struct flow_cache *cache,
	const struct collectors *collectors, uint64_t now_ns)
{
	size_t budget = budget_of(pace, cache, now_ns);
	size_t most = pace->is_live ? LANE_LOOK_RECORDS : SIZE_MAX;
	bool is_short = budget < LANE_PASS_RECORDS, is_done;
	uint64_t closed;
	size_t step;

	do {
		if (pace->is_live && lane_pace_is_held(pace, cache, collectors)) {
			is_short = true;
			budget = 0;
		}
		step = budget < most ? budget : most;
		closed = close_some(pace, cache, now_ns, step, &is_done);
		budget -= step;
	} while (!is_done && budget > 0 && closed == step);
	pace->is_slowed = !is_done && is_short;
	return is_done;
}
