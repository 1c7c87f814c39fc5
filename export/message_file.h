/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files of IPFIX messages (RFC 5655): one message behind the other, the file a transport
 * session. Used by one thread, which it may keep waiting for the disk.
 *
 * A file that is being written ends in ".part". What is in it is whole messages at any moment:
 * they are appended with one write each, or several with one, and what was written in part is
 * cut off again. So after a crash it can be read as it is; compressed, the last piece may be
 * missing, which is at most MESSAGE_FILE_PIECE_BYTES of messages, or those of a second. It gets
 * its name when it is complete:
 *
 *	PATH                               one file for all; an older one is replaced
 *	PATH-20261127T101500Z.ipfix        several, by the time of their first message; "-2"...
 *	                                   behind the time when there is such a file
 *	PATH-20261127T101500Z.ipfix.zst    compressed
 *
 * A ".part" that is there already is what a crash has left: it is kept as PATH.part-1...
 */
#ifndef EXPORT_MESSAGE_FILE_H
#define EXPORT_MESSAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/compress.h"

#define MESSAGE_FILE_PIECE_BYTES 65536u

struct message_file_config {
	const char *path;                   /* borrowed for the file's life */
	bool is_series;                     /* several files, with a time in their names */
	const struct compress_codec *codec; /* NULL: not compressed; else one with operations */
};

struct message_file;

/* 0 or a negative errno. No file is made yet. */
int message_file_new(const struct message_file_config *config, struct message_file **ret_file);

/* Begin a file, after finishing the one before. .begin_s: Unix time for its name. 0 or a
 * negative errno. */
int message_file_begin(struct message_file *file, uint64_t begin_s);

/* Append whole messages, at most MESSAGE_FILE_PIECE_BYTES. Uncompressed they are written when
 * this returns; compressed they may wait for message_file_flush(). 0 or a negative errno; after
 * an error the file is as it was without what was not written, and takes nothing more. */
int message_file_append(struct message_file *file, const uint8_t *bytes, size_t length);

/* Write what waits. Results as above. */
int message_file_flush(struct message_file *file);

/* Octets of messages that are in the file, or in those before it. */
uint64_t message_file_written(const struct message_file *file);

/* Flush and give it its name; nothing happens without a file. 0 or a negative errno, the first
 * of what failed. */
int message_file_finish(struct message_file *file);

void message_file_free(struct message_file *file); /* finishes; NULL is fine */

#endif
