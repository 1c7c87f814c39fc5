/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who is next. Each class of flows (expiry.h) has one idle timeout, so the order of its flows'
 * last packets is the order of their deadlines, and gives the least recently active flow, too.
 *
 * A queue keeps that order lazily: a wheel by the time of the last packet at the moment of
 * putting in, and behind its hand the ring .ready with the flows of the oldest tick. A packet
 * only marks its flow as touched. Who reaches a touched flow puts it in again by the time of
 * its last packet, which costs one move for all packets since the last one.
 *
 * Exact queues sort the tick's flows before they use them: deadlines come in order to the
 * nanosecond. Paced queues (flow_cache.h) do not, and stop looking after a bounded number of
 * flows: they may find a flow a little late, never early.
 */
#ifndef SENSOR_FLOW_DUE_H
#define SENSOR_FLOW_DUE_H

#include "sensor/flow_close.h"

/* Links of the table that the queues and the age ring need as anchors. */
#define FLOW_DUE_ANCHORS (EXPIRY_CLASS_COUNT * (FLOW_WHEEL_ANCHORS + 1) + 1)

/* A step that is due next: an idle flow, or a record at the end of its life. */
struct flow_step {
	uint64_t deadline_ns; /* when .index is 0: nothing is due before */
	uint32_t index;       /* 0: not known yet, or nothing at all */
	bool is_life;
};

/* Empty queues. */
void flow_due_init(struct flow_cache *cache);

/* Put a new flow, or one whose class has changed, into its queue. */
void flow_due_add(struct flow_cache *cache, uint32_t index);

/* The step with the earliest deadline. It is known when it is due by the cache's clock, unless
 * the queue is paced and has looked enough. */
struct flow_step flow_due_next(struct flow_cache *cache);

/* An idle flow is about to be closed: ask for the memory that closing those behind it needs. */
void flow_due_foresee(const struct flow_cache *cache, uint32_t index);

/* The least recently active flow, of a paced cache nearly so; 0 when there is none. */
uint32_t flow_due_oldest(struct flow_cache *cache);

#endif
