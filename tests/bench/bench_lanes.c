/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two lanes against one where the sender is not the limit: each lane reads genuine ring blocks
 * in memory, which are full again as soon as it hands them back. All else is the real line:
 * walk, decode, table, clock.
 *
 * The frames are dealt out to the rings by sensor/steer.h, as the kernel's program would. Both
 * runs meter the same frames as often; they take turns, and the ratio is the median of those of
 * the turns. Rates are by the clock on the wall, so that two lanes need two CPUs that have
 * nothing else to do; the rates by CPU time, beside them, do not. What two CPUs of this machine
 * give for work that shares nothing, measured in the same turns, is the most that there is.
 */
#include <errno.h>
#include <linux/if_packet.h>

#include "bench.h"

#include "ring/ring_walk.h"
#include "ring/source_table.h"
#include "sensor/lanes.h"
#include "sensor/loop.h"
#include "sensor/process.h"
#include "sensor/steer.h"
#include "tests/fake_ring.h"
#include "traffic.h"
#include "two_cpus.h"

#define LANES_MAX 2
#define RUNS 7
#define ROUNDS 16
#define BLOCK_BYTES (1u << 20)
#define CAPTURED_BYTES 96u
#define FRAME_ROOM_BYTES 224u /* of one frame in a block, its headers included */
#define LINKTYPE_ETHERNET 1
#define MEMORY_LINE_BYTES 128

static const struct traffic_plan plan = {
	.name = "lanes",
	.title = "both directions of many flows, nearly all frames of their own flow",
	.shape = TRAFFIC_UNIFORM,
	.packets = 600000,
	.flows = 100000,
	.seed = 6,
};

static const struct lane_keys keys = { .steering = { 0x243f6a8885a308d3, 0x13198a2e03707344 } };

struct memory_source {
	_Alignas(MEMORY_LINE_BYTES) struct fake_ring ring;
	struct ring_walk walk;
	uint64_t packets; /* in the ring */
	uint64_t left;    /* to hand over */
	uint64_t start_ns, end_ns, start_cpu_ns, end_cpu_ns;
};

/* -- the source ----------------------------------------------------------------------- */

static int memory_next(void *state, struct packet_batch *batch)
{
	struct memory_source *memory = state;

	if (memory->start_ns == 0) {
		memory->start_ns = loop_now_ns();
		memory->start_cpu_ns = bench_cpu_ns();
	}
	ring_walk_fill(&memory->walk, batch);
	if (batch->count > memory->left)
		batch->count = (unsigned)memory->left;
	memory->left -= batch->count;
	batch->clock_ns = memory->walk.newest_ns;
	batch->is_end = memory->left == 0;
	if (batch->is_end) {
		memory->end_ns = loop_now_ns();
		memory->end_cpu_ns = bench_cpu_ns();
	}
	return 0;
}

/* The kernel has filled a block again before anybody looks. */
static void memory_release(void *state, struct packet_batch *batch)
{
	struct memory_source *memory = state;
	struct ring_walk *walk = &memory->walk;
	uint32_t held = walk->held_blocks;
	uint32_t first = (walk->head_block + walk->block_count - held) % walk->block_count;

	(void)batch;
	ring_walk_release(walk);
	for (uint32_t i = 0; i < held; i++)
		__atomic_store_n(
			&fake_ring_block(&memory->ring, (first + i) % walk->block_count)
				 ->hdr.bh1.block_status,
			TP_STATUS_USER, __ATOMIC_RELEASE);
}

static void memory_stats(void *state, struct ring_stats *ret_stats)
{
	(void)state;
	(void)ret_stats;
}

static void memory_close(void *state)
{
	(void)state;
}

static const char *memory_error(void *state)
{
	(void)state;
	return "";
}

static const struct source_ops memory_ops = {
	.next = memory_next,
	.release = memory_release,
	.stats = memory_stats,
	.close = memory_close,
	.error = memory_error,
};

static const struct source_kind memory_kind = {
	.name = "memory",
	.ops = &memory_ops,
	.is_live = true,
};

static struct source *open_memory(struct memory_source *memory)
{
	struct source *source = calloc(1, sizeof(*source));

	if (!source)
		bench_fail("source", -ENOMEM);
	ring_walk_init(&memory->walk, memory->ring.memory, memory->ring.block_bytes,
		memory->ring.block_count, false);
	memory->left = memory->packets * ROUNDS;
	memory->start_ns = 0;
	*source = (struct source){ &memory_kind, memory, LINKTYPE_ETHERNET };
	return source;
}

/* -- filling -------------------------------------------------------------------------- */

static unsigned deal(struct decoder *decoder, const struct traffic_frame *frame, unsigned lanes)
{
	struct packet packet = {
		.bytes = frame->bytes,
		.captured_bytes = frame->wire_bytes,
		.wire_bytes = frame->wire_bytes,
	};
	struct packet_meta meta;

	if (lanes == 1 || decoder_decode(decoder, &packet, &meta) != DROP_NONE)
		return 0;
	return steer_lane(keys.steering, &meta, lanes);
}

static void fill(struct memory_source *memories, unsigned lanes)
{
	struct decoder_config config = { .link_type = LINKTYPE_ETHERNET };
	uint32_t blocks = plan.packets / (BLOCK_BYTES / FRAME_ROOM_BYTES) + 2;
	struct decoder *decoder;
	struct traffic *traffic;
	struct traffic_frame frame;

	for (unsigned i = 0; i < lanes; i++)
		fake_ring_open(&memories[i].ring, BLOCK_BYTES, blocks);
	if (traffic_new(&plan, &traffic) < 0 || decoder_new(&config, &decoder) < 0)
		bench_fail("traffic", -ENOMEM);
	while (traffic_next(traffic, &frame)) {
		struct memory_source *memory = &memories[deal(decoder, &frame, lanes)];
		struct fake_frame put = {
			.bytes = frame.bytes,
			.captured_bytes = frame.wire_bytes < CAPTURED_BYTES ? frame.wire_bytes
									    : CAPTURED_BYTES,
			.wire_bytes = frame.wire_bytes,
			.stamp_ns = frame.stamp_ns,
		};
		if (!fake_ring_put(&memory->ring, &put))
			bench_fail("ring", -ENOSPC);
		memory->packets++;
	}
	for (unsigned i = 0; i < lanes; i++) {
		fake_ring_retire(&memories[i].ring);
		memories[i].ring.block_count = memories[i].ring.current;
	}
	decoder_free(decoder);
	traffic_free(traffic);
}

/* -- running -------------------------------------------------------------------------- */

struct rates {
	double by_wall, by_cpu; /* packets a second */
};

static struct lane *make_lane(struct memory_source *memory, const struct config *config,
	const struct own_export *own, unsigned number, unsigned lanes, const int *cpus)
{
	struct lane_config lane_config = {
		.config = config,
		.own = own,
		.keys = &keys,
		.source = open_memory(memory),
		.number = number,
		.count = lanes,
		.cpu = lanes > 1 ? cpus[number] : -1,
		.maximum_flows = config->maximum_flows,
		.notice_fd = -1,
	};
	char error[CONFIG_ERROR_BYTES];
	struct lane *lane;
	int rc = lane_new(&lane_config, &lane, error);

	if (rc < 0)
		bench_fail(error, rc);
	return lane;
}

static struct rates run(struct memory_source *memories, unsigned lanes,
	const struct config *config, const int *cpus)
{
	struct own_export own = { 0 };
	struct lane *made[LANES_MAX];
	uint64_t start_ns = UINT64_MAX, end_ns = 0;
	struct rates rates = { 0 };

	for (unsigned i = 0; i < lanes; i++)
		made[i] = make_lane(&memories[i], config, &own, i, lanes, cpus);
	for (unsigned i = 0; i < lanes; i++)
		if (lane_start(made[i]) < 0)
			bench_fail("lane_start", -EAGAIN);
	for (unsigned i = 0; i < lanes; i++) {
		const struct memory_source *memory = &memories[i];
		uint64_t packets = memory->packets * ROUNDS;
		struct sensor_stats stats;

		lane_join(made[i]);
		lane_stats(made[i], &stats);
		if (stats.metered_frames != packets)
			bench_fail("not all packets were metered", -EBADMSG);
		start_ns = memory->start_ns < start_ns ? memory->start_ns : start_ns;
		end_ns = memory->end_ns > end_ns ? memory->end_ns : end_ns;
		rates.by_cpu += (double)packets * BENCH_NS_PER_S /
				(double)(memory->end_cpu_ns - memory->start_cpu_ns);
		lane_free(made[i]);
	}
	rates.by_wall =
		(double)plan.packets * ROUNDS * BENCH_NS_PER_S / (double)(end_ns - start_ns);
	return rates;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values)
{
	qsort(values, RUNS, sizeof(*values), compare);
	return values[RUNS / 2];
}

int main(void)
{
	static struct memory_source one[1], two[LANES_MAX];
	struct config config = {
		.level = TRACK_FULL,
		.track_v6 = true,
		.maximum_flows = 1u << 18,
		.sampling_interval = 1,
		.timeouts = { .general_ns = 3600 * BENCH_NS_PER_S },
	};
	double wall[LANES_MAX][RUNS], cpu[LANES_MAX][RUNS];
	double wall_ratio[RUNS], cpu_ratio[RUNS], machine_ratio[RUNS];
	int cpus[LANES_MAX];

	if (process_usable_cpus(cpus, LANES_MAX) < LANES_MAX) {
		fprintf(stderr, "two lanes need two CPUs\n");
		return 77;
	}
	fill(one, 1);
	fill(two, LANES_MAX);
	for (unsigned i = 0; i < RUNS; i++) {
		struct rates alone = run(one, 1, &config, cpus);
		struct rates both = run(two, LANES_MAX, &config, cpus);

		wall[0][i] = alone.by_wall;
		cpu[0][i] = alone.by_cpu;
		wall[1][i] = both.by_wall;
		cpu[1][i] = both.by_cpu;
		wall_ratio[i] = both.by_wall / alone.by_wall;
		cpu_ratio[i] = both.by_cpu / alone.by_cpu;
		struct two_cpus machine = two_cpus_measure(cpus);
		machine_ratio[i] = machine.both / machine.one;
	}
	bench_say("lanes_1_pkts_s", median(wall[0]));
	bench_say("lanes_2_pkts_s", median(wall[1]));
	bench_say("lanes_ratio", median(wall_ratio));
	bench_say("lanes_machine_ratio", median(machine_ratio));
	bench_say("lanes_1_pkts_cpu_s", median(cpu[0]));
	bench_say("lanes_2_pkts_cpu_s", median(cpu[1]));
	bench_say("lanes_cpu_ratio", median(cpu_ratio));
	return 0;
}
