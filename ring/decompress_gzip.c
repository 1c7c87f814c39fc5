/* SPDX-License-Identifier: BSD-2-Clause */
/* gzip through zlib. */
#include "ring/decompress.h"

#include <errno.h>
#include <stdlib.h>

#define ZLIB_CONST
#include <zlib.h>

/* Largest window, and the gzip wrapper only. */
#define GZIP_WINDOW_BITS (15 + 16)

extern const struct decompress_ops decompress_gzip_ops;

static int gzip_open(void **ret_state)
{
	z_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return -ENOMEM;
	if (inflateInit2(stream, GZIP_WINDOW_BITS) != Z_OK) {
		free(stream);
		return -ENOMEM;
	}
	*ret_state = stream;
	return 0;
}

static int gzip_step(void *state, struct decompress_io *io)
{
	z_stream *stream = state;

	stream->next_in = io->in;
	stream->avail_in = (uInt)io->in_bytes;
	stream->next_out = io->out;
	stream->avail_out = (uInt)io->out_bytes;
	int outcome = inflate(stream, Z_NO_FLUSH);
	io->in = stream->next_in;
	io->in_bytes = stream->avail_in;
	io->out = stream->next_out;
	io->out_bytes = stream->avail_out;
	if (outcome == Z_STREAM_END)
		return inflateReset(stream) == Z_OK ? DECOMPRESS_STREAM_END : -EIO;
	if (outcome == Z_OK || outcome == Z_BUF_ERROR)
		return 0;
	io->reason = stream->msg ? stream->msg : "cannot be decompressed";
	return -EBADMSG;
}

static void gzip_close(void *state)
{
	inflateEnd(state);
	free(state);
}

const struct decompress_ops decompress_gzip_ops = {
	.open = gzip_open,
	.step = gzip_step,
	.close = gzip_close,
};
