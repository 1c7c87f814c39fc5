/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_pick.h"

#include <stdlib.h>

#include "sensor/flow_tally.h"

const char *const flow_order_names[FLOW_ORDER_COUNT] = {
	[FLOW_ORDER_OCTETS] = "octets",
	[FLOW_ORDER_PACKETS] = "packets",
	[FLOW_ORDER_DURATION] = "duration",
	[FLOW_ORDER_FIRST] = "first",
	[FLOW_ORDER_LAST] = "last",
};

uint64_t flow_first_ns(const struct flow_record *record)
{
	const struct flow_side *side = record->side;

	if (side[0].packets == 0)
		return side[1].first_ns;
	if (side[1].packets == 0)
		return side[0].first_ns;
	return flow_tally_least(side[0].first_ns, side[1].first_ns);
}

uint64_t flow_last_ns(const struct flow_record *record)
{
	const struct flow_side *side = record->side;

	return flow_tally_most(
		side[0].packets ? side[0].last_ns : 0, side[1].packets ? side[1].last_ns : 0);
}

uint64_t flow_order_value(enum flow_order order, const struct flow_record *record)
{
	const struct flow_side *side = record->side;

	switch (order) {
	case FLOW_ORDER_OCTETS:
		return side[0].octets + side[1].octets;
	case FLOW_ORDER_PACKETS:
		return side[0].packets + side[1].packets;
	case FLOW_ORDER_DURATION:
		return flow_tally_duration_ns(record);
	case FLOW_ORDER_FIRST:
		return flow_first_ns(record);
	case FLOW_ORDER_LAST:
	case FLOW_ORDER_COUNT:
		break;
	}
	return flow_last_ns(record);
}

struct flow_pick *flow_pick_new(enum flow_order order, size_t limit)
{
	struct flow_pick *pick = malloc(sizeof(*pick) + limit * sizeof(pick->flows[0]));

	if (!pick)
		return NULL;
	pick->order = order;
	pick->limit = limit;
	pick->count = 0;
	return pick;
}

void flow_pick_free(void *pick)
{
	free(pick);
}

/* Does .a come behind .b? Of equal flows the younger one does. */
static bool is_less(
	enum flow_order order, const struct flow_record *a, const struct flow_record *b)
{
	uint64_t a_value = flow_order_value(order, a), b_value = flow_order_value(order, b);

	return a_value != b_value ? a_value < b_value : a->flow_id > b->flow_id;
}

static void swap(struct flow_snapshot *a, struct flow_snapshot *b)
{
	struct flow_snapshot saved = *a;

	*a = *b;
	*b = saved;
}

static void sift_up(struct flow_pick *pick, size_t at)
{
	struct flow_snapshot *flows = pick->flows;

	while (at > 0) {
		size_t parent = (at - 1) / 2;

		if (!is_less(pick->order, &flows[at].record, &flows[parent].record))
			return;
		swap(&flows[at], &flows[parent]);
		at = parent;
	}
}

/* Among the first .count. */
static void sift_down(struct flow_pick *pick, size_t count)
{
	struct flow_snapshot *flows = pick->flows;
	size_t at = 0;

	for (;;) {
		size_t least = at, child = 2 * at + 1;

		for (size_t i = child; i < count && i <= child + 1; i++)
			if (is_less(pick->order, &flows[i].record, &flows[least].record))
				least = i;
		if (least == at)
			return;
		swap(&flows[at], &flows[least]);
		at = least;
	}
}

void flow_pick_add(struct flow_pick *pick, const struct flow_snapshot *flow)
{
	if (pick->count < pick->limit) {
		pick->flows[pick->count] = *flow;
		sift_up(pick, pick->count++);
		return;
	}
	if (!is_less(pick->order, &pick->flows[0].record, &flow->record))
		return;
	pick->flows[0] = *flow;
	sift_down(pick, pick->count);
}

/* The least goes to the end, then the least of the others before it... */
void flow_pick_finish(struct flow_pick *pick)
{
	for (size_t left = pick->count; left > 1; left--) {
		swap(&pick->flows[0], &pick->flows[left - 1]);
		sift_down(pick, left - 1);
	}
}
