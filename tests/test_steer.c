/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/steer.h"

#include "tests/test_flow_support.h"

static const uint64_t key[2] = { 0x0123456789abcdef, 0xfedcba9876543210 };

static void both_directions_are_in_one_lane(void **state)
{
	for (unsigned lanes = 1; lanes <= 64; lanes++) {
		for (unsigned i = 0; i < 500; i++) {
			struct packet_meta there = i % 2 ? packet(TCP, i, 1, i / 7, 2)
							 : packet_v6(UDP, i, 1, i / 7, 2);
			struct packet_meta back = there;

			memcpy(back.source, there.destination, 16);
			memcpy(back.destination, there.source, 16);
			unsigned lane = steer_lane(key, &there, lanes);

			assert_true(lane < lanes);
			assert_int_equal(steer_lane(key, &back, lanes), lane);
		}
	}
}

static void nothing_but_the_addresses_counts(void **state)
{
	struct packet_meta first = packet(UDP, HOST_A, 1, HOST_B, 2);
	struct packet_meta later = packet(UDP, HOST_A, 0, HOST_B, 0);

	later.is_fragment = true;
	later.vlan_id = 7;
	later.protocol = TCP;
	assert_int_equal(steer_lane(key, &later, 64), steer_lane(key, &first, 64));
}

/* Of many pairs each lane has its share, also of those that differ in a few bits alone. */
static void lanes_get_like_shares(void **state)
{
	enum { HOSTS = 16000 };

	for (unsigned lanes = 2; lanes <= 8; lanes++) {
		unsigned count[8] = { 0 };

		for (unsigned i = 0; i < HOSTS; i++) {
			struct packet_meta meta = packet(UDP, 1 + i, 1, 65000, 2);
			count[steer_lane(key, &meta, lanes)]++;
		}
		for (unsigned i = 0; i < lanes; i++)
			assert_in_range(
				count[i], HOSTS / lanes * 9 / 10, HOSTS / lanes * 11 / 10);
	}
}

static void another_key_gives_other_lanes(void **state)
{
	static const uint64_t other[2] = { 0x0123456789abcdef, 0xfedcba9876543211 };
	unsigned same = 0;

	for (unsigned i = 0; i < 1000; i++) {
		struct packet_meta meta = packet(UDP, 1 + i, 1, 65000, 2);
		same += steer_lane(key, &meta, 2) == steer_lane(other, &meta, 2);
	}
	assert_in_range(same, 400, 600);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(both_directions_are_in_one_lane),
	cmocka_unit_test(nothing_but_the_addresses_counts),
	cmocka_unit_test(lanes_get_like_shares),
	cmocka_unit_test(another_key_gives_other_lanes),
};

UNIT_MAIN("steer", tests)
