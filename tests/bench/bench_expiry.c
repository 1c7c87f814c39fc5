/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Five million flows end at the same moment while packets of others go on: how long is the
 * longest pass of a lane, and how many records leave in one. A pass is what lane.c does with a
 * batch: meter it, close what is due within a budget, and send the records as IPFIX, here to a
 * socket on loopback that nobody reads.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>

#include "bench.h"

#include "export/exporter.h"
#include "ring/packet.h"
#include "sensor/flow_cache.h"

#define ENDING_FLOWS 5000000u
#define LASTING_FLOWS 1000u
#define IDLE_NS (15 * BENCH_NS_PER_S)
#define STAMP_GAP_NS 1000
#define BUDGET_RECORDS 4096 /* EXPIRY_BUDGET of lane.c */

struct run {
	struct flow_cache *cache;
	struct exporter *exporter;
	uint64_t records, now_ns, seed;
	uint64_t passes, spent_ns, longest_ns, most_records;
};

static void take_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
	struct run *run = user;

	run->records++;
	exporter_add(run->exporter, record, now_ns);
}

/* The port of a socket that stays open, full and silent. */
static void open_collector(char port[8])
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t bytes = sizeof(at);
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&at, bytes) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &bytes) < 0)
		bench_fail("socket", -errno);
	snprintf(port, 8, "%u", ntohs(at.sin_port));
}

static void open_exporter(struct run *run)
{
	const struct exporter_config config = {
		.version = EXPORT_IPFIX,
		.time = EXPORT_TIME_MILLISECONDS,
		.fields = { .has_protocol = true, .has_ports = true, .has_vlan = true },
		.sampling_interval = 1,
		.boot_ns = BENCH_START_NS - BENCH_NS_PER_S,
		.template_refresh_s = 60,
		.flush_delay_ms = 1000,
		.message_bytes = 1400,
		.interface_name = "eth0",
		.interface_description = "",
		.process_id = 1,
	};
	char error[TRANSPORT_ERROR_BYTES], port[8];
	struct transport_config to = { .host = "127.0.0.1", .port = port, .hop_limit = -1 };
	struct transport *transport;

	open_collector(port);
	int rc = transport_udp_open(&to, &transport, error);

	if (rc == 0)
		rc = exporter_new(&config, transport, &run->exporter);
	if (rc < 0)
		bench_fail("exporter", rc);
}

static void meter_ending(struct run *run)
{
	static struct packet_meta metas[PACKET_BATCH_MAX];

	for (uint32_t done = 0; done < ENDING_FLOWS;) {
		unsigned count = 0;

		while (count < PACKET_BATCH_MAX && done < ENDING_FLOWS) {
			bench_fill_meta(&metas[count], 4, LASTING_FLOWS + done++, false);
			metas[count++].stamp_ns = run->now_ns;
		}
		flow_cache_meter(run->cache, metas, count);
	}
}

/* Returns whether nothing that is due is left. */
static bool pass(struct run *run)
{
	static struct packet_meta metas[PACKET_BATCH_MAX];
	uint64_t records = run->records;

	for (unsigned i = 0; i < PACKET_BATCH_MAX; i++) {
		uint64_t random = bench_random(&run->seed);

		bench_fill_meta(&metas[i], 4, (uint32_t)(random % LASTING_FLOWS), random >> 63);
		metas[i].stamp_ns = run->now_ns += STAMP_GAP_NS;
	}
	uint64_t begin_ns = bench_cpu_ns();

	flow_cache_meter(run->cache, metas, PACKET_BATCH_MAX);
	bool is_done = flow_cache_advance(run->cache, run->now_ns, BUDGET_RECORDS);
	if (is_done)
		exporter_advance(run->exporter, run->now_ns);
	else
		exporter_send_gathered(run->exporter);
	uint64_t spent_ns = bench_cpu_ns() - begin_ns;

	run->passes++;
	run->spent_ns += spent_ns;
	if (spent_ns > run->longest_ns)
		run->longest_ns = spent_ns;
	if (run->records - records > run->most_records)
		run->most_records = run->records - records;
	return is_done;
}

int main(void)
{
	static struct run run = { .now_ns = BENCH_START_NS };
	struct flow_cache_config config = {
		.level = TRACK_FULL,
		.maximum_flows = ENDING_FLOWS + LASTING_FLOWS,
		.timeouts = { .general_ns = IDLE_NS },
		.hash_key = { 1, 2 },
		.is_paced = true,
		.sink = { take_record, &run },
	};
	int rc = flow_cache_new(&config, &run.cache);

	if (rc < 0)
		bench_fail("flow_cache_new", rc);
	open_exporter(&run);
	meter_ending(&run);
	run.now_ns += IDLE_NS - BENCH_NS_PER_S / 10;
	while (!pass(&run) || run.records < ENDING_FLOWS)
		;
	bench_say("expiry_pass_ms", (double)run.longest_ns / 1e6);
	bench_say("expiry_pass_records", (double)run.most_records);
	bench_say("expiry_record_ns", (double)run.spent_ns / (double)run.records);
	exporter_free(run.exporter);
	flow_cache_free(run.cache);
	return 0;
}
