/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Binds a packet socket to an interface by name and keeps it bound. A loss shows as a pending
 * socket error. From then on the interface is looked up a few times a second, with plain ioctls
 * on the packet socket itself, so that no descriptor and no capability is needed later.
 */
#include "ring/link_watch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>

#include "ring/hardware_type.h"

#define TRY_INTERVAL_NS 200000000ull

static uint64_t monotonic_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ull + (uint64_t)now.tv_nsec;
}

static struct ifreq request_named(const char *interface)
{
	struct ifreq request = { 0 };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", interface);
	return request;
}

/* Fetch and thereby clear the pending error. */
static int take_socket_error(int fd)
{
	int error = 0;
	socklen_t error_bytes = sizeof(error);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &error_bytes))
		return errno;
	return error;
}

/* 0 or less when the interface that the socket was bound to is gone. */
static int bound_index(int fd)
{
	struct sockaddr_ll address = { 0 };
	socklen_t address_bytes = sizeof(address);

	if (getsockname(fd, (struct sockaddr *)&address, &address_bytes))
		return 0;
	return address.sll_ifindex;
}

/* By index, because the interface may have been renamed meanwhile. */
static bool is_up(int fd, int if_index)
{
	struct ifreq request = { .ifr_ifindex = if_index };

	return !ioctl(fd, SIOCGIFNAME, &request) && !ioctl(fd, SIOCGIFFLAGS, &request) &&
	       (request.ifr_flags & IFF_UP);
}

static int join_promiscuous(int fd, int if_index)
{
	struct packet_mreq membership = {
		.mr_ifindex = if_index,
		.mr_type = PACKET_MR_PROMISC,
	};

	if (setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &membership, sizeof(membership)))
		return -errno;
	return 0;
}

static void note_loss(struct link_watch *watch, const char *what)
{
	watch->losses++;
	watch->is_lost = true;
	watch->next_try_ns = 0;
	snprintf(watch->notice, sizeof(watch->notice), "%s: %s", watch->interface, what);
}

static int bind_to(struct link_watch *watch, int if_index)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_index,
	};

	if (bind(watch->fd, (struct sockaddr *)&address, sizeof(address)))
		return -errno;
	return watch->is_promiscuous ? join_promiscuous(watch->fd, if_index) : 0;
}

/* Bind to whatever has the name now, if it still is an interface of the same kind. */
static bool rebind(struct link_watch *watch)
{
	int if_index, link_type;
	unsigned hardware_type;

	int outcome = link_watch_find(
		watch->fd, watch->interface, &if_index, &link_type, &hardware_type);
	if (outcome == -ENODEV)
		return false;
	watch->is_other_kind = outcome || link_type != watch->link_type;
	if (watch->is_other_kind) {
		snprintf(watch->notice, sizeof(watch->notice),
			"%s: came back with another kind of link", watch->interface);
		return false;
	}
	if (watch->prepare && watch->prepare(watch->user))
		return false;
	if (bind_to(watch, if_index))
		return false;
	watch->rebinds++;
	take_socket_error(watch->fd); /* ENETDOWN when it is not up yet */
	return true;
}

int link_watch_find(int fd, const char *interface, int *ret_if_index, int *ret_link_type,
	unsigned *ret_hardware_type)
{
	struct ifreq request = request_named(interface);

	/* A name that does not fit would be cut to the name of another interface. */
	if (strlen(interface) >= sizeof(request.ifr_name))
		return -ENODEV;
	if (ioctl(fd, SIOCGIFINDEX, &request))
		return -ENODEV;
	int if_index = request.ifr_ifindex;
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		return -ENODEV;
	*ret_hardware_type = request.ifr_hwaddr.sa_family;
	int link_type = hardware_type_link_type(*ret_hardware_type);
	if (link_type < 0)
		return -EPROTONOSUPPORT;
	*ret_if_index = if_index;
	*ret_link_type = link_type;
	return 0;
}

int link_watch_bind(struct link_watch *watch, int if_index)
{
	int outcome = bind_to(watch, if_index);

	if (outcome)
		return outcome;
	if (take_socket_error(watch->fd) == ENETDOWN)
		note_loss(watch, "link is down");
	return 0;
}

void link_watch_adopt(struct link_watch *watch)
{
	bool is_down = take_socket_error(watch->fd) == ENETDOWN;
	int if_index = bound_index(watch->fd);

	if (if_index <= 0 || !is_up(watch->fd, if_index))
		note_loss(watch, "link lost");
	if (is_down && !watch->is_lost) { /* it was away, and is back already */
		watch->losses++;
		watch->returns++;
	}
}

void link_watch_await(struct link_watch *watch)
{
	note_loss(watch, "no such interface");
}

bool link_watch_poll(struct link_watch *watch)
{
	bool is_new = false;

	if (take_socket_error(watch->fd) == ENETDOWN && !watch->is_lost)
		note_loss(watch, "link lost");
	if (!watch->is_lost)
		return false;

	uint64_t now_ns = monotonic_ns();
	if (now_ns < watch->next_try_ns)
		return false;
	watch->next_try_ns = now_ns + TRY_INTERVAL_NS;
	int if_index = bound_index(watch->fd);
	if (if_index <= 0) {
		is_new = rebind(watch);
		if_index = is_new ? bound_index(watch->fd) : 0;
	}
	if (if_index > 0 && is_up(watch->fd, if_index)) {
		watch->is_lost = false;
		watch->returns++;
		snprintf(watch->notice, sizeof(watch->notice), "%s: capturing again",
			watch->interface);
	}
	return is_new;
}
