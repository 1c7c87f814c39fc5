/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Going on with the sockets of somebody else: of the process before this one, or of an opener
 * that had the right to make them. The kernel has filled the ring all the while; what it holds
 * is read from the place on that the one before had come to.
 *
 * A socket keeps its ring, its interface, its group and its promiscuous mode. The filter is
 * attached anew: the operator may have changed it, and what is in the ring already has passed
 * the old one.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring/hardware_type.h"
#include "ring/kernel_filter.h"
#include "ring/ring_layout.h"
#include "ring/tpacket_v3.h"

static bool has_option(int fd, int name, int wanted)
{
	int value = 0;
	socklen_t bytes = sizeof(value);

	return getsockopt(fd, SOL_PACKET, name, &value, &bytes) == 0 && value == wanted;
}

static int check_socket(struct tpacket_v3 *ring, char error[static SOURCE_ERROR_BYTES])
{
	if (has_option(ring->fd, PACKET_VERSION, TPACKET_V3) &&
		has_option(ring->fd, PACKET_VNET_HDR, 1))
		return 0;
	snprintf(error, SOURCE_ERROR_BYTES,
		"%s: what was handed in is no packet socket with a ring of this program",
		ring->config.interface);
	return -EINVAL;
}

static int keep_flags(int fd)
{
	int flags = fcntl(fd, F_GETFL);

	if (flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return -errno;
	return 0;
}

/* The spare socket of a member of a group took over before: it is the one now. */
static void take_sockets(struct tpacket_v3 *ring, const struct source_handed *handed)
{
	ring->fd = handed->fd;
	ring->spare_fd = handed->spare_fd;
	if (!handed->place || !handed->place->uses_spare)
		return;
	ring->uses_spare = true;
	if (handed->spare_fd < 0) /* never was in a group */
		return;
	close(ring->fd);
	ring->fd = ring->spare_fd;
	ring->spare_fd = -1;
}

static void take_totals(struct tpacket_v3 *ring, const struct source_place *place)
{
	ring->received_pkts = place->totals.received_pkts;
	ring->dropped_pkts = place->totals.dropped_pkts;
	ring->freezes = place->totals.freezes;
	ring->earlier_interface_drops = place->totals.interface_dropped_pkts;
	ring->seen_interface_drops = place->totals.interface_dropped_pkts;
	ring->watch.losses = place->totals.link_losses;
	ring->watch.returns = place->totals.link_returns;
	ring->watch.rebinds = place->totals.rebinds;
	ring->walk.duplicate_pkts = place->totals.duplicate_pkts;
	ring->walk.damaged_pkts = place->damaged_pkts;
	ring->walk.newest_ns = place->newest_ns;
	live_clock_resume(&ring->clock, place->origin_ns, place->step_ns, place->clock_ns);
	ring->clock.steps = place->totals.clock_steps;
	ring->clock.odd_stamps = place->totals.odd_stamps;
}

/* An interface that is away just now had this link type, and comes back. */
static int find_link(struct tpacket_v3 *ring, const struct source_place *place,
	unsigned *ret_hardware_type, char error[static SOURCE_ERROR_BYTES])
{
	int if_index;
	int outcome = tpacket_v3_find(ring, &if_index, ret_hardware_type, error);

	if (outcome != -ENODEV || !place)
		return outcome;
	ring->watch.link_type = place->link_type;
	*ret_hardware_type = place->skips_outgoing ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
	return 0;
}

static int map(struct tpacket_v3 *ring, char error[static SOURCE_ERROR_BYTES])
{
	const struct source_config *config = &ring->config;
	struct ring_layout layout;

	int outcome = ring_layout_plan(config->block_bytes, config->block_count,
		config->retire_timeout_ms, (uint32_t)sysconf(_SC_PAGESIZE), &layout, error,
		SOURCE_ERROR_BYTES);
	if (outcome)
		return outcome;
	outcome = tpacket_v3_map(ring, layout.total_bytes, error);
	if (outcome == -EINVAL)
		snprintf(error, SOURCE_ERROR_BYTES,
			"%s: the ring that was handed in does not have %u blocks of %u bytes",
			config->interface, config->block_count, config->block_bytes);
	return outcome;
}

static int attach_filters(struct tpacket_v3 *ring, char error[static SOURCE_ERROR_BYTES])
{
	struct kernel_filter filter;
	int outcome = kernel_filter_compile(
		&ring->config, ring->watch.link_type, NULL, &filter, error);

	return outcome ? outcome : tpacket_v3_attach(ring, &filter, error);
}

static int set_up(struct tpacket_v3 *ring, const struct source_place *place,
	char error[static SOURCE_ERROR_BYTES])
{
	const struct source_config *config = &ring->config;
	unsigned hardware_type = 0;
	int outcome = keep_flags(ring->fd);

	if (!outcome && ring->spare_fd >= 0)
		outcome = keep_flags(ring->spare_fd);
	if (outcome) {
		snprintf(error, SOURCE_ERROR_BYTES,
			"%s: a descriptor that was handed in is bad", config->interface);
		return outcome;
	}
	outcome = check_socket(ring, error);
	if (!outcome)
		outcome = find_link(ring, place, &hardware_type, error);
	if (!outcome)
		outcome = map(ring, error);
	if (outcome)
		return outcome;
	ring_walk_init(&ring->walk, ring->memory, config->block_bytes, config->block_count,
		hardware_type == ARPHRD_LOOPBACK);
	interface_drops_open(&ring->drops, config->interface);
	tpacket_v3_watch(ring);
	if (place)
		take_totals(ring, place);
	link_watch_adopt(&ring->watch);
	ring_walk_resume(&ring->walk, place ? place->block_sequence : 0,
		place ? place->block : 0, place ? place->done_pkts : 0);
	return 0;
}

int tpacket_v3_adopt(const struct source_config *config, unsigned lanes, void **ret_states,
	int *ret_link_type, char error[static SOURCE_ERROR_BYTES])
{
	struct tpacket_v3 *ring = NULL;
	unsigned count = 0;
	int outcome = 0;

	while (!outcome && count < lanes) {
		const struct source_handed *handed = &config->handed[count];

		outcome = tpacket_v3_begin(config, &ring, error);
		if (outcome)
			break;
		ring->lane = count;
		ring->lanes = lanes;
		ret_states[count++] = ring;
		take_sockets(ring, handed);
		outcome = set_up(ring, handed->place, error);
		if (!outcome)
			outcome = attach_filters(ring, error);
	}
	if (!outcome) {
		tpacket_v3_keep_compiler(ret_states[0]);
		*ret_link_type = ring->watch.link_type;
		return (int)count;
	}
	while (count > 0)
		tpacket_v3_close(ret_states[--count]);
	return outcome;
}

/* After the spare took over it has the number of the first one, which is closed. */
void tpacket_v3_keep(void *state, struct source_handed *ret_handed)
{
	const struct tpacket_v3 *ring = state;

	*ret_handed = (struct source_handed){ .fd = ring->fd, .spare_fd = ring->spare_fd };
}

void tpacket_v3_place(void *state, struct source_place *ret_place)
{
	const struct tpacket_v3 *ring = state;

	*ret_place = (struct source_place){
		.block_sequence = ring->walk.head_sequence,
		.block = ring->walk.head_block,
		.done_pkts = ring_walk_done_pkts(&ring->walk),
		.link_type = ring->watch.link_type,
		.uses_spare = ring->uses_spare,
		.skips_outgoing = ring->walk.skips_outgoing,
		.newest_ns = ring->walk.newest_ns,
		.clock_ns = ring->clock.newest_ns,
		.step_ns = ring->clock.step_ns,
		.origin_ns = ring->clock.has_begun ? ring->clock.origin_ns : 0,
		.damaged_pkts = ring->walk.damaged_pkts,
		.totals = {
			.received_pkts = ring->received_pkts,
			.dropped_pkts = ring->dropped_pkts,
			.interface_dropped_pkts = ring->seen_interface_drops,
			.freezes = ring->freezes,
			.clock_steps = ring->clock.steps,
			.odd_stamps = ring->clock.odd_stamps,
			.link_losses = ring->watch.losses,
			.link_returns = ring->watch.returns,
			.rebinds = ring->watch.rebinds,
			.duplicate_pkts = ring->walk.duplicate_pkts,
		},
	};
}
