/* SPDX-License-Identifier: BSD-2-Clause */
/* softflowd's statistics of finished flows. */
#ifndef SENSOR_FLOW_TALLY_H
#define SENSOR_FLOW_TALLY_H

#include "sensor/flow_cache.h"

static inline uint64_t flow_tally_least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static inline uint64_t flow_tally_most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static inline void flow_tally_widen(struct flow_range *range, uint64_t value)
{
	if (value < range->minimum)
		range->minimum = value;
	if (value > range->maximum)
		range->maximum = value;
	range->sum += value;
}

/* From the earliest packet of either direction to the latest. */
static inline uint64_t flow_tally_duration_ns(const struct flow_record *record)
{
	uint64_t first_ns = UINT64_MAX, last_ns = 0;

	for (unsigned i = 0; i < 2; i++) {
		if (record->side[i].packets == 0)
			continue;
		first_ns = flow_tally_least(first_ns, record->side[i].first_ns);
		last_ns = flow_tally_most(last_ns, record->side[i].last_ns);
	}
	return last_ns > first_ns ? last_ns - first_ns : 0;
}

/* Add a record that is handed out. */
static inline void flow_tally_expired(struct flow_cache_stats *stats,
	const struct flow_record *record, enum end_reason reason)
{
	uint64_t octets = record->side[0].octets + record->side[1].octets;
	uint64_t packets = record->side[0].packets + record->side[1].packets;
	uint64_t duration_ns = flow_tally_duration_ns(record);

	/* The first value is the least so far. */
	if (stats->expired_flows == 0)
		stats->octets.minimum = stats->packets.minimum = stats->duration_ns.minimum =
			UINT64_MAX;
	stats->expired_flows++;
	stats->expired_pkts += packets;
	stats->expired_octets += octets;
	stats->forced_flows += reason == END_OVERFLOWS;
	stats->expired_by_reason[reason]++;
	flow_tally_widen(&stats->octets, octets);
	flow_tally_widen(&stats->packets, packets);
	flow_tally_widen(&stats->duration_ns, duration_ns);

	struct flow_protocol_stats *protocol = &stats->by_protocol[record->protocol];

	protocol->flows++;
	protocol->octets += octets;
	protocol->packets += packets;
	protocol->duration_ns_sum += duration_ns;
	if (duration_ns > protocol->duration_ns_maximum)
		protocol->duration_ns_maximum = duration_ns;
}

/* Add a record that is thrown away. */
static inline void flow_tally_deleted(
	struct flow_cache_stats *stats, const struct flow_record *record)
{
	stats->deleted_flows++;
	stats->deleted_pkts += record->side[0].packets + record->side[1].packets;
}

#endif
