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
	uint32_t *heads;
	struct entry entries[];
};

static uint64_t rotate(uint64_t value, unsigned bits)
{
	return value << bits | value >> (64 - bits);
}

static void sip_round(uint64_t v[static 4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/* SipHash-1-3 over whole words. The values stay in this process; only the spread matters. */
static uint64_t hash_of(const struct fragment_table *table, const struct fragment_key *key)
{
	uint64_t words[KEY_WORDS];
	uint64_t v[4] = {
		table->hash_key[0] ^ UINT64_C(0x736f6d6570736575),
		table->hash_key[1] ^ UINT64_C(0x646f72616e646f6d),
		table->hash_key[0] ^ UINT64_C(0x6c7967656e657261),
		table->hash_key[1] ^ UINT64_C(0x7465646279746573),
	};
	memcpy(words, key, sizeof(words));
	for (unsigned i = 0; i < KEY_WORDS; i++) {
		v[3] ^= words[i];
		sip_round(v);
		v[0] ^= words[i];
	}
	v[2] ^= 0xff;
	for (unsigned i = 0; i < 3; i++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

static uint32_t *chain_of(const struct fragment_table *table, const struct fragment_key *key)
{
	return &table->heads[hash_of(table, key) & table->head_mask];
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
	*link = entry->next;
	entry->is_used = false;
}

int fragment_table_new(
	uint32_t entries, const uint64_t hash_key[static 2], struct fragment_table **ret_table)
{
	if (entries == 0)
		entries = FRAGMENT_ENTRIES_DEFAULT;
	if (entries > FRAGMENT_ENTRIES_MAX)
		entries = FRAGMENT_ENTRIES_MAX;
	uint32_t head_count = 1;
	while (head_count < entries)
		head_count *= 2;

	struct fragment_table *table =
		calloc(1, sizeof(*table) + (size_t)entries * sizeof(struct entry));
	if (!table)
		return -ENOMEM;
	table->heads = malloc(head_count * sizeof(*table->heads));
	if (!table->heads) {
		free(table);
		return -ENOMEM;
	}
	memset(table->heads, 0xff, head_count * sizeof(*table->heads)); /* NO_ENTRY */
	table->entry_count = entries;
	table->head_mask = head_count - 1;
	memcpy(table->hash_key, hash_key, sizeof(table->hash_key));
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
	if (!table)
		return;
	free(table->heads);
	free(table);
}
