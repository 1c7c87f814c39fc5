/* SPDX-License-Identifier: BSD-2-Clause */
/* The LZ4 frame format through liblz4. */
#include "ring/decompress.h"

#include <errno.h>
#include <lz4frame.h>

extern const struct decompress_ops decompress_lz4_ops;

static int lz4_open(void **ret_state)
{
	LZ4F_dctx *context;

	if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
		return -ENOMEM;
	*ret_state = context;
	return 0;
}

static int lz4_step(void *state, struct decompress_io *io)
{
	size_t in_bytes = io->in_bytes;
	size_t out_bytes = io->out_bytes;
	size_t outcome = LZ4F_decompress(state, io->out, &out_bytes, io->in, &in_bytes, NULL);

	if (LZ4F_isError(outcome)) {
		io->reason = LZ4F_getErrorName(outcome);
		return -EBADMSG;
	}
	io->in += in_bytes;
	io->in_bytes -= in_bytes;
	io->out += out_bytes;
	io->out_bytes -= out_bytes;
	/* The context is ready for another frame by itself. */
	return outcome == 0 ? DECOMPRESS_STREAM_END : 0;
}

static void lz4_close(void *state)
{
	LZ4F_freeDecompressionContext(state);
}

const struct decompress_ops decompress_lz4_ops = {
	.open = lz4_open,
	.step = lz4_step,
	.close = lz4_close,
};
