/* SPDX-License-Identifier: BSD-2-Clause */
/* Compressed captures: unpacked by their first bytes; cut or followed by garbage they are
 * damaged. Packed by the formats' own tools; a format without tool, or not in this build, is
 * skipped. */
#include "tests/pcap_replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <string.h>

static bool has_tool(const char *tool)
{
	char command[256];

	snprintf(command, sizeof(command), "command -v %s >/dev/null", tool);
	return system(command) == 0;
}

/* path_b becomes path_a, packed. */
static void pack(const char *tool)
{
	char command[512];

	snprintf(command, sizeof(command), "%s -c < %s > %s", tool, path_a, path_b);
	assert_int_equal(system(command), 0);
}

static size_t load(const char *path, uint8_t *to, size_t room)
{
	FILE *file = fopen(path, "rb");

	assert_non_null(file);
	size_t count = fread(to, 1, room, file);
	fclose(file);
	return count;
}

static void expect_packed(const char *tool)
{
	if (!has_tool(tool)) {
		print_message("%s is not installed\n", tool);
		skip();
	}
	replay_write_pcap(2000, false, false);
	replay_save(path_a);
	pack(tool);

	replay_files(path_b, NULL);
	if (result.open_outcome == -ENOTSUP)
		skip();
	replay_expect_packets(2000);
	assert_int_equal(result.outcome, 0);
}

static void expect_cut_packed(const char *tool)
{
	static uint8_t packed[CAPTURE_BYTES_MAX];
	bool has_packets_before_damage = false;

	if (!has_tool(tool))
		skip();
	replay_write_pcap(300, false, false);
	replay_save(path_a);
	pack(tool);
	size_t count = load(path_b, packed, sizeof(packed));
	for (size_t cut = 6; cut < count; cut += 1 + count / 97) {
		writer_save(packed, cut, path_b);
		replay_files(path_b, NULL);
		if (result.open_outcome == -ENOTSUP)
			skip();
		if (result.open_outcome)
			continue;
		assert_int_equal(result.outcome, SOURCE_DAMAGED);
		assert_true(result.count <= 300);
		for (unsigned i = 0; i < result.count; i++)
			assert_int_equal(result.marks[i], (uint8_t)i);
		has_packets_before_damage |= result.count > 0;
	}
	/* The last byte gone: all data is there, the checksum is not. */
	writer_save(packed, count - 1, path_b);
	replay_files(path_b, NULL);
	assert_int_equal(result.open_outcome, 0);
	assert_int_equal(result.outcome, SOURCE_DAMAGED);
	assert_true(has_packets_before_damage || result.count == 300);
	assert_non_null(strstr(result.error, "ends early"));
}

/* A file in two streams, cut in the middle of a record. */
static void expect_two_streams(const char *tool)
{
	char command[512];

	if (!has_tool(tool))
		skip();
	replay_write_pcap(300, false, false);
	replay_save(path_a);
	snprintf(command, sizeof(command),
		"{ head -c 1000 %s | %s -c; tail -c +1001 %s | %s -c; } > %s", path_a, tool,
		path_a, tool, path_b);
	assert_int_equal(system(command), 0);

	replay_files(path_b, NULL);

	if (result.open_outcome == -ENOTSUP)
		skip();
	replay_expect_packets(300);
	assert_int_equal(result.outcome, 0);
}

static void expect_garbage_behind(const char *tool)
{
	char command[512];

	if (!has_tool(tool))
		skip();
	replay_write_pcap(10, false, false);
	replay_save(path_a);
	snprintf(command, sizeof(command), "{ %s -c < %s; echo garbage; } > %s", tool, path_a,
		path_b);
	assert_int_equal(system(command), 0);

	replay_files(path_b, NULL);

	if (result.open_outcome == -ENOTSUP)
		skip();
	replay_expect_packets(10);
	assert_int_equal(result.outcome, SOURCE_DAMAGED);
}

#define COMPRESSION_CASES(tool) \
	static void tool##_is_unpacked(void **state) \
	{ \
		expect_packed(#tool); \
	} \
	static void tool##_in_two_streams_is_one_capture(void **state) \
	{ \
		expect_two_streams(#tool); \
	} \
	static void tool##_cut_is_damage_wherever_it_is_cut(void **state) \
	{ \
		expect_cut_packed(#tool); \
	} \
	static void tool##_with_garbage_behind_is_damage(void **state) \
	{ \
		expect_garbage_behind(#tool); \
	}

COMPRESSION_CASES(gzip)
COMPRESSION_CASES(zstd)
COMPRESSION_CASES(lz4)
COMPRESSION_CASES(xz)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gzip_is_unpacked),
		cmocka_unit_test(gzip_in_two_streams_is_one_capture),
		cmocka_unit_test(gzip_cut_is_damage_wherever_it_is_cut),
		cmocka_unit_test(gzip_with_garbage_behind_is_damage),
		cmocka_unit_test(zstd_is_unpacked),
		cmocka_unit_test(zstd_in_two_streams_is_one_capture),
		cmocka_unit_test(zstd_cut_is_damage_wherever_it_is_cut),
		cmocka_unit_test(zstd_with_garbage_behind_is_damage),
		cmocka_unit_test(lz4_is_unpacked),
		cmocka_unit_test(lz4_in_two_streams_is_one_capture),
		cmocka_unit_test(lz4_cut_is_damage_wherever_it_is_cut),
		cmocka_unit_test(lz4_with_garbage_behind_is_damage),
		cmocka_unit_test(xz_is_unpacked),
		cmocka_unit_test(xz_in_two_streams_is_one_capture),
		cmocka_unit_test(xz_cut_is_damage_wherever_it_is_cut),
		cmocka_unit_test(xz_with_garbage_behind_is_damage),
	};

	return cmocka_run_group_tests(tests, replay_make_directory, replay_remove_directory);
}
