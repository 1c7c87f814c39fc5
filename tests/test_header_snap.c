/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel keeps of a frame, by libpcap's interpreter of the same programs. A frame of
 * which less than the snap length is kept decodes to the same as the whole one.
 */
#include "ring/header_snap.h"

#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>

#include "ring/kernel_filter.h"
#include "tests/decode_both.h"
#include "tests/decode_vectors.h"
#include "tests/unit.h"

#define LINK_ETHERNET 1
#define SNAP_BYTES 256u
#define FRAME_BYTES 1400u
#define FRAME_BYTES_MAX 2000u
#define RANDOM_FRAMES 200000

static uint32_t run(
	const struct sock_filter *code, unsigned count, const uint8_t *frame, uint32_t length)
{
	struct bpf_insn program[BPF_MAXINSNS];

	memcpy(program, code, count * sizeof(*code));
	assert_true(bpf_validate(program, (int)count));
	uint32_t kept_bytes = bpf_filter(program, frame, length, length);
	return kept_bytes < length ? kept_bytes : length;
}

static uint32_t kept(const uint8_t *frame, uint32_t length)
{
	struct sock_filter code[HEADER_SNAP_CODE_MAX];
	unsigned count = header_snap_write(SNAP_BYTES, code);

	return run(code, count, frame, length);
}

/* Of the frame, continued with zeros to .length. */
static uint32_t kept_hex(const char *hex, uint32_t length)
{
	uint8_t bytes[VECTOR_BYTES_MAX] = { 0 };

	vector_bytes(hex, bytes);
	return kept(bytes, length);
}

/* IPv6, TCP, UDP and UDP to a port; IPv4 with a protocol. */
#define IP6(next) "60000000 0400 " next " 40 " ADDRESSES6
#define IP4(protocol) "4500 0400 0007 0000 40 " protocol " 0000 0a010001 0a020002"

static void short_frames_are_kept_whole(void **state)
{
	assert_int_equal(kept_hex(MACS "0800 " TCP4, 54), 54);
	assert_int_equal(kept_hex(MACS "0800 " TCP4, 96), 96);
	for (uint32_t length = 0; length < 96; length++)
		assert_int_equal(kept_hex(MACS "86dd " UDP6, length), length);
}

static void tcp_and_udp_keep_their_headers(void **state)
{
	assert_int_equal(kept_hex(MACS "0800 " IP4("06"), FRAME_BYTES), 14 + 60 + 14);
	assert_int_equal(kept_hex(MACS "0800 " IP4("11"), FRAME_BYTES), 14 + 60 + 8);
	assert_int_equal(kept_hex(MACS "86dd " IP6("06"), FRAME_BYTES), 14 + 40 + 14);
	assert_int_equal(kept_hex(MACS "86dd " IP6("11"), FRAME_BYTES), 14 + 40 + 8);
}

static void others_keep_the_snap_length(void **state)
{
	static const char *const rows[] = {
		MACS "0806",
		MACS "8847 00001140",
		MACS "8100 0064 0800 " UDP4,
		MACS "0800 " IP4("01"),
		MACS "0800 " IP4("29"),
		MACS "86dd " IP6("3a"),
		MACS "0800 " IP4("11") "03e8 12b5", /* VXLAN */
		MACS "0800 " IP4("11") "03e8 2118",
		MACS "0800 " IP4("11") "03e8 17c1", /* Geneve */
		MACS "86dd " IP6("11") "03e8 12b5",
		MACS "86dd " IP6("11") "03e8 2118",
		MACS "86dd " IP6("11") "03e8 17c1",
		MACS "0800 " /* VXLAN behind options */
		     "4f00 0400 0007 0000 40 11 0000 0a010001 0a020002 "
		     "0000000000000000000000000000000000000000 "
		     "0000000000000000000000000000000000000000 03e8 12b5",
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(kept_hex(rows[i], FRAME_BYTES), SNAP_BYTES);
}

static void extension_headers_keep_all(void **state)
{
	assert_int_equal(kept_hex(MACS "86dd " IP6("00"), FRAME_BYTES), FRAME_BYTES);
	assert_int_equal(kept_hex(MACS "86dd " IP6("2b"), FRAME_BYTES), FRAME_BYTES);
	assert_int_equal(kept_hex(MACS "86dd " IP6("2c"), FRAME_BYTES), FRAME_BYTES);
	assert_int_equal(kept_hex(MACS "86dd " IP6("33"), FRAME_BYTES), FRAME_BYTES);
	assert_int_equal(kept_hex(MACS "86dd " IP6("3c"), FRAME_BYTES), FRAME_BYTES);
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 32);
}

/* Noise with enough sense in it to get past the IP header. */
static uint32_t make_frame(uint64_t *seed, uint8_t *frame)
{
	static const uint16_t types[] = { 0x0800, 0x86dd };
	static const uint8_t protocols[] = { 6, 17, 6, 17, 0, 1, 4, 41, 43, 44, 47, 51, 58,
		60 };
	uint32_t length = next_random(seed) % (FRAME_BYTES_MAX - 14) + 14;
	uint16_t type = types[next_random(seed) % 2];
	uint8_t protocol = protocols[next_random(seed) % sizeof(protocols)];

	for (uint32_t i = 0; i < FRAME_BYTES_MAX; i++)
		frame[i] = (uint8_t)next_random(seed);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	if (type == 0x0800) {
		frame[14] = (uint8_t)(0x45 + next_random(seed) % 11);
		frame[16] = (uint8_t)((length - 14) >> 8);
		frame[17] = (uint8_t)(length - 14);
		frame[20] &= (uint8_t)(next_random(seed) % 4 ? 0 : 0xff);
		frame[21] &= (uint8_t)(frame[20] ? 0xff : 0);
		frame[23] = protocol;
	} else {
		frame[14] = (uint8_t)(0x60 | frame[14] % 16);
		frame[20] = protocol;
	}
	return length;
}

static void what_is_kept_decodes_as_the_whole(void **state)
{
	struct decoder_config config = { .link_type = LINK_ETHERNET, .fragment_entries = 16 };
	struct decode_both whole, cut;
	uint64_t seed = 1;
	unsigned cut_frames = 0;

	assert_true(decode_both_open(&whole, &config) && decode_both_open(&cut, &config));
	for (unsigned i = 0; i < RANDOM_FRAMES; i++) {
		uint8_t frame[FRAME_BYTES_MAX];
		struct packet_meta whole_meta, cut_meta;
		struct packet packet = { .bytes = frame, .gso = (uint8_t)(i % 3) };

		packet.captured_bytes = packet.wire_bytes = make_frame(&seed, frame);
		packet.gso_bytes = (uint16_t)(next_random(&seed) % 600 + 1);
		uint32_t kept_bytes = kept(frame, packet.captured_bytes);
		assert_true(kept_bytes > 0);
		if (kept_bytes >= SNAP_BYTES || kept_bytes == packet.captured_bytes)
			continue;
		enum drop_reason whole_reason = decode_both(&whole, &packet, &whole_meta);
		packet.captured_bytes = kept_bytes;
		assert_int_equal(decode_both(&cut, &packet, &cut_meta), whole_reason);
		if (whole_reason == DROP_NONE)
			assert_true(decode_both_is_same(&cut_meta, &whole_meta));
		cut_frames++;
	}
	assert_true(cut_frames > RANDOM_FRAMES / 10);
	decode_both_close(&whole);
	decode_both_close(&cut);
}

static void an_expression_comes_first(void **state)
{
	struct source_config config = {
		.interface = "none",
		.filter = "tcp",
		.snap_bytes = SNAP_BYTES,
		.keeps_headers = true,
	};
	struct kernel_filter *filter = malloc(sizeof(*filter));
	char error[SOURCE_ERROR_BYTES];
	uint8_t tcp[VECTOR_BYTES_MAX] = { 0 }, udp[VECTOR_BYTES_MAX] = { 0 };

	assert_non_null(filter);
	vector_bytes(MACS "0800 " IP4("06"), tcp);
	vector_bytes(MACS "0800 " IP4("11"), udp);
	assert_int_equal(kernel_filter_compile(&config, LINK_ETHERNET, NULL, filter, error), 0);
	assert_int_equal(run(filter->code, filter->count, tcp, FRAME_BYTES), 14 + 60 + 14);
	assert_int_equal(run(filter->code, filter->count, udp, FRAME_BYTES), 0);

	config.keeps_headers = false;
	assert_int_equal(kernel_filter_compile(&config, LINK_ETHERNET, NULL, filter, error), 0);
	assert_int_equal(run(filter->code, filter->count, tcp, FRAME_BYTES), SNAP_BYTES);
	free(filter);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(short_frames_are_kept_whole),
	cmocka_unit_test(tcp_and_udp_keep_their_headers),
	cmocka_unit_test(others_keep_the_snap_length),
	cmocka_unit_test(extension_headers_keep_all),
	cmocka_unit_test(what_is_kept_decodes_as_the_whole),
	cmocka_unit_test(an_expression_comes_first),
};

int main(int argc, char **argv)
{
	return unit_run(argc, argv, "header_snap", tests, sizeof(tests) / sizeof(tests[0]));
}
