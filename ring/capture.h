/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One capture file, pcap or pcapng, read packet by packet through libpcap.
 */
#ifndef RING_CAPTURE_H
#define RING_CAPTURE_H

#include "ring/byte_feed.h"
#include "ring/packet.h"
#include "ring/source.h"
#include "ring/view_arena.h"

/* Outcomes of capture_read(). */
enum capture_outcome {
	CAPTURE_GOES_ON, /* the batch is full, or what follows is not there yet */
	CAPTURE_END,
	CAPTURE_STOPPED, /* told to, see capture_stop_on() */
	CAPTURE_DAMAGED, /* capture_error() says where */
};

struct capture;

/*
 * Takes .fd, on failure too. .name (borrowed) is what errors call the file; .filter may be
 * NULL. 0, or a negative errno with a sentence in .error.
 */
int capture_open(int fd, const char *name, const char *filter, struct capture **ret_capture,
	char error[static SOURCE_ERROR_BYTES]);

/* LINKTYPE_ value. */
int capture_link_type(const struct capture *capture);

/*
 * Add the packets that pass the filter to .batch, whose clock does not go back; their bytes go
 * to .arena. Reads until one of both is full, the capture ends, or, when there are packets in
 * the batch, until it would have to wait for a slow writer.
 */
enum capture_outcome capture_read(
	struct capture *capture, struct packet_batch *batch, struct view_arena *arena);

/* See byte_feed_stop_on(); capture_read() then says CAPTURE_STOPPED. */
void capture_stop_on(struct capture *capture, const int stop_fds[static FEED_STOPS]);

/* False: a regular file, never waited for. */
bool capture_is_slow(const struct capture *capture);

const char *capture_error(const struct capture *capture);
void capture_close(struct capture *capture); /* NULL is fine */

#endif
