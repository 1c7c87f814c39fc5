/* SPDX-License-Identifier: BSD-2-Clause */
#include "systemd/notify.h"

#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define BARRIER_MS 5000

void notify_open(struct notify *notify)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	notify->fd = -1;
	if (!path || (path[0] != '/' && path[0] != '@') ||
		strlen(path) >= sizeof(address.sun_path))
		return;
	memcpy(address.sun_path, path, strlen(path));
	if (path[0] == '@')
		address.sun_path[0] = '\0';
	socklen_t length = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)&address, length) < 0)
		close(fd);
	else
		notify->fd = fd;
}

bool notify_send(const struct notify *notify, const char *assignments)
{
	if (notify->fd < 0)
		return false;
	return send(notify->fd, assignments, strlen(assignments),
		       MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
}

/* Unlike a word about our state, which the next one makes up for, these must arrive. */
static bool send_all(const struct notify *notify, const char *assignments, int fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	struct iovec words = { (void *)(uintptr_t)assignments, strlen(assignments) };
	struct msghdr message = { .msg_iov = &words, .msg_iovlen = 1 };

	if (notify->fd < 0)
		return false;
	if (fd >= 0) {
		message.msg_control = control.bytes;
		message.msg_controllen = sizeof(control.bytes);
		struct cmsghdr *part = CMSG_FIRSTHDR(&message);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(part), &fd, sizeof(int));
	}
	return sendmsg(notify->fd, &message, MSG_NOSIGNAL) >= 0;
}

bool notify_tell(const struct notify *notify, const char *assignments)
{
	return send_all(notify, assignments, -1);
}

bool notify_store(const struct notify *notify, const char *name, int fd)
{
	char words[128];

	snprintf(words, sizeof(words), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	return send_all(notify, words, fd);
}

bool notify_forget(const struct notify *notify, const char *name)
{
	char words[128];

	snprintf(words, sizeof(words), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	return send_all(notify, words, -1);
}

bool notify_extend_timeout(const struct notify *notify, uint64_t us)
{
	char text[64];

	snprintf(text, sizeof(text), "EXTEND_TIMEOUT_USEC=%llu", (unsigned long long)us);
	return notify_send(notify, text);
}

bool notify_barrier(const struct notify *notify)
{
	int ends[2];

	if (notify->fd < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return false;
	bool is_sent = send_all(notify, "BARRIER=1", ends[1]);
	close(ends[1]);
	/* The manager closes its copy of the other end: ours hangs up. */
	struct pollfd end = { .fd = ends[0] };
	bool is_heeded = is_sent && poll(&end, 1, BARRIER_MS) == 1;
	close(ends[0]);
	return is_heeded;
}

void notify_close(struct notify *notify)
{
	if (notify->fd >= 0)
		close(notify->fd);
	notify->fd = -1;
}
