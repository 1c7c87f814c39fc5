/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a capture file: decompression, the following of records, and libpcap behind
 * them.
 *
 * Besides what sanitizers see: reading ends, and damage is always told with a place inside of
 * what was read.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ring/capture.h"

/* A small compressed file may hold any number. */
#define PACKETS_MAX 20000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool fact)
{
	if (!fact)
		abort();
}

static int file_of(const uint8_t *data, size_t size)
{
	int fd = memfd_create("capture", MFD_CLOEXEC);

	demand(fd >= 0);
	demand(write(fd, data, size) == (ssize_t)size);
	demand(lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

static void touch(const struct packet *packet)
{
	volatile uint8_t last = 0;

	if (packet->captured_bytes > 0)
		last = packet->bytes[packet->captured_bytes - 1];
	(void)last;
	demand(packet->stamp_ns <= INT64_MAX);
}

static void touch_all(const struct packet_batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		touch(&batch->packets[i]);
		demand(batch->packets[i].stamp_ns <= batch->clock_ns);
	}
}

static void read_all(struct capture *capture, struct view_arena *arena)
{
	static struct packet_batch batch;

	batch.clock_ns = 0;
	for (unsigned read_pkts = 0; read_pkts < PACKETS_MAX; read_pkts += batch.count) {
		batch.count = 0;
		view_arena_reset(arena);
		enum capture_outcome outcome = capture_read(capture, &batch, arena);
		touch_all(&batch);
		demand(outcome != CAPTURE_STOPPED);
		if (outcome == CAPTURE_DAMAGED)
			demand(strstr(capture_error(capture), " at offset ") != NULL);
		if (outcome != CAPTURE_GOES_ON)
			return;
		demand(batch.count > 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[SOURCE_ERROR_BYTES] = "";
	struct capture *capture;
	struct view_arena arena;

	if (capture_open(file_of(data, size), "fuzz", "ip or not ip", &capture, error)) {
		demand(*error != '\0');
		return 0;
	}
	demand(view_arena_open(&arena, 0) == 0);
	read_all(capture, &arena);
	view_arena_close(&arena);
	capture_close(capture);
	return 0;
}
