/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines and endings. An ending has up to two steps: the record is closed (composed,
 * tallied, handed to the sink), and the entry is dropped. Only the lifetime takes the first
 * step alone.
 */
#include "sensor/flow_close.h"

#include "sensor/flow_compose.h"
#include "sensor/flow_due.h"
#include "sensor/flow_tally.h"

static uint64_t idle_since_ns(const struct flow_cache *cache, uint32_t index)
{
	const struct flow_entry *entry = entry_at(cache, index);

	return expiry_add_ns(
		entry->activity_ns, cache->expiry.idle[flow_entry_class(entry)].timeout_ns);
}

uint64_t flow_close_idle_deadline_ns(const struct flow_cache *cache, uint32_t index)
{
	return expiry_round_up_ns(&cache->expiry, idle_since_ns(cache, index));
}

uint64_t flow_close_life_deadline_ns(const struct flow_cache *cache, uint32_t index)
{
	const struct flow_entry *entry = entry_at(cache, index);

	if (!flow_entry_seen(entry))
		return EXPIRY_NEVER_NS;
	return expiry_add_ns(flow_entry_start_ns(entry), cache->expiry.maximum_life_ns);
}

/* -- endings -------------------------------------------------------------------------- */

static void unlist_record(struct flow_cache *cache, uint32_t index)
{
	flow_list_remove(cache->table.age, index);
	flow_entry_set_seen(entry_at(cache, index), 0);
	cache->stats.active_flows--;
}

/* Compose, tally, hand out. The record is open no more, but for its place in the age ring. */
static void hand_out(
	struct flow_cache *cache, uint32_t index, enum end_reason reason, uint64_t now_ns)
{
	struct flow_record record;

	flow_compose(&cache->table, index, &record);
	record.end_reason = end_reasons[reason].flow_end;
	flow_tally_expired(&cache->stats, &record, reason);
	if (cache->closed_ns < now_ns)
		cache->closed_ns = now_ns;
	cache->sink.record(cache->sink.user, &record, cache->closed_ns);
}

static void close_record(
	struct flow_cache *cache, uint32_t index, enum end_reason reason, uint64_t now_ns)
{
	hand_out(cache, index, reason, now_ns);
	unlist_record(cache, index);
}

void flow_close_life(struct flow_cache *cache, uint32_t index, uint64_t now_ns)
{
	flow_close_keep(cache, index);
	flow_entry_set_is_continued(entry_at(cache, index), true);
	close_record(cache, index, END_MAXLIFE, now_ns);
}

static void drop_entry(struct flow_cache *cache, uint32_t index)
{
	flow_list_remove(cache->table.activity, index);
	flow_table_remove(&cache->table, index);
}

static bool end_flow(
	struct flow_cache *cache, uint32_t index, enum end_reason reason, uint64_t now_ns)
{
	bool is_open = flow_entry_seen(entry_at(cache, index));

	flow_close_keep(cache, index);
	if (is_open)
		close_record(cache, index, reason, now_ns);
	drop_entry(cache, index);
	return is_open;
}

static void end_idle(struct flow_cache *cache, uint32_t index, uint64_t deadline_ns)
{
	enum end_reason reason =
		cache->expiry.idle[flow_entry_class(entry_at(cache, index))].reason;

	flow_due_foresee(cache, index);
	end_flow(cache, index, reason, deadline_ns);
}

/* -- what is due ---------------------------------------------------------------------- */

static void take_step(struct flow_cache *cache, const struct flow_step *step)
{
	if (step->is_life)
		flow_close_life(cache, step->index, step->deadline_ns);
	else
		end_idle(cache, step->index, step->deadline_ns);
}

bool flow_close_due(struct flow_cache *cache, size_t *budget)
{
	for (;;) {
		struct flow_step step = flow_due_next(cache);
		bool is_due = flow_close_is_past(cache, step.deadline_ns);

		if (!is_due || step.index == 0 || *budget == 0) {
			cache->next_due_ns = step.deadline_ns;
			return !is_due;
		}
		take_step(cache, &step);
		(*budget)--;
	}
}

bool flow_close_if_due(struct flow_cache *cache, uint32_t index)
{
	uint64_t idle_ns = flow_close_idle_deadline_ns(cache, index);
	uint64_t life_ns = flow_close_life_deadline_ns(cache, index);

	if (life_ns <= cache->clock_ns && life_ns < idle_ns)
		flow_close_life(cache, index, life_ns);
	if (idle_ns > cache->clock_ns)
		return false;
	end_idle(cache, index, idle_ns);
	return true;
}

/* -- for other reasons ------------------------------------------------------------------ */

bool flow_close_now(struct flow_cache *cache, uint32_t index, enum end_reason reason)
{
	uint64_t closed_flows = cache->stats.expired_flows;

	if (!flow_close_if_due(cache, index))
		end_flow(cache, index, reason, cache->clock_ns);
	return cache->stats.expired_flows != closed_flows;
}

/* What decides the length of a record in a message. */
static inline unsigned kind_of(const struct flow_key *key)
{
	return (key->ip_version == 6) | (unsigned)flow_key_is_icmp(key) << 1;
}

/* Hand out the open records of one kind; returns a mask of the kinds that there are. */
static unsigned close_kind(struct flow_cache *cache, unsigned kind, enum end_reason reason)
{
	unsigned kinds = 0;
	bool may_be_due = cache->clock_ns >= cache->next_due_ns;

	for (uint32_t index = 1; index <= cache->table.touched; index++) {
		const struct flow_entry *entry = entry_at(cache, index);

		if (entry->key.ip_version == 0 || !flow_entry_seen(entry))
			continue;
		unsigned its_kind = kind_of(&entry->key);

		kinds |= 1u << its_kind;
		if (its_kind != kind)
			continue;
		if (may_be_due && flow_close_is_due(cache, index))
			flow_close_now(cache, index, reason);
		else
			hand_out(cache, index, reason, cache->clock_ns);
	}
	return kinds;
}

/* Open records alone go out; all else is forgotten with the table. One kind after the other:
 * messages of one length are sent many at a time. */
size_t flow_close_all(struct flow_cache *cache, enum end_reason reason)
{
	uint64_t closed_flows = cache->stats.expired_flows;
	unsigned kinds = close_kind(cache, 0, reason) & ~1u;

	for (; kinds; kinds &= kinds - 1)
		close_kind(cache, (unsigned)__builtin_ctz(kinds), reason);
	flow_table_clear(&cache->table);
	flow_due_init(cache);
	cache->stats.active_flows = 0;
	return cache->stats.expired_flows - closed_flows;
}

void flow_close_for_room(struct flow_cache *cache)
{
	if (cache->clock_ns >= cache->next_due_ns) {
		struct flow_step step = flow_due_next(cache);

		if (step.index && flow_close_is_past(cache, step.deadline_ns))
			take_step(cache, &step);
	}
	if (cache->table.used == cache->table.capacity)
		flow_close_now(cache, flow_due_oldest(cache), END_OVERFLOWS);
}

bool flow_close_silently(struct flow_cache *cache, uint32_t index)
{
	bool is_open = flow_entry_seen(entry_at(cache, index));

	flow_close_keep(cache, index);
	if (is_open) {
		struct flow_record record;

		flow_compose(&cache->table, index, &record);
		flow_tally_deleted(&cache->stats, &record);
		unlist_record(cache, index);
	}
	drop_entry(cache, index);
	return is_open;
}
