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

bool flow_key_is_sender_higher(const struct flow_keying *keying, const struct packet_meta *meta)
{
	int order = compare_addresses(meta->source, meta->destination);

	if (order == 0 && keying->level.has_ports)
		order = (int)meta->source_port - (int)meta->destination_port;
	if (order == 0 && keying->level.has_mac)
		order = memcmp(meta->source_mac, meta->destination_mac, 6);
	return order > 0;
}

static uint32_t word_of(const void *bytes)
{
	uint32_t word;

	memcpy(&word, bytes, sizeof(word));
	return word;
}

void flow_keying_init(
	struct flow_keying *keying, enum track_level level, const uint64_t hash_key[static 2])
{
	const struct flow_level *row = &flow_levels[level];
	struct flow_key mask = {
		.vlan_id = row->has_vlan ? UINT16_MAX : 0,
		.protocol = row->has_protocol ? UINT8_MAX : 0,
		.ip_version = UINT8_MAX,
	};

	keying->level = *row;
	keying->ports_mask = row->has_ports ? UINT32_MAX : 0;
	keying->rest_mask = word_of(&mask.vlan_id);
	flow_hash_init(&keying->hash, hash_key);
}
