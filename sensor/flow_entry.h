/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One flow in the table: 128 bytes, two neighbouring cache lines, which hold all that a packet
 * of the flow reads or writes and nearly all that its record tells. The first line finds the
 * flow and says when it ends, the second counts.
 *
 * Numbers are by endpoint (flow_key.h): [e] is what endpoint e sent. Bits of a mask: 1 << e.
 */
#ifndef SENSOR_FLOW_ENTRY_H
#define SENSOR_FLOW_ENTRY_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include "sensor/flow_key.h"

/* A record that reached this is closed like one that reached the end of its life; its counters
 * hold one more packet of any size. */
#define FLOW_COUNT_OCTETS_MAX (1ull << 47)
#define FLOW_COUNT_PKTS_MAX (1ull << 39)

#define FLOW_ID_BITS 44 /* with a million new flows a second they repeat after half a year */

/* What one endpoint sent in this record. */
struct flow_count {
	uint64_t tcp_flags : 16;
	uint64_t octets : 48;
	uint64_t tos : 8;
	uint64_t min_ttl : 8;
	uint64_t max_ttl : 8;
	uint64_t packets : 40;
	uint64_t first_ns; /* earliest stamp; UINT64_MAX when it sent nothing */
	uint64_t last_ns;  /* latest stamp */
};
static_assert(sizeof(struct flow_count) == 32, "half a cache line");

struct flow_entry {
	struct flow_key key;  /* .ip_version is 0 in a free entry */
	uint64_t activity_ns; /* lane clock at the last packet */
	uint64_t flow_id : FLOW_ID_BITS;
	uint64_t class : 3;              /* enum expiry_class: which wheel it is in */
	uint64_t initiator : 1;          /* the endpoint that began */
	uint64_t is_initiator_known : 1; /* a SYN said so */
	uint64_t is_continued : 1;       /* a record of this flow was closed by its lifetime */
	uint64_t seen : 2;               /* mask: who sent something; 0: no record is open */
	uint64_t labelled : 2;           /* mask: there is an MPLS stack */
	uint64_t is_touched : 1;     /* there was a packet since it was put into its wheel */
	uint64_t start_lag_high : 9; /* flow_entry_start_ns() is so far behind the */
	uint32_t start_lag_low;      /* first packet */
	uint16_t path[2];            /* flow_path.h */
	struct flow_count count[2];
} __attribute__((aligned(128)));
static_assert(sizeof(struct flow_entry) == 128, "two cache lines");

/*
 * When the record began, by the lane clock. That is the stamp of its first packet unless stamps
 * go back, so only the difference is kept: in nanoseconds, or when it is longer than 18 minutes
 * in units of 2^30 ns, rounded up. (Rounded, the order of lives is not that of their deadlines
 * to the second, and which flow is closed when depends on others.)
 */
#define FLOW_LAG_LOW_BITS 32
#define FLOW_LAG_IS_LONG (1ull << 40)
#define FLOW_LAG_LONG_SHIFT 30

static inline uint64_t flow_entry_oldest_ns(const struct flow_entry *entry)
{
	uint64_t a = entry->count[0].first_ns, b = entry->count[1].first_ns;

	return a < b ? a : b;
}

static inline uint64_t flow_entry_start_ns(const struct flow_entry *entry)
{
	uint64_t lag =
		(uint64_t)entry->start_lag_high << FLOW_LAG_LOW_BITS | entry->start_lag_low;

	if (lag & FLOW_LAG_IS_LONG)
		lag = (lag & ~FLOW_LAG_IS_LONG) << FLOW_LAG_LONG_SHIFT;
	return flow_entry_oldest_ns(entry) + lag;
}

/* Once the first stamps are set, and again when one of them changes. */
static inline void flow_entry_set_start(struct flow_entry *entry, uint64_t start_ns)
{
	uint64_t lag = start_ns - flow_entry_oldest_ns(entry);

	if (lag >= FLOW_LAG_IS_LONG) {
		lag = (lag + (1ull << FLOW_LAG_LONG_SHIFT) - 1) >> FLOW_LAG_LONG_SHIFT;
		lag |= FLOW_LAG_IS_LONG;
	}
	entry->start_lag_high = lag >> FLOW_LAG_LOW_BITS & 0x1ff;
	entry->start_lag_low = (uint32_t)lag;
}

#endif
