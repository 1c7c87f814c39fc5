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
	/* A connected socket to go on with, taken, also when that fails; else 0. Nothing is
	 * looked up, bound or set then: it keeps its source port, so that a session goes on. */
	int handed_fd;
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
	/* Needed where .takes_runs can be true. */
	int (*submit_run)(struct transport *transport, const uint8_t *bytes, size_t length,
		size_t message_bytes);
	int (*poll)(struct transport *transport); /* NULL: word comes with submitting alone */
	int (*fd)(const struct transport *transport); /* NULL: nobody can go on with it */
	void (*close)(struct transport *transport);
};

/* Implementations embed this as their first member. */
struct transport {
	const struct transport_ops *ops;
	struct transport_endpoints endpoints;
	bool takes_runs; /* transport_submit_run() may be tried; false for good once refused */
	char name[128];  /* "host:port" as the user wrote it, for messages */
};

/* 0, or a negative errno with a sentence in .error that names the destination. */
int transport_udp_open(const struct transport_config *config, struct transport **ret_transport,
	char error[static TRANSPORT_ERROR_BYTES]);

/* Outcomes of submitting that are not failures of what is at hand. */
enum {
	TRANSPORT_EARLIER_LOST = 1, /* sent, but word came that an earlier one did not arrive */
	TRANSPORT_ONE_BY_ONE = 2, /* not sent: runs are refused, and .takes_runs is now false */
};

/* Send one message whole. 0, TRANSPORT_EARLIER_LOST, or a negative errno when it was not sent;
 * the caller counts. */
int transport_submit(struct transport *transport, const uint8_t *bytes, size_t length);

/* Send .length octets as messages of .message_bytes each, of which the last may be shorter: all
 * of them or none. Results as above, or TRANSPORT_ONE_BY_ONE. At most 64 messages in 65,507
 * octets. */
int transport_submit_run(
	struct transport *transport, const uint8_t *bytes, size_t length, size_t message_bytes);

/* Ask, without waiting, what became of what was sent: 0 when there is no word of a loss, or
 * TRANSPORT_EARLIER_LOST. For when nothing more is to be sent for a while. */
int transport_poll(struct transport *transport);

/* The descriptor with which another process can go on, still the transport's; -1: none. */
int transport_fd(const struct transport *transport);

void transport_close(struct transport *transport); /* NULL is fine */

#endif
