/* SPDX-License-Identifier: BSD-2-Clause */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/domain.h"
#include "sensor/process.h"
#include "systemd/notify.h"

static void pid_file_holds_our_pid_and_refuses_a_second_process(void **state)
{
	char path[] = "/tmp/ringflow-pid-XXXXXX", text[32] = "";
	(void)state;
	close(mkstemp(path));

	int fd = process_pid_file(path);
	assert_true(fd >= 0);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(text, sizeof(text), file));
	fclose(file);
	assert_int_equal(atol(text), getpid());

	/* fclose() above let go of the lock, as POSIX locks do: take it again. */
	close(fd);
	fd = process_pid_file(path);
	pid_t pid = fork();
	if (pid == 0)
		_exit(process_pid_file(path) == -EAGAIN ? 0 : 1);
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(fd);
	unlink(path);
}

static void signals_arrive_through_the_descriptor(void **state)
{
	char number = 0;
	(void)state;
	int fd = process_signals();
	assert_true(fd >= 0);

	raise(SIGTERM);
	raise(SIGPIPE);

	assert_int_equal(read(fd, &number, 1), 1);
	assert_int_equal(number, SIGTERM);
	assert_int_equal(read(fd, &number, 1), -1);
	close(fd);
}

static void the_parent_stays_until_the_daemon_is_ready(void **state)
{
	int said[2];
	(void)state;
	assert_int_equal(pipe(said), 0);
	pid_t pid = fork();
	if (pid == 0) {
		int daemon_fd = process_daemonise(); /* the parent waits, then leaves with 0 */
		if (write(said[1], "r", 1) == 1)
			process_ready(daemon_fd);
		_exit(0);
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);

	/* The daemon spoke before its parent left. */
	struct pollfd poll_fd = { .fd = said[0], .events = POLLIN };
	assert_int_equal(poll(&poll_fd, 1, 0), 1);
	assert_int_equal(status, 0);
	close(said[0]);
	close(said[1]);
}

static void the_parent_fails_when_the_daemon_dies_early(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		process_daemonise();
		_exit(0); /* without a word */
	}
	int status = -1;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
}

static void the_domain_differs_by_interface_and_is_never_zero(void **state)
{
	(void)state;
	assert_int_not_equal(domain_default("eth0"), domain_default("eth1"));
	assert_int_equal(domain_default("eth0"), domain_default("eth0"));
	assert_int_equal(domain_default(NULL), 1);
}

static void notify_sends_to_the_named_socket(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct notify notify;
	char bytes[64] = "";
	(void)state;
	snprintf(address.sun_path, sizeof(address.sun_path), "/tmp/ringflow-notify-%ld",
		(long)getpid());
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	setenv("NOTIFY_SOCKET", address.sun_path, 1);

	notify_open(&notify);
	assert_true(notify_send(&notify, "READY=1"));

	assert_int_equal(recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT), 7);
	assert_string_equal(bytes, "READY=1");
	notify_close(&notify);
	close(fd);
	unlink(address.sun_path);
}

static void the_usable_cpus_are_those_of_the_mask(void **state)
{
	int cpus[64], again[64];
	cpu_set_t before, one;
	(void)state;
	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	unsigned count = process_usable_cpus(cpus, 64);
	assert_true(count >= 1);
	for (unsigned i = 1; i < count; i++)
		assert_true(cpus[i] > cpus[i - 1]);

	CPU_ZERO(&one);
	CPU_SET(cpus[count - 1], &one);
	assert_int_equal(sched_setaffinity(0, sizeof(one), &one), 0);
	assert_int_equal(process_usable_cpus(again, 64), 1);
	assert_int_equal(again[0], cpus[count - 1]);
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
	assert_int_equal(process_usable_cpus(again, 1), 1);
}

static void notify_is_silent_when_nobody_listens(void **state)
{
	struct notify notify;
	(void)state;
	unsetenv("NOTIFY_SOCKET");
	notify_open(&notify);

	assert_false(notify_send(&notify, "READY=1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pid_file_holds_our_pid_and_refuses_a_second_process),
		cmocka_unit_test(signals_arrive_through_the_descriptor),
		cmocka_unit_test(the_parent_stays_until_the_daemon_is_ready),
		cmocka_unit_test(the_parent_fails_when_the_daemon_dies_early),
		cmocka_unit_test(the_domain_differs_by_interface_and_is_never_zero),
		cmocka_unit_test(notify_sends_to_the_named_socket),
		cmocka_unit_test(the_usable_cpus_are_those_of_the_mask),
		cmocka_unit_test(notify_is_silent_when_nobody_listens),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
