/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs one source and says what it gave: a test's view into the ring room, as JSON lines.
 *
 *   ring_probe [options] [FILE ...]
 *     -k KIND     tpacket, pcap or file        -i IF       interface
 *     -f EXPR     filter                       -s BYTES    snap length
 *     -t SECONDS  run at most this long (10)   -n PACKETS  stop after so many
 *     -b BYTES    block size (1 MiB)           -c BLOCKS   block count (16)
 *     -o MS       retire timeout (50)          -N          not promiscuous
 *
 *   {"event":"ready"}            the source is open
 *   {"event":"link", ...}        a link loss or return
 *   {"event":"end", ...}         the totals; always the last line
 *
 * Datagrams of packet_gun carry numbers: numbered, missing and twice are counted from those.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ring/source.h"
#include "tests/numbered.h"

#define WAIT_MS 200
#define NS_PER_SECOND 1000000000ull
#define ETHERNET_BYTES 14u
#define ETHERTYPE_AT 12u
#define TCP_DATA_OFFSET_AT 12u
#define IP_VERSION_4 4
#define IP_PROTOCOL_AT 9u
#define PROTOCOL_TCP 6

struct totals {
	uint64_t packets;
	uint64_t wire_bytes;
	uint64_t captured_bytes;
	uint64_t tagged;
	uint64_t outgoing;
	uint64_t super_packets;
	uint64_t segments;
	uint64_t numbered;
	uint64_t twice;
	uint64_t newest_number;
	uint64_t latency_ns_max;
	uint16_t tpid, tci; /* of the last tag */
	uint32_t if_index;
	uint64_t clock_back; /* times that a packet was older than the source's idle clock */
	uint64_t idle_clock_ns;
};

struct probe {
	struct source_config config;
	unsigned seconds;
	uint64_t until;
	struct totals totals;
	struct ring_stats stats;
	uint8_t seen[NUMBERED_MAX / 8];
};

static uint64_t now_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static uint64_t segments_of(const struct packet *packet)
{
	const uint8_t *ip = packet->bytes + ETHERNET_BYTES;

	if (packet->gso != PACKET_GSO_TCP || packet->captured_bytes < 2 * 64 ||
		ip[0] >> 4 != IP_VERSION_4 || ip[IP_PROTOCOL_AT] != PROTOCOL_TCP)
		return 1;
	uint32_t ip_bytes = (ip[0] & 15u) * 4;
	uint32_t tcp_bytes = (uint32_t)(ip[ip_bytes + TCP_DATA_OFFSET_AT] >> 4) * 4;
	uint32_t payload_bytes = packet->wire_bytes - ETHERNET_BYTES - ip_bytes - tcp_bytes;
	return (payload_bytes + packet->gso_bytes - 1) / packet->gso_bytes;
}

static void note_number(struct probe *probe, const struct packet *packet)
{
	struct totals *totals = &probe->totals;
	uint64_t number;

	if (!numbered_find(packet->bytes, packet->captured_bytes, &number) ||
		number >= NUMBERED_MAX)
		return;
	totals->numbered++;
	if (probe->seen[number / 8] & 1u << number % 8)
		totals->twice++;
	probe->seen[number / 8] |= (uint8_t)(1u << number % 8);
	if (number + 1 > totals->newest_number)
		totals->newest_number = number + 1;
}

static void note_packet(struct probe *probe, const struct packet *packet, uint64_t wall_ns)
{
	struct totals *totals = &probe->totals;

	totals->packets++;
	totals->wire_bytes += packet->wire_bytes;
	totals->captured_bytes += packet->captured_bytes;
	totals->outgoing += packet->is_outgoing;
	totals->super_packets += packet->gso != PACKET_GSO_NONE;
	totals->segments += segments_of(packet);
	totals->clock_back += packet->stamp_ns < totals->idle_clock_ns;
	totals->if_index = packet->if_index;
	if (packet->vlan_tpid) {
		totals->tagged++;
		totals->tpid = packet->vlan_tpid;
		totals->tci = packet->vlan_tci;
	}
	if (wall_ns > packet->stamp_ns && wall_ns - packet->stamp_ns > totals->latency_ns_max)
		totals->latency_ns_max = wall_ns - packet->stamp_ns;
	note_number(probe, packet);
}

static void say_link(struct probe *probe, struct source *source)
{
	struct ring_stats now;

	source_stats(source, &now);
	bool is_news = now.link_losses != probe->stats.link_losses ||
		       now.link_returns != probe->stats.link_returns;
	probe->stats = now;
	if (is_news)
		printf("{\"event\":\"link\",\"losses\":%" PRIu64 ",\"returns\":%" PRIu64
		       ",\"rebinds\":%" PRIu64 ",\"text\":\"%s\"}\n",
			now.link_losses, now.link_returns, now.rebinds, source_error(source));
	fflush(stdout);
}

static void say_end(struct probe *probe, struct source *source, int outcome)
{
	const struct totals *totals = &probe->totals;
	const struct ring_stats *stats = &probe->stats;

	source_stats(source, &probe->stats);
	printf("{\"event\":\"end\",\"source\":\"%s\",\"link_type\":%d,\"outcome\":%d",
		source_name(source), source_link_type(source), outcome);
	printf(",\"packets\":%" PRIu64 ",\"wire_bytes\":%" PRIu64
	       ",\"captured_bytes\":%" PRIu64,
		totals->packets, totals->wire_bytes, totals->captured_bytes);
	printf(",\"tagged\":%" PRIu64 ",\"tpid\":%u,\"tci\":%u,\"outgoing\":%" PRIu64,
		totals->tagged, totals->tpid, totals->tci, totals->outgoing);
	printf(",\"if_index\":%u,\"super_packets\":%" PRIu64 ",\"segments\":%" PRIu64,
		totals->if_index, totals->super_packets, totals->segments);
	printf(",\"numbered\":%" PRIu64 ",\"twice\":%" PRIu64 ",\"missing\":%" PRIu64,
		totals->numbered, totals->twice,
		totals->newest_number - (totals->numbered - totals->twice));
	printf(",\"latency_ms\":%.3f,\"clock_back\":%" PRIu64,
		(double)totals->latency_ns_max / 1e6, totals->clock_back);
	printf(",\"received\":%" PRIu64 ",\"dropped\":%" PRIu64
	       ",\"interface_dropped\":%" PRIu64,
		stats->received_pkts, stats->dropped_pkts, stats->interface_dropped_pkts);
	printf(",\"freezes\":%" PRIu64 ",\"duplicates\":%" PRIu64 ",\"losses\":%" PRIu64,
		stats->freezes, stats->duplicate_pkts, stats->link_losses);
	printf(",\"returns\":%" PRIu64 ",\"rebinds\":%" PRIu64 ",\"text\":\"%s\"}\n",
		stats->link_returns, stats->rebinds, source_error(source));
}

static void wait_for_packets(struct source *source)
{
	struct pollfd wait = { .fd = source_fd(source), .events = POLLIN };

	poll(&wait, 1, WAIT_MS);
}

/* One pass of a lane. */
static int pass(struct probe *probe, struct source *source, struct packet_batch *batch)
{
	int outcome = source_next(source, batch);
	unsigned count = batch->count;
	uint64_t wall_ns = now_ns(CLOCK_REALTIME);

	for (unsigned i = 0; i < count; i++)
		note_packet(probe, &batch->packets[i], wall_ns);
	if (count == 0)
		probe->totals.idle_clock_ns = batch->clock_ns;
	source_release(source, batch);
	if (count == 0 && source_is_live(source)) {
		say_link(probe, source);
		wait_for_packets(source);
	}
	return outcome;
}

static int run(struct probe *probe, struct source *source)
{
	static struct packet_batch batch;
	uint64_t end_ns = now_ns(CLOCK_MONOTONIC) + probe->seconds * NS_PER_SECOND;
	int outcome = 0;

	printf("{\"event\":\"ready\"}\n");
	fflush(stdout);
	do {
		outcome = pass(probe, source, &batch);
	} while (outcome == 0 && !batch.is_end && now_ns(CLOCK_MONOTONIC) < end_ns &&
		 (!probe->until || probe->totals.packets < probe->until));
	return outcome;
}

static int read_options(struct probe *probe, int argc, char **argv)
{
	struct source_config *config = &probe->config;
	int option;

	while ((option = getopt(argc, argv, "k:i:f:s:t:n:b:c:o:N")) != -1) {
		switch (option) {
		case 'k':
			config->kind = optarg;
			break;
		case 'i':
			config->interface = optarg;
			break;
		case 'f':
			config->filter = optarg;
			break;
		case 's':
			config->snap_bytes = (uint32_t)atoi(optarg);
			break;
		case 't':
			probe->seconds = (unsigned)atoi(optarg);
			break;
		case 'n':
			probe->until = (uint64_t)atoll(optarg);
			break;
		case 'b':
			config->block_bytes = (uint32_t)atoi(optarg);
			break;
		case 'c':
			config->block_count = (uint32_t)atoi(optarg);
			break;
		case 'o':
			config->retire_timeout_ms = (uint32_t)atoi(optarg);
			break;
		case 'N':
			config->is_promiscuous = false;
			break;
		default:
			return -1;
		}
	}
	config->files = (const char *const *)(argv + optind);
	config->file_count = (size_t)(argc - optind);
	return 0;
}

int main(int argc, char **argv)
{
	static struct probe probe = {
		.config = {
			.block_bytes = 1 << 20,
			.block_count = 16,
			.retire_timeout_ms = 50,
			.is_promiscuous = true,
		},
		.seconds = 10,
	};
	char error[SOURCE_ERROR_BYTES];
	struct source *source;

	if (read_options(&probe, argc, argv))
		return 2;
	if (source_open(&probe.config, &source, error)) {
		fprintf(stderr, "ring_probe: %s\n", error);
		return 1;
	}
	int outcome = run(&probe, source);
	say_end(&probe, source, outcome);
	source_close(source);
	return 0;
}
