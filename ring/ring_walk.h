/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the blocks of a TPACKET_V3 ring. Works on memory alone: the same code reads the
 * kernel's ring and a ring that a test has filled.
 *
 *        tail               head
 *   | K | held | held | open, partly handed over | U | K | ...
 *
 * K blocks are the kernel's, U blocks wait to be read. A block becomes "held" when its last
 * packet is in a batch, and goes back to the kernel when that batch is released.
 */
#ifndef RING_RING_WALK_H
#define RING_RING_WALK_H

#include "ring/packet.h"

struct ring_walk {
	uint8_t *memory; /* borrowed: block_count blocks of block_bytes */
	uint32_t block_bytes;
	uint32_t block_count;
	bool skips_outgoing; /* loopback: each frame is also seen on its way out */

	uint32_t head_block;      /* the block that is read now, or next */
	uint32_t held_blocks;     /* blocks before the head that the current batch keeps */
	uint32_t next_pkt_offset; /* in the head block */
	uint32_t left_pkts;       /* in the head block */
	uint32_t head_pkts;       /* all that the head block has, once it is open */
	uint64_t head_sequence;   /* the kernel's number of the head block; 0: not known yet */
	bool is_head_open;

	uint64_t newest_ns; /* newest stamp so far */
	uint64_t duplicate_pkts;
	uint64_t damaged_pkts; /* unreachable behind a header that cannot be right */
};

void ring_walk_init(struct ring_walk *walk, void *memory, uint32_t block_bytes,
	uint32_t block_count, bool skips_outgoing);

/* Go on with another ring of the same form, from its first block. What was counted stays. */
void ring_walk_restart(struct ring_walk *walk, void *memory);

/*
 * Go on where somebody else stopped, in the ring that the walk was just made for: blocks before
 * .sequence are given back, .done_pkts packets of it are passed over, all else is read. .block
 * is where in the ring it is, or will be.
 * .sequence 0, or one that does not fit the ring: begin at the oldest block that waits.
 */
void ring_walk_resume(
	struct ring_walk *walk, uint64_t sequence, uint32_t block, uint32_t done_pkts);

/* How many packets of the head block are in batches. */
static inline uint32_t ring_walk_done_pkts(const struct ring_walk *walk)
{
	return walk->is_head_open ? walk->head_pkts - walk->left_pkts : 0;
}

/* Append views to .batch until it is full or no block is ready. */
void ring_walk_fill(struct ring_walk *walk, struct packet_batch *batch);

/* Give back the blocks that were used up by the batches since the last call. */
void ring_walk_release(struct ring_walk *walk);

#endif
