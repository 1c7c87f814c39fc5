/* SPDX-License-Identifier: BSD-2-Clause */
/* The file of the control socket, and sockets that were handed in. */
#include "sensor/control_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit.h"

static char folder[] = "/tmp/ringflow-control-XXXXXX";
static char path[64];
static char error[CONFIG_ERROR_BYTES];

static int make_folder(void **state)
{
	memcpy(folder, "/tmp/ringflow-control-XXXXXX", sizeof(folder));
	if (!mkdtemp(folder))
		return -1;
	snprintf(path, sizeof(path), "%s/ctl", folder);
	return 0;
}

static int remove_folder(void **state)
{
	unlink(path);
	return rmdir(folder);
}

static struct control_listen own(mode_t mode, const char *group)
{
	return (struct control_listen){ .fd = -1, .path = path, .mode = mode, .group = group };
}

static int connect_to(const char *where)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	memcpy(address.sun_path, where, strlen(where) + 1);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	close(fd);
	return -1;
}

static void file_has_the_mode_and_group_that_were_asked_for(void **state)
{
	struct control_listen config = own(0620, "1");
	struct control_socket made;
	struct stat status;

	if (geteuid() != 0)
		config.group = NULL;
	assert_int_equal(control_socket_open(&config, &made, error), 0);
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0620);
	if (config.group)
		assert_int_equal(status.st_gid, 1);

	control_socket_close(&made);
	assert_int_equal(stat(path, &status), -1);
}

static void group_that_nobody_knows_is_refused_by_name(void **state)
{
	struct control_listen config = own(0660, "no such group");
	struct control_socket made;

	assert_int_equal(control_socket_open(&config, &made, error), -ENOENT);
	assert_string_equal(error, "--control-group no such group: no such group");
	assert_int_equal(access(path, F_OK), -1);
}

static void stale_socket_is_replaced_and_a_living_one_is_not(void **state)
{
	struct control_listen config = own(0600, NULL);
	struct control_socket first, second;

	assert_int_equal(control_socket_open(&config, &first, error), 0);
	assert_int_equal(control_socket_open(&config, &second, error), -EADDRINUSE);
	assert_non_null(strstr(error, path));
	close(first.fd); /* it died */

	assert_int_equal(control_socket_open(&config, &second, error), 0);
	int client = connect_to(path);
	assert_true(client >= 0);
	close(client);
	control_socket_close(&second);
}

static void file_that_is_no_socket_is_left_alone(void **state)
{
	struct control_listen config = own(0600, NULL);
	struct control_socket made;
	FILE *file = fopen(path, "w");

	fclose(file);
	assert_int_equal(control_socket_open(&config, &made, error), -EADDRINUSE);
	assert_int_equal(access(path, F_OK), 0);
}

static void socket_that_was_handed_in_is_served_and_its_file_stays(void **state)
{
	struct control_listen config = own(0600, NULL);
	struct control_socket outer, inner;

	assert_int_equal(control_socket_open(&config, &outer, error), 0);
	config.fd = outer.fd;
	assert_int_equal(control_socket_open(&config, &inner, error), 0);
	assert_int_equal(inner.fd, outer.fd);
	control_socket_close(&inner);
	assert_int_equal(access(path, F_OK), 0);
}

static void handed_in_descriptor_that_does_not_listen_is_refused(void **state)
{
	struct control_listen config = { .fd = socket(AF_UNIX, SOCK_STREAM, 0) };
	struct control_socket made;

	assert_int_equal(control_socket_open(&config, &made, error), -EINVAL);
	assert_int_equal(close(config.fd), -1); /* was taken */
}

static void peer_is_root_or_ourselves_or_may_only_read(void **state)
{
	int ends[2], pipe_ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	struct control_peer ours = control_socket_peer(ends[0]);
	assert_true(ours.may_change);
	assert_int_equal(ours.uid, geteuid());
	assert_int_equal(ours.pid, getpid());
	assert_int_equal(pipe(pipe_ends), 0);
	assert_false(control_socket_peer(pipe_ends[0]).may_change);
	for (int i = 0; i < 2; i++) {
		close(ends[i]);
		close(pipe_ends[i]);
	}
}

static const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
	CASE(file_has_the_mode_and_group_that_were_asked_for),
	CASE(group_that_nobody_knows_is_refused_by_name),
	CASE(stale_socket_is_replaced_and_a_living_one_is_not),
	CASE(file_that_is_no_socket_is_left_alone),
	CASE(socket_that_was_handed_in_is_served_and_its_file_stays),
	CASE(handed_in_descriptor_that_does_not_listen_is_refused),
	CASE(peer_is_root_or_ourselves_or_may_only_read),
};

UNIT_MAIN("control_socket", tests)
