/* SPDX-License-Identifier: BSD-2-Clause */
/* Descriptors for a service manager to keep, which is played here. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "systemd/notify.h"
#include "tests/unit.h"

/* A manager's end of the notification socket. */
static int open_manager(struct notify *notify)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1, "ringflow-store-%d",
		getpid());
	socklen_t bytes = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				      strlen(address.sun_path + 1));
	assert_int_equal(bind(fd, (struct sockaddr *)&address, bytes), 0);
	address.sun_path[0] = '@';
	setenv("NOTIFY_SOCKET", address.sun_path, 1);
	notify_open(notify);
	return fd;
}

/* The words of one message; *ret_fd: what came with it, -1: nothing. */
static void receive(int manager, char *words, size_t room, int *ret_fd)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct iovec vector = { words, room - 1 };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof(control.bytes),
	};
	ssize_t length = recvmsg(manager, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	assert_true(length >= 0);
	words[length] = '\0';
	*ret_fd = -1;
	if (CMSG_FIRSTHDR(&message))
		memcpy(ret_fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(int));
}

static void notify_stores_a_descriptor_whatever_becomes_of_it(void **state)
{
	struct notify notify;
	int manager = open_manager(&notify), fds[2], stored;
	char words[256], byte = 0;

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_true(notify_store(&notify, "ring-0", fds[1]));

	receive(manager, words, sizeof(words), &stored);
	assert_string_equal(words, "FDSTORE=1\nFDNAME=ring-0\nFDPOLL=0");
	assert_int_equal(write(stored, "x", 1), 1);
	assert_int_equal(read(fds[0], &byte, 1), 1);

	assert_true(notify_forget(&notify, "ring-0"));
	receive(manager, words, sizeof(words), &stored);
	assert_string_equal(words, "FDSTOREREMOVE=1\nFDNAME=ring-0");
	assert_int_equal(stored, -1);
	notify_close(&notify);
	close(manager);
}

static void notify_stores_nothing_when_nobody_keeps_it(void **state)
{
	struct notify notify;

	unsetenv("NOTIFY_SOCKET");
	notify_open(&notify);

	assert_false(notify_store(&notify, "ring-0", 0));
	assert_false(notify_forget(&notify, "ring-0"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(notify_stores_a_descriptor_whatever_becomes_of_it),
	cmocka_unit_test(notify_stores_nothing_when_nobody_keeps_it),
};

UNIT_MAIN("notify_store", tests)
