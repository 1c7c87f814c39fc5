/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The stdio stream that libpcap reads a capture file from, and where in it libpcap is.
 *
 *   plain regular file    FILE (its own descriptor, a large buffer) -> libpcap
 *   pipe, compressed      byte feed -> chunk -> FILE (a cookie stream) -> libpcap
 *
 * libpcap's position is the stream's: ftello(). The record that lies there is found by the
 * record marks, which are brought up to that position only when somebody asks. Of a plain file
 * the bytes on the way are read once more, from the last place known to be the beginning of a
 * record; of a feed each chunk passes the marks when the next one is asked for.
 */
#ifndef RING_CAPTURE_STREAM_H
#define RING_CAPTURE_STREAM_H

#include <stdio.h>

#include "ring/byte_feed.h"
#include "ring/record_marks.h"

struct capture_stream;

/* Takes .fd, on failure too. 0, or a negative errno with a sentence in .reason. */
int capture_stream_open(
	int fd, struct capture_stream **ret_stream, char reason[static FEED_REASON_BYTES]);

/* For libpcap, which closes it; before capture_stream_close(). */
FILE *capture_stream_file(struct capture_stream *stream);

/* What the records passed so far say of the file: after libpcap has opened it. */
const struct record_marks *capture_stream_marks(struct capture_stream *stream);

/* libpcap has read whole records up to here. */
void capture_stream_note_place(struct capture_stream *stream);

/* libpcap has failed: where the record begins that it could not read, and why not, "" when only
 * libpcap knows. */
uint64_t capture_stream_find_damage(
	struct capture_stream *stream, char ret_reason[static FEED_REASON_BYTES]);

/* See byte_feed_stop_on(). */
void capture_stream_stop_on(
	struct capture_stream *stream, const int stop_fds[static FEED_STOPS]);
bool capture_stream_is_stopped(const struct capture_stream *stream);

/* False: reading never waits for anybody, a regular file. */
bool capture_stream_is_slow(const struct capture_stream *stream);

/* The next record is not there as a whole: it would be waited for. */
bool capture_stream_may_block(const struct capture_stream *stream);

void capture_stream_close(struct capture_stream *stream); /* NULL is fine */

#endif
