/* SPDX-License-Identifier: BSD-2-Clause */
/* IPFIX: templates, options, records, biflow. */
#include "export/exporter.h"
#include "export/transport_memory.h"
#include "tests/assert_hex.h"
#include "tests/export_reader.h"
#include "tests/export_samples.h"
#include "tests/export_session.h"
#include "tests/unit.h"

static void export_one(const struct exporter_config *config, const struct flow_record *record)
{
	struct exporter *exporter = start(config);
	exporter_add(exporter, record, SAMPLE_BOOT_NS + 3250 * MS);
	exporter_free(exporter);
	read_all();
}

static void ipfix_sends_templates_options_and_data_in_one_message(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	struct flow_record icmp6 = sample_icmp6();
	config.interface_name = config.interface_description =
		"changed"; /* read at the start */

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3250 * MS);
	exporter_add(exporter, &icmp6, SAMPLE_BOOT_NS + 3250 * MS);
	exporter_free(exporter);

	assert_int_equal(memory.count, 1);
	assert_hex(memory.messages[0].bytes, memory.messages[0].length,
		"000a 02eb 6553f103 00000000 01020304" /* length, second, sequence, domain */
		"0002 013c"                            /* templates */
		"0100 0013"                            /* 256: IPv4, 19 fields */
		"0008 0004 000c 0004"           /* sourceIPv4Address, destinationIPv4Address */
		"0098 0008 0099 0008"           /* flowStartMilliseconds, flowEndMilliseconds */
		"0001 0008 0002 0008"           /* octetDeltaCount, packetDeltaCount */
		"0007 0002 000b 0002"           /* source and destinationTransportPort */
		"000a 0004 000e 0004"           /* ingressInterface, egressInterface */
		"0004 0001 0005 0001"           /* protocolIdentifier, ipClassOfService */
		"0006 0001 0088 0001 003d 0001" /* TCP flags, end reason, direction */
		"003a 0002"                     /* vlanId */
		"0038 0006 0050 0006"           /* sourceMacAddress, destinationMacAddress */
		"003c 0001"                     /* ipVersion */
		"0101 0014"                     /* 257: IPv6, with flowLabelIPv6 at the end */
		"001b 0010 001c 0010 0098 0008 0099 0008 0001 0008 0002 0008 0007 0002 000b "
		"0002"
		"000a 0004 000e 0004 0004 0001 0005 0001 0006 0001 0088 0001 003d 0001 003a "
		"0002"
		"0038 0006 0050 0006 003c 0001 001f 0004"
		"0102 0011" /* 258: icmpTypeCodeIPv4, no ports, no control bits */
		"0008 0004 000c 0004 0098 0008 0099 0008 0001 0008 0002 0008 0020 0002"
		"000a 0004 000e 0004 0004 0001 0005 0001 0088 0001 003d 0001 003a 0002"
		"0038 0006 0050 0006 003c 0001"
		"0103 0012" /* 259: icmpTypeCodeIPv6 */
		"001b 0010 001c 0010 0098 0008 0099 0008 0001 0008 0002 0008 008b 0002"
		"000a 0004 000e 0004 0004 0001 0005 0001 0088 0001 003d 0001 003a 0002"
		"0038 0006 0050 0006 003c 0001 001f 0004"
		"0003 0012"                          /* options template */
		"0110 0002 0001 0095 0004 0022 0004" /* by domain: samplingInterval */
		"0110 000c 01020304 00000001"        /* every packet */
		"0003 0016"
		"0112 0003 0001 000a 0004" /* by ingressInterface */
		"0052 0010 0053 0020"      /* interfaceName, interfaceDescription */
		"0112 0038 00000003"
		"65746830 00000000 00000000 00000000" /* eth0 */
		"75706c69 6e6b0000 00000000 00000000" /* uplink */
		"00000000 00000000 00000000 00000000"
		"0003 001a"
		"0113 0004 0001 0090 0004"      /* by exportingProcessId: totals of */
		"0029 0008 002a 0008 0028 0008" /* messages, flow records, octets */
		"0113 0020 0000004d 0000000000000000 0000000000000000 0000000000000000"
		"0100 0094"                         /* data of 256 */
		"c0000201 c6336402"                 /* 192.0.2.1 to 198.51.100.2 */
		"0000018bcfe56be8 0000018bcfe571c4" /* 1700000001.000 to 1700000002.500 */
		"00000000000003e8 0000000000000005" /* 1000 octets, 5 packets */
		"c000 01bb 00000003 00000007"       /* ports, interfaces */
		"06 10 1b 03 00 002a" /* TCP, ToS, flags, end of flow, ingress, VLAN 42 */
		"020000000001 020000000002 04" /* MACs, IPv4 */
		"c6336402 c0000201"            /* and what came back */
		"0000018bcfe56bf2 0000018bcfe57228"
		"0000000000001f40 0000000000000004"
		"01bb c000 00000007 00000003"
		"06 b8 13 03 01 002b"
		"020000000002 020000000001 04"
		"0103 0065" /* data of 259 */
		"20010db8000000000000000000000001 20010db8000000000000000000000002"
		"0000018bcfe56be8 0000018bcfe571c4"
		"00000000000003e8 0000000000000005"
		"8000 00000003 00000007" /* echo request */
		"3a 10 02 00 002a"       /* ICMPv6, ToS, active timeout */
		"020000000001 020000000002 06 00012345");
}

static void ipfix_counts_options_data_in_its_sequence(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	for (unsigned i = 0; i < 3; i++) {
		exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
		exporter_flush(exporter, SAMPLE_BOOT_NS + 3 * S);
	}
	exporter_free(exporter);

	read_all();
	assert_int_equal(reader.gap, 0);
	assert_hex(memory.messages[0].bytes + 8, 4, "00000000");
	assert_hex(memory.messages[1].bytes + 8, 4, "00000005"); /* 3 options and 2 flows */
	assert_hex(memory.messages[2].bytes + 8, 4, "00000007");
}

static void ipfix_tells_its_totals(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
	exporter_flush(exporter, SAMPLE_BOOT_NS + 3 * S);
	exporter_refresh_templates(exporter);
	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 4 * S);
	exporter_free(exporter);

	read_all();
	const struct reader_record *totals = reader_options(&reader, 41, 1);
	assert_int_equal(reader_value(totals, 144, false), 77);
	assert_int_equal(reader_value(totals, 41, false), 1);
	assert_int_equal(reader_value(totals, 42, false), 2);
	assert_int_equal(reader_value(totals, 40, false), memory.messages[0].length);
}

static void ipfix_leaves_the_interface_out_when_it_has_no_name(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	config.interface_name = config.interface_description = "";

	export_one(&config, &tcp);

	for (unsigned i = 0; i < reader.template_count; i++)
		assert_int_not_equal(reader.templates[i].id, 274);
}

static void ipfix_cuts_names_between_characters(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	config.interface_name = "fifteen-octets-\xc3\xa9"; /* the last character does not fit */
	unsigned octets = 0;

	export_one(&config, &tcp);

	const uint8_t *name = reader_find(reader_options(&reader, 82, 0), 82, false, &octets);
	assert_int_equal(octets, 16);
	assert_memory_equal(name, "fifteen-octets-\0", 16);
}

static void ipfix_tells_boot_before_times_relative_to_it(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	config.time = EXPORT_TIME_UPTIME;
	config.boot_ns = SAMPLE_BOOT_NS + 999999;

	export_one(&config, &tcp);

	const struct reader_record *init = reader_options(&reader, 160, 0);
	assert_true(init < reader_flow(&reader, 0));
	assert_int_equal(reader_value(init, 160, false), SAMPLE_BOOT_NS / MS);
	assert_int_equal(reader_value(reader_flow(&reader, 0), 22, false), 1000);
	assert_int_equal(reader_value(reader_flow(&reader, 0), 21, false), 2500);
}

static void ipfix_has_a_pair_of_times_each_way_for_each_form(void **state)
{
	static const uint16_t elements[][2] = {
		[EXPORT_TIME_UPTIME] = { 22, 21 },
		[EXPORT_TIME_SECONDS] = { 150, 151 },
		[EXPORT_TIME_MILLISECONDS] = { 152, 153 },
		[EXPORT_TIME_MICROSECONDS] = { 154, 155 },
		[EXPORT_TIME_NANOSECONDS] = { 156, 157 },
	};
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	for (unsigned i = 0; i < 5; i++) {
		unsigned octets;
		config.time = (enum export_time)i;
		config.biflow = EXPORT_BIFLOW_FULL;

		export_one(&config, &tcp);

		for (unsigned k = 0; k < 5; k++) {
			const struct reader_record *flow = reader_flow(&reader, 0);
			for (unsigned n = 0; n < 4; n++) {
				const uint8_t *found =
					reader_find(flow, elements[k][n & 1], n & 2, &octets);
				assert_int_equal(found != NULL, k == i);
			}
		}
		transport_memory_clear(&memory);
	}
}

static void ipfix_carries_as_many_labels_as_asked(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	config.fields.mpls_labels = 10;
	tcp.side[0].mpls_count = 2;
	tcp.side[0].mpls = (const uint32_t[]){ 0x0003e8, 0x0007d1 };

	export_one(&config, &tcp);

	assert_int_equal(reader_value(reader_flow(&reader, 0), 70, false), 0x3e8);
	assert_int_equal(reader_value(reader_flow(&reader, 0), 71, false), 0x7d1);
	assert_int_equal(reader_value(reader_flow(&reader, 0), 72, false), 0);
	assert_int_equal(reader_value(reader_flow(&reader, 0), 79, false), 0);
	assert_int_equal(reader_value(reader_flow(&reader, 1), 70, false), 0);
}

static void ipfix_leaves_out_what_is_not_tracked(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record icmp = sample_icmp();
	config.fields = (struct export_fields){ 0 };
	static const uint16_t absent[] = { 7, 11, 6, 32, 58, 56, 80, 70 };
	unsigned octets;

	export_one(&config, &icmp);

	for (unsigned i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		assert_null(reader_find(reader_flow(&reader, 0), absent[i], false, &octets));
	assert_int_equal(reader_value(reader_flow(&reader, 0), 4, false), 1);
}

/* -- biflow --------------------------------------------------------------------------- */

static void minimal_biflow_has_counters_back_and_times_of_both(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	config.biflow = EXPORT_BIFLOW_MINIMAL;
	unsigned octets;

	export_one(&config, &tcp);

	assert_int_equal(reader_flow_count(&reader), 1);
	const struct reader_record *flow = reader_flow(&reader, 0);
	assert_int_equal(flow->template->id, 260);
	assert_int_equal(reader_value(flow, 8, false), 0xc0000201);
	assert_int_equal(reader_value(flow, 1, false), 1000);
	assert_int_equal(reader_value(flow, 2, false), 5);
	assert_int_equal(reader_value(flow, 1, true), 8000);
	assert_int_equal(reader_value(flow, 2, true), 4);
	assert_int_equal(reader_value(flow, 152, false), SAMPLE_BOOT_NS / MS + 1000);
	assert_int_equal(reader_value(flow, 153, false), SAMPLE_BOOT_NS / MS + 2600);
	assert_null(reader_find(flow, 152, true, &octets));
	assert_null(reader_find(flow, 5, true, &octets));
	assert_null(reader_find(flow, 239, false, &octets));
}

static void full_biflow_has_each_direction_its_own_values(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	config.biflow = EXPORT_BIFLOW_FULL;

	export_one(&config, &tcp);

	assert_int_equal(reader_flow_count(&reader), 1);
	const struct reader_record *flow = reader_flow(&reader, 0);
	assert_int_equal(flow->template->id, 264);
	assert_int_equal(reader_value(flow, 239, false), 1);
	assert_int_equal(reader_value(flow, 153, false), SAMPLE_BOOT_NS / MS + 2500);
	assert_int_equal(reader_value(flow, 152, true), SAMPLE_BOOT_NS / MS + 1010);
	assert_int_equal(reader_value(flow, 153, true), SAMPLE_BOOT_NS / MS + 2600);
	assert_int_equal(reader_value(flow, 1, true), 8000);
	assert_int_equal(reader_value(flow, 2, true), 4);
	assert_int_equal(reader_value(flow, 5, false), 0x10);
	assert_int_equal(reader_value(flow, 5, true), 0xb8);
	assert_int_equal(reader_value(flow, 6, false), 0x1b);
	assert_int_equal(reader_value(flow, 6, true), 0x13);
	assert_int_equal(reader_value(flow, 58, true), 43);
}

static void full_biflow_of_icmp_tells_both_types(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record icmp = sample_icmp();
	config.biflow = EXPORT_BIFLOW_FULL;

	export_one(&config, &icmp);

	const struct reader_record *flow = reader_flow(&reader, 0);
	assert_int_equal(flow->template->id, 266);
	assert_int_equal(reader_value(flow, 32, false), 0x0800);
	assert_int_equal(reader_value(flow, 32, true), 0);
	assert_int_equal(reader_value(flow, 239, false), 0); /* who began is not known */
}

static void one_sided_flows_are_no_biflows(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	config.biflow = EXPORT_BIFLOW_FULL;
	tcp.side[0] = (struct flow_side){ 0 };

	export_one(&config, &tcp);

	assert_int_equal(reader_flow_count(&reader), 1);
	const struct reader_record *flow = reader_flow(&reader, 0);
	assert_int_equal(flow->template->id, 256);
	assert_int_equal(reader_value(flow, 8, false), 0xc6336402); /* the responder's side */
	assert_int_equal(reader_value(flow, 7, false), 443);
	assert_int_equal(reader_value(flow, 1, false), 8000);
	assert_int_equal(reader_value(flow, 61, false), 1);
}

static void ipfix_sends_no_record_for_a_flow_without_packets(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	tcp.side[0] = tcp.side[1] = (struct flow_side){ 0 };

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
	exporter_free(exporter);

	assert_int_equal(memory.count, 0);
}

static void ipfix_carries_64_bits_in_one_record(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct flow_record tcp = sample_tcp();
	tcp.side[0].octets = UINT64_MAX;
	tcp.side[0].packets = UINT64_C(1) << 40;

	export_one(&config, &tcp);

	assert_int_equal(reader_flow_count(&reader), 2);
	assert_int_equal(reader_value(reader_flow(&reader, 0), 1, false), UINT64_MAX);
	assert_int_equal(reader_value(reader_flow(&reader, 0), 2, false), UINT64_C(1) << 40);
}

static void ipfix_refuses_settings_that_do_not_exist(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = NULL;
	transport_memory_init(&memory);

	config.version = (enum export_version)7;
	assert_int_equal(exporter_new(&config, &memory.transport, &exporter), -22);
	config = sample_config(EXPORT_IPFIX);
	config.time = (enum export_time)5;
	assert_int_equal(exporter_new(&config, &memory.transport, &exporter), -22);
	config = sample_config(EXPORT_IPFIX);
	config.message_bytes = 65536;
	assert_int_equal(exporter_new(&config, &memory.transport, &exporter), -22);

	assert_null(exporter);
	assert_false(memory.is_closed);
}

#define FACT(name) cmocka_unit_test_teardown(name, forget)

static const struct CMUnitTest tests[] = {
	FACT(ipfix_sends_templates_options_and_data_in_one_message),
	FACT(ipfix_counts_options_data_in_its_sequence),
	FACT(ipfix_tells_its_totals),
	FACT(ipfix_leaves_the_interface_out_when_it_has_no_name),
	FACT(ipfix_cuts_names_between_characters),
	FACT(ipfix_tells_boot_before_times_relative_to_it),
	FACT(ipfix_has_a_pair_of_times_each_way_for_each_form),
	FACT(ipfix_carries_as_many_labels_as_asked),
	FACT(ipfix_leaves_out_what_is_not_tracked),
	FACT(minimal_biflow_has_counters_back_and_times_of_both),
	FACT(full_biflow_has_each_direction_its_own_values),
	FACT(full_biflow_of_icmp_tells_both_types),
	FACT(one_sided_flows_are_no_biflows),
	FACT(ipfix_sends_no_record_for_a_flow_without_packets),
	FACT(ipfix_carries_64_bits_in_one_record),
	FACT(ipfix_refuses_settings_that_do_not_exist),
};

UNIT_MAIN("exporter_ipfix", tests)
