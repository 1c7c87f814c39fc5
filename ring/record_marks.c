/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows where the records of a capture file begin. Only lengths, byte orders and the first
 * link type are read (draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng).
 */
#include "ring/record_marks.h"

#include <string.h>

#define NS_PER_US 1000

#define PCAP_MAJOR_OFFSET 4
#define PCAP_MINOR_OFFSET 6
#define PCAP_LINK_TYPE_OFFSET 20
#define PCAP_LINK_TYPE_MASK 0x03ffffffu /* the rest is about frame check sequences */
#define PCAP_MAGIC_HIGH 0xa1b2u         /* of all magics, in the file's own byte order */
#define PCAP_NS_MAGIC 0xa1b23c4du
#define PCAP_PATCHED_MAGIC 0xa1b2cd34u /* longer record headers */

#define RECORD_HEAD_BYTES 16
#define PATCHED_RECORD_HEAD_BYTES 24
#define RECORD_FIRST_LENGTH_OFFSET 8
#define RECORD_SECOND_LENGTH_OFFSET 12

#define NG_SECTION_TYPE 0x0a0d0d0au /* reads the same in both orders */
#define NG_INTERFACE_TYPE 1u
#define NG_ORDER_MAGIC 0x1a2b3c4du
#define NG_LENGTH_OFFSET 4
#define NG_BODY_OFFSET 8 /* a section's order magic, an interface's link type */
#define NG_HEAD_BYTES 12
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

/* -- what the head of a record says --------------------------------------------------- */

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

static uint64_t record_bytes(const struct record_marks *marks, const uint8_t *head)
{
	return (uint64_t)marks->header_bytes + captured_bytes(marks, head);
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

static uint64_t block_bytes(struct record_marks *marks, const uint8_t *head)
{
	note_block(marks, head);
	return read_u32(marks, head + NG_LENGTH_OFFSET);
}

/* -- the way -------------------------------------------------------------------------- */

static void enter_record(struct record_marks *marks, const uint8_t *head)
{
	uint64_t bytes = marks->is_ng ? block_bytes(marks, head) : record_bytes(marks, head);

	marks->next_record_at =
		bytes < NG_BLOCK_BYTES_MIN ? UINT64_MAX : marks->record_at + bytes;
}

/* A head that is not there as a whole is put together; others are looked at where they are. */
static void gather_head(struct record_marks *marks, const uint8_t *bytes, size_t count)
{
	size_t want_bytes = marks->is_ng ? NG_HEAD_BYTES : RECORD_HEAD_BYTES;
	size_t more_bytes = want_bytes - marks->got_head_bytes;

	if (more_bytes > count)
		more_bytes = count;
	memcpy(marks->head + marks->got_head_bytes, bytes, more_bytes);
	marks->got_head_bytes += more_bytes;
	marks->next_record_at = UINT64_MAX;
	if (marks->got_head_bytes < want_bytes)
		return;
	marks->got_head_bytes = 0;
	enter_record(marks, marks->head);
}

void record_marks_pass(struct record_marks *marks, const uint8_t *bytes, size_t count)
{
	uint64_t start = marks->at;

	if (count == 0)
		return;
	marks->at += count;
	if (marks->got_head_bytes > 0)
		gather_head(marks, bytes, count);
	/* Ends: no record is shorter than NG_BLOCK_BYTES_MIN. */
	while (marks->next_record_at < marks->at) {
		size_t there_bytes = (size_t)(marks->at - marks->next_record_at);
		const uint8_t *head = bytes + (marks->next_record_at - start);

		marks->record_at = marks->next_record_at;
		if (there_bytes < RECORD_HEAD_BYTES)
			gather_head(marks, head, there_bytes);
		else
			enter_record(marks, head);
	}
}

uint64_t record_marks_whole(const struct record_marks *marks)
{
	return marks->next_record_at <= marks->at ? marks->next_record_at : marks->record_at;
}

/* -- the beginning -------------------------------------------------------------------- */

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
	marks->header_bytes =
		magic == PCAP_PATCHED_MAGIC ? PATCHED_RECORD_HEAD_BYTES : RECORD_HEAD_BYTES;
	marks->length_order = length_order_of(read_u16(marks, head + PCAP_MAJOR_OFFSET),
		read_u16(marks, head + PCAP_MINOR_OFFSET));
	marks->link_type =
		(int)(read_u32(marks, head + PCAP_LINK_TYPE_OFFSET) & PCAP_LINK_TYPE_MASK);
	marks->next_record_at = RECORD_MARKS_START_BYTES;
}

void record_marks_start(struct record_marks *marks, const uint8_t *bytes, size_t count)
{
	*marks = (struct record_marks){ .next_record_at = UINT64_MAX };
	marks->is_ng = count >= sizeof(uint32_t) && read_u32(marks, bytes) == NG_SECTION_TYPE;
	if (marks->is_ng)
		marks->next_record_at = 0;
	else if (count == RECORD_MARKS_START_BYTES)
		note_pcap_header(marks, bytes);
}

void record_marks_resume(struct record_marks *marks, uint64_t at)
{
	marks->at = at;
	marks->record_at = at;
	marks->next_record_at = at;
	marks->got_head_bytes = 0;
}
