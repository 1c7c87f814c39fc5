/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The longest pass of a lane when very many flows of an interface end at once, and the pace at
 * which their records leave over a real socket. A pass is what a lane does between two looks at
 * its source, in CPU time, so that its waiting does not count.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench.h"

#include "ring/source_table.h"
#include "sensor/lanes.h"
#include "sensor/loop.h"

#define FLOWS 5000000u
#define EXPORT_RATE 500000u
#define WATCHED_RECORDS (2 * EXPORT_RATE)
#define IDLE_NS (15 * BENCH_NS_PER_S)
#define FRAME_BYTES 42u
#define LINKTYPE_ETHERNET 1

struct flood {
	uint8_t frames[PACKET_BATCH_MAX][FRAME_BYTES];
	uint32_t sent;
	uint64_t records; /* that left, as the lane said last */
	uint64_t pass_cpu_ns, pass_cpu_ns_max;
	uint64_t begin_ns, end_ns; /* of the watched part */
	struct lane *lane;
};

/* Ethernet, IPv4, UDP; every flow has a source address of its own. */
static void write_frame(uint8_t *frame, uint32_t flow)
{
	static const uint8_t model[FRAME_BYTES] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0,
		0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 0, 192, 0, 2, 1, 0x13, 0x88,
		0, 53, 0, 8, 0, 0 };

	memcpy(frame, model, sizeof(model));
	frame[27] = (uint8_t)(flow >> 16);
	frame[28] = (uint8_t)(flow >> 8);
	frame[29] = (uint8_t)flow;
}

static void send_batch(struct flood *flood, struct packet_batch *batch)
{
	while (batch->count < PACKET_BATCH_MAX && flood->sent < FLOWS) {
		uint8_t *frame = flood->frames[batch->count];

		write_frame(frame, flood->sent++);
		batch->packets[batch->count++] = (struct packet){
			.bytes = frame,
			.captured_bytes = FRAME_BYTES,
			.wire_bytes = FRAME_BYTES,
			.stamp_ns = BENCH_START_NS,
		};
	}
	batch->clock_ns = BENCH_START_NS;
}

/* All flows are due from one pass to the next. */
static int flood_next(void *state, struct packet_batch *batch)
{
	struct flood *flood = state;
	uint64_t cpu_ns = bench_cpu_ns();
	bool is_watching = flood->begin_ns > 0;

	if (is_watching && cpu_ns - flood->pass_cpu_ns > flood->pass_cpu_ns_max)
		flood->pass_cpu_ns_max = cpu_ns - flood->pass_cpu_ns;
	flood->pass_cpu_ns = cpu_ns;
	if (flood->sent < FLOWS) {
		send_batch(flood, batch);
		return 0;
	}
	if (!is_watching)
		flood->begin_ns = loop_now_ns();
	batch->clock_ns = BENCH_START_NS + IDLE_NS;
	struct sensor_stats stats;
	lane_stats(flood->lane, &stats);
	flood->records = stats.cache.expired_flows;
	batch->is_end = flood->records >= WATCHED_RECORDS;
	if (batch->is_end)
		flood->end_ns = loop_now_ns();
	return 0;
}

static void flood_release(void *state, struct packet_batch *batch)
{
	(void)state;
	(void)batch;
}

static void flood_stats(void *state, struct ring_stats *ret_stats)
{
	(void)state;
	(void)ret_stats;
}

static void flood_close(void *state)
{
	(void)state;
}

static const char *flood_error(void *state)
{
	(void)state;
	return "";
}

static const struct source_ops flood_ops = {
	.next = flood_next,
	.release = flood_release,
	.stats = flood_stats,
	.close = flood_close,
	.error = flood_error,
};

static const struct source_kind flood_kind = { "flood", &flood_ops, true };

/* A socket that takes what comes and is never read. */
static struct transport *open_collector(int *ret_fd)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t address_bytes = sizeof(address);
	char error[TRANSPORT_ERROR_BYTES], port[8];
	struct transport *transport;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) ||
		getsockname(fd, (struct sockaddr *)&address, &address_bytes))
		bench_fail("collector", -errno);
	snprintf(port, sizeof(port), "%u", ntohs(address.sin_port));
	struct transport_config config = { .host = "127.0.0.1", .port = port, .hop_limit = -1 };
	int rc = transport_udp_open(&config, &transport, error);
	if (rc < 0)
		bench_fail(error, rc);
	*ret_fd = fd;
	return transport;
}

int main(void)
{
	static struct flood flood;
	static const struct lane_keys keys;
	const struct own_export own = { 0 };
	const struct config config = {
		.level = TRACK_FULL,
		.sampling_interval = 1,
		.timeouts = { .general_ns = IDLE_NS },
		.version = EXPORT_IPFIX,
		.time = EXPORT_TIME_MILLISECONDS,
		.message_bytes = 1400,
		.template_refresh_s = 600,
		.flush_delay_ms = 1000,
		.export_rate = EXPORT_RATE,
	};
	struct source *source = calloc(1, sizeof(*source));
	char error[CONFIG_ERROR_BYTES];
	int fd;
	struct transport *transport = open_collector(&fd);

	if (!source)
		bench_fail("source", -ENOMEM);
	*source = (struct source){ &flood_kind, &flood, LINKTYPE_ETHERNET };
	struct lane_config lane_config = {
		.config = &config,
		.own = &own,
		.keys = &keys,
		.source = source,
		.transports = &transport,
		.transport_count = 1,
		.count = 1,
		.cpu = -1,
		.maximum_flows = 2 * FLOWS,
		.notice_fd = -1,
	};
	int rc = lane_new(&lane_config, &flood.lane, error);

	if (rc < 0)
		bench_fail(error, rc);
	rc = lane_start(flood.lane);
	if (rc < 0)
		bench_fail("lane_start", rc);
	lane_join(flood.lane);
	bench_say("pass_ms_max", (double)flood.pass_cpu_ns_max / 1e6);
	bench_say("pass_records_s", (double)flood.records * BENCH_NS_PER_S /
					    (double)(flood.end_ns - flood.begin_ns));
	lane_free(flood.lane);
	close(fd);
	return 0;
}
