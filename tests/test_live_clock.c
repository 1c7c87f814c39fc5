/* SPDX-License-Identifier: BSD-2-Clause */
/* The host's clock is set while packets wait in the ring: injected stamps and readings. */
#include "ring/live_clock.h"

#include "tests/unit.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define HOUR (3600 * S)
#define START_NS (1700000000 * S)
#define HOLDBACK_NS (100 * MS)

static struct live_clock clock_of_ring;
static struct packet_batch batch;
static int64_t set_ns;     /* how far the host's clock was set */
static uint64_t newest_ns; /* as the ring remembers it */

static int start(void **state)
{
	(void)state;
	clock_of_ring = (struct live_clock){ .holdback_ns = HOLDBACK_NS };
	set_ns = 0;
	newest_ns = 0;
	return 0;
}

/* What the host's clocks say .ns after the start. */
static struct host_time host_at(uint64_t ns)
{
	return (struct host_time){
		.unix_ns = START_NS + ns + (uint64_t)set_ns,
		.running_ns = 77 * S + ns,
	};
}

/* A batch of packets with these stamps after the start, up to a UINT64_MAX, read at .now. */
static void settle(uint64_t now, const uint64_t *stamps)
{
	struct host_time host = host_at(now);

	batch.count = 0;
	for (; *stamps != UINT64_MAX; stamps++) {
		uint64_t stamp_ns = START_NS + *stamps;

		batch.packets[batch.count++].stamp_ns = stamp_ns;
		if (stamp_ns > newest_ns)
			newest_ns = stamp_ns;
	}
	live_clock_settle(&clock_of_ring, &host, newest_ns, &batch);
}

#define SETTLE(now, ...) \
	settle(now, (const uint64_t[]){ __VA_ARGS__ __VA_OPT__(, ) UINT64_MAX })

static void assert_stamp(unsigned index, uint64_t ns)
{
	assert_int_equal(batch.packets[index].stamp_ns, START_NS + ns);
}

static void stamps_are_left_alone_while_nobody_sets_the_clock(void **state)
{
	(void)state;
	SETTLE(2 * S, 1 * S, 2 * S);

	assert_stamp(0, 1 * S);
	assert_stamp(1, 2 * S);
	assert_int_equal(batch.clock_ns, START_NS + 2 * S);
	assert_int_equal(batch.step_ns, 0);
	SETTLE(9 * S);
	assert_int_equal(batch.clock_ns, START_NS + 9 * S - HOLDBACK_NS);
	assert_int_equal(clock_of_ring.steps + clock_of_ring.odd_stamps, 0);
}

static void a_step_forward_does_not_move_the_clock(void **state)
{
	(void)state;
	SETTLE(1 * S, 1 * S);
	set_ns = HOUR;
	SETTLE(3 * S, 2 * S, HOUR + 3 * S);

	assert_stamp(0, 2 * S);
	assert_stamp(1, 3 * S);
	assert_int_equal(batch.clock_ns, START_NS + 3 * S);
	assert_int_equal(batch.step_ns, HOUR);
	assert_int_equal(clock_of_ring.steps, 1);
	SETTLE(9 * S);
	assert_int_equal(batch.clock_ns, START_NS + 9 * S - HOLDBACK_NS);
	assert_int_equal(clock_of_ring.odd_stamps, 0);
}

static void a_step_back_does_not_stop_the_clock(void **state)
{
	uint64_t hour = HOUR;
	(void)state;

	SETTLE(1 * S, 1 * S);
	set_ns = -(int64_t)hour;
	SETTLE(3 * S, 2 * S, 3 * S - HOUR, 3 * S - HOUR + MS);

	assert_stamp(0, 2 * S);
	assert_stamp(1, 3 * S);
	assert_stamp(2, 3 * S + MS);
	assert_int_equal(batch.step_ns, -(int64_t)hour);
	SETTLE(60 * S);
	assert_int_equal(batch.clock_ns, START_NS + 60 * S - HOLDBACK_NS);
}

/* Old stamps may come until the kernel can hold none any more. */
static void a_step_is_taken_when_nothing_old_can_come(void **state)
{
	(void)state;
	SETTLE(1 * S, 1 * S);
	set_ns = HOUR;
	SETTLE(2 * S);
	assert_int_equal(batch.step_ns, 0);
	SETTLE(2 * S + 50 * MS, 2 * S);
	assert_stamp(0, 2 * S);
	SETTLE(2 * S + 101 * MS);

	assert_int_equal(batch.step_ns, HOUR);
}

/* Two processors stamp packets at nearly the same time. */
static void a_straggler_from_before_the_step_keeps_its_time(void **state)
{
	(void)state;
	SETTLE(1 * S, 1 * S);
	set_ns = HOUR;
	SETTLE(3 * S, HOUR + 3 * S - 2 * MS, 3 * S - 3 * MS, HOUR + 3 * S - MS);
	assert_stamp(0, 3 * S - 2 * MS);
	assert_stamp(1, 3 * S - 3 * MS);
	assert_stamp(2, 3 * S - MS);

	set_ns = 0;
	SETTLE(5 * S, 5 * S - 2 * MS, HOUR + 5 * S - 3 * MS, 5 * S - MS);
	assert_stamp(0, 5 * S - 2 * MS);
	assert_stamp(1, 5 * S - 3 * MS);
	assert_stamp(2, 5 * S - MS);
	assert_int_equal(clock_of_ring.odd_stamps, 0);
	assert_int_equal(clock_of_ring.steps, 2);
}

static void steps_add_up(void **state)
{
	(void)state;
	SETTLE(1 * S, 1 * S);
	for (unsigned i = 1; i <= 10; i++) {
		set_ns = (int64_t)(i * 700 * MS);
		SETTLE(i * 10 * S);
		SETTLE(i * 10 * S + 200 * MS);
		assert_int_equal(batch.step_ns, set_ns);
	}
	SETTLE(102 * S, 101 * S + 7 * S);
	assert_stamp(0, 101 * S);
}

/* From a step too small to be told from slewing. */
static void a_small_step_is_left_in(void **state)
{
	(void)state;
	SETTLE(1 * S, 1 * S);
	set_ns = 100 * MS;
	SETTLE(2 * S, 2 * S + 100 * MS);

	assert_stamp(0, 2 * S + 100 * MS);
	assert_int_equal(clock_of_ring.steps, 0);
}

static void a_stamp_from_the_future_is_taken_for_now_and_counted(void **state)
{
	(void)state;
	SETTLE(1 * S, 1 * S);
	SETTLE(2 * S, 2 * S - MS, HOUR, 2 * S);

	assert_stamp(0, 2 * S - MS);
	assert_stamp(1, 2 * S);
	assert_stamp(2, 2 * S);
	assert_int_equal(clock_of_ring.odd_stamps, 1);
	SETTLE(3 * S, 3 * S);
	assert_stamp(0, 3 * S);
	assert_int_equal(batch.clock_ns, START_NS + 3 * S);
	assert_int_equal(clock_of_ring.odd_stamps, 1);
}

/* A process that stopped for an hour reads what the ring kept. */
static void old_packets_are_no_step(void **state)
{
	(void)state;
	SETTLE(1 * S, 1 * S);
	SETTLE(HOUR, 2 * S, 3 * S, HOUR);

	assert_stamp(0, 2 * S);
	assert_stamp(1, 3 * S);
	assert_int_equal(clock_of_ring.steps, 0);
}

static void the_next_process_goes_on_with_the_clock(void **state)
{
	struct live_clock next = { .holdback_ns = HOLDBACK_NS };
	(void)state;

	SETTLE(1 * S, 1 * S);
	set_ns = HOUR;
	SETTLE(2 * S, HOUR + 2 * S);
	live_clock_resume(
		&next, clock_of_ring.origin_ns, clock_of_ring.step_ns, clock_of_ring.newest_ns);
	clock_of_ring = next;
	set_ns = 2 * HOUR; /* set again while none ran */
	SETTLE(4 * S, HOUR + 3 * S, 2 * HOUR + 4 * S);

	assert_stamp(0, 3 * S);
	assert_stamp(1, 4 * S);
	assert_int_equal(batch.step_ns, 2 * HOUR);
}

static void the_clocks_can_be_read(void **state)
{
	struct host_time now = live_clock_read();
	(void)state;

	assert_true(now.unix_ns > START_NS);
	assert_true(now.running_ns > 0);
}

#define FACT(name) cmocka_unit_test_setup(name, start)

static const struct CMUnitTest tests[] = {
	FACT(stamps_are_left_alone_while_nobody_sets_the_clock),
	FACT(a_step_forward_does_not_move_the_clock),
	FACT(a_step_back_does_not_stop_the_clock),
	FACT(a_step_is_taken_when_nothing_old_can_come),
	FACT(a_straggler_from_before_the_step_keeps_its_time),
	FACT(steps_add_up),
	FACT(a_small_step_is_left_in),
	FACT(a_stamp_from_the_future_is_taken_for_now_and_counted),
	FACT(old_packets_are_no_step),
	FACT(the_next_process_goes_on_with_the_clock),
	FACT(the_clocks_can_be_read),
};

UNIT_MAIN("live_clock", tests)
