/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets which records, and that transports are closed once whatever happened before. */
#include "sensor/collectors.h"

#include "export/transport_memory.h"
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

#define FACT(name) cmocka_unit_test_setup_teardown(name, start, forget)

static const struct CMUnitTest tests[] = {
	FACT(every_collector_gets_every_record),
	FACT(a_balanced_flow_goes_to_one_collector_always_the_same),
	FACT(nothing_happens_before_they_have_begun),
	FACT(closing_sends_what_is_left),
};

UNIT_MAIN("collectors", tests)
