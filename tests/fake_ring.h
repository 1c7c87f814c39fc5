/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plays the kernel's part of a TPACKET_V3 ring in plain memory: fills genuine blocks, retires
 * them, stands still when the next block was not handed back. The page behind the ring is not
 * readable, so that whoever reads past the last block is caught with or without a sanitizer.
 */
#ifndef TESTS_FAKE_RING_H
#define TESTS_FAKE_RING_H

#include <linux/if_packet.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_ring {
	uint8_t *memory;
	size_t mapped_bytes;
	uint32_t block_bytes;
	uint32_t block_count;
	uint32_t current;     /* the block that is being filled */
	uint32_t used_bytes;  /* of it; 0: not opened yet */
	uint32_t last_offset; /* of the last packet in it */
	uint64_t next_sequence;
};

struct fake_frame {
	const void *bytes;
	uint32_t captured_bytes;
	uint32_t wire_bytes; /* 0: as captured */
	uint64_t stamp_ns;
	uint32_t status; /* TP_STATUS_VLAN_VALID and the like */
	uint16_t vlan_tci, vlan_tpid;
	uint8_t gso_type; /* VIRTIO_NET_HDR_GSO_ */
	uint16_t gso_size;
	uint8_t pkt_type; /* PACKET_HOST, PACKET_OUTGOING... */
	int if_index;
};

void fake_ring_open(struct fake_ring *ring, uint32_t block_bytes, uint32_t block_count);

/* False: no block was free, the frame is lost. */
bool fake_ring_put(struct fake_ring *ring, const struct fake_frame *frame);

/* The retire timeout: hand over the block that is being filled, if it has packets. */
void fake_ring_retire(struct fake_ring *ring);

struct tpacket_block_desc *fake_ring_block(const struct fake_ring *ring, uint32_t index);

/* Packet .number (from 0) of a block. */
struct tpacket3_hdr *fake_ring_header(
	const struct fake_ring *ring, uint32_t index, uint32_t number);

bool fake_ring_is_free(const struct fake_ring *ring, uint32_t index);
void fake_ring_close(struct fake_ring *ring);

#endif
