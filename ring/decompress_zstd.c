/* SPDX-License-Identifier: BSD-2-Clause */
/* Zstandard through libzstd. */
#include "ring/decompress.h"

#include <errno.h>
#include <zstd.h>

extern const struct decompress_ops decompress_zstd_ops;

static int zstd_open(void **ret_state)
{
	*ret_state = ZSTD_createDStream();
	return *ret_state ? 0 : -ENOMEM;
}

static int zstd_step(void *state, struct decompress_io *io)
{
	ZSTD_inBuffer in = { .src = io->in, .size = io->in_bytes };
	ZSTD_outBuffer out = { .dst = io->out, .size = io->out_bytes };
	size_t outcome = ZSTD_decompressStream(state, &out, &in);

	io->in += in.pos;
	io->in_bytes -= in.pos;
	io->out += out.pos;
	io->out_bytes -= out.pos;
	if (ZSTD_isError(outcome)) {
		io->reason = ZSTD_getErrorName(outcome);
		return -EBADMSG;
	}
	/* A stream that starts anew with the next input needs no reset. */
	return outcome == 0 ? DECOMPRESS_STREAM_END : 0;
}

static void zstd_close(void *state)
{
	ZSTD_freeDStream(state);
}

const struct decompress_ops decompress_zstd_ops = {
	.open = zstd_open,
	.step = zstd_step,
	.close = zstd_close,
};
