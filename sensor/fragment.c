/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of entries, each in the chain of its hash bucket:
 *
 *     heads[hash] -> entry -> entry -> none        entries[next_place] is the oldest
 *
 * Links are indices, so the table is two allocations made once. The hash is SipHash with a
 * secret key: senders choose addresses and ids, and must not be able to choose the chain.
 */
#include "sensor/fragment.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/hash.h"

#define KEY_WORDS 5
#define NO_ENTRY UINT32_MAX

static_assert(sizeof(struct fragment_key) == KEY_WORDS * sizeof(uint64_t),
	"hashed as words: no padding");

struct entry {
	struct fragment_key key;
	struct fragment_flow flow;
	bool is_used;
	uint32_t next; /* in the same chain */
	uint64_t stamp_ns;
};

struct fragment_table {
	uint64_t hash_key[2];
	uint32_t entry_count;
	uint32_t head_mask;
	uint32_t next_place;
	uint32_t *heads;         /* behind the entries */
	const struct undo *undo; /* NULL: the memory is ours */
	struct entry entries[];
};

static uint32_t *chain_of(const struct fragment_table *table, const struct fragment_key *key)
{
	return &table->heads[fragment_key_hash(table->hash_key, key) & table->head_mask];
}

/* The link that leads to the entry of .key, or to the end of the chain. */
static uint32_t *find_link(struct fragment_table *table, const struct fragment_key *key)
{
	uint32_t *link = chain_of(table, key);
	while (*link != NO_ENTRY && memcmp(&table->entries[*link].key, key, sizeof(*key)) != 0)
		link = &table->entries[*link].next;
	return link;
}

/* Take the entry of .key, if there is one, out of its chain. */
static void forget(struct fragment_table *table, const struct fragment_key *key)
{
	uint32_t *link = find_link(table, key);
	if (*link == NO_ENTRY)
		return;
	struct entry *entry = &table->entries[*link];
	undo_keep(table->undo, entry, sizeof(*entry));
	undo_keep(table->undo, link, sizeof(*link));
	*link = entry->next;
	entry->is_used = false;
}

struct fragment_key fragment_key_of(const struct packet_meta *meta, uint32_t id)
{
	struct fragment_key key = {
		.id = id,
		.ip_version = meta->ip_version,
		.protocol = meta->ip_version == 4 ? meta->protocol : 0,
	};
	memcpy(key.source, meta->source, sizeof(key.source));
	memcpy(key.destination, meta->destination, sizeof(key.destination));
	return key;
}

uint64_t fragment_key_hash(const uint64_t hash_key[static 2], const struct fragment_key *key)
{
	uint64_t words[KEY_WORDS];

	memcpy(words, key, sizeof(words));
	return hash_words(hash_key, words, KEY_WORDS);
}

static uint32_t bounded_entries(uint32_t entries)
{
	if (entries == 0)
		return FRAGMENT_ENTRIES_DEFAULT;
	return entries > FRAGMENT_ENTRIES_MAX ? FRAGMENT_ENTRIES_MAX : entries;
}

static uint32_t head_count_for(uint32_t entries)
{
	uint32_t head_count = 1;

	while (head_count < entries)
		head_count *= 2;
	return head_count;
}

size_t fragment_table_bytes(uint32_t entries)
{
	entries = bounded_entries(entries);
	return sizeof(struct fragment_table) + (size_t)entries * sizeof(struct entry) +
	       head_count_for(entries) * sizeof(uint32_t);
}

static void set_up(struct fragment_table *table, uint32_t entries, bool is_begun)
{
	uint32_t head_count = head_count_for(entries);

	table->heads = (uint32_t *)&table->entries[entries];
	if (!is_begun)
		memset(table->heads, 0xff, head_count * sizeof(*table->heads)); /* NO_ENTRY */
	table->entry_count = entries;
	table->head_mask = head_count - 1;
}

int fragment_table_new(
	uint32_t entries, const uint64_t hash_key[static 2], struct fragment_table **ret_table)
{
	struct fragment_table *table = calloc(1, fragment_table_bytes(entries));
	if (!table)
		return -ENOMEM;
	set_up(table, bounded_entries(entries), false);
	memcpy(table->hash_key, hash_key, sizeof(table->hash_key));
	*ret_table = table;
	return 0;
}

int fragment_table_new_kept(uint32_t entries, const uint64_t hash_key[static 2],
	const struct fragment_memory *memory, struct fragment_table **ret_table)
{
	struct fragment_table *table = memory->bytes;
	/* Memory of zeroes: its process was killed before it began. */
	set_up(table, bounded_entries(entries), memory->is_begun && table->head_mask != 0);
	memcpy(table->hash_key, hash_key, sizeof(table->hash_key));
	table->undo = memory->undo;
	*ret_table = table;
	return 0;
}

void fragment_table_remember(struct fragment_table *table, const struct fragment_key *key,
	const struct fragment_flow *flow, uint64_t now_ns)
{
	uint32_t place = table->next_place;
	struct entry *entry = &table->entries[place];
	forget(table, key);
	if (entry->is_used)
		forget(table, &entry->key);
	uint32_t *head = chain_of(table, key);
	undo_keep(table->undo, entry, sizeof(*entry));
	undo_keep(table->undo, head, sizeof(*head));
	undo_keep(table->undo, &table->next_place, sizeof(table->next_place));
	*entry = (struct entry){
		.key = *key, .flow = *flow, .is_used = true, .next = *head, .stamp_ns = now_ns
	};
	*head = place;
	table->next_place = place + 1 == table->entry_count ? 0 : place + 1;
}

bool fragment_table_find(const struct fragment_table *table, const struct fragment_key *key,
	uint64_t now_ns, struct fragment_flow *ret_flow)
{
	uint32_t place = *chain_of(table, key);
	while (place != NO_ENTRY && memcmp(&table->entries[place].key, key, sizeof(*key)) != 0)
		place = table->entries[place].next;
	if (place == NO_ENTRY)
		return false;
	const struct entry *entry = &table->entries[place];
	uint64_t apart_ns =
		now_ns > entry->stamp_ns ? now_ns - entry->stamp_ns : entry->stamp_ns - now_ns;
	if (apart_ns > FRAGMENT_WINDOW_NS)
		return false;
	*ret_flow = entry->flow;
	return true;
}

void fragment_table_free(struct fragment_table *table)
{
	if (table && !table->undo)
		free(table);
}
