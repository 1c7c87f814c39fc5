/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Damage is located to the byte in every form of capture, however libpcap's reads are cut: old
 * versions of the record, records larger than any buffer, pipes, and compressed files.
 */
#include "tests/pcap_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ring/record_marks.h"

#define VERSION_MAJOR_AT 4
#define VERSION_MINOR_AT 6
#define PCAP_HEADER_BYTES 24
#define CAPTURED 60u
#define ON_WIRE 90u

static void expect_damage(const char *name, unsigned packet, size_t offset)
{
	char place[SOURCE_ERROR_BYTES];

	assert_int_equal(result.outcome, SOURCE_DAMAGED);
	snprintf(place, sizeof(place), "%s: packet %u at offset %zu: ", name, packet, offset);
	assert_memory_equal(result.error, place, strlen(place));
}

/* -- forms of the record -------------------------------------------------------------- */

struct version {
	uint8_t major_low, major_high, minor;
	bool is_wire_first;
};

/* Three packets in .version, the last one cut, in the order of lengths that it has. */
static void expect_located(const struct version *version)
{
	uint32_t first = version->is_wire_first ? ON_WIRE : CAPTURED;
	uint32_t second = version->is_wire_first ? CAPTURED : ON_WIRE;
	size_t start = 0;

	writer_pcap(&writer, false, false, 65535, ETHERNET);
	writer.bytes[VERSION_MAJOR_AT] = version->major_low;
	writer.bytes[VERSION_MAJOR_AT + 1] = version->major_high;
	writer.bytes[VERSION_MINOR_AT] = version->minor;
	for (uint8_t i = 0; i < 3; i++) {
		start = writer.count;
		writer_record(&writer, SECONDS, i, replay_frame(i), CAPTURED, first);
		memcpy(writer.bytes + start + 8, &(uint8_t){ (uint8_t)first }, 1);
		memcpy(writer.bytes + start + 12, &(uint8_t){ (uint8_t)second }, 1);
	}
	writer_save(writer.bytes, writer.count - 1, path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(2);
	assert_int_equal(result.captured_bytes[1], CAPTURED);
	assert_int_equal(result.wire_bytes[1], ON_WIRE);
	expect_damage(path_a, 3, start);
}

static void old_versions_have_the_lengths_the_other_way_round(void **state)
{
	static const struct version versions[] = {
		{ .major_low = 2, .minor = 4 },
		{ .major_low = 2, .minor = 3 },
		{ .major_low = 2, .minor = 3, .is_wire_first = true },
		{ .major_low = 2, .minor = 2, .is_wire_first = true },
		{ .major_low = 543 & 0xff, .major_high = 543 >> 8, .is_wire_first = true },
	};

	for (size_t i = 0; i < sizeof(versions) / sizeof(versions[0]); i++)
		expect_located(&versions[i]);
}

static void patched_records_have_a_longer_head(void **state)
{
	/* Magic 0xa1b2cd34; interface index, protocol and packet type before the packet. */
	static const uint8_t magic[] = { 0x34, 0xcd, 0xb2, 0xa1 };
	uint8_t body[8 + CAPTURED];
	size_t start = 0;

	writer_pcap(&writer, false, false, 65535, ETHERNET);
	memcpy(writer.bytes, magic, sizeof(magic));
	for (uint8_t i = 0; i < 3; i++) {
		memset(body, 0, 8);
		memcpy(body + 8, replay_frame(i), CAPTURED);
		start = writer.count;
		writer_record(&writer, SECONDS, i, body, sizeof(body), CAPTURED);
		writer.bytes[start + 8] = CAPTURED;
	}
	writer_save(writer.bytes, writer.count - 1, path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(2);
	expect_damage(path_a, 3, start);
}

static void a_block_too_short_to_be_one_is_located_at_its_start(void **state)
{
	for (uint8_t length = 0; length < 12; length += 4) {
		writer_section(&writer, false);
		writer_interface(&writer, ETHERNET, 65535);
		writer_packet(&writer, 0, 1, replay_frame(0), 60, 60);
		size_t start = writer.count;
		writer_packet(&writer, 0, 2, replay_frame(1), 60, 60);
		memcpy(writer.bytes + start + 4, (uint8_t[4]){ length }, 4);
		replay_save(path_a);

		replay_files(path_a, NULL);

		replay_expect_packets(1);
		expect_damage(path_a, 2, start);
	}
}

static void records_larger_than_a_buffer_are_located(void **state)
{
	static uint8_t large[200000];
	size_t start = 0;

	writer_pcap(&writer, true, true, 262144, ETHERNET);
	for (uint8_t i = 0; i < 4; i++) {
		large[0] = i;
		start = writer.count;
		writer_record(&writer, SECONDS, i, large, sizeof(large), sizeof(large));
	}
	writer_save(writer.bytes, start + 16 + 100000, path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(3);
	expect_damage(path_a, 4, start);
}

/* A section of the same byte order is read, one of the other is damage at its start. */
static void sections_behind_the_first_are_passed(void **state)
{
	static struct capture_writer second;

	for (unsigned order = 0; order < 2; order++) {
		writer_section(&second, order);
		writer_interface(&second, ETHERNET, 65535);
		writer_packet(&second, 0, 3, replay_frame(1), 60, 60);
		writer_section(&writer, true);
		writer_interface(&writer, ETHERNET, 65535);
		writer_packet(&writer, 0, 1, replay_frame(0), 60, 60);
		size_t start = writer.count;
		memcpy(writer.bytes + start, second.bytes, second.count);
		writer.count += second.count;
		writer_save(writer.bytes, writer.count - (order ? 1 : 0), path_a);

		replay_files(path_a, NULL);

		replay_expect_packets(1);
		expect_damage(path_a, 2, order ? start + second.count - 92 : start);
	}
}

/* More than any buffer holds, and more than a batch. */
static void damage_far_behind_is_located(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		replay_write_pcap(4000, order, false);
		writer_save(writer.bytes, writer.count - 70, path_a);

		replay_files(path_a, NULL);

		replay_expect_packets(3999);
		expect_damage(path_a, 4000, PCAP_HEADER_BYTES + 3999 * 76);

		writer_section(&writer, order);
		writer_interface(&writer, ETHERNET, 65535);
		size_t start = writer.count;
		for (unsigned i = 0; i < 4000; i++)
			writer_packet(&writer, 0, i, replay_frame((uint8_t)i), 60, 60);
		writer_save(writer.bytes, writer.count - 70, path_a);

		replay_files(path_a, NULL);

		replay_expect_packets(3999);
		expect_damage(path_a, 4000, start + 3999 * 92);
	}
}

static void packets_that_the_filter_holds_back_count_for_the_place(void **state)
{
	const char *files[] = { path_a };

	replay_write_pcap(1000, false, false);
	writer_save(writer.bytes, writer.count - 1, path_a);

	replay_with((struct source_config){ .files = files, .file_count = 1, .filter = "udp" });

	assert_int_equal(result.count, 499);
	expect_damage(path_a, 1000, PCAP_HEADER_BYTES + 999 * 76);
}

/* -- the marks themselves ------------------------------------------------------------- */

/* The bytes of the writer pass in parts; after each the marks know the record. .starts: where
 * the records begin and, last, where they end. */
static void expect_marked(const size_t *starts, size_t records, size_t part_bytes)
{
	struct record_marks marks;
	size_t in = 0;

	record_marks_start(&marks, writer.bytes, RECORD_MARKS_START_BYTES);
	for (size_t at = 0; at < writer.count;) {
		size_t left_bytes = writer.count - at;
		size_t bytes = left_bytes < part_bytes ? left_bytes : part_bytes;

		record_marks_pass(&marks, writer.bytes + at, bytes);
		at += bytes;
		while (in < records && starts[in + 1] < at)
			in++;
		if (at <= starts[0])
			continue;
		assert_int_equal(marks.at, at);
		assert_int_equal(marks.record_at, starts[in]);
		size_t whole = starts[in + 1] == at ? at : starts[in];
		assert_int_equal(record_marks_whole(&marks), whole);
	}
}

static void marks_do_not_depend_on_how_the_bytes_come(void **state)
{
	size_t starts[21];

	for (size_t part_bytes = 1; part_bytes < 100; part_bytes++) {
		writer_pcap(&writer, part_bytes % 2, false, 65535, ETHERNET);
		for (unsigned i = 0; i < 20; i++) {
			starts[i] = writer.count;
			writer_record(&writer, SECONDS, i, replay_frame(0), 3 * i, 60);
		}
		starts[20] = writer.count;
		expect_marked(starts, 20, part_bytes);

		writer_section(&writer, part_bytes % 2);
		writer_interface(&writer, ETHERNET, 65535);
		for (unsigned i = 0; i < 20; i++) {
			starts[i] = writer.count;
			writer_packet(&writer, 0, i, replay_frame(0), 3 * i, 60);
		}
		starts[20] = writer.count;
		expect_marked(starts, 20, part_bytes);
	}
}

static void marks_go_on_from_another_place(void **state)
{
	struct record_marks marks;

	replay_write_pcap(3, true, false);
	size_t start = PCAP_HEADER_BYTES + 76;
	record_marks_start(&marks, writer.bytes, RECORD_MARKS_START_BYTES);

	record_marks_resume(&marks, start);
	record_marks_pass(&marks, writer.bytes + start, 77);

	assert_int_equal(marks.record_at, start + 76);
	assert_int_equal(record_marks_whole(&marks), start + 76);
}

/* -- where the bytes come from -------------------------------------------------------- */

/* A child writes the first .count bytes in parts of .part_bytes to what is standard input. */
static void replay_pipe(size_t count, size_t part_bytes)
{
	int kept = dup(STDIN_FILENO), data[2], status;

	assert_int_equal(pipe(data), 0);
	pid_t child = fork();
	if (child == 0) {
		close(data[0]);
		for (size_t at = 0; at < count; at += part_bytes) {
			size_t bytes = count - at < part_bytes ? count - at : part_bytes;
			if (write(data[1], writer.bytes + at, bytes) != (ssize_t)bytes)
				_exit(1);
		}
		_exit(0);
	}
	close(data[1]);
	dup2(data[0], STDIN_FILENO);
	close(data[0]);

	replay_files("-", NULL);

	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

static void damage_in_a_pipe_is_located_however_it_is_written(void **state)
{
	static const size_t part_bytes[] = { 1, 7, 16, 76, 1000, 4096 };

	replay_write_pcap(1000, false, false);
	for (size_t i = 0; i < sizeof(part_bytes) / sizeof(part_bytes[0]); i++) {
		replay_pipe(writer.count - 70, part_bytes[i]);

		replay_expect_packets(999);
		expect_damage("standard input", 1000, PCAP_HEADER_BYTES + 999 * 76);
	}
}

/* Two packets and .more_bytes of the third are written before the source is asked. */
static void expect_whole_ones_at_once(size_t more_bytes, size_t two_bytes)
{
	static struct packet_batch batch;
	const char *files[] = { "-" };
	struct source_config config = { .files = files, .file_count = 1 };
	struct source *source;
	int kept = dup(STDIN_FILENO), data[2];
	size_t first_bytes = two_bytes + more_bytes;
	size_t rest_bytes = writer.count - first_bytes;

	assert_int_equal(pipe(data), 0);
	dup2(data[0], STDIN_FILENO);
	close(data[0]);
	assert_int_equal(write(data[1], writer.bytes, first_bytes), first_bytes);

	assert_int_equal(source_open(&config, &source, result.error), 0);
	assert_int_equal(source_next(source, &batch), 0);
	assert_int_equal(batch.count, 2);
	assert_false(batch.is_end);
	source_release(source, &batch);
	assert_int_equal(write(data[1], writer.bytes + first_bytes, rest_bytes), rest_bytes);
	close(data[1]);
	assert_int_equal(source_next(source, &batch), 0);
	assert_int_equal(batch.count, 1);
	assert_int_equal(batch.packets[0].bytes[0], 2);
	source_release(source, &batch);

	source_close(source);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

static void a_record_half_written_does_not_hold_up_whole_ones(void **state)
{
	alarm(20); /* where it does, the source waits for ever */
	for (size_t more_bytes = 0; more_bytes < 76; more_bytes++) {
		replay_write_pcap(3, false, false);
		expect_whole_ones_at_once(more_bytes, PCAP_HEADER_BYTES + 2 * 76);
	}
	for (size_t more_bytes = 0; more_bytes < 92; more_bytes++) {
		writer_section(&writer, false);
		writer_interface(&writer, ETHERNET, 65535);
		size_t start = writer.count;
		for (uint8_t i = 0; i < 3; i++)
			writer_packet(&writer, 0, i, replay_frame(i), 60, 60);
		expect_whole_ones_at_once(more_bytes, start + 2 * 92);
	}
	alarm(0);
}

/* Somebody has read a line of the file before: places count from where the capture begins. */
static void a_capture_may_begin_within_standard_input(void **state)
{
	static const char line[] = "a line in front\n";
	int kept = dup(STDIN_FILENO);

	replay_write_pcap(500, false, false);
	int fd = open(path_a, O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_int_equal(write(fd, line, sizeof(line)), sizeof(line));
	assert_int_equal(write(fd, writer.bytes, writer.count - 9), writer.count - 9);
	lseek(fd, sizeof(line), SEEK_SET);
	dup2(fd, STDIN_FILENO);
	close(fd);

	replay_files("-", NULL);

	replay_expect_packets(499);
	expect_damage("standard input", 500, PCAP_HEADER_BYTES + 499 * 76);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

/* Our own memory, read as a file, ends with an error where nothing is mapped. */
static void expect_read_error(size_t count, unsigned packets)
{
	size_t page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	int kept = dup(STDIN_FILENO), fd = open("/proc/self/mem", O_RDONLY);
	uint8_t *pages = mmap(NULL, 2 * page_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (fd < 0)
		skip();
	assert_ptr_not_equal(pages, MAP_FAILED);
	munmap(pages + page_bytes, page_bytes);
	uint8_t *start = pages + page_bytes - count;
	memcpy(start, writer.bytes, count);
	lseek(fd, (off_t)(uintptr_t)start, SEEK_SET);
	dup2(fd, STDIN_FILENO);
	close(fd);

	replay_files("-", NULL);

	replay_expect_packets(packets);
	expect_damage("standard input", packets + 1, PCAP_HEADER_BYTES + packets * 76ul);
	assert_non_null(strstr(result.error, ": cannot be read: "));
	munmap(pages, page_bytes);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

static void a_file_that_cannot_be_read_on_is_damage_with_its_reason(void **state)
{
	replay_write_pcap(3, false, false);
	expect_read_error(PCAP_HEADER_BYTES + 2 * 76 + 30, 2);
	expect_read_error(PCAP_HEADER_BYTES + 2 * 76, 2);
	expect_read_error(PCAP_HEADER_BYTES, 0);
}

static void damage_in_a_compressed_file_is_located_in_the_capture(void **state)
{
	char command[512];

	if (system("command -v gzip >/dev/null"))
		skip();
	replay_write_pcap(2000, false, false);
	replay_save(path_a);
	snprintf(command, sizeof(command), "gzip -c < %s > %s", path_a, path_b);
	assert_int_equal(system(command), 0);
	int fd = open(path_b, O_WRONLY);
	off_t bytes = lseek(fd, 0, SEEK_END);
	assert_int_equal(ftruncate(fd, bytes / 2), 0);
	close(fd);

	replay_files(path_b, NULL);

	if (result.open_outcome == -ENOTSUP)
		skip();
	assert_in_range(result.count, 1, 1999);
	expect_damage(path_b, result.count + 1, PCAP_HEADER_BYTES + result.count * 76ul);
	assert_non_null(strstr(result.error, "ends early"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(old_versions_have_the_lengths_the_other_way_round),
		cmocka_unit_test(patched_records_have_a_longer_head),
		cmocka_unit_test(a_block_too_short_to_be_one_is_located_at_its_start),
		cmocka_unit_test(records_larger_than_a_buffer_are_located),
		cmocka_unit_test(sections_behind_the_first_are_passed),
		cmocka_unit_test(damage_far_behind_is_located),
		cmocka_unit_test(packets_that_the_filter_holds_back_count_for_the_place),
		cmocka_unit_test(marks_do_not_depend_on_how_the_bytes_come),
		cmocka_unit_test(marks_go_on_from_another_place),
		cmocka_unit_test(damage_in_a_pipe_is_located_however_it_is_written),
		cmocka_unit_test(a_record_half_written_does_not_hold_up_whole_ones),
		cmocka_unit_test(a_capture_may_begin_within_standard_input),
		cmocka_unit_test(a_file_that_cannot_be_read_on_is_damage_with_its_reason),
		cmocka_unit_test(damage_in_a_compressed_file_is_located_in_the_capture),
	};

	return cmocka_run_group_tests(tests, replay_make_directory, replay_remove_directory);
}
