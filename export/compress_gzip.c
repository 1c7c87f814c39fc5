/* SPDX-License-Identifier: BSD-2-Clause */
/* gzip through zlib: a piece is a member. */
#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

#include "export/compress.h"

#define GZIP_WINDOW_BITS (15 + 16) /* 16: with gzip's header and trailer */
#define GZIP_MEMORY_LEVEL 8
#define GZIP_FRAME_BYTES 32 /* more than header and trailer take */

extern const struct compress_ops compress_gzip_ops;

static int gzip_open(void **ret_state)
{
	z_stream *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	if (deflateInit2(state, Z_DEFAULT_COMPRESSION, Z_DEFLATED, GZIP_WINDOW_BITS,
		    GZIP_MEMORY_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
		free(state);
		return -ENOMEM;
	}
	*ret_state = state;
	return 0;
}

static size_t gzip_bound(size_t bytes)
{
	return compressBound((uLong)bytes) + GZIP_FRAME_BYTES;
}

static size_t gzip_piece(
	void *opaque, const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
	z_stream *state = opaque;

	if (deflateReset(state) != Z_OK)
		return 0;
	state->next_in = (Bytef *)(uintptr_t)in;
	state->avail_in = (uInt)in_bytes;
	state->next_out = out;
	state->avail_out = (uInt)out_bytes;
	return deflate(state, Z_FINISH) == Z_STREAM_END ? out_bytes - state->avail_out : 0;
}

static void gzip_close(void *opaque)
{
	deflateEnd(opaque);
	free(opaque);
}

const struct compress_ops compress_gzip_ops = {
	.open = gzip_open,
	.bound = gzip_bound,
	.piece = gzip_piece,
	.close = gzip_close,
};
