/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Deadlines and endings. An ending has up to two steps: the record is closed (composed,
 * tallied, handed to the sink), and the entry is dropped. Only the lifetime takes the first
 * step alone.
 */
#include "sensor/flow_close.h"

#include "sensor/flow_compose.h"
#include "sensor/flow_tally.h"

/* A step that is due: an idle flow, or a record at the end of its life. */
struct due_step {
	uint64_t deadline_ns;
	uint32_t index; /* 0: nothing will ever be due */
	bool is_life;
};

static inline struct flow_entry *entry_at(const struct flow_cache *cache, uint32_t index)
{
	return &cache->table.entries[index];
}

static uint64_t idle_since_ns(const struct flow_cache *cache, uint32_t index)
{
	const struct flow_entry *entry = entry_at(cache, index);

	return expiry_add_ns(entry->activity_ns, cache->expiry.idle[entry->class].timeout_ns);
}

uint64_t flow_close_idle_deadline_ns(const struct flow_cache *cache, uint32_t index)
{
	return expiry_round_up_ns(&cache->expiry, idle_since_ns(cache, index));
}

uint64_t flow_close_life_deadline_ns(const struct flow_cache *cache, uint32_t index)
{
	const struct flow_entry *entry = entry_at(cache, index);

	if (!entry->seen)
		return EXPIRY_NEVER_NS;
	return expiry_add_ns(entry->start_ns, cache->expiry.maximum_life_ns);
}

/* -- endings -------------------------------------------------------------------------- */

static void unlist_record(struct flow_cache *cache, uint32_t index)
{
	flow_list_remove(&cache->age, cache->table.age, index);
	entry_at(cache, index)->seen = 0;
	cache->stats.active_flows--;
}

static void close_record(
	struct flow_cache *cache, uint32_t index, enum end_reason reason, uint64_t now_ns)
{
	struct flow_record record;

	flow_compose(&cache->table, index, &record);
	record.end_reason = end_reasons[reason].flow_end;
	flow_tally_expired(&cache->stats, &record, reason);
	unlist_record(cache, index);
	if (cache->closed_ns < now_ns)
		cache->closed_ns = now_ns;
	cache->sink.record(cache->sink.user, &record, cache->closed_ns);
}

static void close_life(struct flow_cache *cache, uint32_t index, uint64_t deadline_ns)
{
	entry_at(cache, index)->is_continued = true;
	close_record(cache, index, END_MAXLIFE, deadline_ns);
}

static void drop_entry(struct flow_cache *cache, uint32_t index)
{
	struct flow_list *list = &cache->activity[entry_at(cache, index)->class];

	flow_list_remove(list, cache->table.activity, index);
	flow_table_remove(&cache->table, index);
}

static bool end_flow(
	struct flow_cache *cache, uint32_t index, enum end_reason reason, uint64_t now_ns)
{
	bool is_open = entry_at(cache, index)->seen;

	if (is_open)
		close_record(cache, index, reason, now_ns);
	drop_entry(cache, index);
	return is_open;
}

static void end_idle(struct flow_cache *cache, uint32_t index, uint64_t deadline_ns)
{
	enum end_reason reason = cache->expiry.idle[entry_at(cache, index)->class].reason;

	end_flow(cache, index, reason, deadline_ns);
}

/* -- what is due ---------------------------------------------------------------------- */

static uint64_t head_deadline_ns(struct flow_cache *cache, unsigned class)
{
	struct flow_rounding *rounding = &cache->rounding[class];
	uint64_t exact_ns = idle_since_ns(cache, cache->activity[class].head);

	if (rounding->exact_ns != exact_ns)
		*rounding = (struct flow_rounding){
			.exact_ns = exact_ns,
			.rounded_ns = expiry_round_up_ns(&cache->expiry, exact_ns),
		};
	return rounding->rounded_ns;
}

/* Of equal deadlines the idle ones come first: a flow that is over says so. */
static struct due_step next_step(struct flow_cache *cache)
{
	struct due_step step = { .deadline_ns = EXPIRY_NEVER_NS };

	for (unsigned class = 0; class < EXPIRY_CLASS_COUNT; class ++) {
		uint32_t head = cache->activity[class].head;

		if (head == 0)
			continue;
		uint64_t deadline_ns = head_deadline_ns(cache, class);

		if (deadline_ns < step.deadline_ns)
			step = (struct due_step){ deadline_ns, head, false };
	}
	if (cache->age.head) {
		uint64_t deadline_ns = flow_close_life_deadline_ns(cache, cache->age.head);

		if (deadline_ns < step.deadline_ns)
			step = (struct due_step){ deadline_ns, cache->age.head, true };
	}
	return step;
}

static void take_step(struct flow_cache *cache, const struct due_step *step)
{
	if (step->is_life)
		close_life(cache, step->index, step->deadline_ns);
	else
		end_idle(cache, step->index, step->deadline_ns);
}

bool flow_close_due(struct flow_cache *cache, size_t *budget)
{
	for (;;) {
		struct due_step step = next_step(cache);
		bool is_due = step.index && step.deadline_ns <= cache->clock_ns;

		if (!is_due || *budget == 0) {
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
		close_life(cache, index, life_ns);
	if (idle_ns > cache->clock_ns)
		return false;
	end_idle(cache, index, idle_ns);
	return true;
}

/* -- the least recently active -------------------------------------------------------- */

uint32_t flow_close_oldest(const struct flow_cache *cache)
{
	uint32_t oldest = 0;

	for (unsigned class = 0; class < EXPIRY_CLASS_COUNT; class ++) {
		uint32_t head = cache->activity[class].head;

		if (head == 0)
			continue;
		if (oldest == 0 || entry_at(cache, head)->activity_ns <
					   entry_at(cache, oldest)->activity_ns)
			oldest = head;
	}
	return oldest;
}

bool flow_close_now(struct flow_cache *cache, uint32_t index, enum end_reason reason)
{
	uint64_t closed_flows = cache->stats.expired_flows;

	if (!flow_close_if_due(cache, index))
		end_flow(cache, index, reason, cache->clock_ns);
	return cache->stats.expired_flows != closed_flows;
}

void flow_close_for_room(struct flow_cache *cache)
{
	struct due_step step = next_step(cache);

	if (step.index && step.deadline_ns <= cache->clock_ns)
		take_step(cache, &step);
	if (cache->table.used == cache->table.capacity)
		flow_close_now(cache, flow_close_oldest(cache), END_OVERFLOWS);
}

bool flow_close_silently(struct flow_cache *cache, uint32_t index)
{
	bool is_open = entry_at(cache, index)->seen;

	if (is_open) {
		struct flow_record record;

		flow_compose(&cache->table, index, &record);
		flow_tally_deleted(&cache->stats, &record);
		unlist_record(cache, index);
	}
	drop_entry(cache, index);
	return is_open;
}
