/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The truncation sweep: every capture named on the command line is cut at every length and read
 * to its end, and every packet in it is cut at every length and decoded. Under the sanitizers
 * this is the proof that no byte is read that is not there; packets are copied to allocations
 * of their exact size for that.
 *
 * Three things must hold besides: a shorter file never gives more packets, a packet-boundary
 * cut of a plain pcap file is no damage while any other cut is, and nothing takes for ever.
 */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring/source.h"
#include "sensor/decode.h"
#include "tests/decode_both.h"

/* Files are cut at every length up to this many octets, and at sparse ones behind it. */
#define DENSE_OCTETS 6000
#define SPARSE_STEP_OCTETS 997
#define PCAP_HEADER_OCTETS 24
#define RECORD_HEADER_OCTETS 16

/* What reading one file came to. */
struct reading {
	bool is_open;
	bool is_damaged;
	uint64_t packets;
};

struct tally {
	uint64_t files, cuts, packets, decoded;
	uint64_t by_reason[DROP_REASON_COUNT];
};

static const enum count_mode count_modes[] = { COUNT_WIRE, COUNT_FRAMES };
static const enum fragment_mode fragment_modes[] = { FRAGMENTS_FOLLOW, FRAGMENTS_SEPARATE };

static bool open_decoders(int link_type, unsigned variant, struct decode_both *both)
{
	struct decoder_config config = {
		.link_type = link_type,
		.count = count_modes[variant % 2],
		.fragments = fragment_modes[variant % 2],
		.fragment_entries = 16,
		.hash_key = { 1, 2 },
	};

	return decode_both_open(both, &config);
}

static void decode_copy(struct decode_both *both, const struct packet *packet, uint32_t length,
	struct tally *tally)
{
	struct packet_meta meta;
	struct packet cut = *packet;
	uint8_t *copy = malloc(length ? length : 1);

	if (!copy)
		abort();
	memcpy(copy, packet->bytes, length);
	cut.bytes = copy;
	cut.captured_bytes = length;
	enum drop_reason reason = decode_both(both, &cut, &meta);
	if (reason >= DROP_REASON_COUNT)
		abort();
	tally->by_reason[reason]++;
	tally->decoded++;
	free(copy);
}

/* Each packet whole and at every shorter length; the wire length stays what it was. */
static void sweep_packets(
	struct source *source, struct packet_batch *batch, struct tally *tally)
{
	struct decode_both both[2];
	bool is_open[2];

	for (unsigned variant = 0; variant < 2; variant++)
		is_open[variant] =
			open_decoders(source_link_type(source), variant, &both[variant]);

	for (unsigned place = 0; place < batch->count; place++) {
		const struct packet *packet = &batch->packets[place];
		uint32_t limit = packet->captured_bytes < 512 ? packet->captured_bytes : 512;

		tally->packets++;
		for (unsigned variant = 0; variant < 2 && is_open[variant]; variant++) {
			for (uint32_t length = 0; length <= limit; length++)
				decode_copy(&both[variant], packet, length, tally);
			decode_copy(&both[variant], packet, packet->captured_bytes, tally);
		}
	}
	decode_both_close(&both[0]);
	decode_both_close(&both[1]);
}

static struct reading read_file(const char *path, struct tally *sweep)
{
	static struct packet_batch batch;
	char error[SOURCE_ERROR_BYTES];
	struct source_config config = { .kind = "file", .files = &path, .file_count = 1 };
	struct reading reading = { 0 };
	struct source *source = NULL;

	if (source_open(&config, &source, error) < 0)
		return reading;
	reading.is_open = true;
	for (;;) {
		int outcome = source_next(source, &batch);
		if (outcome < 0)
			break;
		reading.packets += batch.count;
		reading.is_damaged = outcome == SOURCE_DAMAGED;
		if (sweep)
			sweep_packets(source, &batch, sweep);
		bool is_end = batch.is_end;
		source_release(source, &batch);
		if (is_end)
			break;
	}
	source_close(source);
	return reading;
}

/* Whole records in the first .length octets of a little-endian pcap file; *ret_is_boundary says
 * whether the cut falls between two of them. */
static uint64_t whole_records(const uint8_t *bytes, size_t length, bool *ret_is_boundary)
{
	uint64_t count = 0;
	size_t at = PCAP_HEADER_OCTETS;

	while (at + RECORD_HEADER_OCTETS <= length) {
		uint32_t captured = bytes[at + 8] | bytes[at + 9] << 8 | bytes[at + 10] << 16 |
				    (uint32_t)bytes[at + 11] << 24;
		if (captured > length - at - RECORD_HEADER_OCTETS)
			break;
		at += RECORD_HEADER_OCTETS + captured;
		count++;
	}
	*ret_is_boundary = at == length;
	return count;
}

static bool is_plain_pcap(const uint8_t *bytes, size_t length)
{
	static const uint8_t magics[][4] = { { 0xd4, 0xc3, 0xb2, 0xa1 },
		{ 0x4d, 0x3c, 0xb2, 0xa1 } };

	return length >= 4 &&
	       (memcmp(bytes, magics[0], 4) == 0 || memcmp(bytes, magics[1], 4) == 0);
}

/* 0, or 1 after saying what does not hold. */
static int judge(const char *name, const uint8_t *bytes, size_t length,
	const struct reading *whole, const struct reading *cut)
{
	bool is_boundary;

	if (cut->packets > whole->packets) {
		printf("%s: cut at %zu gives %lu packets, whole %lu\n", name, length,
			(unsigned long)cut->packets, (unsigned long)whole->packets);
		return 1;
	}
	if (!whole->is_open || whole->is_damaged || !is_plain_pcap(bytes, length))
		return 0;
	if (length < PCAP_HEADER_OCTETS) {
		if (cut->is_open)
			printf("%s: cut at %zu opens\n", name, length);
		return cut->is_open;
	}
	uint64_t records = whole_records(bytes, length, &is_boundary);
	if (cut->packets == records && cut->is_damaged == !is_boundary)
		return 0;
	printf("%s: cut at %zu gives %lu packets of %lu, %sdamaged\n", name, length,
		(unsigned long)cut->packets, (unsigned long)records,
		cut->is_damaged ? "" : "not ");
	return 1;
}

static uint8_t *load(const char *path, size_t *ret_length)
{
	struct stat facts;
	uint8_t *bytes = NULL;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || fstat(fd, &facts) < 0) {
		perror(path);
		exit(1);
	}
	bytes = malloc((size_t)facts.st_size + 1);
	if (!bytes || read(fd, bytes, (size_t)facts.st_size) != facts.st_size) {
		perror(path);
		exit(1);
	}
	close(fd);
	*ret_length = (size_t)facts.st_size;
	return bytes;
}

/* The file in .scratch gets shorter and shorter, so each cut costs one system call. */
static int sweep_file(const char *path, const char *scratch, struct tally *tally)
{
	size_t length;
	uint8_t *bytes = load(path, &length);
	struct reading whole = read_file(path, tally);
	int failed = 0;
	int fd = open(scratch, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0 || write(fd, bytes, length) != (ssize_t)length) {
		perror(scratch);
		exit(1);
	}
	tally->files++;
	while (length > 0) {
		size_t step =
			length > DENSE_OCTETS + SPARSE_STEP_OCTETS ? SPARSE_STEP_OCTETS : 1;
		length -= step;
		if (ftruncate(fd, (off_t)length) < 0) {
			perror(scratch);
			exit(1);
		}
		struct reading cut = read_file(scratch, NULL);
		failed += judge(path, bytes, length, &whole, &cut);
		tally->cuts++;
	}
	close(fd);
	free(bytes);
	return failed;
}

int main(int argc, char **argv)
{
	char scratch[] = "/tmp/ringflow-sweep-XXXXXX";
	struct tally tally = { 0 };
	int failed = 0;
	int fd = mkstemp(scratch);

	if (fd < 0 || argc < 2) {
		fprintf(stderr, "usage: sweep CAPTURE...\n");
		return 2;
	}
	close(fd);
	for (int place = 1; place < argc; place++)
		failed += sweep_file(argv[place], scratch, &tally);
	unlink(scratch);
	printf("%lu files, %lu cuts, %lu packets decoded %lu times, %d wrong\n",
		(unsigned long)tally.files, (unsigned long)tally.cuts,
		(unsigned long)tally.packets, (unsigned long)tally.decoded, failed);
	for (unsigned reason = 0; reason < DROP_REASON_COUNT; reason++) {
		if (tally.by_reason[reason])
			printf("%12lu %s\n", (unsigned long)tally.by_reason[reason],
				drop_reasons[reason].name);
	}
	return failed ? 1 : 0;
}
