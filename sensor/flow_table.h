/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of the flow cache: an open-addressed index of 8-byte slots over a slab of entries.
 *
 *   slots    {hash tag, entry index}, at most three quarters full; linear probing, so that a
 *            look-up mostly reads one cache line; removal closes the gap, no tombstones
 *   entries  128 bytes each (flow_entry.h)
 *   activity, age  links of the expiry's rings, 8 bytes each (flow_list.h)
 *   labels   IPv6 flow labels, 5 bytes, touched for flows that have them alone
 *   stacks   MPLS labels, likewise
 *   paths    what is below IP, kept once for all flows that share it (flow_path.h)
 *
 * That is 155 bytes for a flow when the table is full, 160 with flow labels. All arrays are
 * mapped at their full size once. The slots exist from the start; the rest is filled by the
 * kernel when it is first touched (a lane that has nothing to do is a little ahead of that): a
 * large maximum costs little until it is used, and nothing is ever grown, moved or allocated
 * while packets come. Entry 0 is not used; index 0 means none.
 *
 * The table finds, adds and removes; what an entry means is the business of the cache.
 */
#ifndef SENSOR_FLOW_TABLE_H
#define SENSOR_FLOW_TABLE_H

#include <stddef.h>
#include <string.h>

#include "sensor/flow_entry.h"
#include "sensor/flow_list.h"
#include "sensor/flow_path.h"
#include "sensor/meta.h"

#define FLOW_TABLE_ENTRIES_MAX (1u << 28)

/* No flow is so far from its home, and no look-up goes so far. In a full table of random tags
 * the farthest of ten million flows is some 430 slots away: only who knows the hash key gets
 * here. */
#define FLOW_TABLE_PROBES_MAX 1024
#define FLOW_TABLE_NO_SLOT UINT32_MAX

struct flow_slot {
	uint32_t tag;   /* upper half of the hash; its share of 2^32 says where home is, too */
	uint32_t index; /* 0: free */
};

struct flow_stack {
	uint8_t count;
	uint32_t label[META_MPLS_MAX];
};

struct flow_labels {
	uint8_t bytes[5]; /* 20 bits for each endpoint */
};

struct flow_table {
	struct flow_slot *slots;
	struct flow_entry *entries;
	struct flow_link *activity; /* of a free entry: .next is the next free one */
	struct flow_link *age;
	uint32_t slot_count;
	uint32_t capacity; /* entries that may be in use */
	uint32_t used;
	uint32_t touched; /* entries 1 to .touched have been in use */
	uint32_t warm;    /* memory was made to exist up to this one; may be behind .touched */
	uint32_t first_free; /* of these, by activity[].next */
	struct flow_keying keying;
	struct flow_paths paths;
	struct flow_path (*own_paths)[2]; /* of flows whose path has no number */
	struct flow_labels *labels;
	struct flow_stack (*stacks)[2];
	uint32_t anchors;        /* links behind those of the entries, in both arrays */
	const struct undo *undo; /* of the arrays that are kept; NULL: all are ours */
};

/* Arrays that outlive the process, of capacity + 1 members (labels: one more), zeroed before
 * their first use. The other arrays can be filled again from these. */
struct flow_memory {
	struct flow_entry *entries;
	struct flow_labels *labels;
	struct flow_stack (*stacks)[2];
	struct flow_path (*own_paths)[2];
	struct flow_path_node *path_nodes; /* FLOW_PATHS_MAX + 1 */
	const struct undo *undo;
};

/* .anchors: how many links beside those of the entries the rings need; they are .activity and
 * .age from flow_table_anchor() on. 0, -EINVAL (capacity) or -ENOMEM. */
int flow_table_init(struct flow_table *table, uint32_t capacity, uint32_t anchors,
	enum track_level level, const uint64_t hash_key[static 2]);
void flow_table_fini(struct flow_table *table); /* of zeroes is fine */

/* The same over memory that is kept; the arrays are borrowed, with .memory->undo. */
int flow_table_init_kept(struct flow_table *table, uint32_t capacity, uint32_t anchors,
	enum track_level level, const uint64_t hash_key[static 2],
	const struct flow_memory *memory);

/*
 * Take in the flows that the kept memory has: entries 1 to .touched and paths 1 to
 * .paths_touched may be in use. Their links are in no ring. 0, or -EAGAIN when the slots of so
 * many of them are near each other that one could not be found again: try another hash key.
 */
int flow_table_adopt(struct flow_table *table, uint32_t touched, uint16_t paths_touched);

static inline uint32_t flow_table_anchor(const struct flow_table *table, uint32_t number)
{
	return table->capacity + 1 + number;
}

/* Put a flow that is not in it into the table, which must not be full. What the entry has
 * between key and counts is zero, the counts are anything, the links are in no ring. 0: there
 * is no free slot near enough to its home; take flow_table_at_home() out, and try again. */
uint32_t flow_table_add(struct flow_table *table, const struct flow_probe *probe);

/* The same for who knows where a look-up ended, with nothing added or removed since. */
uint32_t flow_table_add_at(
	struct flow_table *table, const struct flow_probe *probe, uint32_t at);

/*
 * Make memory exist for entries that will be in use next, about 2 MiB of it in a call, until
 * those that the next FLOW_TABLE_WARM_FLOWS new flows need are there. True when there is more
 * to do. For when there is nothing else to do: the host may have to look for that memory, and
 * packets would wait meanwhile.
 */
#define FLOW_TABLE_WARM_FLOWS (1u << 17)
bool flow_table_warm(struct flow_table *table);

/* The entry in the flow's home slot. */
uint32_t flow_table_at_home(const struct flow_table *table, const struct flow_probe *probe);

/* The links must be in no ring any more. */
void flow_table_remove(struct flow_table *table, uint32_t index);

/* Remove all flows at once. Their links are forgotten. */
void flow_table_clear(struct flow_table *table);

/* -- what few flows have, or flows share ------------------------------------------------ */

/* The path of what .sender sent in this record or the one before, or NULL. */
static inline const struct flow_path *flow_table_path(
	const struct flow_table *table, uint32_t index, unsigned sender)
{
	uint16_t number = table->entries[index].path[sender];

	if (number == FLOW_PATH_NONE)
		return NULL;
	if (number == FLOW_PATH_OWN)
		return &table->own_paths[index][sender];
	return &table->paths.nodes[number].path;
}

/* Its path from here on, whatever it was before. */
void flow_table_change_path(struct flow_table *table, uint32_t index, unsigned sender,
	const struct flow_path *path);

/* The same, quick for who had none and has the last one that was asked for. */
static inline void flow_table_set_path(
	struct flow_table *table, uint32_t index, unsigned sender, const struct flow_path *path)
{
	uint16_t *number = &table->entries[index].path[sender];

	if (*number == FLOW_PATH_NONE && flow_paths_is_last(&table->paths, path))
		*number = flow_paths_take_last(&table->paths);
	else
		flow_table_change_path(table, index, sender, path);
}

uint32_t flow_table_label(const struct flow_table *table, uint32_t index, unsigned sender);
void flow_table_set_label(
	struct flow_table *table, uint32_t index, unsigned sender, uint32_t label);

/* -- looking up --------------------------------------------------------------------------- */

static inline uint32_t flow_table_home(const struct flow_table *table, uint32_t tag)
{
	return (uint32_t)((uint64_t)tag * table->slot_count >> 32);
}

static inline uint32_t flow_table_next_slot(const struct flow_table *table, uint32_t at)
{
	return at + 1 == table->slot_count ? 0 : at + 1;
}

static inline void flow_table_prefetch_slot(const struct flow_table *table, uint64_t hash)
{
	__builtin_prefetch(&table->slots[flow_table_home(table, (uint32_t)(hash >> 32))]);
}

/* The first entry whose tag fits, 0 if none: a guess for prefetching. */
static inline uint32_t flow_table_guess(const struct flow_table *table, uint64_t hash)
{
	uint32_t tag = (uint32_t)(hash >> 32), at = flow_table_home(table, tag);

	for (unsigned i = 0; i < FLOW_TABLE_PROBES_MAX; i++) {
		struct flow_slot slot = table->slots[at];

		if (slot.index == 0 || slot.tag == tag)
			return slot.index;
		at = flow_table_next_slot(table, at);
	}
	return 0;
}

static inline void flow_table_prefetch_entry(const struct flow_table *table, uint32_t index)
{
	const char *entry = (const char *)&table->entries[index];

	__builtin_prefetch(entry, 1);
	__builtin_prefetch(entry + 64, 1);
}

/* Ask for the slot of an entry. At the level whose keys have MACs it is another one, which
 * costs nothing but time. (The compiler drops calls of functions that only prefetch.) */
__attribute__((always_inline)) static inline void flow_table_prefetch_home(
	const struct flow_table *table, uint32_t index)
{
	struct flow_probe probe = { .key = table->entries[index].key };

	flow_table_prefetch_slot(table, flow_key_hash(&table->keying, &probe));
}

/* The MAC addresses that are part of the key, at the level that has them. */
bool flow_table_has_macs(
	const struct flow_table *table, uint32_t index, const struct flow_probe *probe);

static inline bool flow_table_matches(
	const struct flow_table *table, uint32_t index, const struct flow_probe *probe)
{
	return flow_key_equal(&table->entries[index].key, &probe->key) &&
	       (!table->keying.level.has_mac || flow_table_has_macs(table, index, probe));
}

/* The flow's entry, 0 if there is none. *ret_at: the slot at which the look-up ended; a free
 * one or FLOW_TABLE_NO_SLOT when there is no such flow. */
static inline uint32_t flow_table_look_up(
	const struct flow_table *table, const struct flow_probe *probe, uint32_t *ret_at)
{
	uint32_t tag = (uint32_t)(probe->hash >> 32), at = flow_table_home(table, tag);

	for (unsigned i = 0; i < FLOW_TABLE_PROBES_MAX; i++) {
		struct flow_slot slot = table->slots[at];

		if (slot.index == 0 ||
			(slot.tag == tag && flow_table_matches(table, slot.index, probe))) {
			*ret_at = at;
			return slot.index;
		}
		at = flow_table_next_slot(table, at);
	}
	*ret_at = FLOW_TABLE_NO_SLOT;
	return 0;
}

static inline uint32_t flow_table_find(
	const struct flow_table *table, const struct flow_probe *probe)
{
	uint32_t at;

	return flow_table_look_up(table, probe, &at);
}

#endif
