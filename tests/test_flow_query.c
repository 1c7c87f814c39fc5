/* SPDX-License-Identifier: BSD-2-Clause */
/* The greatest flows, and flows added up, each compared with doing it the plain way. */
#include <stdlib.h>
#include <string.h>

#include "sensor/flow_group.h"
#include "sensor/flow_pick.h"
#include "tests/unit.h"

#define FLOWS 5000

static uint64_t next_number(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static struct flow_snapshot flow(uint64_t id, uint64_t sent, uint64_t received)
{
	return (struct flow_snapshot){ .record = {
					       .flow_id = id,
					       .ip_version = 4,
					       .protocol = 17,
					       .side = { { .packets = 1,
								 .octets = sent,
								 .first_ns = id,
								 .last_ns = id },
						       { .packets = received > 0,
							       .octets = received,
							       .first_ns = id,
							       .last_ns = id + sent } },
				       } };
}

static int greatest_first(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? 1 : x > y ? -1 : 0;
}

static void pick_keeps_the_greatest_in_order(void **state)
{
	static const size_t limits[] = { 1, 2, 3, 100, FLOWS, FLOWS + 1 };
	uint64_t values[FLOWS], random = 88172645463325252;

	for (size_t k = 0; k < sizeof(limits) / sizeof(limits[0]); k++) {
		struct flow_pick *pick = flow_pick_new(FLOW_ORDER_OCTETS, limits[k]);

		for (size_t i = 0; i < FLOWS; i++) {
			values[i] = next_number(&random) % 1000;
			struct flow_snapshot one =
				flow(i + 1, values[i] / 2, values[i] - values[i] / 2);
			flow_pick_add(pick, &one);
		}
		flow_pick_finish(pick);
		qsort(values, FLOWS, sizeof(values[0]), greatest_first);
		assert_int_equal(pick->count, limits[k] < FLOWS ? limits[k] : FLOWS);
		for (size_t i = 0; i < pick->count; i++) {
			const struct flow_record *record = &pick->flows[i].record;

			assert_int_equal(
				flow_order_value(FLOW_ORDER_OCTETS, record), values[i]);
			if (i > 0 && values[i - 1] == values[i])
				assert_true(
					pick->flows[i - 1].record.flow_id < record->flow_id);
		}
		flow_pick_free(pick);
	}
}

static void orders_go_by_what_they_say(void **state)
{
	struct flow_snapshot one = flow(50, 700, 30);

	assert_int_equal(flow_order_value(FLOW_ORDER_OCTETS, &one.record), 730);
	assert_int_equal(flow_order_value(FLOW_ORDER_PACKETS, &one.record), 2);
	assert_int_equal(flow_order_value(FLOW_ORDER_FIRST, &one.record), 50);
	assert_int_equal(flow_order_value(FLOW_ORDER_LAST, &one.record), 750);
	assert_int_equal(flow_order_value(FLOW_ORDER_DURATION, &one.record), 700);
}

static void times_are_those_of_the_direction_that_was_seen(void **state)
{
	struct flow_snapshot one = flow(50, 700, 0);

	assert_int_equal(flow_first_ns(&one.record), 50);
	assert_int_equal(flow_last_ns(&one.record), 50);
	one.record.side[1] = one.record.side[0];
	one.record.side[0] = (struct flow_side){ 0 };
	assert_int_equal(flow_first_ns(&one.record), 50);
	assert_int_equal(flow_last_ns(&one.record), 50);
}

static struct flow_record between(uint32_t a, uint32_t b, uint16_t port, uint64_t octets)
{
	struct flow_record record = flow(1, octets, 0).record;

	memcpy(record.address[0], &a, sizeof(a));
	memcpy(record.address[1], &b, sizeof(b));
	record.port[1] = port;
	record.side[0].vlan_id = (uint16_t)(port % 10);
	return record;
}

static const struct flow_group *only_group(enum flow_group_by by, char *name)
{
	static struct flow_group copy;
	struct flow_groups *groups;
	struct flow_record there = between(0x0100000a, 0x0200000a, 53, 100);
	struct flow_record back = between(0x0200000a, 0x0100000a, 53, 50);
	size_t count;

	assert_int_equal(flow_groups_new(by, FLOW_GROUP_OCTETS, &groups), 0);
	flow_groups_add(groups, &there);
	flow_groups_add(groups, &back);
	const struct flow_group *first = flow_groups_finish(groups, &count);
	copy = first[0];
	copy.flows = count; /* how many groups there are */
	flow_group_name(by, &first[0].key, name);
	flow_groups_free(groups);
	return &copy;
}

static void groups_are_what_flows_have_in_common(void **state)
{
	static const struct {
		enum flow_group_by by;
		size_t groups;
		uint64_t octets;
		const char *name;
	} rows[] = {
		{ FLOW_GROUP_ADDRESS, 2, 150, "10.0.0.1" },
		{ FLOW_GROUP_INITIATOR, 2, 100, "10.0.0.1" },
		{ FLOW_GROUP_RESPONDER, 2, 100, "10.0.0.2" },
		{ FLOW_GROUP_PAIR, 1, 150, "10.0.0.1 <> 10.0.0.2" },
		{ FLOW_GROUP_PORT, 1, 150, "17/53" },
		{ FLOW_GROUP_PROTOCOL, 1, 150, "17" },
		{ FLOW_GROUP_VLAN, 1, 150, "3" },
	};
	char name[FLOW_GROUP_NAME_BYTES];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct flow_group *group = only_group(rows[i].by, name);

		assert_int_equal(group->flows, rows[i].groups);
		assert_int_equal(group->octets, rows[i].octets);
		assert_string_equal(name, rows[i].name);
	}
}

/* Ten great ones among four times as many small ones as there is room for. */
static void great_groups_survive_a_flood_of_small_ones(void **state)
{
	struct flow_groups *groups;
	size_t count;
	uint64_t great = 0;

	assert_int_equal(flow_groups_new(FLOW_GROUP_INITIATOR, FLOW_GROUP_OCTETS, &groups), 0);
	for (uint32_t i = 0; i < 4 * FLOW_GROUPS_MAX; i++) {
		struct flow_record small = between(1000 + i, 1, 53, 1);

		flow_groups_add(groups, &small);
		if (i % 8 == 0) {
			struct flow_record one = between(i / 8 % 10 + 1, 1, 53, 100);

			flow_groups_add(groups, &one);
			great += 100;
		}
	}
	uint64_t uncertain = flow_groups_uncertain(groups);
	const struct flow_group *rows = flow_groups_finish(groups, &count);
	assert_true(uncertain > 0 && uncertain < 100);
	assert_true(count <= FLOW_GROUPS_MAX);
	for (uint32_t i = 0; i < 10; i++) {
		assert_in_range(rows[i].key.address[0][0], 1, 10);
		assert_in_range(rows[i].octets, great / 10 - 100 - uncertain, great / 10 + 100);
	}
	flow_groups_free(groups);
}

static void groups_are_exact_as_long_as_they_fit(void **state)
{
	struct flow_groups *groups;
	size_t count;
	uint64_t octets = 0, flows = 0;

	assert_int_equal(flow_groups_new(FLOW_GROUP_INITIATOR, FLOW_GROUP_FLOWS, &groups), 0);
	for (uint32_t i = 0; i < 3 * FLOW_GROUPS_MAX; i++) {
		struct flow_record one = between(1 + i % FLOW_GROUPS_MAX, 1, 53, i);

		flow_groups_add(groups, &one);
	}
	const struct flow_group *rows = flow_groups_finish(groups, &count);
	assert_int_equal(count, FLOW_GROUPS_MAX);
	for (size_t i = 0; i < count; i++) {
		octets += rows[i].octets;
		flows += rows[i].flows;
		assert_int_equal(rows[i].flows, 3);
	}
	assert_int_equal(flows, 3 * FLOW_GROUPS_MAX);
	assert_int_equal(octets, (uint64_t)3 * FLOW_GROUPS_MAX * (3 * FLOW_GROUPS_MAX - 1) / 2);
	assert_int_equal(flow_groups_uncertain(groups), 0);
	flow_groups_free(groups);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(pick_keeps_the_greatest_in_order),
	cmocka_unit_test(orders_go_by_what_they_say),
	cmocka_unit_test(times_are_those_of_the_direction_that_was_seen),
	cmocka_unit_test(groups_are_what_flows_have_in_common),
	cmocka_unit_test(great_groups_survive_a_flood_of_small_ones),
	cmocka_unit_test(groups_are_exact_as_long_as_they_fit),
};

UNIT_MAIN("flow_query", tests)
