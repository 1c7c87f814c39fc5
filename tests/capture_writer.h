/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Capture files in memory, byte by byte: either order, micro- or nanoseconds, pcap or pcapng,
 * and as wrong as a test wants them.
 */
#ifndef TESTS_CAPTURE_WRITER_H
#define TESTS_CAPTURE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CAPTURE_BYTES_MAX (1u << 20)

struct capture_writer {
	uint8_t bytes[CAPTURE_BYTES_MAX];
	size_t count;
	bool is_big_endian;
};

/* pcap */
void writer_pcap(struct capture_writer *writer, bool is_big_endian, bool is_ns,
	uint32_t snap_bytes, uint32_t link_type);
void writer_record(struct capture_writer *writer, uint32_t seconds, uint32_t fraction,
	const void *bytes, uint32_t captured_bytes, uint32_t wire_bytes);

/* pcapng */
void writer_section(struct capture_writer *writer, bool is_big_endian);
void writer_interface(struct capture_writer *writer, uint16_t link_type, uint32_t snap_bytes);
void writer_packet(struct capture_writer *writer, uint32_t interface, uint64_t stamp_us,
	const void *bytes, uint32_t captured_bytes, uint32_t wire_bytes);
void writer_block(struct capture_writer *writer, uint32_t type, const void *body,
	uint32_t body_bytes); /* a multiple of 4 */

/* Write the first .count bytes to a file. Aborts when that fails. */
void writer_save(const void *bytes, size_t count, const char *path);

#endif
