/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The greatest flows of any number that pass by, in memory for as many as are wanted: a heap
 * with the least of those that are kept on top.
 */
#ifndef SENSOR_FLOW_PICK_H
#define SENSOR_FLOW_PICK_H

#include "sensor/flow_cache.h"

enum flow_order {
	FLOW_ORDER_OCTETS,
	FLOW_ORDER_PACKETS,
	FLOW_ORDER_DURATION,
	FLOW_ORDER_FIRST, /* the latest first packet comes first */
	FLOW_ORDER_LAST,
	FLOW_ORDER_COUNT
};

extern const char *const flow_order_names[FLOW_ORDER_COUNT];

struct flow_pick {
	enum flow_order order;
	size_t limit, count;
	struct flow_snapshot flows[]; /* .limit of them, .count are kept */
};

/* NULL when there is no memory. .limit is at least 1. */
struct flow_pick *flow_pick_new(enum flow_order order, size_t limit);
void flow_pick_free(void *pick); /* NULL is fine */

/* Keep the flow if it is among the greatest. */
void flow_pick_add(struct flow_pick *pick, const struct flow_snapshot *flow);

/* Put those that are kept in order, the greatest first, equal ones by id. Nothing is added
 * after that. */
void flow_pick_finish(struct flow_pick *pick);

/* What an order goes by. */
uint64_t flow_order_value(enum flow_order order, const struct flow_record *record);

/* Times of the first and last packet in either direction. */
uint64_t flow_first_ns(const struct flow_record *record);
uint64_t flow_last_ns(const struct flow_record *record);

#endif
