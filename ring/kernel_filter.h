/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's expression and the snap length as one classic BPF program, run by the kernel
 * on every frame in front of the ring.
 */
#ifndef RING_KERNEL_FILTER_H
#define RING_KERNEL_FILTER_H

#include <linux/filter.h>
#include <stdint.h>

#include "ring/source.h"

struct pcap;
struct steering_program;

struct kernel_filter {
	struct sock_filter code[BPF_MAXINSNS];
	unsigned count;
	char words[96]; /* the expression's beginning, for messages */
};

/*
 * What it takes to compile `vlan` when there are no rights any more, opened while there are; it
 * receives nothing. NULL where nothing is needed or can be had.
 */
struct pcap *kernel_filter_keep_compiler(const struct source_config *config, int link_type);
void kernel_filter_free_compiler(struct pcap *compiler); /* NULL is fine */

/*
 * Compile .filter, .snap_bytes and .keeps_headers for an interface. .compiler: was kept, or
 * NULL: one is opened for the call. 0, or a negative errno with a sentence in .error that has
 * the expression.
 */
int kernel_filter_compile(const struct source_config *config, int link_type,
	struct pcap *compiler, struct kernel_filter *ret_filter,
	char error[static SOURCE_ERROR_BYTES]);

/* Would the kernel take it? As below, but no packet socket is touched. */
int kernel_filter_check(const struct kernel_filter *filter,
	const struct steering_program *ahead, char error[static SOURCE_ERROR_BYTES]);

/*
 * Attach it to a packet socket that is not bound yet, or that lets nothing in, so that nothing
 * unfiltered gets in; or in the place of another filter, which the kernel exchanges between two
 * frames. .ahead: runs before it and may end the run; NULL: none. 0, or a negative
 * errno with a sentence in .error that has the expression.
 */
int kernel_filter_attach(int fd, const struct kernel_filter *filter,
	const struct steering_program *ahead, char error[static SOURCE_ERROR_BYTES]);

#endif
