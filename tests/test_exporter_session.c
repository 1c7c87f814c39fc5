/* SPDX-License-Identifier: BSD-2-Clause */
/* What an exporter sends over a transport with sessions: templates first, and numbers from 0.
 */
#include <errno.h>
#include <string.h>

#include "tests/export_samples.h"
#include "tests/export_session.h"

#define START_NS (SAMPLE_BOOT_NS + 10 * S)

static struct exporter *start_away(const struct exporter_config *config)
{
	struct exporter *exporter = NULL;
	transport_memory_init(&memory);
	memory.transport.has_sessions = true;
	memory.transport.takes_runs = true;
	reader = (struct reader){ 0 };
	assert_int_equal(exporter_new(config, &memory.transport, &exporter), 0);
	return exporter;
}

static void come(void)
{
	memory.transport.is_open = memory.transport.wants_session = true;
	memory.transport.is_away = false;
}

/* .octets of what was sent are lost. */
static void go(uint64_t octets)
{
	memory.transport.is_open = memory.transport.wants_session = false;
	memory.transport.lost_octets += octets;
	memory.transport.sessions.lost++;
	transport_memory_clear(&memory);
	reader = (struct reader){ 0 };
}

static void add_flows(struct exporter *exporter, unsigned count)
{
	struct flow_record tcp = sample_tcp();
	for (unsigned i = 0; i < count; i++)
		exporter_add(exporter, &tcp, START_NS);
}

/* All of a session is there: it begins with number 0 and templates, and has no gap. */
static void read_session(unsigned flow_count)
{
	read_all();
	assert_true(reader.message_count > 0);
	assert_int_equal(memory.messages[0].bytes[8] | memory.messages[0].bytes[9] |
				 memory.messages[0].bytes[10] | memory.messages[0].bytes[11],
		0);
	assert_int_equal(reader.gap, 0);
	assert_int_equal(reader_flow_count(&reader), 2 * flow_count);
}

static void what_came_before_the_session_goes_behind_its_templates(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_away(&config);
	add_flows(exporter, 100);
	exporter_advance(exporter, START_NS);
	assert_int_equal(memory.count, 0);

	come();
	exporter_flush(exporter, START_NS + S);

	read_session(100);
	assert_int_equal(exporter_stats(exporter)->records, 200);
	assert_int_equal(exporter_stats(exporter)->failed_records, 0);
	exporter_free(exporter);
}

static void the_templates_of_a_session_are_no_later_than_its_records(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_away(&config);
	add_flows(exporter, 1);
	exporter_flush(exporter, START_NS);

	come();
	exporter_advance(exporter, START_NS + 20 * S);

	assert_true(memory.count >= 2);
	assert_memory_equal(memory.messages[0].bytes + 4, memory.messages[1].bytes + 4, 4);
	exporter_free(exporter);
}

static void every_session_begins_anew(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_away(&config);
	come();
	add_flows(exporter, 50);
	exporter_flush(exporter, START_NS);
	read_session(50);

	go(0);
	add_flows(exporter, 70);
	exporter_flush(exporter, START_NS);
	assert_int_equal(memory.count, 0);
	come();
	exporter_advance(exporter, START_NS);

	read_session(70);
	add_flows(exporter, 3); /* and goes on without a gap */
	exporter_flush(exporter, START_NS);
	read_session(73);
	assert_int_equal(exporter_stats(exporter)->failed_records, 0);
	exporter_free(exporter);
}

static void a_message_that_is_being_filled_waits_for_the_session(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_away(&config);
	come();
	add_flows(exporter, 50);
	exporter_flush(exporter, START_NS);
	add_flows(exporter, 1);

	go(0);
	come();
	exporter_flush(exporter, START_NS);

	read_session(1);
	exporter_free(exporter);
}

static void what_was_in_flight_is_counted_as_lost(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_away(&config);
	come();
	add_flows(exporter, 50);
	exporter_flush(exporter, START_NS);
	size_t count = memory.count;
	assert_true(count >= 3);
	uint64_t last_two =
		memory.messages[count - 1].length + memory.messages[count - 2].length;

	go(last_two - 1);
	exporter_advance(exporter, START_NS);

	assert_int_equal(exporter_stats(exporter)->failed_messages, 2);
	assert_in_range(exporter_stats(exporter)->failed_records, 2, 98);
	assert_int_equal(exporter_stats(exporter)->sessions.lost, 1);
	exporter_free(exporter);
}

static void templates_are_not_repeated_in_a_session_but_options_data_are(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	config.template_refresh_s = 60;
	config.template_refresh_messages = 1;
	struct exporter *exporter = start_away(&config);
	come();
	add_flows(exporter, 50);
	exporter_flush(exporter, START_NS);
	read_all();
	unsigned templates = reader.template_count;

	transport_memory_clear(&memory);
	reader.message_count = reader.templates_seen = 0;
	exporter_advance(exporter, START_NS + 61 * S);

	assert_int_equal(memory.count, 1);
	reader_feed(&reader, memory.messages[0].bytes, memory.messages[0].length);
	assert_true(templates > 0);
	assert_int_equal(reader.templates_seen, 0);
	assert_true(reader.options_seen > 0);
	exporter_free(exporter);
}

static void nothing_is_refreshed_while_nobody_is_there(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	config.template_refresh_s = 60;
	struct exporter *exporter = start_away(&config);
	add_flows(exporter, 1);

	for (unsigned i = 1; i < 1000; i++)
		exporter_advance(exporter, START_NS + i * 60 * S);
	come();
	exporter_flush(exporter, START_NS + 1000 * 60 * S);

	read_session(1);
	assert_int_equal(memory.count, 2);
	exporter_free(exporter);
}

static void somebody_who_is_away_holds_nobody_up(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_away(&config);
	add_flows(exporter, 10);
	exporter_flush(exporter, START_NS);
	assert_true(exporter_is_held(exporter));

	memory.transport.is_away = true;

	assert_false(exporter_is_held(exporter));
	exporter_free(exporter);
}

static void what_finds_no_room_is_counted_and_leaves_a_gap(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = start_away(&config);
	come();
	exporter_advance(exporter, START_NS);
	memory.result = -EAGAIN;
	add_flows(exporter, 100000);
	memory.result = 0;

	exporter_flush(exporter, START_NS);

	const struct exporter_stats *stats = exporter_stats(exporter);
	read_all();
	assert_true(stats->failed_records > 0);
	assert_int_equal(stats->records + stats->failed_records, 200000);
	assert_int_equal(reader.gap, stats->failed_records);
	exporter_free(exporter);
}

static void only_ipfix_has_sessions(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	struct exporter *exporter;
	transport_memory_init(&memory);
	memory.transport.has_sessions = true;

	assert_int_equal(exporter_new(&config, &memory.transport, &exporter), -EINVAL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_teardown(
		what_came_before_the_session_goes_behind_its_templates, forget),
	cmocka_unit_test_teardown(
		the_templates_of_a_session_are_no_later_than_its_records, forget),
	cmocka_unit_test_teardown(every_session_begins_anew, forget),
	cmocka_unit_test_teardown(a_message_that_is_being_filled_waits_for_the_session, forget),
	cmocka_unit_test_teardown(what_was_in_flight_is_counted_as_lost, forget),
	cmocka_unit_test_teardown(
		templates_are_not_repeated_in_a_session_but_options_data_are, forget),
	cmocka_unit_test_teardown(nothing_is_refreshed_while_nobody_is_there, forget),
	cmocka_unit_test_teardown(somebody_who_is_away_holds_nobody_up, forget),
	cmocka_unit_test_teardown(what_finds_no_room_is_counted_and_leaves_a_gap, forget),
	cmocka_unit_test_teardown(only_ipfix_has_sessions, forget),
};

UNIT_MAIN("exporter_session", tests)
