/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Walks the blocks of a TPACKET_V3 ring. A packet in a block:
 *
 *   offset                                  offset + tp_mac
 *   | tpacket3_hdr | pad | sockaddr_ll | ... | virtio_net_hdr | frame, tp_snaplen bytes |
 *                                              10 bytes, up against the frame
 *
 * The block status is the only word that both sides write, and is touched in the two helpers
 * below only. Every offset is checked against the block before it is used: whatever the memory
 * holds, nothing outside of the block is read.
 */
#include "ring/ring_walk.h"

#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <stddef.h>
#include <string.h>

#define NS_PER_SECOND 1000000000ull
#define VLAN_TAG_BYTES 4u
#define TPID_8021Q 0x8100
/* What the kernel aligns packet headers to. */
#define PKT_ALIGN_BYTES 8u
#define ADDRESS_OFFSET TPACKET_ALIGN(sizeof(struct tpacket3_hdr))
#define CACHE_LINE_BYTES 64u
/* Newer than the headers that this is built with may be (Linux 6.2). */
#define GSO_UDP_L4 5
/* From the frame, in front of which the offload facts are. */
#define GSO_TYPE_OFFSET \
	((int)offsetof(struct virtio_net_hdr, gso_type) - (int)sizeof(struct virtio_net_hdr))
#define PKT_BYTES_MIN ((uint32_t)(TPACKET3_HDRLEN + sizeof(struct virtio_net_hdr)))

static bool block_is_ours(const struct tpacket_block_desc *block)
{
	return __atomic_load_n(&block->hdr.bh1.block_status, __ATOMIC_ACQUIRE) & TP_STATUS_USER;
}

static void block_give_back(struct tpacket_block_desc *block)
{
	__atomic_store_n(&block->hdr.bh1.block_status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
}

static struct tpacket_block_desc *block_at(const struct ring_walk *walk, uint32_t index)
{
	return (struct tpacket_block_desc *)(walk->memory + (size_t)index * walk->block_bytes);
}

static uint32_t block_after(const struct ring_walk *walk, uint32_t index)
{
	return index + 1 == walk->block_count ? 0 : index + 1;
}

/* .room_bytes: from the header to the end of the block. */
static inline bool is_frame_inside(const struct tpacket3_hdr *header, uint32_t room_bytes)
{
	return header->tp_mac >= PKT_BYTES_MIN && header->tp_mac <= room_bytes &&
	       header->tp_snaplen <= room_bytes - header->tp_mac;
}

/* A header fits .step_bytes further on, which is not nearer than .least_bytes. */
static inline bool is_step_inside(
	uint32_t step_bytes, uint32_t least_bytes, uint32_t room_bytes)
{
	return step_bytes % PKT_ALIGN_BYTES == 0 && step_bytes >= least_bytes &&
	       step_bytes <= room_bytes && room_bytes - step_bytes >= PKT_BYTES_MIN;
}

/* What is left of this block cannot be reached. */
static void abandon_head(struct ring_walk *walk)
{
	walk->damaged_pkts += walk->left_pkts;
	walk->left_pkts = 0;
}

static bool open_head(struct ring_walk *walk)
{
	const struct tpacket_block_desc *block = block_at(walk, walk->head_block);
	uint32_t most_pkts = walk->block_bytes / PKT_BYTES_MIN;

	/* Held blocks say "ours" too: the walk must not lap itself. */
	if (walk->held_blocks == walk->block_count || !block_is_ours(block))
		return false;
	walk->left_pkts = block->hdr.bh1.num_pkts;
	if (walk->left_pkts > most_pkts)
		walk->left_pkts = most_pkts;
	walk->head_pkts = walk->left_pkts;
	walk->head_sequence = block->hdr.bh1.seq_num;
	walk->next_pkt_offset = block->hdr.bh1.offset_to_first_pkt;
	walk->is_head_open = true;
	if (!is_step_inside(walk->next_pkt_offset, sizeof(*block), walk->block_bytes))
		abandon_head(walk);
	return true;
}

static void hold_head(struct ring_walk *walk)
{
	walk->is_head_open = false;
	walk->head_block = block_after(walk, walk->head_block);
	walk->head_sequence++;
	walk->held_blocks++;
}

/* The tag that the kernel took off. */
static void view_tag(struct packet *view, const struct tpacket3_hdr *header)
{
	view->vlan_tci = (uint16_t)header->hv1.tp_vlan_tci;
	view->vlan_tpid = header->tp_status & TP_STATUS_VLAN_TPID_VALID
				  ? header->hv1.tp_vlan_tpid
				  : TPID_8021Q;
	if (view->wire_bytes <= UINT32_MAX - VLAN_TAG_BYTES)
		view->wire_bytes += VLAN_TAG_BYTES;
}

/* A frame that says it is a super-packet. */
static void view_gso(struct packet *view, const uint8_t *frame)
{
	struct virtio_net_hdr offload;

	memcpy(&offload, frame - sizeof(offload), sizeof(offload));
	if (offload.gso_size == 0)
		return;
	switch (offload.gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_TCPV4:
	case VIRTIO_NET_HDR_GSO_TCPV6:
		view->gso = PACKET_GSO_TCP;
		break;
	case GSO_UDP_L4:
		view->gso = PACKET_GSO_UDP;
		break;
	default:
		return;
	}
	view->gso_bytes = offload.gso_size; /* host order: a packet socket is "legacy" virtio */
}

static inline void view_packet(struct packet *view, const struct tpacket3_hdr *header,
	const struct sockaddr_ll *address)
{
	const uint8_t *frame = (const uint8_t *)header + header->tp_mac;
	uint32_t captured_bytes = header->tp_snaplen, wire_bytes = header->tp_len;

	view->bytes = frame;
	view->captured_bytes = captured_bytes;
	view->wire_bytes = wire_bytes < captured_bytes ? captured_bytes : wire_bytes;
	view->stamp_ns = header->tp_sec * NS_PER_SECOND + header->tp_nsec;
	view->if_index = (uint32_t)address->sll_ifindex;
	view->gso_bytes = 0;
	view->vlan_tpid = 0;
	view->vlan_tci = 0;
	view->gso = PACKET_GSO_NONE;
	view->is_outgoing = address->sll_pkttype == PACKET_OUTGOING;
	if (header->tp_status & TP_STATUS_VLAN_VALID)
		view_tag(view, header);
	if (frame[GSO_TYPE_OFFSET] != VIRTIO_NET_HDR_GSO_NONE)
		view_gso(view, frame);
}

/* The header and the frame's first octets. Packets lie one behind the other, but how far apart
 * they are only the one before says. */
static inline void prefetch_packet(const uint8_t *place)
{
	__builtin_prefetch(place);
	__builtin_prefetch(place + CACHE_LINE_BYTES);
	__builtin_prefetch(place + 2 * CACHE_LINE_BYTES);
}

/* Append views of the head's packets until it has no more or the batch is full. All that is
 * kept in the walk is kept in registers meanwhile. */
static void take_packets(struct ring_walk *walk, struct packet_batch *batch)
{
	const uint8_t *block = (const uint8_t *)block_at(walk, walk->head_block);
	const uint8_t *place = block + walk->next_pkt_offset;
	uint32_t room_bytes = walk->block_bytes - walk->next_pkt_offset;
	uint32_t left_pkts = walk->left_pkts;
	uint64_t newest_ns = walk->newest_ns;
	unsigned skipped_pkts = 0;
	struct packet *view = &batch->packets[batch->count];
	const struct packet *end = &batch->packets[PACKET_BATCH_MAX];
	bool is_damaged = false, skips_outgoing = walk->skips_outgoing;

	while (left_pkts > 0 && view < end) {
		const struct tpacket3_hdr *header = (const struct tpacket3_hdr *)place;
		const struct sockaddr_ll *address =
			(const struct sockaddr_ll *)(place + ADDRESS_OFFSET);
		uint32_t step_bytes = header->tp_next_offset;

		if (!is_frame_inside(header, room_bytes)) {
			is_damaged = true;
			break;
		}
		view_packet(view, header, address);
		if (skips_outgoing && view->is_outgoing) {
			skipped_pkts++;
		} else {
			newest_ns = view->stamp_ns > newest_ns ? view->stamp_ns : newest_ns;
			view++;
		}
		if (--left_pkts == 0)
			break;
		if (!is_step_inside(step_bytes, PKT_BYTES_MIN, room_bytes)) {
			is_damaged = true;
			break;
		}
		place += step_bytes;
		room_bytes -= step_bytes;
		prefetch_packet(place);
	}
	batch->count = (unsigned)(view - batch->packets);
	walk->next_pkt_offset = (uint32_t)(place - block);
	walk->left_pkts = left_pkts;
	walk->newest_ns = newest_ns;
	walk->duplicate_pkts += skipped_pkts;
	if (is_damaged)
		abandon_head(walk);
}

void ring_walk_init(struct ring_walk *walk, void *memory, uint32_t block_bytes,
	uint32_t block_count, bool skips_outgoing)
{
	*walk = (struct ring_walk){
		.memory = memory,
		.block_bytes = block_bytes,
		.block_count = block_count,
		.skips_outgoing = skips_outgoing,
	};
}

void ring_walk_restart(struct ring_walk *walk, void *memory)
{
	struct ring_walk before = *walk;

	ring_walk_init(
		walk, memory, before.block_bytes, before.block_count, before.skips_outgoing);
	walk->newest_ns = before.newest_ns;
	walk->duplicate_pkts = before.duplicate_pkts;
	walk->damaged_pkts = before.damaged_pkts;
}

/* -- going on --------------------------------------------------------------------------- */

static uint64_t sequence_at(const struct ring_walk *walk, uint32_t index)
{
	return block_at(walk, index)->hdr.bh1.seq_num;
}

/* Blocks that were read to their end but not given back any more. */
static void give_back_before(struct ring_walk *walk, uint64_t sequence)
{
	for (uint32_t i = 0; i < walk->block_count; i++)
		if (block_is_ours(block_at(walk, i)) && sequence_at(walk, i) < sequence)
			block_give_back(block_at(walk, i));
}

/* The oldest block that waits; block_count when none does. */
static uint32_t find_oldest(const struct ring_walk *walk)
{
	uint32_t oldest = walk->block_count;

	for (uint32_t i = 0; i < walk->block_count; i++)
		if (block_is_ours(block_at(walk, i)) &&
			(oldest == walk->block_count ||
				sequence_at(walk, i) < sequence_at(walk, oldest)))
			oldest = i;
	return oldest;
}

/* The one that the kernel is filling. */
static uint32_t find_youngest(const struct ring_walk *walk)
{
	uint32_t youngest = 0;

	for (uint32_t i = 1; i < walk->block_count; i++)
		if (sequence_at(walk, i) > sequence_at(walk, youngest))
			youngest = i;
	return youngest;
}

static void pass_over(struct ring_walk *walk, uint32_t count)
{
	for (; count > 0 && walk->left_pkts > 0; count--) {
		const uint8_t *block = (const uint8_t *)block_at(walk, walk->head_block);
		const struct tpacket3_hdr *header =
			(const struct tpacket3_hdr *)(block + walk->next_pkt_offset);
		uint32_t step_bytes = header->tp_next_offset;

		if (--walk->left_pkts == 0)
			return;
		if (!is_step_inside(step_bytes, PKT_BYTES_MIN,
			    walk->block_bytes - walk->next_pkt_offset)) {
			walk->left_pkts = 0; /* as when they were read, and counted */
			return;
		}
		walk->next_pkt_offset += step_bytes;
	}
}

void ring_walk_resume(
	struct ring_walk *walk, uint64_t sequence, uint32_t block, uint32_t done_pkts)
{
	uint32_t youngest = find_youngest(walk);
	uint64_t youngest_sequence = sequence_at(walk, youngest);
	bool is_known =
		sequence > 0 && block < walk->block_count && sequence <= youngest_sequence + 1;

	if (is_known)
		give_back_before(walk, sequence);
	walk->head_block = find_oldest(walk);
	if (walk->head_block == walk->block_count) {
		/* The kernel is filling the youngest, or will fill the one behind it. */
		bool is_behind = is_known && sequence == youngest_sequence + 1;

		walk->head_block = is_behind ? block : youngest;
		walk->head_sequence = is_behind ? sequence : youngest_sequence;
		return;
	}
	if (open_head(walk) && is_known && walk->head_sequence == sequence)
		pass_over(walk, done_pkts);
}

void ring_walk_fill(struct ring_walk *walk, struct packet_batch *batch)
{
	while (walk->is_head_open || open_head(walk)) {
		take_packets(walk, batch);
		if (walk->left_pkts > 0)
			return;
		hold_head(walk);
	}
}

void ring_walk_release(struct ring_walk *walk)
{
	uint64_t behind = (uint64_t)walk->head_block + walk->block_count - walk->held_blocks;
	uint32_t tail = (uint32_t)(behind % walk->block_count);

	for (; walk->held_blocks > 0; walk->held_blocks--) {
		block_give_back(block_at(walk, tail));
		tail = block_after(walk, tail);
	}
}
