/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * 802.11 and the headers that radios put in front of it. Only data frames that are whole, in
 * the clear and carry one packet have an LLC header, and so IP, behind them.
 *
 *     frame control 2, duration 2, address 1 to 3, sequence 2
 *     [address 4]   between two access points
 *     [QoS 2]       in QoS data      [HT control 4]   in QoS data with the order bit
 *     [padding]     to 4 octets, where the radio says so
 */
#include "sensor/decode_step.h"

/* Frame control, little-endian. */
enum {
	FRAME_VERSION_MASK = 0x0003,
	FRAME_TYPE_MASK = 0x000c,
	FRAME_TYPE_DATA = 0x0008,
	FRAME_NO_DATA = 0x0040,
	FRAME_QOS = 0x0080,
	FRAME_TO_DS = 0x0100,
	FRAME_FROM_DS = 0x0200,
	FRAME_PROTECTED = 0x4000,
	FRAME_ORDER = 0x8000,
};

enum {
	WIFI_MAC_BYTES = 6,
	WIFI_HEADER_BYTES = 24,
	WIFI_QOS_BYTES = 2,
	WIFI_HT_CONTROL_BYTES = 4,
	WIFI_PADDED_TO_BYTES = 4,
	SEQUENCE_FRAGMENT_MASK = 0x000f,
	QOS_AGGREGATE = 0x0080,
};

/* Radiotap: version 1, padding 1, length 2, present words, fields in the order of their bits.
 */
enum {
	RADIOTAP_HEADER_BYTES_MIN = 8,
	RADIOTAP_WORDS_MAX = 32,
	RADIOTAP_TSFT_BYTES = 8, /* aligned to as many */
	RADIOTAP_FLAG_PADDED = 0x20,
};
#define RADIOTAP_HAS_TSFT 0x00000001u
#define RADIOTAP_HAS_FLAGS 0x00000002u
#define RADIOTAP_HAS_NEXT_WORD 0x80000000u

/* Prism: message 4, length 4, fields. Some drivers call an AVS header Prism. */
enum {
	PRISM_HEADER_BYTES = 144,
	AVS_HEADER_BYTES_MIN = 8,
};
#define AVS_MAGIC 0x80211000u
#define AVS_MAGIC_MASK 0xfffff000u

/* Which addresses are source and destination depends on who relays (802.11 9.3.2.1). */
static void read_addresses(struct cursor *in, uint16_t control, struct packet_meta *meta)
{
	bool to_ds = control & FRAME_TO_DS;
	bool from_ds = control & FRAME_FROM_DS;
	uint8_t third[WIFI_MAC_BYTES] = { 0 };

	cursor_copy(in, meta->destination_mac, WIFI_MAC_BYTES);
	cursor_copy(in, meta->source_mac, WIFI_MAC_BYTES);
	cursor_copy(in, third, WIFI_MAC_BYTES);
	if (to_ds)
		memcpy(meta->destination_mac, third, WIFI_MAC_BYTES);
	else if (from_ds)
		memcpy(meta->source_mac, third, WIFI_MAC_BYTES);
}

static enum drop_reason decode_wifi(struct cursor *in, bool is_padded, struct packet_meta *meta)
{
	uint16_t control = cursor_le16(in);
	if (in->failed)
		return DROP_TRUNCATED_WIFI;
	if ((control & (FRAME_VERSION_MASK | FRAME_TYPE_MASK)) != FRAME_TYPE_DATA ||
		control & FRAME_NO_DATA)
		return DROP_WIFI_NOT_DATA;
	size_t header_bytes = WIFI_HEADER_BYTES;
	cursor_skip(in, 2);
	read_addresses(in, control, meta);
	uint16_t sequence = cursor_le16(in);
	if (control & FRAME_TO_DS && control & FRAME_FROM_DS) {
		cursor_copy(in, meta->source_mac, WIFI_MAC_BYTES);
		header_bytes += WIFI_MAC_BYTES;
	}
	uint16_t qos = 0;
	if (control & FRAME_QOS) {
		qos = cursor_le16(in);
		header_bytes += WIFI_QOS_BYTES;
	}
	if (control & FRAME_QOS && control & FRAME_ORDER) {
		cursor_skip(in, WIFI_HT_CONTROL_BYTES);
		header_bytes += WIFI_HT_CONTROL_BYTES;
	}
	if (is_padded && header_bytes % WIFI_PADDED_TO_BYTES)
		cursor_skip(in, WIFI_PADDED_TO_BYTES - header_bytes % WIFI_PADDED_TO_BYTES);
	if (in->failed)
		return DROP_TRUNCATED_WIFI;
	if (control & FRAME_PROTECTED)
		return DROP_WIFI_ENCRYPTED;
	if (sequence & SEQUENCE_FRAGMENT_MASK)
		return DROP_WIFI_LATER_FRAGMENT;
	if (qos & QOS_AGGREGATE)
		return DROP_WIFI_AGGREGATE;
	return decode_ethertype(in, ETHERTYPE_LLC, meta);
}

enum drop_reason decode_wifi_plain(struct cursor *in, struct packet_meta *meta)
{
	return decode_wifi(in, false, meta);
}

/* The flags field, or 0 without one. It is the second field, so only the first can be before.
 */
static uint8_t radiotap_flags(struct cursor header)
{
	cursor_skip(&header, 4);
	uint32_t present = cursor_le32(&header);
	uint32_t word = present;
	size_t offset_bytes = RADIOTAP_HEADER_BYTES_MIN;
	for (unsigned i = 0; i < RADIOTAP_WORDS_MAX && word & RADIOTAP_HAS_NEXT_WORD; i++) {
		word = cursor_le32(&header);
		offset_bytes += sizeof(word);
	}
	if (present & RADIOTAP_HAS_TSFT) {
		if (offset_bytes % RADIOTAP_TSFT_BYTES)
			cursor_skip(&header,
				RADIOTAP_TSFT_BYTES - offset_bytes % RADIOTAP_TSFT_BYTES);
		cursor_skip(&header, RADIOTAP_TSFT_BYTES);
	}
	return present & RADIOTAP_HAS_FLAGS ? cursor_u8(&header) : 0;
}

enum drop_reason decode_wifi_radiotap(struct cursor *in, struct packet_meta *meta)
{
	struct cursor peek = *in;
	cursor_skip(&peek, 2);
	size_t length = cursor_le16(&peek);
	struct cursor header;
	if (length < RADIOTAP_HEADER_BYTES_MIN || !cursor_split(in, length, &header))
		return DROP_TRUNCATED_WIFI;
	return decode_wifi(in, radiotap_flags(header) & RADIOTAP_FLAG_PADDED, meta);
}

/* version 4, length 4, in network order. */
enum drop_reason decode_wifi_avs(struct cursor *in, struct packet_meta *meta)
{
	struct cursor peek = *in;
	cursor_skip(&peek, 4);
	uint32_t length = cursor_be32(&peek);
	if (peek.failed || length < AVS_HEADER_BYTES_MIN)
		return DROP_TRUNCATED_WIFI;
	cursor_skip(in, length);
	return decode_wifi(in, false, meta);
}

enum drop_reason decode_wifi_prism(struct cursor *in, struct packet_meta *meta)
{
	struct cursor peek = *in;
	if ((cursor_be32(&peek) & AVS_MAGIC_MASK) == AVS_MAGIC)
		return decode_wifi_avs(in, meta);
	cursor_skip(in, PRISM_HEADER_BYTES);
	return decode_wifi(in, false, meta);
}
