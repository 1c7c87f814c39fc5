/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_table.h"

#include <errno.h>

#include "tests/test_flow_support.h"

/* A flow with this number, under whatever hash the case wants. */
static struct flow_probe probe_of(uint32_t number, uint64_t hash)
{
	struct flow_probe probe = { .hash = hash };

	probe.key.ip_version = 4;
	memcpy(probe.key.address[0], &number, sizeof(number));
	return probe;
}

static uint32_t number_of(const struct flow_table *table, uint32_t index)
{
	uint32_t number;

	memcpy(&number, table->entries[index].key.address[0], sizeof(number));
	return number;
}

static void table_finds_what_was_added(void **state)
{
	struct flow_table table;
	struct flow_probe probe = probe_of(7, 42), other = probe_of(8, 42);

	assert_int_equal(flow_table_init(&table, 4, false), 0);
	assert_int_equal(flow_table_find(&table, &probe), 0);
	uint32_t index = flow_table_add(&table, &probe);

	assert_int_not_equal(index, 0);
	assert_int_equal(flow_table_find(&table, &probe), index);
	assert_int_equal(flow_table_guess(&table, 42), index);
	assert_int_equal(flow_table_find(&table, &other), 0);
	flow_table_fini(&table);
}

/* Hashes that are all the same, and hashes whose homes are the last slots, so that clusters go
 * round the end. Removal in every order must leave the rest reachable. */
static void table_keeps_colliding_flows_apart(void **state)
{
	enum { FLOWS = 64 };
	static const uint64_t masks[] = { 0, 1, 7, UINT64_MAX };

	for (size_t row = 0; row < sizeof(masks) / sizeof(masks[0]); row++) {
		struct flow_table table;
		struct flow_probe probes[FLOWS];

		assert_int_equal(flow_table_init(&table, FLOWS, false), 0);
		for (uint32_t i = 0; i < FLOWS; i++) {
			probes[i] = probe_of(i, (i & masks[row]) - 3);
			flow_table_add(&table, &probes[i]);
		}
		for (uint32_t gone = 0; gone < FLOWS; gone++) {
			uint32_t first = gone * 37 % FLOWS;

			flow_table_remove(&table, flow_table_find(&table, &probes[first]));
			assert_int_equal(flow_table_find(&table, &probes[first]), 0);
			for (uint32_t rest = gone + 1; rest < FLOWS; rest++) {
				uint32_t number = rest * 37 % FLOWS;
				uint32_t index = flow_table_find(&table, &probes[number]);

				assert_int_not_equal(index, 0);
				assert_int_equal(number_of(&table, index), number);
			}
		}
		assert_int_equal(table.used, 0);
		flow_table_fini(&table);
	}
}

static void table_tells_equal_hashes_apart_by_mac_where_macs_count(void **state)
{
	struct flow_table table;
	struct flow_probe a = probe_of(1, 5), b = a;

	b.mac[1][5] = 1;
	assert_int_equal(flow_table_init(&table, 4, true), 0);
	uint32_t index_a = flow_table_add(&table, &a), index_b = flow_table_add(&table, &b);

	assert_int_equal(flow_table_find(&table, &a), index_a);
	assert_int_equal(flow_table_find(&table, &b), index_b);
	flow_table_fini(&table);

	assert_int_equal(flow_table_init(&table, 4, false), 0);
	index_a = flow_table_add(&table, &a);
	assert_int_equal(flow_table_find(&table, &b), index_a);
	flow_table_fini(&table);
}

static void table_uses_freed_entries_again(void **state)
{
	struct flow_table table;

	assert_int_equal(flow_table_init(&table, 3, false), 0);
	for (uint32_t i = 0; i < 1000; i++) {
		struct flow_probe probe = probe_of(i, i * 0x9e3779b97f4a7c15);
		uint32_t index = flow_table_add(&table, &probe);

		table.entries[index].packets[0] = 5;
		assert_in_range(index, 1, 3);
		flow_table_remove(&table, index);
		assert_int_equal(table.entries[index].key.ip_version, 0);
	}
	struct flow_probe probe = probe_of(1, 1);

	assert_int_equal(table.entries[flow_table_add(&table, &probe)].packets[0], 0);
	assert_int_equal(table.used, 1);
	flow_table_fini(&table);
}

static void table_is_never_more_than_half_full(void **state)
{
	static const uint32_t capacities[] = { 1, 2, 3, 4, 5, 8191, 8192, 8193, 1000000 };

	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		struct flow_table table;

		assert_int_equal(flow_table_init(&table, capacities[i], false), 0);
		assert_true((uint64_t)table.slot_mask + 1 >= 2 * (uint64_t)capacities[i]);
		assert_int_equal((table.slot_mask + 1) & table.slot_mask, 0);
		flow_table_fini(&table);
	}
}

static void table_refuses_impossible_capacities(void **state)
{
	struct flow_table table = { 0 };

	assert_int_equal(flow_table_init(&table, 0, false), -EINVAL);
	assert_int_equal(flow_table_init(&table, FLOW_TABLE_ENTRIES_MAX + 1, false), -EINVAL);
	flow_table_fini(&table);
}

static void lists_append_and_remove_at_every_place(void **state)
{
	for (uint32_t removed = 1; removed <= 3; removed++) {
		struct flow_link links[4] = { 0 };
		struct flow_list list = { 0 };

		for (uint32_t i = 1; i <= 3; i++)
			flow_list_append(&list, links, i);
		flow_list_remove(&list, links, removed);

		uint32_t first = removed == 1 ? 2 : 1, last = removed == 3 ? 2 : 3;

		assert_int_equal(list.head, first);
		assert_int_equal(list.tail, last);
		assert_int_equal(links[first].next, last);
		assert_int_equal(links[last].previous, first);
		assert_int_equal(links[first].previous, 0);
		assert_int_equal(links[last].next, 0);
		flow_list_remove(&list, links, first);
		flow_list_remove(&list, links, last);
		assert_int_equal(list.head, 0);
		assert_int_equal(list.tail, 0);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(table_finds_what_was_added),
	cmocka_unit_test(table_keeps_colliding_flows_apart),
	cmocka_unit_test(table_tells_equal_hashes_apart_by_mac_where_macs_count),
	cmocka_unit_test(table_uses_freed_entries_again),
	cmocka_unit_test(table_is_never_more_than_half_full),
	cmocka_unit_test(table_refuses_impossible_capacities),
	cmocka_unit_test(lists_append_and_remove_at_every_place),
};

UNIT_MAIN("flow_table", tests)
