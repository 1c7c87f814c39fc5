/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The time of a live source. The kernel stamps packets with the host's clock, which somebody
 *may set. What a source hands over is *steady* time instead: it goes on as if the clock had not
 * been set, and *step_ns* says how far it was, all in all, so that
 *
 *	Unix time = steady time + step_ns
 *
 * and differences of steady times are true whatever happened in between. Until the clock is set
 * for the first time the two are the same.
 *
 * Packets from before and after wait in the same ring. A stamp tells which it is by what cannot
 * be: no packet is from the future.
 */
#ifndef RING_LIVE_CLOCK_H
#define RING_LIVE_CLOCK_H

#include "ring/packet.h"

/* The host's clocks, read together. */
struct host_time {
	uint64_t unix_ns;
	uint64_t running_ns; /* never set; its zero does not matter */
};

struct live_clock {
	bool has_begun;
	int64_t origin_ns; /* steady time less running time */
	int64_t step_ns;
	int64_t before_step_ns; /* what it was before the last change */
	int64_t next_step_ns;   /* what it will be when a packet from after the change comes */
	uint64_t next_since_ns; /* steady time when that was found */
	uint64_t holdback_ns;   /* so long may the kernel keep a packet */
	uint64_t newest_ns;     /* steady */
	uint64_t steps;         /* times that the clock was set */
	uint64_t odd_stamps;    /* stamps from the future, taken for now */
};

/* Read the clocks, again when it took so long that the readings do not belong together. */
struct host_time live_clock_read(void);

/* Go on with the clock of somebody who had this host's, and stopped. */
void live_clock_resume(
	struct live_clock *clock, int64_t origin_ns, int64_t step_ns, uint64_t newest_ns);

/*
 * Put the stamps of a batch, and its .clock_ns and .step_ns, into steady time. .newest_stamp_ns
 * is the newest stamp that the source ever saw, or of the batch alone; .now was read after the
 * batch was filled.
 */
void live_clock_settle(struct live_clock *clock, const struct host_time *now,
	uint64_t newest_stamp_ns, struct packet_batch *batch);

#endif
