/* SPDX-License-Identifier: BSD-2-Clause */
/* NetFlow v1 and v5: fixed records. */
#include <errno.h>
#include "export/exporter.h"
#include "export/transport_memory.h"
#include "tests/assert_hex.h"
#include "tests/export_samples.h"
#include "tests/unit.h"

#define V1_HEADER 16
#define V5_HEADER 24
#define RECORD 48

static struct transport_memory memory;

static struct exporter *start(const struct exporter_config *config)
{
	struct exporter *exporter = NULL;
	transport_memory_init(&memory);
	assert_int_equal(exporter_new(config, &memory.transport, &exporter), 0);
	return exporter;
}

static int forget(void **state)
{
	transport_memory_clear(&memory);
	return 0;
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static const uint8_t *record_at(size_t message, size_t header, size_t n)
{
	assert_true(message < memory.count);
	assert_true(memory.messages[message].length >= header + (n + 1) * RECORD);
	return memory.messages[message].bytes + header + n * RECORD;
}

static void v5_writes_a_record_per_direction(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	config.sampling_interval = 100;
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS + 700);
	exporter_free(exporter);

	assert_int_equal(memory.count, 1);
	assert_hex(memory.messages[0].bytes, memory.messages[0].length,
		"0005 0002"                  /* version, records */
		"00000bb8"                   /* sysUptime 3000 ms */
		"6553f103 00000000"          /* Unix time at the same millisecond */
		"00000000"                   /* sequence */
		"01 02 4064"                 /* engine, sampling mode 1, 1 in 100 */
		"c0000201 c6336402 00000000" /* from, to, next hop */
		"0003 0007"                  /* interfaces */
		"00000005 000003e8"          /* packets, octets */
		"000003e8 000009c4"          /* first, last */
		"c000 01bb 00 1b 06 10"      /* ports, flags, protocol, ToS */
		"0000000000000000"           /* autonomous systems, masks */
		"c6336402 c0000201 00000000"
		"0007 0003"
		"00000004 00001f40"
		"000003f2 00000a28"
		"01bb c000 00 13 06 b8"
		"0000000000000000");
}

static void v1_writes_records_of_48_octets(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_1);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	tcp.side[1] = (struct flow_side){ 0 };

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3500 * MS);
	exporter_free(exporter);

	assert_int_equal(memory.count, 1);
	assert_hex(memory.messages[0].bytes, memory.messages[0].length,
		"0001 0001"         /* version, records */
		"00000dac"          /* sysUptime 3500 ms */
		"6553f103 1dcd6500" /* Unix seconds, nanoseconds */
		"c0000201 c6336402 00000000"
		"0003 0007"
		"00000005 000003e8"
		"000003e8 000009c4"
		"c000 01bb 0000" /* ports, reserved */
		"06 10 1b"       /* protocol, ToS, flags */
		"00000000000000");
}

static void v5_tells_icmp_type_and_code_as_the_destination_port(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);
	struct flow_record icmp = sample_icmp();
	icmp.port[0] = 77; /* an ICMP id has no place here */

	exporter_add(exporter, &icmp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_free(exporter);

	assert_hex(record_at(0, V5_HEADER, 0) + 32, 8, "0000 0800 00 00 01 10");
	assert_hex(record_at(0, V5_HEADER, 1) + 32, 8, "0000 0000 00 00 01 b8");
}

static void v5_announces_that_it_does_not_sample(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_free(exporter);

	assert_hex(memory.messages[0].bytes + 22, 2, "4001");
}

static void v5_counts_a_sampling_interval_that_its_field_cannot_hold(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	config.sampling_interval = 20000;
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_flush(exporter, SAMPLE_BOOT_NS + 3000 * MS);

	assert_hex(memory.messages[0].bytes + 22, 2, "7fff");
	assert_int_equal(exporter_stats(exporter)->saturated_fields, 1);
	exporter_free(exporter);
}

static void v5_sends_the_largest_index_for_larger_ones(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	tcp.side[0].ingress_if = 70000;

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_flush(exporter, SAMPLE_BOOT_NS + 3000 * MS);

	assert_hex(record_at(0, V5_HEADER, 0) + 12, 4, "ffff 0007");
	assert_int_equal(exporter_stats(exporter)->saturated_fields, 1);
	exporter_free(exporter);
}

static void send_flows(enum export_version version, unsigned flows)
{
	struct exporter_config config = sample_config(version);
	config.message_bytes = 1472;
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	tcp.side[1] = (struct flow_side){ 0 };

	for (unsigned i = 0; i < flows; i++)
		exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_free(exporter);
}

static void v5_fills_messages_with_30_records(void **state)
{
	send_flows(EXPORT_NETFLOW_5, 61);

	assert_int_equal(memory.count, 3);
	assert_int_equal(memory.messages[0].length, V5_HEADER + 30 * RECORD);
	assert_int_equal(memory.messages[2].length, V5_HEADER + 1 * RECORD);
	assert_int_equal(be32(memory.messages[0].bytes + 16), 0);
	assert_int_equal(be32(memory.messages[1].bytes + 16), 30);
	assert_int_equal(be32(memory.messages[2].bytes + 16), 60);
	assert_hex(memory.messages[1].bytes, 4, "0005 001e");
}

static void v1_fills_messages_with_24_records(void **state)
{
	send_flows(EXPORT_NETFLOW_1, 25);

	assert_int_equal(memory.count, 2);
	assert_int_equal(memory.messages[0].length, V1_HEADER + 24 * RECORD);
	assert_hex(memory.messages[0].bytes, 4, "0001 0018");
	assert_hex(memory.messages[1].bytes, 4, "0001 0001");
}

static void v5_counts_what_it_cannot_carry(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);
	struct flow_record udp6 = sample_udp6();
	udp6.side[1].packets = 2;

	exporter_add(exporter, &udp6, SAMPLE_BOOT_NS + 3000 * MS);

	assert_int_equal(exporter_stats(exporter)->unsupported_flows, 1);
	assert_int_equal(exporter_stats(exporter)->unsupported_pkts, 7);
	assert_int_equal(exporter_stats(exporter)->flows, 0);
	exporter_free(exporter);
	assert_int_equal(memory.count, 0);
}

/* Add up what a flow of .octets in .packets becomes; every record must be within 32 bits. */
static unsigned assert_adds_up(uint64_t octets, uint64_t packets)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	tcp.side[0].octets = octets;
	tcp.side[0].packets = packets;
	tcp.side[1] = (struct flow_side){ 0 };
	uint64_t sum_octets = 0, sum_packets = 0;
	unsigned records = 0;

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_flush(exporter, SAMPLE_BOOT_NS + 3000 * MS);
	assert_int_equal(exporter_stats(exporter)->saturated_fields, 0);
	exporter_free(exporter);
	for (size_t i = 0; i < memory.count; i++) {
		for (unsigned n = 0; n < memory.messages[i].bytes[3]; n++, records++) {
			const uint8_t *record = record_at(i, V5_HEADER, n);
			assert_true(be32(record + 16) != 0);
			assert_true(be32(record + 20) != 0);
			sum_packets += be32(record + 16);
			sum_octets += be32(record + 20);
		}
	}
	assert_int_equal(sum_octets, octets);
	assert_int_equal(sum_packets, packets);
	transport_memory_clear(&memory);
	return records;
}

static void v5_splits_what_32_bits_cannot_count(void **state)
{
	uint64_t limit = UINT32_MAX;

	assert_int_equal(assert_adds_up(limit, 100000000), 1);
	assert_int_equal(assert_adds_up(limit + 1, 100000000), 2);
	assert_int_equal(assert_adds_up(5000000000, 3333334), 2);
	assert_int_equal(assert_adds_up(3 * limit, 200000), 3);
	assert_int_equal(assert_adds_up(3 * limit + 1, 200000), 4);
	assert_int_equal(assert_adds_up(300 * limit + 7, 20000001), 301);
	assert_int_equal(assert_adds_up(40 * (limit + 10), limit + 10), 41);
}

static void v5_is_right_after_49_days(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	uint64_t wrap_ms = UINT64_C(1) << 32;
	uint64_t now_ms = SAMPLE_BOOT_NS / MS + wrap_ms + 5000;
	tcp.side[0].first_ns = SAMPLE_BOOT_NS + (wrap_ms - 1) * MS;
	tcp.side[0].last_ns = SAMPLE_BOOT_NS + (wrap_ms + 4000) * MS;

	exporter_add(exporter, &tcp, now_ms * MS);
	exporter_free(exporter);

	const uint8_t *header = memory.messages[0].bytes;
	uint64_t unix_ms = (uint64_t)be32(header + 8) * 1000 + be32(header + 12) / MS;
	assert_int_equal(unix_ms, now_ms);
	assert_int_equal(be32(header + 4), 5000);
	/* boot as a reader sees it: the one before the last wrap of the 32 bits */
	uint32_t uptime = be32(header + 4);
	const uint8_t *record = record_at(0, V5_HEADER, 0);
	assert_int_equal(be32(record + 24), UINT32_MAX);
	assert_int_equal(be32(record + 28), 4000);
	assert_int_equal((uint32_t)(uptime - be32(record + 24)), 5001); /* ms ago, modulo */
}

static void v5_header_is_one_instant_to_the_millisecond(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	config.boot_ns = SAMPLE_BOOT_NS + 999999; /* within a millisecond */
	config.flush_delay_ms = 0;
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	for (uint64_t i = 0; i < 2000; i++)
		exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS + i * 777777);
	exporter_free(exporter);

	assert_int_equal(memory.count, 2000);
	for (size_t i = 0; i < memory.count; i++) {
		const uint8_t *header = memory.messages[i].bytes;
		assert_int_equal(be32(header + 12) % MS, 0);
		assert_int_equal((uint64_t)be32(header + 8) * 1000 + be32(header + 12) / MS -
					 be32(header + 4),
			SAMPLE_BOOT_NS / MS);
	}
}

static void v5_shows_a_lost_message_as_a_gap(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	memory.result = -EPERM;
	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_flush(exporter, SAMPLE_BOOT_NS + 3000 * MS);
	memory.result = 0;
	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_flush(exporter, SAMPLE_BOOT_NS + 3000 * MS);

	assert_int_equal(memory.count, 1);
	assert_int_equal(be32(memory.messages[0].bytes + 16), 2);
	assert_int_equal(exporter_stats(exporter)->failed_messages, 1);
	assert_int_equal(exporter_stats(exporter)->failed_records, 2);
	assert_int_equal(exporter_stats(exporter)->last_error, 1);
	assert_int_equal(exporter_stats(exporter)->last_failed_ns, SAMPLE_BOOT_NS + 3000 * MS);
	assert_int_equal(exporter_stats(exporter)->last_sent_ns, SAMPLE_BOOT_NS + 3000 * MS);
	assert_int_equal(exporter_stats(exporter)->last_templates_ns, 0);
	assert_int_equal(exporter_stats(exporter)->records, 2);
	assert_int_equal(exporter_stats(exporter)->messages, 1);
	assert_int_equal(exporter_stats(exporter)->octets, V5_HEADER + 2 * RECORD);
	exporter_free(exporter);
}

static void v5_ignores_biflow(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	config.biflow = EXPORT_BIFLOW_FULL;
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
	exporter_free(exporter);

	assert_hex(memory.messages[0].bytes, 4, "0005 0002");
}

/* Of every capacity, the largest message keeps within it, and too small a one is refused. */
static void v5_and_v1_keep_to_every_capacity(void **state)
{
	static const enum export_version versions[] = { EXPORT_NETFLOW_1, EXPORT_NETFLOW_5 };
	struct flow_record tcp = sample_tcp();
	for (unsigned v = 0; v < 2; v++) {
		struct exporter_config config = sample_config(versions[v]);
		size_t header = versions[v] == EXPORT_NETFLOW_1 ? V1_HEADER : V5_HEADER;
		for (uint32_t bytes = 0; bytes < 1600; bytes++) {
			struct exporter *exporter = NULL;
			config.message_bytes = bytes;
			transport_memory_init(&memory);
			int result = exporter_new(&config, &memory.transport, &exporter);
			assert_int_equal(result, bytes < header + RECORD ? -90 : 0);
			if (result < 0)
				continue;
			for (unsigned i = 0; i < 20; i++)
				exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3000 * MS);
			exporter_free(exporter);
			size_t records = 0;
			for (size_t i = 0; i < memory.count; i++) {
				size_t length = memory.messages[i].length;
				assert_true(length <= bytes);
				assert_int_equal((length - header) % RECORD, 0);
				records += (length - header) / RECORD;
			}
			assert_int_equal(records, 40);
			transport_memory_clear(&memory);
		}
	}
}

#define FACT(name) cmocka_unit_test_teardown(name, forget)

static const struct CMUnitTest tests[] = {
	FACT(v5_writes_a_record_per_direction),
	FACT(v1_writes_records_of_48_octets),
	FACT(v5_tells_icmp_type_and_code_as_the_destination_port),
	FACT(v5_announces_that_it_does_not_sample),
	FACT(v5_counts_a_sampling_interval_that_its_field_cannot_hold),
	FACT(v5_sends_the_largest_index_for_larger_ones),
	FACT(v5_fills_messages_with_30_records),
	FACT(v1_fills_messages_with_24_records),
	FACT(v5_counts_what_it_cannot_carry),
	FACT(v5_splits_what_32_bits_cannot_count),
	FACT(v5_is_right_after_49_days),
	FACT(v5_header_is_one_instant_to_the_millisecond),
	FACT(v5_shows_a_lost_message_as_a_gap),
	FACT(v5_ignores_biflow),
	FACT(v5_and_v1_keep_to_every_capacity),
};

UNIT_MAIN("exporter_netflow", tests)
