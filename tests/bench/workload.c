/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes one of the workloads as a capture file, and beside it FILE.meta with the totals that
 * an exporter must report of it: `bench_workload W1 w1.pcap`. The same arguments give the same
 * bytes. Frames are cut to 96 octets, as a snap length would; --whole keeps them for sending.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "traffic.h"

#define SNAP_BYTES 96
#define NS_PER_S 1000000000u
#define BUFFER_BYTES (4u << 20)

struct pcap_header {
	uint32_t magic;
	uint16_t major, minor;
	uint32_t zone, accuracy, snap_bytes, link_type;
};

struct pcap_record {
	uint32_t seconds, fraction, captured_bytes, wire_bytes;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_workload: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void usage(void)
{
	fprintf(stderr,
		"usage: bench_workload [--packets N] [--flows N] [--seed N] [--whole] "
		"WORKLOAD FILE\nFILE - is standard output, without a .meta. Workloads:");
	for (size_t i = 0; i < traffic_workload_count; i++)
		fprintf(stderr, " %s (%s)", traffic_workloads[i].name,
			traffic_workloads[i].title);
	fprintf(stderr, "\n");
	exit(2);
}

static uint32_t number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*text == '\0' || *end != '\0' || value == 0 || value >= UINT32_MAX)
		usage();
	return (uint32_t)value;
}

static void write_frames(struct traffic *traffic, bool is_ns, uint32_t snap_bytes, FILE *out)
{
	struct pcap_header header = { is_ns ? 0xa1b23c4d : 0xa1b2c3d4, 2, 4, 0, 0, snap_bytes,
		1 };
	struct traffic_frame frame;

	fwrite_unlocked(&header, sizeof(header), 1, out);
	while (traffic_next(traffic, &frame)) {
		uint32_t fraction_ns = (uint32_t)(frame.stamp_ns % NS_PER_S);
		struct pcap_record record = {
			.seconds = (uint32_t)(frame.stamp_ns / NS_PER_S),
			.fraction = is_ns ? fraction_ns : fraction_ns / 1000,
			.captured_bytes =
				frame.wire_bytes < snap_bytes ? frame.wire_bytes : snap_bytes,
			.wire_bytes = frame.wire_bytes,
		};

		fwrite_unlocked(&record, sizeof(record), 1, out);
		fwrite_unlocked(frame.bytes, record.captured_bytes, 1, out);
	}
}

static void write_meta(const struct traffic *traffic, const char *path)
{
	struct traffic_totals totals;
	char name[4096];

	snprintf(name, sizeof(name), "%s.meta", path);
	FILE *out = fopen(name, "w");

	if (!out)
		fail(name);
	traffic_totals(traffic, &totals);
	fprintf(out,
		"packets=%" PRIu64 "\nip_bytes=%" PRIu64 "\npadded_bytes=%" PRIu64
		"\ntwo_way_flows=%" PRIu64 "\none_way_flows=%" PRIu64 "\n",
		totals.packets, totals.ip_bytes, totals.padded_bytes, totals.two_way_flows,
		totals.one_way_flows);
	if (fclose(out) != 0)
		fail(name);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "packets", required_argument, NULL, 'p' },
		{ "flows", required_argument, NULL, 'f' },
		{ "seed", required_argument, NULL, 's' },
		{ "whole", no_argument, NULL, 'w' },
		{ 0 },
	};
	uint32_t packets = 0, flows = 0, seed = 1, snap_bytes = SNAP_BYTES;

	for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;)
		switch (option) {
		case 'p':
			packets = number(optarg);
			break;
		case 'f':
			flows = number(optarg);
			break;
		case 's':
			seed = number(optarg);
			break;
		case 'w':
			snap_bytes = TRAFFIC_FRAME_BYTES_MAX;
			break;
		default:
			usage();
		}
	if (argc - optind != 2 || !traffic_workload(argv[optind]))
		usage();
	struct traffic_plan plan = *traffic_workload(argv[optind]);
	const char *path = argv[optind + 1];
	bool is_stream = strcmp(path, "-") == 0;
	struct traffic *traffic;

	plan.packets = packets ? packets : plan.packets;
	plan.flows = flows ? flows : plan.flows;
	plan.seed = seed;
	errno = -traffic_new(&plan, &traffic);
	if (errno)
		fail(plan.name);
	FILE *out = is_stream ? stdout : fopen(path, "w");
	if (!out)
		fail(path);
	setvbuf(out, NULL, _IOFBF, BUFFER_BYTES);
	write_frames(traffic, plan.is_ns, snap_bytes, out);
	if (ferror(out) || fclose(out) != 0)
		fail(path);
	if (!is_stream)
		write_meta(traffic, path);
	traffic_free(traffic);
	return 0;
}
