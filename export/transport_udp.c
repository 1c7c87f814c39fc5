/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * UDP, over IPv4 and IPv6, to one host or to a group.
 *
 * The socket is connected, so the kernel tells when nobody listens: an ICMP port unreachable
 * for one message is the result of the next send, which then does not send its own. Such a send
 * is done again at once, and its result is TRANSPORT_EARLIER_LOST.
 */
#include "export/transport.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/udp_run.h"

/* Room for the burst of a full table; the kernel grants what its limit allows. */
#define SEND_BUFFER_BYTES (1 << 20)

struct udp {
	struct transport transport;
	int fd;
	bool has_word; /* that an earlier message did not arrive; nobody has been told yet */
};

/* -- addresses ------------------------------------------------------------------------ */

/* Fill the error text; returns .error_number, for return statements. */
static int explain(
	char *error, const struct transport *transport, const char *what, int error_number)
{
	snprintf(error, TRANSPORT_ERROR_BYTES, "%s: %s: %s", transport->name, what,
		strerror(-error_number));
	return error_number;
}

static int explain_lookup(
	char *error, const struct transport *transport, const char *what, int lookup_error)
{
	int error_number = lookup_error == EAI_SYSTEM ? -errno : -EADDRNOTAVAIL;
	snprintf(error, TRANSPORT_ERROR_BYTES, "%s: %s: %s", transport->name, what,
		lookup_error == EAI_SYSTEM ? strerror(errno) : gai_strerror(lookup_error));
	return error_number;
}

static void write_name(struct transport *transport, const struct transport_config *config)
{
	const char *format = strchr(config->host, ':') ? "[%s]:%s" : "%s:%s";
	snprintf(transport->name, sizeof(transport->name), format, config->host, config->port);
}

static bool is_multicast(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET6)
		return IN6_IS_ADDR_MULTICAST(
			&((const struct sockaddr_in6 *)address)->sin6_addr);
	return IN_MULTICAST(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
}

/* One end as the capture sees it: a mapped address is IPv4 on the wire. */
static void read_end(const struct sockaddr_storage *from, struct transport_endpoints *ends,
	uint8_t address[16], uint16_t *port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	ends->ip_version = 4;
	*port = ntohs(v4->sin_port); /* at the same place in both */
	if (from->ss_family == AF_INET) {
		memcpy(address, &v4->sin_addr, 4);
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(address, v6->sin6_addr.s6_addr + 12, 4);
	} else {
		memcpy(address, &v6->sin6_addr, 16);
		ends->ip_version = 6;
	}
}

static int read_endpoints(struct udp *udp)
{
	struct transport_endpoints *ends = &udp->transport.endpoints;
	struct sockaddr_storage local = { 0 }, remote = { 0 };
	socklen_t local_bytes = sizeof(local), remote_bytes = sizeof(remote);
	if (getsockname(udp->fd, (struct sockaddr *)&local, &local_bytes) < 0 ||
		getpeername(udp->fd, (struct sockaddr *)&remote, &remote_bytes) < 0)
		return -errno;
	read_end(&local, ends, ends->local, &ends->local_port);
	read_end(&remote, ends, ends->remote, &ends->remote_port);
	return 0;
}

/* -- socket options ------------------------------------------------------------------- */

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) < 0 ? -errno : 0;
}

#ifdef SO_BINDTODEVICE
static int bind_device(int fd, const char *device)
{
	int result = setsockopt(
		fd, SOL_SOCKET, SO_BINDTODEVICE, device, (socklen_t)strlen(device) + 1);
	return result < 0 ? -errno : 0;
}
#else
static int bind_device(int fd, const char *device)
{
	return -ENOTSUP;
}
#endif

/* .hop_limit for the one host as well as for the group, whichever the address is. */
static int set_hop_limit(int fd, int family, int hop_limit)
{
	int level = family == AF_INET6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int unicast = family == AF_INET6 ? IPV6_UNICAST_HOPS : IP_TTL;
	int multicast = family == AF_INET6 ? IPV6_MULTICAST_HOPS : IP_MULTICAST_TTL;
	if (hop_limit < 0)
		return 0;
	int result = set_option(fd, level, multicast, hop_limit);
	if (result < 0 || hop_limit == 0) /* unicast has no 0; what stays here needs none */
		return result;
	return set_option(fd, level, unicast, hop_limit);
}

/* A group is reached through the interface that has the source address. */
static int set_multicast_source(int fd, const struct sockaddr *source)
{
	if (source->sa_family != AF_INET)
		return 0;
	const struct in_addr *address = &((const struct sockaddr_in *)source)->sin_addr;
	int result = setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, address, sizeof(*address));
	return result < 0 ? -errno : 0;
}

/* -- opening -------------------------------------------------------------------------- */

static int bind_source(struct udp *udp, const struct addrinfo *to,
	const struct transport_config *config, char *error)
{
	struct addrinfo hints = {
		.ai_family = to->ai_family,
		.ai_socktype = SOCK_DGRAM,
		.ai_flags = AI_NUMERICHOST,
	};
	struct addrinfo *from = NULL;
	char what[128];
	snprintf(what, sizeof(what), "source address %s", config->source_address);
	int result = getaddrinfo(config->source_address, NULL, &hints, &from);
	if (result != 0)
		return explain_lookup(error, &udp->transport, what, result);
	result = bind(udp->fd, from->ai_addr, from->ai_addrlen) < 0 ? -errno : 0;
	if (result == 0 && is_multicast(to->ai_addr))
		result = set_multicast_source(udp->fd, from->ai_addr);
	freeaddrinfo(from);
	return result < 0 ? explain(error, &udp->transport, what, result) : 0;
}

static int prepare(struct udp *udp, const struct addrinfo *to,
	const struct transport_config *config, char *error)
{
	char what[128];
	/* Advice: without it the system's default is kept. */
	(void)set_option(udp->fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES);
	int result = set_hop_limit(udp->fd, to->ai_family, config->hop_limit);
	if (result < 0) {
		snprintf(what, sizeof(what), "hop limit %d", config->hop_limit);
		return explain(error, &udp->transport, what, result);
	}
	if (config->device)
		result = bind_device(udp->fd, config->device);
	if (result < 0) {
		snprintf(what, sizeof(what), "device %s", config->device);
		return explain(error, &udp->transport, what, result);
	}
	return config->source_address ? bind_source(udp, to, config, error) : 0;
}

static int open_to(struct udp *udp, const struct addrinfo *to,
	const struct transport_config *config, char *error)
{
	int type = SOCK_DGRAM | SOCK_CLOEXEC | (config->may_wait ? 0 : SOCK_NONBLOCK);
	udp->fd = socket(to->ai_family, type, to->ai_protocol);
	if (udp->fd < 0)
		return explain(error, &udp->transport, "socket", -errno);
	int result = prepare(udp, to, config, error);
	if (result < 0)
		return result;
	if (connect(udp->fd, to->ai_addr, to->ai_addrlen) < 0)
		return explain(error, &udp->transport, "connect", -errno);
	result = read_endpoints(udp);
	return result < 0 ? explain(error, &udp->transport, "socket address", result) : 0;
}

static void close_socket(struct udp *udp)
{
	if (udp->fd >= 0)
		close(udp->fd);
	udp->fd = -1;
}

/* The first of the host's addresses that can be used; the error is that of the last. */
static int open_any(struct udp *udp, const struct transport_config *config, char *error)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_DGRAM };
	struct addrinfo *addresses = NULL;
	int result = getaddrinfo(config->host, config->port, &hints, &addresses);
	if (result != 0)
		return explain_lookup(error, &udp->transport, "cannot resolve", result);
	for (const struct addrinfo *to = addresses; to; to = to->ai_next) {
		result = open_to(udp, to, config, error);
		if (result == 0)
			break;
		close_socket(udp);
	}
	freeaddrinfo(addresses);
	return result;
}

/* A socket that somebody else has opened, bound and connected. */
static int take_handed(struct udp *udp, const struct transport_config *config, char *error)
{
	int type = 0;
	socklen_t bytes = sizeof(type);
	udp->fd = config->handed_fd;
	int flags = fcntl(udp->fd, F_GETFL);
	if (flags < 0 || getsockopt(udp->fd, SOL_SOCKET, SO_TYPE, &type, &bytes) < 0 ||
		fcntl(udp->fd, F_SETFL, flags | O_NONBLOCK) < 0 ||
		fcntl(udp->fd, F_SETFD, FD_CLOEXEC) < 0)
		return explain(error, &udp->transport, "the handed-in socket", -errno);
	if (type != SOCK_DGRAM)
		return explain(error, &udp->transport, "the handed-in socket", -EPROTOTYPE);
	int result = read_endpoints(udp);
	return result < 0 ? explain(error, &udp->transport, "the handed-in socket", result) : 0;
}

/* -- operations ----------------------------------------------------------------------- */

static int send_one(int fd, const uint8_t *bytes, size_t length)
{
	ssize_t sent;
	do
		sent = send(fd, bytes, length, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : 0;
}

static int send_any(int fd, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	if (length == message_bytes)
		return send_one(fd, bytes, length);
	return udp_run_send(fd, bytes, length, message_bytes);
}

static int udp_submit_run(
	struct transport *transport, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	struct udp *udp = (struct udp *)transport;
	int result = send_any(udp->fd, bytes, length, message_bytes);
	if (result == -ECONNREFUSED) {
		udp->has_word = true;
		result = send_any(udp->fd, bytes, length, message_bytes);
	}
	if (length > message_bytes && udp_run_is_refusal(result)) {
		transport->takes_runs = false;
		return TRANSPORT_ONE_BY_ONE;
	}
	if (result < 0 || !udp->has_word)
		return result;
	udp->has_word = false;
	return TRANSPORT_EARLIER_LOST;
}

static int udp_submit(struct transport *transport, const uint8_t *bytes, size_t length)
{
	return udp_submit_run(transport, bytes, length, length);
}

static int udp_poll(struct transport *transport)
{
	struct udp *udp = (struct udp *)transport;
	int error = 0;
	socklen_t bytes = sizeof(error);
	if (getsockopt(udp->fd, SOL_SOCKET, SO_ERROR, &error, &bytes) == 0 && error != 0)
		udp->has_word = true;
	if (!udp->has_word)
		return 0;
	udp->has_word = false;
	return TRANSPORT_EARLIER_LOST;
}

static void udp_close(struct transport *transport)
{
	struct udp *udp = (struct udp *)transport;
	close_socket(udp);
	free(udp);
}

static int udp_fd(const struct transport *transport)
{
	return ((const struct udp *)transport)->fd;
}

static const struct transport_ops udp_ops = {
	.submit = udp_submit,
	.submit_run = udp_submit_run,
	.poll = udp_poll,
	.fd = udp_fd,
	.close = udp_close,
};

int transport_udp_open(const struct transport_config *config, struct transport **ret_transport,
	char error[static TRANSPORT_ERROR_BYTES])
{
	struct udp *udp = calloc(1, sizeof(*udp));
	if (!udp) {
		snprintf(error, TRANSPORT_ERROR_BYTES, "%s: out of memory", config->host);
		return -ENOMEM;
	}
	udp->fd = -1;
	udp->transport.ops = &udp_ops;
	write_name(&udp->transport, config);
	int result = config->handed_fd > 0 ? take_handed(udp, config, error)
					   : open_any(udp, config, error);
	if (result < 0) {
		udp_close(&udp->transport);
		return result;
	}
	udp->transport.takes_runs = udp_run_is_known(udp->fd);
	*ret_transport = &udp->transport;
	return 0;
}
