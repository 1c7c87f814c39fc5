/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ringflowctl: one word to the running daemon, its reply to standard output. The exit status
 * says whether the word was obeyed: 0 yes, 1 no, 2 it was never asked (usage).
 */
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define REPLY_TIMEOUT_S 30
#define RINGFLOW_CONTROL "/run/ringflow.ctl"
#define SOFTFLOWD_CONTROL "/var/run/softflowd.ctl"

/* What the daemon says, in front of everything else, when it did not obey. */
static const char *const refusals[] = { "Unknown control command", "Too many control" };

static int usage(const char *program, const char *path, FILE *out, int status)
{
	fprintf(out,
		"Usage: %s [-h] [-V] [-c SOCKET] COMMAND\n"
		"Send COMMAND to the running daemon and print its reply.\n\n"
		"  -c, --control SOCKET  the daemon's control socket (default %s)\n"
		"  -h, --help            this text\n"
		"  -V, --version         the version\n\n"
		"`%s help` lists the commands.\n",
		program, path, program);
	return status;
}

static int fail(const char *program, const char *path, const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", program, path, what);
	return EXIT_FAILURE;
}

static int connect_to(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct timeval patience = { .tv_sec = REPLY_TIMEOUT_S };

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path) + 1);
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

static bool is_refusal(const char *reply, size_t length)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (length >= strlen(refusals[i]) &&
			strncmp(reply, refusals[i], strlen(refusals[i])) == 0)
			return true;
	return false;
}

/* Copy the reply to standard output. 0 when the command was obeyed, else 1. */
static int print_reply(const char *program, const char *path, int fd)
{
	char bytes[4096];
	size_t total = 0;
	bool is_refused = false;

	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return fail(program, path,
				errno == EAGAIN ? "no reply in time" : strerror(errno));
		if (n == 0)
			break;
		if (total == 0)
			is_refused = is_refusal(bytes, (size_t)n);
		total += (size_t)n;
		if (fwrite(bytes, 1, (size_t)n, is_refused ? stderr : stdout) != (size_t)n)
			return fail(program, "standard output", strerror(errno));
	}
	if (total == 0)
		return fail(program, path, "the daemon hung up without a reply");
	if (fflush(stdout) != 0)
		return fail(program, "standard output", strerror(errno));
	return is_refused ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "control", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	const char *slash = strrchr(argv[0], '/');
	const char *program = slash ? slash + 1 : argv[0];
	const char *path =
		strcmp(program, "softflowctl") == 0 ? SOFTFLOWD_CONTROL : RINGFLOW_CONTROL;
	int letter;

	while ((letter = getopt_long(argc, argv, "c:hV", options, NULL)) != -1) {
		if (letter == 'c')
			path = optarg;
		else if (letter == 'h')
			return usage(program, path, stdout, EXIT_SUCCESS);
		else if (letter == 'V')
			return printf("%s (ringflow) %s\n", program, RINGFLOW_VERSION) < 0;
		else
			return usage(program, path, stderr, 2);
	}
	if (argc - optind != 1)
		return usage(program, path, stderr, 2);
	int fd = connect_to(path);
	if (fd < 0)
		return fail(program, path, strerror(errno));
	if (dprintf(fd, "%s\n", argv[optind]) < 0)
		return fail(program, path, strerror(errno));
	int status = print_reply(program, path, fd);
	close(fd);
	return status;
}
