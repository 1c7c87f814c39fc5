/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What one process leaves for the next: descriptors, by name, with a service manager. The
 * manager is reached through these calls; main.c alone knows which one it is.
 *
 *	packet-NUMBER   a packet socket that is bound to nothing, to make a ring of; never kept
 *	ring-LANE       the packet socket with its ring
 *	spare-LANE      what comes after it when the interface is made anew (ring/tpacket_v3.c)
 *	state-LANE      the lane's memory (lane_state.h)
 *	udp-LANE-NUMBER the socket of a lane to a collector, by its place on the command line
 *
 * Who opens the sockets for a process without rights uses the same names.
 */
#ifndef SENSOR_HANDOVER_H
#define SENSOR_HANDOVER_H

#include <stdbool.h>
#include <stdio.h>

#define HANDOVER_NAME_BYTES 32

struct handover {
	/* The descriptor of this name, the caller's from now on; -1: none was handed in. */
	int (*take)(void *user, const char *name);
	/* Keep a copy of a descriptor for whoever comes next. False: nobody keeps it. */
	bool (*store)(void *user, const char *name, int fd);
	bool (*forget)(void *user, const char *name);
	bool can_store; /* somebody may be there to keep what is stored */
	void *user;
};

/* All of these are fine with NULL: there is no manager, nothing comes and nothing is kept. */

static inline int handover_take(const struct handover *handover, const char *name)
{
	return handover ? handover->take(handover->user, name) : -1;
}

static inline bool handover_store(const struct handover *handover, const char *name, int fd)
{
	return handover && handover->store(handover->user, name, fd);
}

static inline void handover_forget(const struct handover *handover, const char *name)
{
	if (handover)
		handover->forget(handover->user, name);
}

/* Names. */
struct handover_name {
	char text[HANDOVER_NAME_BYTES];
};

static inline struct handover_name handover_name(const char *what, unsigned lane)
{
	struct handover_name name;

	snprintf(name.text, sizeof(name.text), "%s-%u", what, lane);
	return name;
}

static inline struct handover_name handover_udp_name(unsigned lane, unsigned number)
{
	struct handover_name name;

	snprintf(name.text, sizeof(name.text), "udp-%u-%u", lane, number);
	return name;
}

#endif
