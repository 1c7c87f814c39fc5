/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packets that nearly all of a link's packets are:
 *
 *     Ethernet 14 | tag 4, at most one | IPv4 20 or IPv6 40 | TCP 14 of 20, or UDP 4 of 8
 *
 * without options, extension headers or fragments, and captured as far as this shows. They need
 * one bounds check per header and no walk. Whatever is unusual in the least is left to the
 * general decoder, which would have said the same of what is handled here: the tests and the
 * fuzz target compare the two. In a header, so that it is compiled into its only caller,
 * decode.c.
 */
#ifndef SENSOR_DECODE_PLAIN_H
#define SENSOR_DECODE_PLAIN_H

#include <string.h>

#include "sensor/decode_step.h"

enum {
	PLAIN_ETHERNET_BYTES = 14,
	PLAIN_VLAN = 0x8100, /* 802.1Q */
	PLAIN_TAG_BYTES = 4,
	PLAIN_VLAN_ID_MASK = 0x0fff,
	PLAIN_IPV4_BYTES = 20,
	PLAIN_IPV4_START = 0x45,           /* the version, and a header without options */
	PLAIN_IPV4_FRAGMENT_MASK = 0x3fff, /* more fragments, and the offset */
	PLAIN_IPV6_BYTES = 40,
	PLAIN_PORTS_BYTES = 4,
	PLAIN_TCP_BYTES = 14, /* up to the control bits */
	PLAIN_TCP_CONTROL_MASK = 0x0fff,
};

/* What is not in the packet's bytes, or not in those of every packet. */
static inline void start_plain(const struct packet *packet, struct packet_meta *meta)
{
	meta->stamp_ns = packet->stamp_ns;
	meta->clock_ns = 0;
	meta->packets = 1;
	meta->if_index = packet->if_index;
	meta->flow_label = 0;
	meta->mpls_count = 0;
	meta->is_icmp = false;
	meta->is_fragment = false;
	meta->begins_datagram = false;
	meta->awaits_first = false;
	meta->is_outgoing = packet->is_outgoing;
}

/* The tag in the bytes, if there is one; *type becomes what follows it. */
static inline bool plain_tag(struct cursor *in, uint16_t *type, uint16_t *vlan_id)
{
	struct cursor tag;

	*vlan_id = 0;
	if (*type != PLAIN_VLAN)
		return true;
	if (!cursor_split(in, PLAIN_TAG_BYTES, &tag))
		return false;
	*vlan_id = cursor_be16(&tag) & PLAIN_VLAN_ID_MASK;
	*type = cursor_be16(&tag);
	return true;
}

static inline bool plain_link(struct cursor *in, const struct packet *packet,
	uint16_t *ret_type, struct packet_meta *meta)
{
	struct cursor link;
	uint16_t vlan_id;

	if (!cursor_split(in, PLAIN_ETHERNET_BYTES, &link))
		return false;
	cursor_copy(&link, meta->macs, sizeof(meta->macs));
	*ret_type = cursor_be16(&link);
	if (!plain_tag(in, ret_type, &vlan_id))
		return false;
	/* A tag that the kernel took off was in front of it. */
	meta->vlan_id = packet->vlan_tpid ? packet->vlan_tci & PLAIN_VLAN_ID_MASK : vlan_id;
	meta->inner_vlan_id = packet->vlan_tpid ? vlan_id : 0;
	return true;
}

static inline bool plain_ip4(struct cursor *in, struct packet_meta *meta)
{
	struct cursor ip;
	uint32_t address = 0;

	if (!cursor_split(in, PLAIN_IPV4_BYTES, &ip))
		return false;
	bool is_plain = cursor_u8(&ip) == PLAIN_IPV4_START;
	meta->ip_version = 4;
	meta->tos = cursor_u8(&ip);
	uint16_t total_bytes = cursor_be16(&ip);
	cursor_skip(&ip, 2); /* identification */
	is_plain &= !(cursor_be16(&ip) & PLAIN_IPV4_FRAGMENT_MASK);
	meta->ttl = cursor_u8(&ip);
	meta->protocol = cursor_u8(&ip);
	cursor_skip(&ip, 2); /* checksum */
	memset(meta->source, 0, sizeof(meta->source));
	memset(meta->destination, 0, sizeof(meta->destination));
	cursor_copy(&ip, &address, 4);
	memcpy(meta->source, &address, 4);
	cursor_copy(&ip, &address, 4);
	memcpy(meta->destination, &address, 4);
	meta->octets = total_bytes;
	if (!is_plain || total_bytes < PLAIN_IPV4_BYTES)
		return false;
	cursor_limit(in, total_bytes - PLAIN_IPV4_BYTES);
	return true;
}

static inline bool plain_ip6(struct cursor *in, struct packet_meta *meta)
{
	struct cursor ip;

	if (!cursor_split(in, PLAIN_IPV6_BYTES, &ip))
		return false;
	uint32_t version_class_label = cursor_be32(&ip);
	meta->ip_version = 6;
	meta->tos = version_class_label >> 20 & 0xff;
	meta->flow_label = version_class_label & 0xfffff;
	uint16_t payload_bytes = cursor_be16(&ip);
	meta->protocol = cursor_u8(&ip);
	meta->ttl = cursor_u8(&ip);
	cursor_copy(&ip, meta->source, sizeof(meta->source));
	cursor_copy(&ip, meta->destination, sizeof(meta->destination));
	meta->octets = PLAIN_IPV6_BYTES + payload_bytes;
	if (version_class_label >> 28 != 6)
		return false;
	cursor_limit(in, payload_bytes); /* 0 would have to be looked into: ports do not fit */
	return true;
}

static inline bool plain_transport(struct cursor *in, struct packet_meta *meta)
{
	struct cursor transport;
	bool is_tcp = meta->protocol == PROTOCOL_TCP;

	meta->tcp_flags = 0;
	if (is_tcp) {
		if (!cursor_split(in, PLAIN_TCP_BYTES, &transport))
			return false;
		struct cursor control = transport;
		cursor_skip(&control, PLAIN_TCP_BYTES - 2);
		meta->tcp_flags = cursor_be16(&control) & PLAIN_TCP_CONTROL_MASK;
	} else if (meta->protocol != PROTOCOL_UDP ||
		   !cursor_split(in, PLAIN_PORTS_BYTES, &transport)) {
		return false;
	}
	meta->source_port = cursor_be16(&transport);
	meta->destination_port = cursor_be16(&transport);
	return true;
}

/* False: not one of them; *meta is unspecified. For Ethernet, and no super-packets. */
static inline bool decode_plain(const struct packet *packet, struct packet_meta *meta)
{
	struct cursor in = cursor_over(packet->bytes, packet->captured_bytes);
	uint16_t type;

	start_plain(packet, meta);
	if (!plain_link(&in, packet, &type, meta))
		return false;
	bool is_plain = false;
	if (type == ETHERTYPE_IPV4)
		is_plain = plain_ip4(&in, meta);
	else if (type == ETHERTYPE_IPV6)
		is_plain = plain_ip6(&in, meta);
	return is_plain && plain_transport(&in, meta);
}

#endif
