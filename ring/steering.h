/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which lane gets a frame, as a classic BPF program that the kernel runs on every frame of an
 * interface. It walks to the IP header as the decoder does and looks at the two addresses
 * alone: in either order they give the same lane, so both directions of a flow and all its
 * fragments, which have no ports, stay together. The mixing is keyed: who sends packets cannot
 * know which of them meet in one lane.
 *
 *   form       who runs it            gives                   where the frame begins
 *   FANOUT     the fanout group       a number, the kernel    received: network header
 *                                     takes it modulo lanes   sent: link header
 *   FILTER     each lane's socket     other lanes' frames     link header
 *                                     end here
 *
 * Frames without two addresses that can be reached go to lane 0: what is not IP or cut off, a
 * deeper stacks of tags or labels than the program walks, tags behind LLC.
 */
#ifndef RING_STEERING_H
#define RING_STEERING_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

/* Walked at most. A filter of the kernel has to fit into 20 KiB with all that it becomes. */
#define STEERING_TAGS_MAX 16
#define STEERING_LABELS_MAX 32
#define STEERING_CODE_MAX 1200

enum steering_form {
	STEERING_FANOUT,
	STEERING_FILTER,
};

struct steering {
	uint64_t key[2]; /* random in service */
	unsigned lanes;
};

struct steering_program {
	struct sock_filter code[STEERING_CODE_MAX];
	unsigned count;
};

/* Is there a program for frames of this LINKTYPE_ value? */
bool steering_takes(int link_type);

/*
 * Write the program. FILTER: .lane keeps its own frames by running on into what is attached
 * behind the program. The link type is one that steering_takes().
 */
void steering_write(const struct steering *steering, int link_type, enum steering_form form,
	unsigned lane, struct steering_program *ret_program);

/* The lane of frames with these two addresses, of 4 or 16 octets, wherever the program finds
 * them. */
unsigned steering_lane(const struct steering *steering, unsigned ip_version,
	const uint8_t *source, const uint8_t *destination);

#endif
