/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_due.h"

#include "sensor/flow_sort.h"

#define FORESEE_FLOWS 4 /* between asking for an entry, for its slot, and closing it */

/* What is known of the front of a queue. */
struct front {
	uint64_t activity_ns; /* of .index; when that is 0: no flow's is earlier */
	uint32_t index;
};

/* -- putting in --------------------------------------------------------------------------- */

void flow_due_init(struct flow_cache *cache)
{
	struct flow_link *links = cache->table.activity;

	for (unsigned class = 0; class < EXPIRY_CLASS_COUNT; class ++) {
		struct flow_queue *queue = &cache->queues[class];
		uint32_t first = class * (FLOW_WHEEL_ANCHORS + 1);

		queue->ready = flow_table_anchor(&cache->table, first);
		flow_list_init(links, queue->ready);
		flow_wheel_init(
			&queue->wheel, links, flow_table_anchor(&cache->table, first + 1));
	}
	cache->age = flow_table_anchor(&cache->table, FLOW_DUE_ANCHORS - 1);
	flow_list_init(cache->table.age, cache->age);
}

static inline void put_in(struct flow_cache *cache, struct flow_queue *queue, uint32_t index)
{
	struct flow_entry *entry = entry_at(cache, index);

	flow_entry_set_is_touched(entry, 0);
	flow_wheel_add(&queue->wheel, cache->table.activity, index, entry->activity_ns);
}

void flow_due_add(struct flow_cache *cache, uint32_t index)
{
	put_in(cache, &cache->queues[flow_entry_class(entry_at(cache, index))], index);
}

/* -- looking ------------------------------------------------------------------------------ */

static bool may_look(struct flow_cache *cache)
{
	if (cache->looks_left == 0)
		return false;
	cache->looks_left -= cache->is_paced;
	return true;
}

static void put_in_again(struct flow_cache *cache, struct flow_queue *queue, uint32_t index)
{
	struct flow_link *links = cache->table.activity;

	__builtin_prefetch(entry_at(cache, links[index].next));
	flow_list_remove(links, index);
	put_in(cache, queue, index);
}

/* Keep in .ready who belongs to its tick, in the order of the last packets. */
static void sharpen_ready(struct flow_cache *cache, struct flow_queue *queue)
{
	struct flow_link *links = cache->table.activity;

	for (uint32_t index = links[queue->ready].next, next; index != queue->ready;
		index = next) {
		struct flow_entry *entry = entry_at(cache, index);

		next = links[index].next;
		if (flow_wheel_tick(entry->activity_ns) > queue->wheel.hand_tick)
			put_in_again(cache, queue, index);
		else
			flow_entry_set_is_touched(entry, 0);
	}
	flow_sort(links, queue->ready, cache->table.entries);
}

/* Bring the front of a queue, of which only a bound is known, one step nearer. */
static void draw_near(struct flow_cache *cache, struct flow_queue *queue)
{
	struct flow_link *links = cache->table.activity;
	struct flow_wheel_bucket bucket = flow_wheel_first(&queue->wheel, links);

	flow_wheel_turn(&queue->wheel, &bucket);
	if (!bucket.is_one_tick) {
		while (!flow_list_is_empty(links, bucket.anchor) && may_look(cache))
			put_in_again(cache, queue, flow_list_first(links, bucket.anchor));
		return;
	}
	flow_list_take(links, queue->ready, bucket.anchor);
	if (!cache->is_paced)
		sharpen_ready(cache, queue);
}

static struct front look(struct flow_cache *cache, struct flow_queue *queue)
{
	struct flow_link *links = cache->table.activity;

	for (;;) {
		uint32_t index = flow_list_first(links, queue->ready);

		if (index == queue->ready)
			break;
		if (!flow_entry_is_touched(entry_at(cache, index)))
			return (struct front){ entry_at(cache, index)->activity_ns, index };
		if (!may_look(cache))
			return (struct front){ queue->wheel.hand_tick << FLOW_WHEEL_TICK_SHIFT,
				0 };
		put_in_again(cache, queue, index);
	}
	return (struct front){ flow_wheel_first(&queue->wheel, links).time_ns, 0 };
}

/* -- deadlines ---------------------------------------------------------------------------- */

static uint64_t deadline_of(struct flow_cache *cache, unsigned class, const struct front *front)
{
	struct flow_rounding *rounding = &cache->queues[class].rounding;
	uint64_t exact_ns =
		expiry_add_ns(front->activity_ns, cache->expiry.idle[class].timeout_ns);

	if (rounding->exact_ns != exact_ns)
		*rounding = (struct flow_rounding){
			.exact_ns = exact_ns,
			.rounded_ns = expiry_round_up_ns(&cache->expiry, exact_ns),
		};
	return rounding->rounded_ns;
}

static struct flow_step next_idle(struct flow_cache *cache, unsigned *ret_class)
{
	struct flow_step step = { .deadline_ns = EXPIRY_NEVER_NS };

	for (unsigned class = 0; class < EXPIRY_CLASS_COUNT; class ++) {
		struct front front = look(cache, &cache->queues[class]);

		if (front.activity_ns == UINT64_MAX && front.index == 0)
			continue;
		uint64_t deadline_ns = deadline_of(cache, class, &front);

		if (deadline_ns < step.deadline_ns) {
			step = (struct flow_step){ deadline_ns, front.index, false };
			*ret_class = class;
		}
	}
	return step;
}

/* Of equal deadlines the idle ones come first: a flow that is over says so. */
struct flow_step flow_due_next(struct flow_cache *cache)
{
	uint32_t oldest = flow_list_first(cache->table.age, cache->age);
	struct flow_step step;
	unsigned class = 0;

	for (;;) {
		step = next_idle(cache, &class);
		if (step.index || !flow_close_is_past(cache, step.deadline_ns) ||
			cache->looks_left == 0)
			break;
		draw_near(cache, &cache->queues[class]);
	}
	if (oldest == cache->age)
		return step;
	uint64_t life_ns = flow_close_life_deadline_ns(cache, oldest);

	return life_ns < step.deadline_ns ? (struct flow_step){ life_ns, oldest, true } : step;
}

/* .steps further in the ring; the anchor stays the anchor. */
static uint32_t further(const struct flow_table *table, uint32_t index, unsigned steps)
{
	for (; steps > 0 && index <= table->capacity; steps--)
		index = table->activity[index].next;
	return index;
}

/* The slot of one whose entry was asked for some steps ago, and the entry of one further on. */
void flow_due_foresee(const struct flow_cache *cache, uint32_t index)
{
	const struct flow_table *table = &cache->table;
	uint32_t next = further(table, index, FORESEE_FLOWS);
	uint32_t later = further(table, next, FORESEE_FLOWS);

	if (next <= table->capacity)
		flow_table_prefetch_home(table, next);
	if (later > table->capacity)
		return;
	flow_table_prefetch_entry(table, later);
	__builtin_prefetch(&table->activity[later], 1);
	__builtin_prefetch(&table->age[later], 1);
}

/* -- the least recently active ------------------------------------------------------------ */

/* Somebody near the front of a queue that has looked enough. */
static uint32_t anybody(struct flow_cache *cache, struct flow_queue *queue)
{
	struct flow_link *links = cache->table.activity;
	uint32_t index = flow_list_first(links, queue->ready);

	if (index != queue->ready)
		return index;
	return flow_list_first(links, flow_wheel_first(&queue->wheel, links).anchor);
}

uint32_t flow_due_oldest(struct flow_cache *cache)
{
	for (;;) {
		struct front oldest = { .activity_ns = UINT64_MAX };
		struct flow_queue *queue = NULL;

		for (unsigned class = 0; class < EXPIRY_CLASS_COUNT; class ++) {
			struct front front = look(cache, &cache->queues[class]);
			bool is_none = front.index == 0 && front.activity_ns == UINT64_MAX;

			if (is_none || (queue && front.activity_ns >= oldest.activity_ns))
				continue;
			oldest = front;
			queue = &cache->queues[class];
		}
		if (!queue || oldest.index)
			return oldest.index;
		if (cache->looks_left == 0)
			return anybody(cache, queue);
		draw_near(cache, queue);
	}
}
