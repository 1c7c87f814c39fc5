/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The least that a reader of a TPACKET_V3 ring can do: look at each packet's header, add up its
 * length and read one octet of it. What this costs is what live capture is measured against.
 *
 *   bare_reader -i IF [-s SNAP_BYTES] [-t SECONDS]
 *
 * Says {"event": "ready"} when frames arrive, and the totals at SIGTERM or after SECONDS.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <linux/filter.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES (1u << 20)
#define BLOCK_COUNT 64u
#define FRAME_BYTES 2048u
#define RETIRE_TIMEOUT_MS 10u
#define WAIT_MS 50
#define PROTOCOL_AT 23u /* in an Ethernet frame with IPv4: any octet of the packet will do */

struct reader {
	const char *interface;
	uint32_t snap_bytes;
	unsigned seconds;
	int fd;
	uint8_t *ring;
	uint64_t packets, octets, protocols;
};

static volatile sig_atomic_t is_told_to_end;

static void tell_to_end(int signal_number)
{
	(void)signal_number;
	is_told_to_end = 1;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void open_ring(struct reader *reader)
{
	int version = TPACKET_V3;
	struct sock_filter keep = BPF_STMT(BPF_RET | BPF_K, reader->snap_bytes);
	struct sock_fprog program = { .len = 1, .filter = &keep };
	struct tpacket_req3 request = {
		.tp_block_size = BLOCK_BYTES,
		.tp_block_nr = BLOCK_COUNT,
		.tp_frame_size = FRAME_BYTES,
		.tp_frame_nr = BLOCK_BYTES / FRAME_BYTES * BLOCK_COUNT,
		.tp_retire_blk_tov = RETIRE_TIMEOUT_MS,
	};
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(reader->interface),
	};

	reader->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (reader->fd < 0)
		fail("bare_reader: socket");
	if (setsockopt(reader->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
		setsockopt(reader->fd, SOL_PACKET, PACKET_RX_RING, &request, sizeof(request)))
		fail("bare_reader: ring");
	if (reader->snap_bytes &&
		setsockopt(reader->fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		fail("bare_reader: filter");
	reader->ring = mmap(NULL, (size_t)BLOCK_BYTES * BLOCK_COUNT, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_POPULATE, reader->fd, 0);
	if (reader->ring == MAP_FAILED)
		fail("bare_reader: mmap");
	if (!address.sll_ifindex ||
		bind(reader->fd, (struct sockaddr *)&address, sizeof(address)))
		fail("bare_reader: bind");
}

static void read_block(struct reader *reader, const struct tpacket_block_desc *block)
{
	const uint8_t *at = (const uint8_t *)block + block->hdr.bh1.offset_to_first_pkt;

	for (uint32_t i = 0; i < block->hdr.bh1.num_pkts; i++) {
		const struct tpacket3_hdr *header = (const struct tpacket3_hdr *)at;

		reader->packets++;
		reader->octets += header->tp_len;
		reader->protocols += at[header->tp_mac + PROTOCOL_AT];
		at += header->tp_next_offset;
	}
}

static void run(struct reader *reader)
{
	struct pollfd wait = { .fd = reader->fd, .events = POLLIN | POLLERR };
	uint32_t index = 0;

	while (!is_told_to_end) {
		struct tpacket_block_desc *block =
			(struct tpacket_block_desc *)(reader->ring +
						      (size_t)index * BLOCK_BYTES);
		uint32_t *status = &block->hdr.bh1.block_status;

		if (!(__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER)) {
			poll(&wait, 1, WAIT_MS);
			continue;
		}
		read_block(reader, block);
		__atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
		index = (index + 1) % BLOCK_COUNT;
	}
}

static int read_options(struct reader *reader, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "i:s:t:")) != -1) {
		switch (option) {
		case 'i':
			reader->interface = optarg;
			break;
		case 's':
			reader->snap_bytes = (uint32_t)strtoul(optarg, NULL, 0);
			break;
		case 't':
			reader->seconds = (unsigned)strtoul(optarg, NULL, 0);
			break;
		default:
			return -1;
		}
	}
	return reader->interface ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct reader reader = { .seconds = 120 };
	struct sigaction action = { .sa_handler = tell_to_end };
	struct tpacket_stats_v3 counts = { 0 };
	socklen_t count_bytes = sizeof(counts);

	if (read_options(&reader, argc, argv)) {
		fprintf(stderr, "bare_reader: see the head of bare_reader.c\n");
		return 2;
	}
	open_ring(&reader);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGALRM, &action, NULL);
	alarm(reader.seconds);
	printf("{\"event\": \"ready\"}\n");
	fflush(stdout);
	run(&reader);
	if (getsockopt(reader.fd, SOL_PACKET, PACKET_STATISTICS, &counts, &count_bytes))
		fail("bare_reader: statistics");
	printf("{\"received\": %" PRIu64 ", \"octets\": %" PRIu64
	       ", \"dropped\": %u, \"sum\": %" PRIu64 "}\n",
		reader.packets, reader.octets, counts.tp_drops, reader.protocols);
	return 0;
}
