/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries say all about their flows but the order in which they are due, and that follows from
 * their times: each goes into the wheel of its class by its last packet, and those with an open
 * record into the age ring by their beginning.
 */
#include "sensor/flow_adopt.h"

#include <errno.h>
#include <stdlib.h>

#include "sensor/flow_due.h"

struct aged {
	uint64_t start_ns;
	uint32_t index;
};

static int compare_age(const void *a, const void *b)
{
	uint64_t x = ((const struct aged *)a)->start_ns, y = ((const struct aged *)b)->start_ns;

	return (x > y) - (x < y);
}

static size_t collect_open(const struct flow_cache *cache, struct aged *aged)
{
	const struct flow_table *table = &cache->table;
	size_t count = 0;

	for (uint32_t index = 1; index <= table->touched; index++) {
		const struct flow_entry *entry = entry_at(cache, index);

		if (entry->key.ip_version != 0 && flow_entry_seen(entry))
			aged[count++] = (struct aged){ flow_entry_start_ns(entry), index };
	}
	return count;
}

static int fill_age_ring(struct flow_cache *cache)
{
	struct aged *aged = calloc((size_t)cache->table.used + 1, sizeof(*aged));

	if (!aged)
		return -ENOMEM;
	size_t count = collect_open(cache, aged);

	qsort(aged, count, sizeof(*aged), compare_age);
	for (size_t i = 0; i < count; i++)
		flow_list_append(cache->table.age, cache->age, aged[i].index);
	cache->stats.active_flows = count;
	free(aged);
	return 0;
}

static void fill_queues(struct flow_cache *cache)
{
	for (uint32_t index = 1; index <= cache->table.touched; index++)
		if (entry_at(cache, index)->key.ip_version != 0)
			flow_due_add(cache, index);
}

int flow_adopt(struct flow_cache *cache, const struct flow_cache_saved *saved)
{
	int outcome =
		flow_table_adopt(&cache->table, saved->touched, (uint16_t)saved->paths_touched);

	if (outcome)
		return outcome;
	cache->stats = saved->stats;
	cache->clock_ns = saved->clock_ns;
	cache->closed_ns = saved->closed_ns;
	cache->horizon_ns = expiry_round_down_ns(&cache->expiry, cache->clock_ns);
	cache->next_due_ns = 0; /* not known: look */
	fill_queues(cache);
	return fill_age_ring(cache);
}

/* Nothing of what is by protocol changes while no record ends, and it is most of all. */
void flow_cache_save(struct flow_cache *cache, struct flow_cache_saved *to)
{
	bool is_same =
		cache->saves >= 2 && to->stats.expired_flows == cache->stats.expired_flows;

	cache->saves += cache->saves < 2;
	to->clock_ns = cache->clock_ns;
	to->closed_ns = cache->closed_ns;
	to->touched = cache->table.touched;
	to->paths_touched = cache->table.paths.touched;
	memcpy(&to->stats, &cache->stats,
		is_same ? offsetof(struct flow_cache_stats, by_protocol)
			: sizeof(cache->stats));
}
