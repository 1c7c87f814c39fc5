/* SPDX-License-Identifier: BSD-2-Clause */
/* Each case gives rights up in a child of its own: there is no way back. */
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sensor/privilege.h"
#include "sensor/sandbox.h"

#define SKIPPED 77
#define FINE 42

/* How a child ended that did this: its exit status, or minus the signal. */
static int end_of(int (*deed)(void))
{
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		_exit(deed());
	assert_int_equal(waitpid(child, &status, 0), child);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void expect_end(int (*deed)(void), int expected)
{
	int end = end_of(deed);

	if (end == SKIPPED)
		skip();
	assert_int_equal(end, expected);
}

/* -- system calls --------------------------------------------------------------------- */

static void enter_seccomp(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	int rc = sandbox_seccomp(false);
	if (rc == -ENOTSUP)
		_exit(SKIPPED);
	if (rc < 0)
		_exit(1);
}

static void *call_execve(void *unused)
{
	char *const nothing[] = { NULL };

	execve("/bin/true", nothing, nothing);
	return unused;
}

static int execute(void)
{
	enter_seccomp();
	call_execve(NULL);
	return 0;
}

static int execute_in_a_thread(void)
{
	pthread_t thread;

	enter_seccomp();
	if (pthread_create(&thread, NULL, call_execve, NULL) != 0)
		return 1;
	pthread_join(thread, NULL);
	return 0;
}

static void an_intruders_call_ends_the_process(void **state)
{
	expect_end(execute, -SIGSYS);
}

static void an_intruders_call_in_a_later_thread_ends_the_process(void **state)
{
	expect_end(execute_in_a_thread, -SIGSYS);
}

static int call_unknown(void)
{
	enter_seccomp();
	return syscall(SYS_acct, NULL) == -1 && errno == ENOSYS ? FINE : 1;
}

static void any_other_call_is_one_that_the_kernel_does_not_know(void **state)
{
	expect_end(call_unknown, FINE);
}

static int try_arguments(void)
{
	enter_seccomp();
	if (fork() != -1 || errno != ENOSYS)
		return 1;
	if (socket(AF_PACKET, SOCK_RAW, 0) != -1 || errno != ENOSYS)
		return 2;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS,
		    -1, 0) != MAP_FAILED)
		return 3;
	void *page =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (page == MAP_FAILED || mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0)
		return 4;
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) == -1 && errno == ENOSYS ? FINE : 5;
}

static void calls_are_allowed_by_their_arguments(void **state)
{
	expect_end(try_arguments, FINE);
}

static void *allocate_much(void *unused)
{
	for (size_t bytes = 16; bytes < 64u << 20; bytes *= 2) {
		char *memory = malloc(bytes);
		if (!memory)
			return unused;
		memset(memory, 1, bytes);
		memory = realloc(memory, 2 * bytes);
		free(memory);
	}
	return NULL;
}

static int work(void)
{
	struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *addresses = NULL;
	pthread_t thread;
	void *failed = NULL;

	enter_seccomp();
	if (pthread_create(&thread, NULL, allocate_much, &failed) != 0 ||
		pthread_join(thread, &failed) != 0 || failed)
		return 1;
	if (getaddrinfo("localhost", "4739", &hints, &addresses) != 0)
		return 2;
	freeaddrinfo(addresses);
	if (!getprotobynumber(6))
		return 3;
	if (poll(NULL, 0, 1) != 0 || printf("# work\n") < 0 || fflush(stdout) != 0)
		return 4;
	return FINE;
}

static void threads_memory_names_and_files_are_there(void **state)
{
	expect_end(work, FINE);
}

static int abort_it(void)
{
	enter_seccomp();
	abort();
}

static void a_failed_assertion_still_aborts(void **state)
{
	expect_end(abort_it, -SIGABRT);
}

/* -- files ---------------------------------------------------------------------------- */

static char folder[] = "/tmp/ringflow-privilege-XXXXXX";
static char allowed_file[64], other_file[64];

static int make_files(void **state)
{
	if (!mkdtemp(folder))
		return -1;
	snprintf(allowed_file, sizeof(allowed_file), "%s/allowed", folder);
	snprintf(other_file, sizeof(other_file), "%s/other", folder);
	close(open(allowed_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	close(open(other_file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
	return 0;
}

static int remove_files(void **state)
{
	unlink(allowed_file);
	unlink(other_file);
	return rmdir(folder);
}

static int opens(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	if (fd >= 0)
		close(fd);
	return fd >= 0 ? 0 : errno;
}

static int try_files(void)
{
	const struct sandbox_path more[] = {
		{ allowed_file, SANDBOX_READ },
		{ folder, SANDBOX_UNLINK },
		{ "/there/is/none", SANDBOX_READ },
	};

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	int rc = sandbox_landlock(true, more, sizeof(more) / sizeof(more[0]));
	if (rc == 0)
		return SKIPPED;
	if (rc < 0)
		return 1;
	if (opens(allowed_file, O_RDONLY) != 0 || opens(allowed_file, O_WRONLY) != EACCES)
		return 2;
	if (opens(other_file, O_RDONLY) != EACCES)
		return 3;
	if (opens("/etc/hosts", O_RDONLY) != 0 || opens("/etc/hosts", O_WRONLY) != EACCES)
		return 4;
	if (opens("/", O_RDONLY | O_DIRECTORY) != EACCES)
		return 5;
	if (unlink(other_file) != 0)
		return 6;
	return opens(other_file, O_CREAT | O_WRONLY) == EACCES ? FINE : 7;
}

static void only_the_files_of_the_table_open(void **state)
{
	expect_end(try_files, FINE);
}

static int try_replay(void)
{
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (sandbox_landlock(false, NULL, 0) == 0)
		return SKIPPED;
	if (opens("/etc/passwd", O_RDONLY) != EACCES)
		return 1;
	return opens("/etc/protocols", O_RDONLY) == 0 ? FINE : 2;
}

static void a_replay_needs_less(void **state)
{
	if (access("/etc/protocols", R_OK) != 0)
		skip();
	expect_end(try_replay, FINE);
}

/* -- the check ------------------------------------------------------------------------ */

static struct privilege_report own_report(void)
{
	return (struct privilege_report){ .uid = geteuid() };
}

static int pipe_fds[2];

static void *wait_for_the_end(void *unused)
{
	char byte;

	return read(pipe_fds[0], &byte, 1) < 0 ? unused : NULL;
}

static int check_with_a_thread_from_before(void)
{
	struct privilege_report report = own_report();
	char error[PRIVILEGE_ERROR_BYTES] = "";
	pthread_t thread;

	if (pipe(pipe_fds) != 0 || pthread_create(&thread, NULL, wait_for_the_end, NULL) != 0)
		return 1;
	enter_seccomp();
	report.filters_calls = true;
	if (privilege_check(&report, error) != -EPERM)
		return 2;
	return strstr(error, "Seccomp: 0") ? FINE : 3;
}

static void a_thread_that_kept_its_rights_is_found(void **state)
{
	expect_end(check_with_a_thread_from_before, FINE);
}

static int check_with_later_threads(void)
{
	struct privilege_report report = own_report();
	char error[PRIVILEGE_ERROR_BYTES] = "";
	pthread_t threads[2];

	if (pipe(pipe_fds) != 0)
		return 1;
	enter_seccomp();
	for (unsigned i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, wait_for_the_end, NULL) != 0)
			return 2;
	report.filters_calls = true;
	if (privilege_check(&report, error) != 0)
		return 3;
	return report.threads == 3 ? FINE : 4;
}

static void every_thread_is_looked_at(void **state)
{
	expect_end(check_with_later_threads, FINE);
}

static void a_filter_that_is_not_there_is_noticed(void **state)
{
	struct privilege_report report = own_report();
	char error[PRIVILEGE_ERROR_BYTES] = "";

	report.filters_calls = true;

	assert_int_equal(privilege_check(&report, error), -EPERM);
	assert_non_null(strstr(error, "has rights that were given up: Seccomp: 0"));
}

static void landlock_that_is_not_there_is_noticed(void **state)
{
	struct privilege_report report = own_report();
	char error[PRIVILEGE_ERROR_BYTES] = "";

	report.landlock_abi = 1;

	assert_int_equal(privilege_check(&report, error), -EPERM);
	assert_string_equal(error, "Landlock does not hold: the root folder opens");
}

static void another_user_is_noticed(void **state)
{
	struct privilege_report report = own_report();
	char error[PRIVILEGE_ERROR_BYTES] = "";

	report.uid++;

	assert_int_equal(privilege_check(&report, error), -EPERM);
	assert_non_null(strstr(error, "Uid:"));
}

static void what_is_left_is_said_in_one_line(void **state)
{
	char text[PRIVILEGE_TEXT_BYTES];
	struct privilege_report report = {
		.user = "nobody",
		.has_no_new_privs = true,
		.landlock_abi = 7,
		.filters_calls = true,
		.threads = 4,
	};

	assert_string_equal(privilege_describe(&report, text),
		"user nobody, no capabilities, no new privileges, Landlock 7, "
		"filtered system calls, 4 threads checked");

	report = (struct privilege_report){ .user = "root", .capabilities = 1u << 13 };
	assert_string_equal(privilege_describe(&report, text),
		"user root, CAP_NET_RAW alone, new privileges possible, any path, "
		"any system call, 0 threads checked");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(an_intruders_call_ends_the_process),
	cmocka_unit_test(an_intruders_call_in_a_later_thread_ends_the_process),
	cmocka_unit_test(any_other_call_is_one_that_the_kernel_does_not_know),
	cmocka_unit_test(calls_are_allowed_by_their_arguments),
	cmocka_unit_test(threads_memory_names_and_files_are_there),
	cmocka_unit_test(a_failed_assertion_still_aborts),
	cmocka_unit_test_setup_teardown(
		only_the_files_of_the_table_open, make_files, remove_files),
	cmocka_unit_test(a_replay_needs_less),
	cmocka_unit_test(a_thread_that_kept_its_rights_is_found),
	cmocka_unit_test(every_thread_is_looked_at),
	cmocka_unit_test(a_filter_that_is_not_there_is_noticed),
	cmocka_unit_test(landlock_that_is_not_there_is_noticed),
	cmocka_unit_test(another_user_is_noticed),
	cmocka_unit_test(what_is_left_is_said_in_one_line),
};

UNIT_MAIN("privilege", tests)
