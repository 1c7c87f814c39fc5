/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hierarchical timer wheel (Varghese and Lauck 1987): entries by a time, coarse when it is
 * far off and a tick wide when it is near.
 *
 *   level 0   64 buckets of a tick      the 64 ticks that the hand is among
 *   level 1   64 buckets of 64 ticks    the 64 times 64 ticks that the hand is among
 *   ...
 *
 * A time goes to the level of the highest group of six bits in which its tick differs from the
 * hand's, and to the bucket which that group of the tick says. So there is no wrapping: all
 * buckets in use are the hand's own or ahead of it, and the first of the lowest level comes
 * first. When the hand reaches a bucket above level 0, its entries are to be put in anew: they
 * spread over the levels below.
 *
 * An entry keeps its place when its time changes to a later one. Whoever takes it out looks at
 * the time it has by then, and may put it in again: that is all that a packet costs.
 */
#ifndef SENSOR_FLOW_WHEEL_H
#define SENSOR_FLOW_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#include "sensor/flow_list.h"

#define FLOW_WHEEL_TICK_SHIFT 24 /* a tick is 2^24 ns, about 17 ms */
#define FLOW_WHEEL_LEVEL_BITS 6
#define FLOW_WHEEL_BUCKETS (1u << FLOW_WHEEL_LEVEL_BITS)
#define FLOW_WHEEL_LEVELS 7 /* 42 bits of ticks: all times of 64 bits */

/* Links that a wheel needs as anchors of its buckets. */
#define FLOW_WHEEL_ANCHORS (FLOW_WHEEL_LEVELS * FLOW_WHEEL_BUCKETS)

struct flow_wheel {
	uint64_t hand_tick;
	/* 1 << bucket, and 1 << level. Both may be set for what lost its entries since. */
	uint64_t occupied[FLOW_WHEEL_LEVELS];
	uint32_t occupied_levels;
	uint32_t anchor;     /* of the first bucket; the others follow */
	uint32_t unfinished; /* the anchor of the wide bucket that was turned to last */
	/* Where the last entry went: most go where the one before them went. 0: the hand or an
	 * occupied bit has changed since. */
	uint32_t latest_anchor;
	uint64_t latest_tick;
};

/* The first entries of a wheel: all of a bucket. */
struct flow_wheel_bucket {
	uint32_t anchor;  /* of their ring; 0: the wheel is empty */
	uint64_t time_ns; /* none of them was put in for an earlier time */
	bool is_one_tick; /* else the bucket is wider */
};

void flow_wheel_init(struct flow_wheel *wheel, struct flow_link *links, uint32_t anchor);

static inline uint64_t flow_wheel_tick(uint64_t time_ns)
{
	return time_ns >> FLOW_WHEEL_TICK_SHIFT;
}

static inline uint32_t flow_wheel_anchor(
	const struct flow_wheel *wheel, unsigned level, unsigned bucket)
{
	return wheel->anchor + level * FLOW_WHEEL_BUCKETS + bucket;
}

static inline unsigned flow_wheel_level(uint64_t tick, uint64_t hand_tick)
{
	uint64_t differ = tick ^ hand_tick;

	return differ ? (63 - (unsigned)__builtin_clzll(differ)) / FLOW_WHEEL_LEVEL_BITS : 0;
}

/* The bucket of a tick, which is marked as occupied. */
static inline uint32_t flow_wheel_occupy(struct flow_wheel *wheel, uint64_t tick)
{
	/* A hand that has nothing ahead of it can be anywhere: near is best. */
	if (tick < wheel->hand_tick)
		tick = wheel->hand_tick;
	else if (wheel->occupied_levels == 0)
		wheel->hand_tick = tick;
	unsigned level = flow_wheel_level(tick, wheel->hand_tick);
	unsigned bucket = tick >> level * FLOW_WHEEL_LEVEL_BITS & (FLOW_WHEEL_BUCKETS - 1);

	wheel->occupied[level] |= 1ull << bucket;
	wheel->occupied_levels |= 1u << level;
	return flow_wheel_anchor(wheel, level, bucket);
}

/* Put an entry in. Times before the hand are taken as the hand's. */
static inline void flow_wheel_add(
	struct flow_wheel *wheel, struct flow_link *links, uint32_t index, uint64_t time_ns)
{
	uint64_t tick = flow_wheel_tick(time_ns);

	if (wheel->latest_anchor == 0 || wheel->latest_tick != tick) {
		wheel->latest_anchor = flow_wheel_occupy(wheel, tick);
		wheel->latest_tick = tick;
	}
	flow_list_append(links, wheel->latest_anchor, index);
}

/* The bucket that comes first; a wide one that was turned to until it is empty. */
struct flow_wheel_bucket flow_wheel_first(
	struct flow_wheel *wheel, const struct flow_link *links);

/* Move the hand to it. Entries of a wider bucket must then be taken out, and added again. */
void flow_wheel_turn(struct flow_wheel *wheel, const struct flow_wheel_bucket *bucket);

#endif
