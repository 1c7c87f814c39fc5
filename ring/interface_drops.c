/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an interface itself dropped, from sysfs: total = sum of the growth of each file since it
 * was opened. Only growth counts, so the total never goes back.
 */
#include "ring/interface_drops.h"

#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const files[] = { "rx_dropped", "rx_missed_errors" };
_Static_assert(sizeof(files) / sizeof(files[0]) == INTERFACE_DROP_FILES, "one slot per file");

static int open_counter(const char *interface, const char *file)
{
	char path[128];

	if (strchr(interface, '/'))
		return -1;
	snprintf(path, sizeof(path), "/sys/class/net/%.*s/statistics/%s", IFNAMSIZ, interface,
		file);
	return open(path, O_RDONLY | O_CLOEXEC);
}

/* The value that was seen last when the file cannot be read (any more). */
static uint64_t read_counter(int fd, uint64_t seen_pkts)
{
	char text[32] = { 0 };

	if (fd < 0 || pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return seen_pkts;
	return strtoull(text, NULL, 10);
}

static void open_files(struct interface_drops *drops, const char *interface)
{
	for (unsigned i = 0; i < INTERFACE_DROP_FILES; i++) {
		drops->fds[i] = open_counter(interface, files[i]);
		drops->seen_pkts[i] = 0;
	}
}

static void close_files(struct interface_drops *drops)
{
	for (unsigned i = 0; i < INTERFACE_DROP_FILES; i++)
		if (drops->fds[i] >= 0)
			close(drops->fds[i]);
}

void interface_drops_open(struct interface_drops *drops, const char *interface)
{
	open_files(drops, interface);
	for (unsigned i = 0; i < INTERFACE_DROP_FILES; i++)
		drops->seen_pkts[i] = read_counter(drops->fds[i], 0);
	drops->total_pkts = 0;
}

void interface_drops_reopen(struct interface_drops *drops, const char *interface)
{
	close_files(drops);
	open_files(drops, interface);
}

uint64_t interface_drops_total(struct interface_drops *drops)
{
	for (unsigned i = 0; i < INTERFACE_DROP_FILES; i++) {
		uint64_t now_pkts = read_counter(drops->fds[i], drops->seen_pkts[i]);
		if (now_pkts > drops->seen_pkts[i])
			drops->total_pkts += now_pkts - drops->seen_pkts[i];
		drops->seen_pkts[i] = now_pkts;
	}
	return drops->total_pkts;
}

void interface_drops_close(struct interface_drops *drops)
{
	close_files(drops);
	for (unsigned i = 0; i < INTERFACE_DROP_FILES; i++)
		drops->fds[i] = -1;
}
