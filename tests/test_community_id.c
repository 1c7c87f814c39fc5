/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows that other programs have named. */
#include "export/community_id.h"

#include <arpa/inet.h>
#include <string.h>

#include "tests/unit.h"

struct named {
	const char *from, *to;
	uint8_t protocol;
	uint16_t port[2]; /* ICMP: type and code */
	const char *id;
};

/* Made with the reference implementation. */
static const struct named flows[] = {
	{ "128.232.110.120", "66.35.250.204", 6, { 34855, 80 },
		"1:LQU9qZlK+B5F3KDmev6m5PMibrg=" },
	{ "192.168.1.52", "8.8.8.8", 17, { 54585, 53 }, "1:d/FP5EW3wiY1vCndhwleRRKHowQ=" },
	{ "192.168.170.8", "192.168.170.56", 132, { 7, 80 }, "1:jQgCxbku+pNGw8WPbEc/TS/uTpQ=" },
	{ "192.168.0.89", "192.168.0.1", 1, { 8, 0 }, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=" },
	{ "192.168.0.89", "192.168.0.1", 1, { 20, 0 }, "1:3o2RFccXzUgjl7zDpqmY7yJi8rI=" },
	{ "fe80::200:86ff:fe05:80da", "fe80::260:97ff:fe07:69ea", 58, { 135, 0 },
		"1:dGHyGvjMfljg6Bppwm3bg0LO8TY=" },
	{ "10.1.24.4", "10.1.12.1", 46, { 0, 0 }, "1:/nQI4Rh/TtY3mf0R2gJFBkVlgS4=" },
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct flow_record record_of(const struct named *flow)
{
	bool is_v6 = strchr(flow->from, ':');
	struct flow_record record = {
		.ip_version = is_v6 ? 6 : 4,
		.protocol = flow->protocol,
		.is_icmp = flow->protocol == (is_v6 ? 58 : 1),
	};
	assert_int_equal(
		inet_pton(is_v6 ? AF_INET6 : AF_INET, flow->from, record.address[0]), 1);
	assert_int_equal(inet_pton(is_v6 ? AF_INET6 : AF_INET, flow->to, record.address[1]), 1);
	if (record.is_icmp)
		record.side[0].icmp_type_code = (uint16_t)(flow->port[0] << 8 | flow->port[1]);
	else
		memcpy(record.port, flow->port, sizeof(record.port));
	return record;
}

static struct flow_record turned(struct flow_record record)
{
	struct flow_record other = record;
	for (unsigned end = 0; end < 2; end++) {
		memcpy(other.address[end], record.address[!end], 16);
		other.port[end] = record.port[!end];
		other.side[end] = record.side[!end];
	}
	return other;
}

static void assert_id(const struct flow_record *record, unsigned direction, const char *id)
{
	uint8_t written[COMMUNITY_ID_OCTETS + 1];
	written[COMMUNITY_ID_OCTETS] = 0xa5;

	community_id_write(written, record, direction);

	assert_memory_equal(written, id, COMMUNITY_ID_OCTETS);
	assert_int_equal(written[COMMUNITY_ID_OCTETS], 0xa5);
}

static void skip_without_library(void)
{
	if (!community_id_is_built())
		skip();
}

static void ids_are_those_of_other_programs(void **state)
{
	skip_without_library();
	for (size_t i = 0; i < COUNT_OF(flows); i++) {
		struct flow_record record = record_of(&flows[i]);
		struct flow_record other = turned(record);

		assert_id(&record, 0, flows[i].id);
		assert_id(&other, 1, flows[i].id);
	}
}

static void both_directions_have_one_id(void **state)
{
	skip_without_library();
	for (size_t i = 0; i < 3; i++) {
		struct flow_record record = record_of(&flows[i]);
		assert_id(&record, 1, flows[i].id);
	}
}

static void an_answer_has_the_id_of_its_question(void **state)
{
	skip_without_library();
	struct flow_record echo = record_of(&flows[3]);

	echo.side[1].icmp_type_code = 0;
	assert_id(&echo, 1, flows[3].id);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(ids_are_those_of_other_programs),
	cmocka_unit_test(both_directions_have_one_id),
	cmocka_unit_test(an_answer_has_the_id_of_its_question),
};

UNIT_MAIN("community_id", tests)
