/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the transports over sockets share: names in error texts, socket options, the two ends.
 */
#ifndef EXPORT_TRANSPORT_SOCKET_H
#define EXPORT_TRANSPORT_SOCKET_H

#include <netdb.h>
#include <sys/socket.h>

#include "export/transport.h"

/* Fill the error text with the destination, what was tried and why that failed; returns
 * .error_number, for return statements. */
int transport_socket_explain(
	char *error, const struct transport *transport, const char *what, int error_number);
/* The same for a result of getaddrinfo(); returns a negative errno. */
int transport_socket_explain_lookup(
	char *error, const struct transport *transport, const char *what, int lookup_error);

/* "host:port" of .config into the transport's name. */
void transport_socket_name(struct transport *transport, const struct transport_config *config);

/* One end as the capture sees it: a mapped address is IPv4 on the wire. */
void transport_socket_end(const struct sockaddr_storage *from, uint8_t *ret_ip_version,
	uint8_t ret_address[16], uint16_t *ret_port);

/* Read both ends of a connected socket. 0 or a negative errno. */
int transport_socket_ends(int fd, struct transport_endpoints *ret_ends);

/* Buffer, hop limit, device and source address as .config asks, for a socket on the way to
 * .to. 0 or a negative errno with a sentence in .error. */
int transport_socket_prepare(int fd, const struct transport *transport,
	const struct addrinfo *to, const struct transport_config *config, char *error);

int transport_socket_option(int fd, int level, int name, int value); /* 0, negative errno */

#endif
