/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Super-packets. The kernel hands over one packet for many on the wire (GRO, LRO) or to be cut
 * into many (TSO, GSO):
 *
 *     headers | payload                     what we see
 *     headers | part   headers | part ...   what the wire has: each part gso_bytes but the last
 *
 * So wire packets = ceil(payload / gso_bytes), and every one of them has the headers again. In
 * a tunnel the headers are all up to the inner TCP payload; they are measured with the same
 * steps that decode packets.
 */
#include "sensor/decode_step.h"

enum {
	TUNNEL_DEPTH_MAX = 4,
	TCP_HEADER_BYTES_MIN = 20,
	TCP_OFFSET_AFTER_BYTES = 12,
	UDP_HEADER_BYTES = 8,
	ETHERNET_ADDRESSES_BYTES = 12,
};

/* UDP ports of tunnels that the kernel segments through. */
enum {
	PORT_VXLAN = 4789,
	PORT_VXLAN_LINUX = 8472, /* the kernel's default, older than the assigned one */
	PORT_GENEVE = 6081,
};

enum {
	VXLAN_HEADER_BYTES = 8,
	GENEVE_OPTION_WORDS_MASK = 0x3f,
	GRE_CHECKSUM = 0x8000,
	GRE_KEY = 0x2000,
	GRE_SEQUENCE = 0x1000,
	GRE_VERSION_MASK = 0x0007,
	ETHERTYPE_BRIDGED = 0x6558, /* an Ethernet frame */
};

/* Where the walk to the payload is. */
struct inner {
	struct cursor in;
	uint64_t header_bytes; /* walked since the outer transport header */
	uint8_t protocol;      /* of the header at .in */
};

static void enter_ip(struct inner *at, uint8_t ip_version)
{
	struct packet_meta meta = { .ip_version = ip_version };
	struct ip_shape shape;
	if (decode_ip(&at->in, at->in.left, &meta, &shape) != DROP_NONE ||
		!shape.has_transport) {
		at->in.failed = true;
		return;
	}
	at->header_bytes += shape.header_bytes;
	at->protocol = meta.protocol;
}

static void skip_header(struct inner *at, size_t bytes)
{
	cursor_skip(&at->in, bytes);
	at->header_bytes += bytes;
}

static void enter_ethertype(struct inner *at, uint16_t type)
{
	struct packet_meta meta = { 0 };
	if (type == ETHERTYPE_BRIDGED) {
		skip_header(at, ETHERNET_ADDRESSES_BYTES);
		type = cursor_be16(&at->in);
		at->header_bytes += sizeof(type);
	}
	size_t before_bytes = at->in.left;
	if (decode_ethertype(&at->in, type, &meta) != DROP_NONE) {
		at->in.failed = true;
		return;
	}
	at->header_bytes += before_bytes - at->in.left;
	enter_ip(at, meta.ip_version);
}

/* flags and version 2, type 2, and 4 octets for each of three flags (RFC 2784, RFC 2890). */
static void enter_gre(struct inner *at)
{
	uint16_t flags = cursor_be16(&at->in);
	uint16_t type = cursor_be16(&at->in);
	at->header_bytes += sizeof(flags) + sizeof(type);
	if (flags & GRE_VERSION_MASK)
		at->in.failed = true;
	if (flags & GRE_CHECKSUM)
		skip_header(at, 4);
	if (flags & GRE_KEY)
		skip_header(at, 4);
	if (flags & GRE_SEQUENCE)
		skip_header(at, 4);
	enter_ethertype(at, type);
}

/* version and option length 1, flags 1, type 2, identifier 4, options (RFC 8926). */
static void enter_geneve(struct inner *at)
{
	struct cursor header = at->in;
	size_t option_bytes = (cursor_u8(&header) & GENEVE_OPTION_WORDS_MASK) * 4u;
	cursor_skip(&header, 1);
	uint16_t type = cursor_be16(&header);
	skip_header(at, 8 + option_bytes);
	enter_ethertype(at, type);
}

/* The cursor stands behind the UDP header; .port is its destination. */
static void enter_udp(struct inner *at, uint16_t port)
{
	switch (port) {
	case PORT_VXLAN:
	case PORT_VXLAN_LINUX:
		skip_header(at, VXLAN_HEADER_BYTES);
		enter_ethertype(at, ETHERTYPE_BRIDGED);
		break;
	case PORT_GENEVE:
		enter_geneve(at);
		break;
	default:
		at->in.failed = true;
		break;
	}
}

/* A header whose length field is cut off or impossible is taken to have no options. */
static uint64_t tcp_header_bytes(struct cursor in)
{
	cursor_skip(&in, TCP_OFFSET_AFTER_BYTES);
	uint64_t bytes = (cursor_u8(&in) >> 4) * 4u;
	return bytes > TCP_HEADER_BYTES_MIN ? bytes : TCP_HEADER_BYTES_MIN;
}

/* Octets from .in to the payload that is cut; as far as they are known when bytes are missing.
 */
static uint64_t measure_headers(struct cursor in, uint8_t protocol, enum packet_gso gso)
{
	struct inner at = { .in = in, .protocol = protocol };
	for (unsigned depth = 0; depth < TUNNEL_DEPTH_MAX; depth++) {
		struct cursor udp = at.in;
		switch (at.protocol) {
		case PROTOCOL_TCP:
			return at.header_bytes + tcp_header_bytes(at.in);
		case PROTOCOL_UDP:
			skip_header(&at, UDP_HEADER_BYTES);
			if (gso == PACKET_GSO_UDP)
				return at.header_bytes;
			cursor_skip(&udp, 2);
			enter_udp(&at, cursor_be16(&udp));
			break;
		case PROTOCOL_IPV4:
			enter_ip(&at, 4);
			break;
		case PROTOCOL_IPV6:
			enter_ip(&at, 6);
			break;
		case PROTOCOL_GRE:
			enter_gre(&at);
			break;
		default:
			return at.header_bytes;
		}
		if (at.in.failed)
			break;
	}
	return at.header_bytes;
}

/* Payload of each segment; PACKET_GSO_LINK says how long a whole one is. */
static uint64_t segment_bytes(
	const struct packet *packet, uint64_t wire_header_bytes, uint8_t protocol)
{
	if (packet->gso != PACKET_GSO_LINK)
		return packet->gso_bytes;
	if (protocol != PROTOCOL_TCP || packet->gso_bytes <= wire_header_bytes)
		return 0;
	return packet->gso_bytes - wire_header_bytes;
}

void decode_gso(const struct cursor *in, const struct packet *packet,
	const struct ip_shape *shape, uint64_t wire_bytes, struct packet_meta *meta)
{
	if (shape->part != FRAGMENT_WHOLE)
		return;
	uint64_t header_bytes =
		shape->header_bytes + measure_headers(*in, meta->protocol, packet->gso);
	uint64_t wire_header_bytes = header_bytes - shape->kernel_only_bytes;
	uint64_t part_bytes = segment_bytes(packet, wire_header_bytes, meta->protocol);
	uint64_t ip_bytes = meta->octets < wire_bytes ? meta->octets : wire_bytes;
	if (part_bytes == 0 || ip_bytes <= header_bytes ||
		ip_bytes - header_bytes <= part_bytes)
		return;
	uint64_t payload_bytes = ip_bytes - header_bytes;
	uint64_t segments = (payload_bytes + part_bytes - 1) / part_bytes;
	meta->packets = (uint32_t)segments; /* wire_bytes, a 32-bit number, is more */
	meta->octets = payload_bytes + segments * wire_header_bytes;
}
