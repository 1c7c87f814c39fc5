/* SPDX-License-Identifier: BSD-2-Clause */
#include "systemd/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define UNNAMED "unknown"

/* Decimal digits and nothing else; -1 for anything but a number up to .most. */
static long read_number(const char *text, long most)
{
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return -1;
	errno = 0;
	long number = strtol(text, &end, 10);
	return *end == '\0' && errno == 0 && number <= most ? number : -1;
}

/* The next of the names with colons between them; "unknown" behind the last. */
static const char *read_name(const char *names, char ret_name[static LISTEN_NAME_BYTES])
{
	size_t length = names ? strcspn(names, ":") : 0;

	if (length == 0 || length >= LISTEN_NAME_BYTES) {
		memcpy(ret_name, UNNAMED, sizeof(UNNAMED));
	} else {
		memcpy(ret_name, names, length);
		ret_name[length] = '\0';
	}
	return names && names[length] == ':' ? names + length + 1 : NULL;
}

static int read_fds(struct listen_fds *ret_fds, unsigned count, const char *names)
{
	struct listen_fd *fds = calloc(count, sizeof(*fds));

	if (!fds)
		return -ENOMEM;
	for (unsigned i = 0; i < count; i++) {
		int fd = LISTEN_FIRST_FD + (int)i;
		int flags = fcntl(fd, F_GETFD);

		if (flags < 0 || fcntl(fd, F_SETFD, flags | FD_CLOEXEC) < 0) {
			int rc = -errno;
			free(fds);
			return rc;
		}
		fds[i].fd = fd;
		names = read_name(names, fds[i].name);
	}
	*ret_fds = (struct listen_fds){ .count = count, .fds = fds };
	return 0;
}

/* What the environment says is for us: 0 for nothing, or how many, or -EINVAL. */
static int read_count(const char *pid, const char *count)
{
	if (!pid || !count)
		return 0;
	long ours = read_number(pid, INT32_MAX);
	if (ours < 0)
		return -EINVAL;
	if (ours != getpid())
		return 0;
	long number = read_number(count, LISTEN_FDS_MAX);
	return number < 0 ? -EINVAL : (int)number;
}

int listen_read(struct listen_fds *ret_fds)
{
	int count = read_count(getenv("LISTEN_PID"), getenv("LISTEN_FDS"));
	int rc = 0;

	*ret_fds = (struct listen_fds){ 0 };
	if (count > 0)
		rc = read_fds(ret_fds, (unsigned)count, getenv("LISTEN_FDNAMES"));
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return count < 0 ? count : rc;
}

int listen_claim(struct listen_fds *fds, const char *name)
{
	for (unsigned i = 0; i < fds->count; i++)
		if (fds->fds[i].fd >= 0 && strcmp(fds->fds[i].name, name) == 0) {
			int fd = fds->fds[i].fd;
			fds->fds[i].fd = -1;
			return fd;
		}
	return -1;
}

void listen_close(struct listen_fds *fds)
{
	for (unsigned i = 0; i < fds->count; i++)
		if (fds->fds[i].fd >= 0)
			close(fds->fds[i].fd);
	free(fds->fds);
	*fds = (struct listen_fds){ 0 };
}
