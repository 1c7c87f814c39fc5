/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The memory of the flow cache: an open-addressed index of 8-byte slots over a slab of entries.
 *
 *   slots    {hash tag, entry index}, a power of two, at most half full; linear probing, so
 * that a look-up nearly always reads one cache line; removal closes the gap, no tombstones
 *   entries  128 bytes each: what every packet of a flow reads or writes
 *   details  64 bytes each: what the first packet of a direction leaves for the record
 *   activity, age  links of the expiry lists (flow_list.h)
 *   stacks   MPLS labels, touched for flows that have labels alone
 *
 * All arrays are mapped at their full size once and filled by the kernel when they are first
 * touched: a large maximum costs nothing until it is used, and nothing is ever grown, moved or
 * allocated while packets come. Entry 0 is not used; index 0 means none.
 *
 * The table finds, adds and removes; what an entry means is the business of the cache.
 */
#ifndef SENSOR_FLOW_TABLE_H
#define SENSOR_FLOW_TABLE_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sensor/flow_key.h"
#include "sensor/flow_list.h"
#include "sensor/meta.h"

#define FLOW_TABLE_ENTRIES_MAX (1u << 28)

struct flow_slot {
	uint32_t tag;   /* lower half of the hash; says where the slot's home is, too */
	uint32_t index; /* 0: free */
};

/* Numbers are by endpoint: [e] is what endpoint e sent. Bits of a mask: 1 << e. */
struct flow_entry {
	struct flow_key key; /* .ip_version is 0 in a free entry */
	uint64_t hash;
	uint64_t packets[2];
	uint64_t octets[2];
	uint64_t last_ns[2];  /* latest stamp */
	uint64_t activity_ns; /* lane clock at the last packet */
	uint64_t start_ns;    /* lane clock when the record began */
	uint16_t tcp_flags[2];
	uint16_t vlan_id[2];
	uint8_t tos[2];
	uint8_t min_ttl[2];
	uint8_t max_ttl[2];
	uint16_t class : 3;              /* enum expiry_class: which activity list it is in */
	uint16_t initiator : 1;          /* the endpoint that began */
	uint16_t is_initiator_known : 1; /* a SYN said so */
	uint16_t is_continued : 1;       /* a record of this flow was closed by its lifetime */
	uint16_t seen : 2;               /* mask: who sent something; 0: no record is open */
	uint16_t outgoing : 2;           /* mask: first packet was sent by this host */
	uint16_t labelled : 2;           /* mask: there is an MPLS stack */
};
static_assert(sizeof(struct flow_entry) == 128, "two cache lines");

struct flow_detail {
	uint64_t flow_id;
	uint64_t first_ns[2]; /* earliest stamp */
	uint32_t ingress_if[2];
	uint32_t flow_label[2];
	uint8_t mac[2][2][6]; /* [sender][endpoint] */
};
static_assert(sizeof(struct flow_detail) == 64, "one cache line");

struct flow_stack {
	uint8_t count;
	uint32_t label[META_MPLS_MAX];
};

struct flow_table {
	struct flow_slot *slots;
	struct flow_entry *entries;
	struct flow_detail *details;
	struct flow_link *activity; /* of a free entry: .next is the next free one */
	struct flow_link *age;
	struct flow_stack (*stacks)[2];
	uint32_t slot_mask;
	uint32_t capacity; /* entries that may be in use */
	uint32_t used;
	uint32_t touched;    /* entries 1 to .touched have been in use */
	uint32_t first_free; /* of these, by activity[].next */
	bool has_mac_key;
};

/* 0, -EINVAL (capacity) or -ENOMEM. */
int flow_table_init(struct flow_table *table, uint32_t capacity, bool has_mac_key);
void flow_table_fini(struct flow_table *table); /* of zeroes is fine */

/* Put a flow that is not in it into the table, which must not be full. All of the entry but key
 * and hash is zero, the detail holds the MACs for both senders, the links are in no list. */
uint32_t flow_table_add(struct flow_table *table, const struct flow_probe *probe);

void flow_table_remove(struct flow_table *table, uint32_t index);

static inline void flow_table_prefetch_slot(const struct flow_table *table, uint64_t hash)
{
	__builtin_prefetch(&table->slots[(uint32_t)hash & table->slot_mask]);
}

/* The first entry whose tag fits, 0 if none: a guess for prefetching. */
static inline uint32_t flow_table_guess(const struct flow_table *table, uint64_t hash)
{
	uint32_t tag = (uint32_t)hash;

	for (uint32_t at = tag & table->slot_mask;; at = (at + 1) & table->slot_mask) {
		struct flow_slot slot = table->slots[at];

		if (slot.index == 0 || slot.tag == tag)
			return slot.index;
	}
}

static inline void flow_table_prefetch_entry(const struct flow_table *table, uint32_t index)
{
	const char *entry = (const char *)&table->entries[index];

	__builtin_prefetch(entry, 1);
	__builtin_prefetch(entry + 64, 1);
	__builtin_prefetch(&table->activity[index], 1);
}

static inline bool flow_table_matches(
	const struct flow_table *table, uint32_t index, const struct flow_probe *probe)
{
	const struct flow_entry *entry = &table->entries[index];

	if (entry->hash != probe->hash ||
		memcmp(&entry->key, &probe->key, sizeof(entry->key)) != 0)
		return false;
	return !table->has_mac_key ||
	       memcmp(table->details[index].mac[0], probe->mac, sizeof(probe->mac)) == 0;
}

/* The flow's entry, 0 if there is none. The index is never full: the walk ends. */
static inline uint32_t flow_table_find(
	const struct flow_table *table, const struct flow_probe *probe)
{
	uint32_t tag = (uint32_t)probe->hash;

	for (uint32_t at = tag & table->slot_mask;; at = (at + 1) & table->slot_mask) {
		struct flow_slot slot = table->slots[at];

		if (slot.index == 0 ||
			(slot.tag == tag && flow_table_matches(table, slot.index, probe)))
			return slot.index;
	}
}

#endif
