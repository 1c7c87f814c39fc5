/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service manager's notification socket, without its library: one datagram per message to
 * the address in NOTIFY_SOCKET. Everything is a no-op where there is no such address.
 */
#ifndef SYSTEMD_NOTIFY_H
#define SYSTEMD_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd; /* -1: nobody listens */
};

/* Connect to the service manager, once, before rights are dropped. */
void notify_open(struct notify *notify);

/* Send assignments such as "READY=1\nSTATUS=..."; false when nobody took them. */
bool notify_send(const struct notify *notify, const char *assignments);

/* The same for what must arrive, such as READY=1: waits while the manager is busy. Not for
 * lanes. */
bool notify_tell(const struct notify *notify, const char *assignments);

/*
 * Have the service manager keep a descriptor for the process that comes after this one, under a
 * name of letters, digits and dashes. It is kept whatever becomes of the socket behind it
 * (FDPOLL=0). False when nobody took it. May wait: not for lanes.
 */
bool notify_store(const struct notify *notify, const char *name, int fd);

/* Have it forget all descriptors of this name. */
bool notify_forget(const struct notify *notify, const char *name);

/* What comes now may take so long: starting does not time out before. */
bool notify_extend_timeout(const struct notify *notify, uint64_t us);

/* Wait, at most some seconds, until all that was said so far has been heeded: whoever ends
 * right after a word may not be known any more when it is read. False when it was not. */
bool notify_barrier(const struct notify *notify);

void notify_close(struct notify *notify);

#endif
