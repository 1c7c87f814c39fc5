/* SPDX-License-Identifier: BSD-2-Clause */
/* When records close, to the nanosecond. */
#include "tests/test_flow_support.h"

#include "export/flow_record.h"

/* -- idle timeouts -------------------------------------------------------------------- */

/* One row per rule: packets from A ('a') and B ('b') with these flags make the flow; each rule
 * has its own timeout, so the time tells which one held. */
enum { GENERAL_S = 11, TCP_S = 22, RST_S = 33, FIN_S = 44, UDP_S = 55, ICMP_S = 66 };
enum { IDLE = FLOW_END_IDLE, DETECTED = FLOW_END_DETECTED };
enum { FIN = TCP_FIN, RST = TCP_RST, ACK = TCP_ACK, SYN = TCP_SYN };
enum { SYN_ACK = SYN | ACK, FIN_RST = FIN | RST };

/* clang-format off */
static const struct {
	unsigned protocol;
	const char *senders;
	unsigned flags[3];
	enum track_level level;
	unsigned timeout_s;
	enum end_reason reason;
	unsigned flow_end;
} idle_rows[] = {
	{ TCP,  "ab",  { SYN, SYN_ACK },  TRACK_FULL,  TCP_S,     END_TCP,     IDLE },
	{ TCP,  "aa",  { FIN, FIN },      TRACK_FULL,  TCP_S,     END_TCP,     IDLE },
	{ TCP,  "ab",  { FIN, FIN },      TRACK_FULL,  FIN_S,     END_TCP_FIN, DETECTED },
	{ TCP,  "aba", { FIN, FIN, ACK }, TRACK_ETHER, FIN_S,     END_TCP_FIN, DETECTED },
	{ TCP,  "ab",  { SYN, RST },      TRACK_FULL,  RST_S,     END_TCP_RST, DETECTED },
	{ TCP,  "aba", { FIN, FIN, RST }, TRACK_FULL,  RST_S,     END_TCP_RST, DETECTED },
	{ TCP,  "ab",  { RST, ACK },      TRACK_PORT,  RST_S,     END_TCP_RST, DETECTED },
	{ TCP,  "ab",  { FIN, FIN_RST },  TRACK_PROTO, TCP_S,     END_TCP,     IDLE },
	{ TCP,  "ab",  { FIN, FIN_RST },  TRACK_IP,    GENERAL_S, END_GENERAL, IDLE },
	{ UDP,  "ab",  { 0 },             TRACK_FULL,  UDP_S,     END_UDP,     IDLE },
	{ ICMP, "a",   { 0 },             TRACK_FULL,  ICMP_S,    END_ICMP,    IDLE },
	{ ICMP, "a",   { 0 },             TRACK_IP,    GENERAL_S, END_GENERAL, IDLE },
	{ GRE,  "a",   { 0 },             TRACK_FULL,  GENERAL_S, END_GENERAL, IDLE },
};
/* clang-format on */

static struct flow_cache_config short_config(void)
{
	struct flow_cache_config config = default_config();

	config.timeouts = (struct flow_timeouts){
		.general_ns = S(GENERAL_S),
		.tcp_ns = S(TCP_S),
		.tcp_rst_ns = S(RST_S),
		.tcp_fin_ns = S(FIN_S),
		.udp_ns = S(UDP_S),
		.icmp_ns = S(ICMP_S),
		.maximum_life_ns = S(3600),
	};
	return config;
}

static void idle_flow_closes_at_its_deadline_and_not_before(void **state)
{
	for (size_t row = 0; row < sizeof(idle_rows) / sizeof(idle_rows[0]); row++) {
		struct fixture fixture;
		struct flow_cache_config config = short_config();
		uint64_t last_ns = 0;

		config.level = idle_rows[row].level;
		begin(&fixture, config);
		for (unsigned i = 0; idle_rows[row].senders[i]; i++) {
			bool is_a = idle_rows[row].senders[i] == 'a';
			struct packet_meta meta =
				is_a ? packet(idle_rows[row].protocol, HOST_A, 1, HOST_B, 2)
				     : packet(idle_rows[row].protocol, HOST_B, 2, HOST_A, 1);

			last_ns = S(T0_S + i) + 7;
			meter(&fixture,
				at_ns(with_flags(meta, idle_rows[row].flags[i]), last_ns));
		}
		uint64_t deadline_ns = last_ns + S(idle_rows[row].timeout_s);

		assert_true(flow_cache_next_due_ns(fixture.cache) <= deadline_ns);
		assert_true(flow_cache_advance(fixture.cache, deadline_ns - 1, SIZE_MAX));
		assert_int_equal(fixture.kept.count, 0);
		assert_true(flow_cache_advance(fixture.cache, deadline_ns, SIZE_MAX));
		assert_int_equal(only_record(&fixture)->end_reason, idle_rows[row].flow_end);
		assert_int_equal(closed_at_ns(&fixture, 0), deadline_ns);
		assert_int_equal(
			stats_of(&fixture)->expired_by_reason[idle_rows[row].reason], 1);
		end(&fixture);
	}
}

static void every_packet_puts_the_deadline_off(void **state)
{
	struct fixture fixture;

	begin(&fixture, short_config());
	for (unsigned i = 0; i < 20; i++)
		meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), i * (UDP_S - 1)));
	flow_cache_advance(fixture.cache, S(T0_S + 19 * (UDP_S - 1) + UDP_S) - 1, SIZE_MAX);
	assert_int_equal(fixture.kept.count, 0);
	flow_cache_advance(fixture.cache, S(T0_S + 19 * (UDP_S - 1) + UDP_S), SIZE_MAX);
	assert_int_equal(only_record(&fixture)->side[0].packets, 20);
	end(&fixture);
}

static void packet_at_the_deadline_begins_a_new_flow(void **state)
{
	struct fixture fixture;

	begin(&fixture, short_config());
	meter(&fixture, packet(UDP, HOST_A, 1, HOST_B, 2));
	meter(&fixture, at_ns(packet(UDP, HOST_A, 1, HOST_B, 2), S(T0_S + UDP_S) - 1));
	assert_int_equal(fixture.kept.count, 0);
	meter(&fixture, at_ns(packet(UDP, HOST_A, 1, HOST_B, 2), S(T0_S + 2 * UDP_S) - 1));
	assert_int_equal(only_record(&fixture)->side[0].packets, 2);
	flush(&fixture);
	assert_int_equal(record_at(&fixture, 0)->flow_id, 1);
	assert_int_equal(record_at(&fixture, 1)->flow_id, 2);
	assert_int_equal(record_at(&fixture, 1)->side[0].packets, 1);
	end(&fixture);
}

static void rule_of_zero_hands_over_to_the_next_one(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = short_config();

	config.timeouts.tcp_rst_ns = config.timeouts.tcp_fin_ns = config.timeouts.udp_ns = 0;
	begin(&fixture, config);
	meter(&fixture, with_flags(packet(TCP, HOST_A, 1, HOST_B, 2), TCP_RST));
	meter(&fixture, packet(UDP, HOST_A, 1, HOST_B, 2));
	flow_cache_advance(fixture.cache, S(T0_S + 1000), SIZE_MAX);
	assert_int_equal(record_at(&fixture, 0)->protocol, UDP);
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + GENERAL_S));
	assert_int_equal(record_at(&fixture, 1)->end_reason, FLOW_END_IDLE);
	assert_int_equal(closed_at_ns(&fixture, 1), S(T0_S + TCP_S));
	assert_int_equal(stats_of(&fixture)->expired_by_reason[END_GENERAL], 1);
	assert_int_equal(stats_of(&fixture)->expired_by_reason[END_TCP], 1);
	end(&fixture);
}

/* -- rounding ------------------------------------------------------------------------- */

static void idle_deadline_is_rounded_up_to_the_interval(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = default_config();

	config.timeouts.udp_ns = S(15);
	config.timeouts.expiry_interval_ns = S(60);
	begin(&fixture, config);
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 30));  /* idle 45, due 60 */
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 50));  /* idle 65, due 120 */
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 105)); /* idle 120, due 120 */
	assert_int_equal(fixture.kept.count, 0);
	assert_true(flow_cache_advance(fixture.cache, S(T0_S + 120) - 1, SIZE_MAX));
	assert_int_equal(fixture.kept.count, 0);
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 120));
	assert_int_equal(only_record(&fixture)->side[0].packets, 3);
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 120));
	end(&fixture);
}

static void interval_of_a_second_does_not_round(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = default_config();

	config.timeouts.expiry_interval_ns = S(1);
	begin(&fixture, config);
	meter(&fixture, at_ns(packet(UDP, HOST_A, 1, HOST_B, 2), S(T0_S) + 5));
	flow_cache_advance(fixture.cache, S(T0_S + 300) + 4, SIZE_MAX);
	assert_int_equal(fixture.kept.count, 0);
	flow_cache_advance(fixture.cache, S(T0_S + 300) + 5, SIZE_MAX);
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 300) + 5);
	end(&fixture);
}

static void lifetime_is_never_rounded(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = default_config();

	config.timeouts.maximum_life_ns = S(70);
	config.timeouts.expiry_interval_ns = S(60);
	begin(&fixture, config);
	meter(&fixture, at_ns(packet(UDP, HOST_A, 1, HOST_B, 2), S(T0_S) + 9));
	flow_cache_advance(fixture.cache, S(T0_S + 70) + 8, SIZE_MAX);
	assert_int_equal(fixture.kept.count, 0);
	flow_cache_advance(fixture.cache, S(T0_S + 70) + 9, SIZE_MAX);
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 70) + 9);
	end(&fixture);
}

/* -- the maximum lifetime ------------------------------------------------------------- */

static struct flow_cache_config active_config(void)
{
	struct flow_cache_config config = default_config();

	config.timeouts.maximum_life_ns = S(60);
	config.timeouts.udp_ns = S(15);
	config.timeouts.tcp_ns = S(15);
	return config;
}

static void long_flow_is_split_with_its_counts_kept(void **state)
{
	struct fixture fixture;
	uint64_t packets = 0;

	begin(&fixture, active_config());
	for (unsigned i = 0; i < 300; i++)
		meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), i));
	flush(&fixture);
	assert_int_equal(fixture.kept.count, 5);
	for (unsigned i = 0; i < 5; i++) {
		const struct flow_record *record = record_at(&fixture, i);

		assert_int_equal(record->flow_id, 1);
		assert_int_equal(record->side[0].packets, 60);
		assert_int_equal(record->side[0].first_ns, S(T0_S + 60 * i));
		assert_int_equal(record->side[0].last_ns, S(T0_S + 60 * i + 59));
		assert_int_equal(record->end_reason, i < 4 ? FLOW_END_ACTIVE : FLOW_END_FORCED);
		packets += record->side[0].packets;
	}
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 60));
	assert_int_equal(packets, 300);
	assert_int_equal(stats_of(&fixture)->expired_pkts, 300);
	assert_int_equal(stats_of(&fixture)->expired_by_reason[END_MAXLIFE], 4);
	assert_int_equal(stats_of(&fixture)->created_flows, 1);
	end(&fixture);
}

static void new_record_begins_with_its_own_first_packet(void **state)
{
	struct fixture fixture;
	struct packet_meta first = packet(TCP, HOST_B, 1, HOST_A, 2);
	struct packet_meta later = packet(TCP, HOST_B, 1, HOST_A, 2);

	first.vlan_id = 1;
	first.ttl = 10;
	first.mpls_count = 2;
	later.vlan_id = 2;
	later.ttl = 20;
	begin(&fixture, active_config());
	for (unsigned i = 0; i < 60; i += 10)
		meter(&fixture, at_s(with_flags(first, TCP_SYN), i));
	meter(&fixture, at_s(with_flags(later, TCP_ACK), 64));
	flow_cache_advance(fixture.cache, S(T0_S + 500), SIZE_MAX);

	const struct flow_record *record = record_at(&fixture, 1);

	assert_int_equal(fixture.kept.count, 2);
	assert_int_equal(record->flow_id, 1);
	assert_int_equal(host_of(record, 0), HOST_B);
	assert_true(record->is_initiator_known);
	assert_int_equal(record->side[0].vlan_id, 2);
	assert_int_equal(record->side[0].min_ttl, 20);
	assert_int_equal(record->side[0].max_ttl, 20);
	assert_int_equal(record->side[0].mpls_count, 0);
	assert_int_equal(record->side[0].tcp_flags, TCP_ACK);
	assert_int_equal(record->side[0].first_ns, S(T0_S + 64));
	assert_int_equal(record->end_reason, FLOW_END_IDLE);
	assert_int_equal(closed_at_ns(&fixture, 1), S(T0_S + 64 + 15));
	end(&fixture);
}

static void record_life_counts_from_its_own_first_packet(void **state)
{
	struct fixture fixture;

	begin(&fixture, active_config());
	for (unsigned i = 0; i <= 50; i += 10)
		meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), i));
	for (unsigned i = 63; i <= 123; i += 10)
		meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), i));
	assert_int_equal(fixture.kept.count, 2);
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 60));
	assert_int_equal(closed_at_ns(&fixture, 1), S(T0_S + 123));
	assert_int_equal(record_at(&fixture, 1)->flow_id, 1);
	end(&fixture);
}

static void flow_without_packets_after_its_life_goes_silently(void **state)
{
	struct fixture fixture;

	begin(&fixture, active_config());
	for (unsigned i = 0; i < 60; i += 10)
		meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), i));
	flow_cache_advance(fixture.cache, S(T0_S + 60), SIZE_MAX);
	assert_int_equal(fixture.kept.count, 1);
	assert_int_equal(stats_of(&fixture)->active_flows, 0);
	assert_in_range(flow_cache_next_due_ns(fixture.cache), S(T0_S + 60), S(T0_S + 50 + 15));
	flow_cache_advance(fixture.cache, S(T0_S + 65), SIZE_MAX);
	assert_true(flow_cache_next_due_ns(fixture.cache) == UINT64_MAX);
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 65));
	flush(&fixture);
	assert_int_equal(fixture.kept.count, 2);
	assert_int_equal(record_at(&fixture, 1)->flow_id, 2);
	end(&fixture);
}

static void earlier_of_two_passed_deadlines_gives_the_reason(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = active_config();

	config.timeouts.udp_ns = S(20);
	begin(&fixture, config);
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 0));
	for (unsigned i = 0; i <= 50; i += 10) {
		meter(&fixture, at_s(packet(UDP, HOST_A, 3, HOST_B, 2), i));
		if (i <= 40)
			meter(&fixture, at_s(packet(UDP, HOST_A, 4, HOST_B, 2), i));
	}
	flow_cache_advance(fixture.cache, S(T0_S + 10000), SIZE_MAX);
	assert_int_equal(fixture.kept.count, 3);
	assert_int_equal(record_at(&fixture, 0)->end_reason, FLOW_END_IDLE);
	/* Idle and too old at the same moment is idle. */
	assert_int_equal(record_at(&fixture, 1)->port[0], 4);
	assert_int_equal(record_at(&fixture, 1)->end_reason, FLOW_END_IDLE);
	assert_int_equal(record_at(&fixture, 2)->port[0], 3);
	assert_int_equal(record_at(&fixture, 2)->end_reason, FLOW_END_ACTIVE);
	assert_int_equal(closed_at_ns(&fixture, 1), S(T0_S + 60));
	end(&fixture);
}

static void lifetime_of_zero_is_off(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = active_config();

	config.timeouts.maximum_life_ns = 0;
	begin(&fixture, config);
	for (unsigned i = 0; i < 100000; i++)
		meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), i));
	assert_int_equal(fixture.kept.count, 0);
	end(&fixture);
}

static void tcp_state_begins_anew_with_the_record(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = active_config();

	config.timeouts.tcp_fin_ns = S(100);
	begin(&fixture, config);
	meter(&fixture, with_flags(packet(TCP, HOST_A, 1, HOST_B, 2), TCP_FIN));
	meter(&fixture, with_flags(packet(TCP, HOST_B, 2, HOST_A, 1), TCP_FIN));
	meter(&fixture, at_s(with_flags(packet(TCP, HOST_A, 1, HOST_B, 2), TCP_ACK), 70));
	flow_cache_advance(fixture.cache, S(T0_S + 85), SIZE_MAX);
	assert_int_equal(record_at(&fixture, 0)->end_reason, FLOW_END_ACTIVE);
	assert_int_equal(record_at(&fixture, 1)->end_reason, FLOW_END_IDLE);
	assert_int_equal(record_at(&fixture, 1)->flow_id, 1);
	assert_int_equal(stats_of(&fixture)->expired_by_reason[END_TCP], 1);
	end(&fixture);
}

/* -- order and clock ------------------------------------------------------------------ */

static void records_close_in_the_order_of_their_deadlines(void **state)
{
	struct fixture fixture;

	begin(&fixture, short_config());
	meter(&fixture, packet(ICMP, HOST_A, 8 << 8, HOST_B, 0));     /* due 66 */
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 1));  /* 56 */
	meter(&fixture, at_s(packet(GRE, HOST_A, 0, HOST_B, 0), 50)); /* 61 */
	meter(&fixture, at_s(packet(TCP, HOST_A, 1, HOST_B, 2), 51)); /* 73 */
	flow_cache_advance(fixture.cache, S(T0_S + 100000), SIZE_MAX);
	assert_int_equal(fixture.kept.count, 4);
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 56));
	assert_int_equal(closed_at_ns(&fixture, 1), S(T0_S + 61));
	assert_int_equal(closed_at_ns(&fixture, 2), S(T0_S + 66));
	assert_int_equal(closed_at_ns(&fixture, 3), S(T0_S + 73));
	end(&fixture);
}

static void all_that_is_due_is_handed_out_before_the_packet_counts(void **state)
{
	struct fixture fixture;
	struct packet_meta metas[51];

	for (unsigned i = 0; i < 50; i++)
		metas[i] = at_s(packet(UDP, HOST_A, i, HOST_B, 2), i);
	metas[50] = at_s(packet(TCP, HOST_A, 1, HOST_B, 2), 1000);
	begin(&fixture, short_config());
	flow_cache_meter(fixture.cache, metas, 51);
	assert_int_equal(fixture.kept.count, 50);
	for (unsigned i = 0; i < 50; i++)
		assert_int_equal(closed_at_ns(&fixture, i), S(T0_S + i + UDP_S));
	end(&fixture);
}

static void stamps_that_go_back_do_not_move_the_clock(void **state)
{
	struct fixture fixture;

	begin(&fixture, short_config());
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 100));
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 20));
	assert_int_equal(flow_cache_clock_ns(fixture.cache), S(T0_S + 100));
	assert_true(flow_cache_advance(fixture.cache, S(T0_S + 50), SIZE_MAX));
	assert_int_equal(flow_cache_clock_ns(fixture.cache), S(T0_S + 100));
	flow_cache_advance(fixture.cache, S(T0_S + 100 + UDP_S) - 1, SIZE_MAX);
	assert_int_equal(fixture.kept.count, 0);
	flow_cache_advance(fixture.cache, S(T0_S + 100 + UDP_S), SIZE_MAX);
	assert_int_equal(only_record(&fixture)->side[0].first_ns, S(T0_S + 20));
	assert_int_equal(only_record(&fixture)->side[0].last_ns, S(T0_S + 100));
	end(&fixture);
}

/* A packet of another lane, say, came before it and was newer. */
static void clock_of_a_packet_may_be_ahead_of_its_stamp(void **state)
{
	struct fixture fixture;
	struct packet_meta late = at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 1);

	begin(&fixture, default_config());
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 0));
	late.clock_ns = S(T0_S + 300);
	meter(&fixture, late);

	assert_int_equal(flow_cache_clock_ns(fixture.cache), S(T0_S + 300));
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 300));
	flush(&fixture);
	assert_int_equal(record_at(&fixture, 1)->side[0].first_ns, S(T0_S + 1));
	end(&fixture);
}

static void clock_may_jump_decades(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, at_ns(packet(UDP, HOST_A, 1, HOST_B, 2), 0));
	meter(&fixture, at_ns(packet(TCP, HOST_A, 1, HOST_B, 2), 1));
	meter(&fixture, at_ns(packet(UDP, HOST_A, 1, HOST_B, 2), S(19000ul * 86400)));
	assert_int_equal(fixture.kept.count, 2);
	assert_int_equal(closed_at_ns(&fixture, 0), S(300));
	assert_int_equal(closed_at_ns(&fixture, 1), S(3600) + 1);
	meter(&fixture, at_ns(packet(UDP, HOST_A, 1, HOST_B, 2), UINT64_MAX));
	flush(&fixture);
	assert_int_equal(fixture.kept.count, 4);
	assert_int_equal(stats_of(&fixture)->expired_pkts, 4);
	end(&fixture);
}

static void sink_time_never_goes_back(void **state)
{
	struct fixture fixture;
	struct flow_timeouts shorter = short_config().timeouts;

	begin(&fixture, default_config());
	meter(&fixture, at_s(packet(TCP, HOST_A, 1, HOST_B, 2), 0));
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 10));
	flow_cache_advance(fixture.cache, S(T0_S + 310), SIZE_MAX);
	flow_cache_set_timeouts(fixture.cache, &shorter);
	flow_cache_advance(fixture.cache, S(T0_S + 310), SIZE_MAX);
	assert_int_equal(fixture.kept.count, 2);
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 310));
	assert_int_equal(closed_at_ns(&fixture, 1), S(T0_S + 310));
	end(&fixture);
}

/* -- budgets, new timeouts ------------------------------------------------------------ */

static void advance_stops_at_its_budget(void **state)
{
	struct fixture fixture;

	begin(&fixture, short_config());
	for (unsigned i = 0; i < 10; i++)
		meter(&fixture, packet(UDP, HOST_A, i, HOST_B, 2));
	assert_false(flow_cache_advance(fixture.cache, S(T0_S + 100), 4));
	assert_int_equal(fixture.kept.count, 4);
	assert_true(flow_cache_next_due_ns(fixture.cache) <= S(T0_S + 100));
	assert_false(flow_cache_advance(fixture.cache, S(T0_S + 100), 5));
	assert_true(flow_cache_advance(fixture.cache, S(T0_S + 100), 5));
	assert_int_equal(fixture.kept.count, 10);
	end(&fixture);
}

static void new_timeouts_reach_open_flows(void **state)
{
	struct fixture fixture;
	struct flow_timeouts timeouts = default_config().timeouts;

	begin(&fixture, default_config());
	meter(&fixture, with_flags(packet(TCP, HOST_A, 1, HOST_B, 2), TCP_RST));
	meter(&fixture, packet(UDP, HOST_A, 1, HOST_B, 2));
	timeouts.tcp_rst_ns = 0;
	timeouts.tcp_ns = S(40);
	timeouts.udp_ns = S(400);
	flow_cache_set_timeouts(fixture.cache, &timeouts);
	assert_in_range(flow_cache_next_due_ns(fixture.cache), S(T0_S + 39), S(T0_S + 40));
	flow_cache_advance(fixture.cache, S(T0_S + 399), SIZE_MAX);
	assert_int_equal(only_record(&fixture)->protocol, TCP);
	assert_int_equal(stats_of(&fixture)->expired_by_reason[END_TCP], 1);

	timeouts.maximum_life_ns = S(399);
	flow_cache_set_timeouts(fixture.cache, &timeouts);
	flow_cache_advance(fixture.cache, S(T0_S + 399), SIZE_MAX);
	assert_int_equal(record_at(&fixture, 1)->end_reason, FLOW_END_ACTIVE);
	end(&fixture);
}

static void new_interval_rounds_open_flows(void **state)
{
	struct fixture fixture;
	struct flow_timeouts timeouts = default_config().timeouts;

	begin(&fixture, default_config());
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 1));
	timeouts.expiry_interval_ns = S(60);
	flow_cache_set_timeouts(fixture.cache, &timeouts);
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 359));
	assert_int_equal(fixture.kept.count, 0);
	timeouts.expiry_interval_ns = 0;
	flow_cache_set_timeouts(fixture.cache, &timeouts);
	flow_cache_advance(fixture.cache, S(T0_S + 659), SIZE_MAX);
	assert_int_equal(only_record(&fixture)->side[0].packets, 2);
	end(&fixture);
}

/* A paced cache leaves what is due to flow_cache_advance(); the flow at hand is always judged
 * by its own deadlines. */
static void paced_cache_lags_but_never_miscounts(void **state)
{
	enum { FLOWS = 5000 };
	struct fixture fixture;
	struct flow_cache_config config = short_config();

	config.is_paced = true;
	config.maximum_flows = FLOWS + 1;
	begin(&fixture, config);
	for (unsigned i = 0; i < FLOWS; i++)
		meter(&fixture, packet(UDP, HOST_A, i, HOST_B, 2));
	meter(&fixture, at_s(packet(UDP, HOST_A, FLOWS - 1, HOST_B, 2), UDP_S));
	assert_int_equal(fixture.kept.count, 1);
	assert_int_equal(stats_of(&fixture)->created_flows, FLOWS + 1);
	assert_false(flow_cache_advance(fixture.cache, S(T0_S + UDP_S), 100));
	assert_int_equal(fixture.kept.count, 101);
	while (!flow_cache_advance(fixture.cache, S(T0_S + UDP_S), 100))
		;
	assert_int_equal(fixture.kept.count, FLOWS);
	for (unsigned i = 0; i < FLOWS; i++) {
		assert_int_equal(record_at(&fixture, i)->side[0].packets, 1);
		assert_int_equal(closed_at_ns(&fixture, i), S(T0_S + UDP_S));
	}
	end(&fixture);
}

/* The flow at hand behind others that are due. It has a packet every ten seconds from 0 to
 * .last_s, is idle 15 s after the last one and too old at 60; then comes a packet at .packet_s.
 */
/* clang-format off */
static const struct {
	unsigned last_s, packet_s;
	unsigned end_reason;	/* of the record that the packet closes; 0: it closes none */
	unsigned created_flows; /* of this one; 2: the packet began a new flow */
} lag_rows[] = {
	{ 50, 59, 0,               1 },
	{ 50, 60, FLOW_END_ACTIVE, 1 },
	{ 50, 64, FLOW_END_ACTIVE, 1 },
	{ 50, 65, FLOW_END_ACTIVE, 2 },
	{ 50, 99, FLOW_END_ACTIVE, 2 },
	{ 40, 54, 0,               1 },
	{ 40, 55, FLOW_END_IDLE,   2 },
	{ 40, 99, FLOW_END_IDLE,   2 },
};
/* clang-format on */

enum { LAG_OTHERS = 5000 };

static void begin_lagging(struct fixture *fixture, struct flow_cache_config config)
{
	config.is_paced = true;
	config.maximum_flows = LAG_OTHERS + 10;
	config.timeouts.icmp_ns = S(1);
	begin(fixture, config);
}

static void add_lag(struct fixture *fixture, uint64_t after_s)
{
	for (unsigned i = 0; i < LAG_OTHERS; i++)
		meter(fixture, at_s(packet(ICMP, HOST_A, i, HOST_B, i), after_s));
}

static void paced_cache_judges_the_flow_at_hand_by_its_own_deadlines(void **state)
{
	for (size_t row = 0; row < sizeof(lag_rows) / sizeof(lag_rows[0]); row++) {
		struct fixture fixture;

		begin_lagging(&fixture, active_config());
		for (unsigned i = 0; i <= lag_rows[row].last_s; i += 10)
			meter(&fixture, at_s(packet(TCP, HOST_A, 1, HOST_B, 2), i));
		add_lag(&fixture, lag_rows[row].last_s);
		meter(&fixture,
			at_s(packet(TCP, HOST_A, 1, HOST_B, 2), lag_rows[row].packet_s));

		assert_int_equal(fixture.kept.count, lag_rows[row].end_reason != 0);
		if (lag_rows[row].end_reason)
			assert_int_equal(
				only_record(&fixture)->end_reason, lag_rows[row].end_reason);
		assert_int_equal(stats_of(&fixture)->created_flows,
			LAG_OTHERS + lag_rows[row].created_flows);
		end(&fixture);
	}
}

static void paced_cache_judges_by_new_intervals_at_once(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = active_config();

	config.timeouts.expiry_interval_ns = S(60);
	begin_lagging(&fixture, config);
	meter(&fixture,
		at_s(packet(TCP, HOST_A, 1, HOST_B, 2), 30)); /* idle at 45, due at 60 */
	add_lag(&fixture, 30);
	flow_cache_advance(fixture.cache, S(T0_S + 50), SIZE_MAX);
	config.timeouts.icmp_ns = S(1);
	config.timeouts.expiry_interval_ns = 0;
	flow_cache_set_timeouts(fixture.cache, &config.timeouts);
	meter(&fixture, at_s(packet(TCP, HOST_A, 1, HOST_B, 2), 50));
	assert_in_range(fixture.kept.count, 1, LAG_OTHERS - 1);
	assert_int_equal(stats_of(&fixture)->created_flows, LAG_OTHERS + 2);
	end(&fixture);
}

static void next_due_follows_the_interval(void **state)
{
	struct fixture fixture;
	struct flow_timeouts timeouts = default_config().timeouts;

	begin(&fixture, default_config());
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 1));
	timeouts.expiry_interval_ns = S(60);
	flow_cache_set_timeouts(fixture.cache, &timeouts);
	assert_int_equal(flow_cache_next_due_ns(fixture.cache), S(T0_S + 360));
	timeouts.expiry_interval_ns = S(40);
	flow_cache_set_timeouts(fixture.cache, &timeouts);
	assert_int_equal(flow_cache_next_due_ns(fixture.cache), S((T0_S + 301 + 39) / 40 * 40));
	end(&fixture);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(idle_flow_closes_at_its_deadline_and_not_before),
	cmocka_unit_test(every_packet_puts_the_deadline_off),
	cmocka_unit_test(packet_at_the_deadline_begins_a_new_flow),
	cmocka_unit_test(rule_of_zero_hands_over_to_the_next_one),
	cmocka_unit_test(idle_deadline_is_rounded_up_to_the_interval),
	cmocka_unit_test(interval_of_a_second_does_not_round),
	cmocka_unit_test(lifetime_is_never_rounded),
	cmocka_unit_test(long_flow_is_split_with_its_counts_kept),
	cmocka_unit_test(new_record_begins_with_its_own_first_packet),
	cmocka_unit_test(record_life_counts_from_its_own_first_packet),
	cmocka_unit_test(flow_without_packets_after_its_life_goes_silently),
	cmocka_unit_test(earlier_of_two_passed_deadlines_gives_the_reason),
	cmocka_unit_test(lifetime_of_zero_is_off),
	cmocka_unit_test(tcp_state_begins_anew_with_the_record),
	cmocka_unit_test(records_close_in_the_order_of_their_deadlines),
	cmocka_unit_test(all_that_is_due_is_handed_out_before_the_packet_counts),
	cmocka_unit_test(stamps_that_go_back_do_not_move_the_clock),
	cmocka_unit_test(clock_of_a_packet_may_be_ahead_of_its_stamp),
	cmocka_unit_test(clock_may_jump_decades),
	cmocka_unit_test(sink_time_never_goes_back),
	cmocka_unit_test(advance_stops_at_its_budget),
	cmocka_unit_test(new_timeouts_reach_open_flows),
	cmocka_unit_test(new_interval_rounds_open_flows),
	cmocka_unit_test(paced_cache_lags_but_never_miscounts),
	cmocka_unit_test(paced_cache_judges_the_flow_at_hand_by_its_own_deadlines),
	cmocka_unit_test(paced_cache_judges_by_new_intervals_at_once),
	cmocka_unit_test(next_due_follows_the_interval),
};

UNIT_MAIN("flow_expiry", tests)
