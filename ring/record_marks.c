/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows where the records of a capture file begin. Only lengths, byte orders and the first
 * link type are read (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
 */
#include "ring/record_marks.h"

#define NS_PER_US 1000

#define PCAP_HEADER_BYTES 24
#define PCAP_MAJOR_OFFSET 4
#define PCAP_MINOR_OFFSET 6
#define PCAP_LINK_TYPE_OFFSET 20
#define PCAP_LINK_TYPE_MASK 0x03ffffffu /* the rest is about frame check sequences */
#define PCAP_MAGIC_HIGH 0xa1b2u         /* of all magics, in the file's own byte order */
#define PCAP_NS_MAGIC 0xa1b23c4du
#define PCAP_PATCHED_MAGIC 0xa1b2cd34u /* longer record headers */

#define RECORD_BYTES RECORD_MARKS_HEAD_BYTES
#define PATCHED_RECORD_BYTES 24
#define RECORD_FIRST_LENGTH_OFFSET 8
#define RECORD_SECOND_LENGTH_OFFSET 12

#define NG_SECTION_TYPE 0x0a0d0d0au /* reads the same in both orders */
#define NG_INTERFACE_TYPE 1u
#define NG_ORDER_MAGIC 0x1a2b3c4du
#define NG_LENGTH_OFFSET 4
#define NG_BODY_OFFSET 8 /* a section's order magic, an interface's link type */
#define NG_PEEK_BYTES 12
#define NG_BLOCK_BYTES_MIN 12

static unsigned read_u16(const struct record_marks *marks, const uint8_t *from)
{
	return marks->is_big_endian ? (unsigned)from[0] << 8 | from[1]
				    : (unsigned)from[1] << 8 | from[0];
}

static uint32_t read_u32(const struct record_marks *marks, const uint8_t *from)
{
	uint32_t first = read_u16(marks, from);
	uint32_t second = read_u16(marks, from + 2);

	return marks->is_big_endian ? first << 16 | second : second << 16 | first;
}

static uint32_t captured_bytes(const struct record_marks *marks, const uint8_t *record)
{
	uint32_t first = read_u32(marks, record + RECORD_FIRST_LENGTH_OFFSET);
	uint32_t second = read_u32(marks, record + RECORD_SECOND_LENGTH_OFFSET);

	switch (marks->length_order) {
	case WIRE_FIRST:
		return second;
	case SMALLER_IS_CAPTURED:
		return first < second ? first : second;
	default:
		return first;
	}
}

static void enter_record(struct record_marks *marks, struct byte_feed *feed)
{
	size_t bytes;
	const uint8_t *head = byte_feed_peek(feed, RECORD_BYTES, &bytes);

	if (bytes == RECORD_BYTES)
		marks->next_record_at =
			marks->record_at + marks->header_bytes + captured_bytes(marks, head);
}

/* A section may change the byte order. */
static void note_block(struct record_marks *marks, const uint8_t *head)
{
	switch (read_u32(marks, head)) {
	case NG_SECTION_TYPE:
		marks->is_big_endian = false;
		marks->is_big_endian = read_u32(marks, head + NG_BODY_OFFSET) != NG_ORDER_MAGIC;
		break;
	case NG_INTERFACE_TYPE:
		if (!marks->has_interface)
			marks->link_type = (int)read_u16(marks, head + NG_BODY_OFFSET);
		marks->has_interface = true;
		break;
	}
}

static void enter_block(struct record_marks *marks, struct byte_feed *feed)
{
	size_t bytes;
	const uint8_t *head = byte_feed_peek(feed, NG_PEEK_BYTES, &bytes);

	if (bytes < NG_PEEK_BYTES)
		return;
	note_block(marks, head);
	uint32_t block_bytes = read_u32(marks, head + NG_LENGTH_OFFSET);
	/* Less cannot be: the reader will say so, and needs to get at it. */
	if (block_bytes >= NG_BLOCK_BYTES_MIN)
		marks->next_record_at = marks->record_at + block_bytes;
}

static enum length_order length_order_of(unsigned major, unsigned minor)
{
	if (major != 2 || minor < 3)
		return WIRE_FIRST;
	return minor == 3 ? SMALLER_IS_CAPTURED : CAPTURED_FIRST;
}

static void note_pcap_header(struct record_marks *marks, const uint8_t *head)
{
	marks->is_big_endian = (head[0] << 8 | head[1]) == PCAP_MAGIC_HIGH;
	uint32_t magic = read_u32(marks, head);
	marks->stamp_unit_ns = magic == PCAP_NS_MAGIC ? 1 : NS_PER_US;
	marks->header_bytes = magic == PCAP_PATCHED_MAGIC ? PATCHED_RECORD_BYTES : RECORD_BYTES;
	marks->length_order = length_order_of(read_u16(marks, head + PCAP_MAJOR_OFFSET),
		read_u16(marks, head + PCAP_MINOR_OFFSET));
	marks->link_type =
		(int)(read_u32(marks, head + PCAP_LINK_TYPE_OFFSET) & PCAP_LINK_TYPE_MASK);
	marks->next_record_at = PCAP_HEADER_BYTES;
}

void record_marks_start(struct record_marks *marks, struct byte_feed *feed)
{
	size_t bytes;
	const uint8_t *head = byte_feed_peek(feed, PCAP_HEADER_BYTES, &bytes);

	*marks = (struct record_marks){ .next_record_at = UINT64_MAX };
	marks->is_ng = bytes >= sizeof(uint32_t) && read_u32(marks, head) == NG_SECTION_TYPE;
	if (marks->is_ng)
		marks->next_record_at = 0;
	else if (bytes == PCAP_HEADER_BYTES)
		note_pcap_header(marks, head);
}

uint64_t record_marks_room(struct record_marks *marks, struct byte_feed *feed)
{
	uint64_t position = byte_feed_position(feed);

	if (position == marks->next_record_at) {
		marks->record_at = position;
		marks->next_record_at = UINT64_MAX;
		if (marks->is_ng)
			enter_block(marks, feed);
		else
			enter_record(marks, feed);
	}
	return marks->next_record_at - position;
}
