/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is hashed, all in network order: a seed of 0 (2 octets), the lower endpoint's address,
 * the higher one's, the protocol, a zero octet, and for some protocols both ports. ICMP's type
 * stands for the source port and the type that answers it for the destination port; a type that
 * has no answer has its code there, and the endpoints stay in their order.
 */
#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

#include "export/community_id.h"
#include "export/wire.h"

#define TUPLE_BYTES (2 + 16 + 16 + 2 + 4)

enum { ICMP_V4 = 1, TCP = 6, UDP = 17, ICMP_V6 = 58, SCTP = 132 };

struct tuple {
	uint8_t address[2][16];
	uint16_t port[2];
	bool has_ports, is_ordered;
};

static_assert(BASE64_ENCODE_RAW_LENGTH(SHA1_DIGEST_SIZE) + 2 == COMMUNITY_ID_OCTETS,
	"an id is as long as the element");

/* Types that are question and answer to each other. */
static const uint8_t pairs_v4[][2] = { { 8, 0 }, { 13, 14 }, { 15, 16 }, { 10, 9 },
	{ 17, 18 } };
static const uint8_t pairs_v6[][2] = { { 128, 129 }, { 130, 131 }, { 133, 134 }, { 135, 136 },
	{ 139, 140 }, { 144, 145 } };

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* The type that answers .type or that it answers; -1: none. */
static int counterpart(const uint8_t (*pairs)[2], size_t count, uint8_t type)
{
	for (size_t i = 0; i < count; i++)
		for (unsigned side = 0; side < 2; side++)
			if (pairs[i][side] == type)
				return pairs[i][!side];
	return -1;
}

static void read_icmp(struct tuple *tuple, uint16_t type_code, bool is_v6)
{
	uint8_t type = (uint8_t)(type_code >> 8);
	int other = is_v6 ? counterpart(pairs_v6, COUNT_OF(pairs_v6), type)
			  : counterpart(pairs_v4, COUNT_OF(pairs_v4), type);
	tuple->port[0] = type;
	tuple->port[1] = other >= 0 ? (uint16_t)other : type_code & 0xff;
	tuple->is_ordered = other < 0;
	tuple->has_ports = true;
}

static struct tuple read_tuple(const struct flow_record *record, unsigned direction)
{
	struct tuple tuple = { .has_ports = false };
	uint8_t protocol = record->protocol;
	for (unsigned end = 0; end < 2; end++) {
		memcpy(tuple.address[end], record->address[direction ^ end], 16);
		tuple.port[end] = record->port[direction ^ end];
	}
	if (record->is_icmp)
		read_icmp(&tuple, record->side[direction].icmp_type_code, protocol == ICMP_V6);
	else
		tuple.has_ports = protocol == TCP || protocol == UDP || protocol == SCTP;
	return tuple;
}

/* Which endpoint is the lower one. */
static unsigned first_of(const struct tuple *tuple, size_t address_bytes)
{
	int order = memcmp(tuple->address[0], tuple->address[1], address_bytes);
	if (tuple->is_ordered || order < 0)
		return 0;
	return order > 0 || tuple->port[0] > tuple->port[1];
}

bool community_id_is_built(void)
{
	return true;
}

void community_id_write(uint8_t *to, const struct flow_record *record, unsigned direction)
{
	const struct tuple tuple = read_tuple(record, direction);
	size_t address_bytes = record->ip_version == 6 ? 16 : 4;
	unsigned first = first_of(&tuple, address_bytes);
	uint8_t bytes[TUPLE_BYTES], digest[SHA1_DIGEST_SIZE];
	struct wire out = wire_over(bytes, sizeof(bytes));
	struct sha1_ctx sha1;

	wire_be16(&out, 0);
	wire_copy(&out, tuple.address[first], address_bytes);
	wire_copy(&out, tuple.address[!first], address_bytes);
	wire_u8(&out, record->protocol);
	wire_u8(&out, 0);
	if (tuple.has_ports) {
		wire_be16(&out, tuple.port[first]);
		wire_be16(&out, tuple.port[!first]);
	}
	sha1_init(&sha1);
	sha1_update(&sha1, out.length, bytes);
	sha1_digest(&sha1, sizeof(digest), digest);
	memcpy(to, "1:", 2);
	base64_encode_raw((char *)to + 2, sizeof(digest), digest);
}
