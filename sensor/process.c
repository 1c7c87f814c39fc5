/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/process.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CPUS_MAX 8192
#define INHERITED_MAX 65536 /* descriptors beyond this are not looked for */

/* A signal handler can reach nothing but statics: this is the only one of the program. */
static int signal_pipe_fd = -1;

static void on_signal(int number)
{
	int saved = errno;
	char byte = (char)number;
	ssize_t n = write(signal_pipe_fd, &byte, 1);

	(void)n;
	errno = saved;
}

void process_fill_standard(void)
{
	/* Opened the wrong way round, so that what is read or written fails as if it were
	 * closed. */
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) != fd)
			return;
}

void process_close_inherited(void)
{
	long count = sysconf(_SC_OPEN_MAX);

	if (count < 0 || count > INHERITED_MAX)
		count = INHERITED_MAX;
	for (int fd = 3; fd < count; fd++)
		close(fd);
}

int process_signals(void)
{
	static const int numbers[] = { SIGTERM, SIGINT, SIGHUP, SIGUSR2 };
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = SA_RESTART };
	int fds[2];

	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	signal_pipe_fd = fds[1];
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
	action.sa_handler = SIG_IGN;
	sigaction(SIGPIPE, &action, NULL);
	return fds[0];
}

/* The parent's part: wait for the child's word. */
static void await_child(int fd)
{
	char byte;
	ssize_t n;

	do
		n = read(fd, &byte, 1);
	while (n < 0 && errno == EINTR);
	_exit(n == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int process_daemonise(void)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid < 0) {
		int rc = -errno;
		close(fds[0]);
		close(fds[1]);
		return rc;
	}
	if (pid > 0) {
		close(fds[1]);
		await_child(fds[0]);
	}
	close(fds[0]);
	if (setsid() < 0 || chdir("/") < 0)
		return -errno;
	return fds[1];
}

void process_ready(int daemon_fd)
{
	if (daemon_fd < 0)
		return;
	int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
	for (int fd = 0; fd < 3 && null_fd >= 0; fd++)
		dup2(null_fd, fd);
	if (null_fd > 2)
		close(null_fd);
	ssize_t n = write(daemon_fd, "", 1);
	(void)n;
	close(daemon_fd);
}

int process_pid_file(const char *path)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	char text[32];
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);

	if (fd < 0)
		return -errno;
	int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());
	if (fcntl(fd, F_SETLK, &lock) < 0 || ftruncate(fd, 0) < 0 ||
		write(fd, text, (size_t)length) != length) {
		int rc = errno == EACCES ? -EAGAIN : -errno;
		close(fd);
		return rc;
	}
	return fd;
}

void process_pid_file_end(const char *path, int fd)
{
	if (unlink(path) < 0) {
		int rc = ftruncate(fd, 0);
		(void)rc;
	}
	close(fd);
}

unsigned process_usable_cpus(int *ret_cpus, unsigned room)
{
	size_t bytes = CPU_ALLOC_SIZE(CPUS_MAX);
	cpu_set_t *set = CPU_ALLOC(CPUS_MAX);
	unsigned count = 0;

	if (!set)
		return 0;
	if (sched_getaffinity(0, bytes, set) == 0)
		for (int cpu = 0; cpu < CPUS_MAX && count < room; cpu++)
			if (CPU_ISSET_S((size_t)cpu, bytes, set))
				ret_cpus[count++] = cpu;
	CPU_FREE(set);
	return count;
}
