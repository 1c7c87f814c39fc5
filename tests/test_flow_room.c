/* SPDX-License-Identifier: BSD-2-Clause */
/* A cache that is full, emptied or looked into. */
#include "tests/test_flow_support.h"

#include "export/flow_record.h"
#include "sensor/flow_table.h"

static struct flow_cache_config small_config(uint32_t maximum_flows)
{
	struct flow_cache_config config = default_config();

	config.maximum_flows = maximum_flows;
	return config;
}

/* -- the least recently active flow goes first ---------------------------------------- */

static void full_cache_evicts_the_least_recently_active_flow(void **state)
{
	struct fixture fixture;

	begin(&fixture, small_config(3));
	meter(&fixture, at_s(packet(TCP, HOST_A, 1, HOST_B, 2), 0));
	meter(&fixture, at_s(packet(UDP, HOST_A, 2, HOST_B, 2), 1));
	meter(&fixture, at_s(packet(GRE, HOST_A, 0, HOST_B, 0), 2));
	meter(&fixture, at_s(packet(TCP, HOST_B, 2, HOST_A, 1), 3));
	assert_int_equal(fixture.kept.count, 0);

	meter(&fixture, at_s(packet(UDP, HOST_A, 4, HOST_B, 2), 4));
	assert_int_equal(only_record(&fixture)->port[0], 2);
	assert_int_equal(only_record(&fixture)->end_reason, FLOW_END_RESOURCES);
	assert_int_equal(closed_at_ns(&fixture, 0), S(T0_S + 4));
	meter(&fixture, at_s(packet(UDP, HOST_A, 5, HOST_B, 2), 5));
	assert_int_equal(record_at(&fixture, 1)->protocol, GRE);
	meter(&fixture, at_s(packet(UDP, HOST_A, 6, HOST_B, 2), 6));
	assert_int_equal(record_at(&fixture, 2)->protocol, TCP);
	assert_int_equal(stats_of(&fixture)->forced_flows, 3);
	assert_int_equal(stats_of(&fixture)->expired_by_reason[END_OVERFLOWS], 3);
	assert_int_equal(stats_of(&fixture)->active_flows, 3);
	end(&fixture);
}

static void full_cache_closes_what_is_due_before_it_evicts(void **state)
{
	struct fixture fixture;

	begin(&fixture, small_config(2));
	meter(&fixture, at_s(packet(TCP, HOST_A, 1, HOST_B, 2), 0));
	meter(&fixture, at_s(packet(UDP, HOST_A, 2, HOST_B, 2), 1));
	meter(&fixture, at_s(packet(UDP, HOST_A, 3, HOST_B, 2), 301));
	assert_int_equal(only_record(&fixture)->port[0], 2);
	assert_int_equal(only_record(&fixture)->end_reason, FLOW_END_IDLE);
	assert_int_equal(stats_of(&fixture)->forced_flows, 0);
	end(&fixture);
}

static void cache_of_one_flow_works(void **state)
{
	struct fixture fixture;

	begin(&fixture, small_config(1));
	for (unsigned i = 0; i < 100; i++)
		meter(&fixture, packet(UDP, HOST_A, i, HOST_B, 200));
	assert_int_equal(fixture.kept.count, 99);
	for (unsigned i = 0; i < 99; i++)
		assert_int_equal(record_at(&fixture, i)->port[0], i);
	end(&fixture);
}

static void entry_that_waits_after_its_life_is_evicted_silently(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = small_config(2);

	config.timeouts.maximum_life_ns = S(10);
	begin(&fixture, config);
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 0));
	meter(&fixture, at_s(packet(UDP, HOST_A, 2, HOST_B, 2), 11));
	assert_int_equal(fixture.kept.count, 1);
	meter(&fixture, at_s(packet(UDP, HOST_A, 3, HOST_B, 2), 12));
	assert_int_equal(fixture.kept.count, 1);
	assert_int_equal(stats_of(&fixture)->forced_flows, 0);
	assert_int_equal(stats_of(&fixture)->active_flows, 2);
	end(&fixture);
}

static void cache_under_maximum_load_keeps_every_flow_apart(void **state)
{
	enum { FLOWS = 20000 };
	struct fixture fixture;

	begin(&fixture, small_config(FLOWS));
	for (unsigned round = 0; round < 3; round++)
		for (unsigned i = 0; i < FLOWS; i++)
			meter(&fixture,
				packet(UDP, HOST_A + i / 1000, i % 1000, HOST_B + 1000, 2));
	assert_int_equal(fixture.kept.count, 0);
	assert_int_equal(stats_of(&fixture)->active_flows, FLOWS);
	flush(&fixture);
	assert_int_equal(fixture.kept.count, FLOWS);
	for (unsigned i = 0; i < FLOWS; i++) {
		assert_int_equal(record_at(&fixture, i)->flow_id, i + 1);
		assert_int_equal(record_at(&fixture, i)->side[0].packets, 3);
	}
	end(&fixture);
}

/* -- keys that collide ---------------------------------------------------------------- */

struct tagged_port {
	uint32_t tag;
	uint32_t number;
};

static int compare_tags(const void *a, const void *b)
{
	const struct tagged_port *x = a, *y = b;

	return (x->tag > y->tag) - (x->tag < y->tag);
}

static struct packet_meta numbered(uint32_t number)
{
	return packet(UDP, 1 + (number >> 14), number & 0x3fff, 9999, 53);
}

/* Among 2^18 keys about eight pairs share all 32 bits of their tag: real collisions. */
static void flows_with_the_same_tag_are_kept_apart(void **state)
{
	enum { KEYS = 1 << 18 };
	struct tagged_port *tags = calloc(KEYS, sizeof(*tags));
	struct flow_cache_config config = default_config();
	struct flow_keying keying;
	unsigned pairs = 0;

	assert_non_null(tags);
	flow_keying_init(&keying, TRACK_FULL, config.hash_key);
	for (uint32_t i = 0; i < KEYS; i++) {
		struct packet_meta meta = numbered(i);
		struct flow_probe probe = { 0 };

		flow_key_make(&keying, &meta, &probe);
		tags[i] = (struct tagged_port){ (uint32_t)(probe.hash >> 32), i };
	}
	qsort(tags, KEYS, sizeof(*tags), compare_tags);
	for (uint32_t i = 1; i < KEYS; i++) {
		struct fixture fixture;

		if (tags[i].tag != tags[i - 1].tag)
			continue;
		pairs++;
		begin(&fixture, config);
		meter(&fixture, numbered(tags[i].number));
		meter(&fixture, numbered(tags[i - 1].number));
		meter(&fixture, numbered(tags[i].number));
		flush(&fixture);
		assert_int_equal(fixture.kept.count, 2);
		assert_int_equal(record_at(&fixture, 0)->side[0].packets, 2);
		assert_int_equal(record_at(&fixture, 1)->port[0], tags[i - 1].number & 0x3fff);
		end(&fixture);
	}
	assert_true(pairs > 0);
	free(tags);
}

/* Flows that all have one home, as who knows the hash key can make them: those that are too far
 * from it make others go, which are exported for lack of room. Nothing is lost. */
static void flows_of_one_home_are_bounded(void **state)
{
	enum { FLOWS = FLOW_TABLE_PROBES_MAX + 200, CAPACITY = 2000 };
	struct fixture fixture;
	struct flow_cache_config config = small_config(CAPACITY);
	struct flow_table table;
	uint32_t made = 0;

	assert_int_equal(
		flow_table_init(&table, CAPACITY, 0, config.level, config.hash_key), 0);
	begin(&fixture, config);
	for (uint32_t number = 0; made < FLOWS; number++) {
		struct packet_meta meta = numbered(number);
		struct flow_probe probe;

		flow_key_make(&table.keying, &meta, &probe);
		if (flow_table_home(&table, (uint32_t)(probe.hash >> 32)) != CAPACITY / 2)
			continue;
		meter(&fixture, meta);
		meter(&fixture, meta);
		made++;
	}
	assert_int_equal(stats_of(&fixture)->active_flows, FLOW_TABLE_PROBES_MAX);
	assert_int_equal(stats_of(&fixture)->forced_flows, FLOWS - FLOW_TABLE_PROBES_MAX);
	flush(&fixture);
	assert_int_equal(fixture.kept.count, FLOWS);
	for (uint32_t i = 0; i < FLOWS; i++)
		assert_int_equal(record_at(&fixture, i)->side[0].packets, 2);
	flow_table_fini(&table);
	end(&fixture);
}

/* -- expire-all, delete-all ----------------------------------------------------------- */

static void expire_all_closes_in_the_order_of_beginning(void **state)
{
	struct fixture fixture;

	begin(&fixture, small_config(10));
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 0));
	meter(&fixture, at_s(packet(TCP, HOST_A, 2, HOST_B, 2), 1));
	meter(&fixture, at_s(packet(UDP, HOST_A, 3, HOST_B, 2), 2));
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 3));
	assert_int_equal(flow_cache_expire_all(fixture.cache, 2), 2);
	assert_int_equal(flow_cache_expire_all(fixture.cache, 2), 1);
	assert_int_equal(flow_cache_expire_all(fixture.cache, 2), 0);
	assert_int_equal(record_at(&fixture, 0)->port[0], 1);
	assert_int_equal(record_at(&fixture, 1)->port[0], 2);
	assert_int_equal(record_at(&fixture, 2)->port[0], 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(record_at(&fixture, i)->end_reason, FLOW_END_FORCED);
		assert_int_equal(closed_at_ns(&fixture, i), S(T0_S + 3));
	}
	end(&fixture);
}

/* Entries that wait after their life have nothing to say, and must not end the loop early. */
static void expire_all_returns_zero_only_when_nothing_is_left(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = small_config(100);
	size_t closed = 0, last;

	config.timeouts.maximum_life_ns = S(10);
	begin(&fixture, config);
	for (unsigned i = 0; i < 20; i++)
		meter(&fixture, packet(UDP, HOST_A, i, HOST_B, 2));
	for (unsigned i = 20; i < 25; i++)
		meter(&fixture, at_s(packet(UDP, HOST_A, i, HOST_B, 2), 15));
	assert_int_equal(fixture.kept.count, 20);
	while ((last = flow_cache_expire_all(fixture.cache, 3)) > 0)
		closed += last;
	assert_int_equal(closed, 5);
	assert_true(flow_cache_next_due_ns(fixture.cache) == UINT64_MAX);
	end(&fixture);
}

static void expire_all_leaves_due_flows_their_own_reason(void **state)
{
	struct fixture fixture;

	begin(&fixture, small_config(10));
	meter(&fixture, packet(UDP, HOST_A, 1, HOST_B, 2));
	meter(&fixture, packet(TCP, HOST_A, 1, HOST_B, 2));
	flow_cache_advance(fixture.cache, S(T0_S + 400), 0);
	assert_int_equal(flow_cache_expire_all(fixture.cache, 10), 2);
	assert_int_equal(stats_of(&fixture)->expired_by_reason[END_UDP], 1);
	assert_int_equal(stats_of(&fixture)->expired_by_reason[END_FLUSH], 1);
	end(&fixture);
}

static void delete_all_forgets_and_counts(void **state)
{
	struct fixture fixture;

	begin(&fixture, small_config(100));
	for (unsigned i = 0; i < 30; i++)
		meter(&fixture, packet(UDP, HOST_A, i % 10, HOST_B, 100));
	assert_int_equal(flow_cache_delete_all(fixture.cache, 4), 4);
	assert_int_equal(flow_cache_delete_all(fixture.cache, 100), 6);
	assert_int_equal(flow_cache_delete_all(fixture.cache, 100), 0);
	assert_int_equal(fixture.kept.count, 0);
	assert_int_equal(stats_of(&fixture)->deleted_flows, 10);
	assert_int_equal(stats_of(&fixture)->deleted_pkts, 30);
	assert_int_equal(stats_of(&fixture)->active_flows, 0);
	assert_int_equal(stats_of(&fixture)->expired_flows, 0);

	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 100), 1));
	flush(&fixture);
	assert_int_equal(only_record(&fixture)->side[0].packets, 1);
	assert_int_equal(only_record(&fixture)->flow_id, 11);
	end(&fixture);
}

/* -- snapshots ------------------------------------------------------------------------ */

static void snapshot_shows_every_open_flow_once(void **state)
{
	struct fixture fixture;
	struct flow_snapshot flows[7];
	bool seen[50] = { false };
	uint64_t cursor = 0;
	size_t count, total = 0;

	begin(&fixture, small_config(100));
	for (unsigned i = 0; i < 50; i++)
		meter(&fixture, at_s(packet(UDP, HOST_A, i, HOST_B, 100), i));
	while ((count = flow_cache_snapshot(fixture.cache, &cursor, flows, 7)) > 0) {
		for (size_t i = 0; i < count; i++) {
			unsigned port = flows[i].record.port[0];

			assert_in_range(port, 0, 49);
			assert_false(seen[port]);
			seen[port] = true;
			assert_int_equal(flows[i].record.end_reason, 0);
			assert_int_equal(flows[i].record.side[0].packets, 1);
			assert_int_equal(flows[i].deadline_ns, S(T0_S + port + 300));
		}
		total += count;
	}
	assert_int_equal(total, 50);
	assert_int_equal(fixture.kept.count, 0);
	end(&fixture);
}

static void snapshot_shows_none_twice_while_flows_come_and_go(void **state)
{
	struct fixture fixture;
	struct flow_snapshot flow;
	bool seen[200] = { false };
	uint64_t cursor = 0;
	unsigned next = 40;

	begin(&fixture, small_config(40));
	for (unsigned i = 0; i < 40; i++)
		meter(&fixture, at_s(packet(UDP, HOST_A, i, HOST_B, 999), i));
	while (flow_cache_snapshot(fixture.cache, &cursor, &flow, 1) > 0) {
		assert_false(seen[flow.record.port[0]]);
		seen[flow.record.port[0]] = true;
		meter(&fixture, at_s(packet(UDP, HOST_A, next, HOST_B, 999), next));
		next++;
	}
	assert_in_range(next, 41, 199);
	end(&fixture);
}

static void snapshot_deadline_is_the_earlier_of_idle_and_life(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = small_config(10);
	struct flow_snapshot flow;
	uint64_t cursor = 0;

	config.timeouts.maximum_life_ns = S(310);
	config.timeouts.expiry_interval_ns = S(60);
	begin(&fixture, config);
	meter(&fixture, packet(UDP, HOST_A, 1, HOST_B, 2));
	assert_int_equal(flow_cache_snapshot(fixture.cache, &cursor, &flow, 1), 1);
	assert_int_equal(flow.deadline_ns, S(T0_S + 300));
	meter(&fixture, at_s(packet(UDP, HOST_A, 1, HOST_B, 2), 1));
	cursor = 0;
	assert_int_equal(flow_cache_snapshot(fixture.cache, &cursor, &flow, 1), 1);
	assert_int_equal(flow.deadline_ns, S(T0_S + 310));
	end(&fixture);
}

static void snapshot_leaves_out_flows_without_an_open_record(void **state)
{
	struct fixture fixture;
	struct flow_cache_config config = small_config(10);
	struct flow_snapshot flow;
	uint64_t cursor = 0;

	config.timeouts.maximum_life_ns = S(10);
	begin(&fixture, config);
	meter(&fixture, packet(UDP, HOST_A, 1, HOST_B, 2));
	flow_cache_advance(fixture.cache, S(T0_S + 10), SIZE_MAX);
	assert_int_equal(fixture.kept.count, 1);
	assert_int_equal(flow_cache_snapshot(fixture.cache, &cursor, &flow, 1), 0);
	end(&fixture);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(full_cache_evicts_the_least_recently_active_flow),
	cmocka_unit_test(full_cache_closes_what_is_due_before_it_evicts),
	cmocka_unit_test(cache_of_one_flow_works),
	cmocka_unit_test(entry_that_waits_after_its_life_is_evicted_silently),
	cmocka_unit_test(cache_under_maximum_load_keeps_every_flow_apart),
	cmocka_unit_test(flows_with_the_same_tag_are_kept_apart),
	cmocka_unit_test(flows_of_one_home_are_bounded),
	cmocka_unit_test(expire_all_closes_in_the_order_of_beginning),
	cmocka_unit_test(expire_all_returns_zero_only_when_nothing_is_left),
	cmocka_unit_test(expire_all_leaves_due_flows_their_own_reason),
	cmocka_unit_test(delete_all_forgets_and_counts),
	cmocka_unit_test(snapshot_shows_every_open_flow_once),
	cmocka_unit_test(snapshot_shows_none_twice_while_flows_come_and_go),
	cmocka_unit_test(snapshot_deadline_is_the_earlier_of_idle_and_life),
	cmocka_unit_test(snapshot_leaves_out_flows_without_an_open_record),
};

UNIT_MAIN("flow_room", tests)
