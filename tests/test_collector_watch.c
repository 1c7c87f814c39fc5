/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/collector_watch.h"

#include "tests/unit.h"

static struct collector_watch watch;
static struct exporter_stats stats;
static uint64_t lost;

static int start(void **state)
{
	(void)state;
	watch = (struct collector_watch){ 0 };
	stats = (struct exporter_stats){ 0 };
	lost = 0;
	return 0;
}

static enum collector_news look(unsigned sent, unsigned failed)
{
	stats.messages += sent;
	stats.failed_messages += failed;
	stats.failed_records += 10 * failed;
	return collector_watch_look(&watch, 3, &stats, &lost);
}

static void an_outage_is_told_once(void **state)
{
	(void)state;
	assert_int_equal(look(5, 0), COLLECTOR_SAME);
	assert_int_equal(look(5, 1), COLLECTOR_AWAY);
	assert_int_equal(look(5, 5), COLLECTOR_SAME);
	assert_int_equal(look(0, 5), COLLECTOR_SAME);
}

static void a_return_is_told_after_some_looks_without_a_loss(void **state)
{
	(void)state;
	look(5, 1);
	look(5, 3);
	assert_int_equal(look(5, 0), COLLECTOR_SAME);
	assert_int_equal(look(5, 1), COLLECTOR_SAME);
	assert_int_equal(look(5, 0), COLLECTOR_SAME);
	assert_int_equal(look(5, 0), COLLECTOR_SAME);
	assert_int_equal(look(5, 0), COLLECTOR_BACK);
	assert_int_equal(lost, 50);
	assert_int_equal(look(5, 0), COLLECTOR_SAME);
}

static void silence_is_no_return(void **state)
{
	(void)state;
	look(5, 1);
	for (unsigned i = 0; i < 10; i++)
		assert_int_equal(look(0, 0), COLLECTOR_SAME);
	look(1, 0);
	look(1, 0);
	assert_int_equal(look(1, 0), COLLECTOR_BACK);
}

static void the_next_outage_counts_its_own_losses(void **state)
{
	(void)state;
	look(5, 2);
	for (unsigned i = 0; i < 3; i++)
		look(1, 0);
	assert_int_equal(lost, 20);
	assert_int_equal(look(1, 1), COLLECTOR_AWAY);
	for (unsigned i = 0; i < 3; i++)
		look(1, 0);
	assert_int_equal(lost, 10);
}

#define FACT(name) cmocka_unit_test_setup(name, start)

static const struct CMUnitTest tests[] = {
	FACT(an_outage_is_told_once),
	FACT(a_return_is_told_after_some_looks_without_a_loss),
	FACT(silence_is_no_return),
	FACT(the_next_outage_counts_its_own_losses),
};

UNIT_MAIN("collector_watch", tests)
