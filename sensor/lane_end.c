/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lane_end.h"

#include <poll.h>

#include "sensor/loop.h"

#define TURN_MS 5

/* Of LANE_END_NS, what closing the flows may take; the rest is for full sockets. */
#define CLOSING_NS (LANE_END_NS / 10 * 8)

static void set_pace(const struct lane_end *end)
{
	uint64_t flows = flow_cache_stats(end->cache)->active_flows;
	uint64_t least_per_s = flows / (CLOSING_NS / PACER_SECOND_NS) + 1;

	if (end->pacer->records_per_s != 0 && end->pacer->records_per_s < least_per_s)
		end->pacer->records_per_s = (uint32_t)least_per_s;
}

static void wait_a_turn(const struct lane_end *end)
{
	poll(NULL, 0, TURN_MS);
	end->turn(end->user);
}

static void close_flows(const struct lane_end *end, uint64_t deadline_ns)
{
	const struct flow_cache_stats *stats = flow_cache_stats(end->cache);
	uint64_t now_ns;

	while (stats->active_flows > 0 && (now_ns = loop_now_ns()) < deadline_ns) {
		size_t budget = pacer_budget(end->pacer, now_ns, LANE_LOOK_RECORDS);

		collectors_send_gathered(end->collectors);
		if (budget == 0 || collectors_are_held(end->collectors)) {
			wait_a_turn(end);
			continue;
		}
		pacer_spend(end->pacer, flow_cache_expire_all(end->cache, budget));
		end->turn(end->user);
	}
}

static void send_rest(const struct lane_end *end, uint64_t deadline_ns)
{
	uint64_t now_ns = flow_cache_clock_ns(end->cache) + (uint64_t)end->step_ns;

	collectors_flush(end->collectors, now_ns);
	end->turn(end->user);
	while (collectors_are_held(end->collectors) && loop_now_ns() < deadline_ns) {
		wait_a_turn(end);
		collectors_send_gathered(end->collectors);
	}
	collectors_give_up(end->collectors);
}

void lane_end_run(const struct lane_end *end)
{
	uint64_t begin_ns = loop_now_ns();

	set_pace(end);
	close_flows(end, begin_ns + CLOSING_NS);
	flow_cache_expire_all(end->cache, SIZE_MAX);
	send_rest(end, begin_ns + LANE_END_NS);
}
