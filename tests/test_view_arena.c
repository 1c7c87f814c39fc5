/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of packets: every length byte by byte, cut at the snap length, and always with room.
 */
#include "ring/view_arena.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit.h"

#define LENGTH_MAX 600u

/* Memory of exactly this length, so that a sanitizer sees a byte more being read. */
static uint8_t *exactly(uint32_t bytes)
{
	uint8_t *memory = malloc(bytes ? bytes : 1);

	assert_non_null(memory);
	for (uint32_t i = 0; i < bytes; i++)
		memory[i] = (uint8_t)(i * 7 + bytes);
	return memory;
}

static void copies_of_every_length_are_exact_and_lie_side_by_side(void **state)
{
	static uint8_t *originals[LENGTH_MAX];
	static struct packet packets[LENGTH_MAX];
	struct view_arena arena;

	assert_int_equal(view_arena_open(&arena, 0), 0);
	for (uint32_t length = 0; length < LENGTH_MAX; length++) {
		originals[length] = exactly(length);
		packets[length].bytes = originals[length];
		packets[length].captured_bytes = length;

		view_arena_keep(&arena, &packets[length]);
	}

	for (uint32_t length = 0; length < LENGTH_MAX; length++) {
		assert_int_equal(packets[length].captured_bytes, length);
		assert_ptr_not_equal(packets[length].bytes, originals[length]);
		assert_memory_equal(packets[length].bytes, originals[length], length);
		free(originals[length]);
	}
	view_arena_close(&arena);
}

static void no_packet_keeps_more_than_the_snap_length(void **state)
{
	for (uint32_t snap_bytes = 1; snap_bytes < 300; snap_bytes += 13) {
		struct packet packet = { .captured_bytes = 250 };
		struct view_arena arena;
		uint8_t *original = exactly(250);

		packet.bytes = original;
		assert_int_equal(view_arena_open(&arena, snap_bytes), 0);
		view_arena_keep(&arena, &packet);

		uint32_t kept_bytes = snap_bytes < 250 ? snap_bytes : 250;
		assert_int_equal(packet.captured_bytes, kept_bytes);
		assert_int_equal(arena.used_bytes, kept_bytes);
		assert_memory_equal(packet.bytes, original, kept_bytes);
		view_arena_close(&arena);
		free(original);
	}
}

static void there_is_room_until_the_largest_packet_would_not_fit(void **state)
{
	uint8_t *large = exactly(VIEW_ARENA_PACKET_BYTES_MAX + 1);
	struct view_arena arena;
	unsigned kept = 0;

	assert_int_equal(view_arena_open(&arena, 0), 0);
	for (; view_arena_has_room(&arena); kept++) {
		struct packet packet = { .bytes = large,
			.captured_bytes = VIEW_ARENA_PACKET_BYTES_MAX + 1 };
		view_arena_keep(&arena, &packet);
		assert_int_equal(packet.captured_bytes, VIEW_ARENA_PACKET_BYTES_MAX);
	}

	assert_int_equal(kept, VIEW_ARENA_BYTES / VIEW_ARENA_PACKET_BYTES_MAX);
	view_arena_reset(&arena);
	assert_true(view_arena_has_room(&arena));
	view_arena_close(&arena);
	free(large);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(copies_of_every_length_are_exact_and_lie_side_by_side),
	cmocka_unit_test(no_packet_keeps_more_than_the_snap_length),
	cmocka_unit_test(there_is_room_until_the_largest_packet_would_not_fit),
};

UNIT_MAIN("view_arena", tests)
