/* SPDX-License-Identifier: BSD-2-Clause */
/* Plays the kernel's part of a TPACKET_V3 ring in plain memory (after packet_mmap's layout). */
#include "tests/fake_ring.h"

#include <linux/virtio_net.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000ull
#define ETHERNET_BYTES 14u
#define PKT_ALIGN(bytes) (((bytes) + 7u) & ~7u)
/* Where the kernel puts a frame with a 14-byte link header and offload facts. */
#define MAC_OFFSET \
	(TPACKET_ALIGN(TPACKET3_HDRLEN + 16u) + (uint32_t)sizeof(struct virtio_net_hdr) - \
		ETHERNET_BYTES)

static bool open_block(struct fake_ring *ring)
{
	struct tpacket_block_desc *block = fake_ring_block(ring, ring->current);

	if (!fake_ring_is_free(ring, ring->current))
		return false;
	memset(block, 0, sizeof(*block));
	block->version = TPACKET_V3;
	block->hdr.bh1.seq_num = ring->next_sequence++;
	block->hdr.bh1.offset_to_first_pkt = PKT_ALIGN((uint32_t)sizeof(*block));
	ring->used_bytes = block->hdr.bh1.offset_to_first_pkt;
	return true;
}

static void write_frame(uint8_t *place, const struct fake_frame *frame, uint32_t next_offset)
{
	struct tpacket3_hdr *header = (struct tpacket3_hdr *)place;
	struct sockaddr_ll *address =
		(struct sockaddr_ll *)(place + TPACKET_ALIGN(sizeof(*header)));
	struct virtio_net_hdr offload = {
		.gso_type = frame->gso_type,
		.gso_size = frame->gso_size,
	};

	*header = (struct tpacket3_hdr){
		.tp_next_offset = next_offset,
		.tp_sec = (uint32_t)(frame->stamp_ns / NS_PER_SECOND),
		.tp_nsec = (uint32_t)(frame->stamp_ns % NS_PER_SECOND),
		.tp_snaplen = frame->captured_bytes,
		.tp_len = frame->wire_bytes ? frame->wire_bytes : frame->captured_bytes,
		.tp_status = TP_STATUS_USER | frame->status,
		.tp_mac = (uint16_t)MAC_OFFSET,
		.tp_net = (uint16_t)(MAC_OFFSET + ETHERNET_BYTES),
	};
	header->hv1.tp_vlan_tci = frame->vlan_tci;
	header->hv1.tp_vlan_tpid = frame->vlan_tpid;
	*address = (struct sockaddr_ll){
		.sll_family = AF_PACKET,
		.sll_ifindex = frame->if_index,
		.sll_pkttype = frame->pkt_type,
	};
	memcpy(place + MAC_OFFSET - sizeof(offload), &offload, sizeof(offload));
	memcpy(place + MAC_OFFSET, frame->bytes, frame->captured_bytes);
}

void fake_ring_open(struct fake_ring *ring, uint32_t block_bytes, uint32_t block_count)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	size_t ring_bytes = (size_t)block_bytes * block_count;

	if (ring_bytes % page_bytes)
		abort();
	*ring = (struct fake_ring){
		.block_bytes = block_bytes,
		.block_count = block_count,
		.mapped_bytes = ring_bytes + page_bytes,
	};
	ring->memory = mmap(NULL, ring->mapped_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (ring->memory == MAP_FAILED ||
		mprotect(ring->memory + ring_bytes, page_bytes, PROT_NONE))
		abort();
}

bool fake_ring_put(struct fake_ring *ring, const struct fake_frame *frame)
{
	uint32_t need_bytes = PKT_ALIGN(MAC_OFFSET + frame->captured_bytes);

	if (ring->used_bytes && ring->used_bytes + need_bytes > ring->block_bytes)
		fake_ring_retire(ring);
	if (!ring->used_bytes && !open_block(ring))
		return false;
	uint8_t *block = (uint8_t *)fake_ring_block(ring, ring->current);
	write_frame(block + ring->used_bytes, frame, need_bytes);
	ring->last_offset = ring->used_bytes;
	ring->used_bytes += need_bytes;
	fake_ring_block(ring, ring->current)->hdr.bh1.num_pkts++;
	return true;
}

void fake_ring_retire(struct fake_ring *ring)
{
	struct tpacket_block_desc *block = fake_ring_block(ring, ring->current);

	if (!ring->used_bytes)
		return;
	((struct tpacket3_hdr *)((uint8_t *)block + ring->last_offset))->tp_next_offset = 0;
	block->hdr.bh1.blk_len = ring->used_bytes;
	__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_USER, __ATOMIC_RELEASE);
	ring->current = (ring->current + 1) % ring->block_count;
	ring->used_bytes = 0;
}

struct tpacket_block_desc *fake_ring_block(const struct fake_ring *ring, uint32_t index)
{
	return (struct tpacket_block_desc *)(ring->memory + (size_t)index * ring->block_bytes);
}

struct tpacket3_hdr *fake_ring_header(
	const struct fake_ring *ring, uint32_t index, uint32_t number)
{
	struct tpacket_block_desc *block = fake_ring_block(ring, index);
	uint8_t *at = (uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;

	while (number--)
		at += ((struct tpacket3_hdr *)at)->tp_next_offset;
	return (struct tpacket3_hdr *)at;
}

bool fake_ring_is_free(const struct fake_ring *ring, uint32_t index)
{
	const struct tpacket_block_desc *block = fake_ring_block(ring, index);

	return !(__atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) &
		 TP_STATUS_USER);
}

void fake_ring_close(struct fake_ring *ring)
{
	munmap(ring->memory, ring->mapped_bytes);
}
