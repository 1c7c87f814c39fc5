/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_table.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/test_flow_support.h"

static const uint64_t hash_key[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };
enum { ANCHORS = 3 };

static void begin_table(struct flow_table *table, uint32_t capacity)
{
	assert_int_equal(flow_table_init(table, capacity, ANCHORS, TRACK_FULL, hash_key), 0);
}

/* A flow with this number. */
static struct flow_probe probe_of(uint32_t number)
{
	struct flow_probe probe = { 0 };
	struct flow_keying keying;

	probe.key.ip_version = 4;
	memcpy(probe.key.address[0], &number, sizeof(number));
	flow_keying_init(&keying, TRACK_FULL, hash_key);
	probe.hash = flow_key_hash(&keying, &probe);
	return probe;
}

/* The first flow from .number on whose home is among .width slots from .home on. */
static struct flow_probe probe_near(
	const struct flow_table *table, uint32_t *number, uint32_t home, uint32_t width)
{
	for (;;) {
		struct flow_probe probe = probe_of((*number)++);
		uint32_t at = flow_table_home(table, (uint32_t)(probe.hash >> 32));

		if ((at + table->slot_count - home) % table->slot_count < width)
			return probe;
	}
}

static void table_finds_what_was_added(void **state)
{
	struct flow_table table;
	struct flow_probe probe = probe_of(7), other = probe_of(8);

	begin_table(&table, 4);
	assert_int_equal(flow_table_find(&table, &probe), 0);
	uint32_t index = flow_table_add(&table, &probe);

	assert_int_not_equal(index, 0);
	assert_int_equal(flow_table_find(&table, &probe), index);
	assert_int_equal(flow_table_guess(&table, probe.hash), index);
	other.hash = probe.hash;
	assert_int_equal(flow_table_find(&table, &other), 0);
	flow_table_fini(&table);
}

/* Homes that are all the same, few, or anywhere, and clusters that go round the end. Removal in
 * every order must leave the rest reachable. */
static void table_keeps_colliding_flows_apart(void **state)
{
	enum { FLOWS = 64 };
	static const uint32_t widths[] = { 1, 2, 8, FLOWS };

	for (size_t row = 0; row < sizeof(widths) / sizeof(widths[0]); row++) {
		struct flow_table table;
		struct flow_probe probes[FLOWS];
		uint32_t number = 0;

		begin_table(&table, FLOWS);
		for (uint32_t i = 0; i < FLOWS; i++) {
			probes[i] =
				probe_near(&table, &number, table.slot_count - 3, widths[row]);
			flow_table_add(&table, &probes[i]);
		}
		for (uint32_t gone = 0; gone < FLOWS; gone++) {
			uint32_t first = gone * 37 % FLOWS;

			flow_table_remove(&table, flow_table_find(&table, &probes[first]));
			assert_int_equal(flow_table_find(&table, &probes[first]), 0);
			for (uint32_t rest = gone + 1; rest < FLOWS; rest++) {
				const struct flow_probe *probe = &probes[rest * 37 % FLOWS];
				uint32_t index = flow_table_find(&table, probe);

				assert_int_not_equal(index, 0);
				assert_memory_equal(&table.entries[index].key, &probe->key,
					sizeof(probe->key));
			}
		}
		assert_int_equal(table.used, 0);
		flow_table_fini(&table);
	}
}

static void table_tells_flows_apart_by_mac_where_macs_count(void **state)
{
	struct flow_table table;
	struct flow_probe a = probe_of(1), b = a;
	struct flow_path path = { 0 };

	assert_int_equal(flow_table_init(&table, 4, ANCHORS, TRACK_ETHER, hash_key), 0);
	uint32_t index_a = flow_table_add(&table, &a);

	flow_table_set_path(&table, index_a, 0, &path);
	b.mac[1][5] = 1;
	assert_int_equal(flow_table_find(&table, &a), index_a);
	assert_int_equal(flow_table_find(&table, &b), 0);
	b.hash = flow_key_hash(&table.keying, &b);
	uint32_t index_b = flow_table_add(&table, &b);

	path.source_mac[5] = 1;
	flow_table_set_path(&table, index_b, 1, &path);
	assert_int_equal(flow_table_find(&table, &b), index_b);
	a.hash = flow_key_hash(&table.keying, &a);
	flow_table_remove(&table, index_b);
	assert_int_equal(flow_table_find(&table, &b), 0);
	flow_table_fini(&table);

	begin_table(&table, 4);
	a = b = probe_of(1);
	b.mac[1][5] = 1;
	index_a = flow_table_add(&table, &a);
	assert_int_equal(flow_table_find(&table, &b), index_a);
	flow_table_fini(&table);
}

static void table_uses_freed_entries_again(void **state)
{
	struct flow_table table;

	begin_table(&table, 3);
	for (uint32_t i = 0; i < 1000; i++) {
		struct flow_probe probe = probe_of(i);
		uint32_t index = flow_table_add(&table, &probe);

		assert_int_equal(flow_entry_seen(&table.entries[index]), 0);
		flow_entry_set_seen(&table.entries[index], 3);
		assert_in_range(index, 1, 3);
		flow_table_remove(&table, index);
		assert_int_equal(table.entries[index].key.ip_version, 0);
	}
	struct flow_probe probe = probe_of(1);

	assert_int_equal(flow_entry_seen(&table.entries[flow_table_add(&table, &probe)]), 0);
	assert_int_equal(table.used, 1);
	flow_table_fini(&table);
}

static void cleared_table_is_like_a_new_one(void **state)
{
	enum { FLOWS = 50 };
	struct flow_table table;
	struct flow_path path = { .vlan_id = 3 };

	begin_table(&table, FLOWS);
	for (unsigned round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < FLOWS; i++) {
			struct flow_probe probe = probe_of(i);

			assert_int_equal(flow_table_find(&table, &probe), 0);
			assert_int_equal(flow_table_add(&table, &probe), i + 1);
			flow_table_set_path(&table, i + 1, 0, &path);
			assert_int_equal(table.entries[i + 1].path[0], 1);
		}
		flow_table_clear(&table);
		assert_int_equal(table.used, 0);
	}
	flow_table_fini(&table);
}

static void table_is_never_more_than_three_quarters_full(void **state)
{
	static const uint32_t capacities[] = { 1, 2, 3, 4, 5, 8191, 8192, 8193, 1000000 };

	for (size_t i = 0; i < sizeof(capacities) / sizeof(capacities[0]); i++) {
		struct flow_table table;

		begin_table(&table, capacities[i]);
		assert_true(3 * (uint64_t)table.slot_count >= 4 * (uint64_t)capacities[i]);
		assert_int_equal(flow_table_home(&table, 0), 0);
		assert_int_equal(flow_table_home(&table, UINT32_MAX), table.slot_count - 1);
		flow_table_fini(&table);
	}
}

static void table_refuses_impossible_capacities(void **state)
{
	struct flow_table table = { 0 };

	assert_int_equal(flow_table_init(&table, 0, ANCHORS, TRACK_FULL, hash_key), -EINVAL);
	assert_int_equal(flow_table_init(&table, FLOW_TABLE_ENTRIES_MAX + 1, ANCHORS,
				 TRACK_FULL, hash_key),
		-EINVAL);
	flow_table_fini(&table);
}

static void labels_of_both_endpoints_stand_side_by_side(void **state)
{
	static const uint32_t labels[] = { 0xfffff, 0, 0x12345, 0xabcde, 1 };
	struct flow_table table;

	begin_table(&table, 3);
	for (size_t i = 0; i < sizeof(labels) / sizeof(labels[0]); i++)
		for (size_t j = 0; j < sizeof(labels) / sizeof(labels[0]); j++) {
			flow_table_set_label(&table, 2, 0, labels[i]);
			flow_table_set_label(&table, 2, 1, labels[j]);
			assert_int_equal(flow_table_label(&table, 2, 0), labels[i]);
			assert_int_equal(flow_table_label(&table, 2, 1), labels[j]);
		}
	assert_int_equal(flow_table_label(&table, 1, 1), 0);
	assert_int_equal(flow_table_label(&table, 3, 0), 0);
	flow_table_fini(&table);
}

/* -- rings -------------------------------------------------------------------------------- */

enum { ANCHOR = 4, OTHER = 5 };

static void rings_append_and_remove_at_every_place(void **state)
{
	for (uint32_t removed = 1; removed <= 3; removed++) {
		struct flow_link links[6] = { 0 };

		flow_list_init(links, ANCHOR);
		for (uint32_t i = 1; i <= 3; i++)
			flow_list_append(links, ANCHOR, i);
		flow_list_remove(links, removed);

		uint32_t first = removed == 1 ? 2 : 1, last = removed == 3 ? 2 : 3;

		assert_int_equal(flow_list_first(links, ANCHOR), first);
		assert_int_equal(links[ANCHOR].previous, last);
		assert_int_equal(links[first].next, last);
		assert_int_equal(links[last].previous, first);
		flow_list_remove(links, first);
		flow_list_remove(links, last);
		assert_true(flow_list_is_empty(links, ANCHOR));
	}
}

static void ring_is_taken_whole(void **state)
{
	struct flow_link links[6] = { 0 };

	flow_list_init(links, ANCHOR);
	flow_list_init(links, OTHER);
	flow_list_take(links, OTHER, ANCHOR);
	assert_true(flow_list_is_empty(links, OTHER));
	flow_list_append(links, ANCHOR, 2);
	flow_list_append(links, ANCHOR, 1);
	flow_list_take(links, OTHER, ANCHOR);
	assert_true(flow_list_is_empty(links, ANCHOR));
	assert_int_equal(flow_list_first(links, OTHER), 2);
	assert_int_equal(links[OTHER].previous, 1);
	flow_list_remove(links, 2);
	flow_list_remove(links, 1);
	assert_true(flow_list_is_empty(links, OTHER));
}

static bool exists(const void *at)
{
	uintptr_t page = (uintptr_t)at & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
	unsigned char is_resident = 0;

	assert_int_equal(mincore((void *)page, 1, &is_resident), 0);
	return is_resident & 1;
}

static void table_warms_what_is_used_next_and_no_more(void **state)
{
	enum { CAPACITY = 4 * FLOW_TABLE_WARM_FLOWS, LAST = FLOW_TABLE_WARM_FLOWS - 1 };
	struct flow_table table;
	struct flow_probe probe = probe_of(1);
	unsigned calls = 1;

	begin_table(&table, CAPACITY);
	assert_false(exists(&table.entries[LAST]));
	for (; flow_table_warm(&table); calls++)
		assert_in_range(calls, 1, 8);

	assert_int_equal(calls, 8);
	assert_true(exists(&table.entries[LAST]));
	assert_true(exists(&table.activity[LAST]));
	assert_true(exists(&table.age[LAST]));
	assert_false(exists(&table.entries[2 * FLOW_TABLE_WARM_FLOWS]));
	assert_int_equal(flow_table_add(&table, &probe), 1);
	assert_false(flow_table_warm(&table));
	assert_int_equal(table.warm, FLOW_TABLE_WARM_FLOWS + 1);
	flow_table_clear(&table);
	assert_true(flow_table_warm(&table));
	flow_table_fini(&table);
}

static void table_warms_up_to_its_end(void **state)
{
	struct flow_table table;
	struct flow_probe probe = probe_of(1);

	begin_table(&table, 5);
	assert_false(flow_table_warm(&table));
	assert_int_equal(table.warm, 5);
	assert_int_equal(flow_table_add(&table, &probe), 1);
	assert_false(flow_table_warm(&table));
	assert_int_equal(flow_table_find(&table, &probe), 1);
	flow_table_fini(&table);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(table_finds_what_was_added),
	cmocka_unit_test(table_keeps_colliding_flows_apart),
	cmocka_unit_test(table_tells_flows_apart_by_mac_where_macs_count),
	cmocka_unit_test(table_uses_freed_entries_again),
	cmocka_unit_test(cleared_table_is_like_a_new_one),
	cmocka_unit_test(table_is_never_more_than_three_quarters_full),
	cmocka_unit_test(table_refuses_impossible_capacities),
	cmocka_unit_test(table_warms_what_is_used_next_and_no_more),
	cmocka_unit_test(table_warms_up_to_its_end),
	cmocka_unit_test(labels_of_both_endpoints_stand_side_by_side),
	cmocka_unit_test(rings_append_and_remove_at_every_place),
	cmocka_unit_test(ring_is_taken_whole),
};

UNIT_MAIN("flow_table", tests)
