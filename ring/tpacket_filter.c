/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter of a ring, at the start and when the operator wants another one. The kernel
 * exchanges a socket's filter between two frames; what is in the ring has passed the old one.
 *
 *	socket          attached
 *	member          the filter; the group's program shares frames out
 *	spare           which frames are the lane's own, then the filter: it is in no group
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "ring/kernel_filter.h"
#include "ring/steering.h"
#include "ring/tpacket_v3.h"

struct source_filter {
	struct kernel_filter program;
};

/* What a socket outside of the group needs in front; false: nothing. */
static bool write_own(const struct tpacket_v3 *ring, struct steering_program *ret_own)
{
	const uint64_t *key = ring->config.steering_key;
	struct steering steering = { { key[0], key[1] }, ring->lanes };

	if (ring->lanes <= 1 || !steering_takes(ring->watch.link_type))
		return false;
	steering_write(&steering, ring->watch.link_type, STEERING_FILTER, ring->lane, ret_own);
	return true;
}

int tpacket_v3_attach(struct tpacket_v3 *ring, const struct kernel_filter *filter,
	char error[static SOURCE_ERROR_BYTES])
{
	struct steering_program own;
	bool is_shared = write_own(ring, &own);
	int outcome = 0;

	if (ring->spare_fd >= 0)
		outcome = kernel_filter_attach(
			ring->spare_fd, filter, is_shared ? &own : NULL, error);
	if (outcome)
		return outcome;
	return kernel_filter_attach(
		ring->fd, filter, ring->uses_spare && is_shared ? &own : NULL, error);
}

int tpacket_v3_compile(void *state, const char *expression, struct source_filter **ret_filter,
	char error[static SOURCE_ERROR_BYTES])
{
	const struct tpacket_v3 *ring = state;
	struct source_config config = ring->config;
	struct source_filter *filter = malloc(sizeof(*filter));
	struct steering_program own;
	bool is_shared = write_own(ring, &own);

	if (!filter) {
		snprintf(error, SOURCE_ERROR_BYTES, "out of memory");
		return -ENOMEM;
	}
	config.filter = expression;
	int outcome = kernel_filter_compile(
		&config, ring->watch.link_type, ring->compiler, &filter->program, error);
	if (!outcome)
		outcome = kernel_filter_check(&filter->program, is_shared ? &own : NULL, error);
	if (outcome) {
		free(filter);
		return outcome;
	}
	*ret_filter = filter;
	return 0;
}

int tpacket_v3_set_filter(void *state, const struct source_filter *filter)
{
	struct tpacket_v3 *ring = state;
	char error[SOURCE_ERROR_BYTES];

	return tpacket_v3_attach(ring, &filter->program, error);
}
