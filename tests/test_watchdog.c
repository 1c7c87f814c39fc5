/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit.h"

#include <stdlib.h>
#include <unistd.h>

#include "systemd/watchdog.h"

static struct watchdog read_with(const char *interval, const char *pid)
{
	struct watchdog watchdog;

	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	if (interval)
		setenv("WATCHDOG_USEC", interval, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	watchdog_read(&watchdog);
	return watchdog;
}

static void the_interval_is_that_of_the_environment(void **state)
{
	char own[24];
	snprintf(own, sizeof(own), "%ld", (long)getpid());

	assert_int_equal(read_with("2000000", NULL).interval_ns, 2000000000);
	assert_int_equal(read_with("2000000", own).interval_ns, 2000000000);
}

static void nobody_waits_without_a_sensible_interval(void **state)
{
	assert_int_equal(read_with(NULL, NULL).interval_ns, 0);
	assert_int_equal(read_with("", NULL).interval_ns, 0);
	assert_int_equal(read_with("0", NULL).interval_ns, 0);
	assert_int_equal(read_with("-5", NULL).interval_ns, 0);
	assert_int_equal(read_with("5s", NULL).interval_ns, 0);
	assert_int_equal(read_with("18446744073709551615", NULL).interval_ns, 0);
	assert_int_equal(read_with("99999999999999999999", NULL).interval_ns, 0);
}

static void a_watchdog_of_another_process_is_not_ours(void **state)
{
	assert_int_equal(read_with("2000000", "1").interval_ns, 0);
	assert_int_equal(read_with("2000000", "me").interval_ns, 0);
}

static void there_are_several_looks_in_an_interval(void **state)
{
	struct watchdog watchdog = { .interval_ns = 1000 };

	assert_in_range(watchdog_look_ns(&watchdog), 1, 500);
}

static void the_word_needs_all_workers(void **state)
{
	struct watchdog watchdog = { .interval_ns = 1 };

	assert_true(watchdog_has_moved(&watchdog, (const uint64_t[]){ 1, 1 }, 2));
	assert_false(watchdog_has_moved(&watchdog, (const uint64_t[]){ 2, 1 }, 2));
	assert_false(watchdog_has_moved(&watchdog, (const uint64_t[]){ 900, 1 }, 2));
	assert_true(watchdog_has_moved(&watchdog, (const uint64_t[]){ 900, 2 }, 2));
	assert_false(watchdog_has_moved(&watchdog, (const uint64_t[]){ 900, 3 }, 2));
}

static void a_worker_that_has_ended_is_not_waited_for(void **state)
{
	struct watchdog watchdog = { .interval_ns = 1 };

	assert_true(watchdog_has_moved(&watchdog, (const uint64_t[]){ 1, WATCHDOG_ENDED }, 2));
	assert_true(watchdog_has_moved(&watchdog, (const uint64_t[]){ 2, WATCHDOG_ENDED }, 2));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_interval_is_that_of_the_environment),
	cmocka_unit_test(nobody_waits_without_a_sensible_interval),
	cmocka_unit_test(a_watchdog_of_another_process_is_not_ours),
	cmocka_unit_test(there_are_several_looks_in_an_interval),
	cmocka_unit_test(the_word_needs_all_workers),
	cmocka_unit_test(a_worker_that_has_ended_is_not_waited_for),
};

UNIT_MAIN("watchdog", tests)
