/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/pacer.h"

#include "tests/unit.h"

#define MS 1000000ull
#define S (1000 * MS)

static void pacer_without_a_rate_gives_what_is_asked_for(void **state)
{
	struct pacer pacer = { 0 };

	pacer_spend(&pacer, 1000000);
	assert_int_equal(pacer_budget(&pacer, 0, 4096), 4096);
}

static void pacer_gives_its_rate_over_time(void **state)
{
	struct pacer pacer = { .records_per_s = 10000 };
	uint64_t sum = 0;

	for (uint64_t now_ns = S; now_ns < 11 * S; now_ns += 3 * MS) {
		size_t budget = pacer_budget(&pacer, now_ns, 4096);

		pacer_spend(&pacer, budget);
		sum += budget;
	}
	/* Ten seconds, and the credit of the beginning. */
	assert_in_range(sum, 99900, 100600);
}

static void pacer_keeps_what_is_less_than_a_record(void **state)
{
	struct pacer pacer = { .records_per_s = 1, .seen_ns = S };
	unsigned sum = 0;

	for (uint64_t now_ns = S; now_ns <= 2 * S; now_ns += MS) {
		size_t budget = pacer_budget(&pacer, now_ns, 4096);

		pacer_spend(&pacer, budget);
		sum += (unsigned)budget;
	}
	assert_int_equal(sum, 1);
}

static void pacer_does_not_save_up_for_a_flood(void **state)
{
	struct pacer pacer = { .records_per_s = 1000, .seen_ns = S };

	assert_int_equal(pacer_budget(&pacer, 3600 * S, 4096), 1000 * PACER_BURST_NS / S);
}

static void pacer_gives_no_more_than_is_asked_for(void **state)
{
	struct pacer pacer = { .records_per_s = UINT32_MAX, .seen_ns = S };

	assert_int_equal(pacer_budget(&pacer, 2 * S, 4096), 4096);
	pacer_spend(&pacer, 4096);
	assert_int_equal(pacer_budget(&pacer, 2 * S, 4096), 4096);
}

static void pacer_does_not_owe(void **state)
{
	struct pacer pacer = { .records_per_s = 1000, .seen_ns = S };

	pacer_spend(&pacer, UINT32_MAX); /* for lack of room, say */
	assert_int_equal(pacer_budget(&pacer, S + 10 * MS, 4096), 10);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pacer_without_a_rate_gives_what_is_asked_for),
	cmocka_unit_test(pacer_gives_its_rate_over_time),
	cmocka_unit_test(pacer_keeps_what_is_less_than_a_record),
	cmocka_unit_test(pacer_does_not_save_up_for_a_flood),
	cmocka_unit_test(pacer_gives_no_more_than_is_asked_for),
	cmocka_unit_test(pacer_does_not_owe),
};

UNIT_MAIN("pacer", tests)
