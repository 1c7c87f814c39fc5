/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet costs in the flow cache: `meson test -C build --benchmark flow`, or run it
 * with FLOWS and PACKETS. Packets of random flows come in batches, as a lane brings them; the
 * time to make them is left out. Nothing is asserted: the numbers are for people.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "ring/packet.h"
#include "sensor/flow_cache.h"

#define NS_PER_S 1000000000u

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static void count_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
	uint64_t *records = user;

	(*records)++;
}

/* A packet of this flow, in either direction. */
static void fill(struct packet_meta *meta, uint32_t flow, bool is_reply, uint64_t stamp_ns)
{
	uint8_t(*from)[16] = is_reply ? &meta->destination : &meta->source;
	uint8_t(*to)[16] = is_reply ? &meta->source : &meta->destination;

	*meta = (struct packet_meta){
		.stamp_ns = stamp_ns,
		.octets = 700,
		.packets = 1,
		.source_port = is_reply ? 443 : (uint16_t)flow,
		.destination_port = is_reply ? (uint16_t)flow : 443,
		.ip_version = 4,
		.protocol = 6,
		.ttl = 64,
		.tcp_flags = TCP_ACK,
	};
	memcpy(*from, &flow, sizeof(flow));
	memcpy(*to, "\xc0\x00\x02\x01", 4);
}

/* Time spent in the cache alone, over packets of random flows. */
static uint64_t meter_random(struct flow_cache *cache, uint32_t flows, uint32_t packets)
{
	static struct packet_meta metas[PACKET_BATCH_MAX];
	uint64_t seed = 1, spent_ns = 0, stamp_ns = flow_cache_clock_ns(cache) + NS_PER_S;

	for (uint32_t done = 0; done < packets; done += PACKET_BATCH_MAX) {
		for (unsigned i = 0; i < PACKET_BATCH_MAX; i++) {
			uint64_t random = next_random(&seed);

			stamp_ns += 100;
			fill(&metas[i], (uint32_t)(random % flows), random >> 63, stamp_ns);
		}
		uint64_t begin_ns = cpu_ns();

		flow_cache_meter(cache, metas, PACKET_BATCH_MAX);
		spent_ns += cpu_ns() - begin_ns;
	}
	return spent_ns;
}

static void run(uint32_t flows, uint32_t packets)
{
	uint64_t records = 0;
	struct flow_cache *cache;
	struct rusage after;
	struct flow_cache_config config = {
		.level = TRACK_FULL,
		.maximum_flows = flows,
		.timeouts = { .general_ns = 15ull * NS_PER_S,
			.tcp_ns = 15ull * NS_PER_S,
			.maximum_life_ns = 60ull * NS_PER_S },
		.hash_key = { 1, 2 },
		.sink = { count_record, &records },
	};

	if (flow_cache_new(&config, &cache) != 0)
		exit(1);
	uint64_t first_ns = meter_random(cache, flows, packets);
	uint64_t again_ns = meter_random(cache, flows, packets);
	uint64_t open_flows = flow_cache_stats(cache)->active_flows;
	uint64_t begin_ns = cpu_ns();

	flow_cache_expire_all(cache, SIZE_MAX);
	uint64_t close_ns = cpu_ns() - begin_ns;

	getrusage(RUSAGE_SELF, &after);
	printf("%8u flows: %6.1f ns a packet while they come, %6.1f ns after; %6.1f ns to "
	       "close one; peak memory %ld KiB\n",
		flows, (double)first_ns / packets, (double)again_ns / packets,
		(double)close_ns / (double)(open_flows ? open_flows : 1), after.ru_maxrss);
	flow_cache_free(cache);
}

int main(int argc, char **argv)
{
	static const uint32_t flows[] = { 100, 10000, 100000, 1000000 };
	uint32_t packets = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 3000000;

	if (argc > 1) {
		run((uint32_t)strtoul(argv[1], NULL, 10), packets);
		return 0;
	}
	for (size_t i = 0; i < sizeof(flows) / sizeof(flows[0]); i++)
		run(flows[i], packets);
	return 0;
}
