/* SPDX-License-Identifier: BSD-2-Clause */
/* Which flows an expression takes, and which expressions a flow cannot answer. */
#include "sensor/flow_filter.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "tests/unit.h"

static char error[FLOW_FILTER_ERROR_BYTES];

/* 192.0.2.1:40000 opened a connection to 198.51.100.7:443 in VLAN 5, and was answered. */
static struct flow_record tcp_flow(void)
{
	struct flow_record record = {
		.ip_version = 4,
		.protocol = 6,
		.port = { 40000, 443 },
		.address = { { 192, 0, 2, 1 }, { 198, 51, 100, 7 } },
		.side = {
			{ .packets = 3, .tcp_flags = 0x1b, .vlan_id = 5, .tos = 0x10,
				.source_mac = { 2, 0, 0, 0, 0, 1 },
				.destination_mac = { 2, 0, 0, 0, 0, 2 } },
			{ .packets = 2, .tcp_flags = 0x12, .vlan_id = 5,
				.source_mac = { 2, 0, 0, 0, 0, 2 },
				.destination_mac = { 2, 0, 0, 0, 0, 1 } },
		},
	};

	return record;
}

/* 2001:db8::1 asked ff02::1 for an echo; nobody answered. */
static struct flow_record icmp6_flow(void)
{
	struct flow_record record = {
		.ip_version = 6,
		.protocol = 58,
		.is_icmp = true,
		.side = { { .packets = 1, .icmp_type_code = 128 << 8, .flow_label = 0x12345 } },
	};

	inet_pton(AF_INET6, "2001:db8::1", record.address[0]);
	inet_pton(AF_INET6, "ff02::1", record.address[1]);
	return record;
}

static bool matches(const char *expression, const struct flow_record *record)
{
	struct flow_filter *filter;

	if (flow_filter_new(expression, &filter, error) < 0)
		fail_msg("%s: %s", expression, error);
	bool is_match = flow_filter_matches(filter, record);
	flow_filter_free(filter);
	return is_match;
}

static void assert_matches(
	const char *const *expressions, const struct flow_record *record, bool is_match)
{
	for (; *expressions; expressions++)
		if (matches(*expressions, record) != is_match)
			fail_msg("%s", *expressions);
}

static void addresses_ports_and_protocols_of_either_direction_match(void **state)
{
	static const char *const yes[] = { "", "tcp", "ip", "host 192.0.2.1",
		"src host 192.0.2.1", "dst host 192.0.2.1", "net 198.51.100.0/24", "port 443",
		"src port 443", "dst port 443", "port https", "tcp dst port 40000",
		"portrange 400-500", "ip proto 6", "ip proto \\tcp", "not udp",
		"src 192.0.2.1 and dst port 443", "ether host 02:00:00:00:00:01",
		"tcp port 443 or udp port 53", "not port 80", "ip[1] = 0x10",
		"not src host 192.0.2.1", NULL };
	static const char *const no[] = { "udp", "ip6", "host 192.0.2.2", "arp", "port 80",
		"src 192.0.2.1 and src port 443", "src 198.51.100.7 and dst port 443",
		"not tcp", "ip proto 17", "not ip", "icmp", NULL };
	struct flow_record record = tcp_flow();

	assert_matches(yes, &record, true);
	assert_matches(no, &record, false);
}

static void tcp_flags_are_those_of_all_packets(void **state)
{
	static const char *const yes[] = { "tcp[tcpflags] & tcp-syn != 0", "tcp[13] = 0x12",
		"tcp[tcpflags] & (tcp-fin|tcp-rst) != 0", NULL };
	static const char *const no[] = { "tcp[tcpflags] & tcp-rst != 0", "tcp[13] = 2", NULL };
	struct flow_record record = tcp_flow();

	assert_matches(yes, &record, true);
	assert_matches(no, &record, false);
}

static void direction_without_packets_matches_nothing(void **state)
{
	struct flow_record record = tcp_flow();

	record.side[1].packets = 0;
	assert_true(matches("src host 192.0.2.1", &record));
	assert_false(matches("src host 198.51.100.7", &record));
}

static void vlan_is_asked_for_by_its_word(void **state)
{
	static const char *const yes[] = { "vlan", "vlan 5", "vlan 5 and tcp port 443",
		"not vlan 6", "tcp port 443", NULL };
	static const char *const no[] = { "vlan 6", "not vlan", "vlan 5 and udp", NULL };
	struct flow_record record = tcp_flow(), untagged = tcp_flow();

	untagged.side[0].vlan_id = untagged.side[1].vlan_id = 0;
	assert_matches(yes, &record, true);
	assert_matches(no, &record, false);
	assert_false(matches("vlan", &untagged));
	assert_true(matches("not vlan", &untagged));
}

static void ipv6_and_icmp_match_by_what_they_have(void **state)
{
	static const char *const yes[] = { "ip6", "icmp6", "host 2001:db8::1",
		"net 2001:db8::/32", "icmp6[icmp6type] = icmp6-echo", "ip6 multicast",
		"ip6 proto 58", "ip6[0:4] & 0xfffff = 0x12345", NULL };
	static const char *const no[] = { "ip", "tcp", "host 2001:db8::2",
		"icmp6[icmp6type] = icmp6-echoreply", "src host ff02::1", "port 0", NULL };
	struct flow_record record = icmp6_flow();

	assert_matches(yes, &record, true);
	assert_matches(no, &record, false);
}

static void what_a_flow_cannot_tell_is_refused(void **state)
{
	static const struct {
		const char *expression, *reason;
	} rows[] = {
		{ "less 100", "\"less\": a flow cannot tell" },
		{ "len > 100", "\"len\": a flow cannot tell" },
		{ "ip[2:2] > 100", "does not keep" },
		{ "ip[8] < 5", "does not keep" },
		{ "ip6[7] < 5", "does not keep" },
		{ "tcp[20] = 1", "does not keep" },
		{ "tcp[4:4] = 1", "does not keep" },
		{ "udp[12] = 1", "does not keep" },
		{ "icmp[4:2] = 1", "does not keep" },
		{ "ip[ip[1]] = 1", "" },
		{ "vlan 5 and vlan 6", "once" },
		{ "mpls", "cannot tell" },
		{ "inbound", "cannot tell" },
		{ "ip protochain 6", "cannot tell" },
		{ "tcp and", "syntax error" },
		{ "port", "syntax error" },
	};
	struct flow_filter *filter;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(flow_filter_new(rows[i].expression, &filter, error), -EINVAL);
		if (!strstr(error, rows[i].reason))
			fail_msg("%s: %s", rows[i].expression, error);
	}
}

/* None of these may reach libpcap, which would ask the name service and make the loop wait. */
static void names_of_hosts_are_never_looked_up(void **state)
{
	static const char *const expressions[] = { "host example.com", "example.com",
		"host 10.example.com", "host 1.2.3.4.5", "host 1-5", "host 1.", "net example",
		"src a-b", "host \\tcp", "host \\example.com", "gateway x", "host tcp-foo",
		"host icmp-foo", "host 0xzz", "host aa-bb-cc-dd-ee-ff", "host ex\xc3\xa4mple",
		"host a:b", "ether host example", "host _x", "dst net (foo)", NULL };
	struct flow_filter *filter;

	for (size_t i = 0; expressions[i]; i++) {
		assert_int_equal(flow_filter_new(expressions[i], &filter, error), -EINVAL);
		if (!strstr(error, "not looked up") && !strstr(error, "cannot tell") &&
			!strstr(error, "has its place"))
			fail_msg("%s: %s", expressions[i], error);
	}
}

static void expression_has_a_greatest_length(void **state)
{
	static char expression[FLOW_FILTER_BYTES_MAX + 2];
	struct flow_filter *filter;

	memset(expression, ' ', FLOW_FILTER_BYTES_MAX + 1);
	assert_int_equal(flow_filter_new(expression, &filter, error), -EINVAL);
	assert_non_null(strstr(error, "longer"));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(addresses_ports_and_protocols_of_either_direction_match),
	cmocka_unit_test(tcp_flags_are_those_of_all_packets),
	cmocka_unit_test(direction_without_packets_matches_nothing),
	cmocka_unit_test(vlan_is_asked_for_by_its_word),
	cmocka_unit_test(ipv6_and_icmp_match_by_what_they_have),
	cmocka_unit_test(what_a_flow_cannot_tell_is_refused),
	cmocka_unit_test(names_of_hosts_are_never_looked_up),
	cmocka_unit_test(expression_has_a_greatest_length),
};

UNIT_MAIN("flow_filter", tests)
