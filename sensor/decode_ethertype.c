/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an ethertype announces. Tags and LLC headers lead to the next ethertype, labels and
 * PPPoE end in IP; so the walk is a loop over tags with everything else as a way out.
 */
#include "sensor/decode_step.h"

enum {
	ETHERTYPE_ARP = 0x0806,
	ETHERTYPE_VLAN = 0x8100,     /* 802.1Q */
	ETHERTYPE_QINQ = 0x88a8,     /* 802.1ad */
	ETHERTYPE_QINQ_OLD = 0x9100, /* before 802.1ad */
	ETHERTYPE_MPLS = 0x8847,
	ETHERTYPE_MPLS_UPSTREAM = 0x8848,
	ETHERTYPE_PPPOE_SESSION = 0x8864,
};

enum {
	VLAN_ID_MASK = 0x0fff,
	ETHERTYPE_DEPTH_MAX = 64, /* tags and LLC headers in front of IP */
	MPLS_DEPTH_MAX = 64 * 1024 / 4,
	MPLS_BOTTOM = 0x1, /* in the upper 24 bits of an entry */
};

/* 802.2: DSAP 1, SSAP 1, control 1; SNAP adds OUI 3, type 2. */
enum {
	LLC_SAP_SNAP = 0xaa,
	LLC_SAP_IPV4 = 0x06,
	LLC_UNNUMBERED = 0x03,
	SNAP_OUI_RFC1042 = 0x000000,
	SNAP_OUI_BRIDGE_TUNNEL = 0x0000f8,
};

/* One tag; *type becomes what follows it. The two outermost ids are kept. */
static enum drop_reason decode_vlan(
	struct cursor *in, unsigned tags, uint16_t *type, struct packet_meta *meta)
{
	uint16_t tci = cursor_be16(in);
	uint16_t next_type = cursor_be16(in);
	if (in->failed)
		return DROP_TRUNCATED_VLAN;
	*type = next_type;
	if (tags == 0)
		meta->vlan_id = tci & VLAN_ID_MASK;
	else if (tags == 1)
		meta->inner_vlan_id = tci & VLAN_ID_MASK;
	return DROP_NONE;
}

/* LLC, and SNAP where LLC says so; *type becomes the ethertype it stands for. */
static enum drop_reason decode_llc(struct cursor *in, uint16_t *type)
{
	uint16_t saps = cursor_be16(in);
	uint8_t control = cursor_u8(in);
	if (in->failed)
		return DROP_TRUNCATED_LLC;
	if (control != LLC_UNNUMBERED)
		return DROP_LLC_NOT_IP;
	if (saps == (LLC_SAP_IPV4 << 8 | LLC_SAP_IPV4)) {
		*type = ETHERTYPE_IPV4;
		return DROP_NONE;
	}
	if (saps != (LLC_SAP_SNAP << 8 | LLC_SAP_SNAP))
		return DROP_LLC_NOT_IP;
	uint32_t oui = (uint32_t)cursor_u8(in) << 16;
	oui |= cursor_be16(in);
	uint16_t snap_type = cursor_be16(in);
	if (in->failed)
		return DROP_TRUNCATED_LLC;
	bool is_ethertype = oui == SNAP_OUI_RFC1042 || oui == SNAP_OUI_BRIDGE_TUNNEL;
	if (!is_ethertype || snap_type <= ETHERTYPE_LENGTH_MAX)
		return DROP_LLC_NOT_IP;
	*type = snap_type;
	return DROP_NONE;
}

/* Nothing says what the labels carry but the first four bits after them (RFC 4928). */
enum drop_reason decode_ethertype_mpls(struct cursor *in, struct packet_meta *meta)
{
	bool is_bottom = false;
	for (unsigned depth = 0; !is_bottom; depth++) {
		if (depth == MPLS_DEPTH_MAX)
			return DROP_MPLS_TOO_DEEP;
		uint32_t entry = cursor_be32(in) >> 8; /* without the TTL */
		if (in->failed)
			return DROP_TRUNCATED_MPLS;
		if (meta->mpls_count < META_MPLS_MAX)
			meta->mpls[meta->mpls_count++] = entry;
		is_bottom = entry & MPLS_BOTTOM;
	}
	struct cursor peek = *in;
	uint8_t version = cursor_u8(&peek) >> 4;
	if (peek.failed)
		return DROP_TRUNCATED_MPLS;
	if (version != 4 && version != 6)
		return DROP_MPLS_PSEUDO_WIRE;
	meta->ip_version = version;
	return DROP_NONE;
}

enum drop_reason decode_ethertype(struct cursor *in, uint16_t type, struct packet_meta *meta)
{
	unsigned tags = 0;
	for (unsigned depth = 0; depth < ETHERTYPE_DEPTH_MAX; depth++) {
		enum drop_reason reason;
		switch (type) {
		case ETHERTYPE_IPV4:
			meta->ip_version = 4;
			return DROP_NONE;
		case ETHERTYPE_IPV6:
			meta->ip_version = 6;
			return DROP_NONE;
		case ETHERTYPE_VLAN:
		case ETHERTYPE_QINQ:
		case ETHERTYPE_QINQ_OLD:
			reason = decode_vlan(in, tags++, &type, meta);
			break;
		case ETHERTYPE_MPLS:
		case ETHERTYPE_MPLS_UPSTREAM:
			return decode_ethertype_mpls(in, meta);
		case ETHERTYPE_PPPOE_SESSION:
			return decode_wan_pppoe(in, meta);
		case ETHERTYPE_ARP:
			return DROP_ARP;
		default:
			if (type > ETHERTYPE_LENGTH_MAX)
				return DROP_NOT_IP;
			reason = decode_llc(in, &type);
			break;
		}
		if (reason != DROP_NONE)
			return reason;
	}
	return DROP_VLAN_TOO_DEEP;
}
