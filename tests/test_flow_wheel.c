/* SPDX-License-Identifier: BSD-2-Clause */
/* The wheel gives back what was put in, in the order of the ticks; rings are sorted. */
#include "sensor/flow_wheel.h"

#include "sensor/flow_sort.h"
#include "tests/test_flow_support.h"

enum { ENTRIES = 3000, WHEEL_ANCHOR = ENTRIES + 1 };

struct wheel_fixture {
	struct flow_wheel wheel;
	struct flow_link links[WHEEL_ANCHOR + FLOW_WHEEL_ANCHORS];
	uint64_t times_ns[ENTRIES + 1];
};

static struct wheel_fixture *begin_wheel(void)
{
	struct wheel_fixture *fixture = calloc(1, sizeof(*fixture));

	assert_non_null(fixture);
	flow_wheel_init(&fixture->wheel, fixture->links, WHEEL_ANCHOR);
	return fixture;
}

static void put(struct wheel_fixture *fixture, uint32_t index, uint64_t time_ns)
{
	fixture->times_ns[index] = time_ns;
	flow_wheel_add(&fixture->wheel, fixture->links, index, time_ns);
}

/* Turn to the first bucket of a tick's width; its first entry, or 0 at the end. */
static uint32_t first_entry(struct wheel_fixture *fixture)
{
	for (;;) {
		struct flow_wheel_bucket bucket =
			flow_wheel_first(&fixture->wheel, fixture->links);

		if (!bucket.anchor)
			return 0;
		uint32_t index = flow_list_first(fixture->links, bucket.anchor);

		assert_true(bucket.time_ns <= fixture->times_ns[index]);
		flow_wheel_turn(&fixture->wheel, &bucket);
		if (bucket.is_one_tick)
			return index;
		flow_list_remove(fixture->links, index);
		put(fixture, index, fixture->times_ns[index]);
	}
}

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

/* Times from a tick to all of 64 bits apart; what is taken out makes room for what is later. */
static void wheel_gives_ticks_in_order(void **state)
{
	for (unsigned bits = 20; bits <= 64; bits += 4) {
		struct wheel_fixture *fixture = begin_wheel();
		uint64_t seed = bits, floor_tick = 0;
		unsigned taken = 0;

		for (uint32_t i = 1; i <= ENTRIES / 2; i++)
			put(fixture, i, i == 1 ? 0 : next_random(&seed) >> (64 - bits));
		for (uint32_t index, added = ENTRIES / 2; (index = first_entry(fixture));
			taken++) {
			uint64_t time_ns = fixture->times_ns[index];

			assert_true(flow_wheel_tick(time_ns) >= floor_tick);
			floor_tick = flow_wheel_tick(time_ns);
			flow_list_remove(fixture->links, index);
			if (added == ENTRIES)
				continue;
			uint64_t later_ns = next_random(&seed) >> (64 - bits);

			put(fixture, ++added, later_ns > time_ns ? later_ns : time_ns);
		}
		assert_int_equal(taken, ENTRIES);
		free(fixture);
	}
}

static void times_before_the_hand_come_at_once(void **state)
{
	struct wheel_fixture *fixture = begin_wheel();

	put(fixture, 1, S(1000));
	assert_int_equal(first_entry(fixture), 1);
	put(fixture, 2, S(2000));
	fixture->times_ns[3] = S(1000); /* what the wheel takes it for */
	flow_wheel_add(&fixture->wheel, fixture->links, 3, S(5));
	flow_list_remove(fixture->links, 1);
	assert_int_equal(first_entry(fixture), 3);
	flow_list_remove(fixture->links, 3);
	assert_int_equal(first_entry(fixture), 2);
	free(fixture);
}

/* A wide bucket that is emptied in parts stays first, although what was taken out of it and put
 * in again stands on lower levels. */
static void unfinished_bucket_stays_first(void **state)
{
	struct wheel_fixture *fixture = begin_wheel();
	struct flow_wheel_bucket bucket;

	put(fixture, 1, S(1)); /* the hand is here */
	for (uint32_t i = 2; i <= 5; i++)
		put(fixture, i, S(3600) + i);
	flow_list_remove(fixture->links, 1);
	for (uint32_t i = 2; i <= 5; i++) {
		bucket = flow_wheel_first(&fixture->wheel, fixture->links);
		assert_false(bucket.is_one_tick);
		assert_int_equal(flow_list_first(fixture->links, bucket.anchor), i);
		flow_wheel_turn(&fixture->wheel, &bucket);
		flow_list_remove(fixture->links, i);
		put(fixture, i, S(3600) + i);
	}
	assert_int_equal(first_entry(fixture), 2);
	free(fixture);
}

static void empty_wheel_has_no_first(void **state)
{
	struct wheel_fixture *fixture = begin_wheel();

	assert_int_equal(first_entry(fixture), 0);
	put(fixture, 7, UINT64_MAX);
	assert_int_equal(first_entry(fixture), 7);
	flow_list_remove(fixture->links, 7);
	assert_int_equal(first_entry(fixture), 0);
	assert_true(flow_wheel_first(&fixture->wheel, fixture->links).time_ns == UINT64_MAX);
	free(fixture);
}

/* -- sorting ------------------------------------------------------------------------------ */

/* Few keys, so that many are equal: those stay in the order of their numbers. */
static void sorting_is_stable(void **state)
{
	static struct flow_entry entries[ENTRIES + 1];
	static struct flow_link links[ENTRIES + 2];
	static const uint32_t counts[] = { 0, 1, 2, 3, 5, 64, 1000, ENTRIES };
	static const uint64_t kinds[] = { 1, 2, 17, UINT64_MAX };
	uint64_t seed = 1;

	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++)
		for (size_t j = 0; j < sizeof(kinds) / sizeof(kinds[0]); j++) {
			flow_list_init(links, ENTRIES + 1);
			for (uint32_t n = 1; n <= counts[i]; n++) {
				entries[n].activity_ns = next_random(&seed) % kinds[j];
				flow_list_append(links, ENTRIES + 1, n);
			}
			flow_sort(links, ENTRIES + 1, entries);
			uint32_t last = ENTRIES + 1, seen = 0;

			for (uint32_t n = links[last].next; n != ENTRIES + 1;
				n = links[n].next, seen++) {
				assert_int_equal(links[n].previous, last);
				if (last != ENTRIES + 1)
					assert_true(entries[last].activity_ns <
							    entries[n].activity_ns ||
						    (entries[last].activity_ns ==
								    entries[n].activity_ns &&
							    last < n));
				last = n;
			}
			assert_int_equal(seen, counts[i]);
			assert_int_equal(links[ENTRIES + 1].previous, last);
		}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(wheel_gives_ticks_in_order),
	cmocka_unit_test(times_before_the_hand_come_at_once),
	cmocka_unit_test(unfinished_bucket_stays_first),
	cmocka_unit_test(empty_wheel_has_no_first),
	cmocka_unit_test(sorting_is_stable),
};

UNIT_MAIN("flow_wheel", tests)
