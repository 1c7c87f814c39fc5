/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes captures of marked packets, replays files to their end through the source, and keeps
 * what came out for the assertions.
 */
#ifndef TESTS_PCAP_REPLAY_H
#define TESTS_PCAP_REPLAY_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ring/source.h"
#include "tests/capture_writer.h"

#define ETHERNET 1
#define SECOND_NS 1000000000ull
#define SECONDS 1700000000u
#define REPLAY_PATH_BYTES 128
#define REPLAY_PACKETS_MAX 4096

struct replay {
	int open_outcome;
	int outcome;
	unsigned batches;
	unsigned count;
	uint64_t clock_ns;
	uint64_t received_pkts;
	int link_type;
	uint64_t stamps_ns[REPLAY_PACKETS_MAX];
	uint32_t captured_bytes[REPLAY_PACKETS_MAX];
	uint32_t wire_bytes[REPLAY_PACKETS_MAX];
	uint8_t marks[REPLAY_PACKETS_MAX]; /* first byte of each packet */
	char error[SOURCE_ERROR_BYTES];
};

extern struct replay result; /* of the last replay */
extern struct capture_writer writer;
extern char path_a[REPLAY_PATH_BYTES], path_b[REPLAY_PATH_BYTES];

/* Group fixtures: a directory for path_a and path_b. */
int replay_make_directory(void **state);
int replay_remove_directory(void **state);

/* An Ethernet frame around IPv4, of 60 bytes that begin with the mark; odd marks are UDP. */
const uint8_t *replay_frame(uint8_t mark);

/* Fill the writer with packets marked 0, 1, 2... of 60 bytes, a second apart. */
void replay_write_pcap(unsigned packets, bool is_big_endian, bool is_ns);

/* What the writer holds. */
void replay_save(const char *path);

void replay_with(struct source_config config);
void replay_files(const char *first, const char *second); /* second may be NULL */

/* It opened, and gave packets marked 0, 1, 2... */
void replay_expect_packets(unsigned count);

#endif
