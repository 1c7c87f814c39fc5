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

#include "export/transport_socket.h"
#include "export/udp_run.h"

/* The MTU of paths that do not leave the host: as large as a packet can be, which no link is.
 */
#define LOCAL_MTU_BYTES 65535
#define UDP_HEADER_BYTES 8
#define IPV4_HEADER_BYTES 20
#define IPV6_HEADER_BYTES 40

struct udp {
	struct transport transport;
	int fd;
	bool has_word; /* that an earlier message did not arrive; nobody has been told yet */
};

/* -- opening -------------------------------------------------------------------------- */

static int open_to(struct udp *udp, const struct addrinfo *to,
	const struct transport_config *config, char *error)
{
	int type = SOCK_DGRAM | SOCK_CLOEXEC | (config->may_wait ? 0 : SOCK_NONBLOCK);
	udp->fd = socket(to->ai_family, type, to->ai_protocol);
	if (udp->fd < 0)
		return transport_socket_explain(error, &udp->transport, "socket", -errno);
	int result = transport_socket_prepare(udp->fd, &udp->transport, to, config, error);
	if (result < 0)
		return result;
	if (connect(udp->fd, to->ai_addr, to->ai_addrlen) < 0)
		return transport_socket_explain(error, &udp->transport, "connect", -errno);
	result = transport_socket_ends(udp->fd, &udp->transport.endpoints);
	return result < 0 ? transport_socket_explain(
				    error, &udp->transport, "socket address", result)
			  : 0;
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
		return transport_socket_explain_lookup(
			error, &udp->transport, "cannot resolve", result);
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
		return transport_socket_explain(
			error, &udp->transport, "the handed-in socket", -errno);
	if (type != SOCK_DGRAM)
		return transport_socket_explain(
			error, &udp->transport, "the handed-in socket", -EPROTOTYPE);
	int result = transport_socket_ends(udp->fd, &udp->transport.endpoints);
	return result < 0 ? transport_socket_explain(
				    error, &udp->transport, "the handed-in socket", result)
			  : 0;
}

/* -- the path ------------------------------------------------------------------------- */

#if defined(IP_MTU) && defined(IPV6_MTU)
/* Of the route to where the socket is connected. A narrower place further on would show only
 * when a message does not arrive, so that of a link says nothing. */
static int route_mtu_bytes(int fd, bool is_v6)
{
	int mtu_bytes = 0;
	socklen_t bytes = sizeof(mtu_bytes);
	int level = is_v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	int result = getsockopt(fd, level, is_v6 ? IPV6_MTU : IP_MTU, &mtu_bytes, &bytes);
	return result < 0 ? 0 : mtu_bytes;
}
#else
static int route_mtu_bytes(int fd, bool is_v6)
{
	return 0;
}
#endif

static uint32_t known_path_bytes(const struct udp *udp)
{
	bool is_v6 = udp->transport.endpoints.ip_version == 6;
	uint32_t headers = UDP_HEADER_BYTES + (is_v6 ? IPV6_HEADER_BYTES : IPV4_HEADER_BYTES);
	if (route_mtu_bytes(udp->fd, is_v6) < LOCAL_MTU_BYTES)
		return 0;
	return LOCAL_MTU_BYTES - headers;
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
	udp->transport.endpoints.protocol = IPPROTO_UDP;
	transport_socket_name(&udp->transport, config);
	int result = config->handed_fd > 0 ? take_handed(udp, config, error)
					   : open_any(udp, config, error);
	if (result < 0) {
		udp_close(&udp->transport);
		return result;
	}
	udp->transport.takes_runs = udp_run_is_known(udp->fd);
	udp->transport.path_bytes = known_path_bytes(udp);
	*ret_transport = &udp->transport;
	return 0;
}
