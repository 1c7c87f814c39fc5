/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which flow the later fragments of a datagram belong to. Only a datagram's first fragment has
 * the transport header; this table remembers what it said. Nothing is reassembled. What comes
 * before its first fragment waits in fragment_hold.h.
 *
 * The table has a fixed number of places, used in turn: when all are taken, the oldest datagram
 * makes room. An entry is good for 30 s of packet time. Nothing is allocated per packet.
 */
#ifndef SENSOR_FRAGMENT_H
#define SENSOR_FRAGMENT_H

#include "sensor/meta.h"
#include "sensor/undo.h"

#define FRAGMENT_ENTRIES_DEFAULT 16384
#define FRAGMENT_ENTRIES_MAX (1u << 24)
#define FRAGMENT_WINDOW_NS UINT64_C(30000000000)

/* What the fragments of one datagram have in common. No padding: it is hashed as bytes. */
struct fragment_key {
	uint8_t source[16]; /* IPv4: the first 4 octets, the rest zero */
	uint8_t destination[16];
	uint32_t id;
	uint8_t ip_version;
	uint8_t protocol; /* 0 in IPv6, where later fragments may name another (RFC 8200 4.5) */
	uint8_t zero[2];
};

/* What the first fragment said; ports as in packet_meta. */
struct fragment_flow {
	uint16_t source_port;
	uint16_t destination_port;
	uint8_t protocol;
};

/* The key of a fragment's datagram; .id is the identification in its header. */
struct fragment_key fragment_key_of(const struct packet_meta *meta, uint32_t id);

/* .hash_key must not be known to those who send packets. */
uint64_t fragment_key_hash(const uint64_t hash_key[static 2], const struct fragment_key *key);

struct fragment_table;

/*
 * .entries: datagrams remembered at once; 0 is the default, more than FRAGMENT_ENTRIES_MAX is
 * that many. .hash_key as in fragment_key_hash(). 0 or -ENOMEM.
 */
int fragment_table_new(
	uint32_t entries, const uint64_t hash_key[static 2], struct fragment_table **ret_table);
void fragment_table_free(struct fragment_table *table); /* NULL is fine */

/*
 * Make it in memory that outlives the process, fragment_table_bytes() of them, borrowed, with
 * .undo for what changes. .is_begun: go on with what another process has left there, which must
 * have been made with the same .entries and .hash_key; else it is zero.
 */
struct fragment_memory {
	void *bytes;
	const struct undo *undo;
	bool is_begun;
};
size_t fragment_table_bytes(uint32_t entries);
int fragment_table_new_kept(uint32_t entries, const uint64_t hash_key[static 2],
	const struct fragment_memory *memory, struct fragment_table **ret_table);

/* A first fragment was seen. A datagram with the same key that is still there is replaced. */
void fragment_table_remember(struct fragment_table *table, const struct fragment_key *key,
	const struct fragment_flow *flow, uint64_t now_ns);

/* False when the first fragment was not seen within 30 s, before or after (stamps may go back).
 */
bool fragment_table_find(const struct fragment_table *table, const struct fragment_key *key,
	uint64_t now_ns, struct fragment_flow *ret_flow);

#endif
