/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a capture file, decompressed where needed, from any descriptor (pipes too).
 *
 *   descriptor -> raw buffer -> (codec ->) plain buffer -> byte_feed_lend()
 *
 * It knows exactly how many plain bytes were read from it, which is what an error is located
 * by.
 */
#ifndef RING_BYTE_FEED_H
#define RING_BYTE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define FEED_REASON_BYTES 160

struct byte_feed;

/* Takes .fd, on failure too. 0, or a negative errno with a sentence in .reason. */
int byte_feed_open(int fd, struct byte_feed **ret_feed, char reason[static FEED_REASON_BYTES]);

/* Do not wait for a slow writer once one of these descriptors is readable: the input ends
 * there. Looked at anew each time, and borrowed as the descriptors are; -1: none. */
#define FEED_STOPS 2
void byte_feed_stop_on(struct byte_feed *feed, const int stop_fds[static FEED_STOPS]);
bool byte_feed_is_stopped(const struct byte_feed *feed);

/* Read at most .want_bytes; 0 at the end; -1 when the input is damaged (byte_feed_reason()).
 * Borrowed until the next call that reads or peeks. */
ssize_t byte_feed_lend(struct byte_feed *feed, size_t want_bytes, const uint8_t **ret_bytes);

/* Look ahead without reading. *ret_bytes is less than .want_bytes (<= FEED_PEEK_BYTES_MAX) only
 * at the end or in front of damage. Borrowed until the next call. */
#define FEED_PEEK_BYTES_MAX 64
const uint8_t *byte_feed_peek(struct byte_feed *feed, size_t want_bytes, size_t *ret_bytes);

/* Plain bytes read so far. */
uint64_t byte_feed_position(const struct byte_feed *feed);

bool byte_feed_is_regular(const struct byte_feed *feed);

/* Reading more would have to wait for a slow writer. Never true for regular files. */
bool byte_feed_may_block(const struct byte_feed *feed);

/* Why the input ended, "" when nothing is wrong with it. */
const char *byte_feed_reason(const struct byte_feed *feed);

void byte_feed_close(struct byte_feed *feed); /* NULL is fine */

#endif
