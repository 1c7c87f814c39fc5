/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_path.h"

#include "tests/test_flow_support.h"

static struct flow_path path_of(uint32_t number)
{
	struct flow_path path = { .if_index = number, .vlan_id = 7 };

	memcpy(path.source_mac, &number, sizeof(number));
	return path;
}

static void equal_paths_share_a_number(void **state)
{
	struct flow_paths paths;
	struct flow_path a = path_of(1), b = path_of(2);

	assert_int_equal(flow_paths_init(&paths), 0);
	uint16_t number = flow_paths_take(&paths, &a);

	assert_int_not_equal(number, FLOW_PATH_NONE);
	assert_int_not_equal(flow_paths_take(&paths, &b), number);
	assert_int_equal(flow_paths_take(&paths, &a), number);
	assert_memory_equal(&paths.nodes[number].path, &a, sizeof(a));
	flow_paths_fini(&paths);
}

/* Each part of a path counts. */
static void different_paths_have_different_numbers(void **state)
{
	struct flow_paths paths;
	struct flow_path path = path_of(1);
	uint16_t first;

	assert_int_equal(flow_paths_init(&paths), 0);
	first = flow_paths_take(&paths, &path);
	for (size_t i = 0; i < sizeof(path); i++) {
		struct flow_path other = path;

		((uint8_t *)&other)[i] ^= 1;
		assert_int_equal(flow_paths_take(&paths, &other), first + 1 + i);
	}
	flow_paths_fini(&paths);
}

static void number_is_free_when_its_last_flow_drops_it(void **state)
{
	struct flow_paths paths;
	struct flow_path a = path_of(1), b = path_of(2);

	assert_int_equal(flow_paths_init(&paths), 0);
	uint16_t number = flow_paths_take(&paths, &a);

	flow_paths_take(&paths, &a);
	flow_paths_drop(&paths, number);
	assert_int_not_equal(flow_paths_take(&paths, &b), number);
	flow_paths_drop(&paths, number);
	a = path_of(3);
	assert_int_equal(flow_paths_take(&paths, &a), number);
	flow_paths_drop(&paths, FLOW_PATH_NONE);
	flow_paths_drop(&paths, FLOW_PATH_OWN);
	flow_paths_fini(&paths);
}

/* More paths than numbers: each flow either has a number that stands for its path or keeps its
 * own, and all of that again after the numbers were given back. */
static void flows_keep_their_own_path_when_numbers_run_out(void **state)
{
	enum { PATHS = 100000 };
	struct flow_paths paths;
	static uint16_t numbers[PATHS];

	assert_int_equal(flow_paths_init(&paths), 0);
	for (unsigned round = 0; round < 2; round++) {
		unsigned own = 0;

		for (uint32_t i = 0; i < PATHS; i++) {
			struct flow_path path = path_of(i);

			numbers[i] = flow_paths_take(&paths, &path);
			own += numbers[i] == FLOW_PATH_OWN;
		}
		assert_in_range(own, PATHS - FLOW_PATHS_MAX, PATHS / 2);
		for (uint32_t i = 0; i < PATHS; i++) {
			struct flow_path path = path_of(i);

			if (numbers[i] != FLOW_PATH_OWN)
				assert_memory_equal(
					&paths.nodes[numbers[i]].path, &path, sizeof(path));
			flow_paths_drop(&paths, numbers[i]);
		}
	}
	flow_paths_clear(&paths);
	struct flow_path path = path_of(5);

	assert_int_equal(flow_paths_take(&paths, &path), 1);
	flow_paths_fini(&paths);
}

/* Through the cache: two flows of every path, most without a number; every record tells its
 * own. */
static void records_tell_their_paths_with_and_without_numbers(void **state)
{
	enum { FLOWS = 80000 };
	struct fixture fixture;
	struct flow_cache_config config = default_config();

	config.maximum_flows = FLOWS;
	begin(&fixture, config);
	for (uint32_t i = 0; i < FLOWS; i++) {
		struct packet_meta meta = packet(UDP, HOST_A, i & 0xffff, HOST_B, i >> 16);

		memcpy(meta.source_mac, &i, sizeof(i));
		meta.vlan_id = i & 0xfff;
		meta.if_index = 1 + i;
		meter(&fixture, meta);
	}
	flush(&fixture);
	assert_int_equal(fixture.kept.count, FLOWS);
	for (uint32_t i = 0; i < FLOWS; i++) {
		const struct flow_record *record = record_at(&fixture, i);
		uint32_t flow = record->port[0] | (uint32_t)record->port[1] << 16;

		assert_memory_equal(record->side[0].source_mac, &flow, sizeof(flow));
		assert_int_equal(record->side[0].vlan_id, flow & 0xfff);
		assert_int_equal(record->side[0].ingress_if, 1 + flow);
	}
	end(&fixture);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(equal_paths_share_a_number),
	cmocka_unit_test(different_paths_have_different_numbers),
	cmocka_unit_test(number_is_free_when_its_last_flow_drops_it),
	cmocka_unit_test(flows_keep_their_own_path_when_numbers_run_out),
	cmocka_unit_test(records_tell_their_paths_with_and_without_numbers),
};

UNIT_MAIN("flow_path", tests)
