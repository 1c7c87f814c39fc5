/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The operator's expression and the snap length as one classic BPF program, run by the kernel
 * on every frame in front of the ring.
 */
#ifndef RING_KERNEL_FILTER_H
#define RING_KERNEL_FILTER_H

#include <stdint.h>

#include "ring/source.h"

/*
 * Attach it to a packet socket that is not bound yet, so that nothing unfiltered gets in.
 * .expression may be NULL and .snap_bytes 0; with neither nothing is attached. 0, or a negative
 * errno with a sentence in .error that has the expression.
 */
int kernel_filter_attach(int fd, const char *interface, int link_type, uint32_t snap_bytes,
	const char *expression, char error[static SOURCE_ERROR_BYTES]);

#endif
