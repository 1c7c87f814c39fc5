/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/print.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit.h"

/* A TCP connection of which everything is known. */
static struct flow_record tcp_record(void)
{
	static const uint32_t labels[] = { 0x12345f, 16 << 4 | 1 };

	return (struct flow_record){
		.flow_id = 7,
		.address = { { 10, 0, 0, 1 }, { 10, 0, 0, 9 } },
		.port = { 40000, 80 },
		.ip_version = 4,
		.protocol = 6,
		.end_reason = FLOW_END_DETECTED,
		.is_initiator_known = true,
		.side = {
			{
				.packets = 6,
				.octets = 398,
				.first_ns = 1700000011000000001,
				.last_ns = 1700000011500000002,
				.ingress_if = 2,
				.egress_if = 3,
				.tcp_flags = 0x11b,
				.vlan_id = 42,
				.tos = 0xb8,
				.min_ttl = 61,
				.max_ttl = 64,
				.source_mac = { 2, 0, 0, 0, 0, 0xab },
				.destination_mac = { 2, 0, 0, 0, 0, 1 },
				.mpls_count = 2,
				.mpls = labels,
			},
			{
				.packets = 5,
				.octets = 2929,
				.first_ns = 1700000011100000000,
				.last_ns = 1700000013600000000,
				.tcp_flags = 0x12,
				.is_egress = true,
			},
		},
	};
}

static struct flow_record ping6_record(void)
{
	return (struct flow_record){
		.flow_id = UINT64_MAX,
		.address = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
			{ 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } },
		.port = { 0x8000, 0x8100 },
		.ip_version = 6,
		.protocol = 58,
		.end_reason = FLOW_END_IDLE,
		.is_icmp = true,
		.side = { { .packets = 1,
			.octets = 104,
			.flow_label = 0x12345,
			.icmp_type_code = 128 << 8 } },
	};
}

static const struct print_config json = {
	.format = PRINT_JSON, .sampling_interval = 100, .domain = 5
};
static const struct print_config csv = {
	.format = PRINT_CSV, .sampling_interval = 1, .domain = 5
};
static const struct print_config table = { .format = PRINT_TABLE, .sampling_interval = 1 };

static const char *printed(const struct print_config *config, const struct flow_record *record)
{
	static char out[PRINT_BYTES_MAX + 1];

	out[print_record(config, record, out)] = 0;
	return out;
}

static const char *header(const struct print_config *config)
{
	static char out[PRINT_BYTES_MAX + 1];

	out[print_header(config, out)] = 0;
	return out;
}

static void print_json_has_a_line_per_direction(void **state)
{
	struct flow_record record = tcp_record();

	assert_string_equal(printed(&json, &record),
		"{\"type\":\"IPFIX\",\"sampling_rate\":100,"
		"\"time_flow_start_ns\":1700000011000000001,"
		"\"time_flow_end_ns\":1700000011500000002,\"bytes\":398,\"packets\":6,"
		"\"src_addr\":\"10.0.0.1\",\"dst_addr\":\"10.0.0.9\",\"etype\":\"IPv4\","
		"\"proto\":\"TCP\",\"src_port\":40000,\"dst_port\":80,\"in_if\":2,\"out_if\":3,"
		"\"src_mac\":\"02:00:00:00:00:ab\",\"dst_mac\":\"02:00:00:00:00:01\","
		"\"vlan_id\":42,\"ip_tos\":184,\"ip_ttl\":61,\"tcp_flags\":283,"
		"\"icmp_type\":0,\"icmp_code\":0,\"ipv6_flow_label\":0,"
		"\"mpls_label\":[74565,16],\"observation_domain_id\":5,\"flow_direction\":0,"
		"\"bi_flow_direction\":1,\"flow_end_reason\":3,\"flow_id\":7}\n"
		"{\"type\":\"IPFIX\",\"sampling_rate\":100,"
		"\"time_flow_start_ns\":1700000011100000000,"
		"\"time_flow_end_ns\":1700000013600000000,\"bytes\":2929,\"packets\":5,"
		"\"src_addr\":\"10.0.0.9\",\"dst_addr\":\"10.0.0.1\",\"etype\":\"IPv4\","
		"\"proto\":\"TCP\",\"src_port\":80,\"dst_port\":40000,\"in_if\":0,\"out_if\":0,"
		"\"src_mac\":\"00:00:00:00:00:00\",\"dst_mac\":\"00:00:00:00:00:00\","
		"\"vlan_id\":0,\"ip_tos\":0,\"ip_ttl\":0,\"tcp_flags\":18,"
		"\"icmp_type\":0,\"icmp_code\":0,\"ipv6_flow_label\":0,"
		"\"mpls_label\":[],\"observation_domain_id\":5,\"flow_direction\":1,"
		"\"bi_flow_direction\":2,\"flow_end_reason\":3,\"flow_id\":7}\n");
}

static void print_leaves_out_a_direction_without_packets(void **state)
{
	struct flow_record record = ping6_record();
	const char *text = printed(&json, &record);

	assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
}

static void print_json_tells_icmp_from_ports(void **state)
{
	struct flow_record record = ping6_record();
	const char *text = printed(&json, &record);

	assert_non_null(strstr(text, "\"src_port\":0,\"dst_port\":0,"));
	assert_non_null(strstr(text, "\"icmp_type\":128,\"icmp_code\":0,"));
	assert_non_null(strstr(text, "\"ipv6_flow_label\":74565,"));
	assert_non_null(strstr(text, "\"bi_flow_direction\":0,"));
}

static void print_writes_v6_addresses_the_short_way(void **state)
{
	/* RFC 5952 4.2: the longest run of zeros, the first of two, never a single group. */
	static const struct {
		uint8_t address[16];
		const char *text;
	} rows[] = {
		{ { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 }, "\"2001:db8::1\"" },
		{ { 0x20, 0x01, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1 }, "\"2001:0:1::1\"" },
		{ { 0x20, 0x01, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 1 },
			"\"2001::1:0:0:1:1\"" },
		{ { 0x20, 0x01, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1 },
			"\"2001:0:1:1:1:1:1:1\"" },
		{ { 0 }, "\"::\"" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_record record = ping6_record();

		memcpy(record.address[0], rows[i].address, 16);
		assert_non_null(strstr(printed(&json, &record), rows[i].text));
	}
}

static void print_writes_counters_of_64_bits(void **state)
{
	struct flow_record record = ping6_record();

	record.side[0].octets = UINT64_MAX;
	record.side[0].packets = UINT64_MAX - 1;
	assert_non_null(strstr(printed(&json, &record),
		"\"bytes\":18446744073709551615,\"packets\":18446744073709551614,"));
	assert_non_null(strstr(printed(&json, &record), "\"flow_id\":18446744073709551615}"));
}

static void print_names_protocols_as_goflow2_and_numbers_the_rest(void **state)
{
	static const struct {
		uint8_t protocol;
		const char *text;
	} rows[] = {
		{ 1, "\"proto\":\"ICMP\"," },
		{ 17, "\"proto\":\"UDP\"," },
		{ 132, "\"proto\":\"SCTP\"," },
		{ 47, "\"proto\":\"47\"," },
		{ 255, "\"proto\":\"255\"," },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_record record = tcp_record();

		record.protocol = rows[i].protocol;
		assert_non_null(strstr(printed(&json, &record), rows[i].text));
	}
}

static unsigned commas(const char *text, size_t length)
{
	unsigned count = 0;

	for (size_t i = 0; i < length; i++)
		count += text[i] == ',';
	return count;
}

static void print_csv_has_the_columns_of_its_header(void **state)
{
	struct flow_record record = tcp_record();
	const char *names = header(&csv);
	const char *text = printed(&csv, &record);
	const char *second = strchr(text, '\n') + 1;

	assert_memory_equal(names, "type,sampling_rate,time_flow_start_ns,", 38);
	assert_int_equal(commas(text, (size_t)(second - text)), commas(names, strlen(names)));
	assert_int_equal(commas(second, strlen(second)), commas(names, strlen(names)));
	assert_memory_equal(text,
		"IPFIX,1,1700000011000000001,1700000011500000002,398,6,10.0.0.1,10.0.0.9,IPv4,"
		"TCP,"
		"40000,80,2,3,02:00:00:00:00:ab,02:00:00:00:00:01,42,184,61,283,0,0,0,74565 "
		"16,5,"
		"0,1,3,7\n",
		(size_t)(second - text));
}

static void print_json_has_no_header(void **state)
{
	assert_string_equal(header(&json), "");
}

static void print_table_is_aligned_with_its_header(void **state)
{
	struct flow_record record = tcp_record();

	assert_string_equal(header(&table),
		"Start (UTC)              Duration Proto   Source                     "
		"Destination                 Packets       Octets Flags     ToS Reason\n");
	assert_string_equal(printed(&table, &record),
		"2023-11-14 22:13:31.000     0.500 TCP     10.0.0.1:40000           > "
		"10.0.0.9:80                       6          398 ...AP.SF 184 end\n"
		"2023-11-14 22:13:31.100     2.500 TCP     10.0.0.9:80              > "
		"10.0.0.1:40000                    5         2929 ...A..S.   0 end\n");
}

static void print_table_shows_type_and_code_of_icmp(void **state)
{
	struct flow_record record = ping6_record();

	assert_non_null(strstr(
		printed(&table, &record), " 2001:db8::1              > [2001:db8::2]:128.0 "));
}

static void print_table_knows_the_calendar(void **state)
{
	/* Seconds since 1970 and the day, from `date -u -d @N`. */
	static const struct {
		uint64_t seconds;
		const char *text;
	} rows[] = {
		{ 0, "1970-01-01 00:00:00.000 " },
		{ 951782399, "2000-02-28 23:59:59.000 " },
		{ 951782400, "2000-02-29 00:00:00.000 " },
		{ 951868800, "2000-03-01 00:00:00.000 " },
		{ 1709164800, "2024-02-29 00:00:00.000 " },
		{ 1735689599, "2024-12-31 23:59:59.000 " },
		{ 4107542400, "2100-03-01 00:00:00.000 " },
		{ 18446744073, "2554-07-21 23:34:33.000 " },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_record record = ping6_record();

		record.side[0].first_ns = rows[i].seconds * 1000000000;
		record.side[0].last_ns = record.side[0].first_ns;
		assert_memory_equal(
			printed(&table, &record), rows[i].text, strlen(rows[i].text));
	}
}

static void print_table_has_no_negative_duration(void **state)
{
	struct flow_record record = ping6_record();

	record.side[0].first_ns = 2000000000;
	record.side[0].last_ns = 1000000000;
	assert_non_null(strstr(printed(&table, &record), "     0.000 "));
}

static void print_takes_any_end_reason(void **state)
{
	struct flow_record record = tcp_record();

	for (unsigned reason = 0; reason < 256; reason++) {
		record.end_reason = (uint8_t)reason;
		assert_true(strlen(printed(&table, &record)) > 0);
	}
}

static void print_stays_in_its_room_with_everything_at_its_largest(void **state)
{
	struct flow_record record;
	uint32_t labels[FLOW_MPLS_MAX];

	memset(&record, 0xff, sizeof(record));
	memset(labels, 0xff, sizeof(labels));
	record.side[0].mpls = record.side[1].mpls = labels;
	record.ip_version = 6;
	record.is_icmp = record.is_initiator_known = true;
	record.side[0].is_egress = record.side[1].is_egress = true;
	for (int format = PRINT_TABLE; format <= PRINT_CSV; format++) {
		struct print_config config = {
			.format = (enum print_format)format,
			.sampling_interval = UINT32_MAX,
			.domain = UINT32_MAX,
		};
		const char *text = printed(&config, &record);

		assert_true(strlen(text) < PRINT_BYTES_MAX / 2);
		assert_int_equal(text[strlen(text) - 1], '\n');
	}
}

static void assert_prints_number(uint64_t number)
{
	struct flow_record record = tcp_record();
	char field[64];

	record.side[0].octets = number;
	snprintf(field, sizeof(field), ",\"bytes\":%" PRIu64 ",\"packets\":6,", number);
	assert_non_null(strstr(printed(&json, &record), field));
}

static void print_writes_numbers_of_any_length(void **state)
{
	for (uint64_t power = 1;; power *= 10) {
		assert_prints_number(power - 1);
		assert_prints_number(power);
		assert_prints_number(power + 7);
		if (power > UINT64_MAX / 10)
			break;
	}
	assert_prints_number(UINT64_MAX);
	assert_prints_number(UINT64_C(9081726354453627181));
}

static void print_none_prints_nothing(void **state)
{
	struct flow_record record = tcp_record();
	struct print_config none = { .format = PRINT_NONE };

	assert_string_equal(header(&none), "");
	assert_string_equal(printed(&none, &record), "");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(print_json_has_a_line_per_direction),
	cmocka_unit_test(print_leaves_out_a_direction_without_packets),
	cmocka_unit_test(print_json_tells_icmp_from_ports),
	cmocka_unit_test(print_writes_v6_addresses_the_short_way),
	cmocka_unit_test(print_writes_counters_of_64_bits),
	cmocka_unit_test(print_names_protocols_as_goflow2_and_numbers_the_rest),
	cmocka_unit_test(print_csv_has_the_columns_of_its_header),
	cmocka_unit_test(print_json_has_no_header),
	cmocka_unit_test(print_table_is_aligned_with_its_header),
	cmocka_unit_test(print_table_shows_type_and_code_of_icmp),
	cmocka_unit_test(print_table_knows_the_calendar),
	cmocka_unit_test(print_table_has_no_negative_duration),
	cmocka_unit_test(print_takes_any_end_reason),
	cmocka_unit_test(print_stays_in_its_room_with_everything_at_its_largest),
	cmocka_unit_test(print_writes_numbers_of_any_length),
	cmocka_unit_test(print_none_prints_nothing),
};

UNIT_MAIN("print", tests)
