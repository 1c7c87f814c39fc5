/* SPDX-License-Identifier: BSD-2-Clause */
/* Fragments before their first: who waits for whom, how long, and that nobody gets lost. */
#include "sensor/fragment_hold.h"

#include <string.h>

#include "sensor/fragment.h"
#include "tests/unit.h"

#define NOW_NS UINT64_C(1700000000000000000)
#define SECOND_NS UINT64_C(1000000000)
#define RELEASED_MAX 4096

enum { UDP = 17, ICMP6 = 58, DESTINATION_OPTIONS = 60 };

/* What came out, in order. */
struct outlet {
	struct packet_meta metas[RELEASED_MAX];
	unsigned count;
};

static struct outlet outlet;

static void take(void *user, const struct packet_meta *meta)
{
	struct outlet *out = user;

	assert_true(out->count < RELEASED_MAX);
	out->metas[out->count++] = *meta;
}

static struct fragment_hold *new_hold(uint32_t capacity_pkts)
{
	struct fragment_hold_config config = {
		.capacity_pkts = capacity_pkts,
		.hash_key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 },
		.release = take,
		.user = &outlet,
	};
	struct fragment_hold *hold = NULL;

	outlet.count = 0;
	assert_int_equal(fragment_hold_new(&config, &hold), 0);
	return hold;
}

/* .octets tells the fragments of a test apart. */
static struct packet_meta later(uint32_t id, uint64_t octets)
{
	return (struct packet_meta){
		.stamp_ns = NOW_NS + octets,
		.octets = octets,
		.packets = 1,
		.source = { 10, 1, 0, 1 },
		.destination = { 10, 2, 0, 2 },
		.ip_version = 4,
		.protocol = UDP,
		.is_fragment = true,
		.awaits_first = true,
		.fragment_id = id,
	};
}

static struct packet_meta first_of(struct packet_meta meta, uint16_t port)
{
	meta.awaits_first = false;
	meta.begins_datagram = true;
	meta.source_port = port;
	meta.destination_port = 53;
	return meta;
}

static void add(struct fragment_hold *hold, uint32_t id, uint64_t octets, uint64_t now_ns)
{
	struct packet_meta meta = later(id, octets);

	fragment_hold_add(hold, &meta, now_ns);
}

static void join(struct fragment_hold *hold, uint32_t id, uint16_t port)
{
	struct packet_meta first = first_of(later(id, 0), port);

	fragment_hold_join(hold, &first);
}

static void assert_released(unsigned place, uint64_t octets, uint16_t port)
{
	assert_true(place < outlet.count);
	assert_int_equal(outlet.metas[place].octets, octets);
	assert_int_equal(outlet.metas[place].source_port, port);
	assert_int_equal(outlet.metas[place].destination_port, port ? 53 : 0);
}

static void held_fragments_get_the_ports_of_their_first_in_order(void **state)
{
	struct fragment_hold *hold = new_hold(8);

	add(hold, 7, 3, NOW_NS);
	add(hold, 7, 1, NOW_NS);
	add(hold, 7, 2, NOW_NS);
	assert_int_equal(outlet.count, 0);
	join(hold, 7, 1000);

	assert_int_equal(outlet.count, 3);
	assert_released(0, 3, 1000);
	assert_released(1, 1, 1000);
	assert_released(2, 2, 1000);
	assert_int_equal(fragment_hold_stats(hold)->held, 0);
	assert_int_equal(fragment_hold_stats(hold)->joined, 3);
	assert_int_equal(fragment_hold_stats(hold)->lone, 0);
	fragment_hold_free(hold);
}

static void released_fragment_is_otherwise_as_it_came(void **state)
{
	struct fragment_hold *hold = new_hold(8);
	struct packet_meta meta = later(7, 1480);

	meta.tos = 8;
	meta.ttl = 63;
	meta.vlan_id = 5;
	fragment_hold_add(hold, &meta, NOW_NS);
	join(hold, 7, 1000);

	meta.source_port = 1000;
	meta.destination_port = 53;
	meta.awaits_first = false;
	assert_memory_equal(&outlet.metas[0], &meta, sizeof(meta));
	fragment_hold_free(hold);
}

static void datagrams_are_kept_apart(void **state)
{
	struct fragment_hold *hold = new_hold(8);

	add(hold, 7, 1, NOW_NS);
	add(hold, 9, 2, NOW_NS);
	add(hold, 7, 3, NOW_NS);
	add(hold, 9, 4, NOW_NS);
	join(hold, 9, 2000);
	join(hold, 8, 3000);
	join(hold, 7, 1000);
	join(hold, 7, 4000);

	assert_int_equal(outlet.count, 4);
	assert_released(0, 2, 2000);
	assert_released(1, 4, 2000);
	assert_released(2, 1, 1000);
	assert_released(3, 3, 1000);
	fragment_hold_free(hold);
}

static void first_of_another_protocol_or_host_is_not_theirs(void **state)
{
	struct fragment_hold *hold = new_hold(8);
	struct packet_meta others[3];

	for (unsigned i = 0; i < 3; i++)
		others[i] = first_of(later(7, 0), 1000);
	others[0].protocol = 6;
	others[1].source[3] = 9;
	others[2].destination[3] = 9;
	add(hold, 7, 1, NOW_NS);
	for (unsigned i = 0; i < 3; i++)
		fragment_hold_join(hold, &others[i]);

	assert_int_equal(outlet.count, 0);
	assert_int_equal(fragment_hold_stats(hold)->held, 1);
	fragment_hold_free(hold);
}

/* In IPv6 a later fragment may name another header than the first one ends with. */
static void held_ipv6_fragment_gets_the_protocol_of_its_first(void **state)
{
	struct fragment_hold *hold = new_hold(8);
	struct packet_meta meta = later(0x12345678, 1);

	meta.ip_version = 6;
	meta.source[15] = meta.destination[15] = 1;
	meta.protocol = DESTINATION_OPTIONS;
	struct packet_meta first = first_of(meta, 0x8000);
	first.protocol = ICMP6;
	first.is_icmp = true;
	fragment_hold_add(hold, &meta, NOW_NS);
	fragment_hold_join(hold, &first);

	assert_released(0, 1, 0x8000);
	assert_int_equal(outlet.metas[0].protocol, ICMP6);
	assert_true(outlet.metas[0].is_icmp);
	fragment_hold_free(hold);
}

static void wait_begins_with_the_fragment_that_arrived_first(void **state)
{
	struct fragment_hold *hold = new_hold(8);

	assert_int_equal(fragment_hold_due_ns(hold), UINT64_MAX);
	add(hold, 7, 1, NOW_NS);
	add(hold, 9, 2, NOW_NS + SECOND_NS);
	add(hold, 7, 3, NOW_NS + 29 * SECOND_NS);
	assert_int_equal(fragment_hold_due_ns(hold), NOW_NS + FRAGMENT_WINDOW_NS);
	fragment_hold_give_up(hold);

	assert_int_equal(outlet.count, 2);
	assert_released(0, 1, 0);
	assert_released(1, 3, 0);
	assert_int_equal(fragment_hold_due_ns(hold), NOW_NS + SECOND_NS + FRAGMENT_WINDOW_NS);
	fragment_hold_give_up(hold);
	assert_int_equal(fragment_hold_due_ns(hold), UINT64_MAX);
	assert_int_equal(fragment_hold_stats(hold)->lone, 3);
	fragment_hold_free(hold);
}

static void datagram_that_was_joined_is_not_waited_for(void **state)
{
	struct fragment_hold *hold = new_hold(8);

	add(hold, 7, 1, NOW_NS);
	add(hold, 8, 2, NOW_NS + 1);
	add(hold, 9, 3, NOW_NS + 2);
	join(hold, 8, 1000);
	join(hold, 7, 1000);

	assert_int_equal(fragment_hold_due_ns(hold), NOW_NS + 2 + FRAGMENT_WINDOW_NS);
	join(hold, 9, 1000);
	assert_int_equal(fragment_hold_due_ns(hold), UINT64_MAX);
	fragment_hold_give_up(hold);
	assert_int_equal(outlet.count, 3);
	fragment_hold_free(hold);
}

static void oldest_datagram_makes_room_when_full(void **state)
{
	struct fragment_hold *hold = new_hold(3);

	add(hold, 7, 1, NOW_NS);
	add(hold, 9, 2, NOW_NS);
	add(hold, 7, 3, NOW_NS);
	add(hold, 9, 4, NOW_NS);

	assert_int_equal(outlet.count, 2);
	assert_released(0, 1, 0);
	assert_released(1, 3, 0);
	join(hold, 7, 1000);
	assert_int_equal(outlet.count, 2);
	join(hold, 9, 2000);
	assert_released(2, 2, 2000);
	assert_released(3, 4, 2000);
	fragment_hold_free(hold);
}

static void datagram_larger_than_the_pool_makes_room_for_itself(void **state)
{
	struct fragment_hold *hold = new_hold(3);

	for (uint64_t octets = 1; octets <= 4; octets++)
		add(hold, 7, octets, NOW_NS);
	join(hold, 7, 1000);

	assert_int_equal(outlet.count, 4);
	assert_released(2, 3, 0);
	assert_released(3, 4, 1000);
	fragment_hold_free(hold);
}

/* Any mixture, one place, few places or many: each fragment comes out once, with the port of
 * its own datagram or without. */
static void every_fragment_comes_out_once(void **state)
{
	static const uint32_t capacities[] = { 1, 5, 64, 1000 };

	for (unsigned c = 0; c < 4; c++) {
		struct fragment_hold *hold = new_hold(capacities[c]);
		bool is_out[RELEASED_MAX] = { false };
		uint32_t random = 1, added = 0;

		while (added < RELEASED_MAX) {
			random = random * 1664525 + 1013904223;
			uint32_t id = random >> 24 & 31;
			if (random >> 30) {
				add(hold, id, (uint64_t)added << 8 | id, NOW_NS + added);
				added++;
			} else {
				join(hold, id, (uint16_t)(100 + id));
			}
			const struct fragment_hold_stats *stats = fragment_hold_stats(hold);
			assert_int_equal(stats->held + outlet.count, added);
			assert_int_equal(stats->joined + stats->lone, outlet.count);
			assert_true(stats->held <= capacities[c]);
		}
		while (fragment_hold_stats(hold)->held > 0)
			fragment_hold_give_up(hold);

		assert_int_equal(outlet.count, RELEASED_MAX);
		for (unsigned i = 0; i < RELEASED_MAX; i++) {
			const struct packet_meta *meta = &outlet.metas[i];
			assert_false(is_out[meta->octets >> 8]);
			is_out[meta->octets >> 8] = true;
			if (meta->source_port)
				assert_int_equal(meta->source_port, 100 + (meta->octets & 31));
		}
		fragment_hold_free(hold);
	}
}

static void no_capacity_asked_for_is_the_default(void **state)
{
	struct fragment_hold *hold = new_hold(0);

	for (uint32_t i = 0; i < FRAGMENT_HOLD_PKTS_DEFAULT; i++)
		add(hold, i, 1, NOW_NS);
	assert_int_equal(outlet.count, 0);
	add(hold, 7, 2, NOW_NS);

	assert_int_equal(outlet.count, 1);
	fragment_hold_free(hold);
	fragment_hold_free(NULL);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(held_fragments_get_the_ports_of_their_first_in_order),
	cmocka_unit_test(released_fragment_is_otherwise_as_it_came),
	cmocka_unit_test(datagrams_are_kept_apart),
	cmocka_unit_test(first_of_another_protocol_or_host_is_not_theirs),
	cmocka_unit_test(held_ipv6_fragment_gets_the_protocol_of_its_first),
	cmocka_unit_test(wait_begins_with_the_fragment_that_arrived_first),
	cmocka_unit_test(datagram_that_was_joined_is_not_waited_for),
	cmocka_unit_test(oldest_datagram_makes_room_when_full),
	cmocka_unit_test(datagram_larger_than_the_pool_makes_room_for_itself),
	cmocka_unit_test(every_fragment_comes_out_once),
	cmocka_unit_test(no_capacity_asked_for_is_the_default),
};

UNIT_MAIN("fragment_hold", tests)
