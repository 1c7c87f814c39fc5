/* SPDX-License-Identifier: BSD-2-Clause */
/* The texts against what softflowd 1.1.0 printed for the same numbers. */
#include "sensor/stats_text.h"

#include <errno.h>
#include <netdb.h>

#include "tests/test_flow_support.h"

static char text[8192];

/* What a writer wrote, in .text. */
#define CAPTURE(call) \
	do { \
		text[0] = 0; \
		FILE *out = fmemopen(text, sizeof(text), "w"); \
		assert_non_null(out); \
		call; \
		fclose(out); \
	} while (0)

static struct sensor_stats *empty_stats(void)
{
	static struct sensor_stats stats;

	stats = (struct sensor_stats){ .start_ns = S(1795402716) };
	return &stats;
}

/* The numbers of a capture on a veth link. */
static struct sensor_stats *full_stats(void)
{
	struct sensor_stats *stats = empty_stats();
	struct flow_cache_stats *cache = &stats->cache;

	stats->exported_flows = 9;
	stats->exported.records = 9;
	stats->exported.messages = 2;
	cache->active_flows = 8;
	cache->metered_pkts = 39569;
	cache->expired_flows = 9;
	cache->octets = (struct flow_range){ 720, 1840720, 438840 };
	cache->packets = (struct flow_range){ 6, 20006, 4770 };
	cache->duration_ns = (struct flow_range){ 0, 2240000000, 530000000 };
	cache->expired_by_reason[END_UDP] = 8;
	cache->expired_by_reason[END_ICMP] = 1;
	cache->by_protocol[1].flows = 1;
	cache->by_protocol[1].octets = 720;
	cache->by_protocol[1].packets = 6;
	cache->by_protocol[17].flows = 8;
	cache->by_protocol[17].octets = 1840000;
	cache->by_protocol[17].packets = 20000;
	cache->by_protocol[17].duration_ns_sum = 2240000000;
	cache->by_protocol[17].duration_ns_maximum = 530000000;
	return stats;
}

/* clang-format off */
static const char full_head[] =
	"Number of active flows: 8\n"
	"Packets processed: 39569\n"
	"Fragments: 0\n"
	"Ignored packets: 0 (0 non-IP, 0 too short)\n"
	"Flows expired: 9 (0 forced)\n"
	"Flows exported: 9 (9 records) in 2 packets (0 failures)\n";
static const char full_ring[] =
	"Packets received by libpcap: 40029\n"
	"Packets dropped by libpcap: 3\n"
	"Packets dropped by interface: 2\n";
static const char full_body[] =
	"\n"
	"Expired flow statistics:  minimum       average       maximum\n"
	"  Flow bytes:                 720        204524        438840\n"
	"  Flow packets:                 6          2223          4770\n"
	"  Duration:                  0.00s         0.25s         0.53s\n"
	"\n"
	"Expired flow reasons:\n"
	"       tcp =         0   tcp.rst =         0   tcp.fin =         0\n"
	"       udp =         8      icmp =         1   general =         0\n"
	"   maxlife =         0\n"
	"over 2 GiB =         0\n"
	"  maxflows =         0\n"
	"   flushed =         0\n"
	"\n"
	"Per-protocol statistics:     Octets      Packets   Avg Life    Max Life\n";
static const char full_protocols[] =
	"           icmp (1):            720            6       0.00s       0.00s\n"
	"           udp (17):        1840000        20000       0.28s       0.53s\n";
static const char full_unknown_protocols[] = /* of a host without /etc/protocols */
	"        Unknown (1):            720            6       0.00s       0.00s\n"
	"       Unknown (17):        1840000        20000       0.28s       0.53s\n";
/* clang-format on */

static void check_full(const char *ring)
{
	bool has_names = getprotobynumber(1) && getprotobynumber(17);
	char expected[4096];

	snprintf(expected, sizeof(expected), "%s%s%s%s", full_head, ring, full_body,
		has_names ? full_protocols : full_unknown_protocols);
	assert_string_equal(text, expected);
}

static void statistics_are_softflowds(void **state)
{
	CAPTURE(stats_text_write(full_stats(), out));
	check_full("");
}

static void statistics_of_a_live_source_tell_its_losses(void **state)
{
	struct sensor_stats *stats = full_stats();

	stats->has_ring = true;
	stats->ring.received_pkts = 40029;
	stats->ring.dropped_pkts = 3;
	stats->ring.interface_dropped_pkts = 2;
	CAPTURE(stats_text_write(stats, out));
	check_full(full_ring);
}

static void statistics_end_early_when_nothing_expired(void **state)
{
	CAPTURE(stats_text_write(empty_stats(), out));
	assert_string_equal(text, "Number of active flows: 0\n"
				  "Packets processed: 0\n"
				  "Fragments: 0\n"
				  "Ignored packets: 0 (0 non-IP, 0 too short)\n"
				  "Flows expired: 0 (0 forced)\n"
				  "Flows exported: 0 (0 records) in 0 packets (0 failures)\n"
				  "\n");
}

static void statistics_tell_packets_that_were_not_sampled(void **state)
{
	struct sensor_stats *stats = empty_stats();

	stats->dropped[DROP_NOT_SAMPLED] = 12;
	CAPTURE(stats_text_write(stats, out));
	assert_non_null(strstr(text, "Packets processed: 0\nPackets non-sampled: 12\n"));
}

/* Every reason has a count of its own, so that the sums say which ones were in them. */
static void ignored_packets_are_the_reasons_by_class(void **state)
{
	struct sensor_stats *stats = empty_stats();
	uint64_t non_ip = 0, too_short = 0;
	char expected[128];

	stats->cache.metered_pkts = 1000;
	for (unsigned i = 1; i < DROP_REASON_COUNT; i++) {
		stats->dropped[i] = 3 * i + 1;
		non_ip += drop_reasons[i].class == DROP_CLASS_NON_IP ? 3 * i + 1 : 0;
		too_short += drop_reasons[i].class == DROP_CLASS_TOO_SHORT ? 3 * i + 1 : 0;
	}
	CAPTURE(stats_text_write(stats, out));
	snprintf(expected, sizeof(expected), "Ignored packets: %u (%u non-IP, %u too short)\n",
		(unsigned)(non_ip + too_short), (unsigned)non_ip, (unsigned)too_short);
	assert_non_null(strstr(text, expected));
	snprintf(expected, sizeof(expected), "Packets processed: %u\n",
		1000 + (unsigned)too_short);
	assert_non_null(strstr(text, expected));
}

static void unknown_protocols_have_their_number(void **state)
{
	struct sensor_stats *stats = full_stats();

	stats->cache.by_protocol[253].flows = 1;
	stats->cache.by_protocol[253].octets = 20000000000;
	CAPTURE(stats_text_write(stats, out));
	assert_non_null(strstr(text,
		"      Unknown (253):    20000000000            0       0.00s       0.00s\n"));
}

static void since_is_utc(void **state)
{
	CAPTURE(stats_text_write_since(empty_stats(), out));
	assert_string_equal(text, "Accumulated statistics since 2026-11-23T02:58:36 UTC:\n");
}

static void drops_are_told_by_name(void **state)
{
	struct sensor_stats *stats = empty_stats();

	CAPTURE(stats_text_write_drops(stats, out));
	assert_string_equal(text, "");
	stats->dropped[DROP_NOT_SAMPLED] = 7;
	CAPTURE(stats_text_write_drops(stats, out));
	assert_string_equal(text,
		"         not-sampled:            7  the sampler did not select the packet\n");
}

static void lone_fragments_are_told(void **state)
{
	struct sensor_stats *stats = empty_stats();

	CAPTURE(stats_text_write_notes(stats, out));
	assert_string_equal(text, "");
	stats->lone_fragments = 7;
	CAPTURE(stats_text_write_notes(stats, out));
	assert_string_equal(text, "      lone-fragments:            7  later fragments in "
				  "flows with ports 0: their "
				  "first was not seen in time\n");
}

static void held_fragments_are_processed_packets(void **state)
{
	struct sensor_stats *stats = empty_stats();

	stats->cache.metered_pkts = 40;
	stats->cache.fragments = 3;
	stats->held_fragments = 2;
	CAPTURE(stats_text_write(stats, out));
	assert_non_null(strstr(text, "Packets processed: 42\nFragments: 5\n"));
}

static void timeouts_are_softflowds(void **state)
{
	struct flow_timeouts timeouts = { .tcp_ns = S(3600),
		.tcp_rst_ns = S(120),
		.tcp_fin_ns = S(300),
		.udp_ns = S(5),
		.icmp_ns = S(6),
		.general_ns = S(7),
		.maximum_life_ns = S(604800),
		.expiry_interval_ns = S(2) };

	CAPTURE(stats_text_write_timeouts(&timeouts, out));
	assert_string_equal(text, "           TCP timeout: 3600s\n"
				  "  TCP post-RST timeout: 120s\n"
				  "  TCP post-FIN timeout: 300s\n"
				  "           UDP timeout: 5s\n"
				  "          ICMP timeout: 6s\n"
				  "       General timeout: 7s\n"
				  "      Maximum lifetime: 604800s\n"
				  "       Expiry interval: 2s\n");
}

/* -- dump-flows ----------------------------------------------------------------------- */

static struct flow_snapshot *dumped_flow(void)
{
	static struct flow_snapshot flow;

	flow = (struct flow_snapshot){
		.deadline_ns = S(1795402738) + 63000000,
		.record = {
			.flow_id = 1,
			.address = { { 10, 77, 0, 1 }, { 10, 77, 0, 2 } },
			.port = { 38570, 8099 },
			.ip_version = 4,
			.protocol = TCP,
			.side = {
				{ .packets = 6, .octets = 398, .tcp_flags = 0x1b,
					.first_ns = S(1795402718) + 61999999,
					.last_ns = S(1795402718) + 62500000,
					.source_mac = { 2, 0, 0, 0, 0, 1 },
					.destination_mac = { 2, 0, 0, 0, 0, 2 } },
				{ .packets = 6, .octets = 2929, .tcp_flags = 0x1b,
					.first_ns = S(1795402718) + 62000000,
					.last_ns = S(1795402718) + 999999999,
					.source_mac = { 2, 0, 0, 0, 0, 2 },
					.destination_mac = { 2, 0, 0, 0, 0, 1 } },
			},
		},
	};
	return &flow;
}

static void dumped_flow_is_softflowds_with_both_macs(void **state)
{
	CAPTURE(stats_text_write_flow(dumped_flow(), S(1795402718), out));
	assert_string_equal(text,
		"ACTIVE seq:1 [10.77.0.1]:38570 <> [10.77.0.2]:8099 proto:6 octets>:398 "
		"packets>:6 octets<:2929 packets<:6 start:2026-11-23T02:58:38.061 "
		"finish:2026-11-23T02:58:38.999 tcp>:1b tcp<:1b flowlabel>:00000000 "
		"flowlabel<:00000000 vlan>:0 vlan<:0 ether:02:00:00:00:00:01 <> "
		"02:00:00:00:00:02\n"
		"EXPIRY EVENT for flow 1 in 20 seconds\n"
		"\n");
}

static void dumped_flow_that_is_due_expires_now(void **state)
{
	CAPTURE(stats_text_write_flow(dumped_flow(), S(1795402739), out));
	assert_non_null(strstr(text, "\nEXPIRY EVENT for flow 1 now\n\n"));
}

static void dumped_flow_of_one_direction_has_both_macs_and_its_times(void **state)
{
	struct flow_snapshot *flow = dumped_flow();

	memset(&flow->record.side[0], 0, sizeof(flow->record.side[0]));
	CAPTURE(stats_text_write_flow(flow, S(1795402718), out));
	assert_non_null(strstr(text, "octets>:0 packets>:0 octets<:2929 packets<:6 "
				     "start:2026-11-23T02:58:38.062 "
				     "finish:2026-11-23T02:58:38.999 tcp>:00 tcp<:1b"));
	assert_non_null(strstr(text, "ether:02:00:00:00:00:01 <> 02:00:00:00:00:02\n"));
}

static void dumped_ipv6_flow_has_vlan_and_flow_label(void **state)
{
	struct flow_snapshot *flow = dumped_flow();
	struct flow_record *record = &flow->record;

	record->ip_version = 6;
	set_address(record->address[0], 6, HOST_A);
	set_address(record->address[1], 6, HOST_B);
	record->side[0].flow_label = 0x12345;
	record->side[1].vlan_id = 42;
	CAPTURE(stats_text_write_flow(flow, 0, out));
	assert_non_null(strstr(text, "[2001:db8::1]:38570 <> [2001:db8::2]:8099 "));
	assert_non_null(strstr(
		text, "flowlabel>:00012345 flowlabel<:00000000 vlan>:0 vlan<:42 ether:"));
}

static void dumped_icmp_flow_has_its_type_as_the_port(void **state)
{
	struct flow_snapshot *flow = dumped_flow();

	flow->record.is_icmp = true;
	flow->record.protocol = ICMP;
	flow->record.port[0] = flow->record.port[1] = 0;
	flow->record.side[0].icmp_type_code = 8 << 8;
	CAPTURE(stats_text_write_flow(flow, 0, out));
	assert_non_null(strstr(text, "[10.77.0.1]:0 <> [10.77.0.2]:2048 proto:1 "));
}

/* -- the books ------------------------------------------------------------------------ */

static struct sensor_stats *balanced_stats(void)
{
	struct sensor_stats *stats = empty_stats();

	stats->seen_pkts = 100;
	stats->metered_frames = 90;
	stats->dropped[DROP_NOT_SAMPLED] = 10;
	stats->cache.metered_pkts = 95;
	stats->cache.expired_pkts = 60;
	stats->cache.deleted_pkts = 5;
	return stats;
}

static void check_accepts_balanced_books(void **state)
{
	int result = -1;

	CAPTURE(result = stats_check(balanced_stats(), 30, out));
	assert_int_equal(result, 0);
	assert_string_equal(text, "");
}

static void check_counts_held_frames(void **state)
{
	struct sensor_stats *stats = balanced_stats();
	int result = -1;

	stats->metered_frames -= 4;
	stats->held_fragments = 4;
	CAPTURE(result = stats_check(stats, 30, out));
	assert_int_equal(result, 0);
}

static void check_finds_a_frame_that_nobody_counted(void **state)
{
	struct sensor_stats *stats = balanced_stats();
	int result = 0;

	stats->seen_pkts++;
	CAPTURE(result = stats_check(stats, 30, out));
	assert_int_equal(result, -EBADMSG);
	assert_non_null(strstr(text, "of 101 frames seen 90 are in flows, 0 are held and 10 "));
}

static void check_finds_a_packet_that_is_in_no_record(void **state)
{
	int result = 0;

	CAPTURE(result = stats_check(balanced_stats(), 29, out));
	assert_int_equal(result, -EBADMSG);
	assert_non_null(strstr(text, "of 95 packets in flows 60 are in records, 29 "));
}

/* -- several lanes -------------------------------------------------------------------- */

static void sums_are_those_of_one_lane(void **state)
{
	struct sensor_stats sum = { 0 }, idle = { .start_ns = S(1795402717) }, other;

	stats_sum_add(&sum, full_stats());
	assert_memory_equal(&sum, full_stats(), sizeof(sum));
	stats_sum_add(&sum, &idle);
	assert_memory_equal(&sum, full_stats(), sizeof(sum));

	other = *full_stats();
	other.start_ns -= S(1);
	other.cache.octets = (struct flow_range){ 100, 500000, 400000 };
	other.cache.duration_ns = (struct flow_range){ 10, 20, 990000000 };
	other.cache.by_protocol[17].duration_ns_maximum = 1;
	stats_sum_add(&sum, &other);
	assert_int_equal(sum.start_ns, S(1795402715));
	assert_int_equal(sum.cache.active_flows, 16);
	assert_int_equal(sum.cache.expired_flows, 18);
	assert_int_equal(sum.cache.octets.minimum, 100);
	assert_int_equal(sum.cache.octets.sum, 2340720);
	assert_int_equal(sum.cache.octets.maximum, 438840);
	assert_int_equal(sum.cache.duration_ns.minimum, 0);
	assert_int_equal(sum.cache.duration_ns.maximum, 990000000);
	assert_int_equal(sum.cache.expired_by_reason[END_UDP], 16);
	assert_int_equal(sum.cache.by_protocol[17].octets, 3680000);
	assert_int_equal(sum.cache.by_protocol[17].duration_ns_maximum, 530000000);
	assert_int_equal(sum.exported.messages, 4);
}

/* A minimum of 0 stands for nothing where nothing has expired. */
static void sums_begin_with_the_first_lane_that_has_flows(void **state)
{
	struct sensor_stats sum = { 0 }, idle = { .start_ns = 1 };

	stats_sum_add(&sum, &idle);
	stats_sum_add(&sum, full_stats());
	assert_int_equal(sum.cache.octets.minimum, 720);
}

static void sums_see_the_interface_once(void **state)
{
	struct sensor_stats sum = { 0 }, one = { 0 }, two = { 0 };

	one.ring = (struct ring_stats){ 10, 1, 7, 1, 2, 2, 1, 1 };
	two.ring = (struct ring_stats){ 20, 2, 7, 1, 2, 1, 1, 1 };
	stats_sum_add(&sum, &one);
	stats_sum_add(&sum, &two);
	assert_int_equal(sum.ring.received_pkts, 30);
	assert_int_equal(sum.ring.dropped_pkts, 3);
	assert_int_equal(sum.ring.interface_dropped_pkts, 7);
	assert_int_equal(sum.ring.link_losses, 2);
	assert_int_equal(sum.ring.link_returns, 2);
	assert_int_equal(sum.ring.duplicate_pkts, 2);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(statistics_are_softflowds),
	cmocka_unit_test(statistics_of_a_live_source_tell_its_losses),
	cmocka_unit_test(statistics_end_early_when_nothing_expired),
	cmocka_unit_test(statistics_tell_packets_that_were_not_sampled),
	cmocka_unit_test(ignored_packets_are_the_reasons_by_class),
	cmocka_unit_test(unknown_protocols_have_their_number),
	cmocka_unit_test(since_is_utc),
	cmocka_unit_test(drops_are_told_by_name),
	cmocka_unit_test(lone_fragments_are_told),
	cmocka_unit_test(held_fragments_are_processed_packets),
	cmocka_unit_test(timeouts_are_softflowds),
	cmocka_unit_test(dumped_flow_is_softflowds_with_both_macs),
	cmocka_unit_test(dumped_flow_that_is_due_expires_now),
	cmocka_unit_test(dumped_flow_of_one_direction_has_both_macs_and_its_times),
	cmocka_unit_test(dumped_ipv6_flow_has_vlan_and_flow_label),
	cmocka_unit_test(dumped_icmp_flow_has_its_type_as_the_port),
	cmocka_unit_test(check_accepts_balanced_books),
	cmocka_unit_test(check_counts_held_frames),
	cmocka_unit_test(check_finds_a_frame_that_nobody_counted),
	cmocka_unit_test(check_finds_a_packet_that_is_in_no_record),
	cmocka_unit_test(sums_are_those_of_one_lane),
	cmocka_unit_test(sums_begin_with_the_first_lane_that_has_flows),
	cmocka_unit_test(sums_see_the_interface_once),
};

UNIT_MAIN("stats_text", tests)
