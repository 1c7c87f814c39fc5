/* SPDX-License-Identifier: BSD-2-Clause */
/* Mapping, adding and removing; see the header for the layout. */
#include "sensor/flow_table.h"

#include <errno.h>
#include <sys/mman.h>

#define HUGE_PAGE_BYTES (2u << 20)
#define PAGE_BYTES 4096 /* the least that a host has */
#define SLOTS_MIN 8
#define UNUSED_AHEAD 8 /* so far ahead of the one that is taken, memory is asked for */
#define FLOW_LABEL_MASK 0xfffffull

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

/* Make it exist now. Random access would ask for all pages of an index at once, and packets
 * would have to wait for that. */
static void touch_array(void *array, size_t count, size_t size)
{
	volatile uint8_t *bytes = array;

	for (size_t at = 0; at < count * size; at += PAGE_BYTES)
		bytes[at] = 0;
}

static void unmap_array(void *array, size_t count, size_t size)
{
	if (array)
		munmap(array, count * size);
}

/* Four for three flows, and always one that is free. */
static uint32_t slot_count_for(uint32_t capacity)
{
	uint32_t count = capacity + (capacity + 2) / 3;

	return count < SLOTS_MIN ? SLOTS_MIN : count;
}

void flow_table_fini(struct flow_table *table)
{
	size_t count = (size_t)table->capacity + 1;
	size_t links = count + table->anchors;

	unmap_array(table->slots, table->slot_count, sizeof(*table->slots));
	unmap_array(table->activity, links, sizeof(*table->activity));
	unmap_array(table->age, links, sizeof(*table->age));
	if (!table->undo) {
		unmap_array(table->entries, count, sizeof(*table->entries));
		unmap_array(table->own_paths, count, sizeof(*table->own_paths));
		unmap_array(table->labels, count + 1, sizeof(*table->labels));
		unmap_array(table->stacks, count, sizeof(*table->stacks));
	}
	flow_paths_fini(&table->paths);
	*table = (struct flow_table){ 0 };
}

static void map_kept(struct flow_table *table, const struct flow_memory *memory)
{
	size_t count = (size_t)table->capacity + 1;

	if (memory) {
		table->undo = memory->undo;
		table->entries = memory->entries;
		table->own_paths = memory->own_paths;
		table->labels = memory->labels;
		table->stacks = memory->stacks;
		return;
	}
	table->entries = map_array(count, sizeof(*table->entries), true);
	table->own_paths = map_array(count, sizeof(*table->own_paths), false);
	table->labels = map_array(count + 1, sizeof(*table->labels), false);
	table->stacks = map_array(count, sizeof(*table->stacks), false);
}

static bool map_all(struct flow_table *table, const struct flow_memory *memory)
{
	size_t links = (size_t)table->capacity + 1 + table->anchors;

	map_kept(table, memory);
	table->slots = map_array(table->slot_count, sizeof(*table->slots), true);
	table->activity = map_array(links, sizeof(*table->activity), true);
	table->age = map_array(links, sizeof(*table->age), true);
	return table->slots && table->entries && table->activity && table->age &&
	       table->own_paths && table->labels && table->stacks;
}

static int init_paths(struct flow_paths *paths, const struct flow_memory *memory)
{
	return memory ? flow_paths_init_kept(paths, memory->path_nodes, memory->undo)
		      : flow_paths_init(paths);
}

int flow_table_init_kept(struct flow_table *table, uint32_t capacity, uint32_t anchors,
	enum track_level level, const uint64_t hash_key[static 2],
	const struct flow_memory *memory)
{
	if (capacity == 0 || capacity > FLOW_TABLE_ENTRIES_MAX)
		return -EINVAL;
	*table = (struct flow_table){
		.slot_count = slot_count_for(capacity),
		.capacity = capacity,
		.anchors = anchors,
	};
	flow_keying_init(&table->keying, level, hash_key);
	if (map_all(table, memory) && init_paths(&table->paths, memory) == 0) {
		touch_array(table->slots, table->slot_count, sizeof(*table->slots));
		return 0;
	}
	flow_table_fini(table);
	return -ENOMEM;
}

int flow_table_init(struct flow_table *table, uint32_t capacity, uint32_t anchors,
	enum track_level level, const uint64_t hash_key[static 2])
{
	return flow_table_init_kept(table, capacity, anchors, level, hash_key, NULL);
}

/* -- adding and removing ------------------------------------------------------------------ */

/* Freed entries first: they are in the caches, and the untouched rest stays unpaid. */
static uint32_t take_entry(struct flow_table *table)
{
	uint32_t index = table->first_free, next;

	if (index == 0) {
		index = ++table->touched;
		next = index + UNUSED_AHEAD;
	} else {
		next = table->first_free = table->activity[index].next;
	}
	if (next <= table->capacity)
		flow_table_prefetch_entry(table, next);
	return index;
}

uint32_t flow_table_add_at(
	struct flow_table *table, const struct flow_probe *probe, uint32_t at)
{
	assert(table->used < table->capacity && table->slots[at].index == 0);
	uint32_t index = take_entry(table);

	table->slots[at] =
		(struct flow_slot){ .tag = (uint32_t)(probe->hash >> 32), .index = index };
	struct flow_entry *entry = &table->entries[index];

	undo_keep(table->undo, &entry->key.ip_version, sizeof(entry->key.ip_version));
	entry->key = probe->key;
	memset((uint8_t *)entry + sizeof(entry->key), 0,
		offsetof(struct flow_entry, count) - sizeof(entry->key));
	table->used++;
	return index;
}

uint32_t flow_table_add(struct flow_table *table, const struct flow_probe *probe)
{
	uint32_t at = flow_table_home(table, (uint32_t)(probe->hash >> 32));

	for (unsigned probes = 1; table->slots[at].index != 0; probes++) {
		if (probes == FLOW_TABLE_PROBES_MAX)
			return 0;
		at = flow_table_next_slot(table, at);
	}
	return flow_table_add_at(table, probe, at);
}

/* Entries that have no flow may be written to: they are zero and stay so. */
bool flow_table_warm(struct flow_table *table)
{
	uint32_t first = table->warm > table->touched ? table->warm + 1 : table->touched + 1;
	uint32_t end = table->touched + FLOW_TABLE_WARM_FLOWS;
	uint32_t count = HUGE_PAGE_BYTES / sizeof(*table->entries);

	if (end > table->capacity)
		end = table->capacity;
	if (first > end)
		return false;
	if (count > end - first + 1)
		count = end - first + 1;
	touch_array(table->entries + first, count, sizeof(*table->entries));
	touch_array(table->activity + first, count, sizeof(*table->activity));
	touch_array(table->age + first, count, sizeof(*table->age));
	table->warm = first + count - 1;
	return table->warm < end;
}

uint32_t flow_table_at_home(const struct flow_table *table, const struct flow_probe *probe)
{
	return table->slots[flow_table_home(table, (uint32_t)(probe->hash >> 32))].index;
}

/* How far slot .at is behind slot .from, round the end. */
static uint32_t slots_behind(const struct flow_table *table, uint32_t at, uint32_t from)
{
	return at >= from ? at - from : at + table->slot_count - from;
}

/* Empty slot .hole and move back into it whoever would not be found past it. */
static void close_gap(struct flow_table *table, uint32_t hole)
{
	for (uint32_t at = flow_table_next_slot(table, hole); table->slots[at].index != 0;
		at = flow_table_next_slot(table, at)) {
		uint32_t home = flow_table_home(table, table->slots[at].tag);

		if (slots_behind(table, at, home) < slots_behind(table, at, hole))
			continue;
		table->slots[hole] = table->slots[at];
		hole = at;
	}
	table->slots[hole] = (struct flow_slot){ 0 };
}

static uint64_t hash_of(const struct flow_table *table, uint32_t index)
{
	const struct flow_path *path = NULL;
	struct flow_probe probe = { .key = table->entries[index].key };

	if (table->keying.level.has_mac)
		for (unsigned sender = 0; sender < 2 && !path; sender++) {
			path = flow_table_path(table, index, sender);
			if (!path)
				continue;
			memcpy(probe.mac[sender], path->source_mac, 6);
			memcpy(probe.mac[!sender], path->destination_mac, 6);
		}
	return flow_key_hash(&table->keying, &probe);
}

static uint32_t slot_of(const struct flow_table *table, uint32_t index)
{
	uint32_t at = flow_table_home(table, (uint32_t)(hash_of(table, index) >> 32));

	while (table->slots[at].index != index)
		at = flow_table_next_slot(table, at);
	return at;
}

void flow_table_remove(struct flow_table *table, uint32_t index)
{
	struct flow_entry *entry = &table->entries[index];

	close_gap(table, slot_of(table, index));
	for (unsigned sender = 0; sender < 2; sender++)
		flow_paths_drop(&table->paths, entry->path[sender]);
	entry->key.ip_version = 0;
	table->activity[index].next = table->first_free;
	table->first_free = index;
	table->used--;
}

/* Zero again, whether it was touched or not, without touching what was not. */
static void forget_array(void *array, size_t count, size_t size, int advice)
{
	size_t bytes = count * size;

	if (madvise(array, bytes, advice) != 0)
		memset(array, 0, bytes);
}

void flow_table_clear(struct flow_table *table)
{
	flow_paths_clear(&table->paths);
	forget_array(table->slots, table->slot_count, sizeof(*table->slots), MADV_DONTNEED);
	/* Of a file, dropping our pages is not enough: the file has them. */
	forget_array(table->entries, (size_t)table->capacity + 1, sizeof(*table->entries),
		table->undo ? MADV_REMOVE : MADV_DONTNEED);
	table->used = table->touched = table->warm = table->first_free = 0;
}

/* -- paths, labels ------------------------------------------------------------------------ */

void flow_table_change_path(
	struct flow_table *table, uint32_t index, unsigned sender, const struct flow_path *path)
{
	struct flow_entry *entry = &table->entries[index];
	uint16_t before = entry->path[sender];

	entry->path[sender] = flow_paths_take(&table->paths, path);
	if (entry->path[sender] == FLOW_PATH_OWN) {
		undo_keep(table->undo, &table->own_paths[index][sender], sizeof(*path));
		table->own_paths[index][sender] = *path;
	}
	if (before != FLOW_PATH_NONE)
		flow_paths_drop(&table->paths, before);
}

bool flow_table_has_macs(
	const struct flow_table *table, uint32_t index, const struct flow_probe *probe)
{
	unsigned sender = table->entries[index].path[0] == FLOW_PATH_NONE;
	const struct flow_path *path = flow_table_path(table, index, sender);

	return memcmp(path->source_mac, probe->mac[sender], 6) == 0 &&
	       memcmp(path->destination_mac, probe->mac[!sender], 6) == 0;
}

static inline unsigned label_shift(unsigned sender)
{
	return sender ? 20 : 0;
}

/* Eight octets from the flow's own five on: there is room for that behind the last flow. */
static inline uint64_t load_labels(const struct flow_table *table, uint32_t index)
{
	uint64_t word;

	memcpy(&word, &table->labels[index], sizeof(word));
	return le64toh(word);
}

uint32_t flow_table_label(const struct flow_table *table, uint32_t index, unsigned sender)
{
	return load_labels(table, index) >> label_shift(sender) & FLOW_LABEL_MASK;
}

void flow_table_set_label(
	struct flow_table *table, uint32_t index, unsigned sender, uint32_t label)
{
	uint64_t word = load_labels(table, index);

	word &= ~(FLOW_LABEL_MASK << label_shift(sender));
	word |= (label & FLOW_LABEL_MASK) << label_shift(sender);
	word = htole64(word);
	undo_keep(table->undo, &table->labels[index], sizeof(word));
	memcpy(&table->labels[index], &word, sizeof(word));
}

/* -- going on with what another process has left ------------------------------------------ */

/* Near enough to the home of .tag; a taken one when there is none. */
static uint32_t find_free_slot(const struct flow_table *table, uint32_t tag)
{
	uint32_t at = flow_table_home(table, tag);

	for (unsigned probes = 1; table->slots[at].index != 0; probes++) {
		if (probes == FLOW_TABLE_PROBES_MAX)
			break;
		at = flow_table_next_slot(table, at);
	}
	return at;
}

static int take_in(struct flow_table *table, uint32_t index)
{
	const struct flow_entry *entry = &table->entries[index];
	uint32_t tag = (uint32_t)(hash_of(table, index) >> 32);
	uint32_t at = find_free_slot(table, tag);

	if (table->slots[at].index != 0)
		return -EAGAIN;
	table->slots[at] = (struct flow_slot){ .tag = tag, .index = index };
	table->used++;
	for (unsigned sender = 0; sender < 2; sender++)
		flow_paths_count(&table->paths, entry->path[sender]);
	return 0;
}

int flow_table_adopt(struct flow_table *table, uint32_t touched, uint16_t paths_touched)
{
	int outcome = 0;

	table->touched = touched;
	flow_paths_recount(&table->paths, paths_touched);
	for (uint32_t index = touched; outcome == 0 && index > 0; index--) {
		if (table->entries[index].key.ip_version != 0) {
			outcome = take_in(table, index);
			continue;
		}
		table->activity[index].next = table->first_free;
		table->first_free = index;
	}
	flow_paths_recounted(&table->paths);
	return outcome;
}
