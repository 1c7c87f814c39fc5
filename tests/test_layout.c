/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/layout.h"
#include "tests/assert_hex.h"
#include "tests/export_samples.h"
#include "tests/unit.h"

/* Write one element of .owner and compare. */
static void assert_element(
	enum element element, const void *owner, unsigned direction, const char *expected)
{
	uint8_t bytes[64];
	struct wire out = wire_over(bytes, sizeof(bytes));
	struct layout layout = layout_make(256, layout_element_owner(element));
	struct layout_source source = {
		.flow = owner,
		.facts = owner,
		.direction = direction,
		.boot_ms = SAMPLE_BOOT_NS / MS,
	};
	layout_add(&layout, element);

	layout_put_record(&out, &layout, &source);

	assert_hex(bytes, out.length, expected);
}

static void layout_takes_each_direction_from_its_side(void **state)
{
	struct flow_record r = sample_tcp();

	assert_element(ELEMENT_sourceIPv4Address, &r, 0, "c0000201");
	assert_element(ELEMENT_sourceIPv4Address, &r, 1, "c6336402");
	assert_element(ELEMENT_destinationIPv4Address, &r, 0, "c6336402");
	assert_element(ELEMENT_destinationIPv4Address, &r, 1, "c0000201");
	assert_element(ELEMENT_sourceTransportPort, &r, 0, "c000");
	assert_element(ELEMENT_sourceTransportPort, &r, 1, "01bb");
	assert_element(ELEMENT_destinationTransportPort, &r, 0, "01bb");
	assert_element(ELEMENT_destinationTransportPort, &r, 1, "c000");
	assert_element(ELEMENT_octetDeltaCount, &r, 0, "00000000000003e8");
	assert_element(ELEMENT_octetDeltaCount, &r, 1, "0000000000001f40");
	assert_element(ELEMENT_sourceMacAddress, &r, 1, "020000000002");
	assert_element(ELEMENT_destinationMacAddress, &r, 1, "020000000001");
	assert_element(ELEMENT_vlanId, &r, 1, "002b");
	assert_element(ELEMENT_flowDirection, &r, 0, "00");
	assert_element(ELEMENT_flowDirection, &r, 1, "01");
	assert_element(ELEMENT_protocolIdentifier, &r, 1, "06");
	assert_element(ELEMENT_flowEndReason, &r, 1, "03");
}

static void layout_sends_the_low_octet_of_control_bits(void **state)
{
	struct flow_record r = sample_tcp();

	assert_element(ELEMENT_tcpControlBits, &r, 0, "1b"); /* of 0x11b */
}

static void layout_reverses_elements(void **state)
{
	struct flow_record r = sample_tcp();
	struct layout layout = layout_make(256, OWNER_FLOW);
	uint8_t bytes[64];
	struct wire out = wire_over(bytes, sizeof(bytes));
	struct layout_source source = { .flow = &r, .direction = 0 };

	layout_add(&layout, ELEMENT_packetDeltaCount);
	layout_add_reverse(&layout, ELEMENT_packetDeltaCount);
	layout_put_record(&out, &layout, &source);
	layout_put_template(&out, &layout, true);

	assert_hex(bytes, out.length,
		"0000000000000005 0000000000000004" /* 5 packets, 4 back */
		"0100 0002"                         /* template 256, 2 fields */
		"0002 0008"                         /* packetDeltaCount */
		"8002 0008 00007279");              /* the same of PEN 29305 */
}

/* 1700000000 s is NTP second 3908988800 (e8fe6f80). */
static void layout_tells_time_in_every_form(void **state)
{
	struct flow_record r = sample_tcp();
	r.side[0].first_ns = SAMPLE_BOOT_NS + 123456789;

	assert_element(ELEMENT_flowStartSysUpTime, &r, 0, "0000007b");
	assert_element(ELEMENT_flowStartSeconds, &r, 0, "6553f100");
	assert_element(ELEMENT_flowStartMilliseconds, &r, 0, "0000018bcfe5687b");
	/* .123456 s: 0x1f9acffa.. of 2^32, up to the next multiple of 2^11 */
	assert_element(ELEMENT_flowStartMicroseconds, &r, 0, "e8fe6f80 1f9ad000");
	/* .123456789 s * 2^32 = 0x1f9add37.4, up to the next whole */
	assert_element(ELEMENT_flowStartNanoseconds, &r, 0, "e8fe6f80 1f9add38");
}

static uint64_t written_u64(enum element element, const struct flow_record *record)
{
	uint8_t bytes[8];
	struct wire out = wire_over(bytes, sizeof(bytes));
	struct layout layout = layout_make(256, OWNER_FLOW);
	struct layout_source source = { .flow = record };
	layout_add(&layout, element);
	layout_put_record(&out, &layout, &source);
	assert_false(out.has_overflowed);
	uint64_t value = 0;
	for (unsigned i = 0; i < 8; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* Readers that cut and readers that round must both get the unit back. */
static void assert_fraction(uint64_t ntp, uint64_t units, uint64_t per_second)
{
	uint64_t scaled_low = (uint32_t)ntp * per_second;
	assert_int_equal(scaled_low >> 32, units);
	assert_int_equal((scaled_low + (UINT64_C(1) << 31)) >> 32, units);
}

static void layout_loses_no_microsecond_to_rounding(void **state)
{
	struct flow_record r = sample_tcp();
	for (uint64_t us = 0; us < 1000000; us++) {
		r.side[0].first_ns = SAMPLE_BOOT_NS + us * 1000 + 999;
		uint64_t ntp = written_u64(ELEMENT_flowStartMicroseconds, &r);
		assert_int_equal(ntp >> 32, 0xe8fe6f80);
		assert_int_equal(ntp & 0x7ff, 0);
		assert_fraction(ntp, us, 1000000);
	}
}

static void layout_loses_no_nanosecond_to_rounding(void **state)
{
	struct flow_record r = sample_tcp();
	for (uint64_t ns = 0; ns < S; ns += ns < 1000 || ns > S - 1000 ? 1 : 7919) {
		r.side[0].first_ns = SAMPLE_BOOT_NS + ns;
		uint64_t ntp = written_u64(ELEMENT_flowStartNanoseconds, &r);
		assert_int_equal(ntp >> 32, 0xe8fe6f80);
		assert_fraction(ntp, ns, S);
	}
}

static void layout_wraps_ntp_seconds_in_2036(void **state)
{
	struct flow_record r = sample_tcp();
	r.side[0].first_ns = UINT64_C(2085978496) * S; /* 2036-02-07 06:28:16 */

	assert_element(ELEMENT_flowStartNanoseconds, &r, 0, "00000000 00000000");
}

static void layout_tells_uptime_modulo_2_32(void **state)
{
	struct flow_record r = sample_tcp();
	r.side[0].first_ns = SAMPLE_BOOT_NS + (UINT64_C(0xffffffff) + 2) * MS; /* 49.7 days */
	r.side[0].last_ns = SAMPLE_BOOT_NS - 1 * MS;

	assert_element(ELEMENT_flowStartSysUpTime, &r, 0, "00000001");
	assert_element(ELEMENT_flowEndSysUpTime, &r, 0, "ffffffff");
}

static void layout_sends_zero_for_labels_that_are_not_there(void **state)
{
	struct flow_record r = sample_tcp();
	const uint32_t labels[] = { 0x00abcdef, 0x00111111 /* not counted */ };
	r.side[0].mpls_count = 1;
	r.side[0].mpls = labels;

	assert_element(ELEMENT_mplsTopLabelStackSection, &r, 0, "abcdef");
	assert_element(ELEMENT_mplsLabelStackSection2, &r, 0, "000000");
	assert_element(ELEMENT_mplsTopLabelStackSection, &r, 1, "000000");
}

static void layout_sends_the_largest_value_for_what_does_not_fit(void **state)
{
	struct flow_record r = sample_tcp();
	r.side[0].ingress_if = 0x10000;
	r.side[0].octets = UINT64_C(1) << 32;
	struct layout layout = layout_make(0, OWNER_FLOW);
	layout_add_narrow(&layout, ELEMENT_ingressInterface, 2);
	layout_add_narrow(&layout, ELEMENT_egressInterface, 2);
	layout_add_narrow(&layout, ELEMENT_octetDeltaCount, 4);
	layout_add_zeros(&layout, 2);
	struct layout_source source = { .flow = &r };
	uint8_t bytes[16];
	struct wire out = wire_over(bytes, sizeof(bytes));

	layout_put_record(&out, &layout, &source);

	assert_hex(bytes, out.length, "ffff 0007 ffffffff 0000");
	assert_int_equal(source.saturated, 2);
}

static void layout_writes_options_templates_of_both_versions(void **state)
{
	struct layout layout = layout_make(272, OWNER_FACTS);
	layout_add_scope(&layout, ELEMENT_observationDomainId);
	layout_add(&layout, ELEMENT_samplingInterval);
	layout_add(&layout, ELEMENT_samplingAlgorithm);
	uint8_t bytes[64];
	struct wire ipfix = wire_over(bytes, sizeof(bytes));
	struct wire v9 = wire_over(bytes + 32, 32);

	layout_put_template(&ipfix, &layout, true);
	layout_put_template(&v9, &layout, false);

	assert_int_equal(layout_template_bytes(&layout), 18);
	assert_hex(bytes, ipfix.length,
		"0110 0003 0001"        /* id, fields, scope fields */
		"0095 0004"             /* observationDomainId */
		"0022 0004 0023 0001"); /* samplingInterval, samplingAlgorithm */
	assert_hex(bytes + 32, v9.length,
		"0110 0004 0008" /* id, octets of scopes, of options */
		"0001 0004"      /* scope system */
		"0022 0004 0023 0001");
}

/* Every element can be written, and a record is written whole or not at all. */
static void layout_writes_whole_records_or_nothing(void **state)
{
	struct flow_record record = sample_tcp();
	struct layout_facts facts = { .domain = 1 };
	for (unsigned element = 0; element < ELEMENT_COUNT; element++) {
		enum element_owner owner = layout_element_owner((enum element)element);
		struct layout layout = layout_make(256, owner);
		layout_add(&layout, (enum element)element);
		layout_add(&layout, (enum element)element);
		for (size_t capacity = 0; capacity <= layout.record_bytes; capacity++) {
			uint8_t bytes[80];
			memset(bytes, 0xa5, sizeof(bytes));
			struct wire out = wire_over(bytes, capacity);
			struct layout_source source = { .flow = &record, .facts = &facts };

			layout_put_record(&out, &layout, &source);

			bool is_whole = capacity == layout.record_bytes;
			assert_int_equal(out.has_overflowed, !is_whole);
			assert_int_equal(out.length, is_whole ? capacity : 0);
			for (size_t i = out.length; i < sizeof(bytes); i++)
				assert_int_equal(bytes[i], 0xa5);
		}
	}
}

static unsigned most_octets(const char *type, unsigned otherwise)
{
	static const struct {
		const char *type;
		unsigned octets;
	} integers[] = { { "unsigned8", 1 }, { "unsigned16", 2 }, { "unsigned32", 4 },
		{ "unsigned64", 8 } };
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		if (strcmp(integers[i].type, type) == 0)
			return integers[i].octets;
	return otherwise;
}

/* RFC 7011 6.2: integers may be shorter than their type, all else may not. */
static void element_rows_are_as_long_as_their_types_allow(void **state)
{
	static const struct {
		const char *type;
		unsigned octets;
	} fixed[] = { { "ipv4Address", 4 }, { "ipv6Address", 16 }, { "macAddress", 6 },
		{ "dateTimeSeconds", 4 }, { "dateTimeMilliseconds", 8 },
		{ "dateTimeMicroseconds", 8 }, { "dateTimeNanoseconds", 8 } };
	for (unsigned element = 0; element < ELEMENT_COUNT; element++) {
		const struct element_info *info = &element_infos[element];
		assert_in_range(info->octets, 1, most_octets(info->type, 255));
		for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
			if (strcmp(fixed[i].type, info->type) == 0)
				assert_int_equal(info->octets, fixed[i].octets);
	}
}

static void element_rows_have_a_sentence(void **state)
{
	for (unsigned element = 0; element < ELEMENT_COUNT; element++) {
		const char *sentence = element_infos[element].sentence;
		assert_true(strlen(sentence) >= 5);
		assert_int_not_equal(sentence[strlen(sentence) - 1], '.');
	}
}

static void layout_tells_icmp_type_and_code_apart(void **state)
{
	struct flow_record r = sample_icmp();
	r.side[0].icmp_type_code = 3 * 256 + 13;

	assert_element(ELEMENT_icmpTypeCodeIPv4, &r, 0, "030d");
	assert_element(ELEMENT_icmpTypeIPv4, &r, 0, "03");
	assert_element(ELEMENT_icmpCodeIPv4, &r, 0, "0d");
	assert_element(ELEMENT_icmpTypeIPv6, &r, 0, "03");
	assert_element(ELEMENT_icmpCodeIPv6, &r, 0, "0d");
}

static void layout_tells_both_ends_of_ttl(void **state)
{
	struct flow_record r = sample_tcp();
	r.side[1].min_ttl = 57;
	r.side[1].max_ttl = 255;

	assert_element(ELEMENT_minimumTTL, &r, 1, "39");
	assert_element(ELEMENT_maximumTTL, &r, 1, "ff");
}

static void layout_tells_the_flow_of_both_directions(void **state)
{
	struct flow_record r = sample_tcp();
	r.flow_id = UINT64_C(0x123456789abcdef0);

	assert_element(ELEMENT_flowId, &r, 0, "123456789abcdef0");
	assert_element(ELEMENT_flowId, &r, 1, "123456789abcdef0");
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(element_rows_are_as_long_as_their_types_allow),
	cmocka_unit_test(element_rows_have_a_sentence),
	cmocka_unit_test(layout_tells_icmp_type_and_code_apart),
	cmocka_unit_test(layout_tells_both_ends_of_ttl),
	cmocka_unit_test(layout_tells_the_flow_of_both_directions),
	cmocka_unit_test(layout_takes_each_direction_from_its_side),
	cmocka_unit_test(layout_sends_the_low_octet_of_control_bits),
	cmocka_unit_test(layout_reverses_elements),
	cmocka_unit_test(layout_tells_time_in_every_form),
	cmocka_unit_test(layout_loses_no_microsecond_to_rounding),
	cmocka_unit_test(layout_loses_no_nanosecond_to_rounding),
	cmocka_unit_test(layout_wraps_ntp_seconds_in_2036),
	cmocka_unit_test(layout_tells_uptime_modulo_2_32),
	cmocka_unit_test(layout_sends_zero_for_labels_that_are_not_there),
	cmocka_unit_test(layout_sends_the_largest_value_for_what_does_not_fit),
	cmocka_unit_test(layout_writes_options_templates_of_both_versions),
	cmocka_unit_test(layout_writes_whole_records_or_nothing),
};

UNIT_MAIN("layout", tests)
