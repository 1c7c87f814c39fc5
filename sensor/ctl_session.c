/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ctl_session.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A pipe that polls writable takes so many octets without waiting (POSIX: PIPE_BUF). */
#define WRITE_BYTES 4096
#define READ_BYTES 65536
#define MS_PER_S 1000
#define NS_PER_MS 1000000

struct session {
	int fd; /* -1: nothing more comes */
	int patience_ms;
	int64_t heard_ms; /* when the daemon last sent something */
	struct ctl_reader *reader;
	struct spool spool;
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * MS_PER_S + now.tv_nsec / NS_PER_MS;
}

/* -- connecting ----------------------------------------------------------------------- */

int ctl_connect(const char *path, int patience_s)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = patience_s };

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

const char *ctl_connect_reason(int rc)
{
	switch (-rc) {
	case ENOENT:
		return "there is no such socket: is the daemon running? -c names another one";
	case ECONNREFUSED:
		return "nobody answers: the daemon that made the socket is gone";
	case EACCES:
	case EPERM:
		return "not permitted: the socket's group and mode say who may connect";
	case EAGAIN:
		return "too many are waiting to connect, try again";
	default:
		return strerror(-rc);
	}
}

/* -- exchanging ----------------------------------------------------------------------- */

/* A daemon that has no place for one more client hangs up without listening: what it said about
 * that is in the reply, so a failure is none here. */
static void send_request(int fd, const char *request, size_t length)
{
	while (length > 0) {
		ssize_t n = send(fd, request, length, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return;
		request += n;
		length -= (size_t)n;
	}
}

static int hear(struct session *session)
{
	static char bytes[READ_BYTES];
	ssize_t n = recv(session->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (n == 0) {
		session->fd = -1;
		return 0;
	}
	session->heard_ms = now_ms();
	int rc = session->reader->take(session->reader, bytes, (size_t)n, &session->spool);
	if (session->reader->is_done)
		session->fd = -1;
	return rc;
}

static int print(struct session *session)
{
	size_t length = WRITE_BYTES;
	int rc;
	const char *bytes = spool_next(&session->spool, &length, &rc);

	if (!bytes)
		return rc;
	ssize_t n = write(STDOUT_FILENO, bytes, length);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	spool_took(&session->spool, (size_t)n);
	return 0;
}

/* How long to wait: for the daemon as long as patience goes, for standard output for ever. */
static int wait_ms(const struct session *session)
{
	if (session->fd < 0)
		return -1;
	int64_t left_ms = session->heard_ms + session->patience_ms - now_ms();
	return left_ms > 0 ? (int)left_ms : 0;
}

static int turn(struct session *session)
{
	struct pollfd fds[2] = {
		{ .fd = session->fd, .events = POLLIN },
		{ .fd = spool_is_empty(&session->spool) ? -1 : STDOUT_FILENO,
			.events = POLLOUT },
	};
	int count = poll(fds, 2, wait_ms(session));

	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	if (session->fd >= 0 && wait_ms(session) == 0 && !fds[0].revents)
		return -ETIMEDOUT;
	int rc = fds[0].revents ? hear(session) : 0;
	if (rc == 0 && fds[1].revents)
		rc = print(session);
	return rc;
}

int ctl_exchange(
	int fd, const char *request, size_t length, int patience_s, struct ctl_reader *reader)
{
	struct session session = {
		.fd = fd,
		.patience_ms = patience_s * MS_PER_S,
		.heard_ms = now_ms(),
		.reader = reader,
	};
	int rc = 0;

	send_request(fd, request, length);
	while (rc == 0 && (session.fd >= 0 || !spool_is_empty(&session.spool)))
		rc = turn(&session);
	/* What came before the trouble is printed. */
	session.fd = -1;
	for (int more = 0; more == 0 && rc != -EPIPE && !spool_is_empty(&session.spool);)
		more = turn(&session);
	spool_clear(&session.spool);
	return rc;
}
