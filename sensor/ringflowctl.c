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
#define LINE_BYTES 256 /* more than any word has */
#define RINGFLOW_CONTROL "/run/ringflow.ctl"
#define SOFTFLOWD_CONTROL "/var/run/softflowd.ctl"

/* What the daemon says, in front of everything else, when it did not obey. */
static const char *const refusals[] = { "Unknown control command", "Too many control",
	"Not permitted" };

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
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)); /* connecting */
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) {
		int saved = errno;
		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* A daemon that has no place for one more client hangs up without listening: what it said about
 * that is in the reply, so a failure is none here. */
static void ask(int fd, const char *command)
{
	char line[LINE_BYTES];
	int length = snprintf(line, sizeof(line), "%s\n", command);

	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	ssize_t n = send(fd, line, (size_t)length, MSG_NOSIGNAL);
	(void)n;
}

static bool is_refusal(const char *reply, size_t length)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (length >= strlen(refusals[i]) &&
			strncmp(reply, refusals[i], strlen(refusals[i])) == 0)
			return true;
	return false;
}

/* All of it, before any is printed: the daemon hangs up on a client that is as slow as the
 * reader of standard output may be. 0 or a negative errno; .ret_reply is to be freed in any
 * case. */
static int read_reply(int fd, char **ret_reply, size_t *ret_length)
{
	char bytes[65536];
	FILE *reply = open_memstream(ret_reply, ret_length);
	int rc = 0;

	if (!reply)
		return -errno;
	for (;;) {
		ssize_t n = read(fd, bytes, sizeof(bytes));
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			rc = errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (n <= 0)
			break;
		fwrite(bytes, 1, (size_t)n, reply);
	}
	if (fclose(reply) != 0 && rc == 0)
		rc = -errno;
	return rc;
}

/* Print the reply, and the trouble with it. 0 when the command was obeyed, else 1. */
static int print_reply(const char *program, const char *path, int fd)
{
	char *reply = NULL;
	size_t length = 0;
	int rc = read_reply(fd, &reply, &length);
	bool is_refused = is_refusal(reply, length);
	FILE *out = is_refused ? stderr : stdout;
	int status = is_refused ? EXIT_FAILURE : EXIT_SUCCESS;

	if (length > 0 && (fwrite(reply, 1, length, out) != length || fflush(out) != 0))
		status = fail(program, "standard output", strerror(errno));
	else if (rc < 0 && !is_refused)
		status = fail(
			program, path, rc == -ETIMEDOUT ? "no reply in time" : strerror(-rc));
	else if (length == 0)
		status = fail(program, path, "the daemon hung up without a reply");
	free(reply);
	return status;
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
	ask(fd, argv[optind]);
	int status = print_reply(program, path, fd);
	close(fd);
	return status;
}
