/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_wheel.h"

#include <assert.h>

static_assert(FLOW_WHEEL_LEVELS * FLOW_WHEEL_LEVEL_BITS + FLOW_WHEEL_TICK_SHIFT >= 64,
	"every time has a bucket");

void flow_wheel_init(struct flow_wheel *wheel, struct flow_link *links, uint32_t anchor)
{
	*wheel = (struct flow_wheel){ .anchor = anchor };
	for (unsigned i = 0; i < FLOW_WHEEL_ANCHORS; i++)
		flow_list_init(links, anchor + i);
}

/* The first tick of a bucket: the hand's groups above its level, its number, zeroes. */
static uint64_t first_tick(const struct flow_wheel *wheel, unsigned level, unsigned bucket)
{
	unsigned below = level * FLOW_WHEEL_LEVEL_BITS;
	uint64_t above = wheel->hand_tick >> below >> FLOW_WHEEL_LEVEL_BITS;

	return (above << FLOW_WHEEL_LEVEL_BITS | bucket) << below;
}

static bool find_in_level(struct flow_wheel *wheel, const struct flow_link *links,
	unsigned level, struct flow_wheel_bucket *ret_bucket)
{
	for (; wheel->occupied[level]; wheel->occupied[level] &= wheel->occupied[level] - 1) {
		unsigned bucket = (unsigned)__builtin_ctzll(wheel->occupied[level]);
		uint32_t anchor = flow_wheel_anchor(wheel, level, bucket);

		if (flow_list_is_empty(links, anchor)) {
			wheel->latest_anchor = 0;
			continue;
		}
		*ret_bucket = (struct flow_wheel_bucket){
			.anchor = anchor,
			.time_ns = first_tick(wheel, level, bucket) << FLOW_WHEEL_TICK_SHIFT,
			.is_one_tick = level == 0,
		};
		return true;
	}
	return false;
}

struct flow_wheel_bucket flow_wheel_first(
	struct flow_wheel *wheel, const struct flow_link *links)
{
	struct flow_wheel_bucket bucket = { .time_ns = UINT64_MAX };

	if (wheel->unfinished && !flow_list_is_empty(links, wheel->unfinished))
		return (struct flow_wheel_bucket){
			.anchor = wheel->unfinished,
			.time_ns = wheel->hand_tick << FLOW_WHEEL_TICK_SHIFT,
		};
	wheel->unfinished = 0;
	for (; wheel->occupied_levels; wheel->occupied_levels &= wheel->occupied_levels - 1)
		if (find_in_level(wheel, links, (unsigned)__builtin_ctz(wheel->occupied_levels),
			    &bucket))
			break;
	return bucket;
}

void flow_wheel_turn(struct flow_wheel *wheel, const struct flow_wheel_bucket *bucket)
{
	wheel->hand_tick = flow_wheel_tick(bucket->time_ns);
	wheel->latest_anchor = 0;
	wheel->unfinished = bucket->is_one_tick ? 0 : bucket->anchor;
}
