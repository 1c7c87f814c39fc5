/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Serial links: PPP (RFC 1661, 1662), PPPoE (RFC 2516), Cisco HDLC, Frame Relay (RFC 2427).
 * Captures of PPP links hold any of several framings under one link type; the first octets
 * tell.
 */
#include "sensor/decode_step.h"

enum {
	PPP_IPV4 = 0x0021,
	PPP_IPV6 = 0x0057,
	PPP_MPLS = 0x0281,
	PPP_MPLS_MULTICAST = 0x0283,
	PPP_COMPRESSED = 0x01, /* an odd first octet is the whole protocol field */
};

enum {
	HDLC_ALL_STATIONS = 0xff, /* with control 0x03: PPP in HDLC-like framing */
	HDLC_UNNUMBERED = 0x03,
	CHDLC_UNICAST = 0x0f,
	CHDLC_MULTICAST = 0x8f,
	CHDLC_HEADER_BYTES = 4,
	PPPOE_HEADER_BYTES = 6,
	PPPOE_SESSION_CODE = 0,
};

/* Q.922 address octets end with the one whose lowest bit is set. */
enum {
	Q922_ADDRESS_BYTES_MIN = 2,
	Q922_ADDRESS_BYTES_MAX = 4,
	Q922_LAST = 0x01,
	NLPID_PAD = 0x00,
	NLPID_SNAP = 0x80,
	NLPID_IPV6 = 0x8e,
	NLPID_IPV4 = 0xcc,
	NLPID_PPP = 0xcf, /* RFC 1973 */
};

enum drop_reason decode_wan_ppp_protocol(struct cursor *in, struct packet_meta *meta)
{
	uint16_t protocol = cursor_u8(in);
	if (!(protocol & PPP_COMPRESSED))
		protocol = (uint16_t)(protocol << 8 | cursor_u8(in));
	if (in->failed)
		return DROP_TRUNCATED_PPP;
	switch (protocol) {
	case PPP_IPV4:
		meta->ip_version = 4;
		return DROP_NONE;
	case PPP_IPV6:
		meta->ip_version = 6;
		return DROP_NONE;
	case PPP_MPLS:
	case PPP_MPLS_MULTICAST:
		return decode_ethertype_mpls(in, meta);
	default:
		return DROP_PPP_NOT_IP;
	}
}

enum drop_reason decode_wan_ppp(struct cursor *in, struct packet_meta *meta)
{
	struct cursor peek = *in;
	uint8_t address = cursor_u8(&peek);
	uint8_t control = cursor_u8(&peek);
	if (peek.failed)
		return DROP_TRUNCATED_PPP;
	if (address == HDLC_ALL_STATIONS && control == HDLC_UNNUMBERED)
		cursor_skip(in, 2);
	else if ((address == CHDLC_UNICAST || address == CHDLC_MULTICAST) && control == 0)
		return decode_wan_chdlc(in, meta);
	return decode_wan_ppp_protocol(in, meta);
}

/* version and type 1, code 1, session 2, length 2, then PPP without its framing. */
enum drop_reason decode_wan_pppoe(struct cursor *in, struct packet_meta *meta)
{
	struct cursor header;
	if (!cursor_split(in, PPPOE_HEADER_BYTES, &header))
		return DROP_TRUNCATED_PPP;
	cursor_skip(&header, 1);
	if (cursor_u8(&header) != PPPOE_SESSION_CODE)
		return DROP_PPPOE_NOT_SESSION;
	return decode_wan_ppp_protocol(in, meta);
}

/* address 1, control 1, ethertype 2. */
enum drop_reason decode_wan_chdlc(struct cursor *in, struct packet_meta *meta)
{
	struct cursor header;
	if (!cursor_split(in, CHDLC_HEADER_BYTES, &header))
		return DROP_TRUNCATED_LINK;
	cursor_skip(&header, 2);
	return decode_ethertype(in, cursor_be16(&header), meta);
}

/* False when the address is cut off or does not end where it must. */
static bool skip_q922_address(struct cursor *in)
{
	for (unsigned i = 1; i <= Q922_ADDRESS_BYTES_MAX; i++) {
		bool is_last = cursor_u8(in) & Q922_LAST;
		if (in->failed)
			return false;
		if (is_last)
			return i >= Q922_ADDRESS_BYTES_MIN;
	}
	return false;
}

/* OUI and type; only ethertypes lead to IP. */
static enum drop_reason decode_frame_relay_snap(struct cursor *in, struct packet_meta *meta)
{
	uint32_t oui = (uint32_t)cursor_u8(in) << 16;
	oui |= cursor_be16(in);
	uint16_t type = cursor_be16(in);
	if (in->failed)
		return DROP_TRUNCATED_LLC;
	if (oui != 0 || type <= ETHERTYPE_LENGTH_MAX)
		return DROP_FRAME_RELAY_NOT_IP;
	return decode_ethertype(in, type, meta);
}

static enum drop_reason decode_nlpid(struct cursor *in, struct packet_meta *meta)
{
	uint8_t nlpid = cursor_u8(in);
	if (nlpid == NLPID_PAD)
		nlpid = cursor_u8(in);
	if (in->failed)
		return DROP_TRUNCATED_LINK;
	switch (nlpid) {
	case NLPID_IPV4:
		meta->ip_version = 4;
		return DROP_NONE;
	case NLPID_IPV6:
		meta->ip_version = 6;
		return DROP_NONE;
	case NLPID_SNAP:
		return decode_frame_relay_snap(in, meta);
	case NLPID_PPP:
		return decode_wan_ppp_protocol(in, meta);
	default:
		return DROP_FRAME_RELAY_NOT_IP;
	}
}

/* Cisco's own encapsulation has an ethertype where RFC 2427 has the control octet 0x03. No
 * ethertype begins with it. */
enum drop_reason decode_wan_frame_relay(struct cursor *in, struct packet_meta *meta)
{
	if (!skip_q922_address(in))
		return in->failed ? DROP_TRUNCATED_LINK : DROP_FRAME_RELAY_NOT_IP;
	struct cursor peek = *in;
	if (cursor_u8(&peek) == HDLC_UNNUMBERED) {
		cursor_skip(in, 1);
		return decode_nlpid(in, meta);
	}
	uint16_t type = cursor_be16(in);
	if (in->failed)
		return DROP_TRUNCATED_LINK;
	if (type <= ETHERTYPE_LENGTH_MAX)
		return DROP_FRAME_RELAY_NOT_IP;
	return decode_ethertype(in, type, meta);
}
