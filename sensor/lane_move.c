/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lane_move.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/flow_close.h"
#include "sensor/loop.h"
#include "sensor/stats_text.h"

#define NS_PER_MS 1000000

int lane_move_begin(struct lane_move *move, struct lane_state *const *states, unsigned count,
	const uint64_t steering_key[static 2], uint64_t last_id)
{
	int rc = 0;

	*move = (struct lane_move){
		.targets = calloc(count, sizeof(*move->targets)),
		.steering = { { steering_key[0], steering_key[1] }, count },
	};
	if (!move->targets)
		return -ENOMEM;
	for (unsigned i = 0; rc == 0 && i < count; i++) {
		struct lane_move_target *target = &move->targets[i];

		target->state = states[i];
		target->created_flows = last_id / count + 1;
		rc = flow_paths_init_kept(&target->paths,
			lane_state_region(states[i], LANE_REGION_PATHS), &states[i]->undo);
	}
	return rc;
}

/* -- flows ------------------------------------------------------------------------------ */

static uint16_t move_path(struct lane_move_target *target, const struct flow_table *from,
	uint32_t index, unsigned sender)
{
	const struct flow_path *path = flow_table_path(from, index, sender);
	struct flow_path(*own)[2] = lane_state_region(target->state, LANE_REGION_OWN_PATHS);

	if (!path)
		return FLOW_PATH_NONE;
	uint16_t number = flow_paths_take(&target->paths, path);
	if (number == FLOW_PATH_OWN)
		own[target->touched][sender] = *path;
	return number;
}

static void move_flow(
	struct lane_move_target *target, const struct flow_table *from, uint32_t index)
{
	struct flow_entry *entries = lane_state_region(target->state, LANE_REGION_ENTRIES);
	struct flow_labels *labels = lane_state_region(target->state, LANE_REGION_LABELS);
	struct flow_stack(*stacks)[2] = lane_state_region(target->state, LANE_REGION_STACKS);
	uint32_t to = ++target->touched;

	entries[to] = from->entries[index];
	flow_entry_set_flow_id(&entries[to], ++target->created_flows);
	labels[to] = from->labels[index];
	if (flow_entry_labelled(&entries[to]))
		memcpy(stacks[to], from->stacks[index], sizeof(stacks[to]));
	for (unsigned sender = 0; sender < 2; sender++)
		entries[to].path[sender] = move_path(target, from, index, sender);
}

static struct lane_move_target *target_of(struct lane_move *move, const struct flow_key *key)
{
	unsigned lane = steering_lane(
		&move->steering, key->ip_version, key->address[0], key->address[1]);

	return &move->targets[lane];
}

/* Its statistics do not say that these were thrown away. */
void lane_move_flows(struct lane_move *move, struct lane *from)
{
	struct flow_cache *cache = from->cache;
	struct flow_cache_stats *stats = &cache->stats;
	uint64_t deleted_flows = stats->deleted_flows, deleted_pkts = stats->deleted_pkts;

	for (uint32_t index = 1; index <= cache->table.touched; index++) {
		const struct flow_entry *entry = &cache->table.entries[index];
		struct lane_move_target *target;

		if (entry->key.ip_version == 0)
			continue;
		target = target_of(move, &entry->key);
		if (target->touched == target->state->head->terms.capacity)
			continue;
		move_flow(target, &cache->table, index);
		move->moved_flows += flow_close_silently(cache, index);
	}
	stats->deleted_flows = deleted_flows;
	stats->deleted_pkts = deleted_pkts;
}

/* -- books ------------------------------------------------------------------------------ */

static struct lane_saved *saved_of(const struct lane_move_target *target)
{
	return lane_state_next(target->state);
}

static void add_counters(struct lane_saved *to, const struct lane *from)
{
	struct sensor_stats sum = { .cache = to->cache.stats };
	struct sensor_stats one = { .cache = *flow_cache_stats(from->cache) };

	stats_sum_add(&sum, &one);
	to->cache.stats = sum.cache;
	to->seen_pkts += from->seen_pkts;
	to->metered_frames += from->metered_frames;
	to->exported_flows += from->exported_flows;
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		to->dropped[i] += from->dropped[i];
}

/* Times are the same for all lanes of an interface, nearly; none may go back. */
static void take_times(struct lane_saved *to, const struct lane *from)
{
	uint64_t clock_ns = flow_cache_clock_ns(from->cache);

	if (clock_ns > to->cache.clock_ns)
		to->cache.clock_ns = clock_ns;
	if (from->cache->closed_ns > to->cache.closed_ns)
		to->cache.closed_ns = from->cache->closed_ns;
	if (from->clock.now_ns > to->clock.now_ns)
		to->clock = from->clock;
	if (to->start_ns == 0 || from->start_ns < to->start_ns)
		to->start_ns = from->start_ns;
	to->boot_move_ns = from->boot_move_ns;
	to->is_paused = from->is_paused;
	to->has_begun = 1;
	/* Going on with it counts once. */
	to->restarts = from->restarts - 1;
	to->committed_ns = loop_now_ns() - from->outage_ms * NS_PER_MS;
}

void lane_move_books(struct lane_move *move, struct lane *from)
{
	add_counters(saved_of(&move->targets[0]), from);
	for (unsigned i = 0; i < move->steering.lanes; i++)
		take_times(saved_of(&move->targets[i]), from);
	if (from->number >= move->steering.lanes)
		return;
	struct lane_state *state = move->targets[from->number].state;

	collectors_save(&from->collectors, lane_state_next_exporter(state, 0));
	saved_of(&move->targets[from->number])->exporter_count =
		(uint32_t)from->collectors.count;
}

void lane_move_end(struct lane_move *move)
{
	for (unsigned i = 0; i < move->steering.lanes; i++) {
		struct lane_move_target *target = &move->targets[i];
		struct lane_saved *saved = saved_of(target);

		saved->cache.touched = target->touched;
		saved->cache.paths_touched = target->paths.touched;
		saved->cache.stats.created_flows = target->created_flows;
		flow_paths_fini(&target->paths);
		lane_state_commit(target->state);
	}
	free(move->targets);
}
