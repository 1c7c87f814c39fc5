/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/expiry.h"

#include "tests/test_flow_support.h"

static struct expiry expiry_of(struct flow_timeouts timeouts)
{
	struct expiry expiry;

	expiry_init(&expiry, &timeouts);
	return expiry;
}

static struct flow_timeouts distinct_timeouts(void)
{
	return (struct flow_timeouts){ .general_ns = 1,
		.tcp_ns = 2,
		.tcp_rst_ns = 3,
		.tcp_fin_ns = 4,
		.udp_ns = 5,
		.icmp_ns = 6 };
}

static void check_rule(const struct expiry *expiry, enum expiry_class class,
	uint64_t timeout_ns, enum end_reason reason)
{
	assert_int_equal(expiry->idle[class].timeout_ns, timeout_ns);
	assert_int_equal(expiry->idle[class].reason, reason);
}

static void each_class_has_its_rule(void **state)
{
	struct expiry expiry = expiry_of(distinct_timeouts());

	check_rule(&expiry, EXPIRY_GENERAL, 1, END_GENERAL);
	check_rule(&expiry, EXPIRY_TCP, 2, END_TCP);
	check_rule(&expiry, EXPIRY_RST, 3, END_TCP_RST);
	check_rule(&expiry, EXPIRY_RST_FIN, 3, END_TCP_RST);
	check_rule(&expiry, EXPIRY_FIN, 4, END_TCP_FIN);
	check_rule(&expiry, EXPIRY_UDP, 5, END_UDP);
	check_rule(&expiry, EXPIRY_ICMP, 6, END_ICMP);
}

static void rule_with_timeout_zero_leaves_it_to_the_next(void **state)
{
	struct flow_timeouts timeouts = distinct_timeouts();

	timeouts.tcp_rst_ns = timeouts.udp_ns = timeouts.icmp_ns = 0;
	struct expiry expiry = expiry_of(timeouts);

	check_rule(&expiry, EXPIRY_RST_FIN, 4, END_TCP_FIN);
	check_rule(&expiry, EXPIRY_RST, 2, END_TCP);
	check_rule(&expiry, EXPIRY_UDP, 1, END_GENERAL);
	check_rule(&expiry, EXPIRY_ICMP, 1, END_GENERAL);

	timeouts.tcp_fin_ns = 0;
	expiry = expiry_of(timeouts);
	check_rule(&expiry, EXPIRY_RST_FIN, 2, END_TCP);
	check_rule(&expiry, EXPIRY_FIN, 2, END_TCP);

	timeouts.tcp_ns = 0;
	expiry = expiry_of(timeouts);
	for (unsigned class = 0; class < EXPIRY_CLASS_COUNT; class ++)
		check_rule(&expiry, class, 1, END_GENERAL);
}

static void without_any_timeout_nothing_expires(void **state)
{
	struct expiry expiry = expiry_of((struct flow_timeouts){ 0 });

	check_rule(&expiry, EXPIRY_TCP, EXPIRY_NEVER_NS, END_GENERAL);
	assert_true(expiry.maximum_life_ns == EXPIRY_NEVER_NS);
}

static void classes_follow_protocol_and_flags(void **state)
{
	static const struct {
		unsigned version, protocol, flags_0, flags_1;
		enum expiry_class class;
	} rows[] = {
		{ 4, TCP, 0, 0, EXPIRY_TCP },
		{ 4, TCP, TCP_SYN | TCP_FIN, TCP_SYN | TCP_ACK, EXPIRY_TCP },
		{ 4, TCP, TCP_FIN, TCP_FIN | TCP_ACK, EXPIRY_FIN },
		{ 6, TCP, TCP_RST, 0, EXPIRY_RST },
		{ 4, TCP, 0, TCP_RST, EXPIRY_RST },
		{ 4, TCP, TCP_FIN | TCP_RST, TCP_FIN, EXPIRY_RST_FIN },
		{ 4, UDP, TCP_RST, TCP_RST, EXPIRY_UDP },
		{ 4, ICMP, 0, 0, EXPIRY_ICMP },
		{ 6, ICMPV6, 0, 0, EXPIRY_ICMP },
		{ 6, ICMP, 0, 0, EXPIRY_GENERAL },
		{ 4, ICMPV6, 0, 0, EXPIRY_GENERAL },
		{ 4, 0, 0, 0, EXPIRY_GENERAL },
		{ 4, 47, 0, 0, EXPIRY_GENERAL },
		{ 4, 132, 0, 0, EXPIRY_GENERAL },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_key key = { .ip_version = (uint8_t)rows[i].version,
			.protocol = (uint8_t)rows[i].protocol };
		uint16_t flags[2] = { (uint16_t)rows[i].flags_0, (uint16_t)rows[i].flags_1 };

		assert_int_equal(expiry_classify(&key, flags), rows[i].class);
	}
}

static void intervals_up_to_a_second_do_not_round(void **state)
{
	struct expiry expiry = expiry_of((struct flow_timeouts){ .expiry_interval_ns = S(1) });

	assert_int_equal(expiry_round_up_ns(&expiry, 1234567), 1234567);
	assert_int_equal(expiry_round_down_ns(&expiry, 1234567), 1234567);
}

static void longer_intervals_round_to_their_multiples(void **state)
{
	struct expiry expiry = expiry_of((struct flow_timeouts){ .expiry_interval_ns = S(60) });

	assert_int_equal(expiry_round_up_ns(&expiry, S(60)), S(60));
	assert_int_equal(expiry_round_up_ns(&expiry, S(60) + 1), S(120));
	assert_int_equal(expiry_round_up_ns(&expiry, S(120) - 1), S(120));
	assert_int_equal(expiry_round_down_ns(&expiry, S(60)), S(60));
	assert_int_equal(expiry_round_down_ns(&expiry, S(60) - 1), 0);
}

static void times_that_do_not_fit_are_never(void **state)
{
	struct expiry expiry = expiry_of((struct flow_timeouts){ .expiry_interval_ns = S(60) });

	assert_true(expiry_add_ns(UINT64_MAX - 1, 1) == EXPIRY_NEVER_NS);
	assert_true(expiry_add_ns(UINT64_MAX - 1, 2) == EXPIRY_NEVER_NS);
	assert_true(expiry_add_ns(5, EXPIRY_NEVER_NS) == EXPIRY_NEVER_NS);
	assert_true(expiry_round_up_ns(&expiry, UINT64_MAX - 1) == EXPIRY_NEVER_NS);
	assert_true(expiry_round_up_ns(&expiry, EXPIRY_NEVER_NS) == EXPIRY_NEVER_NS);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(each_class_has_its_rule),
	cmocka_unit_test(rule_with_timeout_zero_leaves_it_to_the_next),
	cmocka_unit_test(without_any_timeout_nothing_expires),
	cmocka_unit_test(classes_follow_protocol_and_flags),
	cmocka_unit_test(intervals_up_to_a_second_do_not_round),
	cmocka_unit_test(longer_intervals_round_to_their_multiples),
	cmocka_unit_test(times_that_do_not_fit_are_never),
};

UNIT_MAIN("expiry", tests)
