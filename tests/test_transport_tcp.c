/* SPDX-License-Identifier: BSD-2-Clause */
/* Real sockets, on loopback only, with peers that do what collectors should not. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/transport.h"
#include "tests/unit.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)
#define PATIENCE_MS 10000

static char error[TRANSPORT_ERROR_BYTES];
static uint8_t block[65000];

struct peer {
	int listen_fd, fd;
	char port[8];
};

static struct transport_endpoints seen[16];
static unsigned seen_count;

static void moved(void *user, const struct transport_endpoints *ends)
{
	assert_true(seen_count < 16);
	seen[seen_count++] = *ends;
}

/* -- the other side ------------------------------------------------------------------- */

static void listen_again(struct peer *peer, uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	socklen_t bytes = sizeof(at);
	int one = 1, small = 4096;

	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	peer->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(peer->listen_fd >= 0);
	setsockopt(peer->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(peer->listen_fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	assert_int_equal(bind(peer->listen_fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(peer->listen_fd, 4), 0);
	assert_int_equal(getsockname(peer->listen_fd, (struct sockaddr *)&at, &bytes), 0);
	snprintf(peer->port, sizeof(peer->port), "%u", ntohs(at.sin_port));
}

static struct peer peer_listen(void)
{
	struct peer peer = { .fd = -1 };

	listen_again(&peer, 0);
	return peer;
}

static void peer_accept(struct peer *peer)
{
	struct pollfd ready = { peer->listen_fd, POLLIN, 0 };

	assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
	peer->fd = accept(peer->listen_fd, NULL, NULL);
	assert_true(peer->fd >= 0);
}

static void peer_reset(struct peer *peer)
{
	struct linger linger = { 1, 0 };

	setsockopt(peer->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger));
	close(peer->fd);
	peer->fd = -1;
}

static void peer_read(struct peer *peer, uint8_t *bytes, size_t count)
{
	while (count > 0) {
		struct pollfd ready = { peer->fd, POLLIN, 0 };
		assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
		ssize_t n = read(peer->fd, bytes, count);
		assert_true(n > 0);
		bytes += n;
		count -= (size_t)n;
	}
}

static void peer_close(struct peer *peer)
{
	if (peer->fd >= 0)
		close(peer->fd);
	if (peer->listen_fd >= 0)
		close(peer->listen_fd);
	peer->fd = peer->listen_fd = -1;
}

/* -- our side ------------------------------------------------------------------------- */

static struct transport_config config_of(const struct peer *peer)
{
	seen_count = 0;
	return (struct transport_config){
		.host = "127.0.0.1",
		.port = peer->port,
		.hop_limit = -1,
		.retry_s = 1,
		.retry_most_s = 4,
		.watcher = { .moved = moved },
	};
}

static struct transport *open_to(const struct transport_config *config)
{
	struct transport *transport = NULL;

	if (transport_tcp_open(config, &transport, error) < 0)
		fail_msg("%s", error);
	return transport;
}

/* Let time pass, as a lane does, until there is a session and it is begun. */
static uint64_t wait_for_session(struct transport *transport, uint64_t now_ns)
{
	for (unsigned i = 0; i < 1000 && !transport->wants_session; i++) {
		transport_tick(transport, now_ns += 20 * MS);
		poll(NULL, 0, 1);
	}
	assert_true(transport->wants_session);
	transport->wants_session = false;
	return now_ns;
}

static void wait_for_loss(struct transport *transport)
{
	for (unsigned i = 0; i < 1000 && transport->is_open; i++) {
		transport_poll(transport);
		poll(NULL, 0, 1);
	}
	assert_false(transport->is_open);
}

static int say(struct transport *transport, const char *text)
{
	return transport_submit(transport, (const uint8_t *)text, strlen(text));
}

/* Submit until it is refused; returns how many octets were taken. */
static uint64_t fill(struct transport *transport)
{
	uint64_t taken = 0;
	int result;

	for (unsigned i = 0; i < 10000; i++) {
		result = transport_submit(transport, block, sizeof(block));
		if (result == -EAGAIN)
			return taken;
		assert_int_equal(result, 0);
		taken += sizeof(block);
	}
	fail_msg("it takes any number of octets");
	return 0;
}

/* -- cases ---------------------------------------------------------------------------- */

static void tcp_takes_nothing_before_the_session_is_begun(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = open_to(&config);
	char text[5];

	assert_int_equal(say(transport, "early"), -EAGAIN);
	transport_tick(transport, S);
	peer_accept(&peer);
	for (unsigned i = 0; i < 1000 && !transport->wants_session; i++)
		transport_tick(transport, S + i * 20 * MS);
	assert_int_equal(say(transport, "early"), -EAGAIN);
	wait_for_session(transport, 2 * S);

	assert_int_equal(say(transport, "hello"), 0);
	peer_read(&peer, (uint8_t *)text, 5);
	assert_memory_equal(text, "hello", 5);
	assert_int_equal(transport->sessions.begun, 1);
	transport_close(transport);
	peer_close(&peer);
}

static void tcp_says_its_ends_before_it_connects(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = open_to(&config);
	struct sockaddr_in from = { 0 };
	socklen_t bytes = sizeof(from);

	wait_for_session(transport, S);
	peer_accept(&peer);
	assert_int_equal(getpeername(peer.fd, (struct sockaddr *)&from, &bytes), 0);

	assert_int_equal(seen_count, 1);
	assert_int_equal(seen[0].ip_version, 4);
	assert_int_equal(seen[0].protocol, IPPROTO_TCP);
	assert_int_equal(seen[0].local_port, ntohs(from.sin_port));
	assert_int_equal(seen[0].remote_port, atoi(peer.port));
	assert_memory_equal(seen[0].local, "\x7f\0\0\1", 4);
	assert_memory_equal(seen[0].remote, "\x7f\0\0\1", 4);
	transport_close(transport);
	peer_close(&peer);
}

static void tcp_is_bounded_when_nobody_reads(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = open_to(&config);
	uint64_t now_ns = wait_for_session(transport, S);
	peer_accept(&peer);

	uint64_t taken = fill(transport);

	assert_in_range(taken, sizeof(block), 16 << 20);
	for (unsigned i = 0; i < 100; i++) {
		transport_tick(transport, now_ns += 100 * MS);
		assert_int_equal(say(transport, "more"), -EAGAIN);
	}
	assert_true(transport->is_open);
	assert_int_equal(transport->sessions.lost, 0);
	transport_close(transport);
	peer_close(&peer);
}

static void tcp_goes_on_where_the_kernel_stopped(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = open_to(&config);
	wait_for_session(transport, S);
	peer_accept(&peer);
	for (size_t i = 0; i < sizeof(block); i++)
		block[i] = (uint8_t)(i % 251);
	uint64_t taken = fill(transport);
	uint8_t got[sizeof(block)];

	for (uint64_t i = 0; i < taken; i += sizeof(block)) {
		for (size_t at = 0; at < sizeof(got); at += 5000) {
			peer_read(&peer, got + at, 5000);
			transport_poll(transport);
		}
		assert_memory_equal(got, block, sizeof(block));
	}

	assert_int_equal(say(transport, "hello"), 0);
	peer_read(&peer, got, 5);
	assert_memory_equal(got, "hello", 5);
	transport_close(transport);
	peer_close(&peer);
}

static void tcp_knows_how_much_a_reset_took_with_it(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = open_to(&config);
	wait_for_session(transport, S);
	peer_accept(&peer);
	uint64_t taken = fill(transport);

	peer_reset(&peer);
	wait_for_loss(transport);

	/* All but what the peer's kernel had taken into its own small buffer. */
	assert_in_range(transport->lost_octets, taken / 2, taken);
	assert_int_equal(transport->sessions.lost, 1);
	assert_int_equal(transport->sessions.last_error, ECONNRESET);
	assert_true(transport->is_away);
	assert_int_equal(say(transport, "hello"), -EAGAIN);
	transport_close(transport);
	peer_close(&peer);
}

static void tcp_loses_nothing_when_it_is_closed_with_nothing_in_flight(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = open_to(&config);
	uint8_t text[6];
	uint64_t now_ns = wait_for_session(transport, S);
	peer_accept(&peer);
	assert_int_equal(say(transport, "first "), 0);
	peer_read(&peer, text, 6);

	close(peer.fd);
	wait_for_loss(transport);
	assert_int_equal(transport->lost_octets, 0);
	assert_int_equal(transport->sessions.last_error, 0);
	assert_int_equal(say(transport, "second"), -EAGAIN);
	wait_for_session(transport, now_ns);
	peer_accept(&peer);
	assert_int_equal(say(transport, "second"), 0);
	peer_read(&peer, text, 6);

	assert_memory_equal(text, "second", 6);
	assert_int_equal(transport->sessions.begun, 2);
	assert_int_equal(seen_count, 2);
	transport_close(transport);
	peer_close(&peer);
}

/* Attempts after 1, 2, 4, 4... seconds, until somebody listens. */
static void tcp_backs_off_and_comes_back(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	close(peer.listen_fd);
	struct transport *transport = open_to(&config);
	unsigned at_ms[8], count = 0;

	for (unsigned ms = 0; ms < 16000 && count < 8; ms += 100) {
		uint64_t before = transport->sessions.refused;
		transport_tick(transport, S + ms * MS);
		for (unsigned i = 0; i < 100 && !transport->is_away; i++) {
			transport_poll(transport);
			poll(NULL, 0, 1);
		}
		if (transport->sessions.refused > before)
			at_ms[count++] = ms;
	}

	assert_in_range(count, 5, 6);
	assert_in_range(at_ms[1] - at_ms[0], 1000, 2000);
	assert_in_range(at_ms[4] - at_ms[3], 3900, 4000);
	assert_int_equal(transport->sessions.last_error, ECONNREFUSED);
	listen_again(&peer, (uint16_t)atoi(peer.port));
	wait_for_session(transport, 20 * S);
	transport_close(transport);
	peer_close(&peer);
}

static void tcp_reads_what_nobody_asked_for(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = open_to(&config);
	uint64_t now_ns = wait_for_session(transport, S), sent = 0;
	peer_accept(&peer);

	for (unsigned i = 0; i < 200; i++) {
		ssize_t n = send(peer.fd, block, sizeof(block), MSG_DONTWAIT);
		sent += n > 0 ? (uint64_t)n : 0;
		transport_tick(transport, now_ns += 100 * MS);
	}
	for (unsigned i = 0; i < 1000 && transport->sessions.received_octets < sent; i++) {
		transport_poll(transport);
		poll(NULL, 0, 1);
	}

	assert_true(sent > sizeof(block));
	assert_int_equal(transport->sessions.received_octets, sent);
	assert_true(transport->is_open);
	transport_close(transport);
	peer_close(&peer);
}

static void tcp_that_may_wait_is_there_or_says_why_not(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = NULL;
	char sentence[128];
	config.may_wait = true;

	transport = open_to(&config);
	assert_true(transport->wants_session);
	transport_close(transport);
	peer_close(&peer);

	assert_int_equal(transport_tcp_open(&config, &transport, error), -ECONNREFUSED);
	snprintf(sentence, sizeof(sentence), "127.0.0.1:%s: connect: Connection refused",
		peer.port);
	assert_string_equal(error, sentence);
}

static void tcp_that_may_wait_replaces_a_lost_connection_at_once(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	config.may_wait = true;
	struct transport *transport = open_to(&config);
	transport->wants_session = false;
	peer_accept(&peer);
	peer_reset(&peer);

	int result = 0;
	for (unsigned i = 0; i < 1000 && result == 0; i++)
		result = say(transport, "hello");
	assert_int_equal(result, -EAGAIN);
	assert_true(transport->wants_session);
	transport->wants_session = false;
	assert_int_equal(say(transport, "hello"), 0);
	close(peer.listen_fd); /* resets the one that was not accepted */
	peer.listen_fd = -1;
	for (unsigned i = 0; i < 1000 && result != -ENOTCONN; i++) {
		result = say(transport, "hello");
		poll(NULL, 0, 1);
	}

	assert_int_equal(result, -ENOTCONN);
	transport_close(transport);
	peer_close(&peer);
}

static void tcp_does_not_wait_long_to_close(void **state)
{
	struct peer peer = peer_listen();
	struct transport_config config = config_of(&peer);
	struct transport *transport = open_to(&config);
	wait_for_session(transport, S);
	peer_accept(&peer);
	fill(transport);

	transport_close(transport); /* or the test times out */
	peer_close(&peer);
}

static void tcp_explains_an_unknown_host(void **state)
{
	struct transport_config config = { .host = "no.such.host.invalid", .port = "4739" };
	struct transport *transport;

	assert_true(transport_tcp_open(&config, &transport, error) < 0);
	assert_non_null(strstr(error, "no.such.host.invalid:4739: cannot resolve"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tcp_takes_nothing_before_the_session_is_begun),
	cmocka_unit_test(tcp_says_its_ends_before_it_connects),
	cmocka_unit_test(tcp_is_bounded_when_nobody_reads),
	cmocka_unit_test(tcp_goes_on_where_the_kernel_stopped),
	cmocka_unit_test(tcp_knows_how_much_a_reset_took_with_it),
	cmocka_unit_test(tcp_loses_nothing_when_it_is_closed_with_nothing_in_flight),
	cmocka_unit_test(tcp_backs_off_and_comes_back),
	cmocka_unit_test(tcp_reads_what_nobody_asked_for),
	cmocka_unit_test(tcp_that_may_wait_is_there_or_says_why_not),
	cmocka_unit_test(tcp_that_may_wait_replaces_a_lost_connection_at_once),
	cmocka_unit_test(tcp_does_not_wait_long_to_close),
	cmocka_unit_test(tcp_explains_an_unknown_host),
};

UNIT_MAIN("transport_tcp", tests)
