/* SPDX-License-Identifier: BSD-2-Clause */
/* Real sockets, on loopback only. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/transport.h"
#include "tests/unit.h"

static char error[TRANSPORT_ERROR_BYTES];

struct listener {
	int fd;
	char port[8];
};

static void set_flag(int fd, int level, int name)
{
	int one = 1;
	assert_int_equal(setsockopt(fd, level, name, &one, sizeof(one)), 0);
}

/* A socket bound to .address (a group too) and a free port. Skips when there is no such family.
 */
static struct listener listen_at(int family, const char *address, const char *device)
{
	struct sockaddr_storage at = { .ss_family = (sa_family_t)family };
	struct sockaddr_in *v4 = (struct sockaddr_in *)&at;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&at;
	socklen_t bytes = family == AF_INET ? sizeof(*v4) : sizeof(*v6);
	struct listener listener = { .fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	void *to = family == AF_INET ? (void *)&v4->sin_addr : (void *)&v6->sin6_addr;
	assert_int_equal(inet_pton(family, address, to), 1);
	if (device)
		v6->sin6_scope_id = if_nametoindex(device);
	if (listener.fd < 0 || bind(listener.fd, (struct sockaddr *)&at, bytes) < 0) {
		print_message("cannot bind %s: %s\n", address, strerror(errno));
		if (listener.fd >= 0)
			close(listener.fd);
		skip();
	}
	assert_int_equal(getsockname(listener.fd, (struct sockaddr *)&at, &bytes), 0);
	snprintf(listener.port, sizeof(listener.port), "%u", ntohs(v4->sin_port));
	set_flag(listener.fd, family == AF_INET ? IPPROTO_IP : IPPROTO_IPV6,
		family == AF_INET ? IP_RECVTTL : IPV6_RECVHOPLIMIT);
	return listener;
}

static struct listener listen_on(int family, const char *address)
{
	return listen_at(family, address, NULL);
}

/* The hop limit that comes with the message "hello", and whether there is one. */
static int receive_hello(struct listener *listener)
{
	char text[16];
	uint8_t control[256];
	struct iovec vector = { text, sizeof(text) };
	struct msghdr message = {
		.msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control),
	};
	struct pollfd ready = { listener->fd, POLLIN, 0 };
	int hops = -1;
	assert_int_equal(poll(&ready, 1, 5000), 1);
	assert_int_equal(recvmsg(listener->fd, &message, 0), 5);
	assert_memory_equal(text, "hello", 5);
	struct cmsghdr *part = CMSG_FIRSTHDR(&message);
	assert_non_null(part);
	memcpy(&hops, CMSG_DATA(part), sizeof(hops));
	close(listener->fd);
	return hops;
}

static struct transport *open_to(const struct transport_config *config)
{
	struct transport *transport = NULL;
	int result = transport_udp_open(config, &transport, error);
	if (result < 0)
		fail_msg("%s", error);
	return transport;
}

static void say_hello(struct transport *transport)
{
	assert_int_equal(transport_submit(transport, (const uint8_t *)"hello", 5), 0);
}

static void udp_reaches_an_ipv4_host(void **state)
{
	struct listener listener = listen_on(AF_INET, "127.0.0.1");
	struct transport_config config = { "127.0.0.1", listener.port, .hop_limit = 7 };
	struct transport *transport = open_to(&config);
	const struct transport_endpoints *ends = &transport->endpoints;
	char name[64];
	snprintf(name, sizeof(name), "127.0.0.1:%s", listener.port);

	say_hello(transport);

	assert_int_equal(receive_hello(&listener), 7);
	assert_string_equal(transport->name, name);
	assert_int_equal(ends->ip_version, 4);
	assert_memory_equal(ends->local, "\x7f\0\0\1", 4);
	assert_memory_equal(ends->remote, "\x7f\0\0\1", 4);
	assert_int_not_equal(ends->local_port, 0);
	assert_int_equal(transport->path_bytes, 65507);
	snprintf(name, sizeof(name), "%u", ends->remote_port);
	assert_string_equal(name, listener.port);
	transport_close(transport);
}

static void udp_reaches_an_ipv6_host(void **state)
{
	struct listener listener = listen_on(AF_INET6, "::1");
	struct transport_config config = { "::1", listener.port, .hop_limit = 9 };
	struct transport *transport = open_to(&config);
	char name[64];
	snprintf(name, sizeof(name), "[::1]:%s", listener.port);

	say_hello(transport);

	assert_int_equal(receive_hello(&listener), 9);
	assert_string_equal(transport->name, name);
	assert_int_equal(transport->endpoints.ip_version, 6);
	assert_memory_equal(transport->endpoints.local, &in6addr_loopback, 16);
	assert_memory_equal(transport->endpoints.remote, &in6addr_loopback, 16);
	assert_int_equal(transport->path_bytes, 65487);
	transport_close(transport);
}

static void udp_keeps_the_systems_hop_limit(void **state)
{
	struct listener listener = listen_on(AF_INET, "127.0.0.1");
	struct transport_config config = { "127.0.0.1", listener.port, .hop_limit = -1 };
	struct transport *transport = open_to(&config);

	say_hello(transport);

	assert_in_range(receive_hello(&listener), 32, 255);
	transport_close(transport);
}

static void join(struct listener *listener, const char *group)
{
	struct ip_mreqn request = { .imr_ifindex = (int)if_nametoindex("lo") };
	inet_pton(AF_INET, group, &request.imr_multiaddr);
	assert_int_equal(setsockopt(listener->fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request,
				 sizeof(request)),
		0);
}

static void udp_reaches_an_ipv4_group_with_its_own_hop_limit(void **state)
{
	struct listener listener = listen_on(AF_INET, "239.255.77.1");
	struct transport_config config = {
		.host = "239.255.77.1",
		.port = listener.port,
		.source_address = "127.0.0.1", /* names the interface to leave by */
		.hop_limit = 3,
	};
	join(&listener, "239.255.77.1");
	struct transport *transport = open_to(&config);

	say_hello(transport);

	assert_int_equal(receive_hello(&listener), 3);
	transport_close(transport);
}

static void udp_sends_from_the_address_asked_for(void **state)
{
	struct listener listener = listen_on(AF_INET, "127.0.0.1");
	struct transport_config config = {
		.host = "127.0.0.1",
		.port = listener.port,
		.source_address = "127.0.0.9",
		.hop_limit = -1,
	};
	struct transport *transport = open_to(&config);

	assert_memory_equal(transport->endpoints.local, "\x7f\0\0\x09", 4);
	transport_close(transport);
	close(listener.fd);
}

/* The host answers each message to a closed port with an ICMP error, which the next send gets.
 */
static void udp_tells_that_nobody_listens_and_loses_no_later_message(void **state)
{
	struct listener listener = listen_on(AF_INET, "127.0.0.1");
	struct transport_config config = { "127.0.0.1", listener.port, .hop_limit = -1 };
	struct transport *transport = open_to(&config);
	struct sockaddr_in at = { .sin_family = AF_INET };
	at.sin_port = htons(transport->endpoints.remote_port);
	inet_pton(AF_INET, "127.0.0.1", &at.sin_addr);
	close(listener.fd);

	assert_int_equal(transport_submit(transport, (const uint8_t *)"lost", 4), 0);
	listener.fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener.fd, (struct sockaddr *)&at, sizeof(at)), 0);
	set_flag(listener.fd, IPPROTO_IP, IP_RECVTTL);
	assert_int_equal(transport_submit(transport, (const uint8_t *)"hello", 5),
		TRANSPORT_EARLIER_LOST);

	receive_hello(&listener);
	transport_close(transport);
}

static void udp_refuses_a_message_that_no_datagram_holds(void **state)
{
	static uint8_t large[65530];
	struct listener listener = listen_on(AF_INET, "127.0.0.1");
	struct transport_config config = { "127.0.0.1", listener.port, .hop_limit = -1 };
	struct transport *transport = open_to(&config);

	assert_int_equal(transport_submit(transport, large, sizeof(large)), -EMSGSIZE);

	transport_close(transport);
	close(listener.fd);
}

/* What a listener gets next, as text; "" when there is nothing. */
static const char *receive_text(const struct listener *listener)
{
	static char text[16];
	ssize_t bytes = recv(listener->fd, text, sizeof(text) - 1, MSG_DONTWAIT);
	text[bytes > 0 ? bytes : 0] = 0;
	return text;
}

static void send_run(struct transport *transport)
{
	const uint8_t run[] = "onetwosixten4";
	int result = transport_submit_run(transport, run, 13, 3);
	if (result == TRANSPORT_ONE_BY_ONE) {
		print_message("this host sends no runs\n");
		skip();
	}
	assert_int_equal(result, 0);
}

static void assert_run_arrives(int family, const char *address)
{
	struct listener listener = listen_on(family, address);
	struct transport_config config = { address, listener.port, .hop_limit = -1 };
	struct transport *transport = open_to(&config);

	send_run(transport);

	assert_string_equal(receive_text(&listener), "one");
	assert_string_equal(receive_text(&listener), "two");
	assert_string_equal(receive_text(&listener), "six");
	assert_string_equal(receive_text(&listener), "ten");
	assert_string_equal(receive_text(&listener), "4");
	assert_string_equal(receive_text(&listener), "");
	transport_close(transport);
	close(listener.fd);
}

static void udp_sends_a_run_as_messages(void **state)
{
	assert_run_arrives(AF_INET, "127.0.0.1");
	assert_run_arrives(AF_INET6, "::1");
}

static void udp_tells_with_a_run_that_an_earlier_message_was_lost(void **state)
{
	struct listener listener = listen_on(AF_INET, "127.0.0.1");
	struct transport_config config = { "127.0.0.1", listener.port, .hop_limit = -1 };
	struct transport *transport = open_to(&config);
	close(listener.fd);

	send_run(transport);
	assert_int_equal(transport_submit_run(transport, (const uint8_t *)"onetwo", 6, 3),
		TRANSPORT_EARLIER_LOST);
	assert_int_equal(transport_submit(transport, (const uint8_t *)"last", 4),
		TRANSPORT_EARLIER_LOST);
	assert_int_equal(transport_poll(transport), TRANSPORT_EARLIER_LOST);
	assert_int_equal(transport_poll(transport), 0);

	assert_true(transport->takes_runs);
	transport_close(transport);
}

static void assert_refused(
	const struct transport_config *config, const char *destination, const char *reason)
{
	struct transport *transport = NULL;
	assert_true(transport_udp_open(config, &transport, error) < 0);
	assert_null(transport);
	if (!strstr(error, destination) || !strstr(error, reason))
		fail_msg("\"%s\" does not tell \"%s\" and \"%s\"", error, destination, reason);
}

static void udp_says_what_is_wrong(void **state)
{
	struct transport_config name = { "no-such-host.invalid", "2055", .hop_limit = -1 };
	struct transport_config port = { "127.0.0.1", "no-such-port", .hop_limit = -1 };
	struct transport_config hops = { "127.0.0.1", "2055", .hop_limit = 1000 };
	struct transport_config device = { "127.0.0.1", "2055", "no-such-dev",
		.hop_limit = -1 };
	struct transport_config source = { "127.0.0.1", "2055", NULL, "192.0.2.77", -1 };
	struct transport_config family = { "::1", "2055", NULL, "127.0.0.1", -1 };

	assert_refused(&name, "no-such-host.invalid:2055", "resolve");
	assert_refused(&port, "127.0.0.1:no-such-port", "resolve");
	assert_refused(&hops, "127.0.0.1:2055", "hop limit 1000");
	assert_refused(&device, "127.0.0.1:2055", "device no-such-dev");
	assert_refused(&source, "127.0.0.1:2055", "source address 192.0.2.77");
	assert_refused(&family, "[::1]:2055", "source address 127.0.0.1");
	transport_close(NULL);
}

/* As large a run as the exporter makes. */
static void udp_sends_the_largest_run(void **state)
{
	static uint8_t run[65507];
	struct listener listener = listen_on(AF_INET, "127.0.0.1");
	struct transport_config config = { "127.0.0.1", listener.port, .hop_limit = -1 };
	struct transport *transport = open_to(&config);
	send_run(transport);

	assert_int_equal(transport_submit_run(transport, run, sizeof(run), 1024), 0);
	assert_int_equal(transport_submit_run(transport, run, 64, 1), 0);

	transport_close(transport);
	close(listener.fd);
}

/* Loopback has no IPv6 groups, so this takes a link of its own, in a network namespace of its
 * own. It comes last, because the process stays there. */
static void enter_namespace_with_a_link(void)
{
	static const char *const link = "ip link add export0 type veth peer name export1 "
					"&& ip link set export1 up && ip link set export0 up "
					"&& ip address add fe80::1/64 dev export0 nodad";
	if (unshare(CLONE_NEWNET) < 0) {
		print_message("no network namespace: %s\n", strerror(errno));
		skip();
	}
	if (system(link) != 0) {
		print_message("no veth link\n");
		skip();
	}
}

static void udp_reaches_an_ipv6_group_through_a_device(void **state)
{
	enter_namespace_with_a_link();
	struct listener listener = listen_at(AF_INET6, "ff02::4d4d", "export0");
	struct ipv6_mreq request = { .ipv6mr_interface = if_nametoindex("export0") };
	struct transport_config config = {
		.host = "ff02::4d4d",
		.port = listener.port,
		.device = "export0",
		.hop_limit = 3,
	};
	inet_pton(AF_INET6, config.host, &request.ipv6mr_multiaddr);
	assert_int_equal(setsockopt(listener.fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request,
				 sizeof(request)),
		0);
	struct transport *transport = open_to(&config);

	say_hello(transport);

	assert_int_equal(receive_hello(&listener), 3);
	transport_close(transport);
}

/* Messages larger than the path's MTU can be sent in fragments, but not in a run; after the
 * case above this is in a namespace with a veth link. */
static void udp_refuses_runs_on_a_path_too_narrow_for_them(void **state)
{
	static uint8_t run[6000];
	struct transport_config config = {
		.host = "ff02::4d4d",
		.port = "4739",
		.device = "export0",
		.hop_limit = 3,
	};
	if (if_nametoindex("export0") == 0)
		skip();
	struct transport *transport = open_to(&config);

	assert_int_equal(transport->path_bytes, 0); /* the link is known, what follows is not */
	assert_int_equal(
		transport_submit_run(transport, run, sizeof(run), 2000), TRANSPORT_ONE_BY_ONE);
	assert_false(transport->takes_runs);
	assert_int_equal(transport_submit(transport, run, 2000), 0);

	transport_close(transport);
}

static uint16_t local_port(const struct transport *transport)
{
	return transport->endpoints.local_port;
}

static void udp_goes_on_with_a_socket_that_was_handed_in(void **state)
{
	struct listener listener = listen_on(AF_INET, "127.0.0.1");
	struct transport_config config = {
		.host = "127.0.0.1",
		.port = listener.port,
		.hop_limit = 7,
	};
	struct transport *before = open_to(&config);
	uint16_t port = local_port(before);

	config.handed_fd = dup(transport_fd(before));
	transport_close(before);
	struct transport *after = open_to(&config);
	say_hello(after);

	assert_int_equal(local_port(after), port);
	assert_int_equal(receive_hello(&listener), 7);
	transport_close(after);
}

static void udp_refuses_to_go_on_with_what_is_no_connected_datagram_socket(void **state)
{
	struct transport_config config = { .host = "192.0.2.1", .port = "4739" };
	struct transport *transport;

	config.handed_fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(transport_udp_open(&config, &transport, error), -EPROTOTYPE);
	assert_non_null(strstr(error, "192.0.2.1:4739: the handed-in socket"));

	config.handed_fd = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_equal(transport_udp_open(&config, &transport, error), -ENOTCONN);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(udp_reaches_an_ipv4_host),
	cmocka_unit_test(udp_reaches_an_ipv6_host),
	cmocka_unit_test(udp_keeps_the_systems_hop_limit),
	cmocka_unit_test(udp_reaches_an_ipv4_group_with_its_own_hop_limit),
	cmocka_unit_test(udp_sends_from_the_address_asked_for),
	cmocka_unit_test(udp_tells_that_nobody_listens_and_loses_no_later_message),
	cmocka_unit_test(udp_refuses_a_message_that_no_datagram_holds),
	cmocka_unit_test(udp_sends_a_run_as_messages),
	cmocka_unit_test(udp_tells_with_a_run_that_an_earlier_message_was_lost),
	cmocka_unit_test(udp_sends_the_largest_run),
	cmocka_unit_test(udp_says_what_is_wrong),
	cmocka_unit_test(udp_goes_on_with_a_socket_that_was_handed_in),
	cmocka_unit_test(udp_refuses_to_go_on_with_what_is_no_connected_datagram_socket),
	cmocka_unit_test(udp_reaches_an_ipv6_group_through_a_device),
	cmocka_unit_test(udp_refuses_runs_on_a_path_too_narrow_for_them),
};

UNIT_MAIN("transport_udp", tests)
