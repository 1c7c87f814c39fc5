/* SPDX-License-Identifier: BSD-2-Clause */
/* A second walk over the ring that a first one was reading: wherever that stopped, and whatever
 * the kernel did meanwhile, each frame is handed over once. */
#include <string.h>

#include "ring/ring_walk.h"
#include "tests/fake_ring.h"
#include "tests/unit.h"

#define BLOCK_BYTES 8192u
#define BLOCKS 4u
#define FRAME_BYTES 60u
#define FRAMES_MAX 4096u

static struct fake_ring ring;
static struct ring_walk walk;
static struct packet_batch batch;
static uint32_t sent, lost;
static uint8_t seen[FRAMES_MAX];

struct place {
	uint64_t sequence;
	uint32_t block, done_pkts;
};

static int set_up(void **state)
{
	fake_ring_open(&ring, BLOCK_BYTES, BLOCKS);
	ring.next_sequence = 1; /* as the kernel does */
	ring_walk_init(&walk, ring.memory, BLOCK_BYTES, BLOCKS, false);
	sent = lost = 0;
	memset(seen, 0, sizeof(seen));
	return 0;
}

static int tear_down(void **state)
{
	fake_ring_close(&ring);
	return 0;
}

static void put(unsigned count)
{
	for (; count > 0; count--) {
		uint8_t bytes[FRAME_BYTES] = { 0 };
		struct fake_frame frame = { .bytes = bytes,
			.captured_bytes = FRAME_BYTES,
			.stamp_ns = 1000000 + sent };

		memcpy(bytes, &sent, sizeof(sent));
		if (fake_ring_put(&ring, &frame))
			sent++;
		else
			lost++;
	}
}

/* The views of one batch. */
static unsigned take(void)
{
	batch.count = 0;
	ring_walk_fill(&walk, &batch);
	for (unsigned i = 0; i < batch.count; i++) {
		uint32_t number;

		memcpy(&number, batch.packets[i].bytes, sizeof(number));
		assert_in_range(number, 0, FRAMES_MAX - 1);
		seen[number]++;
	}
	return batch.count;
}

static void take_all(void)
{
	while (take() > 0)
		ring_walk_release(&walk);
}

static struct place place_now(void)
{
	return (struct place){ walk.head_sequence, walk.head_block,
		ring_walk_done_pkts(&walk) };
}

/* Another process: knows nothing but the place. */
static void come_back_to(struct place place)
{
	ring_walk_init(&walk, ring.memory, BLOCK_BYTES, BLOCKS, false);
	ring_walk_resume(&walk, place.sequence, place.block, place.done_pkts);
}

static void assert_each_once(void)
{
	for (uint32_t i = 0; i < sent; i++)
		assert_int_equal(seen[i], 1);
}

static void assert_all_given_back(void)
{
	for (uint32_t i = 0; i < BLOCKS; i++)
		assert_true(fake_ring_is_free(&ring, i));
}

static void a_ring_that_nobody_read_begins_at_its_oldest_block(void **state)
{
	put(150);
	fake_ring_retire(&ring);

	come_back_to((struct place){ 0 });
	take_all();

	assert_each_once();
	assert_all_given_back();
}

static void a_ring_that_nobody_read_and_is_full_begins_at_its_oldest_block(void **state)
{
	put(30);
	fake_ring_retire(&ring);
	take_all();
	put(FRAMES_MAX / 2);
	assert_true(lost > 0);

	come_back_to((struct place){ 0 });
	take_all();

	assert_each_once();
}

static void blocks_that_were_read_but_not_given_back_are_given_back(void **state)
{
	put(40);
	fake_ring_retire(&ring);
	put(40);
	fake_ring_retire(&ring);
	assert_int_equal(take(), 80);
	struct place place = place_now();

	come_back_to(place);

	assert_all_given_back();
	assert_int_equal(take(), 0);
	put(20);
	fake_ring_retire(&ring);
	take_all();
	assert_each_once();
}

static void the_rest_of_a_block_is_read(void **state)
{
	put(40);
	fake_ring_retire(&ring);
	take_all();
	put(50);
	fake_ring_retire(&ring);
	struct place place = { walk.head_sequence, walk.head_block, 20 };
	for (uint32_t i = 40; i < 60; i++)
		seen[i]++;

	come_back_to(place);
	take_all();

	assert_each_once();
	assert_all_given_back();
}

static void a_full_ring_that_was_read_to_its_end_goes_on_behind_it(void **state)
{
	put(FRAMES_MAX / 2);
	while (take() > 0)
		;
	struct place place = place_now();

	come_back_to(place);
	take_all();
	put(70);
	fake_ring_retire(&ring);
	take_all();

	assert_each_once();
}

static void a_place_that_does_not_fit_the_ring_is_not_believed(void **state)
{
	put(100);
	fake_ring_retire(&ring);

	come_back_to((struct place){ .sequence = 77, .block = 0, .done_pkts = 3 });
	take_all();
	assert_each_once();

	put(100);
	fake_ring_retire(&ring);
	come_back_to((struct place){ .sequence = 5, .block = BLOCKS + 9 });
	take_all();
	assert_each_once();
}

/* Stop at every batch, before and after its blocks go back, while the ring goes round. */
static void stopping_anywhere_loses_nothing_and_repeats_nothing(void **state)
{
	for (unsigned turn = 0; turn < 60; turn++) {
		put(1 + turn * 7 % 61);
		if (turn % 3)
			fake_ring_retire(&ring);
		while (take() > 0) {
			struct place place = place_now();

			if (turn % 2)
				ring_walk_release(&walk);
			come_back_to(place);
		}
	}
	fake_ring_retire(&ring);
	take_all();

	assert_int_equal(lost, 0);
	assert_each_once();
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

static const struct CMUnitTest tests[] = {
	CASE(a_ring_that_nobody_read_begins_at_its_oldest_block),
	CASE(a_ring_that_nobody_read_and_is_full_begins_at_its_oldest_block),
	CASE(blocks_that_were_read_but_not_given_back_are_given_back),
	CASE(the_rest_of_a_block_is_read),
	CASE(a_full_ring_that_was_read_to_its_end_goes_on_behind_it),
	CASE(a_place_that_does_not_fit_the_ring_is_not_believed),
	CASE(stopping_anywhere_loses_nothing_and_repeats_nothing),
};

UNIT_MAIN("ring_resume", tests)
