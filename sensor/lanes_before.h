/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lanes of the process before, where this one cannot go on in their place: there are more
 * lanes now or fewer, or other rings, or room for more flows. They live once more, for a
 * moment:
 *
 *	new rings are opened, and fill           packets are in the old rings and in the new
 *	a cut: a time a little later             the kernel stamps a packet once, before it
 *	                                         gives it to anybody
 *	old lanes meter what came before it      and end
 *	their flows move (lane_move.h)
 *	new lanes meter what came after it
 *
 * Where flows cannot be moved (another interface, another idea of what a flow is), the old
 * lanes export them all.
 */
#ifndef SENSOR_LANES_BEFORE_H
#define SENSOR_LANES_BEFORE_H

#include "sensor/lanes.h"

struct lanes_before;

/*
 * Take over the states that .lanes found and cannot go on with, the rings .handed with them,
 * and the sockets to collectors. 0; *ret_before is NULL when there is nothing; or a negative
 * errno with a sentence in .error.
 */
int lanes_before_open(struct lanes *lanes, const struct config *config,
	struct source_handed *handed, unsigned ring_count, struct lanes_before **ret_before,
	char error[static CONFIG_ERROR_BYTES]);

/* A socket to this collector that a lane of them has, to go on with, too; -1: none. */
int lanes_before_udp(const struct lanes_before *before, unsigned lane, const char *destination);

/* Let them live until the cut. .lanes have their sources, and states without flows, which then
 * have what was moved: from *ret_cut_ns on packets are theirs. 0 or a negative errno. */
int lanes_before_live(struct lanes_before *before, struct lanes *lanes, uint64_t *ret_cut_ns,
	char error[static CONFIG_ERROR_BYTES]);

/* NULL is fine. */
void lanes_before_free(struct lanes_before *before);

#endif
