/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping, adding and removing; see the header for the layout. */
#include "sensor/flow_table.h"

#include <errno.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES (2u << 20)

/* Zeroed memory that exists once it is touched; NULL if there is no address space for it. Hot
 * arrays ask for huge pages; hosts that have none say no, which changes nothing but speed. */
static void *map_array(size_t count, size_t size, bool is_hot)
{
	size_t bytes = count * size;
	void *array = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (array == MAP_FAILED)
		return NULL;
	if (is_hot && bytes >= HUGE_PAGE_BYTES)
		(void)madvise(array, bytes, MADV_HUGEPAGE);
	return array;
}

static void unmap_array(void *array, size_t count, size_t size)
{
	if (array)
		munmap(array, count * size);
}

static uint32_t slot_count_for(uint32_t capacity)
{
	uint32_t count = 8;

	while (count < 2 * capacity)
		count *= 2;
	return count;
}

void flow_table_fini(struct flow_table *table)
{
	size_t count = (size_t)table->capacity + 1;

	unmap_array(table->slots, (size_t)table->slot_mask + 1, sizeof(*table->slots));
	unmap_array(table->entries, count, sizeof(*table->entries));
	unmap_array(table->details, count, sizeof(*table->details));
	unmap_array(table->activity, count, sizeof(*table->activity));
	unmap_array(table->age, count, sizeof(*table->age));
	unmap_array(table->stacks, count, sizeof(*table->stacks));
	*table = (struct flow_table){ 0 };
}

int flow_table_init(struct flow_table *table, uint32_t capacity, bool has_mac_key)
{
	size_t count = (size_t)capacity + 1;

	if (capacity == 0 || capacity > FLOW_TABLE_ENTRIES_MAX)
		return -EINVAL;
	*table = (struct flow_table){
		.capacity = capacity,
		.slot_mask = slot_count_for(capacity) - 1,
		.has_mac_key = has_mac_key,
	};
	table->slots = map_array((size_t)table->slot_mask + 1, sizeof(*table->slots), true);
	table->entries = map_array(count, sizeof(*table->entries), true);
	table->details = map_array(count, sizeof(*table->details), true);
	table->activity = map_array(count, sizeof(*table->activity), true);
	table->age = map_array(count, sizeof(*table->age), true);
	table->stacks = map_array(count, sizeof(*table->stacks), false);
	if (table->slots && table->entries && table->details && table->activity && table->age &&
		table->stacks)
		return 0;
	flow_table_fini(table);
	return -ENOMEM;
}

/* Freed entries first: they are in the caches, and the untouched rest stays unpaid. */
static uint32_t take_entry(struct flow_table *table)
{
	uint32_t index = table->first_free;

	if (index == 0)
		return ++table->touched;
	table->first_free = table->activity[index].next;
	return index;
}

uint32_t flow_table_add(struct flow_table *table, const struct flow_probe *probe)
{
	assert(table->used < table->capacity);
	uint32_t index = take_entry(table);
	uint32_t tag = (uint32_t)probe->hash;
	uint32_t at = tag & table->slot_mask;

	while (table->slots[at].index != 0)
		at = (at + 1) & table->slot_mask;
	table->slots[at] = (struct flow_slot){ .tag = tag, .index = index };
	table->entries[index] = (struct flow_entry){ .key = probe->key, .hash = probe->hash };
	table->details[index] = (struct flow_detail){ 0 };
	memcpy(table->details[index].mac[0], probe->mac, sizeof(probe->mac));
	memcpy(table->details[index].mac[1], probe->mac, sizeof(probe->mac));
	table->used++;
	return index;
}

/* Empty slot .hole and move back into it whoever would not be found past it. */
static void close_gap(struct flow_table *table, uint32_t hole)
{
	uint32_t mask = table->slot_mask;

	for (uint32_t at = (hole + 1) & mask; table->slots[at].index != 0;
		at = (at + 1) & mask) {
		uint32_t from_home = (at - table->slots[at].tag) & mask;
		uint32_t from_hole = (at - hole) & mask;

		if (from_home < from_hole)
			continue;
		table->slots[hole] = table->slots[at];
		hole = at;
	}
	table->slots[hole] = (struct flow_slot){ 0 };
}

void flow_table_remove(struct flow_table *table, uint32_t index)
{
	uint32_t at = (uint32_t)table->entries[index].hash & table->slot_mask;

	while (table->slots[at].index != index)
		at = (at + 1) & table->slot_mask;
	close_gap(table, at);
	table->entries[index].key.ip_version = 0;
	table->activity[index] = (struct flow_link){ .next = table->first_free };
	table->first_free = index;
	table->used--;
}
