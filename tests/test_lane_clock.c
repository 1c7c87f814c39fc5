/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lane_clock.h"

#include "tests/unit.h"

#define S UINT64_C(1000000000)
#define HOUR (3600 * S)
#define START_NS (1700000000 * S)

static struct lane_clock lane_clock;

static int start(void **state)
{
	(void)state;
	lane_clock = (struct lane_clock){ 0 };
	lane_clock_see(&lane_clock, START_NS);
	return 0;
}

static bool see(uint64_t ns)
{
	return lane_clock_see(&lane_clock, START_NS + ns);
}

static uint64_t now(void)
{
	return lane_clock.now_ns - START_NS;
}

static void it_is_the_newest_stamp(void **state)
{
	(void)state;
	see(5 * S);
	see(3 * S);
	assert_int_equal(now(), 5 * S);
	see(HOUR);
	assert_int_equal(now(), HOUR);
	assert_int_equal(lane_clock.jumps, 0);
}

static void one_stamp_from_far_behind_changes_nothing(void **state)
{
	(void)state;
	see(10 * HOUR);
	assert_false(see(1 * HOUR));
	see(10 * HOUR + S);
	assert_false(see(1 * HOUR + S));
	see(10 * HOUR + 2 * S);

	assert_int_equal(now(), 10 * HOUR + 2 * S);
	assert_int_equal(lane_clock.jumps, 0);
}

static void two_that_do_not_agree_change_nothing(void **state)
{
	(void)state;
	see(10 * HOUR);
	assert_false(see(1 * HOUR));
	assert_false(see(3 * HOUR));
	assert_int_equal(lane_clock.ahead_ns, 0);
}

static void it_goes_on_when_stamps_went_back_for_good(void **state)
{
	(void)state;
	see(10 * HOUR);
	see(1 * HOUR);
	assert_true(see(1 * HOUR + S));
	assert_int_equal(now(), 10 * HOUR);
	assert_int_equal(lane_clock.ahead_ns, 9 * HOUR - S);
	see(1 * HOUR + 21 * S);
	assert_int_equal(now(), 10 * HOUR + 20 * S);
	assert_int_equal(lane_clock.jumps, 1);
}

/* The one that was a year ahead was the exception. */
static void a_stamp_from_the_future_does_not_stop_it(void **state)
{
	(void)state;
	see(1 * S);
	see(9000 * HOUR);
	see(2 * S);
	see(3 * S);
	see(63 * S);

	assert_int_equal(now(), 9000 * HOUR + 60 * S);
}

static void it_returns_with_the_stamps(void **state)
{
	(void)state;
	see(10 * HOUR);
	see(1 * HOUR);
	see(1 * HOUR);
	see(1 * HOUR + 5 * S);
	assert_true(see(10 * HOUR + 6 * S));
	assert_int_equal(now(), 10 * HOUR + 6 * S);
	assert_int_equal(lane_clock.ahead_ns, 0);
	see(10 * HOUR + 7 * S);
	assert_int_equal(now(), 10 * HOUR + 7 * S);
}

static void a_pause_after_stamps_went_back_is_a_pause(void **state)
{
	(void)state;
	see(10 * HOUR);
	see(1 * HOUR);
	see(1 * HOUR);
	see(2 * HOUR);
	assert_int_equal(now(), 11 * HOUR);
	assert_int_equal(lane_clock.ahead_ns, 9 * HOUR);
}

static void a_live_source_is_not_suspected(void **state)
{
	(void)state;
	lane_clock.is_steady = true;
	see(10 * HOUR);
	assert_false(see(1 * HOUR));
	assert_false(see(1 * HOUR));
	assert_int_equal(now(), 10 * HOUR);
	assert_int_equal(lane_clock.ahead_ns, 0);
}

#define FACT(name) cmocka_unit_test_setup(name, start)

static const struct CMUnitTest tests[] = {
	FACT(it_is_the_newest_stamp),
	FACT(one_stamp_from_far_behind_changes_nothing),
	FACT(two_that_do_not_agree_change_nothing),
	FACT(it_goes_on_when_stamps_went_back_for_good),
	FACT(a_stamp_from_the_future_does_not_stop_it),
	FACT(it_returns_with_the_stamps),
	FACT(a_pause_after_stamps_went_back_is_a_pause),
	FACT(a_live_source_is_not_suspected),
};

UNIT_MAIN("lane_clock", tests)
