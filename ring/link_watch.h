/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binds a packet socket to an interface by name and keeps it bound: through down and up, and
 * through deletion and re-creation under the same name.
 *
 *   what happens        what the kernel does                   what is left to do here
 *   down, up            ENETDOWN once; captures again alone    count, say it
 *   deleted, made again ENETDOWN once; bound to -1; silence    bind to the new index by name
 *   moved elsewhere     as deleted                             as deleted
 *   renamed             nothing; bound by index                nothing
 *   not there yet       the socket is not bound                as made again
 *
 * A member of a fanout group cannot be bound again: see .prepare.
 */
#ifndef RING_LINK_WATCH_H
#define RING_LINK_WATCH_H

#include <stdbool.h>
#include <stdint.h>

#define LINK_NOTICE_BYTES 128

struct link_watch {
	int fd;                /* borrowed packet socket */
	const char *interface; /* borrowed */
	int link_type;         /* must be the same when the interface comes back */
	bool is_promiscuous;
	/* Called before the socket is bound again; NULL: nothing is to be done. 0, or a
	 * negative errno to try again later. May put another socket behind .fd. */
	int (*prepare)(void *user);
	void *user;

	bool is_lost;
	bool is_other_kind;   /* what has the name now is another kind of link */
	uint64_t next_try_ns; /* monotonic clock */
	uint64_t losses;
	uint64_t returns;
	uint64_t rebinds;
	char notice[LINK_NOTICE_BYTES]; /* the last event, "" when none */
};

/* Learn the interface's index and link type. 0, -ENODEV, or -EPROTONOSUPPORT (then
 * *ret_hardware_type says what it is). */
int link_watch_find(int fd, const char *interface, int *ret_if_index, int *ret_link_type,
	unsigned *ret_hardware_type);

/* Bind and ask for promiscuous mode. Succeeds on an interface that is down: that is a loss
 * which is waited out. 0 or a negative errno. */
int link_watch_bind(struct link_watch *watch, int if_index);

/* The socket is bound since before: see whether the interface is still there. Promiscuous mode
 * is the socket's. */
void link_watch_adopt(struct link_watch *watch);

/* There is no such interface yet: that is a loss, too, and a socket that is not bound. */
void link_watch_await(struct link_watch *watch);

/* Look for losses and returns. Call when the ring is empty. True: the interface is new. */
bool link_watch_poll(struct link_watch *watch);

#endif
