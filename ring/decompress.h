/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Decompression of capture files: one codec per format, recognised by the first bytes of the
 * file. Which codecs exist is decided by the build.
 */
#ifndef RING_DECOMPRESS_H
#define RING_DECOMPRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room that decompress_find() wants to see of a file, if the file has that much. */
#define DECOMPRESS_MAGIC_BYTES 6

/* Outcomes of .step besides 0 (go on). */
enum {
	DECOMPRESS_STREAM_END = 1, /* a whole stream ended; another one may follow it */
};

/* What a step may consume and fill. It moves the pointers on. */
struct decompress_io {
	const uint8_t *in;
	size_t in_bytes;
	uint8_t *out;
	size_t out_bytes;
	const char *reason; /* of a negative outcome; static text */
};

struct decompress_ops {
	int (*open)(void **ret_state);
	int (*step)(void *state, struct decompress_io *io);
	void (*close)(void *state);
};

struct decompress_codec {
	const char *name;
	uint8_t magic[DECOMPRESS_MAGIC_BYTES];
	size_t magic_bytes;
	const struct decompress_ops *ops; /* NULL: left out of this build */
};

/* The codec of a file that begins with .head; NULL: not compressed. */
const struct decompress_codec *decompress_find(const uint8_t *head, size_t head_bytes);

#endif
