/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet costs until it lies in a batch of the source of capture files, beside libpcap's
 * own walk with its stock buffer: of a made-up capture, or of the files given. User and system
 * time.
 */
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/source.h"
#include "tests/bench/bench.h"

#define MADE_PACKETS 1000000u
#define CAPTURED_BYTES 76u
#define ROUNDS 5

/* Both give the packets that they saw. */

static uint64_t walk_source(const char *const *files, size_t count)
{
	static struct packet_batch batch;
	struct source_config config = { .kind = "file", .files = files, .file_count = count };
	char error[SOURCE_ERROR_BYTES];
	struct source *source;
	uint64_t packets = 0;
	int outcome;

	if (source_open(&config, &source, error)) {
		fprintf(stderr, "%s\n", error);
		exit(1);
	}
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

/* The median of the rounds. */
static void report(const char *name, uint64_t (*walk)(const char *const *, size_t),
	const char *const *files, size_t count)
{
	double cost_ns[ROUNDS];

	for (unsigned round = 0; round < ROUNDS; round++) {
		uint64_t begin_ns = bench_cpu_ns();
		uint64_t packets = walk(files, count);

		cost_ns[round] =
			(double)(bench_cpu_ns() - begin_ns) / (double)(packets ? packets : 1);
	}
	qsort(cost_ns, ROUNDS, sizeof(cost_ns[0]), compare);
	bench_say(name, cost_ns[ROUNDS / 2]);
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
	report("reader_libpcap_packet_ns", walk_libpcap, files, count);
	report("reader_source_packet_ns", walk_source, files, count);
	if (argc == 1)
		unlink(made);
	return 0;
}
