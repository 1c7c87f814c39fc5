/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A group of packet sockets on one interface among which the kernel shares out the frames, by
 * the program of ring/steering.h. A socket is bound before it can join, and alone it would get
 * every frame; and until all have joined the shares move. So each has a gate:
 *
 *   shut       nothing gets in
 *   bind, join one socket after the other
 *   open       the gate is replaced by the lane's own filter
 */
#ifndef RING_FANOUT_H
#define RING_FANOUT_H

#include "ring/steering.h"

struct fanout {
	struct steering steering;
	uint16_t id; /* of the group, from the kernel */
	bool has_id;
};

/* Let nothing into a socket, which is not bound yet. 0 or a negative errno. */
int fanout_shut(int fd);

/* Join, as the group's next lane; the first one makes the group. For sockets that are bound.
 * 0 or a negative errno. */
int fanout_join(struct fanout *group, int fd, int link_type);

#endif
