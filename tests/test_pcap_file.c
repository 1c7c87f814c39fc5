/* SPDX-License-Identifier: BSD-2-Clause */
/* Replay: every form of capture file, several in order, and files that are cut or wrong. */
#include "tests/pcap_replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define RAW 101

/* -- formats -------------------------------------------------------------------------- */

static void pcap_is_read_in_either_order_and_unit(void **state)
{
	for (unsigned form = 0; form < 4; form++) {
		bool is_ns = form & 1;
		replay_write_pcap(3, form & 2, is_ns);
		replay_save(path_a);

		replay_files(path_a, NULL);

		replay_expect_packets(3);
		assert_int_equal(result.outcome, 0);
		assert_int_equal(result.link_type, ETHERNET);
		assert_int_equal(result.wire_bytes[2], 62);
		assert_true(result.stamps_ns[2] ==
			    (SECONDS + 2ull) * SECOND_NS + (is_ns ? 502 : 502000));
		assert_true(result.clock_ns == result.stamps_ns[2]);
	}
}

static void write_pcapng(bool is_big_endian)
{
	writer_section(&writer, is_big_endian);
	writer_interface(&writer, ETHERNET, 65535);
	for (unsigned i = 0; i < 3; i++)
		writer_packet(&writer, 0, (SECONDS + i) * 1000000ull + 7,
			replay_frame((uint8_t)i), 57 + i, 100);
}

static void pcapng_is_read_in_either_order(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		write_pcapng(order);
		replay_save(path_a);

		replay_files(path_a, NULL);

		replay_expect_packets(3);
		assert_int_equal(result.outcome, 0);
		assert_int_equal(result.link_type, ETHERNET);
		assert_int_equal(result.captured_bytes[1], 58);
		assert_true(result.stamps_ns[1] == (SECONDS + 1ull) * SECOND_NS + 7000);
	}
}

static void link_types_are_those_of_the_file(void **state)
{
	static const uint32_t types[] = { 0, 1, 12, 14, 101, 103, 108, 113, 228, 276 };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		writer_pcap(&writer, i % 2, false, 65535, types[i]);
		replay_save(path_a);
		replay_files(path_a, NULL);
		assert_int_equal(result.link_type, types[i]);

		writer_section(&writer, i % 2);
		writer_interface(&writer, (uint16_t)types[i], 65535);
		replay_save(path_a);
		replay_files(path_a, NULL);
		assert_int_equal(result.link_type, types[i]);
	}
}

static void a_frame_check_note_is_no_part_of_the_link_type(void **state)
{
	writer_pcap(&writer, false, false, 65535, 0x24000001);
	replay_save(path_a);

	replay_files(path_a, NULL);

	assert_int_equal(result.link_type, ETHERNET);
}

static void a_capture_without_packets_ends_at_once(void **state)
{
	replay_write_pcap(0, false, false);
	replay_save(path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(0);
	assert_int_equal(result.outcome, 0);
	assert_int_equal(result.batches, 1);
}

static void captures_longer_than_a_batch_come_in_batches(void **state)
{
	replay_write_pcap(1000, false, false);
	replay_save(path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(1000);
	assert_in_range(result.batches, 4, 5);
}

static void large_packets_stay_valid_across_the_batch(void **state)
{
	static uint8_t large[200000];

	writer_pcap(&writer, false, false, 262144, ETHERNET);
	for (uint8_t i = 0; i < 5; i++) {
		large[0] = i;
		writer_record(&writer, SECONDS, i, large, sizeof(large), sizeof(large));
	}
	replay_save(path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(5);
	assert_int_equal(result.captured_bytes[4], sizeof(large));
}

/* -- lengths and times ---------------------------------------------------------------- */

static void the_snap_length_cuts_what_is_kept_not_what_was_sent(void **state)
{
	const char *files[] = { path_a };

	replay_write_pcap(3, false, false);
	replay_save(path_a);

	replay_with(
		(struct source_config){ .files = files, .file_count = 1, .snap_bytes = 20 });

	replay_expect_packets(3);
	assert_int_equal(result.captured_bytes[2], 20);
	assert_int_equal(result.wire_bytes[2], 62);
}

static void odd_lengths_are_passed_on(void **state)
{
	writer_pcap(&writer, false, false, 65535, ETHERNET);
	writer_record(&writer, SECONDS, 0, replay_frame(0), 60, 10);
	writer_record(&writer, SECONDS, 0, replay_frame(0), 0, 0);
	writer_record(&writer, SECONDS, 0, replay_frame(0), 0, UINT32_MAX);
	replay_save(path_a);

	replay_files(path_a, NULL);

	assert_int_equal(result.count, 3);
	assert_int_equal(result.captured_bytes[0], 60);
	assert_int_equal(result.wire_bytes[0], 10);
	assert_int_equal(result.captured_bytes[1], 0);
	assert_true(result.wire_bytes[2] == UINT32_MAX);
}

static void odd_stamps_mean_what_they_say_in_either_order(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		writer_pcap(&writer, order, false, 65535, ETHERNET);
		writer_record(&writer, 0, 0, replay_frame(0), 60, 60);
		writer_record(&writer, UINT32_MAX, UINT32_MAX, replay_frame(1), 60, 60);
		writer_record(&writer, 5, 3000000, replay_frame(2), 60, 60);
		writer_record(&writer, 1u << 31, 1, replay_frame(3), 60, 60);
		replay_save(path_a);

		replay_files(path_a, NULL);

		replay_expect_packets(4);
		assert_true(result.stamps_ns[0] == 0);
		assert_true(
			result.stamps_ns[1] == UINT32_MAX * SECOND_NS + UINT32_MAX * 1000ull);
		assert_true(result.stamps_ns[2] == 8 * SECOND_NS);
		assert_true(result.stamps_ns[3] == (1ull << 31) * SECOND_NS + 1000);
		assert_true(result.clock_ns == result.stamps_ns[1]);
	}
}

static void pcapng_stamps_beyond_all_clocks_are_held_at_their_end(void **state)
{
	writer_section(&writer, false);
	writer_interface(&writer, ETHERNET, 65535);
	writer_packet(&writer, 0, UINT64_MAX, replay_frame(0), 60, 60);
	replay_save(path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(1);
	assert_true(result.stamps_ns[0] == INT64_MAX);
}

/* -- filter --------------------------------------------------------------------------- */

static void the_filter_decides_what_is_seen(void **state)
{
	const char *files[] = { path_a };

	replay_write_pcap(10, false, false);
	replay_save(path_a);

	replay_with((struct source_config){ .files = files, .file_count = 1, .filter = "udp" });

	assert_int_equal(result.count, 5);
	assert_int_equal(result.received_pkts, 5);
	assert_int_equal(result.marks[4], 9);
}

static void a_wrong_filter_is_named(void **state)
{
	const char *files[] = { path_a };

	replay_write_pcap(1, false, false);
	replay_save(path_a);

	replay_with((struct source_config){
		.files = files, .file_count = 1, .filter = "no such thing" });

	assert_int_equal(result.open_outcome, -EINVAL);
	assert_non_null(strstr(result.error, "'no such thing'"));
}

/* -- several files -------------------------------------------------------------------- */

static void several_files_are_one_stream(void **state)
{
	replay_write_pcap(2, false, false);
	replay_save(path_a);
	writer_section(&writer, true);
	writer_interface(&writer, ETHERNET, 65535);
	writer_packet(&writer, 0, 5, replay_frame(2), 60, 60);
	replay_save(path_b);

	replay_files(path_a, path_b);

	replay_expect_packets(3);
	assert_int_equal(result.outcome, 0);
	assert_int_equal(result.batches, 1);
	/* The clock does not go back with the second file. */
	assert_true(result.clock_ns == result.stamps_ns[1]);
}

static void the_same_file_may_come_twice(void **state)
{
	replay_write_pcap(2, false, false);
	replay_save(path_a);

	replay_files(path_a, path_a);

	assert_int_equal(result.count, 4);
}

static void files_of_different_link_types_are_refused_by_name(void **state)
{
	replay_write_pcap(1, false, false);
	replay_save(path_a);
	writer_pcap(&writer, false, false, 65535, RAW);
	replay_save(path_b);

	replay_files(path_a, path_b);

	assert_int_equal(result.open_outcome, -EINVAL);
	assert_non_null(strstr(result.error, path_a));
	assert_non_null(strstr(result.error, path_b));
	assert_non_null(strstr(result.error, "101"));
}

static void a_missing_file_anywhere_in_the_list_is_refused(void **state)
{
	replay_write_pcap(1, false, false);
	replay_save(path_a);
	unlink(path_b);

	replay_files(path_b, path_a);
	assert_int_equal(result.open_outcome, -ENOENT);

	replay_files(path_a, path_b);
	assert_int_equal(result.open_outcome, -ENOENT);
	assert_non_null(strstr(result.error, path_b));
}

static void what_is_no_capture_is_refused(void **state)
{
	writer_save("hello, this is a text and no capture", 36, path_a);
	replay_files(path_a, NULL);
	assert_int_equal(result.open_outcome, -EBADMSG);
	assert_non_null(strstr(result.error, path_a));

	writer_save("", 0, path_a);
	replay_files(path_a, NULL);
	assert_int_equal(result.open_outcome, -EBADMSG);

	replay_files("/dev/null", NULL);
	assert_int_equal(result.open_outcome, -EBADMSG);

	replay_files("/tmp", NULL);
	assert_true(result.open_outcome < 0);
	assert_non_null(strstr(result.error, "cannot be read: "));
}

static void more_files_than_descriptors_are_read(void **state)
{
	static const char *files[3000];
	struct rlimit limit;

	/* Far fewer descriptors than files. */
	getrlimit(RLIMIT_NOFILE, &limit);
	struct rlimit low = { .rlim_cur = 100, .rlim_max = limit.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
	replay_write_pcap(1, false, false);
	replay_save(path_a);
	for (size_t i = 0; i < 3000; i++)
		files[i] = path_a;

	replay_with((struct source_config){ .files = files, .file_count = 3000 });

	assert_int_equal(result.open_outcome, 0);
	assert_int_equal(result.count, 3000);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* -- damage --------------------------------------------------------------------------- */

/* The first packet has no bytes, hence the mark 0. .starts: where each packet's record begins,
 * and, last, where the file ends. */
static void cut_everywhere(const size_t *starts, unsigned packets, size_t header_bytes)
{
	for (size_t cut = header_bytes; cut <= writer.count; cut++) {
		char place[SOURCE_ERROR_BYTES];
		unsigned whole = 0;

		writer_save(writer.bytes, cut, path_a);
		replay_files(path_a, NULL);
		while (whole < packets && starts[whole + 1] <= cut)
			whole++;

		replay_expect_packets(whole);
		if (cut == starts[whole]) {
			assert_int_equal(result.outcome, 0);
			continue;
		}
		assert_int_equal(result.outcome, SOURCE_DAMAGED);
		snprintf(place, sizeof(place), "%s: packet %u at offset %zu: ", path_a,
			whole + 1, starts[whole]);
		assert_memory_equal(result.error, place, strlen(place));
		assert_true(strlen(result.error) > strlen(place));
	}
}

static void a_pcap_cut_at_any_byte_gives_every_whole_packet(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		size_t starts[4];

		writer_pcap(&writer, order, false, 65535, ETHERNET);
		for (unsigned i = 0; i < 3; i++) {
			starts[i] = writer.count;
			writer_record(
				&writer, SECONDS, i, replay_frame((uint8_t)i), 20 * i, 60);
		}
		starts[3] = writer.count;
		cut_everywhere(starts, 3, 24);
	}
}

static void a_pcapng_cut_at_any_byte_gives_every_whole_packet(void **state)
{
	for (unsigned order = 0; order < 2; order++) {
		size_t starts[4];

		writer_section(&writer, order);
		writer_interface(&writer, ETHERNET, 65535);
		for (unsigned i = 0; i < 3; i++) {
			starts[i] = writer.count;
			writer_packet(&writer, 0, i, replay_frame((uint8_t)i), 21 * i, 60);
		}
		starts[3] = writer.count;
		cut_everywhere(starts, 3, starts[0]);
	}
}

static void a_cut_file_header_is_refused(void **state)
{
	replay_write_pcap(1, false, false);
	for (size_t cut = 0; cut < 24; cut++) {
		writer_save(writer.bytes, cut, path_a);
		replay_files(path_a, NULL);
		assert_int_equal(result.open_outcome, -EBADMSG);
	}
}

static void damage_after_other_blocks_is_located_to_the_block(void **state)
{
	static const uint8_t body[64];

	writer_section(&writer, false);
	writer_interface(&writer, ETHERNET, 65535);
	writer_packet(&writer, 0, 1, replay_frame(0), 60, 60);
	writer_block(&writer, 5, body, 12);          /* interface statistics */
	writer_block(&writer, 0x80001234, body, 64); /* not known to anybody */
	size_t damaged_at = writer.count;
	writer_block(&writer, 4, body, 8); /* name resolution */
	char place[64];
	snprintf(place, sizeof(place), "packet 2 at offset %zu: ", damaged_at);
	writer_save(writer.bytes, damaged_at + 9, path_a);

	replay_files(path_a, NULL);

	assert_int_equal(result.count, 1);
	assert_int_equal(result.outcome, SOURCE_DAMAGED);
	assert_non_null(strstr(result.error, place));
}

static void an_absurd_captured_length_is_damage(void **state)
{
	replay_write_pcap(2, false, false);
	memset(writer.bytes + 24 + 76 + 8, 0xff, 4);
	replay_save(path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(1);
	assert_int_equal(result.outcome, SOURCE_DAMAGED);
	assert_non_null(strstr(result.error, "packet 2 at offset 100: "));
}

static void a_second_interface_of_another_link_type_is_damage(void **state)
{
	writer_section(&writer, false);
	writer_interface(&writer, ETHERNET, 65535);
	writer_packet(&writer, 0, 1, replay_frame(0), 60, 60);
	writer_interface(&writer, RAW, 65535);
	writer_packet(&writer, 1, 1, replay_frame(1), 60, 60);
	replay_save(path_a);

	replay_files(path_a, NULL);

	replay_expect_packets(1);
	assert_int_equal(result.outcome, SOURCE_DAMAGED);
	assert_non_null(strstr(result.error, "packet 2 at offset 140: "));
}

static void files_behind_a_damaged_one_are_read(void **state)
{
	replay_write_pcap(2, false, false);
	writer_save(writer.bytes, writer.count - 1, path_a);
	replay_save(path_b);

	replay_files(path_a, path_b);

	assert_int_equal(result.count, 3);
	assert_int_equal(result.outcome, SOURCE_DAMAGED);
	assert_non_null(strstr(result.error, path_a));
}

static void a_later_file_is_judged_by_its_own_packets(void **state)
{
	replay_write_pcap(2, false, false);
	replay_save(path_a);
	writer_save(writer.bytes, writer.count - 1, path_b);

	replay_files(path_a, path_b);

	assert_int_equal(result.count, 3);
	assert_int_equal(result.outcome, SOURCE_DAMAGED);
	assert_non_null(strstr(result.error, path_b));
	assert_non_null(strstr(result.error, "packet 2 at offset 100: "));
}

/* -- standard input ------------------------------------------------------------------- */

/* A child writes the file in two parts; between them it waits until .resume_fd is closed. */
static pid_t write_slowly(int to_fd, size_t first_bytes, int resume_fd)
{
	pid_t child = fork();
	char nothing;

	if (child != 0)
		return child;
	if (write(to_fd, writer.bytes, first_bytes) != (ssize_t)first_bytes)
		_exit(1);
	while (read(resume_fd, &nothing, 1) > 0)
		;
	size_t rest_bytes = writer.count - first_bytes;
	_exit(write(to_fd, writer.bytes + first_bytes, rest_bytes) != (ssize_t)rest_bytes);
}

static void a_pipe_gives_what_it_has_before_it_waits(void **state)
{
	static struct packet_batch batch;
	const char *files[] = { "-" };
	struct source_config config = { .files = files, .file_count = 1 };
	struct source *source;
	int data[2], resume[2], status;
	int kept = dup(STDIN_FILENO);

	replay_write_pcap(5, false, false);
	assert_int_equal(pipe(data), 0);
	assert_int_equal(pipe(resume), 0);
	fcntl(resume[1], F_SETFD, FD_CLOEXEC);
	pid_t child = fork();
	if (child == 0) {
		close(resume[1]);
		close(data[0]);
		pid_t writer_child = write_slowly(data[1], 24 + 2 * 76, resume[0]);
		waitpid(writer_child, &status, 0);
		_exit(status != 0);
	}
	close(data[1]);
	close(resume[0]);
	dup2(data[0], STDIN_FILENO);
	close(data[0]);

	assert_int_equal(source_open(&config, &source, result.error), 0);
	assert_int_equal(source_next(source, &batch), 0);
	assert_int_equal(batch.count, 2);
	assert_false(batch.is_end);
	source_release(source, &batch);
	close(resume[1]);
	unsigned count = 2;
	do {
		assert_int_equal(source_next(source, &batch), 0);
		count += batch.count;
		source_release(source, &batch);
	} while (!batch.is_end);

	assert_int_equal(count, 5);
	source_close(source);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

static void standard_input_may_be_a_file_among_others(void **state)
{
	int kept = dup(STDIN_FILENO);

	replay_write_pcap(2, false, false);
	replay_save(path_a);
	int fd = open(path_a, O_RDONLY);
	dup2(fd, STDIN_FILENO);
	close(fd);

	replay_files(path_a, "-");

	assert_int_equal(result.open_outcome, 0);
	assert_int_equal(result.count, 4);
	dup2(kept, STDIN_FILENO);
	close(kept);
}

static void standard_input_twice_is_refused(void **state)
{
	replay_files("-", "-");

	assert_int_equal(result.open_outcome, -EINVAL);
	assert_non_null(strstr(result.error, "standard input"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pcap_is_read_in_either_order_and_unit),
		cmocka_unit_test(pcapng_is_read_in_either_order),
		cmocka_unit_test(link_types_are_those_of_the_file),
		cmocka_unit_test(a_frame_check_note_is_no_part_of_the_link_type),
		cmocka_unit_test(a_capture_without_packets_ends_at_once),
		cmocka_unit_test(captures_longer_than_a_batch_come_in_batches),
		cmocka_unit_test(large_packets_stay_valid_across_the_batch),
		cmocka_unit_test(the_snap_length_cuts_what_is_kept_not_what_was_sent),
		cmocka_unit_test(odd_lengths_are_passed_on),
		cmocka_unit_test(odd_stamps_mean_what_they_say_in_either_order),
		cmocka_unit_test(pcapng_stamps_beyond_all_clocks_are_held_at_their_end),
		cmocka_unit_test(the_filter_decides_what_is_seen),
		cmocka_unit_test(a_wrong_filter_is_named),
		cmocka_unit_test(several_files_are_one_stream),
		cmocka_unit_test(the_same_file_may_come_twice),
		cmocka_unit_test(files_of_different_link_types_are_refused_by_name),
		cmocka_unit_test(a_missing_file_anywhere_in_the_list_is_refused),
		cmocka_unit_test(what_is_no_capture_is_refused),
		cmocka_unit_test(more_files_than_descriptors_are_read),
		cmocka_unit_test(a_pcap_cut_at_any_byte_gives_every_whole_packet),
		cmocka_unit_test(a_pcapng_cut_at_any_byte_gives_every_whole_packet),
		cmocka_unit_test(a_cut_file_header_is_refused),
		cmocka_unit_test(damage_after_other_blocks_is_located_to_the_block),
		cmocka_unit_test(an_absurd_captured_length_is_damage),
		cmocka_unit_test(a_second_interface_of_another_link_type_is_damage),
		cmocka_unit_test(files_behind_a_damaged_one_are_read),
		cmocka_unit_test(a_later_file_is_judged_by_its_own_packets),
		cmocka_unit_test(a_pipe_gives_what_it_has_before_it_waits),
		cmocka_unit_test(standard_input_may_be_a_file_among_others),
		cmocka_unit_test(standard_input_twice_is_refused),
	};

	return cmocka_run_group_tests(tests, replay_make_directory, replay_remove_directory);
}
