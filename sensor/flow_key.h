/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What makes two packets the same flow. A key is canonical: its endpoint 0 is the one with the
 * lower (address, port, MAC), so both directions of a conversation give the same key, and the
 * probe tells which endpoint sent the packet at hand. What the track level leaves out is zero.
 *
 * Endpoints are a matter of the table alone. Who began, and hence who is slot 0 of a record, is
 * remembered by the entry.
 */
#ifndef SENSOR_FLOW_KEY_H
#define SENSOR_FLOW_KEY_H

#include <assert.h>
#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "sensor/flow_cache.h"
#include "sensor/flow_hash.h"
#include "sensor/meta.h"

enum {
	FLOW_PROTOCOL_ICMP = 1,
	FLOW_PROTOCOL_TCP = 6,
	FLOW_PROTOCOL_UDP = 17,
	FLOW_PROTOCOL_ICMPV6 = 58,
};

struct flow_key {
	uint8_t address[2][16];
	uint16_t port[2];
	uint16_t vlan_id;
	uint8_t protocol;
	uint8_t ip_version;
};
static_assert(sizeof(struct flow_key) == 40, "hashed and compared as five words");

/* A packet on its way into the table. */
struct flow_probe {
	struct flow_key key;
	uint64_t hash;
	uint8_t mac[2][6]; /* of each endpoint, at the level that has it in the key */
	uint8_t sender;    /* the endpoint that sent the packet */
	uint32_t guess;    /* the entry that it will mostly meet; 0: none */
};

/* What a track level puts into the key. */
struct flow_level {
	bool has_protocol, has_ports, has_vlan, has_mac;
};
extern const struct flow_level flow_levels[TRACK_LEVEL_COUNT];

/* How packets become keys and hashes. The masks are over the two halves of a key's last eight
 * octets: the ports, and the rest. */
struct flow_keying {
	struct flow_level level;
	uint32_t ports_mask, rest_mask;
	struct flow_hash hash;
};

/* .hash_key is random in service. */
void flow_keying_init(
	struct flow_keying *keying, enum track_level level, const uint64_t hash_key[static 2]);

/* Fill all of *probe but .guess, and .mac only where it is part of the key. */
static inline void flow_key_make(const struct flow_keying *keying,
	const struct packet_meta *meta, struct flow_probe *probe);

/* The hash of .key, and of .mac at the level that has it. */
static inline uint64_t flow_key_hash(
	const struct flow_keying *keying, const struct flow_probe *probe);

static inline uint64_t flow_key_differ(
	const struct flow_key *a, const struct flow_key *b, unsigned word)
{
	uint64_t x, y;

	memcpy(&x, (const uint8_t *)a + 8 * word, sizeof(x));
	memcpy(&y, (const uint8_t *)b + 8 * word, sizeof(y));
	return x ^ y;
}

static inline bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return (flow_key_differ(a, b, 4) | flow_key_differ(a, b, 0) | flow_key_differ(a, b, 2) |
		       flow_key_differ(a, b, 1) | flow_key_differ(a, b, 3)) == 0;
}

static inline bool flow_key_is_icmp(const struct flow_key *key)
{
	return key->protocol ==
	       (key->ip_version == 4 ? FLOW_PROTOCOL_ICMP : FLOW_PROTOCOL_ICMPV6);
}

/* -- for every packet ----------------------------------------------------------------- */

static_assert(offsetof(struct flow_key, port) == 32 && offsetof(struct flow_key, vlan_id) == 36,
	"hashed by words of four octets");
static_assert(offsetof(struct packet_meta, vlan_id) ==
			      offsetof(struct packet_meta, source_port) + 4 &&
		      offsetof(struct packet_meta, protocol) -
				      offsetof(struct packet_meta, vlan_id) ==
			      offsetof(struct flow_key, protocol) -
				      offsetof(struct flow_key, vlan_id) &&
		      offsetof(struct packet_meta, ip_version) -
				      offsetof(struct packet_meta, vlan_id) ==
			      offsetof(struct flow_key, ip_version) -
				      offsetof(struct flow_key, vlan_id),
	"a key's last eight octets are copied from a packet's");

/* Which multipliers of the hash the words of a key have. */
enum { FLOW_WORD_REST = 0, FLOW_WORD_ADDRESSES = 2, FLOW_WORD_MACS = 10 };

static inline uint64_t flow_key_hash(
	const struct flow_keying *keying, const struct flow_probe *probe)
{
	const struct flow_hash *hash = &keying->hash;
	const struct flow_key *key = &probe->key;
	uint64_t sum = hash->addend + flow_hash_part(hash, FLOW_WORD_REST, key->port, 2);

	if (key->ip_version == 4) {
		sum += flow_hash_part(hash, FLOW_WORD_ADDRESSES, key->address[0], 1);
		sum += flow_hash_part(hash, FLOW_WORD_ADDRESSES + 1, key->address[1], 1);
	} else {
		sum += flow_hash_part(hash, FLOW_WORD_ADDRESSES, key->address, 8);
	}
	if (keying->level.has_mac)
		sum += flow_hash_part(hash, FLOW_WORD_MACS, probe->mac, 3);
	return flow_hash_mix(sum);
}

/* Is the sender the higher endpoint? Where nothing tells the two apart, it is the lower one. */
bool flow_key_is_sender_higher(
	const struct flow_keying *keying, const struct packet_meta *meta);

/* The same where the first eight octets of the addresses decide, which they mostly do. */
static inline bool flow_key_quick_is_sender_higher(
	const struct flow_keying *keying, const struct packet_meta *meta)
{
	uint64_t source, destination;

	memcpy(&source, meta->source, sizeof(source));
	memcpy(&destination, meta->destination, sizeof(destination));
	if (source == destination)
		return flow_key_is_sender_higher(keying, meta);
	return be64toh(source) > be64toh(destination);
}

static inline void flow_key_make(const struct flow_keying *keying,
	const struct packet_meta *meta, struct flow_probe *probe)
{
	struct flow_key *key = &probe->key;
	unsigned sender = flow_key_quick_is_sender_higher(keying, meta);
	uint32_t ports, rest;

	memcpy(&ports, &meta->source_port, sizeof(ports));
	memcpy(&rest, &meta->vlan_id, sizeof(rest));
	ports = (sender ? ports << 16 | ports >> 16 : ports) & keying->ports_mask;
	rest &= keying->rest_mask;
	memcpy(key->address[sender], meta->source, 16);
	memcpy(key->address[!sender], meta->destination, 16);
	memcpy(key->port, &ports, sizeof(ports));
	memcpy(&key->vlan_id, &rest, sizeof(rest));
	if (keying->level.has_mac) {
		memcpy(probe->mac[sender], meta->source_mac, 6);
		memcpy(probe->mac[!sender], meta->destination_mac, 6);
	}
	probe->sender = (uint8_t)sender;
	probe->hash = flow_key_hash(keying, probe);
}

#endif
