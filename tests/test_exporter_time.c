/* SPDX-License-Identifier: BSD-2-Clause */
/* When messages and templates are sent, and what happens when they are not taken. */
#include <errno.h>
#include "export/exporter.h"
#include "export/transport_memory.h"
#include "tests/export_reader.h"
#include "tests/export_samples.h"
#include "tests/export_session.h"
#include "tests/unit.h"

#define START_NS (SAMPLE_BOOT_NS + 10 * S)

static void add_at(struct exporter *exporter, uint64_t ns)
{
	struct flow_record tcp = sample_tcp();
	exporter_add(exporter, &tcp, ns);
}

static void a_record_waits_for_the_flush_delay(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_advance(exporter, START_NS + 1 * S - 1);
	assert_int_equal(memory.count, 0);
	exporter_advance(exporter, START_NS + 1 * S);
	assert_int_equal(memory.count, 1);
	exporter_free(exporter);
	assert_int_equal(memory.count, 1);
}

static void the_first_record_decides_when_to_flush(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	add_at(exporter, START_NS + 900 * MS);
	add_at(exporter, START_NS + 1000 * MS); /* goes into the next */

	read_all();
	assert_int_equal(memory.count, 1);
	assert_int_equal(reader.flows_seen, 4);
	exporter_free(exporter);
}

static void a_message_flushed_late_tells_when_it_was_due(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_advance(exporter, START_NS + 30 * S);

	read_all();
	assert_int_equal(reader.message_count, 1);
	assert_int_equal(reader.export_s, START_NS / S + 1);
	exporter_free(exporter);
}

static void time_does_not_go_back(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS + 5 * S);
	exporter_flush(exporter, START_NS);

	read_all();
	assert_int_equal(reader.export_s, START_NS / S + 5);
	exporter_free(exporter);
}

static void templates_come_again_in_time_without_flows(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	for (unsigned s = 0; s <= 180; s++)
		exporter_advance(exporter, START_NS + s * S);
	exporter_free(exporter);

	read_all();
	assert_int_equal(memory.count, 4);
	assert_int_equal(reader.export_s, START_NS / S + 180);
	assert_int_equal(reader.templates_seen, 7);
	assert_int_equal(reader.options_seen, 3);
	assert_int_equal(reader.flows_seen, 0);
	assert_int_equal(reader.gap, 0);
}

static void templates_come_in_time_before_the_first_flow(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	struct exporter *exporter = start(&config);

	exporter_advance(exporter, START_NS);
	exporter_advance(exporter, START_NS + 59 * S);
	assert_int_equal(memory.count, 0);
	exporter_advance(exporter, START_NS + 60 * S);
	assert_int_equal(memory.count, 1);
	exporter_free(exporter);

	read_all();
	assert_int_equal(reader.templates_seen, 7);
}

static void templates_due_end_the_message_being_filled(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	config.flush_delay_ms = 100000;
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	add_at(exporter, START_NS + 61 * S);
	exporter_free(exporter);

	read_all();
	assert_int_equal(memory.count, 3);
	assert_int_equal(reader.gap, 0);
	/* flows with the first templates; templates alone; flows */
	reader = (struct reader){ 0 };
	reader_feed(&reader, memory.messages[0].bytes, memory.messages[0].length);
	assert_int_equal(reader.templates_seen, 7);
	assert_int_equal(reader.flows_seen, 2);
	assert_int_equal(reader.export_s, START_NS / S + 60);
	reader_feed(&reader, memory.messages[1].bytes, memory.messages[1].length);
	assert_int_equal(reader.templates_seen, 7);
	assert_int_equal(reader.flows_seen, 0);
	assert_int_equal(reader.export_s, START_NS / S + 60);
	reader_feed(&reader, memory.messages[2].bytes, memory.messages[2].length);
	assert_int_equal(reader.templates_seen, 0);
	assert_int_equal(reader.flows_seen, 2);
}

static void a_jump_over_many_refreshes_sends_one(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);
	add_at(exporter, START_NS + UINT64_C(10) * 86400 * S + 7 * S); /* 10 days */
	exporter_free(exporter);

	read_all();
	assert_int_equal(memory.count, 3);
	reader = (struct reader){ 0 };
	reader_feed(&reader, memory.messages[0].bytes, memory.messages[0].length);
	reader_feed(&reader, memory.messages[1].bytes, memory.messages[1].length);
	assert_int_equal(reader.export_s, START_NS / S + 10 * 86400); /* the last it was due */
}

static void templates_come_again_after_so_many_messages(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	config.template_refresh_messages = 4;
	struct exporter *exporter = start(&config);

	for (unsigned i = 0; i < 10; i++) {
		add_at(exporter, START_NS);
		exporter_flush(exporter, START_NS);
		read_all();
		assert_int_equal(reader.templates_seen, i % 4 == 0 ? 7 : 0);
	}
	exporter_free(exporter);
}

static void templates_come_once_without_a_time(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	config.template_refresh_s = 0;
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_advance(exporter, START_NS + 100000 * S);
	exporter_free(exporter);

	assert_int_equal(memory.count, 1);
}

static void templates_asked_for_come_with_the_next_message(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);
	exporter_refresh_templates(exporter);
	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);
	add_at(exporter, START_NS);
	exporter_free(exporter);

	read_all();
	assert_int_equal(memory.count, 3);
	assert_int_equal(reader.templates_seen, 0);
	reader = (struct reader){ 0 };
	reader_feed(&reader, memory.messages[0].bytes, memory.messages[0].length);
	reader_feed(&reader, memory.messages[1].bytes, memory.messages[1].length);
	assert_int_equal(reader.templates_seen, 7);
	assert_int_equal(reader.flows_seen, 2);
}

static void v5_has_no_templates_to_repeat(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	config.template_refresh_messages = 1;
	struct exporter *exporter = start(&config);

	exporter_refresh_templates(exporter);
	exporter_advance(exporter, START_NS);
	exporter_advance(exporter, START_NS + 1000 * S);
	exporter_free(exporter);

	assert_int_equal(memory.count, 0);
}

static void a_refused_message_leaves_a_gap_and_is_counted(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);
	memory.result = -EPERM;
	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);
	memory.result = 0;
	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);

	read_all();
	assert_int_equal(memory.count, 2);
	assert_int_equal(reader.gap, 2);
	assert_int_equal(exporter_stats(exporter)->flows, 3);
	assert_int_equal(exporter_stats(exporter)->records, 4);
	assert_int_equal(exporter_stats(exporter)->failed_records, 2);
	assert_int_equal(exporter_stats(exporter)->failed_messages, 1);
	exporter_free(exporter);
}

static void lost_templates_come_with_the_next_message(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	memory.result = -EPERM;
	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);
	memory.result = 0;
	add_at(exporter, START_NS);
	exporter_free(exporter);

	read_all();
	assert_int_equal(reader.templates_seen, 7);
	assert_int_equal(reader.gap, 5);
}

static void word_of_an_earlier_loss_counts_the_message_before(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);
	memory.result = TRANSPORT_EARLIER_LOST;
	add_at(exporter, START_NS);
	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);
	memory.result = 0;
	add_at(exporter, START_NS);
	exporter_flush(exporter, START_NS);

	read_all();
	assert_int_equal(memory.count, 3);
	assert_int_equal(reader.templates_seen, 7); /* whoever comes back needs them */
	assert_int_equal(exporter_stats(exporter)->messages, 3);
	assert_int_equal(exporter_stats(exporter)->failed_messages, 1);
	assert_int_equal(exporter_stats(exporter)->failed_records, 2);
	exporter_free(exporter);
}

static void freeing_sends_what_is_left_and_closes(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_free(exporter);
	exporter_free(NULL);

	assert_int_equal(memory.count, 1);
	assert_true(memory.is_closed);
}

/* Advance often or never: what is due is sent as of the time it was due. */
static void the_bytes_do_not_depend_on_how_often_time_moves(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);
	for (unsigned i = 0; i < 200; i++)
		add_at(exporter, START_NS + i * 830 * MS);
	exporter_free(exporter);
	struct transport_memory seldom = memory;

	exporter = start(&config);
	for (unsigned i = 0; i < 200; i++) {
		add_at(exporter, START_NS + i * 830 * MS);
		for (unsigned k = 0; k < 830 && i < 199; k++)
			exporter_advance(exporter, START_NS + (i * 830 + k) * MS);
	}
	exporter_free(exporter);

	assert_true(seldom.count > 100);
	assert_int_equal(seldom.count, memory.count);
	for (size_t i = 0; i < memory.count; i++) {
		assert_int_equal(seldom.messages[i].length, memory.messages[i].length);
		assert_memory_equal(seldom.messages[i].bytes, memory.messages[i].bytes,
			memory.messages[i].length);
	}
	transport_memory_clear(&seldom);
}

static unsigned add_all_kinds(struct exporter *exporter, uint64_t now_ns)
{
	struct flow_record records[] = { sample_tcp(), sample_icmp(), sample_udp6(),
		sample_icmp6() };
	unsigned sides = 0;
	for (unsigned i = 0; i < 4; i++) {
		exporter_add(exporter, &records[i], now_ns);
		sides += 1 + (records[i].side[1].packets != 0);
	}
	return sides;
}

/* Whatever the capacity: refused, or all records and templates arrive whole and in order. */
static void messages_keep_to_every_capacity(void **state)
{
	static const enum export_version versions[] = { EXPORT_NETFLOW_9, EXPORT_IPFIX };
	unsigned accepted = 0;
	for (unsigned v = 0; v < 4; v++) {
		struct exporter_config config = sample_config(versions[v & 1]);
		config.biflow = v & 2 ? EXPORT_BIFLOW_FULL : EXPORT_BIFLOW_OFF;
		config.fields.mpls_labels = v & 2 ? 10 : 0;
		for (uint32_t bytes = 0; bytes < 1500; bytes++) {
			struct exporter *exporter = NULL;
			unsigned sides = 0;
			config.message_bytes = bytes;
			reader = (struct reader){ 0 };
			transport_memory_init(&memory);
			if (exporter_new(&config, &memory.transport, &exporter) < 0)
				continue;
			accepted++;
			for (unsigned i = 0; i < 5; i++)
				sides += add_all_kinds(exporter, START_NS + i * 20 * S);
			assert_int_equal(exporter_stats(exporter)->flows, 20);
			exporter_free(exporter);
			for (size_t i = 0; i < memory.count; i++)
				assert_true(memory.messages[i].length <= bytes);
			read_all();
			assert_int_equal(reader.gap, 0);
			bool is_biflow = config.biflow && config.version == EXPORT_IPFIX;
			assert_int_equal(reader_flow_count(&reader), is_biflow ? 20 : sides);
			transport_memory_clear(&memory);
		}
	}
	assert_in_range(accepted, 4 * 1200, 4 * 1400);
}

/* A v5 header: sysUptime is at octet 4, the record's First at 24 + 24. */
static uint32_t v5_be32(size_t message, size_t offset)
{
	const uint8_t *b = memory.messages[message].bytes + offset;
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static void moving_boot_keeps_the_times_that_a_reader_computes(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	exporter_set_boot(exporter, SAMPLE_BOOT_NS + 2 * S);
	add_at(exporter, START_NS);
	exporter_free(exporter);

	assert_int_equal(memory.count, 2);
	assert_int_equal(v5_be32(0, 4), 10000);
	assert_int_equal(v5_be32(1, 4), 8000);
	assert_int_equal(v5_be32(0, 48) - v5_be32(1, 48), 2000);
}

/* Unix time was set back by an hour: so are export times, and the next refresh is no later. */
static void the_clock_can_be_set_back(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);
	uint64_t hour = 3600 * S;

	add_at(exporter, START_NS);
	exporter_step_clock(exporter, -(int64_t)hour);
	assert_int_equal(memory.count, 1);
	exporter_advance(exporter, START_NS + 60 * S - hour);

	read_all();
	assert_int_equal(memory.count, 2);
	assert_int_equal(reader.export_s, (START_NS + 60 * S - hour) / S);
	assert_int_equal(reader.templates_seen, 7);
	exporter_free(exporter);
}

/* The same uptimes in the header and in records that are told in the new time. */
static void uptime_goes_on_when_the_boot_moves_with_the_clock(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp();
	uint64_t hour = 3600 * S;

	exporter_add(exporter, &tcp, START_NS);
	exporter_step_clock(exporter, (int64_t)hour);
	for (unsigned i = 0; i < 2; i++) {
		tcp.side[i].first_ns += hour;
		tcp.side[i].last_ns += hour;
	}
	exporter_add(exporter, &tcp, START_NS + hour);
	exporter_free(exporter);

	assert_int_equal(memory.count, 2);
	assert_int_equal(v5_be32(0, 4), v5_be32(1, 4));
	assert_int_equal(v5_be32(0, 48), v5_be32(1, 48));
	assert_int_equal(v5_be32(1, 8) - v5_be32(0, 8), 3600);
}

/* -- other terms ---------------------------------------------------------------------- */

static void other_delays_count_from_where_they_began(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	config.flush_delay_ms = 200;
	exporter_set_terms(exporter, &config);
	exporter_advance(exporter, START_NS + 200 * MS - 1);
	assert_int_equal(memory.count, 0);
	exporter_advance(exporter, START_NS + 200 * MS);
	assert_int_equal(memory.count, 1);

	config.template_refresh_s = 20;
	exporter_set_terms(exporter, &config);
	exporter_advance(exporter, START_NS + 20 * S - 1);
	assert_int_equal(memory.count, 1);
	exporter_advance(exporter, START_NS + 20 * S);
	assert_int_equal(memory.count, 2);
	exporter_free(exporter);
}

static void a_refresh_that_is_overdue_under_other_terms_comes_at_once(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	exporter_advance(exporter, START_NS);
	exporter_advance(exporter, START_NS + 50 * S);
	assert_int_equal(memory.count, 0);
	config.template_refresh_s = 10;
	exporter_set_terms(exporter, &config);
	exporter_advance(exporter, START_NS + 51 * S);
	assert_int_equal(memory.count, 1);

	config.template_refresh_s = 0;
	exporter_set_terms(exporter, &config);
	exporter_advance(exporter, START_NS + 1000 * S);
	assert_int_equal(memory.count, 1);
	config.template_refresh_s = 5;
	exporter_set_terms(exporter, &config);
	exporter_advance(exporter, START_NS + 1005 * S);
	assert_int_equal(memory.count, 2);
	exporter_free(exporter);
}

static void other_sampling_is_told_before_its_records(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	config.sampling_interval = 50;
	exporter_set_terms(exporter, &config);
	assert_int_equal(memory.count, 1);
	add_at(exporter, START_NS);
	exporter_free(exporter);

	read_all();
	assert_int_equal(reader.gap, 0);
	assert_int_equal(reader_value(reader_options(&reader, 34, 0), 34, false), 1);
	assert_int_equal(reader_value(reader_options(&reader, 34, 1), 34, false), 50);
	assert_int_equal(reader_options(&reader, 34, 1)->message, 1);
	assert_true(reader.options_seen > 0 && reader.flows_seen > 0);
}

static void other_sampling_is_in_the_header_of_v5(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);

	add_at(exporter, START_NS);
	config.sampling_interval = 50;
	exporter_set_terms(exporter, &config);
	add_at(exporter, START_NS);
	exporter_free(exporter);

	assert_int_equal(memory.count, 2);
	assert_int_equal(v5_be32(0, 20) & 0x3fff, 1);
	assert_int_equal(v5_be32(1, 20) & 0x3fff, 50);
}

#define FACT(name) cmocka_unit_test_teardown(name, forget)

static const struct CMUnitTest tests[] = {
	FACT(a_record_waits_for_the_flush_delay),
	FACT(the_first_record_decides_when_to_flush),
	FACT(a_message_flushed_late_tells_when_it_was_due),
	FACT(time_does_not_go_back),
	FACT(templates_come_again_in_time_without_flows),
	FACT(templates_come_in_time_before_the_first_flow),
	FACT(templates_due_end_the_message_being_filled),
	FACT(a_jump_over_many_refreshes_sends_one),
	FACT(templates_come_again_after_so_many_messages),
	FACT(templates_come_once_without_a_time),
	FACT(templates_asked_for_come_with_the_next_message),
	FACT(v5_has_no_templates_to_repeat),
	FACT(a_refused_message_leaves_a_gap_and_is_counted),
	FACT(lost_templates_come_with_the_next_message),
	FACT(word_of_an_earlier_loss_counts_the_message_before),
	FACT(freeing_sends_what_is_left_and_closes),
	FACT(the_bytes_do_not_depend_on_how_often_time_moves),
	FACT(messages_keep_to_every_capacity),
	FACT(moving_boot_keeps_the_times_that_a_reader_computes),
	FACT(the_clock_can_be_set_back),
	FACT(uptime_goes_on_when_the_boot_moves_with_the_clock),
	FACT(other_delays_count_from_where_they_began),
	FACT(a_refresh_that_is_overdue_under_other_terms_comes_at_once),
	FACT(other_sampling_is_told_before_its_records),
	FACT(other_sampling_is_in_the_header_of_v5),
};

UNIT_MAIN("exporter_time", tests)
