/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Geometry of a TPACKET_V3 ring. The kernel answers EINVAL to every mistake alike, so each rule
 * is checked here first and has a sentence of its own.
 */
#include "ring/ring_layout.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>

static bool is_power_of_two(uint32_t value)
{
	return value && !(value & (value - 1));
}

static int check_block(
	uint32_t block_bytes, uint32_t page_bytes, char *error, size_t error_bytes)
{
	if (!is_power_of_two(block_bytes) || block_bytes < page_bytes ||
		block_bytes < RING_FRAME_BYTES) {
		snprintf(error, error_bytes,
			"ring block size %u: must be a power of two and at least a page (%u "
			"bytes)",
			block_bytes, page_bytes);
		return -EINVAL;
	}
	if (block_bytes > RING_BLOCK_BYTES_MAX) {
		snprintf(error, error_bytes, "ring block size %u: must not exceed %u bytes",
			block_bytes, RING_BLOCK_BYTES_MAX);
		return -EINVAL;
	}
	return 0;
}

/* The kernel counts frames, of all blocks together, in 32 bits. */
static int check_count(
	uint32_t block_bytes, uint32_t block_count, char *error, size_t error_bytes)
{
	uint32_t frames_per_block = block_bytes / RING_FRAME_BYTES;

	/* One block to read while the kernel fills another. */
	if (block_count < 2 || block_count > UINT32_MAX / frames_per_block ||
		block_count > PTRDIFF_MAX / block_bytes) {
		snprintf(error, error_bytes,
			"ring block count %u: must be at least 2, and the ring addressable",
			block_count);
		return -EINVAL;
	}
	return 0;
}

/* Zero would let the kernel choose a timeout by link speed, unknown to us. */
static int check_timeout(uint32_t retire_timeout_ms, char *error, size_t error_bytes)
{
	if (retire_timeout_ms == 0 || retire_timeout_ms > RING_RETIRE_TIMEOUT_MS_MAX) {
		snprintf(error, error_bytes, "ring retire timeout %u ms: must be 1 to %u",
			retire_timeout_ms, RING_RETIRE_TIMEOUT_MS_MAX);
		return -EINVAL;
	}
	return 0;
}

int ring_layout_plan(uint32_t block_bytes, uint32_t block_count, uint32_t retire_timeout_ms,
	uint32_t page_bytes, struct ring_layout *ret_layout, char *error, size_t error_bytes)
{
	int outcome = check_block(block_bytes, page_bytes, error, error_bytes);
	if (!outcome)
		outcome = check_count(block_bytes, block_count, error, error_bytes);
	if (!outcome)
		outcome = check_timeout(retire_timeout_ms, error, error_bytes);
	if (outcome)
		return outcome;

	*ret_layout = (struct ring_layout){
		.request = {
			.tp_block_size = block_bytes,
			.tp_block_nr = block_count,
			.tp_frame_size = RING_FRAME_BYTES,
			.tp_frame_nr = block_bytes / RING_FRAME_BYTES * block_count,
			.tp_retire_blk_tov = retire_timeout_ms,
		},
		.total_bytes = (size_t)block_bytes * block_count,
	};
	return 0;
}
