/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <poll.h>
#include <unistd.h>

#include "sensor/loop.h"

struct seen {
	struct loop *loop;
	struct loop_watch *victim; /* removed when called */
	unsigned calls;
	short revents;
	bool stops;
};

static void note(struct loop_watch *watch, short revents)
{
	struct seen *seen = watch->user;

	seen->calls++;
	seen->revents = revents;
	watch->deadline_ns = UINT64_MAX;
	if (seen->victim)
		loop_remove(seen->loop, seen->victim);
	if (seen->stops)
		loop_stop(seen->loop);
}

static void loop_calls_a_readable_watch(void **state)
{
	struct loop loop = { 0 };
	struct seen seen = { .loop = &loop, .stops = true };
	int fds[2];
	(void)state;
	assert_int_equal(pipe(fds), 0);
	struct loop_watch watch = { fds[0], POLLIN, UINT64_MAX, note, &seen };
	assert_int_equal(loop_add(&loop, &watch), 0);
	assert_int_equal(write(fds[1], "x", 1), 1);

	assert_int_equal(loop_run(&loop), 0);

	assert_int_equal(seen.calls, 1);
	assert_true(seen.revents & POLLIN);
	close(fds[0]);
	close(fds[1]);
}

static void loop_calls_a_deadline_with_no_events(void **state)
{
	struct loop loop = { 0 };
	struct seen seen = { .loop = &loop, .stops = true, .revents = -1 };
	struct loop_watch watch = { -1, 0, loop_now_ns() + 1000000, note, &seen };
	(void)state;
	loop_add(&loop, &watch);

	assert_int_equal(loop_run(&loop), 0);

	assert_int_equal(seen.calls, 1);
	assert_int_equal(seen.revents, 0);
}

static void loop_leaves_out_a_watch_removed_by_an_earlier_one(void **state)
{
	struct loop loop = { 0 };
	struct seen first = { .loop = &loop }, second = { .loop = &loop },
		    last = { .loop = &loop, .stops = true };
	struct loop_watch a = { -1, 0, 0, note, &first }, b = { -1, 0, 0, note, &second },
			  c = { -1, 0, 0, note, &last };
	(void)state;
	first.victim = &b;
	loop_add(&loop, &a);
	loop_add(&loop, &b);
	loop_add(&loop, &c);

	assert_int_equal(loop_run(&loop), 0);

	assert_int_equal(first.calls, 1);
	assert_int_equal(second.calls, 0);
	assert_int_equal(last.calls, 1);
}

static void loop_refuses_more_watches_than_it_holds(void **state)
{
	static struct loop_watch watches[LOOP_WATCHES_MAX + 1];
	struct loop loop = { 0 };
	(void)state;
	for (unsigned i = 0; i < LOOP_WATCHES_MAX; i++)
		assert_int_equal(loop_add(&loop, &watches[i]), 0);

	assert_true(loop_add(&loop, &watches[LOOP_WATCHES_MAX]) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(loop_calls_a_readable_watch),
		cmocka_unit_test(loop_calls_a_deadline_with_no_events),
		cmocka_unit_test(loop_leaves_out_a_watch_removed_by_an_earlier_one),
		cmocka_unit_test(loop_refuses_more_watches_than_it_holds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
