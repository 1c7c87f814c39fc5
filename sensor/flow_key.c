/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets to keys. The hash takes the word that holds version, protocol, VLAN and ports first
 * and then only as many words as the version has addresses: an IPv4 key is two words long. The
 * version in the first word keeps the two forms apart.
 */
#include "sensor/flow_key.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "sensor/hash.h"

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

/* The words of an IPv4 key: what is left are zeroes. */
static inline void words_of_v4(const struct flow_key *key, uint64_t words[static 2])
{
	memcpy(&words[0], key->port, 8);
	memcpy(&words[1], key->address[0], 4);
	memcpy((uint8_t *)&words[1] + 4, key->address[1], 4);
}

static uint64_t hash_with_macs(
	const uint64_t hash_key[static 2], const struct flow_probe *probe)
{
	uint64_t words[7] = { 0 };

	if (probe->key.ip_version == 4) {
		words_of_v4(&probe->key, words);
		memcpy(&words[2], probe->mac, 12);
		return hash_words(hash_key, words, 4);
	}
	memcpy(&words[0], probe->key.port, 8);
	memcpy(&words[1], probe->key.address, 32);
	memcpy(&words[5], probe->mac, 12);
	return hash_words(hash_key, words, 7);
}

static inline uint64_t hash_probe(const struct flow_level *level,
	const uint64_t hash_key[static 2], const struct flow_probe *probe)
{
	uint64_t words[5];

	if (level->has_mac)
		return hash_with_macs(hash_key, probe);
	if (probe->key.ip_version == 4) {
		words_of_v4(&probe->key, words);
		return hash_words(hash_key, words, 2);
	}
	memcpy(&words[0], probe->key.port, 8);
	memcpy(&words[1], probe->key.address, 32);
	return hash_words(hash_key, words, 5);
}

uint64_t flow_key_hash(const struct flow_level *level, const uint64_t hash_key[static 2],
	const struct flow_probe *probe)
{
	return hash_probe(level, hash_key, probe);
}

void flow_key_make(const struct flow_level *level, const uint64_t hash_key[static 2],
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
	probe->hash = hash_probe(level, hash_key, probe);
}
