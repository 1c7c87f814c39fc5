/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What micro-benchmarks share. A result is a line NAME=NUMBER on standard output, with the unit
 * in the name; side_by_side.py reads them. Times are CPU time of the thread, which other work
 * on the machine makes longer by its share of the caches alone.
 */
#ifndef TESTS_BENCH_H
#define TESTS_BENCH_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sensor/meta.h"

#define BENCH_NS_PER_S 1000000000ull
#define BENCH_START_NS (1700000000ull * BENCH_NS_PER_S)

static inline uint64_t bench_cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * BENCH_NS_PER_S + (uint64_t)now.tv_nsec;
}

static inline void bench_say(const char *name, double value)
{
	printf("%s=%.2f\n", name, value);
	fflush(stdout);
}

static inline void bench_fail(const char *what, int rc)
{
	fprintf(stderr, "%s: %s\n", what, strerror(-rc));
	exit(1);
}

/* splitmix64 */
static inline uint64_t bench_mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint64_t bench_random(uint64_t *seed)
{
	return bench_mix(*seed += 0x9e3779b97f4a7c15);
}

/* A TCP packet of a flow between two hosts that are its own, in either direction. */
static inline void bench_fill_meta(
	struct packet_meta *meta, unsigned ip_version, uint32_t flow, bool is_reply)
{
	unsigned bytes = ip_version == 4 ? 4 : 16;
	uint8_t client[16] = { 0x20, 0x01, 0x0d, 0xb8 },
		server[16] = { 0x20, 0x01, 0x0d, 0xb8, 1 };
	uint64_t mixed = bench_mix(flow);

	/* The flow's number is part of both addresses: no two flows are the same. */
	memcpy(client + (bytes - 4), &flow, 4);
	memcpy(server + (bytes - 4), &flow, 4);
	server[bytes - 1] ^= 0x80;
	*meta = (struct packet_meta){
		.octets = 700,
		.packets = 1,
		.source_port = is_reply ? 443 : (uint16_t)mixed,
		.destination_port = is_reply ? (uint16_t)mixed : 443,
		.ip_version = (uint8_t)ip_version,
		.protocol = 6,
		.ttl = 64,
		.tcp_flags = TCP_ACK,
		.flow_label = ip_version == 6 ? (uint32_t)(mixed >> 32 & 0xfffff) : 0,
		.source_mac = { 2, 0, 0, 0, 0, is_reply ? 2 : 1 },
		.destination_mac = { 2, 0, 0, 0, 0, is_reply ? 1 : 2 },
	};
	memcpy(meta->source, is_reply ? server : client, bytes);
	memcpy(meta->destination, is_reply ? client : server, bytes);
}

#endif
