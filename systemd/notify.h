/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service manager's notification socket, without its library: one datagram per message to
 * the address in NOTIFY_SOCKET. Everything is a no-op where there is no such address.
 */
#ifndef SYSTEMD_NOTIFY_H
#define SYSTEMD_NOTIFY_H

#include <stdbool.h>

struct notify {
	int fd; /* -1: nobody listens */
};

/* Connect to the service manager, once, before rights are dropped. */
void notify_open(struct notify *notify);

/* Send assignments such as "READY=1\nSTATUS=..."; false when nobody took them. */
bool notify_send(const struct notify *notify, const char *assignments);

void notify_close(struct notify *notify);

#endif
