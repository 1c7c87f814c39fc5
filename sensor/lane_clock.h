/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The clock of a lane: the newest stamp. It never goes back.
 *
 * A live source takes out by itself what somebody does to the host's clock. A capture file has
 * the stamps that it has: one may be far in the future, or all may be an hour back from some
 * packet on, because that was when the clock was set, or a second file begins before the first
 * one ends. A clock that stood still until the stamps catch up would keep flows from ending. So
 * when two packets in a row are more than LANE_CLOCK_JUMP_NS behind, and agree, the clock goes
 * on from where it is, that much ahead of the stamps (.ahead_ns).
 */
#ifndef SENSOR_LANE_CLOCK_H
#define SENSOR_LANE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

#define LANE_CLOCK_JUMP_NS 60000000000ULL

struct lane_clock {
	uint64_t now_ns;
	uint64_t ahead_ns;   /* of the stamps */
	uint64_t suspect_ns; /* a stamp from far behind, which the last packet had */
	bool has_suspect;
	bool is_steady; /* of a live source: nothing to suspect */
	uint64_t jumps; /* times that it went on ahead of stamps that went back, or returned */
};

/* The way of those that are not near; see lane_clock_see(). */
bool lane_clock_jump(struct lane_clock *clock, uint64_t stamp_ns);

/* Move on to a packet. True: .ahead_ns has changed. */
static inline bool lane_clock_see(struct lane_clock *clock, uint64_t stamp_ns)
{
	uint64_t time_ns = stamp_ns + clock->ahead_ns;

	if (time_ns - clock->now_ns < LANE_CLOCK_JUMP_NS)
		clock->now_ns = time_ns;
	else if (time_ns > clock->now_ns || clock->now_ns - time_ns > LANE_CLOCK_JUMP_NS)
		return lane_clock_jump(clock, stamp_ns);
	clock->has_suspect = false;
	return false;
}

#endif
