/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends numbered UDP datagrams from an AF_PACKET socket: bounded, paced, with an optional VLAN
 * tag in the frame. Ends, at SIGTERM before all are sent, with a line of JSON that says how
 * many were.
 *
 *   packet_gun -i IF -n COUNT [-r PER_SECOND] [-f FIRST] [-l IP_BYTES] [-v VLAN] [-p TPID]
 *              [-s SOURCE] [-d DESTINATION] [-P PORT] [-F FLOWS] [-K PACKETS]
 *
 * -K makes flows that tell which packets they had, with so many packets each, which follow one
 * another TELLING_FLOWS packets apart: the flow's number is the source address behind 10, and
 * packet j of it has TELLING_BYTES + 2^j octets. So packets and octets of a flow's records say
 * whether each of its packets is in them once.
 *
 * -F spreads the datagrams over so many source ports. Needs CAP_NET_RAW. Uses Linux headers: a
 * test tool only.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "tests/numbered.h"

#define COUNT_MAX 10000000u
#define NS_PER_SECOND 1000000000ull
#define SOURCE_PORT_BASE 20000
#define ETHERNET_BYTES 14u
#define TAG_BYTES 4u
#define IP_BYTES 20u
#define UDP_BYTES 8u
#define FRAME_BYTES_MAX 9000u
#define TELLING_FLOWS 4096u /* at a time */
#define TELLING_BYTES 64u
#define TELLING_PKTS_MAX 10u
#define NET_10 (10u << 24)

struct gun {
	const char *interface;
	uint64_t count, first;
	uint64_t per_second; /* 0: as fast as it goes */
	unsigned ip_bytes;   /* length in the IP header */
	unsigned vlan, tpid; /* vlan 0: no tag */
	unsigned port, flows;
	unsigned telling_pkts; /* of each flow; 0: flows tell nothing */
	struct in_addr source, destination;
	uint8_t frame[FRAME_BYTES_MAX];
	size_t ip_at;
	uint64_t stalls; /* times the queue was full */
};

static void put_u16(uint8_t *to, unsigned value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

static unsigned ip_checksum(const uint8_t *header)
{
	uint32_t sum = 0;

	for (unsigned i = 0; i < IP_BYTES; i += 2)
		sum += (uint32_t)header[i] << 8 | header[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum & 0xffff;
}

/* Everything but the number and the source port is the same in all frames. */
static void make_frame(struct gun *gun)
{
	static const uint8_t macs[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1 };
	uint8_t *at = gun->frame;

	memcpy(at, macs, sizeof(macs));
	at += sizeof(macs);
	if (gun->vlan) {
		put_u16(at, gun->tpid);
		put_u16(at + 2, gun->vlan);
		at += TAG_BYTES;
	}
	put_u16(at, 0x0800);
	at += 2;
	gun->ip_at = (size_t)(at - gun->frame);
	at[0] = 0x45;
	put_u16(at + 2, gun->ip_bytes);
	at[8] = 64; /* TTL */
	at[9] = IPPROTO_UDP;
	memcpy(at + 12, &gun->source, sizeof(gun->source));
	memcpy(at + 16, &gun->destination, sizeof(gun->destination));
	put_u16(at + 10, ip_checksum(at));
	at += IP_BYTES;
	put_u16(at + 2, gun->port);
	put_u16(at + 4, gun->ip_bytes - IP_BYTES);
}

static void tell(struct gun *gun, uint64_t number)
{
	uint64_t turn = number / TELLING_FLOWS;
	uint64_t flow = turn / gun->telling_pkts * TELLING_FLOWS + number % TELLING_FLOWS;
	uint8_t *at = gun->frame + gun->ip_at;
	uint32_t source = htonl(NET_10 | (uint32_t)flow);

	gun->ip_bytes = TELLING_BYTES + (1u << turn % gun->telling_pkts);
	put_u16(at + 2, gun->ip_bytes);
	memcpy(at + 12, &source, sizeof(source));
	put_u16(at + 10, 0);
	put_u16(at + 10, ip_checksum(at));
	put_u16(at + IP_BYTES + 4, gun->ip_bytes - IP_BYTES);
}

static void load(struct gun *gun, uint64_t number)
{
	uint8_t *udp = gun->frame + gun->ip_at + IP_BYTES;

	put_u16(udp, SOURCE_PORT_BASE + (unsigned)(number % gun->flows));
	numbered_put(udp + UDP_BYTES, number);
	if (gun->telling_pkts)
		tell(gun, number);
}

static volatile sig_atomic_t is_told_to_stop;

static void stop(int number)
{
	(void)number;
	is_told_to_stop = 1;
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * NS_PER_SECOND + (uint64_t)now.tv_nsec;
}

static void wait_until(uint64_t due_ns)
{
	struct timespec due = {
		.tv_sec = (time_t)(due_ns / NS_PER_SECOND),
		.tv_nsec = (long)(due_ns % NS_PER_SECOND),
	};

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR)
		;
}

/* The count is exact: a full queue is waited for. */
static int fire(struct gun *gun, int fd)
{
	size_t frame_bytes = gun->ip_at + gun->ip_bytes;

	while (send(fd, gun->frame, frame_bytes, 0) < 0) {
		if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) {
			perror("packet_gun: send");
			return -1;
		}
		gun->stalls++;
		wait_until(now_ns() + 100000);
	}
	return 0;
}

static int shoot(struct gun *gun, int fd)
{
	uint64_t start_ns = now_ns(), octets = 0, i;

	for (i = 0; i < gun->count && !is_told_to_stop; i++) {
		if (gun->per_second) {
			uint64_t due_ns = start_ns + i * NS_PER_SECOND / gun->per_second;
			if (due_ns > now_ns() + NS_PER_SECOND / 1000)
				wait_until(due_ns);
		}
		load(gun, gun->first + i);
		if (fire(gun, fd))
			return 1;
		octets += gun->ip_bytes;
	}
	printf("{\"sent\":%" PRIu64 ",\"ip_bytes\":%" PRIu64 ",\"stalls\":%" PRIu64
	       ",\"seconds\":%.3f}\n",
		i, octets, gun->stalls, (double)(now_ns() - start_ns) / 1e9);
	return 0;
}

static int open_socket(const char *interface)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);

	address.sll_ifindex = (int)if_nametoindex(interface);
	if (fd < 0 || !address.sll_ifindex ||
		bind(fd, (struct sockaddr *)&address, sizeof(address))) {
		perror("packet_gun: socket");
		exit(1);
	}
	return fd;
}

static int read_options(struct gun *gun, int argc, char **argv)
{
	int option;

	while ((option = getopt(argc, argv, "i:n:r:f:l:v:p:s:d:P:F:K:")) != -1) {
		switch (option) {
		case 'i':
			gun->interface = optarg;
			break;
		case 'n':
			gun->count = strtoull(optarg, NULL, 0);
			break;
		case 'r':
			gun->per_second = strtoull(optarg, NULL, 0);
			break;
		case 'f':
			gun->first = strtoull(optarg, NULL, 0);
			break;
		case 'l':
			gun->ip_bytes = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'v':
			gun->vlan = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'p':
			gun->tpid = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 's':
			inet_aton(optarg, &gun->source);
			break;
		case 'd':
			inet_aton(optarg, &gun->destination);
			break;
		case 'P':
			gun->port = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'F':
			gun->flows = (unsigned)strtoul(optarg, NULL, 0);
			break;
		case 'K':
			gun->telling_pkts = (unsigned)strtoul(optarg, NULL, 0);
			break;
		default:
			return -1;
		}
	}
	if (!gun->interface || gun->count > COUNT_MAX || gun->flows == 0 ||
		gun->telling_pkts > TELLING_PKTS_MAX ||
		gun->ip_bytes < IP_BYTES + UDP_BYTES + NUMBERED_BYTES ||
		gun->ip_bytes > FRAME_BYTES_MAX - ETHERNET_BYTES - TAG_BYTES)
		return -1;
	return 0;
}

int main(int argc, char **argv)
{
	static struct gun gun = {
		.ip_bytes = 100, .tpid = 0x8100, .port = 9, .flows = 1, .count = 1
	};

	inet_aton("192.0.2.1", &gun.source);
	inet_aton("192.0.2.2", &gun.destination);
	if (read_options(&gun, argc, argv)) {
		fprintf(stderr, "packet_gun: see the head of packet_gun.c\n");
		return 2;
	}
	signal(SIGTERM, stop);
	make_frame(&gun);
	int fd = open_socket(gun.interface);
	int outcome = shoot(&gun, fd);
	close(fd);
	return outcome;
}
