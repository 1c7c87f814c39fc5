/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Doubly linked lists of entries by index. The links of all entries stand in one dense array,
 * so that moving an entry touches its neighbours' eight bytes and not their counters. Index 0
 * is no entry: an array of zeroes is an array of unlinked entries.
 */
#ifndef SENSOR_FLOW_LIST_H
#define SENSOR_FLOW_LIST_H

#include <stdint.h>

struct flow_link {
	uint32_t previous, next;
};

struct flow_list {
	uint32_t head, tail; /* 0: empty */
};

static inline void flow_list_append(
	struct flow_list *list, struct flow_link *links, uint32_t index)
{
	links[index] = (struct flow_link){ .previous = list->tail };
	if (list->tail)
		links[list->tail].next = index;
	else
		list->head = index;
	list->tail = index;
}

static inline void flow_list_remove(
	struct flow_list *list, struct flow_link *links, uint32_t index)
{
	struct flow_link link = links[index];

	if (link.previous)
		links[link.previous].next = link.next;
	else
		list->head = link.next;
	if (link.next)
		links[link.next].previous = link.previous;
	else
		list->tail = link.previous;
}

#endif
