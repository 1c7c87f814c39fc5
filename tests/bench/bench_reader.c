/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet costs until it lies in a batch of the source of capture files, beside libpcap's
 * own walk with its stock buffer: of a made-up capture, or of the files given. And the same
 * when a second thread reads ahead. User and system time of all threads, and time that passed.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/replay_share.h"
#include "ring/source.h"
#include "tests/bench/bench.h"

#define MADE_PACKETS 1000000u
#define CAPTURED_BYTES 76u
#define ROUNDS 5

/* Each walk gives the packets that it saw. */

static struct source *open_source(const char *const *files, size_t count)
{
	struct source_config config = { .kind = "file", .files = files, .file_count = count };
	char error[SOURCE_ERROR_BYTES];
	struct source *source;

	if (source_open(&config, &source, error)) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
	return source;
}

/* Closes the source. */
static uint64_t walk_to_the_end(struct source *source)
{
	static struct packet_batch batch;
	uint64_t packets = 0;
	int outcome;

	do {
		outcome = source_next(source, &batch);
		packets += batch.count;
		source_release(source, &batch);
	} while (outcome == 0 && !batch.is_end);
	if (outcome)
		fprintf(stderr, "%s\n", source_error(source));
	source_close(source);
	return packets;
}

static uint64_t walk_source(const char *const *files, size_t count)
{
	return walk_to_the_end(open_source(files, count));
}

static uint64_t walk_ahead(const char *const *files, size_t count)
{
	struct source *handle;

	int outcome = replay_share_open(open_source(files, count), 1, &handle);
	if (outcome)
		bench_fail("reading ahead", outcome);
	return walk_to_the_end(handle);
}

static uint64_t walk_libpcap(const char *const *files, size_t count)
{
	uint64_t packets = 0;

	for (size_t i = 0; i < count; i++) {
		char error[PCAP_ERRBUF_SIZE];
		struct pcap_pkthdr *header;
		const u_char *bytes;
		pcap_t *pcap = pcap_open_offline(files[i], error);

		if (!pcap) {
			fprintf(stderr, "%s\n", error);
			exit(1);
		}
		while (pcap_next_ex(pcap, &header, &bytes) == 1)
			packets++;
		pcap_close(pcap);
	}
	return packets;
}

static int compare(const void *left, const void *right)
{
	double l = *(const double *)left, r = *(const double *)right;

	return (l > r) - (l < r);
}

static double median(double values[static ROUNDS])
{
	qsort(values, ROUNDS, sizeof(values[0]), compare);
	return values[ROUNDS / 2];
}

static double clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec * BENCH_NS_PER_S + (double)now.tv_nsec;
}

/* Medians of the rounds. */
static void report(const char *cpu_name, const char *wall_name,
	uint64_t (*walk)(const char *const *, size_t), const char *const *files, size_t count)
{
	double cpu_ns[ROUNDS], wall_ns[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		double begin_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
		double begin_wall_ns = clock_ns(CLOCK_MONOTONIC);
		uint64_t walked = walk(files, count);
		double packets = walked ? (double)walked : 1;

		cpu_ns[round] = (clock_ns(CLOCK_PROCESS_CPUTIME_ID) - begin_cpu_ns) / packets;
		wall_ns[round] = (clock_ns(CLOCK_MONOTONIC) - begin_wall_ns) / packets;
	}
	bench_say(cpu_name, median(cpu_ns));
	bench_say(wall_name, median(wall_ns));
}

static void write_capture(int fd)
{
	static const struct {
		uint32_t magic;
		uint16_t version[2];
		uint32_t zone, accuracy, snap_bytes, link_type;
	} header = { 0xa1b2c3d4, { 2, 4 }, 0, 0, 65535, 1 };
	struct {
		uint32_t seconds, fraction, captured_bytes, wire_bytes;
		uint8_t bytes[CAPTURED_BYTES];
	} record = { 0, 0, CAPTURED_BYTES, CAPTURED_BYTES, { 0 } };
	FILE *file = fdopen(fd, "wb");

	if (!file || fwrite(&header, sizeof(header), 1, file) != 1)
		exit(1);
	for (uint32_t i = 0; i < MADE_PACKETS; i++) {
		record.seconds = i / 1000000;
		record.fraction = i % 1000000;
		memcpy(record.bytes, &i, sizeof(i));
		if (fwrite(&record, sizeof(record), 1, file) != 1)
			exit(1);
	}
	fclose(file);
}

int main(int argc, char **argv)
{
	char made[] = "/tmp/ringflow-bench.XXXXXX";
	const char *const made_files[] = { made };
	const char *const *files = argc > 1 ? (const char *const *)argv + 1 : made_files;
	size_t count = argc > 1 ? (size_t)argc - 1 : 1;

	if (argc == 1)
		write_capture(mkstemp(made));
	report("reader_libpcap_packet_ns", "reader_libpcap_wall_ns", walk_libpcap, files,
		count);
	report("reader_source_packet_ns", "reader_source_wall_ns", walk_source, files, count);
	report("reader_ahead_packet_ns", "reader_ahead_wall_ns", walk_ahead, files, count);
	if (argc == 1)
		unlink(made);
	return 0;
}
