/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/transport_socket.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Room for the burst of a full table; the kernel grants what its limit allows. */
#define SEND_BUFFER_BYTES (1 << 20)

/* -- addresses ------------------------------------------------------------------------ */

/* Fill the error text; returns .error_number, for return statements. */
int transport_socket_explain(
	char *error, const struct transport *transport, const char *what, int error_number)
{
	snprintf(error, TRANSPORT_ERROR_BYTES, "%s: %s: %s", transport->name, what,
		strerror(-error_number));
	return error_number;
}

int transport_socket_explain_lookup(
	char *error, const struct transport *transport, const char *what, int lookup_error)
{
	int error_number = lookup_error == EAI_SYSTEM ? -errno : -EADDRNOTAVAIL;
	snprintf(error, TRANSPORT_ERROR_BYTES, "%s: %s: %s", transport->name, what,
		lookup_error == EAI_SYSTEM ? strerror(errno) : gai_strerror(lookup_error));
	return error_number;
}

void transport_socket_name(struct transport *transport, const struct transport_config *config)
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

void transport_socket_end(const struct sockaddr_storage *from, uint8_t *ret_ip_version,
	uint8_t ret_address[16], uint16_t *ret_port)
{
	const struct sockaddr_in *v4 = (const struct sockaddr_in *)from;
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)from;
	*ret_ip_version = 4;
	*ret_port = ntohs(v4->sin_port); /* at the same place in both */
	if (from->ss_family == AF_INET) {
		memcpy(ret_address, &v4->sin_addr, 4);
	} else if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr)) {
		memcpy(ret_address, v6->sin6_addr.s6_addr + 12, 4);
	} else {
		memcpy(ret_address, &v6->sin6_addr, 16);
		*ret_ip_version = 6;
	}
}

int transport_socket_ends(int fd, struct transport_endpoints *ret_ends)
{
	struct transport_endpoints ends = { .protocol = ret_ends->protocol };
	struct sockaddr_storage local = { 0 }, remote = { 0 };
	socklen_t local_bytes = sizeof(local), remote_bytes = sizeof(remote);
	if (getsockname(fd, (struct sockaddr *)&local, &local_bytes) < 0 ||
		getpeername(fd, (struct sockaddr *)&remote, &remote_bytes) < 0)
		return -errno;
	transport_socket_end(&local, &ends.ip_version, ends.local, &ends.local_port);
	transport_socket_end(&remote, &ends.ip_version, ends.remote, &ends.remote_port);
	*ret_ends = ends;
	return 0;
}

/* -- socket options ------------------------------------------------------------------- */

int transport_socket_option(int fd, int level, int name, int value)
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
	int result = transport_socket_option(fd, level, multicast, hop_limit);
	if (result < 0 || hop_limit == 0) /* unicast has no 0; what stays here needs none */
		return result;
	return transport_socket_option(fd, level, unicast, hop_limit);
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

/* -- preparing ---------------------------------------------------------------------- */

static int bind_source(int fd, const struct transport *transport, const struct addrinfo *to,
	const struct transport_config *config, char *error)
{
	struct addrinfo hints = {
		.ai_family = to->ai_family,
		.ai_socktype = SOCK_DGRAM /* numeric: any will do */,
		.ai_flags = AI_NUMERICHOST,
	};
	struct addrinfo *from = NULL;
	char what[128];
	snprintf(what, sizeof(what), "source address %s", config->source_address);
	int result = getaddrinfo(config->source_address, NULL, &hints, &from);
	if (result != 0)
		return transport_socket_explain_lookup(error, transport, what, result);
	result = bind(fd, from->ai_addr, from->ai_addrlen) < 0 ? -errno : 0;
	if (result == 0 && is_multicast(to->ai_addr))
		result = set_multicast_source(fd, from->ai_addr);
	freeaddrinfo(from);
	return result < 0 ? transport_socket_explain(error, transport, what, result) : 0;
}

int transport_socket_prepare(int fd, const struct transport *transport,
	const struct addrinfo *to, const struct transport_config *config, char *error)
{
	char what[128];
	/* Advice: without it the system's default is kept. */
	(void)transport_socket_option(fd, SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES);
	int result = set_hop_limit(fd, to->ai_family, config->hop_limit);
	if (result < 0) {
		snprintf(what, sizeof(what), "hop limit %d", config->hop_limit);
		return transport_socket_explain(error, transport, what, result);
	}
	if (config->device)
		result = bind_device(fd, config->device);
	if (result < 0) {
		snprintf(what, sizeof(what), "device %s", config->device);
		return transport_socket_explain(error, transport, what, result);
	}
	return config->source_address ? bind_source(fd, transport, to, config, error) : 0;
}
