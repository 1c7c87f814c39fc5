/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Geometry of a TPACKET_V3 ring: checks what the operator asked for and turns it into the
 * numbers of the kernel's request. Pure arithmetic, no system call.
 *
 *   | block 0 .......... | block 1 .......... | ... | block N-1 |
 *     block_bytes each; the kernel fills one, hands it over, goes on with the next
 */
#ifndef RING_RING_LAYOUT_H
#define RING_RING_LAYOUT_H

#include <linux/if_packet.h>
#include <stddef.h>
#include <stdint.h>

/* A version 3 ring has frames of any length; the kernel only wants this to divide the block. */
#define RING_FRAME_BYTES 2048u
#define RING_BLOCK_BYTES_MAX (64u << 20)
#define RING_RETIRE_TIMEOUT_MS_MAX 60000u

struct ring_layout {
	struct tpacket_req3 request;
	size_t total_bytes; /* to map */
};

/* Plan a ring. 0, or -EINVAL with a sentence in .error that names the option. */
int ring_layout_plan(uint32_t block_bytes, uint32_t block_count, uint32_t retire_timeout_ms,
	uint32_t page_bytes, struct ring_layout *ret_layout, char *error, size_t error_bytes);

#endif
