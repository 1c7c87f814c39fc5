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

/* The two ends of an opened socket transport, for keeping our own export out of the capture. */
struct transport_endpoints {
	uint8_t ip_version;
	uint8_t protocol; /* IPPROTO_UDP, IPPROTO_TCP */
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port; /* host order */
};

/* Whoever has to know which packets are ours. Called by the thread that uses the transport,
 * before the first packet between the new ends leaves. */
struct transport_watcher {
	void (*moved)(void *user, const struct transport_endpoints *ends);
	void *user;
};

struct transport_config {
	const char *host;   /* name or address; IPv6 without brackets */
	const char *port;   /* number or service name */
	const char *device; /* bind the socket to this interface (softflowd's -S) or NULL */
	const char *source_address; /* local address (softflowd's -e) or NULL */
	int hop_limit; /* TTL or hop limit, unicast and multicast; -1: the system's */
	bool may_wait; /* replay: wait for room in the socket rather than lose a message */
	/* UDP: a connected socket to go on with, taken, also when that fails; else 0. Nothing
	 * is looked up, bound or set then: it keeps its source port, so that a session goes on.
	 */
	int handed_fd;
	uint32_t retry_s;      /* TCP: least time between two attempts to connect, 1 or more */
	uint32_t retry_most_s; /* each attempt in vain doubles it, up to this */
	struct transport_watcher
		watcher; /* TCP: told of each connection; .moved NULL: nobody */
};

struct transport;

struct transport_ops {
	int (*submit)(struct transport *transport, const uint8_t *bytes, size_t length);
	/* Needed where .takes_runs can be true. */
	int (*submit_run)(struct transport *transport, const uint8_t *bytes, size_t length,
		size_t message_bytes);
	int (*poll)(struct transport *transport); /* NULL: word comes with submitting alone */
	int (*fd)(const struct transport *transport); /* NULL: nobody can go on with it */
	void (*tick)(struct transport *transport, uint64_t now_ns); /* NULL: nothing is due */
	void (*close)(struct transport *transport);
};

/* What became of the sessions of a transport, for who reports it. */
struct transport_sessions {
	uint64_t begun;
	uint64_t lost;            /* ended by the other side, or by an error */
	uint64_t refused;         /* attempts that failed */
	uint64_t received_octets; /* that nobody asked for: read and thrown away */
	int last_error; /* errno of the last loss or failed attempt; 0: closed there */
};

/* Several taken together: the last error is that of any. */
static inline void transport_sessions_add(
	struct transport_sessions *sum, const struct transport_sessions *one)
{
	sum->begun += one->begun;
	sum->lost += one->lost;
	sum->refused += one->refused;
	sum->received_octets += one->received_octets;
	if (one->last_error != 0)
		sum->last_error = one->last_error;
}

/*
 * Implementations embed this as their first member.
 *
 * A transport with sessions (TCP: a connection) loses nothing within a session, and what a
 * collector knows, templates and the place in the sequence, ends with it. When a session has
 * begun .wants_session is set, and nothing is taken until the user of the transport has
 * cleared it; what is submitted next is the beginning of the session. Until there is a session
 * submitting gives -EAGAIN.
 */
struct transport {
	const struct transport_ops *ops;
	struct transport_endpoints endpoints;
	bool takes_runs; /* transport_submit_run() may be tried; false for good once refused */
	/* The largest message for which there is room on the whole path; 0: that is not known.
	 * It is where the path does not leave this host (RFC 7011 10.3.3, RFC 1191). */
	uint32_t path_bytes;
	bool has_sessions;
	bool wants_session;
	bool is_open;         /* there is a session, begun or wanting it */
	bool is_away;         /* there is no session, and will not be for a while */
	uint64_t due_ns;      /* transport_tick() has something to do then; needs .ops->tick */
	uint64_t lost_octets; /* taken, and lost with a session; for the user to read and clear,
			       * the newest octets taken until then */
	struct transport_sessions sessions;
	char name[128]; /* "host:port" as the user wrote it, for messages */
};

/* 0, or a negative errno with a sentence in .error that names the destination. */
int transport_udp_open(const struct transport_config *config, struct transport **ret_transport,
	char error[static TRANSPORT_ERROR_BYTES]);

/*
 * A connection to a collector, as it is needed: with .may_wait it is there when this returns,
 * and lost ones are replaced at once or never; without, addresses are looked up and no more,
 * transport_tick() does the rest, and a lost connection is replaced for ever.
 */
int transport_tcp_open(const struct transport_config *config, struct transport **ret_transport,
	char error[static TRANSPORT_ERROR_BYTES]);

struct compress_codec;

struct transport_file_config {
	const char *path;      /* see export/message_file.h */
	uint64_t rotate_bytes; /* of messages in a file; 0: any number; more than templates take
				*/
	uint32_t rotate_s;     /* files end at multiples of this Unix time; 0: at any */
	const struct compress_codec *codec; /* export/compress.h; NULL: not compressed */
	bool may_wait; /* replay: write when submitting, instead of with a thread */
};

/* Files of IPFIX messages (RFC 5655): each is a session. The thread that writes them is made by
 * the first transport_tick(). */
int transport_file_open(const struct transport_file_config *config,
	struct transport **ret_transport, char error[static TRANSPORT_ERROR_BYTES]);

/* Outcomes of submitting that are not failures of what is at hand. */
enum {
	TRANSPORT_EARLIER_LOST = 1, /* sent, but word came that an earlier one did not arrive */
	TRANSPORT_ONE_BY_ONE = 2, /* not sent: this run is refused, or, when .takes_runs is now
				   * false, all are */
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

/* Move on without waiting: connect, find out that a connection was lost. .now_ns never goes
 * back. Cheap before .due_ns. */
static inline void transport_tick(struct transport *transport, uint64_t now_ns)
{
	if (transport->ops->tick && transport->due_ns <= now_ns)
		transport->ops->tick(transport, now_ns);
}

void transport_close(struct transport *transport); /* NULL is fine */

#endif
