/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Compression of what is written to files, piece by piece: each piece can be read by itself,
 * and any number of them one behind the other are a file of that kind. Which codecs exist is
 * decided by the build.
 */
#ifndef EXPORT_COMPRESS_H
#define EXPORT_COMPRESS_H

#include <stddef.h>
#include <stdint.h>

struct compress_ops {
	int (*open)(void **ret_state); /* 0 or a negative errno */
	size_t (*bound)(size_t bytes); /* room for a piece made of so many octets */
	/* The length of the piece, or 0 when that failed. */
	size_t (*piece)(void *state, const uint8_t *in, size_t in_bytes, uint8_t *out,
		size_t out_bytes);
	void (*close)(void *state);
};

struct compress_codec {
	const char *name;
	const char *suffix;             /* of file names */
	const struct compress_ops *ops; /* NULL: left out of this build */
};

/* NULL: there is no such codec. */
const struct compress_codec *compress_find(const char *name);

#endif
