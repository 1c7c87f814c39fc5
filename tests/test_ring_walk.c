/* SPDX-License-Identifier: BSD-2-Clause */
/* The block walk over a fake ring: what it hands over, what it gives back and when, and that no
 * header, however wrong, makes it read outside of a block. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <linux/virtio_net.h>

#include "ring/ring_walk.h"
#include "tests/fake_ring.h"

#define BLOCK_BYTES 8192u
#define BLOCKS 4u
#define STAMP_NS 1700000000123456789ull

static struct fake_ring ring;
static struct ring_walk walk;
static struct packet_batch batch;
static uint32_t number; /* of the next frame; its first bytes */

static void start(uint32_t block_bytes, uint32_t block_count, bool skips_outgoing)
{
	fake_ring_open(&ring, block_bytes, block_count);
	ring_walk_init(&walk, ring.memory, block_bytes, block_count, skips_outgoing);
	number = 0;
}

static int set_up(void **state)
{
	start(BLOCK_BYTES, BLOCKS, false);
	return 0;
}

static int tear_down(void **state)
{
	fake_ring_close(&ring);
	return 0;
}

static bool put_as(struct fake_frame frame)
{
	uint8_t bytes[60] = { 0 };

	memcpy(bytes, &number, sizeof(number));
	frame.bytes = bytes;
	if (!frame.captured_bytes)
		frame.captured_bytes = sizeof(bytes);
	if (!frame.stamp_ns)
		frame.stamp_ns = STAMP_NS + number;
	if (!fake_ring_put(&ring, &frame))
		return false;
	number++;
	return true;
}

static void put(unsigned count)
{
	while (count--)
		assert_true(put_as((struct fake_frame){ 0 }));
}

static unsigned fill(void)
{
	batch.count = 0;
	ring_walk_fill(&walk, &batch);
	return batch.count;
}

static uint32_t number_of(const struct packet *packet)
{
	uint32_t value;

	memcpy(&value, packet->bytes, sizeof(value));
	return value;
}

static unsigned free_blocks(void)
{
	unsigned count = 0;

	for (uint32_t i = 0; i < ring.block_count; i++)
		count += fake_ring_is_free(&ring, i);
	return count;
}

static void an_open_block_is_not_read(void **state)
{
	put(3);

	assert_int_equal(fill(), 0);
}

static void a_retired_block_gives_its_packets_in_order(void **state)
{
	put(3);
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 3);

	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(number_of(&batch.packets[i]), i);
}

static void a_view_has_lengths_stamp_interface_and_direction(void **state)
{
	put_as((struct fake_frame){ .captured_bytes = 54,
		.wire_bytes = 1514,
		.if_index = 7,
		.pkt_type = PACKET_OUTGOING });
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 1);

	const struct packet *view = &batch.packets[0];
	assert_int_equal(view->captured_bytes, 54);
	assert_int_equal(view->wire_bytes, 1514);
	assert_true(view->stamp_ns == STAMP_NS);
	assert_true(walk.newest_ns == STAMP_NS);
	assert_int_equal(view->if_index, 7);
	assert_true(view->is_outgoing);
	assert_int_equal(view->vlan_tpid, 0);
	assert_int_equal(view->gso, PACKET_GSO_NONE);
}

static void a_tag_taken_off_comes_back_with_its_bytes(void **state)
{
	put_as((struct fake_frame){ .status = TP_STATUS_VLAN_VALID | TP_STATUS_VLAN_TPID_VALID,
		.vlan_tci = 0xa005,
		.vlan_tpid = 0x88a8 });
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 1);

	assert_int_equal(batch.packets[0].vlan_tpid, 0x88a8);
	assert_int_equal(batch.packets[0].vlan_tci, 0xa005);
	assert_int_equal(batch.packets[0].captured_bytes, 60);
	assert_int_equal(batch.packets[0].wire_bytes, 64);
}

static void a_tag_of_unknown_type_is_8021q(void **state)
{
	put_as((struct fake_frame){ .status = TP_STATUS_VLAN_VALID, .vlan_tci = 0 });
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 1);

	assert_int_equal(batch.packets[0].vlan_tpid, 0x8100);
	assert_int_equal(batch.packets[0].vlan_tci, 0);
}

static void super_packets_say_how_they_are_cut(void **state)
{
	put_as((struct fake_frame){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 1448 });
	put_as((struct fake_frame){
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV6 | VIRTIO_NET_HDR_GSO_ECN,
		.gso_size = 1428 });
	put_as((struct fake_frame){ .gso_type = 5 /* UDP_L4 */, .gso_size = 1200 });
	put_as((struct fake_frame){ .gso_type = VIRTIO_NET_HDR_GSO_TCPV4, .gso_size = 0 });
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 4);

	assert_int_equal(batch.packets[0].gso, PACKET_GSO_TCP);
	assert_int_equal(batch.packets[0].gso_bytes, 1448);
	assert_int_equal(batch.packets[1].gso, PACKET_GSO_TCP);
	assert_int_equal(batch.packets[1].gso_bytes, 1428);
	assert_int_equal(batch.packets[2].gso, PACKET_GSO_UDP);
	assert_int_equal(batch.packets[2].gso_bytes, 1200);
	assert_int_equal(batch.packets[3].gso, PACKET_GSO_NONE);
}

static void a_block_goes_back_only_when_released(void **state)
{
	put(3);
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 3);
	assert_int_equal(free_blocks(), BLOCKS - 1);

	ring_walk_release(&walk);
	assert_int_equal(free_blocks(), BLOCKS);
}

static void one_batch_takes_several_blocks(void **state)
{
	put(2);
	fake_ring_retire(&ring);
	put(2);
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 4);
	assert_int_equal(free_blocks(), BLOCKS - 2);

	ring_walk_release(&walk);
	assert_int_equal(free_blocks(), BLOCKS);
}

static void a_block_larger_than_a_batch_stays_until_its_last_packet_is_released(void **state)
{
	fake_ring_close(&ring);
	start(64 << 10, 2, false);
	put(PACKET_BATCH_MAX + 44);
	fake_ring_retire(&ring);

	assert_int_equal(fill(), PACKET_BATCH_MAX);
	ring_walk_release(&walk);
	assert_int_equal(free_blocks(), 1);

	assert_int_equal(fill(), 44);
	assert_int_equal(number_of(&batch.packets[43]), PACKET_BATCH_MAX + 43);
	ring_walk_release(&walk);
	assert_int_equal(free_blocks(), 2);
}

static void a_block_that_ends_with_the_batch_goes_back(void **state)
{
	fake_ring_close(&ring);
	start(64 << 10, 2, false);
	put(PACKET_BATCH_MAX);
	fake_ring_retire(&ring);

	assert_int_equal(fill(), PACKET_BATCH_MAX);
	ring_walk_release(&walk);

	assert_int_equal(free_blocks(), 2);
	assert_int_equal(fill(), 0);
}

static void a_full_ring_is_not_lapped(void **state)
{
	for (uint32_t i = 0; i < BLOCKS; i++) {
		put(1);
		fake_ring_retire(&ring);
	}
	assert_false(put_as((struct fake_frame){ 0 }));

	assert_int_equal(fill(), BLOCKS);
	assert_int_equal(walk.held_blocks, BLOCKS);
	assert_int_equal(free_blocks(), 0);

	ring_walk_release(&walk);
	assert_int_equal(free_blocks(), BLOCKS);
	assert_int_equal(fill(), 0);
}

static void blocks_go_round_for_long_without_a_gap(void **state)
{
	uint32_t expected = 0;

	for (unsigned turn = 0; turn < 1000; turn++) {
		put(1 + turn % 90); /* up to two blocks */
		fake_ring_retire(&ring);
		while (fill() > 0) {
			for (unsigned i = 0; i < batch.count; i++)
				assert_int_equal(number_of(&batch.packets[i]), expected++);
			ring_walk_release(&walk);
		}
	}
	assert_int_equal(expected, number);
	assert_int_equal(walk.damaged_pkts, 0);
	assert_int_equal(free_blocks(), BLOCKS);
}

static void outgoing_copies_on_loopback_are_skipped_and_counted(void **state)
{
	fake_ring_close(&ring);
	start(BLOCK_BYTES, BLOCKS, true);
	put_as((struct fake_frame){ .pkt_type = PACKET_OUTGOING });
	put_as((struct fake_frame){ .pkt_type = PACKET_HOST });
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 1);

	assert_int_equal(number_of(&batch.packets[0]), 1);
	assert_int_equal(walk.duplicate_pkts, 1);
}

static void outgoing_packets_elsewhere_are_kept(void **state)
{
	put_as((struct fake_frame){ .pkt_type = PACKET_OUTGOING });
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 1);
	assert_int_equal(walk.duplicate_pkts, 0);
}

static void the_newest_stamp_does_not_go_back(void **state)
{
	put_as((struct fake_frame){ .stamp_ns = STAMP_NS + 5 });
	put_as((struct fake_frame){ .stamp_ns = STAMP_NS });
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 2);

	assert_true(batch.packets[1].stamp_ns == STAMP_NS);
	assert_true(walk.newest_ns == STAMP_NS + 5);
}

static void an_empty_block_is_passed_over(void **state)
{
	put(1);
	fake_ring_retire(&ring);
	fake_ring_block(&ring, 0)->hdr.bh1.num_pkts = 0;
	put(1);
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 1);
	assert_int_equal(number_of(&batch.packets[0]), 1);
	ring_walk_release(&walk);
	assert_int_equal(free_blocks(), BLOCKS);
}

/* -- damage --------------------------------------------------------------------------- */

/* Five packets in block 0, one in block 1; then spoil() is done to block 0. */
static void damage(void (*spoil)(void), unsigned expected_pkts, unsigned expected_damaged)
{
	put(5);
	fake_ring_retire(&ring);
	put(1);
	fake_ring_retire(&ring);
	spoil();

	assert_int_equal(fill(), expected_pkts + 1);
	assert_int_equal(walk.damaged_pkts, expected_damaged);
	assert_int_equal(number_of(&batch.packets[expected_pkts]), 5);
	ring_walk_release(&walk);
	assert_int_equal(free_blocks(), BLOCKS);
}

static void spoil_first_offset(void)
{
	fake_ring_block(&ring, 0)->hdr.bh1.offset_to_first_pkt = BLOCK_BYTES - 8;
}

static void a_first_offset_near_the_end_loses_the_block_and_says_so(void **state)
{
	damage(spoil_first_offset, 0, 5);
}

static void spoil_first_offset_alignment(void)
{
	fake_ring_block(&ring, 0)->hdr.bh1.offset_to_first_pkt += 1;
}

static void a_misaligned_first_offset_loses_the_block_and_says_so(void **state)
{
	damage(spoil_first_offset_alignment, 0, 5);
}

static void spoil_next_offset_far(void)
{
	fake_ring_header(&ring, 0, 1)->tp_next_offset = 0xfffffff8;
}

static void a_next_offset_out_of_the_block_loses_the_rest_and_says_so(void **state)
{
	damage(spoil_next_offset_far, 2, 3);
}

static void spoil_next_offset_zero(void)
{
	fake_ring_header(&ring, 0, 1)->tp_next_offset = 0;
}

static void a_next_offset_of_zero_does_not_loop(void **state)
{
	damage(spoil_next_offset_zero, 2, 3);
}

static void spoil_snap_length(void)
{
	fake_ring_header(&ring, 0, 3)->tp_snaplen = UINT32_MAX;
}

static void a_captured_length_out_of_the_block_loses_the_rest_and_says_so(void **state)
{
	damage(spoil_snap_length, 3, 2);
}

static void spoil_mac_low(void)
{
	fake_ring_header(&ring, 0, 0)->tp_mac = 4;
}

static void a_frame_inside_its_own_header_is_refused(void **state)
{
	damage(spoil_mac_low, 0, 5);
}

static void spoil_mac_high(void)
{
	fake_ring_header(&ring, 0, 4)->tp_mac = UINT16_MAX;
}

static void a_frame_beyond_the_block_is_refused(void **state)
{
	damage(spoil_mac_high, 4, 1);
}

static void an_absurd_packet_count_is_bounded(void **state)
{
	put(5);
	fake_ring_retire(&ring);
	fake_ring_block(&ring, 0)->hdr.bh1.num_pkts = UINT32_MAX;

	assert_int_equal(fill(), 5);

	assert_in_range(walk.damaged_pkts, 1, BLOCK_BYTES / sizeof(struct tpacket3_hdr));
	ring_walk_release(&walk);
	assert_int_equal(free_blocks(), BLOCKS);
}

static void a_length_of_four_gigabytes_with_a_tag_does_not_wrap(void **state)
{
	put_as((struct fake_frame){ .wire_bytes = UINT32_MAX, .status = TP_STATUS_VLAN_VALID });
	fake_ring_retire(&ring);

	assert_int_equal(fill(), 1);
	assert_true(batch.packets[0].wire_bytes == UINT32_MAX);
}

/* -- damage at random ----------------------------------------------------------------- */

static uint64_t random_state;

static uint32_t random_number(void)
{
	random_state = random_state * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(random_state >> 33);
}

/* Headers only: frames are foreign bytes anyway. */
static void spoil_at_random(uint32_t block)
{
	uint8_t *bytes = (uint8_t *)fake_ring_block(&ring, block);
	uint32_t spare = offsetof(struct tpacket_block_desc, hdr.bh1.num_pkts);

	for (unsigned times = random_number() % 8; times > 0; times--) {
		uint32_t at = spare + random_number() % (BLOCK_BYTES / 2 - spare);
		bytes[at] = (uint8_t)random_number();
	}
}

static void check_views(void)
{
	const uint8_t *end = ring.memory + (size_t)BLOCK_BYTES * BLOCKS;
	unsigned sum = 0;

	for (unsigned i = 0; i < batch.count; i++) {
		const struct packet *view = &batch.packets[i];
		assert_true(view->bytes > ring.memory && view->bytes <= end);
		assert_true(view->captured_bytes <= (size_t)(end - view->bytes));
		assert_true(view->wire_bytes >= view->captured_bytes);
		for (uint32_t at = 0; at < view->captured_bytes; at++)
			sum += view->bytes[at];
	}
	assert_true(sum < UINT32_MAX);
}

static void random_damage_never_leads_outside_or_around_for_ever(void **state)
{
	for (random_state = 1; random_state < 20000;) {
		uint64_t seed = random_state;
		for (uint32_t block = 0; block < BLOCKS; block++) {
			put(1 + random_number() % 40);
			uint32_t filled = ring.current;
			fake_ring_retire(&ring);
			spoil_at_random(filled);
		}
		for (unsigned batches = 0; fill() > 0; batches++) {
			check_views();
			ring_walk_release(&walk);
			assert_in_range(batches, 0, BLOCKS * BLOCK_BYTES / PACKET_BATCH_MAX);
		}
		ring_walk_release(&walk);
		assert_int_equal(free_blocks(), BLOCKS);
		random_state = seed + 1;
	}
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(an_open_block_is_not_read),
		CASE(a_retired_block_gives_its_packets_in_order),
		CASE(a_view_has_lengths_stamp_interface_and_direction),
		CASE(a_tag_taken_off_comes_back_with_its_bytes),
		CASE(a_tag_of_unknown_type_is_8021q),
		CASE(super_packets_say_how_they_are_cut),
		CASE(a_block_goes_back_only_when_released),
		CASE(one_batch_takes_several_blocks),
		CASE(a_block_larger_than_a_batch_stays_until_its_last_packet_is_released),
		CASE(a_block_that_ends_with_the_batch_goes_back),
		CASE(a_full_ring_is_not_lapped),
		CASE(blocks_go_round_for_long_without_a_gap),
		CASE(outgoing_copies_on_loopback_are_skipped_and_counted),
		CASE(outgoing_packets_elsewhere_are_kept),
		CASE(the_newest_stamp_does_not_go_back),
		CASE(an_empty_block_is_passed_over),
		CASE(a_first_offset_near_the_end_loses_the_block_and_says_so),
		CASE(a_misaligned_first_offset_loses_the_block_and_says_so),
		CASE(a_next_offset_out_of_the_block_loses_the_rest_and_says_so),
		CASE(a_next_offset_of_zero_does_not_loop),
		CASE(a_captured_length_out_of_the_block_loses_the_rest_and_says_so),
		CASE(a_frame_inside_its_own_header_is_refused),
		CASE(a_frame_beyond_the_block_is_refused),
		CASE(an_absurd_packet_count_is_bounded),
		CASE(a_length_of_four_gigabytes_with_a_tag_does_not_wrap),
		CASE(random_damage_never_leads_outside_or_around_for_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
