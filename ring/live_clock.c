/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring/live_clock.h"

#include <time.h>

#define NS_PER_SECOND 1000000000ull

/* Less is not told from slewing, and does little harm. */
#define STEP_LEAST_NS 500000000ll

/* A stamp may be so much newer than what the clocks said after it was made. */
#define SLACK_NS 100000000ull

#define READING_MOST_NS 10000000ull
#define READINGS_MOST 5

/* The one that goes on while the host sleeps, as the one that may be set does. */
#ifdef CLOCK_BOOTTIME
#define CLOCK_RUNNING CLOCK_BOOTTIME
#else
#define CLOCK_RUNNING CLOCK_MONOTONIC
#endif

static uint64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

struct host_time live_clock_read(void)
{
	struct host_time now;
	uint64_t before_ns;
	unsigned tries = READINGS_MOST;

	do {
		before_ns = read_ns(CLOCK_RUNNING);
		now.unix_ns = read_ns(CLOCK_REALTIME);
		now.running_ns = read_ns(CLOCK_RUNNING);
	} while (now.running_ns - before_ns > READING_MOST_NS && --tries > 0);
	return now;
}

/* -- steps ---------------------------------------------------------------------------- */

static uint64_t steady_now_ns(const struct live_clock *clock, const struct host_time *now)
{
	return now->running_ns + (uint64_t)clock->origin_ns;
}

static void begin(struct live_clock *clock, const struct host_time *now)
{
	clock->has_begun = true;
	clock->origin_ns = (int64_t)(now->unix_ns - now->running_ns) - clock->step_ns;
	clock->next_step_ns = clock->before_step_ns = clock->step_ns;
}

void live_clock_resume(
	struct live_clock *clock, int64_t origin_ns, int64_t step_ns, uint64_t newest_ns)
{
	clock->has_begun = origin_ns != 0;
	clock->origin_ns = origin_ns;
	clock->step_ns = clock->before_step_ns = clock->next_step_ns = step_ns;
	clock->newest_ns = newest_ns;
}

/* Was the clock set since the last look? */
static void look(struct live_clock *clock, const struct host_time *now)
{
	int64_t step_ns = (int64_t)(now->unix_ns - steady_now_ns(clock, now));
	int64_t change_ns = step_ns - clock->next_step_ns;

	if (change_ns > -STEP_LEAST_NS && change_ns < STEP_LEAST_NS)
		return;
	clock->next_step_ns = step_ns;
	clock->next_since_ns = steady_now_ns(clock, now);
	clock->steps++;
}

static void take_step(struct live_clock *clock)
{
	clock->before_step_ns = clock->step_ns;
	clock->step_ns = clock->next_step_ns;
}

/* -- stamps --------------------------------------------------------------------------- */

/* 0 for what would be before 1970. */
static uint64_t steady_ns(uint64_t stamp_ns, int64_t step_ns)
{
	if (step_ns > 0 && stamp_ns < (uint64_t)step_ns)
		return 0;
	return stamp_ns - (uint64_t)step_ns;
}

/* Set forward, a new stamp would be from the future if it were old; set back, an old one would
 * if it were new. */
static bool is_from_after(const struct live_clock *clock, uint64_t stamp_ns, uint64_t most_ns)
{
	if (clock->next_step_ns > clock->step_ns)
		return steady_ns(stamp_ns, clock->step_ns) > most_ns;
	return steady_ns(stamp_ns, clock->next_step_ns) <= most_ns;
}

static uint64_t apart_ns(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

static uint64_t settle_stamp(struct live_clock *clock, uint64_t stamp_ns, uint64_t now_ns)
{
	uint64_t most_ns = now_ns + SLACK_NS;

	if (clock->next_step_ns != clock->step_ns && is_from_after(clock, stamp_ns, most_ns))
		take_step(clock);
	uint64_t time_ns = steady_ns(stamp_ns, clock->step_ns);
	uint64_t before_ns = steady_ns(stamp_ns, clock->before_step_ns);

	/* A straggler from before the change. */
	if (before_ns <= most_ns && before_ns != time_ns &&
		apart_ns(before_ns, clock->newest_ns) < apart_ns(time_ns, clock->newest_ns))
		return before_ns;
	if (time_ns <= most_ns)
		return time_ns;
	clock->odd_stamps++;
	return now_ns;
}

static void settle_packets(
	struct live_clock *clock, uint64_t now_ns, struct packet_batch *batch)
{
	for (unsigned i = 0; i < batch->count; i++) {
		struct packet *packet = &batch->packets[i];

		packet->stamp_ns = settle_stamp(clock, packet->stamp_ns, now_ns);
		if (packet->stamp_ns > clock->newest_ns)
			clock->newest_ns = packet->stamp_ns;
	}
}

/* Nothing from before the change can come any more. */
static void settle_idle(struct live_clock *clock, uint64_t now_ns)
{
	if (clock->next_step_ns != clock->step_ns &&
		now_ns > clock->next_since_ns + clock->holdback_ns)
		take_step(clock);
	if (now_ns > clock->holdback_ns && now_ns - clock->holdback_ns > clock->newest_ns)
		clock->newest_ns = now_ns - clock->holdback_ns;
}

static bool is_as_stamped(
	const struct live_clock *clock, const struct host_time *now, uint64_t newest_stamp_ns)
{
	return clock->step_ns == 0 && clock->next_step_ns == 0 &&
	       newest_stamp_ns <= now->unix_ns + SLACK_NS;
}

void live_clock_settle(struct live_clock *clock, const struct host_time *now,
	uint64_t newest_stamp_ns, struct packet_batch *batch)
{
	if (!clock->has_begun)
		begin(clock, now);
	look(clock, now);
	if (batch->count == 0)
		settle_idle(clock, steady_now_ns(clock, now));
	else if (!is_as_stamped(clock, now, newest_stamp_ns))
		settle_packets(clock, steady_now_ns(clock, now), batch);
	else if (newest_stamp_ns > clock->newest_ns)
		clock->newest_ns = newest_stamp_ns;
	batch->clock_ns = clock->newest_ns;
	batch->step_ns = clock->step_ns;
}
