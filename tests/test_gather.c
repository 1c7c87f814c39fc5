/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/gather.h"

#include <stdlib.h>

#include "tests/unit.h"

static uint8_t bytes[GATHER_RUNS * GATHER_BYTES];

/* A gatherer of messages of these lengths, up to a 0. */
static struct gather gathered(const uint32_t *lengths)
{
	struct gather gather = gather_over(bytes, sizeof(bytes));

	for (; *lengths; lengths++) {
		gather_place(&gather);
		gather_add(&gather, (struct gathered){ .length = *lengths });
	}
	return gather;
}

static void assert_run(struct gather *gather, unsigned first, unsigned count, size_t octets)
{
	size_t found;

	assert_int_equal(gather_run(gather, first, &found), count);
	assert_int_equal(found, octets);
}

static void a_run_has_one_length_but_for_its_last(void **state)
{
	struct gather gather = gathered((uint32_t[]){ 9, 9, 9, 4, 9, 8, 7, 7, 8, 0 });

	assert_run(&gather, 0, 4, 31);
	assert_run(&gather, 4, 2, 17);
	assert_run(&gather, 6, 2, 14);
	assert_run(&gather, 8, 1, 8);
}

static void a_shorter_last_message_ends_a_run(void **state)
{
	struct gather gather = gathered((uint32_t[]){ 9, 4, 4, 9, 0 });

	assert_run(&gather, 0, 2, 13);
	assert_run(&gather, 2, 1, 4);
	assert_run(&gather, 3, 1, 9);
}

static void it_is_full_with_as_many_as_go_at_once(void **state)
{
	struct gather small = gather_over(bytes, sizeof(bytes));
	struct gather large = gather_over(bytes, sizeof(bytes));

	for (unsigned i = 0; i < GATHER_MAX; i++) {
		assert_false(gather_is_full(&small, 100));
		gather_add(&small, (struct gathered){ .length = 100 });
	}
	assert_true(gather_is_full(&small, 100));
	gather_add(&large, (struct gathered){ .length = GATHER_BYTES - 100 });
	assert_false(gather_is_full(&large, 100));
	assert_true(gather_is_full(&large, 101));
}

static void it_has_room_for_several_runs(void **state)
{
	struct gather small = gather_over(bytes, sizeof(bytes));
	struct gather large = gather_over(bytes, sizeof(bytes));
	size_t octets;

	for (unsigned i = 0; i < GATHER_KEPT_MAX; i++) {
		assert_true(gather_has_room(&small, 100));
		gather_add(&small, (struct gathered){ .length = 100 });
	}
	assert_false(gather_has_room(&small, 100));
	assert_run(&small, 0, GATHER_MAX, GATHER_MAX * 100);
	for (unsigned i = 0; i < 2 * GATHER_RUNS; i++)
		gather_add(&large, (struct gathered){ .length = GATHER_BYTES / 2 });
	assert_false(gather_has_room(&large, 100));
	assert_int_equal(gather_run(&large, 0, &octets), 2);
	assert_true(gather_bytes_for(100) == sizeof(bytes));
	assert_true(gather_bytes_for(65535) == GATHER_RUNS * 65535);
}

static void room_of_those_that_left_is_used_again(void **state)
{
	struct gather gather = gathered((uint32_t[]){ 10, 10, 6, 0 });

	bytes[20] = 'c';
	gather_drop(&gather, 2, 20);
	assert_int_equal(gather.messages[0].length, 6);
	gather_compact(&gather);

	assert_int_equal(gather.start, 0);
	assert_int_equal(gather.length, 6);
	assert_int_equal(bytes[0], 'c');
	assert_run(&gather, 0, 1, 6);
}

static void a_message_being_written_stays_when_those_before_it_leave(void **state)
{
	struct gather gather = gathered((uint32_t[]){ 10, 10, 0 });
	uint8_t *place = gather_place(&gather);

	gather_drop(&gather, 2, 20);
	gather_add(&gather, (struct gathered){ .length = 5 });

	assert_ptr_equal(gather.bytes + gather.start, place);
	assert_ptr_equal(gather_place(&gather), place + 5);
	gather_drop(&gather, 1, 5);
	assert_ptr_equal(gather_place(&gather), bytes);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(a_run_has_one_length_but_for_its_last),
	cmocka_unit_test(a_shorter_last_message_ends_a_run),
	cmocka_unit_test(it_is_full_with_as_many_as_go_at_once),
	cmocka_unit_test(it_has_room_for_several_runs),
	cmocka_unit_test(room_of_those_that_left_is_used_again),
	cmocka_unit_test(a_message_being_written_stays_when_those_before_it_leave),
};

UNIT_MAIN("gather", tests)
