/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/sampler.h"

#include "tests/unit.h"

static unsigned count_selected(struct sampler *sampler, unsigned packets)
{
	unsigned selected = 0;

	for (unsigned i = 0; i < packets; i++)
		selected += sampler_selects(sampler);
	return selected;
}

static void sampler_takes_the_first_packet(void **state)
{
	struct sampler sampler = sampler_every(100);

	assert_true(sampler_selects(&sampler));
}

static void sampler_takes_every_nth_packet(void **state)
{
	struct sampler sampler = sampler_every(3);
	static const bool expected[] = { true, false, false, true, false, false, true, false };

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
		assert_int_equal(sampler_selects(&sampler), expected[i]);
}

static void sampler_takes_exactly_one_in_n(void **state)
{
	struct sampler sampler = sampler_every(7);

	assert_int_equal(count_selected(&sampler, 7000), 1000);
}

static void sampler_of_zero_or_one_takes_every_packet(void **state)
{
	struct sampler of_zero = sampler_every(0), of_one = sampler_every(1);

	assert_int_equal(count_selected(&of_zero, 50), 50);
	assert_int_equal(count_selected(&of_one, 50), 50);
}

static void sampler_keeps_the_largest_interval(void **state)
{
	struct sampler sampler = sampler_every(UINT32_MAX);

	assert_int_equal(count_selected(&sampler, 100000), 1);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(sampler_takes_the_first_packet),
	cmocka_unit_test(sampler_takes_every_nth_packet),
	cmocka_unit_test(sampler_takes_exactly_one_in_n),
	cmocka_unit_test(sampler_of_zero_or_one_takes_every_packet),
	cmocka_unit_test(sampler_keeps_the_largest_interval),
};

UNIT_MAIN("sampler", tests)
