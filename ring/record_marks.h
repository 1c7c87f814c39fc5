/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Follows where the records of a capture file begin, while somebody else reads it.
 *
 *   | file header | record | record | ...            pcap: a record is a packet
 *   | block | block | block | ...                    pcapng: a block may be anything
 *
 * For places in error texts, and for what libpcap does not tell about a file. Whether a record
 * is any good is not judged here.
 */
#ifndef RING_RECORD_MARKS_H
#define RING_RECORD_MARKS_H

#include "ring/byte_feed.h"

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
	uint64_t record_at;      /* the record that began last starts here */
	uint64_t next_record_at; /* UINT64_MAX: not known any more */
};

/* Look at the head of the file. The feed is at its start, and stays there. */
void record_marks_start(struct record_marks *marks, struct byte_feed *feed);

/* What is looked at to find a record's length. */
#define RECORD_MARKS_HEAD_BYTES 16

/* Before each read of the feed: how many bytes may be read without passing into another record.
 * Never 0. */
uint64_t record_marks_room(struct record_marks *marks, struct byte_feed *feed);

#endif
