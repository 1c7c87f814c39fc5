/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the service manager hands over. The descriptors have to be 3, 4..., so each case is a
 * child that makes them so; its exit status is the number of the first line that is not true.
 */
#include "systemd/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit.h"

#define TRUE_OR_LEAVE(number, condition) \
	do { \
		if (!(condition)) \
			_exit(number); \
	} while (0)

static void set_environment(const char *pid, const char *count, const char *names)
{
	char own[16];

	snprintf(own, sizeof(own), "%d", (int)getpid());
	setenv("LISTEN_PID", pid ? pid : own, 1);
	setenv("LISTEN_FDS", count, 1);
	if (names)
		setenv("LISTEN_FDNAMES", names, 1);
}

/* Descriptors 3 and 4, open and inherited over exec. */
static void make_descriptors(void)
{
	int fd = open("/dev/null", O_RDONLY);

	dup2(fd, 20);
	dup2(20, 3);
	dup2(20, 4);
}

static void in_child(void (*check)(void))
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		make_descriptors();
		check();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void check_claims(void)
{
	struct listen_fds fds;

	set_environment(NULL, "2", "control:ring");
	TRUE_OR_LEAVE(1, listen_read(&fds) == 0);
	TRUE_OR_LEAVE(2, fds.count == 2);
	TRUE_OR_LEAVE(3, listen_claim(&fds, "ring") == 4);
	TRUE_OR_LEAVE(4, listen_claim(&fds, "ring") == -1);
	TRUE_OR_LEAVE(5, listen_claim(&fds, "nobody") == -1);
	TRUE_OR_LEAVE(6, fcntl(3, F_GETFD) == FD_CLOEXEC);
	listen_close(&fds);
	TRUE_OR_LEAVE(7, fcntl(3, F_GETFD) == -1);
	TRUE_OR_LEAVE(8, fcntl(4, F_GETFD) != -1);
	TRUE_OR_LEAVE(9, !getenv("LISTEN_FDS") && !getenv("LISTEN_PID"));
	TRUE_OR_LEAVE(10, !getenv("LISTEN_FDNAMES"));
}

static void descriptors_are_claimed_by_name_and_the_rest_is_closed(void **state)
{
	in_child(check_claims);
}

static void check_other_pid(void)
{
	struct listen_fds fds;

	set_environment("1", "2", "control:ring");
	TRUE_OR_LEAVE(1, listen_read(&fds) == 0 && fds.count == 0);
	TRUE_OR_LEAVE(2, fcntl(3, F_GETFD) == 0);
}

static void descriptors_of_another_process_are_left_alone(void **state)
{
	in_child(check_other_pid);
}

static void check_names(void)
{
	char long_name[400] = "";
	struct listen_fds fds;

	memset(long_name, 'x', sizeof(long_name) - 1);
	set_environment(NULL, "2", long_name);
	TRUE_OR_LEAVE(1, listen_read(&fds) == 0);
	TRUE_OR_LEAVE(2, listen_claim(&fds, "unknown") == 3);
	TRUE_OR_LEAVE(3, listen_claim(&fds, "unknown") == 4);
	listen_close(&fds);
	set_environment(NULL, "2", ":b");
	TRUE_OR_LEAVE(4, listen_read(&fds) == 0);
	TRUE_OR_LEAVE(5, listen_claim(&fds, "b") == 4);
	listen_close(&fds);
}

static void descriptor_without_a_usable_name_is_unknown(void **state)
{
	in_child(check_names);
}

static void check_nonsense(void)
{
	static const char *const counts[] = { "", "-1", "2x", "1025", "99999999999999999999" };
	struct listen_fds fds;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		set_environment(NULL, counts[i], NULL);
		TRUE_OR_LEAVE(1 + (int)i, listen_read(&fds) == -EINVAL && fds.count == 0);
	}
	set_environment(NULL, "200", NULL);
	TRUE_OR_LEAVE(20, listen_read(&fds) == -EBADF && fds.count == 0);
	set_environment("x", "1", NULL);
	TRUE_OR_LEAVE(21, listen_read(&fds) == -EINVAL);
	TRUE_OR_LEAVE(22, listen_read(&fds) == 0); /* taken out of the environment */
}

static void nonsense_is_an_error_and_holds_nothing(void **state)
{
	in_child(check_nonsense);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(descriptors_are_claimed_by_name_and_the_rest_is_closed),
	cmocka_unit_test(descriptors_of_another_process_are_left_alone),
	cmocka_unit_test(descriptor_without_a_usable_name_is_unknown),
	cmocka_unit_test(nonsense_is_an_error_and_holds_nothing),
};

UNIT_MAIN("listen", tests)
