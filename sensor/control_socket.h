/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The socket that control clients connect to: one that was handed to us, listening already, or
 * our own, made at a path. Who may connect is a matter of the file's owner, group and mode; who
 * connected is told by the kernel.
 */
#ifndef SENSOR_CONTROL_SOCKET_H
#define SENSOR_CONTROL_SOCKET_H

#include <stdbool.h>
#include <sys/types.h>
#include <sys/un.h>

#include "sensor/config.h"

struct control_listen {
	int fd;            /* handed in and taken, also on failure; -1: make one at .path */
	const char *path;  /* of our own socket */
	mode_t mode;       /* of its file */
	const char *group; /* its group, name or number; NULL: the process's */
};

struct control_socket {
	int fd;                     /* non-blocking, close-on-exec */
	struct sockaddr_un address; /* of our own socket; empty: not ours to remove */
};

/*
 * Listen. A socket at .path that nobody answers on any more is replaced; one that answers, and
 * a file that is no socket, is an error (-EADDRINUSE). 0 or a negative errno with a sentence in
 * .error.
 */
int control_socket_open(const struct control_listen *config, struct control_socket *ret_socket,
	char error[static CONFIG_ERROR_BYTES]);

/* Close it, and remove our own. */
void control_socket_close(struct control_socket *control_socket);

/* Who is at the other end of a connection, as the kernel knows. Root may change things, and the
 * user that the process runs as; everybody who was let in may read. */
struct control_peer {
	uid_t uid;
	pid_t pid;
	bool may_change;
};

struct control_peer control_socket_peer(int fd);

#endif
