/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TCP (RFC 7011 section 10.4). A connection is a session; there is none, or one, or one that is
 * being made:
 *
 *	AWAY --retry_ns--> CONNECTING --> UP
 *	  ^                    |           |
 *	  `---- refused -------'-- lost ---'
 *
 * Nothing here waits unless .may_wait: the kernel is asked what has happened whenever somebody
 * submits, and ten times a second else. What the kernel takes in part is kept, at most one run
 * of it, and nothing more is taken until that has gone. Messages that were not taken stay with
 * whoever submits them; so what is lost with a connection is what was in flight, and how many
 * octets that were the kernel knows (SIOCOUTQ).
 *
 * What a collector sends has no meaning; it is read, because a full receive buffer would keep
 * the end of the connection from being seen, and an unread one would turn our close into a
 * reset.
 *
 * Each connection binds its local end before it sends the first packet, so that the capture can
 * be told in time which packets are ours.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "export/transport_socket.h"

#if __has_include(<linux/sockios.h>)
#include <linux/sockios.h>
#endif

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

#define LOOK_NS (100 * NS_PER_MS)     /* how often an idle connection is looked at, */
#define LOOK_SOON_NS (10 * NS_PER_MS) /* and one that something waits for */
#define CONNECT_NS (10 * NS_PER_S)    /* an attempt may take so long */
#define CONNECT_MS 10000              /* the same when waiting */
#define SILENCE_MS 180000             /* so long may what was sent stay unacknowledged */
#define CLOSE_GRACE_MS 1000           /* for what is left when closing without .may_wait */
#define REST_BYTES 65536              /* the largest run, or message */
#define GARBAGE_BYTES 4096            /* read at a time, */
#define GARBAGE_READS 16              /* and so often at most before something is sent */
#define RECONNECTS_WAITING 3          /* connections that .may_wait replaces, in all */
#define ADDRESSES_MAX 8

enum tcp_state {
	TCP_AWAY,
	TCP_CONNECTING,
	TCP_UP,
};

struct tcp {
	struct transport transport;
	struct transport_config config; /* its texts are owned; no host, no port */
	struct sockaddr_storage addresses[ADDRESSES_MAX];
	socklen_t address_bytes[ADDRESSES_MAX];
	unsigned address_count, next_address;
	enum tcp_state state;
	int fd;
	uint64_t now_ns;
	uint64_t attempt_ns; /* when the last one was begun */
	uint64_t wait_ns;    /* from that to the next */
	unsigned reconnects_left;
	size_t rest_at, rest_end; /* what the kernel did not take of a run */
	uint8_t rest[REST_BYTES];
};

/* -- the end of a session -------------------------------------------------------------- */

static void close_socket(struct tcp *tcp)
{
	if (tcp->fd >= 0)
		close(tcp->fd);
	tcp->fd = -1;
}

static void go_away(struct tcp *tcp, int error_number)
{
	close_socket(tcp);
	tcp->state = TCP_AWAY;
	tcp->rest_at = tcp->rest_end = 0;
	tcp->transport.sessions.last_error = error_number;
	tcp->transport.is_open = tcp->transport.wants_session = false;
	tcp->transport.is_away = true;
	tcp->transport.due_ns = tcp->attempt_ns + tcp->wait_ns;
}

#ifdef SIOCOUTQ
/* What the kernel took and was not told to have arrived; it knows after a reset, too. */
static uint64_t count_unacknowledged(const struct tcp *tcp)
{
	int bytes = 0;

	return ioctl(tcp->fd, SIOCOUTQ, &bytes) < 0 || bytes < 0 ? 0 : (uint64_t)bytes;
}
#else
static uint64_t count_unacknowledged(const struct tcp *tcp)
{
	return 0;
}
#endif

/* .error_number 0: the other side closed it. */
static void lose_session(struct tcp *tcp, int error_number)
{
	tcp->transport.lost_octets +=
		count_unacknowledged(tcp) + (tcp->rest_end - tcp->rest_at);
	tcp->transport.sessions.lost++;
	go_away(tcp, error_number);
}

/* The next attempt is for the next address, and after a longer time. */
static void fail_attempt(struct tcp *tcp, int error_number)
{
	uint64_t most_ns = tcp->config.retry_most_s * NS_PER_S;

	tcp->next_address = (tcp->next_address + 1) % tcp->address_count;
	tcp->transport.sessions.refused++;
	go_away(tcp, error_number);
	tcp->wait_ns = tcp->wait_ns * 2 < most_ns ? tcp->wait_ns * 2 : most_ns;
}

/* -- connecting ------------------------------------------------------------------------ */

/* The address that packets to .to will come from: a datagram socket is told when it is
 * connected, and sends nothing. */
static int find_source(struct tcp *tcp, const struct addrinfo *to, char *error,
	struct sockaddr_storage *ret_source, socklen_t *ret_bytes)
{
	socklen_t bytes = sizeof(*ret_source);
	int fd = socket(to->ai_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	int result = transport_socket_prepare(fd, &tcp->transport, to, &tcp->config, error);
	if (result == 0 && (connect(fd, to->ai_addr, to->ai_addrlen) < 0 ||
				   getsockname(fd, (struct sockaddr *)ret_source, &bytes) < 0))
		result = -errno;
	close(fd);
	*ret_bytes = bytes;
	((struct sockaddr_in *)ret_source)->sin_port = 0; /* at the same place in both */
	return result;
}

/* Give the socket a local end, and say so before the first packet leaves. */
static int settle_ends(struct tcp *tcp, const struct addrinfo *to, char *error)
{
	struct sockaddr_storage source = { 0 }, remote = { 0 };
	socklen_t bytes;
	struct transport_endpoints ends = { .protocol = IPPROTO_TCP };
	struct transport_config config = tcp->config;
	int result = find_source(tcp, to, error, &source, &bytes);

	config.source_address = NULL; /* found already, the whole of it */
	if (result == 0)
		result = transport_socket_prepare(tcp->fd, &tcp->transport, to, &config, error);
	if (result < 0)
		return result;
	if (bind(tcp->fd, (struct sockaddr *)&source, bytes) < 0 ||
		getsockname(tcp->fd, (struct sockaddr *)&source, &bytes) < 0)
		return -errno;
	memcpy(&remote, to->ai_addr, to->ai_addrlen);
	transport_socket_end(&source, &ends.ip_version, ends.local, &ends.local_port);
	transport_socket_end(&remote, &ends.ip_version, ends.remote, &ends.remote_port);
	/* Where nobody listens on a port of this host it can be given to us: we would talk to
	 * ourselves. */
	if (ends.local_port == ends.remote_port &&
		memcmp(ends.local, ends.remote, sizeof(ends.local)) == 0)
		return -EADDRINUSE;
	tcp->transport.endpoints = ends;
	if (tcp->config.watcher.moved)
		tcp->config.watcher.moved(tcp->config.watcher.user, &ends);
	return 0;
}

#ifdef TCP_USER_TIMEOUT
static void set_silence(int fd)
{
	(void)transport_socket_option(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, SILENCE_MS);
}
#else
static void set_silence(int fd)
{
}
#endif

/* Advice: without these the connection is worse at noticing that it is dead. */
static void set_patience(int fd)
{
	(void)transport_socket_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	(void)transport_socket_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_silence(fd);
}

static void become_up(struct tcp *tcp)
{
	tcp->state = TCP_UP;
	tcp->wait_ns = tcp->config.retry_s * NS_PER_S;
	tcp->transport.sessions.begun++;
	tcp->transport.is_open = tcp->transport.wants_session = true;
	tcp->transport.is_away = false;
	tcp->transport.due_ns = tcp->now_ns;
}

/* 0, also while it goes on; or a negative errno, in .error, too, where that says more. */
static int begin_connecting(struct tcp *tcp, char *error)
{
	struct sockaddr_storage *address = &tcp->addresses[tcp->next_address];
	const struct addrinfo to = {
		.ai_family = address->ss_family,
		.ai_socktype = SOCK_STREAM,
		.ai_addr = (struct sockaddr *)address,
		.ai_addrlen = tcp->address_bytes[tcp->next_address],
	};

	tcp->attempt_ns = tcp->now_ns;
	tcp->fd = socket(to.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (tcp->fd < 0)
		return -errno;
	int result = settle_ends(tcp, &to, error);
	if (result < 0)
		return result;
	set_patience(tcp->fd);
	if (connect(tcp->fd, to.ai_addr, to.ai_addrlen) == 0)
		become_up(tcp);
	else if (errno != EINPROGRESS)
		return -errno;
	else
		tcp->state = TCP_CONNECTING;
	tcp->transport.is_away = false;
	return 0;
}

/* Whether the kernel is done with connecting; 1: not yet, 0: it is up, or a negative errno. */
static int ask_connecting(const struct tcp *tcp, int timeout_ms)
{
	struct pollfd ready = { .fd = tcp->fd, .events = POLLOUT };
	int error_number = 0;
	socklen_t bytes = sizeof(error_number);

	if (poll(&ready, 1, timeout_ms) <= 0)
		return 1;
	if (getsockopt(tcp->fd, SOL_SOCKET, SO_ERROR, &error_number, &bytes) < 0)
		return -errno;
	return -error_number;
}

static void try_connecting(struct tcp *tcp)
{
	char unused[TRANSPORT_ERROR_BYTES];
	int result = begin_connecting(tcp, unused);

	if (result < 0)
		fail_attempt(tcp, -result);
}

static void go_on_connecting(struct tcp *tcp)
{
	int result = ask_connecting(tcp, 0);

	if (result == 1 && tcp->now_ns - tcp->attempt_ns >= CONNECT_NS)
		result = -ETIMEDOUT;
	if (result == 0)
		become_up(tcp);
	else if (result < 0)
		fail_attempt(tcp, -result);
}

/* Try each address once, waiting. 0 or the last one's negative errno. */
static int connect_waiting(struct tcp *tcp, char *error)
{
	int result = -EADDRNOTAVAIL;

	for (unsigned i = 0; i < tcp->address_count; i++) {
		error[0] = 0;
		result = begin_connecting(tcp, error);
		if (result == 0 && tcp->state == TCP_CONNECTING) {
			result = ask_connecting(tcp, CONNECT_MS);
			if (result == 1)
				result = -ETIMEDOUT;
			if (result == 0)
				become_up(tcp);
		}
		if (result == 0)
			return 0;
		fail_attempt(tcp, -result);
	}
	if (error[0] == 0)
		transport_socket_explain(error, &tcp->transport, "connect", result);
	return result;
}

/* -- a session -------------------------------------------------------------------------- */

/* Read what nobody asked for; notices the end of the connection. */
static void read_garbage(struct tcp *tcp)
{
	uint8_t garbage[GARBAGE_BYTES];

	for (unsigned i = 0; i < GARBAGE_READS; i++) {
		ssize_t n = recv(tcp->fd, garbage, sizeof(garbage), MSG_DONTWAIT);
		if (n > 0) {
			tcp->transport.sessions.received_octets += (uint64_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
			lose_session(tcp, n == 0 ? 0 : errno);
		return;
	}
}

static bool wait_for_room(const struct tcp *tcp, int timeout_ms)
{
	struct pollfd ready = { .fd = tcp->fd, .events = POLLOUT };
	int result;

	do
		result = poll(&ready, 1, timeout_ms);
	while (result < 0 && errno == EINTR);
	return result > 0;
}

/* How many octets the kernel took, 0 when it has no room; or a negative errno. */
static ssize_t send_some(const struct tcp *tcp, const uint8_t *bytes, size_t length)
{
	ssize_t sent;

	do
		sent = send(tcp->fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : -errno;
}

static void send_rest(struct tcp *tcp)
{
	ssize_t sent;

	if (tcp->rest_at == tcp->rest_end)
		return;
	sent = send_some(tcp, tcp->rest + tcp->rest_at, tcp->rest_end - tcp->rest_at);
	if (sent < 0) {
		lose_session(tcp, (int)-sent);
		return;
	}
	tcp->rest_at += (size_t)sent;
	if (tcp->rest_at == tcp->rest_end)
		tcp->rest_at = tcp->rest_end = 0;
}

/* Find out what has happened. */
static void look(struct tcp *tcp)
{
	if (tcp->state == TCP_CONNECTING)
		go_on_connecting(tcp);
	if (tcp->state == TCP_UP)
		read_garbage(tcp);
	if (tcp->state == TCP_UP)
		send_rest(tcp);
}

/* The same, until there is room for a run, or no connection and no hope of one. */
static void look_waiting(struct tcp *tcp)
{
	char unused[TRANSPORT_ERROR_BYTES];

	look(tcp);
	while (tcp->state == TCP_UP && tcp->rest_at != tcp->rest_end) {
		wait_for_room(tcp, -1);
		look(tcp);
	}
	if (tcp->state == TCP_AWAY && tcp->reconnects_left > 0) {
		tcp->reconnects_left--;
		connect_waiting(tcp, unused);
	}
}

/* -- operations -------------------------------------------------------------------------- */

static int tcp_submit_run(
	struct transport *transport, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	struct tcp *tcp = (struct tcp *)transport;

	if (length > REST_BYTES)
		return -EMSGSIZE;
	if (tcp->config.may_wait)
		look_waiting(tcp);
	else
		look(tcp);
	if (tcp->state == TCP_AWAY && tcp->config.may_wait)
		return -ENOTCONN;
	if (tcp->state != TCP_UP || transport->wants_session || tcp->rest_end != 0)
		return -EAGAIN;
	ssize_t sent = send_some(tcp, bytes, length);
	if (sent < 0) {
		lose_session(tcp, (int)-sent);
		return -EAGAIN;
	}
	if (sent == 0 && !tcp->config.may_wait)
		return -EAGAIN;
	tcp->rest_at = 0;
	tcp->rest_end = length - (size_t)sent;
	memcpy(tcp->rest, bytes + sent, tcp->rest_end);
	return 0;
}

static int tcp_submit(struct transport *transport, const uint8_t *bytes, size_t length)
{
	return tcp_submit_run(transport, bytes, length, length);
}

static int tcp_poll(struct transport *transport)
{
	look((struct tcp *)transport);
	return 0;
}

static void tcp_tick(struct transport *transport, uint64_t now_ns)
{
	struct tcp *tcp = (struct tcp *)transport;

	tcp->now_ns = now_ns;
	if (tcp->config.may_wait) {
		transport->due_ns = UINT64_MAX;
		return;
	}
	if (tcp->state == TCP_AWAY)
		try_connecting(tcp);
	look(tcp);
	if (tcp->state != TCP_AWAY)
		transport->due_ns = now_ns + (tcp->state == TCP_CONNECTING || tcp->rest_end != 0
							     ? LOOK_SOON_NS
							     : LOOK_NS);
}

/* What the kernel has taken it goes on sending after the close. */
static void finish_session(struct tcp *tcp)
{
	int timeout_ms = tcp->config.may_wait ? -1 : CLOSE_GRACE_MS;

	while (tcp->state == TCP_UP && tcp->rest_end != 0 && wait_for_room(tcp, timeout_ms))
		look(tcp);
	if (tcp->state == TCP_UP)
		shutdown(tcp->fd, SHUT_WR);
	if (tcp->state == TCP_UP)
		read_garbage(tcp);
}

static void tcp_close(struct transport *transport)
{
	struct tcp *tcp = (struct tcp *)transport;

	finish_session(tcp);
	close_socket(tcp);
	free((void *)(uintptr_t)tcp->config.device);
	free((void *)(uintptr_t)tcp->config.source_address);
	free(tcp);
}

static const struct transport_ops tcp_ops = {
	.submit = tcp_submit,
	.submit_run = tcp_submit_run,
	.poll = tcp_poll,
	.tick = tcp_tick,
	.close = tcp_close,
};

/* -- opening ------------------------------------------------------------------------------ */

static int look_up(struct tcp *tcp, const struct transport_config *config, char *error)
{
	struct addrinfo hints = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };
	struct addrinfo *found = NULL;
	int result = getaddrinfo(config->host, config->port, &hints, &found);

	if (result != 0)
		return transport_socket_explain_lookup(
			error, &tcp->transport, "cannot resolve", result);
	for (const struct addrinfo *to = found; to && tcp->address_count < ADDRESSES_MAX;
		to = to->ai_next) {
		memcpy(&tcp->addresses[tcp->address_count], to->ai_addr, to->ai_addrlen);
		tcp->address_bytes[tcp->address_count++] = to->ai_addrlen;
	}
	freeaddrinfo(found);
	return 0;
}

static int keep_config(struct tcp *tcp, const struct transport_config *config)
{
	tcp->config = *config;
	tcp->config.host = tcp->config.port = NULL;
	tcp->config.device = tcp->config.source_address = NULL;
	if (config->device)
		tcp->config.device = strdup(config->device);
	if (config->source_address)
		tcp->config.source_address = strdup(config->source_address);
	return (config->device && !tcp->config.device) ||
			       (config->source_address && !tcp->config.source_address)
		       ? -ENOMEM
		       : 0;
}

int transport_tcp_open(const struct transport_config *config, struct transport **ret_transport,
	char error[static TRANSPORT_ERROR_BYTES])
{
	struct tcp *tcp = calloc(1, sizeof(*tcp));

	snprintf(error, TRANSPORT_ERROR_BYTES, "%s: out of memory", config->host);
	if (!tcp)
		return -ENOMEM;
	tcp->fd = -1;
	tcp->transport.ops = &tcp_ops;
	tcp->transport.takes_runs = true;
	tcp->transport.has_sessions = true;
	tcp->transport.endpoints.protocol = IPPROTO_TCP;
	tcp->reconnects_left = RECONNECTS_WAITING;
	transport_socket_name(&tcp->transport, config);
	int result = keep_config(tcp, config);
	tcp->wait_ns = config->retry_s * NS_PER_S;
	if (result == 0)
		result = look_up(tcp, config, error);
	if (result == 0 && config->may_wait)
		result = connect_waiting(tcp, error);
	if (result < 0) {
		tcp_close(&tcp->transport);
		return result;
	}
	*ret_transport = &tcp->transport;
	return 0;
}
