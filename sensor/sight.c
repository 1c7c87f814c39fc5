/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/sight.h"

#include <string.h>

#define NS_PER_S 1000000000.0

static struct sight_lane see_lane(const struct lane_request *answer, bool has_ended)
{
	const struct sensor_stats *stats = &answer->stats;
	struct sight_lane seen = {
		.frames = stats->seen_pkts,
		.active_flows = stats->cache.active_flows,
		.ring_received_pkts = stats->ring.received_pkts,
		.ring_dropped_pkts = stats->ring.dropped_pkts,
		.clock_ns = answer->now_ns,
		.has_ended = has_ended,
	};

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		seen.frames_dropped += stats->dropped[i];
	return seen;
}

static void add_sample(struct sight *sight, struct sight_sample sample)
{
	if (sight->sample_count == SIGHT_SAMPLES)
		memmove(sight->samples, sight->samples + 1,
			--sight->sample_count * sizeof(sight->samples[0]));
	sight->samples[sight->sample_count++] = sample;
}

void sight_take(struct sight *sight, const struct lane_desk *desk,
	const struct sensor_stats *sum, uint64_t now_ns)
{
	sight->taken_ns = now_ns;
	sight->sum = *sum;
	sight->lane_count = desk->lane_count;
	for (unsigned i = 0; i < desk->lane_count; i++)
		sight->lanes[i] =
			see_lane(lane_desk_answer_of(desk, i), lane_has_ended(desk->lanes[i]));
	add_sample(sight, (struct sight_sample){
				  .taken_ns = now_ns,
				  .frames = sum->seen_pkts,
				  .octets = sum->cache.metered_octets,
				  .created_flows = sum->cache.created_flows,
				  .exported_flows = sum->exported_flows,
			  });
}

struct sight_rates sight_rates(const struct sight *sight)
{
	if (sight->sample_count < 2)
		return (struct sight_rates){ 0 };
	const struct sight_sample *first = &sight->samples[0];
	const struct sight_sample *last = &sight->samples[sight->sample_count - 1];
	double seconds = (double)(last->taken_ns - first->taken_ns) / NS_PER_S;

	if (seconds <= 0)
		return (struct sight_rates){ 0 };
	return (struct sight_rates){
		.frames = (double)(last->frames - first->frames) / seconds,
		.octets = (double)(last->octets - first->octets) / seconds,
		.created_flows = (double)(last->created_flows - first->created_flows) / seconds,
		.exported_flows =
			(double)(last->exported_flows - first->exported_flows) / seconds,
	};
}
