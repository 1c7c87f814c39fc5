/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The transport header, as far as a flow needs it: ports, ICMP type and code, TCP control bits.
 * Headers cut off by the capture or by the IP length give what is whole: ports need 4 octets,
 * type and code 2, control bits 14. Nothing is checked beyond that; a header that lies is still
 * counted.
 */
#include "sensor/decode_step.h"

enum {
	PROTOCOL_DCCP = 33,
	PROTOCOL_SCTP = 132,
	PROTOCOL_UDP_LITE = 136,
	PORTS_BYTES = 4,
	TCP_CONTROL_AFTER_PORTS_BYTES = 8,
	TCP_CONTROL_MASK = 0x0fff,
};

/* Messages that answer each other; see the port convention in meta.h. */
struct icmp_pair {
	uint8_t question, answer;
};

static const struct icmp_pair icmp4_pairs[] = {
	{ 8, 0 },   /* echo (RFC 792) */
	{ 13, 14 }, /* timestamp (RFC 792) */
	{ 15, 16 }, /* information (RFC 792) */
	{ 17, 18 }, /* address mask (RFC 950) */
	{ 10, 9 },  /* router solicitation, advertisement (RFC 1256) */
	{ 42, 43 }, /* extended echo (RFC 8335) */
};

static const struct icmp_pair icmp6_pairs[] = {
	{ 128, 129 }, /* echo (RFC 4443) */
	{ 133, 134 }, /* router solicitation, advertisement (RFC 4861) */
	{ 135, 136 }, /* neighbour solicitation, advertisement (RFC 4861) */
	{ 139, 140 }, /* node information (RFC 4620) */
	{ 141, 142 }, /* inverse neighbour discovery (RFC 3122) */
	{ 144, 145 }, /* home agent address discovery (RFC 6275) */
	{ 146, 147 }, /* mobile prefix (RFC 6275) */
	{ 160, 161 }, /* extended echo (RFC 8335) */
};

static uint8_t icmp_other_half(uint8_t type, const struct icmp_pair *pairs, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (type == pairs[i].question)
			return pairs[i].answer;
		if (type == pairs[i].answer)
			return pairs[i].question;
	}
	return type;
}

static void decode_icmp(struct cursor *in, struct packet_meta *meta)
{
	uint16_t type_and_code = cursor_be16(in);
	if (in->failed)
		return;
	uint8_t type = (uint8_t)(type_and_code >> 8);
	uint8_t code = (uint8_t)type_and_code;
	uint8_t other = meta->ip_version == 4
				? icmp_other_half(type, icmp4_pairs,
					  sizeof(icmp4_pairs) / sizeof(*icmp4_pairs))
				: icmp_other_half(type, icmp6_pairs,
					  sizeof(icmp6_pairs) / sizeof(*icmp6_pairs));
	meta->source_port = type_and_code;
	meta->destination_port = (uint16_t)(other << 8 | code);
}

static void decode_ports(struct cursor *in, struct packet_meta *meta)
{
	struct cursor ports;
	if (!cursor_split(in, PORTS_BYTES, &ports))
		return;
	meta->source_port = cursor_be16(&ports);
	meta->destination_port = cursor_be16(&ports);
}

/* ports 4, sequence 4, acknowledgment 4, data offset and control bits 2, ... */
static void decode_tcp(struct cursor *in, struct packet_meta *meta)
{
	decode_ports(in, meta);
	cursor_skip(in, TCP_CONTROL_AFTER_PORTS_BYTES);
	meta->tcp_flags = cursor_be16(in) & TCP_CONTROL_MASK;
}

void decode_transport(struct cursor *in, struct packet_meta *meta)
{
	switch (meta->protocol) {
	case PROTOCOL_TCP:
		decode_tcp(in, meta);
		break;
	case PROTOCOL_UDP:
	case PROTOCOL_UDP_LITE:
	case PROTOCOL_SCTP:
	case PROTOCOL_DCCP:
		decode_ports(in, meta);
		break;
	case PROTOCOL_ICMP:
	case PROTOCOL_ICMPV6:
		if (meta->is_icmp)
			decode_icmp(in, meta);
		break;
	default:
		break;
	}
}
