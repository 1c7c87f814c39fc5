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

/*
 * Several values share a word, which is read and written whole. Bit-fields would do the same in
 * fewer lines, but are written octet by octet; and a word that is read right after one of its
 * octets was written waits until its memory has come, which for a new flow is far away.
 */

/* What one endpoint sent in this record. */
struct flow_count {
	uint64_t octets_flags; /* octets 48, TCP control bits of all packets 16 */
	uint64_t packets_ttl;  /* packets 40, highest TTL 8, lowest TTL 8, last ToS 8 */
	uint64_t first_ns;     /* earliest stamp; UINT64_MAX when it sent nothing */
	uint64_t last_ns;      /* latest stamp */
};
static_assert(sizeof(struct flow_count) == 32, "half a cache line");

#define FLOW_COUNT_OCTETS_SHIFT 16
#define FLOW_COUNT_PKTS_SHIFT 24
#define FLOW_COUNT_MAX_TTL_SHIFT 16
#define FLOW_COUNT_MIN_TTL_SHIFT 8

static inline uint64_t flow_count_octets(const struct flow_count *count)
{
	return count->octets_flags >> FLOW_COUNT_OCTETS_SHIFT;
}

static inline uint16_t flow_count_tcp_flags(const struct flow_count *count)
{
	return (uint16_t)count->octets_flags;
}

static inline uint64_t flow_count_packets(const struct flow_count *count)
{
	return count->packets_ttl >> FLOW_COUNT_PKTS_SHIFT;
}

static inline uint8_t flow_count_max_ttl(const struct flow_count *count)
{
	return (uint8_t)(count->packets_ttl >> FLOW_COUNT_MAX_TTL_SHIFT);
}

static inline uint8_t flow_count_min_ttl(const struct flow_count *count)
{
	return (uint8_t)(count->packets_ttl >> FLOW_COUNT_MIN_TTL_SHIFT);
}

static inline uint8_t flow_count_tos(const struct flow_count *count)
{
	return (uint8_t)count->packets_ttl;
}

/* The second word of a count. */
static inline uint64_t flow_count_word(
	uint64_t packets, uint8_t max_ttl, uint8_t min_ttl, uint8_t tos)
{
	return packets << FLOW_COUNT_PKTS_SHIFT |
	       (uint64_t)max_ttl << FLOW_COUNT_MAX_TTL_SHIFT |
	       (uint64_t)min_ttl << FLOW_COUNT_MIN_TTL_SHIFT | tos;
}

/* Count a packet; the stamps are the caller's. */
static inline void flow_count_add(
	struct flow_count *count, uint32_t packets, uint64_t octets, uint8_t ttl, uint8_t tos)
{
	uint8_t max_ttl = flow_count_max_ttl(count), min_ttl = flow_count_min_ttl(count);

	count->octets_flags += octets << FLOW_COUNT_OCTETS_SHIFT;
	count->packets_ttl = flow_count_word(flow_count_packets(count) + packets,
		ttl > max_ttl ? ttl : max_ttl, ttl < min_ttl ? ttl : min_ttl, tos);
}

struct flow_entry {
	struct flow_key key;    /* .ip_version is 0 in a free entry */
	uint64_t activity_ns;   /* lane clock at the last packet */
	uint64_t state;         /* the parts below */
	uint32_t start_lag_low; /* flow_entry_start_ns() is so far behind the first packet */
	uint16_t path[2];       /* flow_path.h */
	struct flow_count count[2];
} __attribute__((aligned(128)));
static_assert(sizeof(struct flow_entry) == 128, "two cache lines");

/* clang-format off */
#define FLOW_STATE_PARTS(PART) /* name, first bit, bits */ \
	PART(flow_id,             0, FLOW_ID_BITS) \
	PART(class,              44, 3) /* enum expiry_class: which wheel it is in */ \
	PART(initiator,          47, 1) /* the endpoint that began */ \
	PART(is_initiator_known, 48, 1) /* a SYN said so */ \
	PART(is_continued,       49, 1) /* a record of this flow was closed by its lifetime */ \
	PART(seen,               50, 2) /* mask: who sent something; 0: no record is open */ \
	PART(labelled,           52, 2) /* mask: there is an MPLS stack */ \
	PART(is_touched,         54, 1) /* a packet came since it was put into its wheel */ \
	PART(start_lag_high,     55, 9) /* the rest of .start_lag_low */
/* clang-format on */

/* flow_state_class(value): the word with this part. flow_entry_class(entry): its value.
 * flow_entry_set_class(entry, value): change it. Likewise for the others. */
#define PART(name, first_bit, bits) \
	static inline uint64_t flow_state_##name(uint64_t value) \
	{ \
		return (value & ((1ull << (bits)) - 1)) << (first_bit); \
	} \
	static inline uint64_t flow_entry_##name(const struct flow_entry *entry) \
	{ \
		return entry->state >> (first_bit) & ((1ull << (bits)) - 1); \
	} \
	static inline void flow_entry_set_##name(struct flow_entry *entry, uint64_t value) \
	{ \
		entry->state = (entry->state & ~flow_state_##name(UINT64_MAX)) | \
			       flow_state_##name(value); \
	}
FLOW_STATE_PARTS(PART)
#undef PART

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
		flow_entry_start_lag_high(entry) << FLOW_LAG_LOW_BITS | entry->start_lag_low;

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
	flow_entry_set_start_lag_high(entry, lag >> FLOW_LAG_LOW_BITS);
	entry->start_lag_low = (uint32_t)lag;
}

#endif
