/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Link layers of hosts: Ethernet, raw IP, BSD's address families, Linux's cooked headers,
 * PFLOG. Each ends at the IP header, directly or through decode_ethertype().
 */
#include "sensor/decode_step.h"

/* AF_INET is 2 everywhere; AF_INET6 is what each BSD made of it. */
enum {
	FAMILY_IPV4 = 2,
	FAMILY_IPV6_OPENBSD = 24,
	FAMILY_IPV6_FREEBSD = 28,
	FAMILY_IPV6_DARWIN = 30,
};

/* ARPHRD_ values whose frames have no ethertype in the cooked header. */
enum {
	DEVICE_CAN = 280,
	DEVICE_WIFI_RADIOTAP = 803,
	DEVICE_NETLINK = 824,
};

enum {
	ETHERNET_HEADER_BYTES = 14,
	MAC_BYTES = 6,
	SLL_HEADER_BYTES = 16,
	SLL2_HEADER_BYTES = 20,
	SLL_TYPE_LLC = 4,
	SLL_OUTGOING = 4,
	PFLOG_ALIGNMENT_BYTES = 4,
};

static enum drop_reason announce(struct packet_meta *meta, uint8_t ip_version)
{
	meta->ip_version = ip_version;
	return DROP_NONE;
}

static enum drop_reason decode_family(struct packet_meta *meta, uint32_t family)
{
	switch (family) {
	case FAMILY_IPV4:
		return announce(meta, 4);
	case FAMILY_IPV6_OPENBSD:
	case FAMILY_IPV6_FREEBSD:
	case FAMILY_IPV6_DARWIN:
		return announce(meta, 6);
	default:
		return DROP_FAMILY_NOT_IP;
	}
}

enum drop_reason decode_link_ethernet(struct cursor *in, struct packet_meta *meta)
{
	struct cursor header;
	if (!cursor_split(in, ETHERNET_HEADER_BYTES, &header))
		return DROP_TRUNCATED_LINK;
	cursor_copy(&header, meta->destination_mac, MAC_BYTES);
	cursor_copy(&header, meta->source_mac, MAC_BYTES);
	uint16_t type = cursor_be16(&header);
	if (type == ETHERTYPE_IPV4)
		return announce(meta, 4);
	return decode_ethertype(in, type, meta);
}

/* The version nibble is all there is; the cursor stays in front of it. */
enum drop_reason decode_link_raw(struct cursor *in, struct packet_meta *meta)
{
	struct cursor peek = *in;
	uint8_t version = cursor_u8(&peek) >> 4;
	if (peek.failed)
		return DROP_TRUNCATED_LINK;
	if (version != 4 && version != 6)
		return DROP_BAD_IP_VERSION;
	return announce(meta, version);
}

enum drop_reason decode_link_raw4(struct cursor *in, struct packet_meta *meta)
{
	return announce(meta, 4);
}

enum drop_reason decode_link_raw6(struct cursor *in, struct packet_meta *meta)
{
	return announce(meta, 6);
}

/* NULL is in the byte order of the host that captured, LOOP in network order. A family is a
 * small number, so its position tells the order, whichever of the two the file claims to be. */
enum drop_reason decode_link_null(struct cursor *in, struct packet_meta *meta)
{
	struct cursor header;
	if (!cursor_split(in, 4, &header))
		return DROP_TRUNCATED_LINK;
	struct cursor again = header;
	uint32_t family = cursor_le32(&header);
	if (family > UINT16_MAX)
		family = cursor_be32(&again);
	return decode_family(meta, family);
}

static enum drop_reason decode_sll_type(
	struct cursor *in, uint16_t device, uint16_t type, struct packet_meta *meta)
{
	if (device == DEVICE_CAN || device == DEVICE_WIFI_RADIOTAP || device == DEVICE_NETLINK)
		return DROP_DEVICE_NOT_IP;
	if (type == SLL_TYPE_LLC)
		return decode_ethertype(in, ETHERTYPE_LLC, meta);
	if (type <= ETHERTYPE_LENGTH_MAX)
		return DROP_NOT_IP;
	return decode_ethertype(in, type, meta);
}

/* direction 2, device 2, address length 2, address 8, type 2. The one address is no Ethernet
 * header's pair; it is left alone. */
enum drop_reason decode_link_sll(struct cursor *in, struct packet_meta *meta)
{
	struct cursor header;
	if (!cursor_split(in, SLL_HEADER_BYTES, &header))
		return DROP_TRUNCATED_LINK;
	if (cursor_be16(&header) == SLL_OUTGOING)
		meta->is_outgoing = true;
	uint16_t device = cursor_be16(&header);
	cursor_skip(&header, 2 + 8);
	return decode_sll_type(in, device, cursor_be16(&header), meta);
}

/* type 2, reserved 2, interface 4, device 2, direction 1, address length 1, address 8. */
enum drop_reason decode_link_sll2(struct cursor *in, struct packet_meta *meta)
{
	struct cursor header;
	if (!cursor_split(in, SLL2_HEADER_BYTES, &header))
		return DROP_TRUNCATED_LINK;
	uint16_t type = cursor_be16(&header);
	cursor_skip(&header, 2);
	uint32_t interface = cursor_be32(&header);
	if (meta->if_index == 0)
		meta->if_index = interface;
	uint16_t device = cursor_be16(&header);
	if (cursor_u8(&header) == SLL_OUTGOING)
		meta->is_outgoing = true;
	return decode_sll_type(in, device, type, meta);
}

/* length 1 (of all of it, before padding), family 1, action and rule, padding to 4 octets. */
enum drop_reason decode_link_pflog(struct cursor *in, struct packet_meta *meta)
{
	struct cursor header = *in;
	size_t claimed_bytes = cursor_u8(&header);
	uint8_t family = cursor_u8(&header);
	size_t padded_bytes = (claimed_bytes + PFLOG_ALIGNMENT_BYTES - 1) /
			      PFLOG_ALIGNMENT_BYTES * PFLOG_ALIGNMENT_BYTES;
	if (header.failed || padded_bytes < PFLOG_ALIGNMENT_BYTES)
		return DROP_TRUNCATED_LINK;
	cursor_skip(in, padded_bytes);
	if (in->failed)
		return DROP_TRUNCATED_LINK;
	return decode_family(meta, family);
}
