/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a message gets to one destination. Opening may take rights and time (name resolution) and
 * happens before the lanes run; submitting never waits unless the transport was opened to.
 */
#ifndef EXPORT_TRANSPORT_H
#define EXPORT_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRANSPORT_ERROR_BYTES 512

struct transport_config {
	const char *host;   /* name or address; IPv6 without brackets */
	const char *port;   /* number or service name */
	const char *device; /* bind the socket to this interface (softflowd's -S) or NULL */
	const char *source_address; /* local address (softflowd's -e) or NULL */
	int hop_limit; /* TTL or hop limit, unicast and multicast; -1: the system's */
	bool may_wait; /* replay: wait for room in the socket rather than lose a message */
};

/* The two ends of an opened UDP transport, for keeping our own export out of the capture. */
struct transport_endpoints {
	uint8_t ip_version;
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port; /* host order */
};

struct transport;

struct transport_ops {
	int (*submit)(struct transport *transport, const uint8_t *bytes, size_t length);
	void (*close)(struct transport *transport);
};

/* Implementations embed this as their first member. */
struct transport {
	const struct transport_ops *ops;
	struct transport_endpoints endpoints;
	char name[128]; /* "host:port" as the user wrote it, for messages */
};

/* 0, or a negative errno with a sentence in .error that names the destination. */
int transport_udp_open(const struct transport_config *config, struct transport **ret_transport,
	char error[static TRANSPORT_ERROR_BYTES]);

/* Outcome of transport_submit() that is not a failure of the message at hand. */
enum {
	TRANSPORT_EARLIER_LOST = 1, /* sent, but word came that an earlier one did not arrive */
};

/* Send one message whole. 0, TRANSPORT_EARLIER_LOST, or a negative errno when it was not sent;
 * the caller counts. */
int transport_submit(struct transport *transport, const uint8_t *bytes, size_t length);

void transport_close(struct transport *transport); /* NULL is fine */

#endif
