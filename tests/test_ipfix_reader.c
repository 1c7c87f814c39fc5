/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages written by hand, from the RFCs, and what is read from them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/ipfix_flow.h"
#include "sensor/ipfix_json.h"
#include "tests/unit.h"

static struct ipfix_reader *reader;
static char text[65536];
static unsigned record_count;

static void write_json(void *user, const struct ipfix_record *record)
{
	FILE *out = fmemopen(text + strlen(text), sizeof(text) - strlen(text), "w");

	record_count++;
	assert_non_null(out);
	assert_int_equal(ipfix_json_write(reader, record, out), 0);
	fclose(out);
}

static int begin(void **state)
{
	text[0] = 0;
	record_count = 0;
	return ipfix_reader_new(write_json, NULL, &reader);
}

static int end(void **state)
{
	ipfix_reader_free(reader);
	return 0;
}

/* A message of domain 7, exported at 1700000000, with these sets behind its header; in memory
 * of its own, so that a sanitizer sees its end. */
static int take_cut(const uint8_t *sets, size_t sets_bytes, size_t length, size_t *ret_offset)
{
	uint8_t *message = malloc(16 + sets_bytes);
	static const uint8_t header[16] = { 0, 10, 0, 0, 0x65, 0x53, 0xf1, 0, 0, 0, 0, 0, 0, 0,
		0, 7 };

	memcpy(message, header, 16);
	memcpy(message + 16, sets, sets_bytes);
	message[2] = (uint8_t)(length >> 8);
	message[3] = (uint8_t)length;
	assert_int_equal(ipfix_reader_length(reader, message), length);
	int rc = ipfix_reader_take(reader, message, length, ret_offset);
	free(message);
	return rc;
}

#define TAKE(...) \
	({ \
		static const uint8_t sets[] = { __VA_ARGS__ }; \
		size_t offset = 0; \
		take_cut(sets, sizeof(sets), 16 + sizeof(sets), &offset); \
	})

#define HEAD "{\"type\":\"IPFIX\",\"export_time\":1700000000,"
#define TAIL ",\"observation_domain_id\":7}\n"

static void flow_fields_have_the_names_of_print(void **state)
{
	/* template 256: src_addr 8/4, dst_addr 12/4, proto 4/1, octets 1/2, start 152/8 */
	assert_int_equal(TAKE(0, 2, 0, 28, 1, 0, 0, 5, 0, 8, 0, 4, 0, 12, 0, 4, 0, 4, 0, 1, 0,
				 1, 0, 2, 0, 152, 0, 8, 1, 0, 0, 23, 192, 0, 2, 1, 198, 51, 100,
				 2, 6, 1, 2, 0, 0, 1, 0x8b, 0xcf, 0xe5, 0x68, 0),
		0);

	assert_string_equal(text,
		HEAD "\"src_addr\":\"192.0.2.1\",\"dst_addr\":\"198.51.100.2\",\"proto\":"
		     "\"TCP\",\"bytes\":258,\"time_flow_start_ns\":1700000000000000000" TAIL);
}

static void lengths_may_stand_in_the_record(void **state)
{
	/* template 257: interfaceName 82, variable; two records, "eth0" and one of 300 "x" */
	uint8_t sets[12 + 4 + 5 + 3 + 300] = { 0, 2, 0, 12, 1, 1, 0, 1, 0, 82, 0xff, 0xff, 1, 1,
		(uint8_t)((4 + 5 + 303) >> 8), (uint8_t)(4 + 5 + 303), 4, 'e', 't', 'h', '0',
		255, 1, 44 };
	size_t offset;
	memset(sets + 24, 'x', 300);

	assert_int_equal(take_cut(sets, sizeof(sets), 16 + sizeof(sets), &offset), 0);

	assert_int_equal(record_count, 2);
	assert_non_null(strstr(text, "\"interfaceName\":\"eth0\""));
	assert_non_null(strstr(text, "\"interfaceName\":\"xxxxxxxx"));
}

static void unknown_elements_go_by_their_number(void **state)
{
	/* template 258: enterprise 41 element 5, 2 octets; IANA 9999, 1; reverse octets 1, 1 */
	assert_int_equal(
		TAKE(0, 2, 0, 28, 1, 2, 0, 3, 0x80, 5, 0, 2, 0, 0, 0, 41, 0x27, 0x0f, 0, 1,
			0x80, 1, 0, 1, 0, 0, 0x72, 0x79, 1, 2, 0, 8, 0xab, 0xcd, 0xef, 9),
		0);

	assert_string_equal(
		text, HEAD "\"e41.5\":\"abcd\",\"e0.9999\":\"ef\",\"reverse_bytes\":9" TAIL);
}

/* RFC 5610: options with scope 346, 303 and then 339 (type) and 341 (name). */
static void elements_are_what_the_data_say_they_are(void **state)
{
	assert_int_equal(
		TAKE(0, 3, 0, 26, 1, 3, 0, 4, 0, 2, 1, 0x5a, 0, 4, 1, 0x2f, 0, 2, 1, 0x53, 0, 1,
			1, 0x55, 0, 4, 1, 3, 0, 15, 0, 0, 0, 41, 0, 5, 2, 'l', 'o', 'a', 'd', 0,
			2, 0, 16, 1, 4, 0, 1, 0x80, 5, 0, 2, 0, 0, 0, 41, 1, 4, 0, 6, 1, 0),
		0);

	assert_int_equal(record_count, 2);
	assert_non_null(strstr(text, "{\"type\":\"IPFIX_OPTIONS\""));
	assert_non_null(strstr(text, HEAD "\"load\":256" TAIL));
}

static void templates_can_be_withdrawn(void **state)
{
	assert_int_equal(TAKE(0, 2, 0, 12, 1, 5, 0, 1, 0, 4, 0, 1, 1, 5, 0, 5, 6), 0);
	assert_int_equal(record_count, 1);

	assert_int_equal(TAKE(0, 2, 0, 8, 1, 5, 0, 0, 1, 5, 0, 5, 6), 0);

	assert_int_equal(record_count, 1);
	assert_int_equal(ipfix_reader_unknown_sets(reader), 1);
}

static void padding_is_no_record(void **state)
{
	assert_int_equal(TAKE(0, 2, 0, 12, 1, 5, 0, 1, 0, 7, 0, 2, 1, 5, 0, 7, 0, 80, 0), 0);

	assert_int_equal(record_count, 1);
}

static void an_element_that_comes_twice_is_there_twice(void **state)
{
	assert_int_equal(
		TAKE(0, 2, 0, 16, 1, 5, 0, 2, 0, 58, 0, 1, 0, 58, 0, 1, 1, 5, 0, 6, 1, 2), 0);

	assert_string_equal(text, HEAD "\"vlan_id\":1,\"vlan_id_2\":2" TAIL);
}

static void values_that_do_not_fit_their_type_are_octets(void **state)
{
	/* sourceIPv4Address 8 with 3 octets, octetDeltaCount 1 with 9, interfaceName no UTF-8
	 */
	assert_int_equal(TAKE(0, 2, 0, 20, 1, 5, 0, 3, 0, 8, 0, 3, 0, 1, 0, 9, 0, 82, 0, 1, 1,
				 5, 0, 17, 1, 2, 3, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0xff),
		0);

	assert_string_equal(text,
		HEAD "\"src_addr\":\"010203\",\"bytes\":\"010203040506070809\","
		     "\"interfaceName\":\"ff\"" TAIL);
}

static void numbers_too_large_for_json_are_strings(void **state)
{
	assert_int_equal(TAKE(0, 2, 0, 12, 1, 5, 0, 1, 0, 1, 0, 8, 1, 5, 0, 12, 255, 255, 255,
				 255, 255, 255, 255, 255),
		0);

	assert_non_null(strstr(text, "\"bytes\":\"18446744073709551615\""));
}

static void what_stands_before_the_damage_is_given(void **state)
{
	static const uint8_t sets[] = { 0, 2, 0, 12, 1, 5, 0, 1, 0, 4, 0, 1, 1, 5, 0, 5, 6, 1,
		5, 0, 200, 6 };
	size_t offset = 0;

	assert_int_equal(take_cut(sets, sizeof(sets), 16 + sizeof(sets), &offset), -EBADMSG);

	assert_int_equal(record_count, 1);
	assert_int_equal(offset, 16 + 17);
	assert_string_equal(ipfix_reader_why(reader), "a set ends behind its message");
}

static void damage_has_a_reason(void **state)
{
	assert_int_equal(TAKE(0, 2, 0, 9, 1, 5, 0, 9, 0), -EBADMSG);
	assert_int_equal(TAKE(0, 2, 0, 12, 0, 5, 0, 1, 0, 4, 0, 1), -EBADMSG);
	assert_int_equal(TAKE(0, 3, 0, 14, 1, 5, 0, 1, 0, 2, 0, 4, 0, 1), -EBADMSG);
	assert_int_equal(TAKE(0, 77, 0, 4), -EBADMSG);
	assert_int_equal(TAKE(0, 2, 0, 12, 1, 5, 0, 1, 0, 4, 0, 0, 1, 5, 0, 5, 0), -EBADMSG);
	assert_int_equal(
		TAKE(0, 2, 0, 12, 1, 5, 0, 1, 0, 82, 255, 255, 1, 5, 0, 5, 9), -EBADMSG);
	assert_string_equal(ipfix_reader_why(reader), "a record ends behind its set");
}

static void a_header_that_is_none_is_refused(void **state)
{
	static const uint8_t netflow9[16] = { 0, 9, 0, 20 }, empty[16] = { 0, 10, 0, 15 };

	assert_int_equal(ipfix_reader_length(reader, netflow9), 0);
	assert_string_equal(ipfix_reader_why(reader), "this is no IPFIX message");
	assert_int_equal(ipfix_reader_length(reader, empty), 0);
}

/* A message with everything, cut at every octet: nothing is read behind the end, and a shorter
 * one never has more records. */
static void no_cut_is_read_beyond_its_end(void **state)
{
	static const uint8_t sets[] = { 0, 3, 0, 26, 1, 3, 0, 4, 0, 2, 1, 0x5a, 0, 4, 1, 0x2f,
		0, 2, 1, 0x53, 0, 1, 1, 0x55, 0, 4, 1, 3, 0, 15, 0, 0, 0, 41, 0, 5, 2, 'l', 'o',
		'a', 'd', 0, 2, 0, 20, 1, 1, 0, 2, 0, 82, 0xff, 0xff, 0x80, 5, 0, 2, 0, 0, 0,
		41, 1, 1, 0, 11, 4, 'e', 't', 'h', '0', 1, 2 };
	unsigned before = 0;

	for (size_t length = 0; length <= sizeof(sets); length++) {
		size_t offset = 0;
		ipfix_reader_free(reader);
		assert_int_equal(begin(state), 0);
		int rc = take_cut(sets, length, 16 + length, &offset);
		assert_true(rc == 0 || rc == -EBADMSG);
		assert_true(offset <= 16 + length);
		assert_true(record_count >= before);
		before = record_count;
	}
	assert_int_equal(before, 2);
}

static void times_of_both_eras_are_unix_times(void **state)
{
	static const uint8_t first[8] = { 0xe8, 0xfe, 0x6f, 0x80, 0x80, 0, 0, 0 },
			     second[8] = { 0, 0, 0, 1, 0, 0, 0, 0 };
	struct ipfix_value value = { first, 8 };

	assert_true(ipfix_time_ns(&value, IPFIX_NANOSECONDS) == UINT64_C(1700000000500000000));
	value.bytes = second;
	assert_true(
		ipfix_time_ns(&value, IPFIX_MICROSECONDS) == UINT64_C(2085978497) * 1000000000);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, begin, end)

static const struct CMUnitTest tests[] = {
	CASE(flow_fields_have_the_names_of_print),
	CASE(lengths_may_stand_in_the_record),
	CASE(unknown_elements_go_by_their_number),
	CASE(elements_are_what_the_data_say_they_are),
	CASE(templates_can_be_withdrawn),
	CASE(padding_is_no_record),
	CASE(an_element_that_comes_twice_is_there_twice),
	CASE(values_that_do_not_fit_their_type_are_octets),
	CASE(numbers_too_large_for_json_are_strings),
	CASE(what_stands_before_the_damage_is_given),
	CASE(damage_has_a_reason),
	CASE(a_header_that_is_none_is_refused),
	CASE(no_cut_is_read_beyond_its_end),
	CASE(times_of_both_eras_are_unix_times),
};

UNIT_MAIN("ipfix_reader", tests)
