/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets to keys. Of an IPv4 key four words are hashed, of an IPv6 key ten; the version is in
 * the second of them and keeps the two forms apart.
 */
#include "sensor/flow_key.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

/* clang-format off */
const struct flow_level flow_levels[TRACK_LEVEL_COUNT] = {
	/*                protocol  ports  vlan   mac */
	[TRACK_IP]    = { false,    false, false, false },
	[TRACK_PROTO] = { true,     false, false, false },
	[TRACK_PORT]  = { true,     true,  false, false },
	[TRACK_FULL]  = { true,     true,  false, false },
	[TRACK_VLAN]  = { true,     true,  true,  false },
	[TRACK_ETHER] = { true,     true,  true,  true  },
};
/* clang-format on */

static inline uint64_t load_be64(const uint8_t *bytes)
{
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return be64toh(word);
}

/* memcmp() of 16 octets without the call. */
static inline int compare_addresses(const uint8_t *a, const uint8_t *b)
{
	uint64_t high_a = load_be64(a), high_b = load_be64(b);

	if (high_a != high_b)
		return high_a < high_b ? -1 : 1;
	uint64_t low_a = load_be64(a + 8), low_b = load_be64(b + 8);
	return (low_a > low_b) - (low_a < low_b);
}

/* Is the sender the higher endpoint? Where nothing tells the two apart, it is the lower one. */
static inline bool is_sender_higher(
	const struct flow_level *level, const struct packet_meta *meta)
{
	int order = compare_addresses(meta->source, meta->destination);

	if (order == 0 && level->has_ports)
		order = (int)meta->source_port - (int)meta->destination_port;
	if (order == 0 && level->has_mac)
		order = memcmp(meta->source_mac, meta->destination_mac, 6);
	return order > 0;
}

static_assert(offsetof(struct flow_key, port) + 8 == sizeof(struct flow_key),
	"ports, VLAN, protocol and version are one word");

enum { WORD_REST, WORD_ADDRESSES = 2, WORD_MACS = 10 };

static inline uint64_t hash_probe(const struct flow_level *level, const struct flow_hash *hash,
	const struct flow_probe *probe)
{
	const struct flow_key *key = &probe->key;
	uint64_t sum = hash->addend + flow_hash_part(hash, WORD_REST, key->port, 2);

	if (key->ip_version == 4) {
		sum += flow_hash_part(hash, WORD_ADDRESSES, key->address[0], 1);
		sum += flow_hash_part(hash, WORD_ADDRESSES + 1, key->address[1], 1);
	} else {
		sum += flow_hash_part(hash, WORD_ADDRESSES, key->address, 8);
	}
	if (level->has_mac)
		sum += flow_hash_part(hash, WORD_MACS, probe->mac, 3);
	return flow_hash_mix(sum);
}

uint64_t flow_key_hash(const struct flow_level *level, const struct flow_hash *hash,
	const struct flow_probe *probe)
{
	return hash_probe(level, hash, probe);
}

void flow_key_make(const struct flow_level *level, const struct flow_hash *hash,
	const struct packet_meta *meta, struct flow_probe *probe)
{
	struct flow_key *key = &probe->key;
	unsigned sender = is_sender_higher(level, meta);

	memcpy(key->address[sender], meta->source, 16);
	memcpy(key->address[!sender], meta->destination, 16);
	key->port[sender] = level->has_ports ? meta->source_port : 0;
	key->port[!sender] = level->has_ports ? meta->destination_port : 0;
	key->vlan_id = level->has_vlan ? meta->vlan_id : 0;
	key->protocol = level->has_protocol ? meta->protocol : 0;
	key->ip_version = meta->ip_version;
	if (level->has_mac) {
		memcpy(probe->mac[sender], meta->source_mac, 6);
		memcpy(probe->mac[!sender], meta->destination_mac, 6);
	}
	probe->sender = (uint8_t)sender;
	probe->hash = hash_probe(level, hash, probe);
}
