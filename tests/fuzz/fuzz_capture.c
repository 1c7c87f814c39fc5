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

static void read_all(struct capture *capture)
{
	for (unsigned i = 0; i < PACKETS_MAX; i++) {
		struct packet packet;
		switch (capture_next(capture, &packet)) {
		case CAPTURE_PACKET:
			touch(&packet);
			continue;
		case CAPTURE_END:
		case CAPTURE_STOPPED:
			return;
		case CAPTURE_DAMAGED:
			demand(strstr(capture_error(capture), " at offset ") != NULL);
			return;
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char error[SOURCE_ERROR_BYTES] = "";
	struct capture *capture;

	if (capture_open(file_of(data, size), "fuzz", "ip or not ip", &capture, error)) {
		demand(*error != '\0');
		return 0;
	}
	read_all(capture);
	capture_close(capture);
	return 0;
}
