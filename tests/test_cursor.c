/* SPDX-License-Identifier: BSD-2-Clause */
/* The cursor: what it reads, and that it stays failed. */
#include "sensor/cursor.h"
#include "tests/unit.h"

static const uint8_t bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08 };

static void cursor_reads_network_order(void **state)
{
	struct cursor in = cursor_over(bytes, sizeof(bytes));

	assert_int_equal(cursor_u8(&in), 0x01);
	assert_int_equal(cursor_be16(&in), 0x0203);
	assert_int_equal(cursor_be32(&in), 0x04050607);
	assert_int_equal(in.left, 1);
	assert_false(in.failed);
}

static void cursor_reads_little_endian(void **state)
{
	struct cursor in = cursor_over(bytes, sizeof(bytes));

	assert_int_equal(cursor_le16(&in), 0x0201);
	assert_int_equal(cursor_le32(&in), 0x06050403);
}

static void cursor_reads_to_the_last_byte(void **state)
{
	struct cursor in = cursor_over(bytes, 4);

	assert_int_equal(cursor_be32(&in), 0x01020304);
	assert_int_equal(in.left, 0);
	assert_false(in.failed);
}

static void cursor_reads_zero_after_the_end(void **state)
{
	struct cursor in = cursor_over(bytes, 3);

	assert_int_equal(cursor_be32(&in), 0);
	assert_true(in.failed);
	assert_int_equal(cursor_u8(&in), 0);
	assert_int_equal(cursor_be16(&in), 0);
	assert_int_equal(cursor_le16(&in), 0);
	assert_int_equal(cursor_le32(&in), 0);
	assert_null(cursor_take(&in, 0));
}

static void cursor_stays_failed_after_a_skip_too_far(void **state)
{
	struct cursor in = cursor_over(bytes, sizeof(bytes));

	cursor_skip(&in, SIZE_MAX);

	assert_true(in.failed);
	assert_int_equal(cursor_u8(&in), 0);
	assert_true(in.failed);
}

static void cursor_copy_is_whole_or_nothing(void **state)
{
	struct cursor in = cursor_over(bytes, 4);
	uint8_t out[4] = { 9, 9, 9, 9 };

	cursor_copy(&in, out, 3);
	assert_memory_equal(out, ((uint8_t[]){ 1, 2, 3, 9 }), 4);

	cursor_copy(&in, out, 2);
	assert_memory_equal(out, ((uint8_t[]){ 1, 2, 3, 9 }), 4);
	assert_true(in.failed);
}

static void cursor_limit_only_shrinks(void **state)
{
	struct cursor in = cursor_over(bytes, sizeof(bytes));

	cursor_limit(&in, UINT64_MAX);
	assert_int_equal(in.left, sizeof(bytes));

	cursor_limit(&in, 2);
	assert_int_equal(in.left, 2);
	cursor_limit(&in, 5);
	assert_int_equal(in.left, 2);
}

static void cursor_split_gives_each_its_part(void **state)
{
	struct cursor in = cursor_over(bytes, sizeof(bytes));
	struct cursor part;

	assert_true(cursor_split(&in, 3, &part));
	assert_int_equal(cursor_be16(&part), 0x0102);
	assert_int_equal(cursor_be16(&part), 0);
	assert_true(part.failed);
	assert_int_equal(cursor_u8(&in), 0x04);
}

static void cursor_split_too_far_fails(void **state)
{
	struct cursor in = cursor_over(bytes, 3);
	struct cursor part;

	assert_false(cursor_split(&in, 4, &part));
	assert_true(in.failed);
}

static void cursor_over_nothing_fails_at_once(void **state)
{
	struct cursor in = cursor_over(NULL, 0);

	assert_int_equal(cursor_u8(&in), 0);
	assert_true(in.failed);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cursor_reads_network_order),
	cmocka_unit_test(cursor_reads_little_endian),
	cmocka_unit_test(cursor_reads_to_the_last_byte),
	cmocka_unit_test(cursor_reads_zero_after_the_end),
	cmocka_unit_test(cursor_stays_failed_after_a_skip_too_far),
	cmocka_unit_test(cursor_copy_is_whole_or_nothing),
	cmocka_unit_test(cursor_limit_only_shrinks),
	cmocka_unit_test(cursor_split_gives_each_its_part),
	cmocka_unit_test(cursor_split_too_far_fails),
	cmocka_unit_test(cursor_over_nothing_fails_at_once),
};

UNIT_MAIN("cursor", tests)
