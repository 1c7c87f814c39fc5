/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service manager hands over (sd_listen_fds(3)), without its library: sockets that it
 * listens on for us, and descriptors of its store. They are told apart by the names in
 * LISTEN_FDNAMES; whoever knows a name claims what has it.
 */
#ifndef SYSTEMD_LISTEN_H
#define SYSTEMD_LISTEN_H

#define LISTEN_FIRST_FD 3
#define LISTEN_FDS_MAX 1024
#define LISTEN_NAME_BYTES 256 /* FDNAME= has at most 255 octets */

struct listen_fd {
	int fd;                       /* -1: claimed */
	char name[LISTEN_NAME_BYTES]; /* "unknown" when it was given none */
};

struct listen_fds {
	unsigned count;
	struct listen_fd *fds; /* owned */
};

/*
 * Read LISTEN_PID, LISTEN_FDS and LISTEN_FDNAMES, take them out of the environment and make the
 * descriptors close-on-exec. Once, before anything else is opened. 0, also when there is
 * nothing or it is for another process; -EINVAL or -EBADF when it makes no sense; -ENOMEM.
 */
int listen_read(struct listen_fds *ret_fds);

/* The first descriptor of that name that nobody claimed, now the caller's; -1 for none. */
int listen_claim(struct listen_fds *fds, const char *name);

/* Close what nobody claimed. */
void listen_close(struct listen_fds *fds);

#endif
