/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ringflow-opener: opens what a sensor has no right to, from the same command line and
 * configuration files and with the same code, and hands it on under the names of
 * sensor/handover.h.
 *
 *	ringflow-opener exec PROGRAM [OPTION...]
 *	        makes packet sockets, with CAP_NET_RAW as an ambient capability, and becomes
 *	        PROGRAM, which has no capability any more: the kernel takes them away when a
 *program is run. What it was given itself is passed on ringflow-opener store PROGRAM
 *[OPTION...] makes packet rings and sockets to collectors in the network of process 1 and
 *leaves them in the service manager's descriptor store, for the PROGRAM that comes after it
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/lanes.h"
#include "sensor/process.h"
#include "systemd/listen.h"
#include "systemd/notify.h"

#define EXIT_USAGE 2
#define NAMES_BYTES (LISTEN_FDS_MAX * 16)

struct opener {
	struct config config;
	struct lanes lanes;
	struct listen_fds handed;
	unsigned count; /* descriptors to hand on */
	struct {
		int fd; /* borrowed */
		char name[LISTEN_NAME_BYTES];
	} fds[LISTEN_FDS_MAX];
	char error[CONFIG_ERROR_BYTES];
};

static int fail(struct opener *opener, int status)
{
	fprintf(stderr, "ringflow-opener: %s\n", opener->error);
	return status;
}

static int say_errno(struct opener *opener, const char *doing)
{
	int rc = -errno;

	snprintf(opener->error, sizeof(opener->error), "%s: %s", doing, strerror(-rc));
	return rc;
}

/* -- what there is to hand on ----------------------------------------------------------- */

static int add(struct opener *opener, const char *name, int fd)
{
	if (fd < 0)
		return 0;
	if (opener->count == LISTEN_FDS_MAX) {
		snprintf(opener->error, sizeof(opener->error), "more than %d sockets",
			LISTEN_FDS_MAX);
		return -E2BIG;
	}
	opener->fds[opener->count].fd = fd;
	snprintf(opener->fds[opener->count++].name, LISTEN_NAME_BYTES, "%s", name);
	return 0;
}

static int open_rings(struct opener *opener)
{
	unsigned wanted;
	int rc = lanes_open_sources(&opener->lanes, &opener->config, 0, &wanted, opener->error);

	for (unsigned lane = 0; rc == 0 && lane < opener->lanes.count; lane++) {
		struct source_handed ring;

		if (!source_keep(opener->lanes.sources[lane], &ring))
			break; /* libpcap's */
		rc = add(opener, handover_name("ring", lane).text, ring.fd);
		if (rc == 0)
			rc = add(opener, handover_name("spare", lane).text, ring.spare_fd);
	}
	return rc;
}

/* For a program that has no network: what is not UDP needs it for as long as it runs. */
static int open_collectors(struct opener *opener)
{
	const struct config *config = &opener->config;
	size_t count = config->destination_count;

	for (size_t i = 0; i < count; i++)
		if (config->destinations[i].transport != CONFIG_TRANSPORT_UDP) {
			snprintf(opener->error, sizeof(opener->error),
				"collector %s: only UDP can be handed to a sensor without a "
				"network",
				config->destinations[i].host);
			return -EINVAL;
		}
	int rc = lanes_open_transports(&opener->lanes, config, opener->error);
	for (size_t i = 0; rc == 0 && i < count * opener->lanes.count; i++)
		rc = add(opener,
			handover_udp_name((unsigned)(i / count), (unsigned)(i % count)).text,
			transport_fd(opener->lanes.transports[i]));
	return rc;
}

/* -- exec ------------------------------------------------------------------------------- */

/* Descriptors come as 3, 4, ...: first out of each other's way, then each to its place. */
static int arrange(struct opener *opener)
{
	int above = LISTEN_FIRST_FD + (int)opener->count;

	for (unsigned i = 0; i < opener->count; i++) {
		opener->fds[i].fd = fcntl(opener->fds[i].fd, F_DUPFD_CLOEXEC, above);
		if (opener->fds[i].fd < 0)
			return say_errno(opener, "handing sockets on");
	}
	for (unsigned i = 0; i < opener->count; i++)
		if (dup2(opener->fds[i].fd, LISTEN_FIRST_FD + (int)i) < 0)
			return say_errno(opener, "handing sockets on");
	return 0;
}

static void set_environment(const struct opener *opener)
{
	static char names[NAMES_BYTES];
	char number[24];
	size_t length = 0;

	if (opener->count == 0)
		return;
	for (unsigned i = 0; i < opener->count && length < sizeof(names); i++)
		length += (size_t)snprintf(names + length, sizeof(names) - length, "%s%s",
			i ? ":" : "", opener->fds[i].name);
	setenv("LISTEN_FDNAMES", names, 1);
	snprintf(number, sizeof(number), "%u", opener->count);
	setenv("LISTEN_FDS", number, 1);
	snprintf(number, sizeof(number), "%ld", (long)getpid());
	setenv("LISTEN_PID", number, 1);
}

/* Without packet sockets the program opens its source itself, and needs the right to. */
static int become(struct opener *opener, char **words, bool has_sockets)
{
	if (arrange(opener) < 0)
		return fail(opener, EXIT_FAILURE);
	set_environment(opener);
	if (has_sockets && prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0) {
		say_errno(opener, "ambient capabilities");
		return fail(opener, EXIT_FAILURE);
	}
	execvp(words[0], words);
	say_errno(opener, words[0]);
	return fail(opener, EXIT_FAILURE);
}

/* For a ring and its spare in each lane; the program closes what it does not need. */
static int open_packet_sockets(struct opener *opener)
{
	int cpus[CONFIG_LANES_MAX];
	unsigned lanes = opener->config.lanes > 0 ? opener->config.lanes
						  : process_usable_cpus(cpus, CONFIG_LANES_MAX);
	unsigned count = 2 * (lanes > 0 ? lanes : 1);
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < count; i++) {
		int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

		if (fd < 0)
			return say_errno(opener, "a packet socket (CAP_NET_RAW)");
		rc = add(opener, handover_name("packet", i).text, fd);
	}
	return rc;
}

/* libpcap opens its interface itself, again and again. */
static bool is_libpcap(const struct config *config)
{
	return (config->source_kind && strcmp(config->source_kind, "pcap") == 0) ||
	       (config->interface && strcmp(config->interface, "any") == 0);
}

static int open_and_become(struct opener *opener, char **words)
{
	bool has_sockets = !is_libpcap(&opener->config);
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < opener->handed.count; i++)
		rc = add(opener, opener->handed.fds[i].name, opener->handed.fds[i].fd);
	if (rc == 0 && has_sockets)
		rc = open_packet_sockets(opener);
	return rc < 0 ? fail(opener, EXIT_FAILURE) : become(opener, words, has_sockets);
}

/* -- store ------------------------------------------------------------------------------ */

/* The unit's own network is empty. */
static int enter_network_of_host(struct opener *opener)
{
	int fd = open("/proc/1/ns/net", O_RDONLY | O_CLOEXEC);
	int rc = fd < 0 || setns(fd, CLONE_NEWNET) < 0
			 ? say_errno(opener, "the network of process 1")
			 : 0;

	if (fd >= 0)
		close(fd);
	return rc;
}

static int store_all(struct opener *opener, const struct notify *notify)
{
	for (unsigned i = 0; i < opener->count; i++) {
		notify_forget(notify, opener->fds[i].name);
		if (!notify_store(notify, opener->fds[i].name, opener->fds[i].fd)) {
			snprintf(opener->error, sizeof(opener->error),
				"the service manager does not keep %s: is NotifyAccess=all?",
				opener->fds[i].name);
			return -EPERM;
		}
	}
	return 0;
}

static int open_and_store(struct opener *opener)
{
	struct notify notify;
	notify_open(&notify);
	int rc = enter_network_of_host(opener);
	notify_extend_timeout(&notify, lanes_opening_us(&opener->config));
	if (rc == 0)
		rc = open_rings(opener);
	if (rc == 0)
		rc = open_collectors(opener);
	if (rc == 0 && (opener->count == 0 || strcmp(opener->fds[0].name, "ring-0") != 0)) {
		snprintf(opener->error, sizeof(opener->error),
			"this source cannot be handed on: libpcap's interface stays with who "
			"opened it");
		rc = -ENOTSUP;
	}
	if (rc == 0)
		rc = store_all(opener, &notify);
	notify_barrier(&notify);
	notify_close(&notify);
	return rc < 0 ? fail(opener, EXIT_FAILURE) : EXIT_SUCCESS;
}

/* -- the command line ------------------------------------------------------------------- */

/* config_parse() puts the words in another order; the program wants them as they are. */
static char **copy_words(char **words, int count)
{
	char **copy = calloc((size_t)count + 1, sizeof(*copy));

	if (copy)
		memcpy(copy, words, (size_t)count * sizeof(*copy));
	return copy;
}

static int run(struct opener *opener, bool is_exec, int count, char **arguments, char **words)
{
	struct config_input input = { count, arguments, config_folder, NULL };
	int rc = config_parse(&opener->config, &input, stdout, opener->error);

	if (rc > 0)
		return EXIT_SUCCESS;
	if (rc == 0 && opener->config.file_count > 0) {
		snprintf(opener->error, sizeof(opener->error), "capture files need no opener");
		rc = -EINVAL;
	}
	if (rc < 0)
		return fail(opener, EXIT_USAGE);
	rc = listen_read(&opener->handed);
	if (rc < 0) {
		errno = -rc;
		say_errno(opener, "sockets that were handed in");
		return fail(opener, EXIT_FAILURE);
	}
	return is_exec ? open_and_become(opener, words) : open_and_store(opener);
}

int main(int argc, char **argv)
{
	static struct opener opener;
	bool is_exec = argc > 2 && strcmp(argv[1], "exec") == 0;
	bool is_store = argc > 2 && strcmp(argv[1], "store") == 0;

	if (!is_exec && !is_store) {
		fputs("usage: ringflow-opener exec|store PROGRAM [OPTION...]\n", stderr);
		return EXIT_USAGE;
	}
	char **words = copy_words(argv + 2, argc - 2);
	if (!words) {
		say_errno(&opener, "starting");
		return fail(&opener, EXIT_FAILURE);
	}
	int status = run(&opener, is_exec, argc - 2, argv + 2, words);
	lanes_free(&opener.lanes);
	listen_close(&opener.handed);
	config_clear(&opener.config);
	free(words);
	return status;
}
