/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an interface itself dropped since it was first looked at, from sysfs. The files are kept
 * open, so that reading works without further rights; whatever cannot be read counts as zero.
 */
#ifndef RING_INTERFACE_DROPS_H
#define RING_INTERFACE_DROPS_H

#include <stdint.h>

#define INTERFACE_DROP_FILES 2

struct interface_drops {
	int fds[INTERFACE_DROP_FILES]; /* -1 when there is none */
	uint64_t seen_pkts[INTERFACE_DROP_FILES];
	uint64_t total_pkts;
};

/* Start counting from here. */
void interface_drops_open(struct interface_drops *drops, const char *interface);

/* The interface is a new one of the same name: its counters start at zero. */
void interface_drops_reopen(struct interface_drops *drops, const char *interface);

uint64_t interface_drops_total(struct interface_drops *drops);
void interface_drops_close(struct interface_drops *drops);

#endif
