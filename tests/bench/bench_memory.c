/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What an open flow takes of memory, all indexes included: resident memory before and after the
 * table is filled with flows that both ends have sent packets of. IPv6 flows have flow labels.
 * And the longest batch meanwhile, because the table's pages are there from the first use on.
 */
#include <unistd.h>

#include "bench.h"

#include "ring/packet.h"
#include "sensor/flow_cache.h"

#define FLOWS 4000000u
#define STAMP_GAP_NS 1000

static void ignore_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
}

static double resident_bytes(void)
{
	FILE *in = fopen("/proc/self/statm", "r");
	unsigned long total_pages, resident_pages = 0;

	if (!in || fscanf(in, "%lu %lu", &total_pages, &resident_pages) != 2)
		exit(1);
	fclose(in);
	return (double)resident_pages * (double)sysconf(_SC_PAGESIZE);
}

/* A packet of each flow; returns the longest time that a batch took. */
static uint64_t fill(
	struct flow_cache *cache, unsigned ip_version, bool is_reply, uint64_t *stamp_ns)
{
	static struct packet_meta metas[PACKET_BATCH_MAX];
	uint64_t longest_ns = 0;

	for (uint32_t done = 0; done < FLOWS; done += PACKET_BATCH_MAX) {
		for (unsigned i = 0; i < PACKET_BATCH_MAX; i++) {
			bench_fill_meta(&metas[i], ip_version, (done + i) % FLOWS, is_reply);
			metas[i].stamp_ns = *stamp_ns += STAMP_GAP_NS;
		}
		uint64_t begin_ns = bench_cpu_ns();

		flow_cache_meter(cache, metas, PACKET_BATCH_MAX);
		uint64_t spent_ns = bench_cpu_ns() - begin_ns;

		if (spent_ns > longest_ns)
			longest_ns = spent_ns;
	}
	return longest_ns;
}

/* Returns the longest batch. */
static uint64_t run(unsigned ip_version, const char *name)
{
	uint64_t stamp_ns = BENCH_START_NS;
	struct flow_cache *cache;
	struct flow_cache_config config = {
		.level = TRACK_FULL,
		.maximum_flows = FLOWS,
		.timeouts = { .general_ns = 3600 * BENCH_NS_PER_S },
		.hash_key = { 1, 2 },
		.sink = { ignore_record, NULL },
	};
	double before = resident_bytes();
	int rc = flow_cache_new(&config, &cache);

	if (rc < 0)
		bench_fail("flow_cache_new", rc);
	uint64_t first_ns = fill(cache, ip_version, false, &stamp_ns);
	uint64_t second_ns = fill(cache, ip_version, true, &stamp_ns);

	if (flow_cache_stats(cache)->active_flows != FLOWS)
		bench_fail("flows were lost", 0);
	bench_say(name, (resident_bytes() - before) / FLOWS);
	flow_cache_free(cache);
	return first_ns > second_ns ? first_ns : second_ns;
}

int main(void)
{
	uint64_t v4_ns = run(4, "memory_v4_bytes"), v6_ns = run(6, "memory_v6_bytes");

	bench_say("fill_pause_ms", (double)(v4_ns > v6_ns ? v4_ns : v6_ns) / 1e6);
	return 0;
}
