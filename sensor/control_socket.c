/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/control_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* Those who wait for accept(). More are told EAGAIN by the kernel, or wait. */
#define BACKLOG 128

static int fail(char *error, const char *path, int rc, const char *reason)
{
	snprintf(error, CONFIG_ERROR_BYTES, "control socket %s: %s", path,
		reason ? reason : strerror(-rc));
	return rc;
}

/* -- one that was handed in ----------------------------------------------------------- */

static bool is_option(int fd, int option, int value)
{
	int found = -1;
	socklen_t length = sizeof(found);

	return getsockopt(fd, SOL_SOCKET, option, &found, &length) == 0 && found == value;
}

static int take_socket(int fd, struct control_socket *ret_socket, char *error)
{
	int flags = fcntl(fd, F_GETFL);

	if (!is_option(fd, SO_DOMAIN, AF_UNIX) || !is_option(fd, SO_TYPE, SOCK_STREAM) ||
		!is_option(fd, SO_ACCEPTCONN, 1)) {
		close(fd);
		return fail(error, "of the service manager", -EINVAL,
			"not a UNIX stream socket that listens");
	}
	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
		int rc = -errno;
		close(fd);
		return fail(error, "of the service manager", rc, NULL);
	}
	*ret_socket = (struct control_socket){ .fd = fd };
	return 0;
}

/* -- our own -------------------------------------------------------------------------- */

/* Nobody answers on a socket that a dead process left behind. Nor on a file that is no socket,
 * which is somebody else's. */
static bool is_stale(const struct sockaddr_un *address)
{
	struct stat status;

	if (lstat(address->sun_path, &status) < 0 || !S_ISSOCK(status.st_mode))
		return false;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	bool is_refused = fd >= 0 &&
			  connect(fd, (const struct sockaddr *)address, sizeof(*address)) < 0 &&
			  errno == ECONNREFUSED;

	if (fd >= 0)
		close(fd);
	return is_refused;
}

/* Nobody else may connect before group and mode are what they should be. */
static int bind_closed(int fd, const struct sockaddr_un *address)
{
	const struct sockaddr *where = (const struct sockaddr *)address;
	mode_t before = umask(0777);
	int rc = bind(fd, where, sizeof(*address)) < 0 ? -errno : 0;

	if (rc == -EADDRINUSE && is_stale(address)) {
		unlink(address->sun_path);
		rc = bind(fd, where, sizeof(*address)) < 0 ? -errno : 0;
	}
	umask(before);
	return rc;
}

/* 0, or -ENOENT when the system knows no such group. */
static int find_group(const char *name, gid_t *ret_group)
{
	char *end;
	const struct group *found = getgrnam(name);

	if (found) {
		*ret_group = found->gr_gid;
		return 0;
	}
	errno = 0;
	unsigned long number = strtoul(name, &end, 10);
	if (name[0] < '0' || name[0] > '9' || *end != '\0' || errno != 0 || number >= (gid_t)-1)
		return -ENOENT;
	*ret_group = (gid_t)number;
	return 0;
}

static int open_to_others(const char *path, const struct control_listen *config, gid_t group)
{
	if (config->group && chown(path, (uid_t)-1, group) < 0)
		return -errno;
	return chmod(path, config->mode) < 0 ? -errno : 0;
}

static int make_socket(const struct control_listen *config, gid_t group,
	struct control_socket *ret_socket, char *error)
{
	struct control_socket made = { .address.sun_family = AF_UNIX };

	if (strlen(config->path) >= sizeof(made.address.sun_path))
		return fail(error, config->path, -ENAMETOOLONG, NULL);
	memcpy(made.address.sun_path, config->path, strlen(config->path) + 1);
	made.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (made.fd < 0)
		return fail(error, config->path, -errno, NULL);
	int rc = bind_closed(made.fd, &made.address);
	if (rc < 0) {
		close(made.fd);
		return fail(error, config->path, rc,
			rc == -EADDRINUSE ? "another process answers on it, or it is no socket"
					  : NULL);
	}
	rc = open_to_others(config->path, config, group);
	if (rc == 0 && listen(made.fd, BACKLOG) < 0)
		rc = -errno;
	if (rc < 0) {
		control_socket_close(&made);
		return fail(error, config->path, rc, NULL);
	}
	*ret_socket = made;
	return 0;
}

/* -- public --------------------------------------------------------------------------- */

int control_socket_open(const struct control_listen *config, struct control_socket *ret_socket,
	char error[static CONFIG_ERROR_BYTES])
{
	gid_t group = 0;

	if (config->fd >= 0)
		return take_socket(config->fd, ret_socket, error);
	if (config->group && find_group(config->group, &group) < 0) {
		snprintf(error, CONFIG_ERROR_BYTES, "--control-group %s: no such group",
			config->group);
		return -ENOENT;
	}
	return make_socket(config, group, ret_socket, error);
}

void control_socket_close(struct control_socket *control_socket)
{
	close(control_socket->fd);
	if (control_socket->address.sun_path[0] != '\0')
		unlink(control_socket->address.sun_path);
	*control_socket = (struct control_socket){ .fd = -1 };
}

struct control_peer control_socket_peer(int fd)
{
	struct ucred peer;
	socklen_t length = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &length) < 0)
		return (struct control_peer){ .uid = (uid_t)-1 };
	return (struct control_peer){
		.uid = peer.uid,
		.pid = peer.pid,
		.may_change = peer.uid == 0 || peer.uid == geteuid(),
	};
}
