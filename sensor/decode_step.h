/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steps of the decoder. Only decode*.c, linktype.c and their tests include this.
 *
 *     link layer -> ethertype (VLAN, LLC, MPLS, PPPoE) -> IP -> transport
 *
 * A step takes the cursor where the step before it left it, reads its own header and fills its
 * own members of packet_meta. Link steps end at the IP header with meta->ip_version set; the IP
 * step ends at the transport header.
 */
#ifndef SENSOR_DECODE_STEP_H
#define SENSOR_DECODE_STEP_H

#include "ring/packet.h"
#include "sensor/linktype.h"

enum fragment_part {
	FRAGMENT_WHOLE,
	FRAGMENT_FIRST, /* has the transport header; more will follow */
	FRAGMENT_LATER, /* has no transport header */
};

/* What the IP header says that is no member of packet_meta. */
struct ip_shape {
	uint32_t header_bytes;      /* IPv4 with options, or IPv6 with extension headers */
	uint32_t kernel_only_bytes; /* of these, what the kernel adds to super-packets alone */
	uint32_t fragment_id;
	enum fragment_part part;
	bool has_transport; /* the cursor stands at a transport header */
};

/* Ethertypes that more than one step knows. */
enum {
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERTYPE_LLC = 0, /* "what follows is an LLC header": a type field that is a length */
	ETHERTYPE_LENGTH_MAX = 1500, /* a type field up to this is a length */
};

/* Protocol numbers that more than one step knows. */
enum {
	PROTOCOL_ICMP = 1,
	PROTOCOL_IPV4 = 4,
	PROTOCOL_TCP = 6,
	PROTOCOL_UDP = 17,
	PROTOCOL_IPV6 = 41,
	PROTOCOL_GRE = 47,
	PROTOCOL_ICMPV6 = 58,
};

/* Link layers; see linktype.def. */
#define LINKTYPE(number, text, function) link_decode decode_##function;
#include "sensor/linktype.def"
#undef LINKTYPE

/* What an ethertype announces: IP, or tags, labels and frames around it. */
enum drop_reason decode_ethertype(struct cursor *in, uint16_t type, struct packet_meta *meta);
link_decode decode_ethertype_mpls;

/* A PPP protocol field and what follows it. */
link_decode decode_wan_ppp_protocol;

/*
 * IPv4 or IPv6, as meta->ip_version announces, up to the transport header.
 * wire_bytes: what the frame had on the wire from here on, at least the octets in the cursor.
 */
enum drop_reason decode_ip(struct cursor *in, uint64_t wire_bytes, struct packet_meta *meta,
	struct ip_shape *ret_shape);

/* Ports, ICMP type and TCP flags; what is cut off stays 0. */
void decode_transport(struct cursor *in, struct packet_meta *meta);

/* ICMP in IPv4 or ICMPv6 in IPv6; the other way round they are protocols like any other. */
static inline bool decode_transport_is_icmp(const struct packet_meta *meta)
{
	return meta->protocol == (meta->ip_version == 4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6);
}

/*
 * Count a super-packet as its wire segments: set meta->packets and meta->octets.
 * in: at the transport header; wire_bytes: as for decode_ip().
 */
void decode_gso(const struct cursor *in, const struct packet *packet,
	const struct ip_shape *shape, uint64_t wire_bytes, struct packet_meta *meta);

#endif
