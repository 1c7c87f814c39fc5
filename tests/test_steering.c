/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The steering program as a filter, run by libpcap's interpreter; and that the kernel takes
 * both forms. What the kernel does with them is shown on real links by tests/system/lanes.py.
 */
#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ring/steering.h"
#include "tests/decode_vectors.h"
#include "tests/unit.h"

#define ETHERNET 1
#define RAW 101
#define LANES 4
#define KEPT 65535
#define IPV4 MACS "0800 " UDP4
#define IPV6 MACS "86dd " UDP6

/* With this key neither of the two pairs of addresses that the vectors have is in lane 0. */
static const struct steering steering = { { 4, 2 }, LANES };

struct filters {
	struct steering_program lanes[LANES];
};

static void write_filters(struct filters *filters, int link_type)
{
	for (unsigned lane = 0; lane < LANES; lane++) {
		struct steering_program *program = &filters->lanes[lane];

		steering_write(&steering, link_type, STEERING_FILTER, lane, program);
		program->code[program->count++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, KEPT);
	}
}

/* The lane that keeps the frame: exactly one does. From memory of exactly its length. */
static unsigned lane_of(const struct filters *filters, const uint8_t *bytes, size_t length)
{
	unsigned kept = 0, lane = 0;
	uint8_t *exact = malloc(length ? length : 1);

	assert_non_null(exact);
	memcpy(exact, bytes, length);
	for (unsigned i = 0; i < LANES; i++) {
		const struct bpf_insn *code = (const void *)filters->lanes[i].code;

		if (bpf_filter(code, exact, (u_int)length, (u_int)length) != KEPT)
			continue;
		kept++;
		lane = i;
	}
	free(exact);
	assert_int_equal(kept, 1);
	return lane;
}

static unsigned lane_of_hex(const struct filters *filters, const char *hex)
{
	uint8_t bytes[VECTOR_BYTES_MAX];

	return lane_of(filters, bytes, vector_bytes(hex, bytes));
}

/* Deeper than the program looks: lane 0, in both directions. */
static bool is_too_deep(const struct decode_vector *vector)
{
	return strcmp(vector->fact, "snap_may_carry_a_vlan_tag") == 0;
}

static void check_vector(const struct decode_vector *vector, const struct filters *filters,
	unsigned lane4, unsigned lane6)
{
	uint8_t bytes[VECTOR_BYTES_MAX];
	size_t length = vector_bytes(vector->hex, bytes);
	unsigned wanted = vector->meta.ip_version == 4 ? lane4 : lane6;

	if (vector->reason == DROP_NONE && !is_too_deep(vector) &&
		lane_of(filters, bytes, length) != wanted)
		fail_msg("%s: in lane %u", vector->fact, lane_of(filters, bytes, length));
	if (is_too_deep(vector))
		assert_int_equal(lane_of(filters, bytes, length), 0);
	for (size_t cut = 0; cut < length; cut++)
		lane_of(filters, bytes, cut);
}

static void every_vector_is_in_the_lane_of_its_addresses_or_cut_in_one(void **state)
{
	static struct filters ethernet, raw;
	unsigned checked = 0;

	write_filters(&ethernet, ETHERNET);
	write_filters(&raw, RAW);
	unsigned lane4 = lane_of_hex(&ethernet, IPV4), lane6 = lane_of_hex(&ethernet, IPV6);
	assert_int_not_equal(lane4, 0);
	assert_int_not_equal(lane6, 0);
	assert_int_equal(lane_of_hex(&raw, UDP4), lane4);
	assert_int_equal(lane_of_hex(&raw, UDP6), lane6);
	for (size_t i = 0; i < link_vector_count + ip_vector_count; i++) {
		const struct decode_vector *vector =
			i < link_vector_count ? &link_vectors[i]
					      : &ip_vectors[i - link_vector_count];

		if (vector->link_type != ETHERNET && vector->link_type != RAW)
			continue;
		check_vector(vector, vector->link_type == RAW ? &raw : &ethernet, lane4, lane6);
		checked++;
	}
	assert_true(checked > 40);
}

static void both_directions_are_in_one_lane(void **state)
{
	static struct filters filters;
	uint8_t there[VECTOR_BYTES_MAX], back[VECTOR_BYTES_MAX];
	unsigned count[LANES] = { 0 };

	write_filters(&filters, ETHERNET);
	for (unsigned i = 0; i < 4000; i++) {
		bool is_v4 = i % 2;
		size_t length = vector_bytes(is_v4 ? IPV4 : IPV6, there);
		unsigned at = 14 + (is_v4 ? 12 : 8), bytes = is_v4 ? 4 : 16;

		there[at + bytes - 2] = (uint8_t)(i >> 8);
		there[at + bytes - 1] = (uint8_t)i;
		memcpy(back, there, length);
		memcpy(back + at, there + at + bytes, bytes);
		memcpy(back + at + bytes, there + at, bytes);
		unsigned lane = lane_of(&filters, there, length);

		assert_int_equal(lane_of(&filters, back, length), lane);
		assert_int_equal(
			steering_lane(&steering, is_v4 ? 4 : 6, there + at, there + at + bytes),
			lane);
		count[lane]++;
	}
	for (unsigned i = 0; i < LANES; i++)
		assert_in_range(count[i], 850, 1150);
}

static void stacks_are_walked_as_deep_as_is_said(void **state)
{
	static struct filters filters;
	char tags[2048] = MACS, labels[2048] = MACS "8847 ";

	write_filters(&filters, ETHERNET);
	for (unsigned i = 0; i < STEERING_TAGS_MAX; i++) {
		strcat(tags, "8100 0005 ");
		strcat(labels, "00010040 ");
	}
	for (unsigned i = STEERING_TAGS_MAX; i < STEERING_LABELS_MAX - 1; i++)
		strcat(labels, "00010040 ");
	char deepest[4096], deeper[4096];
	unsigned lane = lane_of_hex(&filters, IPV4);

	snprintf(deepest, sizeof(deepest), "%s0800 %s", tags, UDP4);
	snprintf(deeper, sizeof(deeper), "%s8100 0005 0800 %s", tags, UDP4);
	assert_int_equal(lane_of_hex(&filters, deepest), lane);
	assert_int_equal(lane_of_hex(&filters, deeper), 0);
	snprintf(deepest, sizeof(deepest), "%s00010140 %s", labels, UDP4);
	snprintf(deeper, sizeof(deeper), "%s00010040 00010140 %s", labels, UDP4);
	assert_int_equal(lane_of_hex(&filters, deepest), lane);
	assert_int_equal(lane_of_hex(&filters, deeper), 0);
}

static void another_key_gives_other_lanes(void **state)
{
	static struct steering_program a, b;
	const struct steering other = { { 4, 3 }, LANES };

	steering_write(&steering, ETHERNET, STEERING_FILTER, 1, &a);
	steering_write(&other, ETHERNET, STEERING_FILTER, 1, &b);
	assert_int_equal(a.count, b.count);
	assert_memory_not_equal(a.code, b.code, a.count * sizeof(*a.code));
}

/* Any socket has its programs checked in the same way. */
static void the_kernel_takes_both_forms(void **state)
{
	static struct steering_program program;
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (fd < 0)
		skip();
	for (unsigned i = 0; i < 4; i++) {
		steering_write(&steering, i & 1 ? ETHERNET : RAW,
			i & 2 ? STEERING_FILTER : STEERING_FANOUT, 1, &program);
		program.code[program.count++] =
			(struct sock_filter)BPF_STMT(BPF_RET | BPF_K, KEPT);
		struct sock_fprog code = { (uint16_t)program.count, program.code };

		assert_int_equal(
			setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &code, sizeof(code)), 0);
	}
	close(fd);
}

static void other_links_have_no_program(void **state)
{
	assert_true(steering_takes(ETHERNET));
	assert_true(steering_takes(RAW));
	assert_false(steering_takes(105));
	assert_false(steering_takes(104));
	assert_false(steering_takes(-1));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(every_vector_is_in_the_lane_of_its_addresses_or_cut_in_one),
	cmocka_unit_test(both_directions_are_in_one_lane),
	cmocka_unit_test(stacks_are_walked_as_deep_as_is_said),
	cmocka_unit_test(another_key_gives_other_lanes),
	cmocka_unit_test(the_kernel_takes_both_forms),
	cmocka_unit_test(other_links_have_no_program),
};

UNIT_MAIN("steering", tests)
