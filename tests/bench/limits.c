/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the machine allows for a capture file, whoever meters it: `bench_limits FILE FLOWS`
 * prints CPU nanoseconds per packet of
 *
 *   read     read() of the file in blocks, nothing else
 *   libpcap  pcap_next_ex() over the file as libpcap comes, nothing else
 *   ideal    read(), walk, look at the headers, hash, update a table, encode each flow
 *
 * The ideal knows what no sensor may assume: the file is sound Ethernet in this host's byte
 * order, the number of flows is known, nothing expires, IPv4 has no later fragments and nobody
 * attacks the hash. A flow is one way, in one cache line; the table has huge pages, is open
 * addressed and two thirds full at most; the lines of a batch are fetched before the first is
 * used. Records of 48 octets are written to messages that nobody sends.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BLOCK_BYTES (256u << 10)
#define BATCH_PKTS 32
#define HUGE_PAGE_BYTES (2u << 20)
#define FILE_HEADER_BYTES 24
#define MESSAGE_BYTES 1400
#define MESSAGE_HEADER_BYTES 20
#define RECORD_BYTES 48
#define NS_PER_S 1000000000u

struct pcap_record {
	uint32_t seconds, fraction, captured_bytes, wire_bytes;
};

struct slot {
	uint64_t key[5]; /* addresses, ports and protocol; the last word of a free slot is 0 */
	uint64_t octets;
	uint32_t packets;
	uint32_t first_ms, last_ms;
	uint32_t tcp_flags;
} __attribute__((aligned(64)));
_Static_assert(sizeof(struct slot) == 64, "one cache line");

struct packet {
	uint64_t key[5];
	uint64_t hash;
	uint32_t octets, stamp_ms;
	uint8_t tcp_flags;
};

struct table {
	struct slot *slots;
	size_t mask;
	uint64_t flows;
	struct packet batch[BATCH_PKTS];
	unsigned batched;
};

/* A file, block by block; the rest of a block that holds no whole record moves to the front. */
struct walk {
	int fd;
	uint8_t *bytes;
	size_t begin, end;
};

static void fail(const char *what)
{
	fprintf(stderr, "bench_limits: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* -- reading ------------------------------------------------------------------------------- */

static void walk_open(struct walk *walk, const char *path)
{
	*walk = (struct walk){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	walk->bytes = malloc(BLOCK_BYTES);
	if (walk->fd < 0 || !walk->bytes)
		fail(path);
}

static bool walk_fill(struct walk *walk)
{
	size_t rest = walk->end - walk->begin;

	memmove(walk->bytes, walk->bytes + walk->begin, rest);
	ssize_t count = read(walk->fd, walk->bytes + rest, BLOCK_BYTES - rest);

	if (count < 0)
		fail("read");
	walk->begin = 0;
	walk->end = rest + (size_t)count;
	return count > 0;
}

static inline const uint8_t *walk_next(struct walk *walk, struct pcap_record *record)
{
	for (;;) {
		size_t left = walk->end - walk->begin;

		if (left >= sizeof(*record)) {
			memcpy(record, walk->bytes + walk->begin, sizeof(*record));
			if (left - sizeof(*record) >= record->captured_bytes) {
				const uint8_t *frame =
					walk->bytes + walk->begin + sizeof(*record);

				walk->begin += sizeof(*record) + record->captured_bytes;
				return frame;
			}
		}
		if (!walk_fill(walk))
			return NULL;
	}
}

static void walk_close(struct walk *walk)
{
	close(walk->fd);
	free(walk->bytes);
}

static void read_alone(const char *path)
{
	struct walk walk;

	walk_open(&walk, path);
	while (walk_fill(&walk))
		walk.begin = walk.end;
	walk_close(&walk);
}

static uint64_t libpcap_alone(const char *path)
{
	char error[PCAP_ERRBUF_SIZE];
	pcap_t *pcap = pcap_open_offline(path, error);
	struct pcap_pkthdr *header;
	const u_char *bytes;
	uint64_t packets = 0, octets = 0;

	if (!pcap) {
		fprintf(stderr, "bench_limits: %s\n", error);
		exit(1);
	}
	while (pcap_next_ex(pcap, &header, &bytes) == 1) {
		packets++;
		octets += header->len;
	}
	pcap_close(pcap);
	return octets ? packets : 0;
}

/* -- headers ------------------------------------------------------------------------------- */

static inline uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static inline uint64_t fold(uint64_t a, uint64_t b)
{
	__uint128_t product = (__uint128_t)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_key(const uint64_t key[5], bool is_v6)
{
	uint64_t hash = fold(key[0] ^ 0x9e3779b97f4a7c15, key[4] ^ 0xbf58476d1ce4e5b9);

	if (is_v6)
		hash ^= fold(key[1] ^ 0x94d049bb133111eb, key[2] ^ hash) ^ key[3];
	return is_v6 ? fold(hash, 0xd6e8feb86659fd93) : hash;
}

/* The header behind IPv6 extension headers. */
static inline const uint8_t *skip_extensions(
	const uint8_t *at, const uint8_t *end, uint8_t *protocol)
{
	for (int depth = 0; depth < 8 && end - at >= 8; depth++) {
		if (*protocol != 0 && *protocol != 43 && *protocol != 44 && *protocol != 60)
			break;
		size_t bytes = *protocol == 44 ? 8 : (at[1] + 1u) * 8;

		*protocol = at[0];
		at += bytes;
	}
	return at;
}

/* False when it is no whole IP packet. */
static inline bool look(const uint8_t *at, uint32_t count, struct packet *packet)
{
	const uint8_t *end = at + count;
	uint16_t type = count < 34 ? 0 : be16(at + 12);
	uint32_t ports = 0;
	uint8_t protocol;

	at += 14;
	if (type == 0x8100 || type == 0x88a8) {
		type = be16(at + 2);
		at += 4;
	}
	memset(packet->key, 0, sizeof(packet->key));
	packet->tcp_flags = 0;
	if (type == 0x0800 && end - at >= 20) {
		memcpy(packet->key, at + 12, 8);
		packet->octets = be16(at + 2);
		protocol = at[9];
		at += (at[0] & 15) * 4;
	} else if (type == 0x86dd && end - at >= 40) {
		memcpy(packet->key, at + 8, 32);
		packet->octets = 40u + be16(at + 4);
		protocol = at[6];
		at = skip_extensions(at + 40, end, &protocol);
	} else {
		return false;
	}
	if (end - at >= 14 && protocol == 6) {
		memcpy(&ports, at, 4);
		packet->tcp_flags = at[13];
	} else if (end - at >= 4 && protocol == 17) {
		memcpy(&ports, at, 4);
	} else if (end - at >= 4) {
		ports = be16(at);
	}
	packet->key[4] = (uint64_t)1 << 63 | (uint64_t)protocol << 32 | ports;
	packet->hash = hash_key(packet->key, type == 0x86dd);
	return true;
}

/* -- the table ----------------------------------------------------------------------------- */

static void table_init(struct table *table, uint64_t flows)
{
	size_t slots = 1024;

	while (slots < flows + flows / 2)
		slots *= 2;
	size_t bytes = slots * sizeof(struct slot);
	uint8_t *memory = mmap(NULL, bytes + HUGE_PAGE_BYTES, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		fail("mmap");
	memory += HUGE_PAGE_BYTES - (uintptr_t)memory % HUGE_PAGE_BYTES;
	madvise(memory, bytes, MADV_HUGEPAGE);
	table->slots = (struct slot *)(void *)memory;
	table->mask = slots - 1;
}

static inline void table_update(struct table *table, const struct packet *packet)
{
	size_t at = packet->hash & table->mask;
	struct slot *slot = &table->slots[at];

	for (; slot->key[4]; slot = &table->slots[at = (at + 1) & table->mask]) {
		uint64_t difference = 0;

		for (int i = 0; i < 5; i++)
			difference |= slot->key[i] ^ packet->key[i];
		if (difference)
			continue;
		slot->packets++;
		slot->octets += packet->octets;
		slot->last_ms = packet->stamp_ms;
		slot->tcp_flags |= packet->tcp_flags;
		return;
	}
	memcpy(slot->key, packet->key, sizeof(slot->key));
	slot->packets = 1;
	slot->octets = packet->octets;
	slot->first_ms = slot->last_ms = packet->stamp_ms;
	slot->tcp_flags = packet->tcp_flags;
	table->flows++;
}

static void table_update_batch(struct table *table)
{
	for (unsigned i = 0; i < table->batched; i++)
		table_update(table, &table->batch[i]);
	table->batched = 0;
}

static void meter_file(struct table *table, const char *path)
{
	struct pcap_record record;
	struct walk walk;
	const uint8_t *frame;

	walk_open(&walk, path);
	walk_fill(&walk);
	walk.begin = FILE_HEADER_BYTES;
	while ((frame = walk_next(&walk, &record)) != NULL) {
		struct packet *packet = &table->batch[table->batched];

		if (!look(frame, record.captured_bytes, packet))
			continue;
		packet->stamp_ms = record.seconds * 1000 + record.fraction / 1000;
		__builtin_prefetch(&table->slots[packet->hash & table->mask], 1);
		if (++table->batched == BATCH_PKTS)
			table_update_batch(table);
	}
	table_update_batch(table);
	walk_close(&walk);
}

/* -- records ------------------------------------------------------------------------------- */

static inline uint8_t *put64(uint8_t *at, uint64_t value)
{
	value = __builtin_bswap64(value);
	memcpy(at, &value, 8);
	return at + 8;
}

/* Returns the number of octets, so that none of this is for nothing. */
static uint64_t encode_flows(const struct table *table)
{
	uint8_t message[MESSAGE_BYTES], *at = message + MESSAGE_HEADER_BYTES;
	uint64_t octets = 0;

	memset(message, 0, sizeof(message));
	for (size_t i = 0; i <= table->mask; i++) {
		const struct slot *slot = &table->slots[i];

		if (!slot->key[4])
			continue;
		memcpy(at, &slot->key[0], 8);
		memcpy(at + 8, &slot->key[4], 8);
		at = put64(at + 16, slot->octets);
		at = put64(at, slot->packets);
		at = put64(at, slot->first_ms);
		at = put64(at, slot->last_ms);
		if (message + sizeof(message) - at >= RECORD_BYTES)
			continue;
		octets += (uint64_t)(at - message);
		put64(message, octets);
		__asm__ volatile("" : : "r"(message) : "memory");
		at = message + MESSAGE_HEADER_BYTES;
	}
	return octets + (uint64_t)(at - message);
}

int main(int argc, char **argv)
{
	struct table table = { 0 };

	if (argc != 3) {
		fprintf(stderr, "usage: bench_limits FILE FLOWS\n");
		return 2;
	}
	read_alone(argv[1]); /* from now on it is in the page cache */
	uint64_t begin_ns = cpu_ns();

	read_alone(argv[1]);
	uint64_t read_ns = cpu_ns() - begin_ns;

	begin_ns = cpu_ns();
	double packets = (double)libpcap_alone(argv[1]);
	uint64_t libpcap_ns = cpu_ns() - begin_ns;

	begin_ns = cpu_ns();
	table_init(&table, strtoull(argv[2], NULL, 10));
	meter_file(&table, argv[1]);
	uint64_t octets = encode_flows(&table);
	uint64_t ideal_ns = cpu_ns() - begin_ns;

	printf("packets=%.0f\nflows=%" PRIu64 "\noctets=%" PRIu64
	       "\nread_ns=%.1f\nlibpcap_ns=%.1f\nideal_ns=%.1f\n",
		packets, table.flows, octets, (double)read_ns / packets,
		(double)libpcap_ns / packets, (double)ideal_ns / packets);
	return 0;
}
