/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a TPACKET_V3 ring of a few small blocks, through the walk. The first byte says
 * whether outgoing frames are skipped; the rest is the ring's memory, with every block marked
 * as handed over.
 *
 * Besides what sanitizers see: views lie inside their ring, the walk ends, and every block goes
 * back.
 */
#include <linux/if_packet.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "ring/ring_walk.h"

#define BLOCK_BYTES 1024u
#define BLOCKS 3u
#define RING_BYTES (BLOCK_BYTES * BLOCKS)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool fact)
{
	if (!fact)
		abort();
}

static uint32_t *status_of(uint8_t *ring, uint32_t block)
{
	struct tpacket_block_desc *desc =
		(struct tpacket_block_desc *)(ring + (size_t)block * BLOCK_BYTES);

	return &desc->hdr.bh1.block_status;
}

static void check_views(const struct packet_batch *batch, const uint8_t *ring)
{
	for (unsigned i = 0; i < batch->count; i++) {
		const struct packet *view = &batch->packets[i];
		demand(view->bytes >= ring && view->bytes <= ring + RING_BYTES);
		demand(view->captured_bytes <= (size_t)(ring + RING_BYTES - view->bytes));
		demand(view->wire_bytes >= view->captured_bytes);
		demand((view->gso == PACKET_GSO_NONE) || view->gso_bytes > 0);
	}
}

/* The largest plausible count of packets in a ring bounds the number of batches. */
static void walk_to_the_end(struct ring_walk *walk, const uint8_t *ring)
{
	static struct packet_batch batch;
	unsigned batches = 0;

	do {
		batch.count = 0;
		ring_walk_fill(walk, &batch);
		check_views(&batch, ring);
		ring_walk_release(walk);
		demand(batches++ <= RING_BYTES / sizeof(struct tpacket3_hdr));
	} while (batch.count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ring_walk walk;
	uint8_t *ring = calloc(1, RING_BYTES);

	demand(ring != NULL);
	if (size > 1)
		memcpy(ring, data + 1, size - 1 < RING_BYTES ? size - 1 : RING_BYTES);
	for (uint32_t block = 0; block < BLOCKS; block++)
		*status_of(ring, block) = TP_STATUS_USER;
	ring_walk_init(&walk, ring, BLOCK_BYTES, BLOCKS, size > 0 && data[0] & 1);
	walk_to_the_end(&walk, ring);
	for (uint32_t block = 0; block < BLOCKS; block++)
		demand(*status_of(ring, block) == TP_STATUS_KERNEL);
	free(ring);
	return 0;
}
