/* SPDX-License-Identifier: BSD-2-Clause */
/* The fragment table: who is found, for how long, and who makes room. */
#include "sensor/fragment.h"
#include "tests/unit.h"

#define NOW_NS UINT64_C(1700000000000000000)

static const uint64_t hash_key[2] = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 };
static const struct fragment_flow dns = {
	.source_port = 1000, .destination_port = 53, .protocol = 17
};

static struct fragment_table *new_table(uint32_t entries)
{
	struct fragment_table *table = NULL;
	assert_int_equal(fragment_table_new(entries, hash_key, &table), 0);
	return table;
}

static struct fragment_key key_of(uint32_t id)
{
	return (struct fragment_key){
		.source = { 10, 1, 0, 1 },
		.destination = { 10, 2, 0, 2 },
		.id = id,
		.ip_version = 4,
		.protocol = 17,
	};
}

static bool is_known(const struct fragment_table *table, uint32_t id, uint64_t now_ns)
{
	struct fragment_key key = key_of(id);
	struct fragment_flow flow;
	return fragment_table_find(table, &key, now_ns, &flow);
}

static void remember(struct fragment_table *table, uint32_t id, uint64_t now_ns)
{
	struct fragment_key key = key_of(id);
	fragment_table_remember(table, &key, &dns, now_ns);
}

static void first_fragment_is_found_again(void **state)
{
	struct fragment_table *table = new_table(8);
	struct fragment_key key = key_of(7);
	struct fragment_flow flow;

	fragment_table_remember(table, &key, &dns, NOW_NS);

	assert_true(fragment_table_find(table, &key, NOW_NS, &flow));
	assert_int_equal(flow.source_port, 1000);
	assert_int_equal(flow.destination_port, 53);
	assert_int_equal(flow.protocol, 17);
	fragment_table_free(table);
}

static void every_member_of_the_key_counts(void **state)
{
	struct fragment_table *table = new_table(8);
	remember(table, 7, NOW_NS);
	struct fragment_key others[5];
	for (unsigned i = 0; i < 5; i++)
		others[i] = key_of(7);
	others[0].id = 8;
	others[1].protocol = 6;
	others[2].ip_version = 6;
	others[3].source[3] = 9;
	others[4].destination[15] = 9;

	for (unsigned i = 0; i < 5; i++) {
		struct fragment_flow flow;
		assert_false(fragment_table_find(table, &others[i], NOW_NS, &flow));
	}
	fragment_table_free(table);
}

static void entry_is_good_for_30_seconds_either_way(void **state)
{
	struct fragment_table *table = new_table(8);
	remember(table, 7, NOW_NS);

	assert_true(is_known(table, 7, NOW_NS + FRAGMENT_WINDOW_NS));
	assert_false(is_known(table, 7, NOW_NS + FRAGMENT_WINDOW_NS + 1));
	assert_true(is_known(table, 7, NOW_NS - FRAGMENT_WINDOW_NS));
	assert_false(is_known(table, 7, NOW_NS - FRAGMENT_WINDOW_NS - 1));
	fragment_table_free(table);
}

static void newer_first_fragment_replaces_the_older(void **state)
{
	struct fragment_table *table = new_table(8);
	struct fragment_key key = key_of(7);
	struct fragment_flow flow = { .source_port = 2, .destination_port = 3, .protocol = 17 };

	fragment_table_remember(table, &key, &dns, NOW_NS);
	fragment_table_remember(table, &key, &flow, NOW_NS + FRAGMENT_WINDOW_NS);

	assert_true(fragment_table_find(table, &key, NOW_NS + 2 * FRAGMENT_WINDOW_NS, &flow));
	assert_int_equal(flow.source_port, 2);
	fragment_table_free(table);
}

static void oldest_makes_room_when_full(void **state)
{
	struct fragment_table *table = new_table(3);

	for (uint32_t id = 0; id < 5; id++)
		remember(table, id, NOW_NS);

	assert_false(is_known(table, 0, NOW_NS));
	assert_false(is_known(table, 1, NOW_NS));
	assert_true(is_known(table, 2, NOW_NS));
	assert_true(is_known(table, 3, NOW_NS));
	assert_true(is_known(table, 4, NOW_NS));
	fragment_table_free(table);
}

static void replaced_datagram_leaves_only_its_old_place(void **state)
{
	struct fragment_table *table = new_table(3);

	remember(table, 1, NOW_NS);
	remember(table, 1, NOW_NS);
	remember(table, 2, NOW_NS);
	remember(table, 3, NOW_NS);

	assert_true(is_known(table, 1, NOW_NS));
	assert_true(is_known(table, 2, NOW_NS));
	assert_true(is_known(table, 3, NOW_NS));
	fragment_table_free(table);
}

static void table_of_one_keeps_the_last(void **state)
{
	struct fragment_table *table = new_table(1);

	remember(table, 1, NOW_NS);
	remember(table, 1, NOW_NS);
	remember(table, 2, NOW_NS);

	assert_false(is_known(table, 1, NOW_NS));
	assert_true(is_known(table, 2, NOW_NS));
	fragment_table_free(table);
}

/* Against a model that is a plain array: the last .entries insertions are known, no others. */
static void many_datagrams_are_kept_apart(void **state)
{
	enum { ENTRIES = 1000, DATAGRAMS = 25000 };
	struct fragment_table *table = new_table(ENTRIES);

	for (uint32_t id = 0; id < DATAGRAMS; id++) {
		remember(table, id, NOW_NS);
		assert_true(is_known(table, id, NOW_NS));
		if (id >= ENTRIES) {
			assert_true(is_known(table, id - ENTRIES + 1, NOW_NS));
			assert_false(is_known(table, id - ENTRIES, NOW_NS));
		}
	}
	fragment_table_free(table);
}

static void no_entries_asked_for_is_the_default(void **state)
{
	struct fragment_table *table = new_table(0);

	for (uint32_t id = 0; id < FRAGMENT_ENTRIES_DEFAULT; id++)
		remember(table, id, NOW_NS);

	assert_true(is_known(table, 0, NOW_NS));
	fragment_table_free(table);
	fragment_table_free(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(first_fragment_is_found_again),
	cmocka_unit_test(every_member_of_the_key_counts),
	cmocka_unit_test(entry_is_good_for_30_seconds_either_way),
	cmocka_unit_test(newer_first_fragment_replaces_the_older),
	cmocka_unit_test(oldest_makes_room_when_full),
	cmocka_unit_test(replaced_datagram_leaves_only_its_old_place),
	cmocka_unit_test(table_of_one_keeps_the_last),
	cmocka_unit_test(many_datagrams_are_kept_apart),
	cmocka_unit_test(no_entries_asked_for_is_the_default),
};

UNIT_MAIN("fragment", tests)
