/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_key.h"

#include "sensor/hash.h"
#include "tests/test_flow_support.h"

static struct flow_keying keying_with(enum track_level level, uint64_t low, uint64_t high)
{
	struct flow_keying keying;
	const uint64_t key[2] = { low, high };

	flow_keying_init(&keying, level, key);
	return keying;
}

static struct flow_probe probe_of(enum track_level level, struct packet_meta meta)
{
	struct flow_keying keying = keying_with(level, 1, 2);
	struct flow_probe probe = { 0 };

	flow_key_make(&keying, &meta, &probe);
	return probe;
}

static bool is_same_key(const struct flow_probe *a, const struct flow_probe *b)
{
	return memcmp(&a->key, &b->key, sizeof(a->key)) == 0 && a->hash == b->hash;
}

/* The expected values are Python's: hash(b'...') is this function since 3.11. With
 * PYTHONHASHSEED=0 its key is zero, with 42 it is the second one here. */
static void hash_is_siphash_1_3(void **state)
{
	static const uint64_t key_0[2] = { 0, 0 };
	static const uint64_t key_42[2] = { 0xdc504fd368cd90af, 0xb920bb9ffe99e9c1 };
	uint64_t words[5];

	memcpy(words, "0123456789abcdef0123456789abcdef01234567", sizeof(words));
	assert_true(hash_words(key_0, words, 1) == 0xda3dcedf84ea6cc6);
	assert_true(hash_words(key_0, words, 2) == 0x1d42b30f7e060c24);
	assert_true(hash_words(key_0, words, 5) == 0x6fa70ff73ac757f7);
	assert_true(hash_words(key_42, words, 1) == 0xe9bc4cf2cd0e51f1);
	assert_true(hash_words(key_42, words, 2) == 0xfb45b65d4dce0272);
}

static void key_is_the_same_for_both_directions(void **state)
{
	for (unsigned level = 0; level < TRACK_LEVEL_COUNT; level++) {
		struct flow_probe there = probe_of(level, packet(TCP, HOST_A, 999, HOST_B, 80));
		struct flow_probe back = probe_of(level, packet(TCP, HOST_B, 80, HOST_A, 999));

		assert_true(is_same_key(&there, &back));
		assert_int_equal(there.sender, 0);
		assert_int_equal(back.sender, 1);
	}
}

static void key_is_the_same_for_both_directions_in_ipv6(void **state)
{
	for (unsigned level = 0; level < TRACK_LEVEL_COUNT; level++) {
		struct flow_probe there =
			probe_of(level, packet_v6(TCP, HOST_A, 9, HOST_B, 80));
		struct flow_probe back = probe_of(level, packet_v6(TCP, HOST_B, 80, HOST_A, 9));

		assert_true(is_same_key(&there, &back));
		assert_int_not_equal(there.sender, back.sender);
	}
}

static void key_orders_equal_addresses_by_port(void **state)
{
	struct flow_probe there = probe_of(TRACK_FULL, packet(UDP, HOST_A, 7000, HOST_A, 53));
	struct flow_probe back = probe_of(TRACK_FULL, packet(UDP, HOST_A, 53, HOST_A, 7000));

	assert_true(is_same_key(&there, &back));
	assert_int_equal(there.sender, 1);
	assert_int_equal(back.sender, 0);
	assert_int_equal(there.key.port[0], 53);
}

static void key_orders_equal_addresses_and_ports_by_mac_where_macs_count(void **state)
{
	struct packet_meta there = packet(UDP, HOST_A, 53, HOST_A, 53);
	struct packet_meta back = there;

	there.source_mac[5] = 9;
	there.destination_mac[5] = 8;
	back.source_mac[5] = 8;
	back.destination_mac[5] = 9;

	struct flow_probe a = probe_of(TRACK_ETHER, there), b = probe_of(TRACK_ETHER, back);

	assert_true(is_same_key(&a, &b));
	assert_int_not_equal(a.sender, b.sender);
	assert_int_equal(probe_of(TRACK_FULL, there).sender, 0);
	assert_int_equal(probe_of(TRACK_FULL, back).sender, 0);
}

static void key_compares_whole_addresses(void **state)
{
	struct packet_meta meta = packet_v6(UDP, HOST_A, 1, HOST_A, 2);

	for (unsigned octet = 0; octet < 16; octet++) {
		struct packet_meta higher = meta, lower = meta;

		higher.source[octet]++;
		lower.destination[octet]++;
		assert_int_equal(probe_of(TRACK_FULL, higher).sender, 1);
		assert_int_equal(probe_of(TRACK_FULL, lower).sender, 0);
	}
}

static struct packet_meta change_protocol(struct packet_meta meta)
{
	meta.protocol = UDP;
	return meta;
}

static struct packet_meta change_port(struct packet_meta meta)
{
	meta.destination_port++;
	return meta;
}

static struct packet_meta change_vlan(struct packet_meta meta)
{
	meta.vlan_id++;
	return meta;
}

static struct packet_meta change_source_mac(struct packet_meta meta)
{
	meta.source_mac[3]++;
	return meta;
}

static struct packet_meta change_destination_mac(struct packet_meta meta)
{
	meta.destination_mac[3]++;
	return meta;
}

static struct packet_meta change_version(struct packet_meta meta)
{
	meta.ip_version = 6;
	return meta;
}

static struct packet_meta change_address(struct packet_meta meta)
{
	meta.destination[3]++;
	return meta;
}

static struct packet_meta change_what_is_never_key(struct packet_meta meta)
{
	meta.inner_vlan_id = 7;
	meta.flow_label = 7;
	meta.tos = 7;
	meta.ttl = 7;
	meta.if_index = 7;
	meta.mpls_count = 1;
	meta.mpls[0] = 7;
	meta.tcp_flags = 7;
	return meta;
}

/* clang-format off */
static const struct {
	struct packet_meta (*change)(struct packet_meta meta);
	bool splits[TRACK_LEVEL_COUNT]; /* ip, proto, port, full, vlan, ether */
} level_rows[] = {
	{ change_version,           { true,  true,  true,  true,  true,  true } },
	{ change_address,           { true,  true,  true,  true,  true,  true } },
	{ change_protocol,          { false, true,  true,  true,  true,  true } },
	{ change_port,              { false, false, true,  true,  true,  true } },
	{ change_vlan,              { false, false, false, false, true,  true } },
	{ change_source_mac,        { false, false, false, false, false, true } },
	{ change_destination_mac,   { false, false, false, false, false, true } },
	{ change_what_is_never_key, { false, false, false, false, false, false } },
};
/* clang-format on */

static void level_decides_what_splits_a_flow(void **state)
{
	struct packet_meta meta = packet(TCP, HOST_A, 999, HOST_B, 80);

	for (size_t row = 0; row < sizeof(level_rows) / sizeof(level_rows[0]); row++) {
		struct packet_meta changed = level_rows[row].change(meta);

		for (unsigned level = 0; level < TRACK_LEVEL_COUNT; level++) {
			struct flow_probe a = probe_of(level, meta);
			struct flow_probe b = probe_of(level, changed);
			bool is_split = memcmp(&a.key, &b.key, sizeof(a.key)) != 0 ||
					(flow_levels[level].has_mac &&
						memcmp(a.mac, b.mac, sizeof(a.mac)) != 0);

			assert_int_equal(is_split, level_rows[row].splits[level]);
			assert_int_equal(a.hash != b.hash, is_split);
		}
	}
}

static void hash_depends_on_the_hash_key(void **state)
{
	struct flow_keying other = keying_with(TRACK_FULL, 1, 3);
	struct packet_meta meta = packet(TCP, HOST_A, 999, HOST_B, 80);
	struct flow_probe a = probe_of(TRACK_FULL, meta), b = { 0 };

	flow_key_make(&other, &meta, &b);
	assert_int_equal(memcmp(&a.key, &b.key, sizeof(a.key)), 0);
	assert_true(a.hash != b.hash);
}

/* Flows that differ in one word by one each, as scans do, over as many places: throwing them at
 * random leaves a share of 1/e of the places empty and puts at most about ten into one. */
static void hash_scatters_flows_in_a_row(void **state)
{
	enum { FLOWS = 1 << 16 };
	static uint8_t load[FLOWS];

	for (unsigned kind = 0; kind < 4; kind++) {
		unsigned empty = 0, most = 0;

		memset(load, 0, sizeof(load));
		for (uint32_t i = 0; i < FLOWS; i++) {
			struct packet_meta meta =
				kind & 1 ? packet(TCP, HOST_A, 1, HOST_B, 2)
					 : packet_v6(TCP, HOST_A, 1, HOST_B, 2);

			if (kind & 2)
				meta.destination_port = (uint16_t)i;
			else
				memcpy(meta.destination + (kind & 1 ? 0 : 12), &i, sizeof(i));
			load[probe_of(TRACK_FULL, meta).hash >> 48]++;
		}
		for (unsigned i = 0; i < FLOWS; i++) {
			empty += load[i] == 0;
			most = load[i] > most ? load[i] : most;
		}
		assert_in_range(empty, FLOWS * 35 / 100, FLOWS * 39 / 100);
		assert_in_range(most, 5, 12);
	}
}

static void icmp_is_known_by_protocol_and_version(void **state)
{
	static const struct {
		unsigned version, protocol;
		bool is_icmp;
	} rows[] = { { 4, ICMP, true }, { 4, ICMPV6, false }, { 6, ICMPV6, true },
		{ 6, ICMP, false }, { 4, TCP, false }, { 4, 0, false }, { 6, 0, false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct flow_key key = { .ip_version = (uint8_t)rows[i].version,
			.protocol = (uint8_t)rows[i].protocol };

		assert_int_equal(flow_key_is_icmp(&key), rows[i].is_icmp);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(hash_is_siphash_1_3),
	cmocka_unit_test(key_is_the_same_for_both_directions),
	cmocka_unit_test(key_is_the_same_for_both_directions_in_ipv6),
	cmocka_unit_test(key_orders_equal_addresses_by_port),
	cmocka_unit_test(key_orders_equal_addresses_and_ports_by_mac_where_macs_count),
	cmocka_unit_test(key_compares_whole_addresses),
	cmocka_unit_test(level_decides_what_splits_a_flow),
	cmocka_unit_test(hash_depends_on_the_hash_key),
	cmocka_unit_test(hash_scatters_flows_in_a_row),
	cmocka_unit_test(icmp_is_known_by_protocol_and_version),
};

UNIT_MAIN("flow_key", tests)
