/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Super-packets count as the wire's segments: ceil(payload / gso_bytes) packets, each with its
 * headers. Only headers are in the bytes here; lengths say the rest.
 */
#include "sensor/decode.h"
#include "tests/decode_vectors.h"
#include "tests/unit.h"

#define RAW 101
#define ETHERNET 1

struct super_packet {
	const char *hex;
	uint32_t wire_bytes;
	uint16_t gso_bytes;
	enum packet_gso gso;
	enum count_mode count;
	int link_type;
};

static struct packet_meta decode(const struct super_packet *super)
{
	const struct decoder_config config = { .link_type = super->link_type,
		.count = super->count };
	struct decoder *decoder = NULL;
	assert_int_equal(decoder_new(&config, &decoder), 0);
	uint8_t bytes[VECTOR_BYTES_MAX];
	struct packet packet = {
		.bytes = bytes,
		.captured_bytes = (uint32_t)vector_bytes(super->hex, bytes),
		.wire_bytes = super->wire_bytes,
		.gso = (uint8_t)super->gso,
		.gso_bytes = super->gso_bytes,
	};
	struct packet_meta meta;
	assert_int_equal(decoder_decode(decoder, &packet, &meta), DROP_NONE);
	decoder_free(decoder);
	return meta;
}

static void check(const struct super_packet *super, uint32_t packets, uint64_t octets)
{
	struct packet_meta meta = decode(super);
	assert_int_equal(meta.packets, packets);
	assert_int_equal(meta.octets, octets);
}

/* IPv4, 20 octets; TCP with 12 octets of options (data offset 8), ACK. */
#define TCP4_OF(length) \
	"4500 " length " 0007 0000 40 06 0000 0a010001 0a020002 " \
	"03e8 0050 00000001 00000001 8010 2000 0000 0000 0101080a 00000001 00000002 "

static void tcp_segments_have_their_headers_each(void **state)
{
	/* 4396 = 52 of headers + 4344 of payload = 3 * 1448 */
	check(&(struct super_packet){ TCP4_OF("112c"), 4396, 1448, PACKET_GSO_TCP, COUNT_WIRE,
		      RAW },
		3, 4344 + 3 * 52);
}

static void last_segment_may_be_short(void **state)
{
	/* 4397 = 52 + 4345: one octet in the fourth */
	check(&(struct super_packet){ TCP4_OF("112d"), 4397, 1448, PACKET_GSO_TCP, COUNT_WIRE,
		      RAW },
		4, 4345 + 4 * 52);
}

static void payload_of_one_segment_is_one_packet(void **state)
{
	/* 1500 = 52 + 1448 */
	check(&(struct super_packet){ TCP4_OF("05dc"), 1500, 1448, PACKET_GSO_TCP, COUNT_WIRE,
		      RAW },
		1, 1500);
}

static void frames_mode_counts_one_packet(void **state)
{
	check(&(struct super_packet){ TCP4_OF("112c"), 4396, 1448, PACKET_GSO_TCP, COUNT_FRAMES,
		      RAW },
		1, 4396);
}

static void segment_size_0_counts_one_packet(void **state)
{
	check(&(struct super_packet){ TCP4_OF("112c"), 4396, 0, PACKET_GSO_TCP, COUNT_WIRE,
		      RAW },
		1, 4396);
}

static void frames_longer_than_the_link_are_segments_that_fill_it(void **state)
{
	/* 4397 = 52 + 4345 on a link of 1500: parts of 1448, as above */
	check(&(struct super_packet){ TCP4_OF("112d"), 4397, 1500, PACKET_GSO_LINK, COUNT_WIRE,
		      RAW },
		4, 4345 + 4 * 52);
}

static void a_long_frame_without_tcp_is_one_packet(void **state)
{
	/* 20 + 8 + 2500 */
	const char *hex =
		"4500 09e0 0007 0000 40 11 0000 0a010001 0a020002 03e8 01bb 09cc 0000";
	check(&(struct super_packet){ hex, 2528, 1500, PACKET_GSO_LINK, COUNT_WIRE, RAW }, 1,
		2528);
}

static void ipv4_options_are_in_every_segment(void **state)
{
	/* IPv4 of 24, TCP of 20, 3000 of payload in 1000s: 3044 */
	const char *hex = "4600 0be4 0007 0000 40 06 0000 0a010001 0a020002 94040000 "
			  "03e8 0050 00000001 00000001 5010 2000 0000 0000";
	check(&(struct super_packet){ hex, 3044, 1000, PACKET_GSO_TCP, COUNT_WIRE, RAW }, 3,
		3000 + 3 * 44);
}

static void udp_segments_have_their_headers_each(void **state)
{
	/* 20 + 8 + 2500 of payload in 1200s: 2528 */
	const char *hex =
		"4500 09e0 0007 0000 40 11 0000 0a010001 0a020002 03e8 01bb 09cc 0000";
	check(&(struct super_packet){ hex, 2528, 1200, PACKET_GSO_UDP, COUNT_WIRE, RAW }, 3,
		2500 + 3 * 28);
}

static void ipv6_extension_headers_are_in_every_segment(void **state)
{
	/* 40 + 8 (destination options) + 20 + 3000: payload length 3028 */
	const char *hex = "60000000 0bd4 3c 40 " ADDRESSES6 "0600 0104 00000000 "
			  "03e8 0050 00000001 00000001 5010 2000 0000 0000";
	check(&(struct super_packet){ hex, 3068, 1000, PACKET_GSO_TCP, COUNT_WIRE, RAW }, 3,
		3000 + 3 * 68);
}

static void big_tcp_of_ipv4_has_length_0(void **state)
{
	/* Ethernet 14, then 52 of headers and 100 * 1448 of payload */
	check(&(struct super_packet){ MACS "0800 " TCP4_OF("0000"), 14 + 52 + 144800, 1448,
		      PACKET_GSO_TCP, COUNT_WIRE, ETHERNET },
		100, 144800 + 100 * 52);
}

/* IPv6, payload length 0, hop-by-hop with nothing but the jumbo option: 8 + 20 + 144800. */
#define BIG_TCP6 \
	"60000000 0000 00 40 " ADDRESSES6 "0600 c204 000235bc " \
	"03e8 0050 00000001 00000001 5010 2000 0000 0000"

static void big_tcp_of_ipv6_has_a_header_that_the_wire_has_not(void **state)
{
	check(&(struct super_packet){ BIG_TCP6, 40 + 144828, 1448, PACKET_GSO_TCP, COUNT_WIRE,
		      RAW },
		100, 144800 + 100 * 60);
	check(&(struct super_packet){ BIG_TCP6, 40 + 144828, 1448, PACKET_GSO_TCP, COUNT_FRAMES,
		      RAW },
		1, 40 + 144828);
}

static void transport_header_cut_off_is_taken_as_20_octets(void **state)
{
	/* 4380 = 40 + 3 * 1446 + 2 */
	const char *hex = "4500 111c 0007 0000 40 06 0000 0a010001 0a020002 03e8 0050";
	check(&(struct super_packet){ hex, 4380, 1446, PACKET_GSO_TCP, COUNT_WIRE, RAW }, 4,
		4340 + 4 * 40);
}

static void fragment_is_one_packet(void **state)
{
	const char *hex = "4500 112c 0007 2000 40 06 0000 0a010001 0a020002 "
			  "03e8 0050 00000001 00000001 5010 2000 0000 0000";
	check(&(struct super_packet){ hex, 4396, 1000, PACKET_GSO_TCP, COUNT_WIRE, RAW }, 1,
		4396);
}

static void length_that_lies_makes_no_segments(void **state)
{
	/* claims 4396, but 92 were on the wire: one packet of what it claims */
	check(&(struct super_packet){ TCP4_OF("112c"), 92, 1448, PACKET_GSO_TCP, COUNT_WIRE,
		      RAW },
		1, 4396);
}

/* Inner packet of the tunnels: IPv4 20 and TCP 20, whose lengths nobody reads. */
#define INNER \
	"4500 0c00 0007 0000 40 06 0000 c0a80001 c0a80002 " \
	"03e8 0050 00000001 00000001 5010 2000 0000 0000"

static void segments_of_a_tunnel_have_all_headers(void **state)
{
	static const struct {
		const char *hex;
		uint32_t header_bytes; /* outer IP up to the inner TCP payload */
	} rows[] = {
		/* IPv4 in IPv4: 20 + 40 */
		{ "4500 0bf4 0007 0000 40 04 0000 0a010001 0a020002 " INNER, 60 },
		/* GRE with key: 20 + 8 + 40 */
		{ "4500 0bfc 0007 0000 40 2f 0000 0a010001 0a020002 2000 0800 00000005 " INNER,
			68 },
		/* VXLAN: 20 + UDP 8 + VXLAN 8 + Ethernet 14 with a tag 4 + 40 */
		{ "4500 0c16 0007 0000 40 11 0000 0a010001 0a020002 c000 12b5 0000 0000 "
		  "08000000 00000100 " MACS "8100 0001 0800 " INNER,
			94 },
		/* Geneve with one option word: 20 + UDP 8 + Geneve 12 + Ethernet 14 + 40 */
		{ "4500 0c16 0007 0000 40 11 0000 0a010001 0a020002 c000 17c1 0000 0000 "
		  "0100 6558 00000100 00000000 " MACS "0800 " INNER,
			94 },
		/* IPv4 in IPv6: 40 + 40 */
		{ "60000000 0be0 04 40 " ADDRESSES6 INNER, 80 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct super_packet super = { rows[i].hex, rows[i].header_bytes + 3000, 1000,
			PACKET_GSO_TCP, COUNT_WIRE, RAW };
		check(&super, 3, 3000 + 3 * rows[i].header_bytes);
	}
}

static void tunnel_that_is_not_known_counts_its_outer_headers(void **state)
{
	/* UDP to port 9: 20 + 8, then 3000 of something */
	const char *hex =
		"4500 0bd4 0007 0000 40 11 0000 0a010001 0a020002 c000 0009 0000 0000 "
		"0000000000000000";
	check(&(struct super_packet){ hex, 3028, 1000, PACKET_GSO_TCP, COUNT_WIRE, RAW }, 3,
		3000 + 3 * 28);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(tcp_segments_have_their_headers_each),
	cmocka_unit_test(last_segment_may_be_short),
	cmocka_unit_test(payload_of_one_segment_is_one_packet),
	cmocka_unit_test(frames_mode_counts_one_packet),
	cmocka_unit_test(segment_size_0_counts_one_packet),
	cmocka_unit_test(frames_longer_than_the_link_are_segments_that_fill_it),
	cmocka_unit_test(a_long_frame_without_tcp_is_one_packet),
	cmocka_unit_test(ipv4_options_are_in_every_segment),
	cmocka_unit_test(udp_segments_have_their_headers_each),
	cmocka_unit_test(ipv6_extension_headers_are_in_every_segment),
	cmocka_unit_test(big_tcp_of_ipv4_has_length_0),
	cmocka_unit_test(big_tcp_of_ipv6_has_a_header_that_the_wire_has_not),
	cmocka_unit_test(transport_header_cut_off_is_taken_as_20_octets),
	cmocka_unit_test(fragment_is_one_packet),
	cmocka_unit_test(length_that_lies_makes_no_segments),
	cmocka_unit_test(segments_of_a_tunnel_have_all_headers),
	cmocka_unit_test(tunnel_that_is_not_known_counts_its_outer_headers),
};

UNIT_MAIN("decode_gso", tests)
