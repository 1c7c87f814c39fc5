/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rings of entries by index. The links of all entries stand in one dense array, so that moving
 * an entry touches its neighbours' eight bytes and not their counters. A ring begins and ends
 * at its anchor, a link of the same array that belongs to no entry: so an entry leaves without
 * anybody knowing which ring it is in.
 */
#ifndef SENSOR_FLOW_LIST_H
#define SENSOR_FLOW_LIST_H

#include <stdbool.h>
#include <stdint.h>

struct flow_link {
	uint32_t previous, next;
};

static inline void flow_list_init(struct flow_link *links, uint32_t anchor)
{
	links[anchor] = (struct flow_link){ anchor, anchor };
}

/* The first entry, or the anchor when there is none. */
static inline uint32_t flow_list_first(const struct flow_link *links, uint32_t anchor)
{
	return links[anchor].next;
}

static inline bool flow_list_is_empty(const struct flow_link *links, uint32_t anchor)
{
	return links[anchor].next == anchor;
}

static inline void flow_list_append(struct flow_link *links, uint32_t anchor, uint32_t index)
{
	uint32_t last = links[anchor].previous;

	links[index] = (struct flow_link){ last, anchor };
	links[last].next = index;
	links[anchor].previous = index;
}

static inline void flow_list_remove(struct flow_link *links, uint32_t index)
{
	struct flow_link link = links[index];

	links[link.previous].next = link.next;
	links[link.next].previous = link.previous;
}

/* All of ring .from becomes all of ring .to, which is empty. */
static inline void flow_list_take(struct flow_link *links, uint32_t to, uint32_t from)
{
	struct flow_link link = links[from];

	if (link.next == from)
		return;
	links[to] = link;
	links[link.next].previous = to;
	links[link.previous].next = to;
	flow_list_init(links, from);
}

#endif
