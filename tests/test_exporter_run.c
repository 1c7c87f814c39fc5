/* SPDX-License-Identifier: BSD-2-Clause */
/* Messages that are sent together: when, in which bytes, and what is counted when it fails. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tests/export_samples.h"
#include "tests/export_session.h"

#define START_NS (SAMPLE_BOOT_NS + 10 * S)
#define FLOWS_IN_FOUR_MESSAGES 30

static struct exporter *start_with_runs(const struct exporter_config *config)
{
	struct exporter *exporter = start(config);
	memory.transport.takes_runs = true;
	return exporter;
}

static void add_flows(struct exporter *exporter, unsigned count)
{
	struct flow_record tcp = sample_tcp();
	for (unsigned i = 0; i < count; i++)
		exporter_add(exporter, &tcp, START_NS);
}

static const struct exporter_stats *stats_of(const struct exporter *exporter)
{
	return exporter_stats(exporter);
}

static void full_messages_wait_for_the_end_of_the_pass(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_with_runs(&config);

	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	assert_int_equal(memory.count, 0);
	exporter_advance(exporter, START_NS);

	assert_int_equal(memory.count, 3);
	assert_true(memory.submit_count < memory.count);
	assert_int_equal(stats_of(exporter)->messages, 3);
	exporter_free(exporter);
	assert_int_equal(memory.count, 4);
}

static void full_messages_wait_as_long_as_they_may(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	config.gather_delay_ms = 500;
	struct exporter *exporter = start_with_runs(&config);

	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	exporter_advance(exporter, START_NS + 500 * MS - 1);
	assert_int_equal(memory.count, 0);
	exporter_advance(exporter, START_NS + 500 * MS);
	assert_int_equal(memory.count, 3);

	exporter_free(exporter);
}

static void flushing_waits_for_nothing(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	config.gather_delay_ms = 500;
	struct exporter *exporter = start_with_runs(&config);

	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	exporter_flush(exporter, START_NS);

	assert_int_equal(memory.count, 4);
	exporter_free(exporter);
	assert_int_equal(memory.count, 4);
}

static void no_more_is_gathered_than_goes_at_once(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start_with_runs(&config);

	add_flows(exporter, 5000); /* 357 messages, 46 of them in 65,507 octets */

	assert_true(memory.count >= 300);
	assert_true(memory.submit_count <= 8);
	exporter_free(exporter);
}

static void refused_runs_are_sent_one_by_one_ever_after(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_with_runs(&config);

	memory.refuses_runs = true;
	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	exporter_flush(exporter, START_NS);

	read_all();
	assert_false(memory.transport.takes_runs);
	assert_int_equal(memory.count, 4);
	assert_int_equal(memory.submit_count, 4);
	assert_int_equal(reader.gap, 0);
	assert_int_equal(reader_flow_count(&reader), 2 * FLOWS_IN_FOUR_MESSAGES);
	assert_int_equal(stats_of(exporter)->failed_messages, 0);
	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	assert_int_equal(memory.count, 7); /* none waits */
	exporter_free(exporter);
}

static void a_lost_run_is_counted_whole(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_with_runs(&config);

	memory.result = -EPERM;
	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	exporter_flush(exporter, START_NS);
	assert_int_equal(stats_of(exporter)->failed_messages, 4);
	assert_int_equal(stats_of(exporter)->failed_records, 2 * FLOWS_IN_FOUR_MESSAGES);
	assert_int_equal(stats_of(exporter)->messages, 0);

	memory.result = 0;
	add_flows(exporter, 1);
	exporter_flush(exporter, START_NS);
	read_all();
	assert_int_equal(memory.count, 1);
	assert_int_equal(reader.templates_seen, 7);
	assert_int_equal(stats_of(exporter)->records, 2);
	exporter_free(exporter);
}

/* -- no room in the socket ------------------------------------------------------------ */

static void without_room_messages_wait_and_none_is_lost(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_with_runs(&config);

	memory.result = -EAGAIN;
	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	exporter_flush(exporter, START_NS);
	assert_true(exporter_is_held(exporter));
	exporter_send_gathered(exporter);
	assert_true(exporter_is_held(exporter));
	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	assert_int_equal(memory.count, 0);

	memory.result = 0;
	exporter_send_gathered(exporter);
	assert_false(exporter_is_held(exporter));
	exporter_flush(exporter, START_NS);
	read_all();
	assert_int_equal(reader.gap, 0);
	assert_int_equal(reader_flow_count(&reader), 4 * FLOWS_IN_FOUR_MESSAGES);
	assert_int_equal(stats_of(exporter)->failed_messages, 0);
	assert_int_equal(stats_of(exporter)->records, 4 * FLOWS_IN_FOUR_MESSAGES);
	assert_true(stats_of(exporter)->postponed_sends > 1);
	exporter_free(exporter);
}

/* The records before message .index of NetFlow 5. */
static uint32_t v5_sequence(size_t index)
{
	const uint8_t *at = memory.messages[index].bytes + 16;

	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void without_room_one_by_one_messages_keep_their_order(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start(&config);

	add_flows(exporter, 100);
	memory.result = -ENOBUFS;
	add_flows(exporter, 100);
	memory.result = 0;
	add_flows(exporter, 100);
	exporter_flush(exporter, START_NS);

	for (uint32_t i = 0; i < memory.count; i++)
		assert_int_equal(v5_sequence(i), 28 * i);
	assert_int_equal(stats_of(exporter)->records, 600);
	exporter_free(exporter);
}

/* 46 messages of 28 records make a run; room is for some four runs. */
static void without_room_for_long_the_oldest_are_lost_and_counted(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start_with_runs(&config);

	memory.result = -EAGAIN;
	add_flows(exporter, 14 * 1000);
	assert_true(stats_of(exporter)->failed_messages > 700);
	memory.result = 0;
	exporter_flush(exporter, START_NS);

	assert_true(memory.count > 150);
	assert_int_equal(v5_sequence(memory.count - 1), 28 * 999);
	assert_int_equal(stats_of(exporter)->failed_messages + memory.count, 1000);
	assert_int_equal(
		stats_of(exporter)->failed_records + stats_of(exporter)->records, 28000);
	exporter_free(exporter);
}

static void what_is_given_up_is_counted(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_with_runs(&config);

	memory.result = -EAGAIN;
	add_flows(exporter, FLOWS_IN_FOUR_MESSAGES);
	exporter_flush(exporter, START_NS);
	exporter_give_up(exporter);

	assert_false(exporter_is_held(exporter));
	assert_int_equal(stats_of(exporter)->failed_messages, 4);
	assert_int_equal(stats_of(exporter)->failed_records, 2 * FLOWS_IN_FOUR_MESSAGES);
	exporter_free(exporter);
}

/* -- word of a loss ------------------------------------------------------------------- */

/* Hosts send few such words, so none does not mean that the templates arrived. */
static void after_a_word_of_loss_templates_are_repeated_for_a_while(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_with_runs(&config);
	struct flow_record tcp = sample_tcp();

	add_flows(exporter, 1);
	exporter_flush(exporter, START_NS);
	memory.poll_result = TRANSPORT_EARLIER_LOST;
	for (unsigned half_s = 2; half_s <= 30; half_s++) {
		exporter_add(exporter, &tcp, START_NS + half_s * S / 2);
		exporter_flush(exporter, START_NS + half_s * S / 2);
		read_all();
		bool is_doubted = half_s < 12 && half_s % 2 == 0;
		assert_int_equal(reader.templates_seen, is_doubted ? 7 : 0);
	}

	exporter_free(exporter);
}

/* Asked before it is encoded: the first message after a pause already has the templates. */
static void a_message_after_a_pause_knows_of_the_loss_before_it(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_with_runs(&config);
	struct flow_record tcp = sample_tcp();

	add_flows(exporter, 1);
	exporter_flush(exporter, START_NS);
	memory.poll_result = TRANSPORT_EARLIER_LOST;
	exporter_add(exporter, &tcp, START_NS + 30 * S);
	exporter_flush(exporter, START_NS + 30 * S);

	read_all();
	assert_int_equal(memory.count, 2);
	assert_int_equal(reader.templates_seen, 7);
	exporter_free(exporter);
}

static void word_of_an_earlier_loss_counts_the_run_before(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start_with_runs(&config);

	add_flows(exporter, 3 * 14); /* three messages of 28 records */
	exporter_flush(exporter, START_NS);
	assert_int_equal(memory.submit_count, 1);
	memory.result = TRANSPORT_EARLIER_LOST;
	add_flows(exporter, 1);
	exporter_flush(exporter, START_NS);

	assert_int_equal(stats_of(exporter)->failed_messages, 3);
	assert_int_equal(stats_of(exporter)->failed_records, 3 * 28);
	assert_int_equal(stats_of(exporter)->messages, 4);
	exporter_free(exporter);
}

/* A replay may end with its first run. */
static void flushing_asks_what_became_of_the_last_run(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_5);
	struct exporter *exporter = start_with_runs(&config);

	add_flows(exporter, 3 * 14);
	memory.poll_result = TRANSPORT_EARLIER_LOST;
	exporter_flush(exporter, START_NS);
	assert_int_equal(stats_of(exporter)->failed_messages, 3);
	assert_int_equal(stats_of(exporter)->failed_records, 3 * 28);

	memory.result = TRANSPORT_EARLIER_LOST; /* of what has been counted already */
	add_flows(exporter, 1);
	exporter_flush(exporter, START_NS);
	assert_int_equal(stats_of(exporter)->failed_messages, 3);
	exporter_free(exporter);
}

/* -- the same bytes ------------------------------------------------------------------- */

struct kept_bytes {
	uint8_t *bytes;
	size_t length;
};

/* All messages, each behind its length. */
static struct kept_bytes keep_all(void)
{
	struct kept_bytes kept = { 0 };
	for (size_t i = 0; i < memory.count; i++)
		kept.length += sizeof(size_t) + memory.messages[i].length;
	kept.bytes = malloc(kept.length);
	assert_non_null(kept.bytes);
	uint8_t *to = kept.bytes;
	for (size_t i = 0; i < memory.count; i++) {
		memcpy(to, &memory.messages[i].length, sizeof(size_t));
		to += sizeof(size_t);
		memcpy(to, memory.messages[i].bytes, memory.messages[i].length);
		to += memory.messages[i].length;
	}
	return kept;
}

static uint32_t next_random(uint32_t *seed)
{
	return *seed = *seed * 1664525 + 1013904223;
}

/* Flows of all kinds, the clock moving now and then, templates on time and by count. */
static void run_any(struct exporter *exporter, uint32_t seed)
{
	struct flow_record records[] = { sample_tcp(), sample_icmp(), sample_udp6(),
		sample_icmp6() };
	uint64_t now_ns = START_NS;
	for (unsigned i = 0; i < 3000; i++) {
		uint32_t random = next_random(&seed) >> 8;
		unsigned kind = random % 16 < 13 ? 0 : random % 4;
		exporter_add(exporter, &records[kind], now_ns);
		if (random % 7 == 0)
			now_ns += random % (300 * MS);
		if (random % 11 == 0)
			exporter_advance(exporter, now_ns);
		if (random % 997 == 0)
			exporter_flush(exporter, now_ns);
		if (random % 499 == 0)
			exporter_refresh_templates(exporter);
		if (random % 1009 == 0)
			exporter_set_boot(exporter, now_ns - 3 * S);
	}
}

static struct kept_bytes bytes_of(
	const struct exporter_config *config, bool takes_runs, uint32_t seed)
{
	struct exporter *exporter = start(config);
	memory.transport.takes_runs = takes_runs;
	run_any(exporter, seed);
	exporter_free(exporter);
	struct kept_bytes kept = keep_all();
	transport_memory_clear(&memory);
	return kept;
}

static void runs_change_no_byte(void **state)
{
	static const enum export_version versions[] = { EXPORT_NETFLOW_1, EXPORT_NETFLOW_5,
		EXPORT_NETFLOW_9, EXPORT_IPFIX };
	static const uint32_t message_bytes[] = { 600, 1400, 9000, 65535 };
	for (uint32_t i = 0; i < 16; i++) {
		struct exporter_config config = sample_config(versions[i % 4]);
		config.message_bytes = message_bytes[i / 4];
		config.gather_delay_ms = i % 3 * 400;
		config.template_refresh_messages = i % 5 * 3;
		config.template_refresh_s = i % 2 * 7;

		struct kept_bytes alone = bytes_of(&config, false, i);
		struct kept_bytes together = bytes_of(&config, true, i);

		assert_int_equal(alone.length, together.length);
		assert_memory_equal(alone.bytes, together.bytes, alone.length);
		free(alone.bytes);
		free(together.bytes);
	}
}

#define FACT(name) cmocka_unit_test_teardown(name, forget)

static size_t longest_message(uint32_t known_path_message_bytes, uint32_t path_bytes)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct transport_memory path;
	struct exporter *exporter;
	size_t longest = 0;

	config.known_path_message_bytes = known_path_message_bytes;
	transport_memory_init(&path);
	path.transport.path_bytes = path_bytes;
	assert_int_equal(exporter_new(&config, &path.transport, &exporter), 0);
	add_flows(exporter, 4 * FLOWS_IN_FOUR_MESSAGES);
	exporter_free(exporter);
	for (size_t i = 0; i < path.count; i++)
		if (path.messages[i].length > longest)
			longest = path.messages[i].length;
	transport_memory_clear(&path);
	return longest;
}

static void messages_are_larger_where_the_path_is_known_to_have_room(void **state)
{
	assert_in_range(longest_message(5000, 0), 1200, 1400);
	assert_in_range(longest_message(5000, 3000), 2800, 3000);
	assert_in_range(longest_message(5000, 65507), 4800, 5000);
	assert_in_range(longest_message(5000, 1000), 1200, 1400);
	assert_in_range(longest_message(0, 65507), 1200, 1400);
}

static const struct CMUnitTest tests[] = {
	FACT(full_messages_wait_for_the_end_of_the_pass),
	FACT(full_messages_wait_as_long_as_they_may),
	FACT(flushing_waits_for_nothing),
	FACT(no_more_is_gathered_than_goes_at_once),
	FACT(refused_runs_are_sent_one_by_one_ever_after),
	FACT(a_lost_run_is_counted_whole),
	FACT(without_room_messages_wait_and_none_is_lost),
	FACT(without_room_one_by_one_messages_keep_their_order),
	FACT(without_room_for_long_the_oldest_are_lost_and_counted),
	FACT(what_is_given_up_is_counted),
	FACT(after_a_word_of_loss_templates_are_repeated_for_a_while),
	FACT(a_message_after_a_pause_knows_of_the_loss_before_it),
	FACT(word_of_an_earlier_loss_counts_the_run_before),
	FACT(flushing_asks_what_became_of_the_last_run),
	FACT(runs_change_no_byte),
	FACT(messages_are_larger_where_the_path_is_known_to_have_room),
};

UNIT_MAIN("exporter_run", tests)
