/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The inside of a flow cache, and how its records end. Included by the files of the cache
 * alone.
 *
 * Every entry is in the queue of its class, by its last packet (flow_due.h). Every entry with
 * an open record is in the age ring, in the order in which records began.
 */
#ifndef SENSOR_FLOW_CLOSE_H
#define SENSOR_FLOW_CLOSE_H

#include "sensor/expiry.h"
#include "sensor/flow_cache.h"
#include "sensor/flow_table.h"
#include "sensor/flow_wheel.h"

/* How many packets a step of metering takes at a time, ahead of the next step: enough to hide
 * the latency of memory, few enough that what was fetched is still there when it is its turn.
 */
#define FLOW_AHEAD_PKTS 12
#define FLOW_PROBES 64 /* more than are under way; a power of two */

/* The last deadline that was rounded up, so that a head that stays is not divided again. */
struct flow_rounding {
	uint64_t exact_ns, rounded_ns;
};

/* The flows of a class, by their last packet. */
struct flow_queue {
	struct flow_wheel wheel;
	uint32_t ready; /* anchor of the ring of those of the oldest tick */
	struct flow_rounding rounding;
};

struct flow_cache {
	struct flow_table table;
	struct expiry expiry;
	struct flow_queue queues[EXPIRY_CLASS_COUNT];
	uint32_t age;   /* anchor of the age ring */
	uint32_t swept; /* entries that expire-all or delete-all have come to */
	uint64_t clock_ns;
	uint64_t horizon_ns;  /* the clock, rounded down to the expiry interval */
	uint64_t next_due_ns; /* nothing is due before; may be too early */
	uint64_t closed_ns;   /* the latest time given to the sink */
	size_t looks_left;    /* entries that may still be looked at in vain in this call */
	uint32_t default_ingress_if;
	bool is_default_ingress_forced;
	bool is_paced;
	struct flow_sink sink;
	struct flow_cache_stats stats;
	unsigned saves; /* calls of flow_cache_save() */
	struct flow_probe probes[FLOW_PROBES];
};

static inline struct flow_entry *entry_at(const struct flow_cache *cache, uint32_t index)
{
	return &cache->table.entries[index];
}

/* The entry may change after this. Entry 0 is nobody's. */
__attribute__((always_inline)) static inline void flow_close_keep(
	const struct flow_cache *cache, uint32_t index)
{
	undo_keep(cache->table.undo, &cache->table.entries[index], sizeof(struct flow_entry));
}

/* When the flow is idle, and when its record is too old (never without an open record). */
uint64_t flow_close_idle_deadline_ns(const struct flow_cache *cache, uint32_t index);
uint64_t flow_close_life_deadline_ns(const struct flow_cache *cache, uint32_t index);

/* Has the clock reached a deadline? */
static inline bool flow_close_is_past(const struct flow_cache *cache, uint64_t deadline_ns)
{
	return deadline_ns <= cache->clock_ns && deadline_ns != EXPIRY_NEVER_NS;
}

/* Is the flow past a deadline? The cheap question, for every packet. */
static inline bool flow_close_is_due(const struct flow_cache *cache, uint32_t index)
{
	const struct flow_entry *entry = &cache->table.entries[index];

	return expiry_add_ns(entry->activity_ns,
		       cache->expiry.idle[flow_entry_class(entry)].timeout_ns) <=
		       cache->horizon_ns ||
	       cache->clock_ns - flow_entry_start_ns(entry) >= cache->expiry.maximum_life_ns;
}

/* Close what is due of this flow, for its own reasons; returns whether the entry is gone. */
bool flow_close_if_due(struct flow_cache *cache, uint32_t index);

/* Close what is due by now, in the order of the deadlines, at most *budget steps, which are
 * taken off. Returns true when nothing is left; sets .next_due_ns in either case. */
bool flow_close_due(struct flow_cache *cache, size_t *budget);

/* Free one entry: the one that is due first, else the least recently active one. */
void flow_close_for_room(struct flow_cache *cache);

/* Close the open record as at the end of its life. */
void flow_close_life(struct flow_cache *cache, uint32_t index, uint64_t now_ns);

/* End a flow now. Returns whether it had an open record, which then went to the sink. */
bool flow_close_now(struct flow_cache *cache, uint32_t index, enum end_reason reason);

/* End all flows now, by IP version and ICMP and then in the order of the table, and empty it.
 * Returns how many records. */
size_t flow_close_all(struct flow_cache *cache, enum end_reason reason);

/* Forget a flow. Returns whether it had an open record. */
bool flow_close_silently(struct flow_cache *cache, uint32_t index);

#endif
