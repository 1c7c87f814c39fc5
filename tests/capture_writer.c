/* SPDX-License-Identifier: BSD-2-Clause */
/* Capture files in memory. Formats: draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng. */
#include "tests/capture_writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PCAP_MAGIC_US 0xa1b2c3d4u
#define PCAP_MAGIC_NS 0xa1b23c4du
#define NG_SECTION 0x0a0d0d0au
#define NG_INTERFACE 1u
#define NG_ENHANCED_PACKET 6u
#define NG_ORDER_MAGIC 0x1a2b3c4du
/* Type, length, and the length again at the end. */
#define NG_FRAME_BYTES 12u

static void put(struct capture_writer *writer, const void *bytes, size_t count)
{
	if (writer->count + count > sizeof(writer->bytes))
		abort();
	if (count > 0)
		memcpy(writer->bytes + writer->count, bytes, count);
	writer->count += count;
}

static void put_number(struct capture_writer *writer, uint32_t value, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++) {
		unsigned shift = 8 * (writer->is_big_endian ? bytes - 1 - i : i);
		put(writer, &(uint8_t){ (uint8_t)(value >> shift) }, 1);
	}
}

static void put_u32(struct capture_writer *writer, uint32_t value)
{
	put_number(writer, value, 4);
}

static void put_u16(struct capture_writer *writer, uint16_t value)
{
	put_number(writer, value, 2);
}

void writer_pcap(struct capture_writer *writer, bool is_big_endian, bool is_ns,
	uint32_t snap_bytes, uint32_t link_type)
{
	writer->count = 0;
	writer->is_big_endian = is_big_endian;
	put_u32(writer, is_ns ? PCAP_MAGIC_NS : PCAP_MAGIC_US);
	put_u16(writer, 2);
	put_u16(writer, 4);
	put_u32(writer, 0);
	put_u32(writer, 0);
	put_u32(writer, snap_bytes);
	put_u32(writer, link_type);
}

void writer_record(struct capture_writer *writer, uint32_t seconds, uint32_t fraction,
	const void *bytes, uint32_t captured_bytes, uint32_t wire_bytes)
{
	put_u32(writer, seconds);
	put_u32(writer, fraction);
	put_u32(writer, captured_bytes);
	put_u32(writer, wire_bytes);
	put(writer, bytes, captured_bytes);
}

void writer_section(struct capture_writer *writer, bool is_big_endian)
{
	writer->count = 0;
	writer->is_big_endian = is_big_endian;
	put_u32(writer, NG_SECTION);
	put_u32(writer, 28);
	put_u32(writer, NG_ORDER_MAGIC);
	put_u16(writer, 1);
	put_u16(writer, 0);
	put_u32(writer, UINT32_MAX); /* section length, 64 bits: unknown */
	put_u32(writer, UINT32_MAX);
	put_u32(writer, 28);
}

void writer_interface(struct capture_writer *writer, uint16_t link_type, uint32_t snap_bytes)
{
	put_u32(writer, NG_INTERFACE);
	put_u32(writer, 20);
	put_u16(writer, link_type);
	put_u16(writer, 0);
	put_u32(writer, snap_bytes);
	put_u32(writer, 20);
}

void writer_packet(struct capture_writer *writer, uint32_t interface, uint64_t stamp_us,
	const void *bytes, uint32_t captured_bytes, uint32_t wire_bytes)
{
	static const uint8_t padding[4];
	uint32_t padding_bytes = -captured_bytes & 3u;
	uint32_t block_bytes = NG_FRAME_BYTES + 20 + captured_bytes + padding_bytes;

	put_u32(writer, NG_ENHANCED_PACKET);
	put_u32(writer, block_bytes);
	put_u32(writer, interface);
	put_u32(writer, (uint32_t)(stamp_us >> 32));
	put_u32(writer, (uint32_t)stamp_us);
	put_u32(writer, captured_bytes);
	put_u32(writer, wire_bytes);
	put(writer, bytes, captured_bytes);
	put(writer, padding, padding_bytes);
	put_u32(writer, block_bytes);
}

void writer_block(
	struct capture_writer *writer, uint32_t type, const void *body, uint32_t body_bytes)
{
	put_u32(writer, type);
	put_u32(writer, NG_FRAME_BYTES + body_bytes);
	put(writer, body, body_bytes);
	put_u32(writer, NG_FRAME_BYTES + body_bytes);
}

void writer_save(const void *bytes, size_t count, const char *path)
{
	FILE *file = fopen(path, "wb");

	if (!file || fwrite(bytes, 1, count, file) != count || fclose(file))
		abort();
}
