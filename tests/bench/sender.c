/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends TCP and UDP frames from an AF_PACKET transmit ring, as fast as the machine can or at a
 * rate, for a bounded time. Ends with a line of JSON that says how many were sent.
 *
 *   sender -i IF [-t SECONDS] [-r PER_SECOND] [-F FLOWS] [-S SCAN]
 *
 * Lengths are those of the simple IMIX (40, 576 and 1500 octets of IP at 7:4:1), four flows in
 * five are TCP, and both directions are sent. A few flows carry most of the packets: flow
 * numbers are spread evenly over their logarithm, but one packet in SCAN takes the flows in
 * turn, so that all of them exist soon. Needs CAP_NET_RAW.
 *
 * Only the 54 octets of the headers are written for each packet; the rest of a slot of the ring
 * stays what it was at the start.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <math.h>
#include <net/if.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_SECOND 1000000000ull
#define SECONDS_MAX 120u
#define FLOWS_MAX (1u << 24)
#define SLOT_BYTES 2048u
/* Fewer than the receiver's backlog holds: nothing is lost in front of it. */
#define SLOT_COUNT 512u
#define SLOTS_PER_BLOCK 32u
#define BATCH_PKTS 64u
#define SLOT_FRAME_AT (TPACKET2_HDRLEN - sizeof(struct sockaddr_ll))
#define PICKS (1u << 20) /* flow numbers drawn beforehand */

#define ETHERNET_BYTES 14u
#define FRAME_BYTES_MIN 60u
#define PROTOCOL_TCP 6
#define PROTOCOL_UDP 17

struct sender {
	const char *interface;
	unsigned seconds, flows, scan;
	uint64_t per_second; /* 0: as fast as it goes */
	uint32_t *picks;
	uint32_t next_in_turn;
	int fd;
	uint8_t *ring;
	uint64_t sent, stalls;
};

static void put_u16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static void put_u32(uint8_t *to, uint32_t value)
{
	put_u16(to, value >> 16);
	put_u16(to + 2, value & 0xffff);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

/* -- frames --------------------------------------------------------------------------- */

static const unsigned imix_ip_bytes[] = { 40, 576, 40, 40, 576, 40, 1500, 40, 576, 40, 576,
	40 };
#define IMIX_COUNT (sizeof(imix_ip_bytes) / sizeof(imix_ip_bytes[0]))

static uint32_t random_32(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 32);
}

static void draw_picks(struct sender *sender)
{
	uint64_t seed = 1;

	sender->picks = malloc(PICKS * sizeof(*sender->picks));
	if (!sender->picks)
		fail("sender: memory");
	for (unsigned i = 0; i < PICKS; i++) {
		double place = random_32(&seed) / 4294967296.0;
		sender->picks[i] = (uint32_t)exp(place * log(sender->flows + 1.0)) - 1;
	}
}

static uint32_t pick_flow(struct sender *sender)
{
	if (sender->sent % sender->scan != 0)
		return sender->picks[sender->sent % PICKS];
	if (++sender->next_in_turn >= sender->flows)
		sender->next_in_turn = 0;
	return sender->next_in_turn;
}

static void put_ip(
	uint8_t *ip, unsigned protocol, unsigned ip_bytes, uint32_t from, uint32_t to)
{
	uint32_t sum = 0x4500 + ip_bytes + (64u << 8 | protocol);

	sum += (from >> 16) + (from & 0xffff) + (to >> 16) + (to & 0xffff);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	put_u16(ip, 0x4500);
	put_u16(ip + 2, ip_bytes);
	put_u32(ip + 4, 0);
	put_u16(ip + 8, 64u << 8 | protocol);
	put_u16(ip + 10, ~sum & 0xffff);
	put_u32(ip + 12, from);
	put_u32(ip + 16, to);
}

/* The headers of the next frame; returns how long the frame is. */
static unsigned put_frame(struct sender *sender, uint8_t *frame)
{
	static const uint8_t link[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 };
	uint32_t flow = pick_flow(sender);
	unsigned ip_bytes = imix_ip_bytes[sender->sent % IMIX_COUNT];
	unsigned protocol = flow % 5 ? PROTOCOL_TCP : PROTOCOL_UDP;
	uint32_t client = 0x0a000000 + flow, server = 0xc6336400 + flow % 200;
	unsigned client_port = 1024 + flow % 60000, server_port = flow % 3 ? 443 : 53;
	bool is_reply = sender->sent / 7 & 1;
	uint8_t *transport = frame + ETHERNET_BYTES + 20;

	memcpy(frame, link, sizeof(link));
	put_ip(frame + ETHERNET_BYTES, protocol, ip_bytes, is_reply ? server : client,
		is_reply ? client : server);
	put_u16(transport, is_reply ? server_port : client_port);
	put_u16(transport + 2, is_reply ? client_port : server_port);
	if (protocol == PROTOCOL_TCP)
		put_u16(transport + 12, 0x5010);
	else
		put_u16(transport + 4, ip_bytes - 20);
	unsigned bytes = ip_bytes + ETHERNET_BYTES;
	return bytes < FRAME_BYTES_MIN ? FRAME_BYTES_MIN : bytes;
}

/* -- the ring ------------------------------------------------------------------------- */

static void open_ring(struct sender *sender)
{
	int version = TPACKET_V2, on = 1, buffer_bytes = 8 << 20;
	struct tpacket_req request = {
		.tp_block_size = SLOT_BYTES * SLOTS_PER_BLOCK,
		.tp_block_nr = SLOT_COUNT / SLOTS_PER_BLOCK,
		.tp_frame_size = SLOT_BYTES,
		.tp_frame_nr = SLOT_COUNT,
	};
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(sender->interface),
	};

	sender->fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (sender->fd < 0)
		fail("sender: socket");
	if (setsockopt(sender->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof(on)) ||
		setsockopt(sender->fd, SOL_PACKET, PACKET_VERSION, &version, sizeof(version)) ||
		setsockopt(sender->fd, SOL_PACKET, PACKET_TX_RING, &request, sizeof(request)))
		fail("sender: ring");
	setsockopt(sender->fd, SOL_SOCKET, SO_SNDBUFFORCE, &buffer_bytes, sizeof(buffer_bytes));
	sender->ring = mmap(NULL, (size_t)SLOT_BYTES * SLOT_COUNT, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_POPULATE, sender->fd, 0);
	if (sender->ring == MAP_FAILED)
		fail("sender: mmap");
	if (!address.sll_ifindex ||
		bind(sender->fd, (struct sockaddr *)&address, sizeof(address)))
		fail("sender: bind");
}

static struct tpacket2_hdr *slot_at(const struct sender *sender, uint64_t number)
{
	return (struct tpacket2_hdr *)(sender->ring + number % SLOT_COUNT * SLOT_BYTES);
}

/* As many as there is room for, at most a batch; then tell the kernel. */
static void send_batch(struct sender *sender, uint64_t most_pkts)
{
	unsigned filled = 0;

	for (; filled < most_pkts && filled < BATCH_PKTS; filled++) {
		struct tpacket2_hdr *slot = slot_at(sender, sender->sent);

		if (__atomic_load_n(&slot->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE)
			break;
		slot->tp_len = put_frame(sender, (uint8_t *)slot + SLOT_FRAME_AT);
		__atomic_store_n(&slot->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
		sender->sent++;
	}
	if (filled == 0) {
		sender->stalls++;
		sched_yield();
	}
	if (send(sender->fd, NULL, 0, MSG_DONTWAIT) < 0 && errno != EAGAIN && errno != ENOBUFS)
		fail("sender: send");
}

/* What has been handed to the kernel leaves before the count is told. */
static void drain(struct sender *sender)
{
	uint64_t end_ns = now_ns() + NS_PER_SECOND;

	for (unsigned i = 0; i < SLOT_COUNT; i++)
		while (__atomic_load_n(&slot_at(sender, i)->tp_status, __ATOMIC_ACQUIRE) !=
				TP_STATUS_AVAILABLE &&
			now_ns() < end_ns)
			send(sender->fd, NULL, 0, MSG_DONTWAIT);
}

static void run(struct sender *sender)
{
	uint64_t start_ns = now_ns(), at_ns = start_ns;
	uint64_t end_ns = start_ns + sender->seconds * NS_PER_SECOND;

	for (; at_ns < end_ns; at_ns = now_ns()) {
		uint64_t due = UINT64_MAX;

		if (sender->per_second)
			due = (at_ns - start_ns) * sender->per_second / NS_PER_SECOND;
		if (due > sender->sent)
			send_batch(sender, due - sender->sent);
	}
	drain(sender);
	printf("{\"sent\": %" PRIu64 ", \"seconds\": %.3f, \"stalls\": %" PRIu64
	       ", \"cpu_seconds\": %.3f}\n",
		sender->sent, (double)(at_ns - start_ns) / 1e9, sender->stalls, cpu_seconds());
}

static int read_options(struct sender *sender, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "i:t:r:F:S:")) != -1) {
		switch (option) {
		case 'i':
			sender->interface = optarg;
			break;
		case 't':
			sender->seconds = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'r':
			sender->per_second = strtoull(optarg, NULL, 0);
			break;
		case 'F':
			sender->flows = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'S':
			sender->scan = (unsigned)strtoul(optarg, NULL, 0);
			break;
		default:
			return -1;
		}
	}
	if (!sender->interface || sender->seconds > SECONDS_MAX || sender->flows == 0 ||
		sender->flows > FLOWS_MAX || sender->scan == 0)
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	struct sender sender = { .seconds = 4, .flows = 1000, .scan = 4 };

	if (read_options(&sender, argc, argv)) {
		fprintf(stderr, "sender: see the head of sender.c\n");
		return 2;
	}
	draw_picks(&sender);
	open_ring(&sender);
	run(&sender);
	free(sender.picks);
	return 0;
}
