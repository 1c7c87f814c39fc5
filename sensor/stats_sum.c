/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics of several lanes as if one had done it all. Counts are added; what is seen of
 * the one interface by every lane is not.
 */
#include "sensor/stats_text.h"

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t most(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* .had: is there anything in .sum yet? Then its minimum counts. */
static void add_range(struct flow_range *sum, const struct flow_range *one, bool had)
{
	sum->minimum = had ? least(sum->minimum, one->minimum) : one->minimum;
	sum->sum += one->sum;
	sum->maximum = most(sum->maximum, one->maximum);
}

static void add_cache(struct flow_cache_stats *sum, const struct flow_cache_stats *one)
{
	bool had = sum->expired_flows > 0;

	if (one->expired_flows > 0) {
		add_range(&sum->octets, &one->octets, had);
		add_range(&sum->packets, &one->packets, had);
		add_range(&sum->duration_ns, &one->duration_ns, had);
	}
	sum->metered_pkts += one->metered_pkts;
	sum->metered_octets += one->metered_octets;
	sum->fragments += one->fragments;
	sum->active_flows += one->active_flows;
	sum->created_flows += one->created_flows;
	sum->expired_flows += one->expired_flows;
	sum->expired_pkts += one->expired_pkts;
	sum->expired_octets += one->expired_octets;
	sum->forced_flows += one->forced_flows;
	sum->deleted_flows += one->deleted_flows;
	sum->deleted_pkts += one->deleted_pkts;
	for (unsigned i = 0; i < END_REASON_COUNT; i++)
		sum->expired_by_reason[i] += one->expired_by_reason[i];
	for (unsigned i = 0; i < 256; i++) {
		sum->by_protocol[i].flows += one->by_protocol[i].flows;
		sum->by_protocol[i].octets += one->by_protocol[i].octets;
		sum->by_protocol[i].packets += one->by_protocol[i].packets;
		sum->by_protocol[i].duration_ns_sum += one->by_protocol[i].duration_ns_sum;
		sum->by_protocol[i].duration_ns_maximum =
			most(sum->by_protocol[i].duration_ns_maximum,
				one->by_protocol[i].duration_ns_maximum);
	}
}

/* Every lane sees the interface itself drop packets, go and come: once is enough. */
static void add_ring(struct ring_stats *sum, const struct ring_stats *one)
{
	sum->received_pkts += one->received_pkts;
	sum->dropped_pkts += one->dropped_pkts;
	sum->freezes += one->freezes;
	sum->duplicate_pkts += one->duplicate_pkts;
	sum->interface_dropped_pkts =
		most(sum->interface_dropped_pkts, one->interface_dropped_pkts);
	sum->link_losses = most(sum->link_losses, one->link_losses);
	sum->link_returns = most(sum->link_returns, one->link_returns);
	sum->rebinds = most(sum->rebinds, one->rebinds);
	sum->clock_steps = most(sum->clock_steps, one->clock_steps);
	sum->odd_stamps += one->odd_stamps;
}

static void add_exported(struct exporter_stats *sum, const struct exporter_stats *one)
{
	sum->flows += one->flows;
	sum->records += one->records;
	sum->messages += one->messages;
	sum->octets += one->octets;
	sum->failed_messages += one->failed_messages;
	sum->failed_records += one->failed_records;
	sum->unsupported_flows += one->unsupported_flows;
	sum->unsupported_pkts += one->unsupported_pkts;
	sum->saturated_fields += one->saturated_fields;
	sum->postponed_sends += one->postponed_sends;
}

void stats_sum_add(struct sensor_stats *sum, const struct sensor_stats *one)
{
	if (sum->start_ns == 0 || (one->start_ns > 0 && one->start_ns < sum->start_ns))
		sum->start_ns = one->start_ns;
	sum->seen_pkts += one->seen_pkts;
	sum->metered_frames += one->metered_frames;
	sum->held_fragments += one->held_fragments;
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		sum->dropped[i] += one->dropped[i];
	sum->has_ring |= one->has_ring;
	add_ring(&sum->ring, &one->ring);
	add_exported(&sum->exported, &one->exported);
	sum->exported_flows += one->exported_flows;
	sum->lost_prints += one->lost_prints;
	sum->clock_jumps = most(sum->clock_jumps, one->clock_jumps);
	sum->lone_fragments += one->lone_fragments;
	add_cache(&sum->cache, &one->cache);
}
