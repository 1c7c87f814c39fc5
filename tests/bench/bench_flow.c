/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet costs until its key is made and hashed, and in the flow cache as a whole, by
 * the number of open flows: to begin a flow, to find one at random, to close one. Packets come
 * in batches, as a lane brings them; the time to make them up is left out.
 */
#include "bench.h"

#include "ring/packet.h"
#include "sensor/flow_cache.h"
#include "sensor/flow_key.h"

#define HIT_PKTS 4000000
#define KEY_ROUNDS 40000
#define STAMP_GAP_NS 1000

struct run {
	struct flow_cache *cache;
	uint32_t flows;
	uint64_t records;
	uint64_t stamp_ns;
	uint64_t seed;
	struct packet_meta metas[PACKET_BATCH_MAX];
};

/* Keys and hashes of one batch, again and again. */
static void bench_key(unsigned ip_version, const char *name)
{
	static struct packet_meta metas[PACKET_BATCH_MAX];
	static struct flow_probe probes[PACKET_BATCH_MAX];
	const uint64_t key[2] = { 1, 2 };
	struct flow_keying keying;

	flow_keying_init(&keying, TRACK_FULL, key);
	for (unsigned i = 0; i < PACKET_BATCH_MAX; i++)
		bench_fill_meta(&metas[i], ip_version, i, i & 1);
	uint64_t begin_ns = bench_cpu_ns();

	for (unsigned round = 0; round < KEY_ROUNDS; round++)
		for (unsigned i = 0; i < PACKET_BATCH_MAX; i++)
			flow_key_make(&keying, &metas[i], &probes[i]);
	bench_say(name, (double)(bench_cpu_ns() - begin_ns) / KEY_ROUNDS / PACKET_BATCH_MAX);
}

static void count_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
	struct run *run = user;

	run->records++;
}

static void begin(struct run *run, uint32_t flows)
{
	struct flow_cache_config config = {
		.level = TRACK_FULL,
		.maximum_flows = flows,
		.timeouts = { .general_ns = 3600 * BENCH_NS_PER_S },
		.hash_key = { 1, 2 },
		.sink = { count_record, run },
	};

	*run = (struct run){ .flows = flows, .stamp_ns = BENCH_START_NS };
	int rc = flow_cache_new(&config, &run->cache);

	if (rc < 0)
		bench_fail("flow_cache_new", rc);
}

/* CPU time in the cache of one packet for each flow, or of packets for random ones. */
static double meter(struct run *run, uint32_t packets, bool is_random)
{
	uint64_t spent_ns = 0;

	for (uint32_t done = 0; done < packets;) {
		unsigned count = 0;

		while (count < PACKET_BATCH_MAX && done < packets) {
			struct packet_meta *meta = &run->metas[count++];
			uint64_t random = bench_random(&run->seed);
			uint32_t flow = is_random ? (uint32_t)(random % run->flows) : done;

			bench_fill_meta(meta, 4, flow, is_random && random >> 63);
			meta->stamp_ns = run->stamp_ns += STAMP_GAP_NS;
			done++;
		}
		uint64_t begin_ns = bench_cpu_ns();

		flow_cache_meter(run->cache, run->metas, count);
		spent_ns += bench_cpu_ns() - begin_ns;
	}
	return (double)spent_ns / packets;
}

static double close_all(struct run *run)
{
	uint64_t begin_ns = bench_cpu_ns();

	while (flow_cache_expire_all(run->cache, SIZE_MAX) > 0)
		;
	return (double)(bench_cpu_ns() - begin_ns) / (double)run->records;
}

static void say(const char *what, uint32_t flows, double ns)
{
	char name[64];

	snprintf(name, sizeof(name), "flow_%s_%u_ns", what, flows);
	bench_say(name, ns);
}

int main(void)
{
	static const uint32_t sizes[] = { 1000, 100000, 1000000, 4000000 };
	static struct run run;

	bench_key(4, "key_v4_ns");
	bench_key(6, "key_v6_ns");
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		begin(&run, sizes[i]);
		say("begin", sizes[i], meter(&run, sizes[i], false));
		say("find", sizes[i], meter(&run, HIT_PKTS, true));
		say("close", sizes[i], close_all(&run));
		flow_cache_free(run.cache);
	}
	return 0;
}
