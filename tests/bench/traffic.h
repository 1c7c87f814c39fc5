/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Made-up traffic for benchmarks: frames one after the other, the same for the same plan. A
 * flow is a number; its addresses, ports and protocol are mixed from it and never stored, and
 * no two numbers give the same addresses. What is kept for a flow is how many packets it has
 * and how many were sent.
 *
 * All lengths and checksums are right, so the frames may go over a real link. Payload is zero.
 */
#ifndef TESTS_BENCH_TRAFFIC_H
#define TESTS_BENCH_TRAFFIC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRAFFIC_FRAME_BYTES_MAX 2048 /* no frame is longer, all are Ethernet */
#define TRAFFIC_START_S 1700000000u

enum traffic_shape {
	TRAFFIC_ZIPF,    /* a few flows have most of the packets; each lives for a while */
	TRAFFIC_UNIFORM, /* every packet is of a random flow, all are open all the time */
	TRAFFIC_ONCE,    /* one TCP SYN per flow, from everywhere to one host */
};

struct traffic_plan {
	const char *name;
	const char *title; /* what it stands for */
	enum traffic_shape shape;
	uint32_t packets;
	uint32_t flows;
	unsigned v6_percent;        /* flows over IPv6 */
	unsigned extension_percent; /* IPv6 flows with a hop-by-hop header */
	unsigned vlan_percent;      /* flows with an 802.1Q tag */
	bool is_one_way;            /* only the initiator sends; connections stay open */
	bool is_ns;                 /* stamps are finer than a microsecond */
	uint64_t seed;
};

/* W1 to W5. */
extern const struct traffic_plan traffic_workloads[];
extern const size_t traffic_workload_count;
const struct traffic_plan *traffic_workload(const char *name); /* NULL: no such workload */

struct traffic_frame {
	const uint8_t *bytes; /* wire_bytes of them; borrowed until the next call */
	uint32_t wire_bytes;
	uint32_t ip_bytes; /* the length of the IP packet */
	uint64_t stamp_ns; /* about one packet in a microsecond */
};

/* What an exporter must report of the frames so far. Flows: two-way ones are conversations,
 * one-way ones their directions. */
struct traffic_totals {
	uint64_t packets, ip_bytes;
	uint64_t padded_bytes; /* as ip_bytes, with the padding of short Ethernet frames */
	uint64_t two_way_flows, one_way_flows;
};

struct traffic;

/* 0, -EINVAL (a plan with fewer packets than flows, or none) or -ENOMEM. Takes 8 bytes of
 * memory per flow and 4 per packet, twice that for a moment. */
int traffic_new(const struct traffic_plan *plan, struct traffic **ret_traffic);
bool traffic_next(struct traffic *traffic, struct traffic_frame *ret_frame); /* false: ended */
void traffic_totals(const struct traffic *traffic, struct traffic_totals *ret_totals);
void traffic_free(struct traffic *traffic); /* NULL is fine */

#endif
