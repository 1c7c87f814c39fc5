/* SPDX-License-Identifier: BSD-2-Clause */
/* Zstandard through libzstd: a piece is a frame, with a checksum. */
#include <errno.h>
#include <zstd.h>

#include "export/compress.h"

extern const struct compress_ops compress_zstd_ops;

static int zstd_open(void **ret_state)
{
	ZSTD_CCtx *state = ZSTD_createCCtx();

	if (!state)
		return -ENOMEM;
	ZSTD_CCtx_setParameter(state, ZSTD_c_checksumFlag, 1);
	*ret_state = state;
	return 0;
}

static size_t zstd_bound(size_t bytes)
{
	return ZSTD_compressBound(bytes);
}

static size_t zstd_piece(
	void *state, const uint8_t *in, size_t in_bytes, uint8_t *out, size_t out_bytes)
{
	size_t length = ZSTD_compress2(state, out, out_bytes, in, in_bytes);

	return ZSTD_isError(length) ? 0 : length;
}

static void zstd_close(void *state)
{
	ZSTD_freeCCtx(state);
}

const struct compress_ops compress_zstd_ops = {
	.open = zstd_open,
	.bound = zstd_bound,
	.piece = zstd_piece,
	.close = zstd_close,
};
