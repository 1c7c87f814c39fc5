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
#include <stdbool.h>
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
};

/* What a track level puts into the key. */
struct flow_level {
	bool has_protocol, has_ports, has_vlan, has_mac;
};
extern const struct flow_level flow_levels[TRACK_LEVEL_COUNT];

/* Fill all of *probe, but .mac only where it is part of the key. */
void flow_key_make(const struct flow_level *level, const struct flow_hash *hash,
	const struct packet_meta *meta, struct flow_probe *probe);

/* The hash of .key, and of .mac at the level that has it. */
uint64_t flow_key_hash(const struct flow_level *level, const struct flow_hash *hash,
	const struct flow_probe *probe);

static inline bool flow_key_equal(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t x[5], y[5];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return ((x[4] ^ y[4]) | (x[0] ^ y[0]) | (x[2] ^ y[2]) | (x[1] ^ y[1]) |
		       (x[3] ^ y[3])) == 0;
}

static inline bool flow_key_is_icmp(const struct flow_key *key)
{
	return key->protocol ==
	       (key->ip_version == 4 ? FLOW_PROTOCOL_ICMP : FLOW_PROTOCOL_ICMPV6);
}

#endif
