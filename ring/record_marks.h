/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows where the records of a capture file begin, as its bytes pass in chunks of any size.
 *
 *   | file header | record | record | ...            pcap: a record is a packet
 *   | block | block | block | ...                    pcapng: a block may be anything
 *
 *                 the bytes that passed end here: .at
 *                          v
 *   | head body | head body ...    |
 *               ^ .record_at       ^ .next_record_at
 *
 * For places in error texts, for what libpcap does not tell about a file, and to know which
 * records of a slow pipe are whole. Whether a record is any good is not judged here: a length
 * that cannot be ends the way, and libpcap, which refuses it too, comes no further either.
 */
#ifndef RING_RECORD_MARKS_H
#define RING_RECORD_MARKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What record_marks_start() wants to see of the file. */
#define RECORD_MARKS_START_BYTES 24
#define RECORD_MARKS_HEAD_BYTES_MAX 16

/* Old versions of pcap have the two lengths of a record the other way round. */
enum length_order {
	CAPTURED_FIRST,
	WIRE_FIRST,
	SMALLER_IS_CAPTURED, /* version 2.3: either */
};

struct record_marks {
	int link_type; /* LINKTYPE_ value, of the first interface */
	bool is_ng;
	bool is_big_endian;
	bool has_interface;    /* pcapng: the first interface was seen */
	int64_t stamp_unit_ns; /* pcap: of the stamps' fraction; pcapng: 0 */
	uint32_t header_bytes; /* pcap: of a record */
	enum length_order length_order;
	uint64_t at;             /* bytes that passed */
	uint64_t record_at;      /* the record that holds the last of them starts here */
	uint64_t next_record_at; /* UINT64_MAX: not known (yet) */
	uint8_t head[RECORD_MARKS_HEAD_BYTES_MAX]; /* of a record that comes in two chunks */
	size_t got_head_bytes;                     /* 0: none is waited for */
};

/* Look at the first bytes of the file (fewer when it is shorter). They have not passed yet. */
void record_marks_start(struct record_marks *marks, const uint8_t *bytes, size_t count);

/* The next bytes of the file. */
void record_marks_pass(struct record_marks *marks, const uint8_t *bytes, size_t count);

/* Go on from another place, where a record begins. (libpcap takes no pcapng file that changes
 * its byte order on the way.) */
void record_marks_resume(struct record_marks *marks, uint64_t at);

/* Up to here all records that passed are whole. */
uint64_t record_marks_whole(const struct record_marks *marks);

#endif
