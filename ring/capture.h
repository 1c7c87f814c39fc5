/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One capture file, pcap or pcapng, read packet by packet through libpcap.
 */
#ifndef RING_CAPTURE_H
#define RING_CAPTURE_H

#include "ring/packet.h"
#include "ring/source.h"

/* Outcomes of capture_next(). */
enum capture_outcome {
	CAPTURE_PACKET,
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

/* The next packet that passes the filter. Its bytes are borrowed until the next call. */
enum capture_outcome capture_next(struct capture *capture, struct packet *ret_packet);

/* See byte_feed_stop_on(); capture_next() then says CAPTURE_STOPPED. */
void capture_stop_on(struct capture *capture, int stop_fd);

/* The next call would have to wait for a slow writer. Never true for regular files. */
bool capture_may_block(const struct capture *capture);

const char *capture_error(const struct capture *capture);
void capture_close(struct capture *capture); /* NULL is fine */

#endif
