/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit.h"

#include "sensor/status_line.h"

#define NS_PER_S 1000000000ULL

static void the_first_line_has_no_rates(void **state)
{
	struct status_line before = { 0 };
	struct sensor_stats stats = { .seen_pkts = 500, .cache.active_flows = 3 };
	char text[STATUS_LINE_BYTES];

	status_line_write(&before, &stats, 77 * NS_PER_S, text);

	assert_string_equal(text, "0 packets/s, 0 new flows/s, 0 drops/s; "
				  "500 packets, 3 active flows, 0 dropped by the kernel");
}

static void rates_are_of_the_time_since_the_line_before(void **state)
{
	struct status_line before = { 0 };
	struct sensor_stats stats = { .seen_pkts = 500, .cache.created_flows = 10 };
	char text[STATUS_LINE_BYTES];

	status_line_write(&before, &stats, 77 * NS_PER_S, text);
	stats.seen_pkts = 2500;
	stats.cache.created_flows = 16;
	stats.cache.active_flows = 4;
	stats.ring.dropped_pkts = 1;
	status_line_write(&before, &stats, 79 * NS_PER_S, text);

	assert_string_equal(text,
		"1000 packets/s, 3 new flows/s, 1 drops/s; " /* 0.5 is rounded up */
		"2500 packets, 4 active flows, 1 dropped by the kernel");
}

static void an_interface_that_is_away_is_said_first(void **state)
{
	struct status_line before = { 0 };
	struct sensor_stats stats = { .ring = { .link_losses = 2, .link_returns = 1 } };
	char text[STATUS_LINE_BYTES];

	status_line_write(&before, &stats, NS_PER_S, text);

	assert_memory_equal(text, "waiting for the interface, 0 packets/s", 38);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(the_first_line_has_no_rates),
	cmocka_unit_test(rates_are_of_the_time_since_the_line_before),
	cmocka_unit_test(an_interface_that_is_away_is_said_first),
};

UNIT_MAIN("status_line", tests)
