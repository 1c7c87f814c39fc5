/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What it costs to look at a frame: the workloads' own frames, cut to 96 octets, from memory
 * that is in the caches, to metas.
 */
#include "bench.h"

#include "sensor/decode.h"
#include "traffic.h"

#define FRAMES 8192
#define ROUNDS 200
#define SNAP_BYTES 96
#define LINKTYPE_ETHERNET 1

static uint8_t bytes[FRAMES][SNAP_BYTES];
static struct packet packets[FRAMES];
static struct packet_meta metas[PACKET_BATCH_MAX];

static void make_frames(const char *workload)
{
	struct traffic_plan plan = *traffic_workload(workload);
	struct traffic_frame frame;
	struct traffic *traffic;

	plan.packets = FRAMES;
	plan.flows = plan.flows < FRAMES / 8 ? plan.flows : FRAMES / 8;
	int rc = traffic_new(&plan, &traffic);

	if (rc < 0)
		bench_fail(workload, rc);
	for (unsigned i = 0; traffic_next(traffic, &frame); i++) {
		uint32_t kept = frame.wire_bytes < SNAP_BYTES ? frame.wire_bytes : SNAP_BYTES;

		memcpy(bytes[i], frame.bytes, kept);
		packets[i] = (struct packet){
			.bytes = bytes[i],
			.captured_bytes = kept,
			.wire_bytes = frame.wire_bytes,
			.stamp_ns = frame.stamp_ns,
		};
	}
	traffic_free(traffic);
}

static void run(const char *workload)
{
	struct decoder_config config = { .link_type = LINKTYPE_ETHERNET, .hash_key = { 1, 2 } };
	struct decoder *decoder;
	char name[32];
	int rc = decoder_new(&config, &decoder);

	if (rc < 0)
		bench_fail("decoder_new", rc);
	make_frames(workload);
	uint64_t begin_ns = bench_cpu_ns();

	for (unsigned round = 0; round < ROUNDS; round++)
		for (unsigned i = 0; i < FRAMES; i++)
			if (decoder_decode(decoder, &packets[i],
				    &metas[i % PACKET_BATCH_MAX]) != DROP_NONE)
				exit(1);
	snprintf(name, sizeof(name), "decode_%s_ns", workload);
	bench_say(name, (double)(bench_cpu_ns() - begin_ns) / ROUNDS / FRAMES);
	decoder_free(decoder);
}

int main(void)
{
	for (size_t i = 0; i < traffic_workload_count; i++)
		run(traffic_workloads[i].name);
	return 0;
}
