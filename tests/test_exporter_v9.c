/* SPDX-License-Identifier: BSD-2-Clause */
/* NetFlow v9: header, templates, options, records. */
#include "export/exporter.h"
#include "export/transport_memory.h"
#include "tests/assert_hex.h"
#include "tests/export_reader.h"
#include "tests/export_samples.h"
#include "tests/export_session.h"
#include "tests/unit.h"

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void v9_sends_templates_options_and_data_in_one_message(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	config.sampling_interval = 100;
	struct exporter *exporter = start(&config);
	struct flow_record icmp = sample_icmp();
	struct flow_record icmp6 = sample_icmp6();

	exporter_add(exporter, &icmp, SAMPLE_BOOT_NS + 3250 * MS);
	exporter_add(exporter, &icmp6, SAMPLE_BOOT_NS + 3250 * MS);
	exporter_free(exporter);

	assert_int_equal(memory.count, 1);
	assert_hex(memory.messages[0].bytes, memory.messages[0].length,
		"0009 000d"           /* 4 + 3 templates, 3 options, 3 flow records */
		"00000fa0 6553f104"   /* 4000 ms since boot, at the next whole second */
		"00000000 01020304"   /* sequence, source id */
		"0000 012c"           /* templates */
		"0100 0012"           /* 256: IPv4, 18 fields */
		"0008 0004 000c 0004" /* IPV4_SRC_ADDR, IPV4_DST_ADDR */
		"0016 0004 0015 0004" /* FIRST_SWITCHED, LAST_SWITCHED */
		"0001 0008 0002 0008" /* IN_BYTES, IN_PKTS */
		"0007 0002 000b 0002" /* L4_SRC_PORT, L4_DST_PORT */
		"000a 0004 000e 0004" /* INPUT_SNMP, OUTPUT_SNMP */
		"0004 0001 0005 0001 0006 0001" /* PROTOCOL, SRC_TOS, TCP_FLAGS */
		"003d 0001 003a 0002"           /* DIRECTION, SRC_VLAN */
		"0038 0006 0050 0006"           /* IN_SRC_MAC, IN_DST_MAC */
		"003c 0001"                     /* IP_PROTOCOL_VERSION */
		"0101 0013"                     /* 257: IPv6, with IPV6_FLOW_LABEL at the end */
		"001b 0010 001c 0010 0016 0004 0015 0004 0001 0008 0002 0008 0007 0002 000b "
		"0002"
		"000a 0004 000e 0004 0004 0001 0005 0001 0006 0001 003d 0001 003a 0002"
		"0038 0006 0050 0006 003c 0001 001f 0004"
		"0102 0010" /* 258: ICMP_TYPE, no ports, no flags */
		"0008 0004 000c 0004 0016 0004 0015 0004 0001 0008 0002 0008 0020 0002"
		"000a 0004 000e 0004 0004 0001 0005 0001 003d 0001 003a 0002"
		"0038 0006 0050 0006 003c 0001"
		"0103 0011" /* 259: ICMP_TYPE for ICMPv6 too */
		"001b 0010 001c 0010 0016 0004 0015 0004 0001 0008 0002 0008 0020 0002"
		"000a 0004 000e 0004 0004 0001 0005 0001 003d 0001 003a 0002"
		"0038 0006 0050 0006 003c 0001 001f 0004"
		"0001 0014"                               /* options template */
		"0110 0004 0004 0001 0004 0022 0004 0000" /* system: interval, padding */
		"0110 000c 01020304 00000064"             /* 1 in 100 */
		"0001 0018"
		"0111 0004 0008 0001 0004" /* system: SAMPLING_INTERVAL, SAMPLING_ALGORITHM */
		"0022 0004 0023 0001 0000"
		"0111 0010 01020304 00000064 01 000000" /* deterministic */
		"0001 0018"
		"0112 0004 0008 0002 0004" /* interface: IF_NAME, IF_DESC */
		"0052 0010 0053 0020 0000"
		"0112 0038 00000003"
		"65746830 00000000 00000000 00000000"
		"75706c69 6e6b0000 00000000 00000000"
		"00000000 00000000 00000000 00000000"
		"0102 007c" /* data of 258 */
		"c0000201 c6336402 000003e8 000009c4"
		"0000000000000054 0000000000000001"
		"0800 00000003 00000007 01 10 00 002a" /* echo request */
		"020000000001 020000000002 04"
		"c6336402 c0000201 000003f2 00000a28"
		"0000000000000054 0000000000000001"
		"0000 00000007 00000003 01 b8 01 002b" /* echo reply */
		"020000000002 020000000001 04"
		"0103 005c" /* data of 259 */
		"20010db8000000000000000000000001 20010db8000000000000000000000002"
		"000003e8 000009c4"
		"00000000000003e8 0000000000000005"
		"8000 00000003 00000007"
		"3a 10 00 002a"
		"020000000001 020000000002 06 00012345");
}

static void v9_counts_messages_in_its_sequence(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	for (unsigned i = 0; i < 3; i++) {
		exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
		exporter_flush(exporter, SAMPLE_BOOT_NS + 3 * S);
	}
	exporter_free(exporter);

	read_all();
	assert_int_equal(memory.count, 3);
	assert_int_equal(reader.gap, 0);
}

static void v9_boot_is_the_same_in_every_message(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	config.boot_ns = SAMPLE_BOOT_NS + 999999;
	config.flush_delay_ms = 0;
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	for (uint64_t i = 0; i < 2000; i++)
		exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S + i * 7777777);
	exporter_free(exporter);

	assert_int_equal(memory.count, 2000);
	for (size_t i = 0; i < memory.count; i++) {
		const uint8_t *header = memory.messages[i].bytes;
		uint64_t boot_ms = (uint64_t)be32(header + 8) * 1000 - be32(header + 4);
		assert_int_equal(boot_ms, SAMPLE_BOOT_NS / MS);
	}
}

static void v9_tells_a_whole_second_as_it_is(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
	exporter_free(exporter);

	assert_hex(memory.messages[0].bytes + 4, 8, "00000bb8 6553f103");
}

static void v9_is_right_after_49_days(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	uint64_t wrap_ms = UINT64_C(1) << 32;
	uint64_t end_ms = wrap_ms * 3 + 500; /* 149 days */
	tcp.side[0].first_ns = SAMPLE_BOOT_NS + (end_ms - 1000) * MS;
	tcp.side[0].last_ns = SAMPLE_BOOT_NS + end_ms * MS;

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + end_ms * MS);
	exporter_free(exporter);

	read_all();
	const uint8_t *header = memory.messages[0].bytes;
	uint64_t export_ms = (uint64_t)be32(header + 8) * 1000;
	uint32_t uptime = be32(header + 4);
	const struct reader_record *flow = reader_flow(&reader, 0);
	uint32_t first = (uint32_t)reader_value(flow, 22, false);
	uint32_t last = (uint32_t)reader_value(flow, 21, false);
	assert_int_equal(first, UINT32_MAX - 499);
	assert_int_equal(export_ms - (uint32_t)(uptime - first), tcp.side[0].first_ns / MS);
	assert_int_equal(export_ms - (uint32_t)(uptime - last), tcp.side[0].last_ns / MS);
}

static void v9_uses_absolute_times_when_asked(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	config.time = EXPORT_TIME_MILLISECONDS;
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	unsigned octets;

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
	exporter_free(exporter);

	read_all();
	const struct reader_record *flow = reader_flow(&reader, 0);
	assert_int_equal(reader_value(flow, 152, false), SAMPLE_BOOT_NS / MS + 1000);
	assert_null(reader_find(flow, 22, false, &octets));
}

static void v9_ignores_biflow(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	config.biflow = EXPORT_BIFLOW_FULL;
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
	exporter_free(exporter);

	read_all();
	assert_int_equal(reader_flow_count(&reader), 2);
}

#define FACT(name) cmocka_unit_test_teardown(name, forget)

static const struct CMUnitTest tests[] = {
	FACT(v9_sends_templates_options_and_data_in_one_message),
	FACT(v9_counts_messages_in_its_sequence),
	FACT(v9_boot_is_the_same_in_every_message),
	FACT(v9_tells_a_whole_second_as_it_is),
	FACT(v9_is_right_after_49_days),
	FACT(v9_uses_absolute_times_when_asked),
	FACT(v9_ignores_biflow),
};

UNIT_MAIN("exporter_v9", tests)
