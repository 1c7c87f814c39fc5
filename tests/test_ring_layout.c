/* SPDX-License-Identifier: BSD-2-Clause */
/* Ring geometry: what the kernel is asked for, and what is refused before it is asked. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "ring/ring_layout.h"

#define PAGE_BYTES 4096

static struct ring_layout layout;
static char error[256];

static int plan(uint32_t block_bytes, uint32_t block_count, uint32_t timeout_ms)
{
	error[0] = '\0';
	return ring_layout_plan(block_bytes, block_count, timeout_ms, PAGE_BYTES, &layout,
		error, sizeof(error));
}

static void a_plan_has_the_kernels_numbers(void **state)
{
	assert_int_equal(plan(1 << 20, 64, 50), 0);

	assert_int_equal(layout.request.tp_block_size, 1 << 20);
	assert_int_equal(layout.request.tp_block_nr, 64);
	assert_int_equal(layout.request.tp_frame_nr,
		layout.request.tp_block_size / layout.request.tp_frame_size * 64);
	assert_int_equal(layout.request.tp_retire_blk_tov, 50);
	assert_int_equal(layout.total_bytes, 64 << 20);
}

static void the_smallest_ring_is_two_pages(void **state)
{
	assert_int_equal(plan(PAGE_BYTES, 2, 1), 0);
	assert_int_equal(layout.total_bytes, 2 * PAGE_BYTES);
}

static void a_block_that_is_no_power_of_two_is_refused(void **state)
{
	assert_int_equal(plan(3 * PAGE_BYTES, 4, 50), -EINVAL);
	assert_non_null(strstr(error, "block size 12288"));
}

static void a_block_smaller_than_a_page_is_refused(void **state)
{
	assert_int_equal(plan(PAGE_BYTES / 2, 4, 50), -EINVAL);
	assert_int_equal(plan(0, 4, 50), -EINVAL);
	assert_non_null(strstr(error, "block size 0"));
}

static void a_block_beyond_the_limit_is_refused(void **state)
{
	assert_int_equal(plan(RING_BLOCK_BYTES_MAX, 2, 50), 0);
	assert_int_equal(plan(RING_BLOCK_BYTES_MAX * 2, 2, 50), -EINVAL);
	assert_non_null(strstr(error, "must not exceed"));
}

static void fewer_than_two_blocks_are_refused(void **state)
{
	assert_int_equal(plan(PAGE_BYTES, 1, 50), -EINVAL);
	assert_int_equal(plan(PAGE_BYTES, 0, 50), -EINVAL);
	assert_non_null(strstr(error, "block count 0"));
}

static void a_frame_count_beyond_32_bits_is_refused(void **state)
{
	assert_int_equal(plan(1 << 20, UINT32_MAX / 512, 50), 0);
	assert_int_equal(plan(1 << 20, UINT32_MAX / 512 + 1, 50), -EINVAL);
	assert_non_null(strstr(error, "block count"));
}

static void a_retire_timeout_out_of_range_is_refused(void **state)
{
	assert_int_equal(plan(PAGE_BYTES, 2, 0), -EINVAL);
	assert_int_equal(plan(PAGE_BYTES, 2, RING_RETIRE_TIMEOUT_MS_MAX + 1), -EINVAL);
	assert_non_null(strstr(error, "60001 ms"));
}

static void a_refused_plan_leaves_the_layout_alone(void **state)
{
	layout.total_bytes = 77;

	assert_int_equal(plan(5, 5, 5), -EINVAL);

	assert_int_equal(layout.total_bytes, 77);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_plan_has_the_kernels_numbers),
		cmocka_unit_test(the_smallest_ring_is_two_pages),
		cmocka_unit_test(a_block_that_is_no_power_of_two_is_refused),
		cmocka_unit_test(a_block_smaller_than_a_page_is_refused),
		cmocka_unit_test(a_block_beyond_the_limit_is_refused),
		cmocka_unit_test(fewer_than_two_blocks_are_refused),
		cmocka_unit_test(a_frame_count_beyond_32_bits_is_refused),
		cmocka_unit_test(a_retire_timeout_out_of_range_is_refused),
		cmocka_unit_test(a_refused_plan_leaves_the_layout_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
