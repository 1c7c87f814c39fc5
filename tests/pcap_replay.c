/* SPDX-License-Identifier: BSD-2-Clause */
/* Writes captures of marked packets, replays files, and keeps what came out. */
#include "tests/pcap_replay.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct replay result;
struct capture_writer writer;
char path_a[REPLAY_PATH_BYTES], path_b[REPLAY_PATH_BYTES];
static char directory[] = "/tmp/ringflow-test.XXXXXX";

int replay_make_directory(void **state)
{
	if (!mkdtemp(directory))
		return -1;
	snprintf(path_a, sizeof(path_a), "%s/a", directory);
	snprintf(path_b, sizeof(path_b), "%s/b", directory);
	return 0;
}

int replay_remove_directory(void **state)
{
	unlink(path_a);
	unlink(path_b);
	return rmdir(directory);
}

const uint8_t *replay_frame(uint8_t mark)
{
	static uint8_t bytes[60];

	bytes[0] = mark;
	bytes[12] = 8; /* IPv4 */
	bytes[14] = 0x45;
	bytes[23] = mark % 2 ? 17 : 6;
	return bytes;
}

void replay_write_pcap(unsigned packets, bool is_big_endian, bool is_ns)
{
	writer_pcap(&writer, is_big_endian, is_ns, 65535, ETHERNET);
	for (unsigned i = 0; i < packets; i++)
		writer_record(
			&writer, SECONDS + i, 500 + i, replay_frame((uint8_t)i), 60, 60 + i);
}

void replay_save(const char *path)
{
	writer_save(writer.bytes, writer.count, path);
}

static void note_batch(const struct packet_batch *batch)
{
	result.batches++;
	for (unsigned i = 0; i < batch->count; i++) {
		const struct packet *packet = &batch->packets[i];
		assert_true(result.count < REPLAY_PACKETS_MAX);
		result.stamps_ns[result.count] = packet->stamp_ns;
		result.captured_bytes[result.count] = packet->captured_bytes;
		result.wire_bytes[result.count] = packet->wire_bytes;
		result.marks[result.count] = packet->captured_bytes ? packet->bytes[0] : 0;
		result.count++;
	}
}

static void run_to_the_end(struct source *source)
{
	static struct packet_batch batch;
	struct ring_stats stats;

	do {
		result.outcome = source_next(source, &batch);
		note_batch(&batch);
		source_release(source, &batch);
	} while (result.outcome == 0 && !batch.is_end);
	assert_true(batch.is_end);
	result.clock_ns = batch.clock_ns;
	result.link_type = source_link_type(source);
	source_stats(source, &stats);
	result.received_pkts = stats.received_pkts;
	if (result.outcome)
		snprintf(result.error, sizeof(result.error), "%s", source_error(source));
}

void replay_with(struct source_config config)
{
	struct source *source = NULL;

	memset(&result, 0, sizeof(result));
	result.open_outcome = source_open(&config, &source, result.error);
	if (result.open_outcome)
		return;
	assert_int_equal(source_fd(source), -1);
	assert_false(source_is_live(source));
	assert_string_equal(source_name(source), "file");
	run_to_the_end(source);
	source_close(source);
}

void replay_files(const char *first, const char *second)
{
	const char *files[] = { first, second };

	replay_with((struct source_config){ .files = files, .file_count = second ? 2 : 1 });
}

void replay_expect_packets(unsigned count)
{
	assert_int_equal(result.open_outcome, 0);
	assert_int_equal(result.count, count);
	assert_int_equal(result.received_pkts, count);
	for (unsigned i = 0; i < count; i++)
		assert_int_equal(result.marks[i], (uint8_t)i);
}
