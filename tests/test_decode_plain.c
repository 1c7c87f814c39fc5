/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way of common packets: who takes it, and that it says what the general decoder
 * says - of every vector, with any bit of it changed, and cut anywhere.
 */
#include "sensor/decode_plain.h"

#include <string.h>

#include "tests/decode_both.h"
#include "tests/decode_vectors.h"
#include "tests/unit.h"

#define LINK_ETHERNET 1
#define LINK_RAW 101
#define TCP6 \
	"6abcdef1 0014 06 40 " ADDRESSES6 "03e8 0050 00000001 00000000 5012 2000 0000 0000 "

static bool is_plain(const char *hex, struct packet_meta *ret_meta)
{
	uint8_t bytes[VECTOR_BYTES_MAX];
	struct packet packet = { .bytes = bytes };

	packet.captured_bytes = packet.wire_bytes = (uint32_t)vector_bytes(hex, bytes);
	return decode_plain(&packet, ret_meta);
}

static void tcp_and_udp_are_plain(void **state)
{
	struct packet_meta meta;

	assert_true(is_plain(MACS "0800 " UDP4, &meta));
	assert_true(is_plain(MACS "86dd " UDP6, &meta));
	assert_true(is_plain(MACS "0800 " TCP4, &meta));
	assert_true(is_plain(MACS "86dd " TCP6, &meta));

	assert_int_equal(meta.octets, 60);
	assert_int_equal(meta.tos, 0xab);
	assert_int_equal(meta.flow_label, 0xcdef1);
	assert_int_equal(meta.ttl, 64);
	assert_int_equal(meta.tcp_flags, TCP_SYN | TCP_ACK);
	assert_int_equal(meta.source_port, 1000);
	assert_int_equal(meta.destination_port, 80);
}

static void one_tag_is_plain(void **state)
{
	struct packet_meta meta;

	assert_true(is_plain(MACS "8100 2064 0800 " UDP4, &meta));

	assert_int_equal(meta.vlan_id, 100);
	assert_int_equal(meta.inner_vlan_id, 0);
}

static void what_is_unusual_is_not_plain(void **state)
{
	static const char *const rows[] = {
		MACS "8100 0064 8100 0065 0800 " UDP4, /* two tags */
		MACS "88a8 0064 0800 " UDP4,           /* a service tag */
		MACS "0806 " UDP4,
		MACS "0800 " /* options */
		     "4600 0020 0007 0000 40 11 0000 0a010001 0a020002 01010101 "
		     "03e8 0035 0008 0000",
		MACS "0800 " /* a first fragment */
		     "4500 001c 0007 2000 40 11 0000 0a010001 0a020002 03e8 0035 0008 0000",
		MACS "0800 " /* a later one */
		     "4500 001c 0007 0001 40 11 0000 0a010001 0a020002 03e8 0035 0008 0000",
		MACS "0800 " /* the length is not told */
		     "4500 0000 0007 0000 40 11 0000 0a010001 0a020002 03e8 0035 0008 0000",
		MACS "0800 " /* ICMP */
		     "4500 001c 0007 0000 40 01 0000 0a010001 0a020002 0800 0035 0008 0000",
		MACS "86dd " /* options */
		     "60000000 0010 00 40 " ADDRESSES6 "1100 0104 00000000 03e8 0035 0008 0000",
	};
	struct packet_meta meta;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_false(is_plain(rows[i], &meta));
}

/* From memory of its exact size, so that a sanitizer sees every octet too far. */
static void compare(struct decode_both decoders[static 2], const struct packet *like,
	const uint8_t *bytes, size_t length)
{
	uint8_t *exact = malloc(length ? length : 1);
	struct packet packet = *like;
	struct packet_meta meta;

	assert_non_null(exact);
	memcpy(exact, bytes, length);
	packet.bytes = exact;
	packet.captured_bytes = (uint32_t)length;
	for (unsigned i = 0; i < 2; i++)
		decode_both(&decoders[i], &packet, &meta);
	free(exact);
}

static void open_both(int link_type, struct decode_both ret_decoders[static 2])
{
	struct decoder_config config = { .link_type = link_type, .fragment_entries = 16 };

	assert_true(decode_both_open(&ret_decoders[0], &config));
	config.count = COUNT_FRAMES;
	config.fragments = FRAGMENTS_SEPARATE;
	assert_true(decode_both_open(&ret_decoders[1], &config));
}

/* Whole, with each bit changed, and cut at each length. */
static void compare_around(struct decode_both decoders[static 2], const struct packet *like,
	uint8_t *bytes, size_t length)
{
	compare(decoders, like, bytes, length);
	for (size_t bit = 0; bit < length * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		compare(decoders, like, bytes, length);
		bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	for (size_t cut = 0; cut < length; cut++)
		compare(decoders, like, bytes, cut);
}

static void compare_hex(
	struct decode_both decoders[static 2], const char *before, const char *hex)
{
	static const struct packet kinds[] = {
		{ .stamp_ns = 5, .if_index = 3 },
		{ .is_outgoing = true, .vlan_tpid = 0x8100, .vlan_tci = 0xf123 },
		{ .gso = PACKET_GSO_TCP, .gso_bytes = 8 },
		{ .gso = PACKET_GSO_UDP, .gso_bytes = 2 },
	};
	uint8_t bytes[2 * VECTOR_BYTES_MAX];
	size_t before_bytes = vector_bytes(before, bytes);
	size_t length = before_bytes + vector_bytes(hex, bytes + before_bytes);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct packet like = kinds[i];

		like.wire_bytes = (uint32_t)length;
		compare_around(decoders, &like, bytes, length);
	}
}

static void every_vector_changed_anywhere_is_the_same_both_ways(void **state)
{
	struct decode_both decoders[2];

	open_both(LINK_ETHERNET, decoders);
	for (size_t i = 0; i < link_vector_count; i++)
		if (link_vectors[i].link_type == LINK_ETHERNET)
			compare_hex(decoders, "", link_vectors[i].hex);
	for (size_t i = 0; i < ip_vector_count; i++) {
		if (ip_vectors[i].link_type != LINK_RAW || strlen(ip_vectors[i].hex) > 512)
			continue;
		bool is_ip6 = ip_vectors[i].hex[0] == '6';
		compare_hex(decoders, is_ip6 ? MACS "86dd" : MACS "0800", ip_vectors[i].hex);
		compare_hex(decoders, is_ip6 ? MACS "8100 0fff 86dd" : MACS "8100 0fff 0800",
			ip_vectors[i].hex);
	}
	decode_both_close(&decoders[0]);
	decode_both_close(&decoders[1]);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tcp_and_udp_are_plain),
	cmocka_unit_test(one_tag_is_plain),
	cmocka_unit_test(what_is_unusual_is_not_plain),
	cmocka_unit_test(every_vector_changed_anywhere_is_the_same_both_ways),
};

int main(int argc, char **argv)
{
	return unit_run(argc, argv, "decode_plain", tests, sizeof(tests) / sizeof(tests[0]));
}
