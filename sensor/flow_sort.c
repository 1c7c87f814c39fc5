/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Natural merge sort of a ring: runs that are in order are split off and merged pairwise, like
 * the digits of a binary counter: pile[n] holds 2^n merged runs. Only .next is kept on the way,
 * 0 ends a run; .previous is set right at the end.
 */
#include "sensor/flow_sort.h"

#include <assert.h>

#define PILES 32

static inline uint64_t key_of(const struct flow_entry *entries, uint32_t index)
{
	return entries[index].activity_ns;
}

/* Cut the longest run that is in order off the front of *rest. */
static uint32_t split_run(
	struct flow_link *links, const struct flow_entry *entries, uint32_t *rest)
{
	uint32_t first = *rest, last = first, next;

	while ((next = links[last].next) != 0 && key_of(entries, last) <= key_of(entries, next))
		last = next;
	links[last].next = 0;
	*rest = next;
	return first;
}

/* .a comes first where keys are equal. */
static uint32_t merge(
	struct flow_link *links, const struct flow_entry *entries, uint32_t a, uint32_t b)
{
	uint32_t first = 0, *end = &first;

	while (a && b) {
		uint32_t *from = key_of(entries, b) < key_of(entries, a) ? &b : &a;

		*end = *from;
		end = &links[*from].next;
		*from = *end;
	}
	*end = a ? a : b;
	return first;
}

static void close_ring(struct flow_link *links, uint32_t anchor, uint32_t first)
{
	uint32_t previous = anchor;

	for (uint32_t index = first; index; index = links[index].next) {
		links[previous].next = index;
		links[index].previous = previous;
		previous = index;
	}
	links[previous].next = anchor;
	links[anchor].previous = previous;
}

void flow_sort(struct flow_link *links, uint32_t anchor, const struct flow_entry *entries)
{
	uint32_t piles[PILES] = { 0 }, rest = links[anchor].next, all = 0;

	if (rest == anchor)
		return;
	links[links[anchor].previous].next = 0;
	while (rest) {
		uint32_t run = split_run(links, entries, &rest);
		unsigned i = 0;

		for (; piles[i]; i++) {
			run = merge(links, entries, piles[i], run);
			piles[i] = 0;
		}
		piles[i] = run;
	}
	for (unsigned i = 0; i < PILES; i++)
		all = merge(links, entries, piles[i], all);
	close_ring(links, anchor, all);
}
