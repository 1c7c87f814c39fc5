/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Live source on Linux: an AF_PACKET socket with a TPACKET_V3 ring. The kernel copies each
 * frame once, into the ring; from there on there are only views.
 *
 *   socket, protocol 0    nothing is received yet
 *   ring, filter          set up in peace
 *   bind                  from here on frames arrive, all of them filtered
 *
 * Several lanes are several such sockets in a fanout group. The kernel does not let a member be
 * bound again, so when the interface was deleted and made anew each lane goes on with a spare
 * socket, outside of any group, whose filter keeps the lane's own frames. That costs the host a
 * look at each frame per lane, but it can be bound as often as needed.
 *
 * PACKET_VNET_HDR puts the offload facts of each frame in front of it. The price: a frame whose
 * offload that header cannot express (SCTP; before Linux 6.2 also UDP segmentation) is dropped
 * by the kernel, and counted as dropped.
 *
 * Everything that needs a right happens in open. Later: getsockopt, getsockname, ioctl, bind,
 * setsockopt, mmap, pread, and openat and close for the counters of a re-created interface.
 */
#include "ring/tpacket_v3.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "ring/fanout.h"
#include "ring/hardware_type.h"
#include "ring/kernel_filter.h"
#include "ring/ring_layout.h"

#define NS_PER_SECOND 1000000000ull
#define NS_PER_MS 1000000ull

extern const struct source_ops tpacket_v3_ops;

int tpacket_v3_fail(
	char error[static SOURCE_ERROR_BYTES], const char *interface, const char *doing)
{
	int outcome = -errno;

	snprintf(error, SOURCE_ERROR_BYTES, "%s: %s: %s", interface, doing, strerror(-outcome));
	return outcome;
}

static int open_socket(
	const struct source_config *config, int *ret_fd, char error[static SOURCE_ERROR_BYTES])
{
	const char *interface = config->interface;

	if (config->sockets && config->sockets->count > 0) {
		*ret_fd = config->sockets->fds[--config->sockets->count];
		return 0;
	}
	*ret_fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*ret_fd >= 0)
		return 0;
	if (errno != EPERM && errno != EACCES)
		return tpacket_v3_fail(error, interface, "cannot open a packet socket");
	snprintf(error, SOURCE_ERROR_BYTES,
		"%s: capturing needs root, or the capability CAP_NET_RAW", interface);
	return -EPERM;
}

int tpacket_v3_find(struct tpacket_v3 *ring, int *ret_if_index, unsigned *ret_hardware_type,
	char error[static SOURCE_ERROR_BYTES])
{
	const char *interface = ring->config.interface;
	int outcome = link_watch_find(
		ring->fd, interface, ret_if_index, &ring->watch.link_type, ret_hardware_type);

	if (outcome == -EPROTONOSUPPORT)
		snprintf(error, SOURCE_ERROR_BYTES,
			"%s: hardware type %u (ARPHRD) is not supported by the ring", interface,
			*ret_hardware_type);
	else if (outcome)
		snprintf(error, SOURCE_ERROR_BYTES, "%s: no such interface", interface);
	return outcome;
}

int tpacket_v3_map(struct tpacket_v3 *ring, size_t bytes, char error[static SOURCE_ERROR_BYTES])
{
	ring->memory_bytes = bytes;
	ring->memory = mmap(
		NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring->fd, 0);
	if (ring->memory == MAP_FAILED)
		return tpacket_v3_fail(error, ring->config.interface, "cannot map the ring");
	return 0;
}

static int map_ring(struct tpacket_v3 *ring, const struct source_config *config,
	char error[static SOURCE_ERROR_BYTES])
{
	struct ring_layout layout;
	int version = TPACKET_V3;
	int on = 1;

	int outcome = ring_layout_plan(config->block_bytes, config->block_count,
		config->retire_timeout_ms, (uint32_t)sysconf(_SC_PAGESIZE), &layout, error,
		SOURCE_ERROR_BYTES);
	if (outcome)
		return outcome;
	if (setsockopt(ring->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)))
		return tpacket_v3_fail(
			error, config->interface, "no TPACKET_V3 in this kernel");
	if (setsockopt(ring->fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
		return tpacket_v3_fail(
			error, config->interface, "no PACKET_VNET_HDR in this kernel");
	if (setsockopt(ring->fd, SOL_PACKET, PACKET_RX_RING, &layout.request,
		    sizeof(layout.request)))
		return tpacket_v3_fail(error, config->interface, "cannot set up the ring");
	return tpacket_v3_map(ring, layout.total_bytes, error);
}

/* The kernel's counters start again at zero when they are read: this is the only reader. Its
 * tp_packets include tp_drops. */
static void add_kernel_counts(struct tpacket_v3 *ring)
{
	struct tpacket_stats_v3 counts = { 0 };
	socklen_t count_bytes = sizeof(counts);

	if (getsockopt(ring->fd, SOL_PACKET, PACKET_STATISTICS, &counts, &count_bytes))
		return;
	ring->received_pkts += counts.tp_packets;
	ring->dropped_pkts += counts.tp_drops;
	ring->freezes += counts.tp_freeze_q_cnt;
}

/* Leave the group: the spare socket takes the number of the one that is of no more use, and a
 * ring of its own. The ring is empty when this is called. */
static int leave_group(void *user)
{
	struct tpacket_v3 *ring = user;
	char error[SOURCE_ERROR_BYTES];

	if (ring->spare_fd >= 0) {
		add_kernel_counts(ring);
		munmap(ring->memory, ring->memory_bytes);
		ring->memory = NULL;
		if (dup3(ring->spare_fd, ring->fd, O_CLOEXEC) < 0)
			return -errno;
		close(ring->spare_fd);
		ring->spare_fd = -1;
		ring->uses_spare = true;
	}
	if (ring->memory && ring->memory != MAP_FAILED)
		return 0;
	int outcome = map_ring(ring, &ring->config, error);
	if (outcome)
		snprintf(ring->watch.notice, sizeof(ring->watch.notice), "%.100s", error);
	else
		ring_walk_restart(&ring->walk, ring->memory);
	return outcome;
}

void tpacket_v3_watch(struct tpacket_v3 *ring)
{
	ring->watch.fd = ring->fd;
	ring->watch.interface = ring->config.interface;
	ring->watch.is_promiscuous = ring->config.is_promiscuous;
	ring->watch.prepare = leave_group;
	ring->watch.user = ring;
}

static int bind_interface(
	struct tpacket_v3 *ring, int if_index, char error[static SOURCE_ERROR_BYTES])
{
	tpacket_v3_watch(ring);
	int outcome = link_watch_bind(&ring->watch, if_index);
	if (outcome)
		snprintf(error, SOURCE_ERROR_BYTES, "%s: cannot bind to the interface: %s",
			ring->config.interface, strerror(-outcome));
	return outcome;
}

static int filter_frames(struct tpacket_v3 *ring, char error[static SOURCE_ERROR_BYTES])
{
	struct kernel_filter filter;

	int outcome = kernel_filter_compile(
		&ring->config, ring->watch.link_type, NULL, &filter, error);
	return outcome ? outcome : tpacket_v3_attach(ring, &filter, error);
}

static int shut(struct tpacket_v3 *ring, char error[static SOURCE_ERROR_BYTES])
{
	return fanout_shut(ring->fd)
		       ? tpacket_v3_fail(error, ring->config.interface, "cannot filter")
		       : 0;
}

static int join(
	struct tpacket_v3 *ring, struct fanout *group, char error[static SOURCE_ERROR_BYTES])
{
	int outcome = fanout_join(group, ring->fd, ring->watch.link_type);

	if (outcome)
		snprintf(error, SOURCE_ERROR_BYTES,
			"%s: the kernel cannot share frames out among lanes: %s",
			ring->config.interface, strerror(-outcome));
	return outcome;
}

/* .group: to join, with nothing let in yet; NULL: none. It is left alone when it has no program
 * for the link type. */
static int set_up(
	struct tpacket_v3 *ring, struct fanout *group, char error[static SOURCE_ERROR_BYTES])
{
	const struct source_config *config = &ring->config;
	int if_index = 0;
	unsigned hardware_type = 0;

	int outcome = open_socket(config, &ring->fd, error);
	if (!outcome)
		outcome = tpacket_v3_find(ring, &if_index, &hardware_type, error);
	if (!outcome)
		outcome = map_ring(ring, config, error);
	if (outcome)
		return outcome;
	bool is_member = group && steering_takes(ring->watch.link_type);
	outcome = is_member ? shut(ring, error) : filter_frames(ring, error);
	if (outcome)
		return outcome;
	ring_walk_init(&ring->walk, ring->memory, config->block_bytes, config->block_count,
		hardware_type == ARPHRD_LOOPBACK);
	interface_drops_open(&ring->drops, config->interface);
	outcome = bind_interface(ring, if_index, error);
	if (!outcome && is_member)
		outcome = join(ring, group, error);
	return outcome;
}

void tpacket_v3_close(void *state)
{
	struct tpacket_v3 *ring = state;

	if (ring->memory && ring->memory != MAP_FAILED)
		munmap(ring->memory, ring->memory_bytes);
	if (ring->fd >= 0)
		close(ring->fd);
	if (ring->spare_fd >= 0)
		close(ring->spare_fd);
	interface_drops_close(&ring->drops);
	kernel_filter_free_compiler(ring->compiler);
	free(ring);
}

void tpacket_v3_keep_compiler(struct tpacket_v3 *ring)
{
	ring->compiler = kernel_filter_keep_compiler(&ring->config, ring->watch.link_type);
}

int tpacket_v3_begin(const struct source_config *config, struct tpacket_v3 **ret_ring,
	char error[static SOURCE_ERROR_BYTES])
{
	struct tpacket_v3 *ring;

	if (strcmp(config->interface, "any") == 0) {
		/* Frames of all interfaces have no common form; libpcap makes one up. */
		snprintf(error, SOURCE_ERROR_BYTES, "any: use the source 'pcap' for it");
		return -EPROTONOSUPPORT;
	}
	ring = calloc(1, sizeof(*ring));
	if (!ring) {
		snprintf(error, SOURCE_ERROR_BYTES, "out of memory");
		return -ENOMEM;
	}
	ring->config = *config;
	ring->config.handed = NULL;
	ring->fd = ring->spare_fd = -1;
	for (unsigned i = 0; i < INTERFACE_DROP_FILES; i++)
		ring->drops.fds[i] = -1;
	/* The kernel's timer ticks in jiffies: allow for one that is late. */
	ring->clock.holdback_ns = 2 * config->retire_timeout_ms * NS_PER_MS;
	*ret_ring = ring;
	return 0;
}

static int open_ring(const struct source_config *config, struct fanout *group,
	struct tpacket_v3 **ret_ring, char error[static SOURCE_ERROR_BYTES])
{
	struct tpacket_v3 *ring;
	int outcome = tpacket_v3_begin(config, &ring, error);

	if (outcome)
		return outcome;
	outcome = set_up(ring, group, error);
	if (outcome) {
		tpacket_v3_close(ring);
		return outcome;
	}
	*ret_ring = ring;
	return 0;
}

/* -- an interface that does not exist yet ---------------------------------------------- */

/* All but the binding, which needs no right. A lane picks its own frames out itself, as when
 * the interface is made anew: a socket has to be bound before it can join a group. */
static int set_up_waiting(struct tpacket_v3 *ring, char error[static SOURCE_ERROR_BYTES])
{
	const struct source_config *config = &ring->config;

	ring->watch.link_type = hardware_type_link_type(ARPHRD_ETHER);
	ring->uses_spare = ring->lanes > 1;
	int outcome = open_socket(config, &ring->fd, error);
	if (!outcome)
		outcome = map_ring(ring, config, error);
	if (!outcome)
		outcome = filter_frames(ring, error);
	if (outcome)
		return outcome;
	ring_walk_init(
		&ring->walk, ring->memory, config->block_bytes, config->block_count, false);
	tpacket_v3_watch(ring);
	link_watch_await(&ring->watch);
	return 0;
}

/* As open_lanes. */
static int open_waiting(const struct source_config *config, unsigned lanes, void **ret_states,
	char error[static SOURCE_ERROR_BYTES])
{
	struct tpacket_v3 *ring;
	unsigned count = 0;
	int outcome = 0;

	while (!outcome && count < lanes) {
		outcome = tpacket_v3_begin(config, &ring, error);
		if (outcome)
			break;
		ring->lane = count;
		ring->lanes = lanes;
		ret_states[count++] = ring;
		outcome = set_up_waiting(ring, error);
	}
	if (!outcome) {
		tpacket_v3_keep_compiler(ret_states[0]);
		return (int)count;
	}
	while (count > 0)
		tpacket_v3_close(ret_states[--count]);
	return outcome;
}

/* -- opening --------------------------------------------------------------------------- */

static int tpacket_v3_open(const struct source_config *config, void **ret_state,
	int *ret_link_type, char error[static SOURCE_ERROR_BYTES])
{
	struct tpacket_v3 *ring;

	if (config->handed)
		return tpacket_v3_adopt(config, 1, ret_state, ret_link_type, error);
	int outcome = open_ring(config, NULL, &ring, error);

	if (outcome == -ENODEV && config->waits_for_interface) {
		*ret_link_type = hardware_type_link_type(ARPHRD_ETHER);
		return open_waiting(config, 1, ret_state, error);
	}
	if (outcome)
		return outcome;
	tpacket_v3_keep_compiler(ring);
	*ret_link_type = ring->watch.link_type;
	*ret_state = ring;
	return 0;
}

/* All have joined: give each lane its spare socket, then let the frames in. */
static int open_gates(void **states, unsigned lanes, char error[static SOURCE_ERROR_BYTES])
{
	const struct tpacket_v3 *first = states[0];
	const struct source_config *config = &first->config;
	struct kernel_filter filter;
	struct tpacket_v3 *ring;

	int outcome =
		kernel_filter_compile(config, first->watch.link_type, NULL, &filter, error);
	for (unsigned lane = 0; !outcome && lane < lanes; lane++) {
		ring = states[lane];
		ring->lane = lane;
		ring->lanes = lanes;
		outcome = open_socket(config, &ring->spare_fd, error);
	}
	for (unsigned lane = 0; !outcome && lane < lanes; lane++)
		outcome = tpacket_v3_attach(states[lane], &filter, error);
	return outcome;
}

static int tpacket_v3_open_lanes(const struct source_config *config, unsigned lanes,
	void **ret_states, int *ret_link_type, char error[static SOURCE_ERROR_BYTES])
{
	struct fanout group = {
		.steering = { { config->steering_key[0], config->steering_key[1] }, lanes },
	};
	struct tpacket_v3 *ring;
	unsigned count = 0;
	int outcome;

	if (config->handed)
		return tpacket_v3_adopt(config, lanes, ret_states, ret_link_type, error);
	do {
		outcome = open_ring(config, &group, &ring, error);
		if (outcome)
			break;
		ret_states[count++] = ring;
		*ret_link_type = ring->watch.link_type;
	} while (group.has_id && count < lanes);
	if (!outcome && group.has_id)
		outcome = open_gates(ret_states, lanes, error);
	if (!outcome) {
		tpacket_v3_keep_compiler(ret_states[0]);
		return (int)count;
	}
	while (count > 0)
		tpacket_v3_close(ret_states[--count]);
	if (outcome == -ENODEV && config->waits_for_interface) {
		*ret_link_type = hardware_type_link_type(ARPHRD_ETHER);
		return open_waiting(config, lanes, ret_states, error);
	}
	return outcome;
}

static int tpacket_v3_fd(void *state)
{
	const struct tpacket_v3 *ring = state;

	return ring->fd;
}

/* The socket's own word: its network may not be that of the process. */
static uint32_t tpacket_v3_if_index(const void *state)
{
	const struct tpacket_v3 *ring = state;
	struct sockaddr_ll address = { 0 };
	socklen_t address_bytes = sizeof(address);

	if (getsockname(ring->fd, (struct sockaddr *)&address, &address_bytes) ||
		address.sll_ifindex < 0)
		return 0;
	return (uint32_t)address.sll_ifindex;
}

static int tpacket_v3_next(void *state, struct packet_batch *batch)
{
	struct tpacket_v3 *ring = state;

	ring_walk_fill(&ring->walk, batch);
	struct host_time now = live_clock_read();
	live_clock_settle(&ring->clock, &now, ring->walk.newest_ns, batch);
	if (batch->count > 0)
		return 0;
	if (link_watch_poll(&ring->watch))
		interface_drops_reopen(&ring->drops, ring->watch.interface);
	/* What the lane reads is decided before the interface is there: start again for it. */
	if (ring->watch.is_other_kind && ring->watch.returns == 0)
		return -EPROTONOSUPPORT;
	return 0;
}

static void tpacket_v3_release(void *state, struct packet_batch *batch)
{
	struct tpacket_v3 *ring = state;

	(void)batch;
	ring_walk_release(&ring->walk);
}

static void tpacket_v3_stats(void *state, struct ring_stats *ret_stats)
{
	struct tpacket_v3 *ring = state;

	add_kernel_counts(ring);
	*ret_stats = (struct ring_stats){
		.received_pkts = ring->received_pkts,
		.dropped_pkts = ring->dropped_pkts + ring->walk.damaged_pkts,
		.interface_dropped_pkts =
			ring->earlier_interface_drops + interface_drops_total(&ring->drops),
		.freezes = ring->freezes,
		.link_losses = ring->watch.losses,
		.link_returns = ring->watch.returns,
		.rebinds = ring->watch.rebinds,
		.duplicate_pkts = ring->walk.duplicate_pkts,
		.clock_steps = ring->clock.steps,
		.odd_stamps = ring->clock.odd_stamps,
	};
	ring->seen_interface_drops = ret_stats->interface_dropped_pkts;
}

static const char *tpacket_v3_error(void *state)
{
	const struct tpacket_v3 *ring = state;

	return ring->watch.notice;
}

const struct source_ops tpacket_v3_ops = {
	.open = tpacket_v3_open,
	.open_lanes = tpacket_v3_open_lanes,
	.fd = tpacket_v3_fd,
	.if_index = tpacket_v3_if_index,
	.next = tpacket_v3_next,
	.release = tpacket_v3_release,
	.stats = tpacket_v3_stats,
	.close = tpacket_v3_close,
	.error = tpacket_v3_error,
	.keep = tpacket_v3_keep,
	.place = tpacket_v3_place,
	.compile = tpacket_v3_compile,
	.set_filter = tpacket_v3_set_filter,
};
