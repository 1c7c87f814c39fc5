/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lane_clock.h"

static bool is_near(uint64_t a_ns, uint64_t b_ns)
{
	return (a_ns > b_ns ? a_ns - b_ns : b_ns - a_ns) <= LANE_CLOCK_JUMP_NS;
}

/* Ahead of stamps that went back, and now they are where they were before: the others were the
 * exception. */
static bool go_home(struct lane_clock *clock, uint64_t stamp_ns)
{
	if (stamp_ns > clock->now_ns)
		clock->now_ns = stamp_ns;
	clock->ahead_ns = 0;
	clock->jumps++;
	return true;
}

static bool jump_back(struct lane_clock *clock, uint64_t stamp_ns)
{
	bool is_agreed = clock->has_suspect && is_near(clock->suspect_ns, stamp_ns);

	clock->suspect_ns = stamp_ns;
	clock->has_suspect = !is_agreed;
	if (!is_agreed)
		return false;
	clock->ahead_ns = clock->now_ns - stamp_ns;
	clock->jumps++;
	return true;
}

bool lane_clock_jump(struct lane_clock *clock, uint64_t stamp_ns)
{
	uint64_t time_ns = stamp_ns + clock->ahead_ns;

	if (time_ns <= clock->now_ns)
		return !clock->is_steady && jump_back(clock, stamp_ns);
	clock->has_suspect = false;
	if (clock->ahead_ns != 0 && stamp_ns + LANE_CLOCK_JUMP_NS >= clock->now_ns)
		return go_home(clock, stamp_ns);
	clock->now_ns = time_ns;
	return false;
}
