/* SPDX-License-Identifier: BSD-2-Clause */
/* What one flow's record says: who is who, what is summed, what is kept. When it closes is in
 * test_flow_expiry.c, what happens when there is no room in test_flow_room.c. */
#include "sensor/flow_cache.h"

#include <errno.h>

#include "tests/test_flow_support.h"

/* -- sides ---------------------------------------------------------------------------- */

static void cache_joins_both_directions(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, packet(UDP, HOST_B, 5000, HOST_A, 53));
	meter(&fixture, at_s(packet(UDP, HOST_A, 53, HOST_B, 5000), 1));
	flush(&fixture);

	const struct flow_record *record = only_record(&fixture);

	assert_int_equal(host_of(record, 0), HOST_B);
	assert_int_equal(host_of(record, 1), HOST_A);
	assert_int_equal(record->port[0], 5000);
	assert_int_equal(record->port[1], 53);
	assert_int_equal(record->protocol, UDP);
	assert_int_equal(record->ip_version, 4);
	assert_false(record->is_initiator_known);
	assert_int_equal(record->flow_id, 1);
	for (unsigned side = 0; side < 2; side++) {
		assert_int_equal(record->side[side].packets, 1);
		assert_int_equal(record->side[side].octets, 100);
	}
	end(&fixture);
}

static void cache_joins_a_host_with_itself(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, packet(TCP, HOST_A, 5000, HOST_A, 80));
	meter(&fixture, packet(TCP, HOST_A, 80, HOST_A, 5000));
	meter(&fixture, packet(TCP, HOST_A, 80, HOST_A, 5000));
	flush(&fixture);

	const struct flow_record *record = only_record(&fixture);

	assert_int_equal(record->port[0], 5000);
	assert_int_equal(record->side[0].packets, 1);
	assert_int_equal(record->side[1].packets, 2);
	end(&fixture);
}

static void cache_keeps_equal_addresses_of_two_versions_apart(void **state)
{
	struct fixture fixture;
	struct packet_meta v4 = packet(UDP, HOST_A, 1, HOST_B, 2), v6 = v4;

	v6.ip_version = 6;
	begin(&fixture, default_config());
	meter(&fixture, v4);
	meter(&fixture, v6);
	flush(&fixture);
	assert_int_equal(fixture.kept.count, 2);
	end(&fixture);
}

static void side_that_was_not_seen_is_all_zero(void **state)
{
	static const struct flow_side nothing;
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, packet(UDP, HOST_B, 5000, HOST_A, 53));
	flush(&fixture);
	assert_memory_equal(&only_record(&fixture)->side[1], &nothing, sizeof(nothing));
	end(&fixture);
}

static void side_sums_packets_and_octets(void **state)
{
	struct fixture fixture;
	struct packet_meta meta = packet(TCP, HOST_A, 1, HOST_B, 2);

	begin(&fixture, default_config());
	meter(&fixture, meta);
	meta.packets = 45;
	meta.octets = 65160;
	meter(&fixture, meta);
	flush(&fixture);
	assert_int_equal(only_record(&fixture)->side[0].packets, 46);
	assert_int_equal(only_record(&fixture)->side[0].octets, 65260);
	end(&fixture);
}

static void side_counts_beyond_32_bits(void **state)
{
	struct fixture fixture;
	struct packet_meta meta = packet(TCP, HOST_A, 1, HOST_B, 2);

	meta.packets = UINT32_MAX;
	meta.octets = 3000000000;
	begin(&fixture, default_config());
	for (unsigned i = 0; i < 5; i++)
		meter(&fixture, meta);
	flush(&fixture);
	assert_true(only_record(&fixture)->side[0].packets == 5 * (uint64_t)UINT32_MAX);
	assert_true(only_record(&fixture)->side[0].octets == 15000000000);
	assert_true(stats_of(&fixture)->octets.maximum == 15000000000);
	end(&fixture);
}

static void side_has_its_own_earliest_and_latest_stamp(void **state)
{
	static const unsigned there_s[] = { 5, 9, 3, 7 }, back_s[] = { 8, 4, 6 };
	struct fixture fixture;

	begin(&fixture, default_config());
	for (unsigned i = 0; i < 4; i++)
		meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), there_s[i]));
	for (unsigned i = 0; i < 3; i++)
		meter(&fixture, at_s(packet(UDP, HOST_B, 2, HOST_A, 1), back_s[i]));
	flush(&fixture);

	const struct flow_side *side = only_record(&fixture)->side;

	assert_int_equal(side[0].first_ns, S(T0_S + 3));
	assert_int_equal(side[0].last_ns, S(T0_S + 9));
	assert_int_equal(side[1].first_ns, S(T0_S + 4));
	assert_int_equal(side[1].last_ns, S(T0_S + 8));
	assert_int_equal(flow_cache_clock_ns(fixture.cache), S(T0_S + 9));
	end(&fixture);
}

static void side_keeps_last_tos_extreme_ttls_and_all_flags(void **state)
{
	static const struct {
		uint8_t tos, ttl;
		uint16_t flags;
	} rows[] = { { 0xb8, 60, TCP_ACK }, { 0x00, 63, 0x100 | TCP_FIN }, { 0x20, 58, 0x08 } };
	struct fixture fixture;
	struct packet_meta meta = packet(TCP, HOST_A, 1, HOST_B, 2);

	begin(&fixture, default_config());
	for (unsigned i = 0; i < 3; i++) {
		meta.tos = rows[i].tos;
		meta.ttl = rows[i].ttl;
		meter(&fixture, with_flags(meta, rows[i].flags));
	}
	meta = packet(TCP, HOST_B, 2, HOST_A, 1);
	meta.tos = 0x48;
	meta.ttl = 255;
	meter(&fixture, with_flags(meta, TCP_SYN));
	flush(&fixture);

	const struct flow_record *record = only_record(&fixture);
	unsigned from_a = host_of(record, 0) == HOST_A ? 0 : 1;

	assert_int_equal(record->side[from_a].tos, 0x20);
	assert_int_equal(record->side[from_a].min_ttl, 58);
	assert_int_equal(record->side[from_a].max_ttl, 63);
	assert_int_equal(record->side[from_a].tcp_flags, 0x100 | TCP_ACK | TCP_FIN | 0x08);
	assert_int_equal(record->side[!from_a].tos, 0x48);
	assert_int_equal(record->side[!from_a].min_ttl, 255);
	assert_int_equal(record->side[!from_a].max_ttl, 255);
	assert_int_equal(record->side[!from_a].tcp_flags, TCP_SYN);
	end(&fixture);
}

static struct packet_meta marked(struct packet_meta meta, unsigned mark)
{
	meta.vlan_id = (uint16_t)(100 + mark);
	meta.inner_vlan_id = (uint16_t)(500 + mark);
	meta.flow_label = 200 + mark;
	meta.if_index = 300 + mark;
	meta.is_outgoing = mark % 2;
	meta.source_mac[1] = (uint8_t)(10 + mark);
	meta.destination_mac[1] = (uint8_t)(20 + mark);
	meta.mpls_count = (uint8_t)mark;
	for (unsigned i = 0; i < mark; i++)
		meta.mpls[i] = 1000 * mark + i;
	return meta;
}

static void check_marks(const struct flow_side *side, unsigned mark)
{
	assert_int_equal(side->vlan_id, 100 + mark);
	assert_int_equal(side->flow_label, 200 + mark);
	assert_int_equal(side->inner_vlan_id, 500 + mark);
	assert_int_equal(side->ingress_if, mark % 2 ? 0 : 300 + mark);
	assert_int_equal(side->egress_if, mark % 2 ? 300 + mark : 0);
	assert_int_equal(side->is_egress, mark % 2);
	assert_int_equal(side->source_mac[1], 10 + mark);
	assert_int_equal(side->destination_mac[1], 20 + mark);
	assert_int_equal(side->mpls_count, mark);
	for (unsigned i = 0; i < mark; i++)
		assert_int_equal(side->mpls[i], 1000 * mark + i);
}

static void side_keeps_link_facts_of_its_first_packet(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, marked(packet_v6(TCP, HOST_B, 2, HOST_A, 1), 1));
	meter(&fixture, marked(packet_v6(TCP, HOST_A, 1, HOST_B, 2), 10));
	meter(&fixture, marked(packet_v6(TCP, HOST_B, 2, HOST_A, 1), 3));
	meter(&fixture, marked(packet_v6(TCP, HOST_A, 1, HOST_B, 2), 0));
	flush(&fixture);
	check_marks(&only_record(&fixture)->side[0], 1);
	check_marks(&only_record(&fixture)->side[1], 10);
	assert_int_equal(only_record(&fixture)->side[0].source_mac[5], HOST_B);
	assert_int_equal(only_record(&fixture)->side[1].source_mac[5], HOST_A);
	end(&fixture);
}

static void labels_of_an_earlier_flow_do_not_stay_in_its_entry(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, marked(packet_v6(TCP, HOST_B, 2, HOST_A, 1), 5));
	flush(&fixture);
	meter(&fixture, marked(packet_v6(TCP, HOST_B, 3, HOST_A, 1), 0));
	flush(&fixture);
	check_marks(&record_at(&fixture, 1)->side[0], 0);
	end(&fixture);
}

static void ingress_interface_is_known_default_or_forced(void **state)
{
	static const struct {
		uint32_t if_index, default_if, expected;
		bool is_forced;
	} rows[] = { { 4, 0, 4, false }, { 0, 9, 9, false }, { 4, 9, 4, false },
		{ 4, 9, 9, true }, { 0, 0, 0, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct fixture fixture;
		struct flow_cache_config config = default_config();
		struct packet_meta meta = packet(UDP, HOST_A, 1, HOST_B, 2);

		config.default_ingress_if = rows[i].default_if;
		config.is_default_ingress_forced = rows[i].is_forced;
		meta.if_index = rows[i].if_index;
		begin(&fixture, config);
		meter(&fixture, meta);
		flush(&fixture);
		assert_int_equal(only_record(&fixture)->side[0].ingress_if, rows[i].expected);
		end(&fixture);
	}
}

/* -- who began ------------------------------------------------------------------------ */

/* Up to three packets: from A (higher case) or B, with flags; who must be slot 0, and whether a
 * SYN said so. */
/* clang-format off */
static const struct {
	const char *senders;
	unsigned flags[3];
	unsigned initiator;
	bool is_known;
} syn_rows[] = {
	{ "A",   { TCP_SYN },                                HOST_A, true },
	{ "B",   { TCP_SYN },                                HOST_B, true },
	{ "B",   { TCP_SYN | TCP_ACK },                      HOST_A, true },
	{ "A",   { TCP_SYN | TCP_ACK },                      HOST_B, true },
	{ "B",   { TCP_ACK },                                HOST_B, false },
	{ "BA",  { TCP_ACK, TCP_SYN },                       HOST_A, true },
	{ "BAB", { TCP_ACK, TCP_SYN, TCP_SYN },              HOST_A, true },
	{ "AB",  { TCP_SYN, TCP_SYN },                       HOST_A, true },
	{ "BA",  { TCP_SYN | TCP_ACK, TCP_SYN },             HOST_A, true },
	{ "BB",  { TCP_SYN | TCP_ACK, TCP_SYN },             HOST_A, true },
	{ "AB",  { TCP_SYN, TCP_SYN | TCP_ACK },             HOST_A, true },
	{ "BAA", { TCP_ACK, TCP_ACK, TCP_RST },              HOST_B, false },
};
/* clang-format on */

static void initiator_is_who_sent_the_first_syn(void **state)
{
	for (size_t row = 0; row < sizeof(syn_rows) / sizeof(syn_rows[0]); row++) {
		struct fixture fixture;

		begin(&fixture, default_config());
		for (unsigned i = 0; syn_rows[row].senders[i]; i++) {
			bool is_a = syn_rows[row].senders[i] == 'A';
			struct packet_meta meta = is_a ? packet(TCP, HOST_A, 9, HOST_B, 80)
						       : packet(TCP, HOST_B, 80, HOST_A, 9);

			meter(&fixture, with_flags(meta, syn_rows[row].flags[i]));
		}
		flush(&fixture);

		const struct flow_record *record = only_record(&fixture);

		assert_int_equal(host_of(record, 0), syn_rows[row].initiator);
		assert_int_equal(record->port[0], syn_rows[row].initiator == HOST_A ? 9 : 80);
		assert_int_equal(record->is_initiator_known, syn_rows[row].is_known);
		end(&fixture);
	}
}

static void corrected_initiator_takes_its_counters_along(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, with_flags(packet(TCP, HOST_A, 9, HOST_B, 80), TCP_ACK));
	meter(&fixture, with_flags(packet(TCP, HOST_A, 9, HOST_B, 80), TCP_ACK));
	meter(&fixture, with_flags(packet(TCP, HOST_B, 80, HOST_A, 9), TCP_SYN));
	flush(&fixture);

	const struct flow_record *record = only_record(&fixture);

	assert_int_equal(record->side[0].packets, 1);
	assert_int_equal(record->side[0].tcp_flags, TCP_SYN);
	assert_int_equal(record->side[0].source_mac[5], HOST_B);
	assert_int_equal(record->side[1].packets, 2);
	assert_int_equal(record->side[1].source_mac[5], HOST_A);
	end(&fixture);
}

static void initiator_stays_when_an_active_record_has_gone_out(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = default_config();

	config.timeouts.maximum_life_ns = S(60);
	begin(&fixture, config);
	meter(&fixture, with_flags(packet(TCP, HOST_A, 9, HOST_B, 80), TCP_ACK));
	meter(&fixture, at_s(with_flags(packet(TCP, HOST_B, 80, HOST_A, 9), TCP_SYN), 61));
	flush(&fixture);
	assert_int_equal(fixture.kept.count, 2);
	assert_int_equal(host_of(record_at(&fixture, 0), 0), HOST_A);
	assert_int_equal(host_of(record_at(&fixture, 1), 0), HOST_A);
	assert_int_equal(record_at(&fixture, 1)->side[0].packets, 0);
	assert_int_equal(record_at(&fixture, 1)->side[1].packets, 1);
	end(&fixture);
}

/* -- ICMP ----------------------------------------------------------------------------- */

static void icmp_question_and_answer_are_one_flow(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, packet(ICMP, HOST_B, 8 << 8, HOST_A, 0));
	meter(&fixture, packet(ICMP, HOST_A, 0, HOST_B, 8 << 8));
	flush(&fixture);

	const struct flow_record *record = only_record(&fixture);

	assert_true(record->is_icmp);
	assert_int_equal(host_of(record, 0), HOST_B);
	assert_int_equal(record->port[0], 0);
	assert_int_equal(record->port[1], 0);
	assert_int_equal(record->side[0].icmp_type_code, 8 << 8);
	assert_int_equal(record->side[1].icmp_type_code, 0);
	end(&fixture);
}

static void icmp_without_an_answer_has_its_type_in_its_own_side(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, packet_v6(ICMPV6, HOST_B, 1 << 8 | 4, HOST_A, 1 << 8 | 4));
	flush(&fixture);
	assert_true(only_record(&fixture)->is_icmp);
	assert_int_equal(only_record(&fixture)->side[0].icmp_type_code, 1 << 8 | 4);
	assert_int_equal(only_record(&fixture)->side[1].icmp_type_code, 0);
	end(&fixture);
}

static void icmp_types_are_flows_of_their_own(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	meter(&fixture, packet(ICMP, HOST_A, 8 << 8, HOST_B, 0));
	meter(&fixture, packet(ICMP, HOST_B, 8 << 8, HOST_A, 0));
	meter(&fixture, packet(ICMP, HOST_A, 3 << 8 | 1, HOST_B, 3 << 8 | 1));
	flush(&fixture);
	assert_int_equal(fixture.kept.count, 3);
	end(&fixture);
}

/* -- track levels --------------------------------------------------------------------- */

/* clang-format off */
static const struct {
	enum track_level level;
	unsigned flows; /* that the packets below make */
} level_rows[] = {
	{ TRACK_IP,    1 },
	{ TRACK_PROTO, 2 },
	{ TRACK_PORT,  3 },
	{ TRACK_FULL,  3 },
	{ TRACK_VLAN,  4 },
	{ TRACK_ETHER, 5 },
};
/* clang-format on */

static void level_decides_how_many_flows_there_are(void **state)
{
	struct packet_meta metas[] = {
		packet(TCP, HOST_A, 9, HOST_B, 80), packet(TCP, HOST_B, 80, HOST_A, 9),
		packet(TCP, HOST_A, 10, HOST_B, 80), packet(UDP, HOST_A, 9, HOST_B, 80),
		packet(TCP, HOST_A, 9, HOST_B, 80), /* in VLAN 5 */
		packet(TCP, HOST_A, 9, HOST_B, 80), /* through another router */
		packet(TCP, HOST_B, 80, HOST_A, 9), /* and back */
	};

	metas[4].vlan_id = 5;
	metas[5].destination_mac[0] = 0x42;
	metas[6].source_mac[0] = 0x42;
	for (size_t row = 0; row < sizeof(level_rows) / sizeof(level_rows[0]); row++) {
		struct fixture fixture;
		struct flow_cache_config config = default_config();

		config.level = level_rows[row].level;
		begin(&fixture, config);
		flow_cache_meter(fixture.cache, metas, 7);
		assert_int_equal(stats_of(&fixture)->active_flows, level_rows[row].flows);
		flush(&fixture);
		assert_int_equal(stats_of(&fixture)->expired_pkts, 7);
		end(&fixture);
	}
}

static void tagged_conversation_is_one_flow_at_every_level(void **state)
{
	for (unsigned level = 0; level < TRACK_LEVEL_COUNT; level++) {
		struct fixture fixture;
		struct flow_cache_config config = default_config();
		struct packet_meta there = packet(TCP, HOST_A, 9, HOST_B, 80);
		struct packet_meta back = packet(TCP, HOST_B, 80, HOST_A, 9);

		config.level = level;
		there.vlan_id = back.vlan_id = 77;
		begin(&fixture, config);
		meter(&fixture, there);
		meter(&fixture, back);
		flush(&fixture);

		const struct flow_record *record = only_record(&fixture);

		assert_int_equal(record->side[0].vlan_id, 77);
		assert_int_equal(record->side[1].vlan_id, 77);
		assert_int_equal(record->side[0].source_mac[5], HOST_A);
		assert_int_equal(record->side[0].destination_mac[5], HOST_B);
		assert_int_equal(record->side[1].source_mac[5], HOST_B);
		assert_int_equal(record->side[1].destination_mac[5], HOST_A);
		end(&fixture);
	}
}

static void level_ip_and_proto_have_no_ports_flags_or_types(void **state)
{
	for (unsigned level = TRACK_IP; level <= TRACK_PROTO; level++) {
		struct fixture fixture;
		struct flow_cache_config config = default_config();

		config.level = level;
		begin(&fixture, config);
		meter(&fixture, with_flags(packet(TCP, HOST_B, 9, HOST_A, 80), TCP_ACK));
		meter(&fixture, with_flags(packet(TCP, HOST_A, 9, HOST_B, 80), TCP_SYN));
		meter(&fixture, packet(ICMP, HOST_A, 8 << 8, HOST_C, 0));
		flush(&fixture);

		const struct flow_record *tcp = record_at(&fixture, 0);
		const struct flow_record *icmp = record_at(&fixture, 1);

		assert_int_equal(tcp->protocol, level == TRACK_IP ? 0 : TCP);
		assert_int_equal(host_of(tcp, 0), HOST_B);
		assert_false(tcp->is_initiator_known);
		assert_int_equal(tcp->port[0] | tcp->port[1], 0);
		assert_int_equal(tcp->side[0].tcp_flags | tcp->side[1].tcp_flags, 0);
		assert_int_equal(icmp->protocol, level == TRACK_IP ? 0 : ICMP);
		assert_int_equal(icmp->is_icmp, level == TRACK_PROTO);
		assert_int_equal(icmp->side[0].icmp_type_code, 0);
		end(&fixture);
	}
}

/* -- life ----------------------------------------------------------------------------- */

static void new_cache_refuses_nonsense(void **state)
{
	struct flow_cache *cache = NULL;
	struct kept kept = { 0 };
	struct flow_cache_config good = default_config(), config;

	good.sink = (struct flow_sink){ keep_record, &kept };
	config = good;
	config.maximum_flows = 0;
	assert_int_equal(flow_cache_new(&config, &cache), -EINVAL);
	config = good;
	config.timeouts.general_ns = 0;
	assert_int_equal(flow_cache_new(&config, &cache), -EINVAL);
	config = good;
	config.level = TRACK_LEVEL_COUNT;
	assert_int_equal(flow_cache_new(&config, &cache), -EINVAL);
	config = good;
	config.sink.record = NULL;
	assert_int_equal(flow_cache_new(&config, &cache), -EINVAL);
	assert_null(cache);
	flow_cache_free(NULL);
}

static void new_cache_is_empty(void **state)
{
	struct fixture fixture;

	begin(&fixture, default_config());
	assert_int_equal(flow_cache_clock_ns(fixture.cache), 0);
	assert_true(flow_cache_next_due_ns(fixture.cache) == UINT64_MAX);
	assert_true(flow_cache_advance(fixture.cache, S(T0_S), SIZE_MAX));
	assert_int_equal(flow_cache_expire_all(fixture.cache, SIZE_MAX), 0);
	assert_int_equal(flow_cache_delete_all(fixture.cache, SIZE_MAX), 0);
	assert_int_equal(fixture.kept.count, 0);
	end(&fixture);
}

/* -- statistics ----------------------------------------------------------------------- */

static void stats_tell_extremes_sums_and_protocols(void **state)
{
	struct fixture fixture;
	struct packet_meta fragment = packet(UDP, HOST_A, 1, HOST_B, 2);

	fragment.is_fragment = true;
	begin(&fixture, default_config());
	meter(&fixture, fragment);                                   /* 100 octets, 0 s */
	meter(&fixture, packet(TCP, HOST_A, 1, HOST_B, 2));          /* with the next two: */
	meter(&fixture, at_s(packet(TCP, HOST_B, 2, HOST_A, 1), 3)); /* 300 octets, 7 s */
	meter(&fixture, at_s(packet(TCP, HOST_A, 1, HOST_B, 2), 7));
	meter(&fixture, at_s(packet(UDP, HOST_A, 5, HOST_B, 2), 7)); /* with the next: */
	meter(&fixture, at_s(packet(UDP, HOST_A, 5, HOST_B, 2), 9)); /* 200 octets, 2 s */
	assert_int_equal(stats_of(&fixture)->active_flows, 3);
	assert_int_equal(stats_of(&fixture)->expired_flows, 0);
	flush(&fixture);

	const struct flow_cache_stats *stats = stats_of(&fixture);

	assert_int_equal(stats->metered_pkts, 6);
	assert_int_equal(stats->metered_octets, 600);
	assert_int_equal(stats->fragments, 1);
	assert_int_equal(stats->active_flows, 0);
	assert_int_equal(stats->created_flows, 3);
	assert_int_equal(stats->expired_flows, 3);
	assert_int_equal(stats->expired_pkts, 6);
	assert_int_equal(stats->expired_octets, 600);
	assert_int_equal(stats->forced_flows, 0);
	assert_int_equal(stats->expired_by_reason[END_FLUSH], 3);
	assert_int_equal(stats->octets.minimum, 100);
	assert_int_equal(stats->octets.sum, 600);
	assert_int_equal(stats->octets.maximum, 300);
	assert_int_equal(stats->packets.minimum, 1);
	assert_int_equal(stats->packets.sum, 6);
	assert_int_equal(stats->packets.maximum, 3);
	assert_int_equal(stats->duration_ns.minimum, 0);
	assert_int_equal(stats->duration_ns.sum, S(9));
	assert_int_equal(stats->duration_ns.maximum, S(7));
	assert_int_equal(stats->by_protocol[TCP].flows, 1);
	assert_int_equal(stats->by_protocol[TCP].octets, 300);
	assert_int_equal(stats->by_protocol[TCP].packets, 3);
	assert_int_equal(stats->by_protocol[UDP].flows, 2);
	assert_int_equal(stats->by_protocol[UDP].octets, 300);
	assert_int_equal(stats->by_protocol[UDP].duration_ns_sum, S(2));
	assert_int_equal(stats->by_protocol[UDP].duration_ns_maximum, S(2));
	end(&fixture);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cache_joins_both_directions),
	cmocka_unit_test(cache_joins_a_host_with_itself),
	cmocka_unit_test(cache_keeps_equal_addresses_of_two_versions_apart),
	cmocka_unit_test(side_that_was_not_seen_is_all_zero),
	cmocka_unit_test(side_sums_packets_and_octets),
	cmocka_unit_test(side_counts_beyond_32_bits),
	cmocka_unit_test(side_has_its_own_earliest_and_latest_stamp),
	cmocka_unit_test(side_keeps_last_tos_extreme_ttls_and_all_flags),
	cmocka_unit_test(side_keeps_link_facts_of_its_first_packet),
	cmocka_unit_test(labels_of_an_earlier_flow_do_not_stay_in_its_entry),
	cmocka_unit_test(ingress_interface_is_known_default_or_forced),
	cmocka_unit_test(initiator_is_who_sent_the_first_syn),
	cmocka_unit_test(corrected_initiator_takes_its_counters_along),
	cmocka_unit_test(initiator_stays_when_an_active_record_has_gone_out),
	cmocka_unit_test(icmp_question_and_answer_are_one_flow),
	cmocka_unit_test(icmp_without_an_answer_has_its_type_in_its_own_side),
	cmocka_unit_test(icmp_types_are_flows_of_their_own),
	cmocka_unit_test(level_decides_how_many_flows_there_are),
	cmocka_unit_test(tagged_conversation_is_one_flow_at_every_level),
	cmocka_unit_test(level_ip_and_proto_have_no_ports_flags_or_types),
	cmocka_unit_test(new_cache_refuses_nonsense),
	cmocka_unit_test(new_cache_is_empty),
	cmocka_unit_test(stats_tell_extremes_sums_and_protocols),
};

UNIT_MAIN("flow_cache", tests)
