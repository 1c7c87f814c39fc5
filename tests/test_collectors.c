/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets which records, and that transports are closed once whatever happened before. */
#include "sensor/collectors.h"

#include <errno.h>

#include "export/transport_memory.h"
#include "tests/export_reader.h"
#include "tests/export_samples.h"
#include "tests/unit.h"

#define COLLECTORS 3

static struct transport_memory memories[COLLECTORS];
static struct collectors collectors;

static int start(void **state)
{
	struct transport *transports[COLLECTORS];

	collectors = (struct collectors){ .config = sample_config(EXPORT_IPFIX) };
	for (size_t i = 0; i < COLLECTORS; i++) {
		transport_memory_init(&memories[i]);
		transports[i] = &memories[i].transport;
	}
	collectors_take(&collectors, transports, COLLECTORS);
	return 0;
}

static int forget(void **state)
{
	for (size_t i = 0; i < COLLECTORS; i++)
		transport_memory_clear(&memories[i]);
	return 0;
}

static void add_flow(uint64_t flow_id)
{
	struct flow_record record = sample_tcp();

	record.flow_id = flow_id;
	collectors_add(&collectors, &record, SAMPLE_BOOT_NS + 10 * S);
}

static void every_collector_gets_every_record(void **state)
{
	assert_int_equal(collectors_begin(&collectors, SAMPLE_BOOT_NS), 0);
	add_flow(1);
	collectors_flush(&collectors, SAMPLE_BOOT_NS + 10 * S);

	for (size_t i = 0; i < COLLECTORS; i++)
		assert_int_equal(memories[i].count, 1);
	assert_int_equal(collectors_stats(&collectors).flows, COLLECTORS);
	collectors_close(&collectors);
}

static void a_balanced_flow_goes_to_one_collector_always_the_same(void **state)
{
	collectors.is_balanced = true;
	assert_int_equal(collectors_begin(&collectors, SAMPLE_BOOT_NS), 0);
	add_flow(4);
	add_flow(4);
	add_flow(5);
	collectors_flush(&collectors, SAMPLE_BOOT_NS + 10 * S);

	assert_int_equal(memories[0].count, 0);
	assert_int_equal(exporter_stats(collectors.exporters[1])->flows, 2);
	assert_int_equal(exporter_stats(collectors.exporters[2])->flows, 1);
	collectors_close(&collectors);
}

static void nothing_happens_before_they_have_begun(void **state)
{
	collectors.is_balanced = true;
	add_flow(1);
	collectors_advance(&collectors, SAMPLE_BOOT_NS + 10 * S);
	collectors_flush(&collectors, SAMPLE_BOOT_NS + 10 * S);

	assert_int_equal(collectors_stats(&collectors).flows, 0);
	collectors_close(&collectors);
	for (size_t i = 0; i < COLLECTORS; i++) {
		assert_int_equal(memories[i].count, 0);
		assert_true(memories[i].is_closed);
	}
}

static void closing_sends_what_is_left(void **state)
{
	assert_int_equal(collectors_begin(&collectors, SAMPLE_BOOT_NS), 0);
	add_flow(1);

	collectors_close(&collectors);

	for (size_t i = 0; i < COLLECTORS; i++) {
		assert_int_equal(memories[i].count, 1);
		assert_true(memories[i].is_closed);
	}
}

/* -- another row ---------------------------------------------------------------------- */

static struct transport_memory late;

static struct exporter *make_exporter(void)
{
	struct exporter *exporter;

	transport_memory_init(&late);
	assert_int_equal(exporter_new(&collectors.config, &late.transport, &exporter), 0);
	return exporter;
}

static struct collectors_change same_terms(void)
{
	return (struct collectors_change){ .config = collectors.config };
}

static bool part(const struct collectors_change *change, bool give_up)
{
	collectors_part(&collectors, change, SAMPLE_BOOT_NS + 10 * S);
	return collectors_are_parted(&collectors, change, give_up);
}

static void kept_collectors_go_on_and_others_come_and_go(void **state)
{
	assert_int_equal(collectors_begin(&collectors, SAMPLE_BOOT_NS), 0);
	add_flow(1);
	struct exporter *first = collectors.exporters[0];
	struct exporter *third = collectors.exporters[2];
	struct collectors_change change = same_terms();

	change.count = 3;
	change.places[0] = (struct collectors_place){ .kept = 2 };
	change.places[1] = (struct collectors_place){ .added = make_exporter() };
	change.places[2] = (struct collectors_place){ .kept = 0 };
	assert_true(part(&change, false));
	collectors_change(&collectors, &change);

	/* What waited for the one that goes was sent; the others' still waits. */
	assert_int_equal(memories[1].count, 1);
	assert_int_equal(memories[0].count, 0);
	assert_ptr_equal(collectors.exporters[0], third);
	assert_ptr_equal(collectors.exporters[2], first);
	assert_int_equal(change.removed_count, 1);
	exporter_free(change.removed[0]);
	assert_true(memories[1].is_closed);

	add_flow(2);
	collectors_flush(&collectors, SAMPLE_BOOT_NS + 10 * S);
	assert_int_equal(memories[1].count, 1);
	assert_int_equal(exporter_stats(first)->flows, 2);
	assert_int_equal(exporter_stats(collectors.exporters[1])->flows, 1);
	assert_int_equal(late.count, 1);
	assert_int_equal(collectors_stats(&collectors).flows, 6);
	assert_int_equal(collectors_stats(&collectors).failed_records, 0);
	collectors_close(&collectors);
	transport_memory_clear(&late);
}

static void kept_collectors_keep_their_sequence(void **state)
{
	static struct reader reader;
	struct collectors_change change = same_terms();

	assert_int_equal(collectors_begin(&collectors, SAMPLE_BOOT_NS), 0);
	add_flow(1);
	collectors_flush(&collectors, SAMPLE_BOOT_NS + 10 * S);
	change.count = 1;
	change.places[0] = (struct collectors_place){ .kept = 0 };
	assert_true(part(&change, false));
	collectors_change(&collectors, &change);
	add_flow(2);
	collectors_flush(&collectors, SAMPLE_BOOT_NS + 10 * S);

	assert_int_equal(memories[0].count, 2);
	for (size_t i = 0; i < 2; i++)
		reader_feed(
			&reader, memories[0].messages[i].bytes, memories[0].messages[i].length);
	assert_int_equal(reader.gap, 0);
	assert_int_equal(reader_flow_count(&reader), 4);
	assert_int_equal(change.removed_count, 2);
	for (size_t i = 0; i < change.removed_count; i++)
		exporter_free(change.removed[i]);
	collectors_close(&collectors);
}

static void a_full_socket_is_waited_for_before_its_collector_goes(void **state)
{
	struct collectors_change change = same_terms();

	assert_int_equal(collectors_begin(&collectors, SAMPLE_BOOT_NS), 0);
	add_flow(1);
	memories[1].result = -EAGAIN;
	assert_false(part(&change, false));
	add_flow(2);
	memories[1].result = 0;
	assert_true(part(&change, false));
	collectors_change(&collectors, &change);

	assert_int_equal(collectors.count, 0);
	assert_int_equal(change.removed_count, COLLECTORS);
	assert_int_equal(collectors_stats(&collectors).flows, 2 * COLLECTORS);
	assert_int_equal(collectors_stats(&collectors).failed_records, 0);
	for (size_t i = 0; i < change.removed_count; i++)
		exporter_free(change.removed[i]);
	collectors_close(&collectors);
}

static void a_socket_that_stays_full_is_given_up_and_counted(void **state)
{
	struct collectors_change change = same_terms();

	assert_int_equal(collectors_begin(&collectors, SAMPLE_BOOT_NS), 0);
	add_flow(1);
	memories[0].result = -EAGAIN;
	assert_false(part(&change, false));
	assert_true(part(&change, true));
	collectors_change(&collectors, &change);

	assert_true(collectors_stats(&collectors).failed_records > 0);
	for (size_t i = 0; i < change.removed_count; i++)
		exporter_free(change.removed[i]);
	collectors_close(&collectors);
}

static void new_collectors_have_the_uptime_of_the_others(void **state)
{
	struct collectors_change change = same_terms();

	collectors.config.version = EXPORT_NETFLOW_5;
	assert_int_equal(collectors_begin(&collectors, SAMPLE_BOOT_NS), 0);
	collectors_set_boot(&collectors, SAMPLE_BOOT_NS + 5 * S);
	change.config.version = EXPORT_NETFLOW_5;
	change.count = 2;
	change.places[0] = (struct collectors_place){ .kept = 0 };
	change.places[1] = (struct collectors_place){ .added = make_exporter() };
	assert_true(part(&change, false));
	collectors_change(&collectors, &change);
	add_flow(1);
	collectors_flush(&collectors, SAMPLE_BOOT_NS + 10 * S);

	assert_memory_equal(
		memories[0].messages[0].bytes, late.messages[0].bytes, late.messages[0].length);
	for (size_t i = 0; i < change.removed_count; i++)
		exporter_free(change.removed[i]);
	collectors_close(&collectors);
	transport_memory_clear(&late);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, start, forget)

static const struct CMUnitTest tests[] = {
	FACT(every_collector_gets_every_record),
	FACT(a_balanced_flow_goes_to_one_collector_always_the_same),
	FACT(nothing_happens_before_they_have_begun),
	FACT(closing_sends_what_is_left),
	FACT(kept_collectors_go_on_and_others_come_and_go),
	FACT(kept_collectors_keep_their_sequence),
	FACT(a_full_socket_is_waited_for_before_its_collector_goes),
	FACT(a_socket_that_stays_full_is_given_up_and_counted),
	FACT(new_collectors_have_the_uptime_of_the_others),
};

UNIT_MAIN("collectors", tests)
