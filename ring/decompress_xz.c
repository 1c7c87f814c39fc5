/* SPDX-License-Identifier: BSD-2-Clause */
/* xz through liblzma. */
#include "ring/decompress.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

/* Dictionaries larger than what `xz -9` makes are refused: a few bytes must not cost gigabytes.
 */
#define XZ_MEMORY_BYTES_MAX (256ull << 20)

extern const struct decompress_ops decompress_xz_ops;

static int start(lzma_stream *stream)
{
	return lzma_stream_decoder(stream, XZ_MEMORY_BYTES_MAX, 0) == LZMA_OK ? 0 : -ENOMEM;
}

static int xz_open(void **ret_state)
{
	lzma_stream *stream = calloc(1, sizeof(*stream));

	if (!stream)
		return -ENOMEM;
	if (start(stream)) {
		free(stream);
		return -ENOMEM;
	}
	*ret_state = stream;
	return 0;
}

static const char *reason_of(lzma_ret outcome)
{
	switch (outcome) {
	case LZMA_MEMLIMIT_ERROR:
		return "needs too much memory to decompress";
	case LZMA_MEM_ERROR:
		return "out of memory";
	case LZMA_FORMAT_ERROR:
		return "not an xz stream";
	case LZMA_OPTIONS_ERROR:
		return "options of the stream are not supported";
	default:
		return "compressed data is corrupt";
	}
}

static int xz_step(void *state, struct decompress_io *io)
{
	lzma_stream *stream = state;

	stream->next_in = io->in;
	stream->avail_in = io->in_bytes;
	stream->next_out = io->out;
	stream->avail_out = io->out_bytes;
	lzma_ret outcome = lzma_code(stream, LZMA_RUN);
	io->in = stream->next_in;
	io->in_bytes = stream->avail_in;
	io->out = stream->next_out;
	io->out_bytes = stream->avail_out;
	if (outcome == LZMA_STREAM_END)
		return start(stream) ? -ENOMEM : DECOMPRESS_STREAM_END;
	if (outcome == LZMA_OK || outcome == LZMA_BUF_ERROR)
		return 0;
	io->reason = reason_of(outcome);
	return -EBADMSG;
}

static void xz_close(void *state)
{
	lzma_end(state);
	free(state);
}

const struct decompress_ops decompress_xz_ops = {
	.open = xz_open,
	.step = xz_step,
	.close = xz_close,
};
