/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The statistics of several lanes as if one had done it all. Counts are added; what is seen of
 * the one interface by every lane is not (counter.def).
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

/* Before the counters, which say whether there was anything. */
static void add_ranges(struct flow_cache_stats *sum, const struct flow_cache_stats *one)
{
	bool had = sum->expired_flows > 0;

	if (one->expired_flows == 0)
		return;
	add_range(&sum->octets, &one->octets, had);
	add_range(&sum->packets, &one->packets, had);
	add_range(&sum->duration_ns, &one->duration_ns, had);
}

static void add_cache(struct flow_cache_stats *sum, const struct flow_cache_stats *one)
{
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

#define MERGE_SUM(member) sum->member += one->member
#define MERGE_MOST(member) sum->member = most(sum->member, one->member)

void stats_sum_add(struct sensor_stats *sum, const struct sensor_stats *one)
{
	if (sum->start_ns == 0 || (one->start_ns > 0 && one->start_ns < sum->start_ns))
		sum->start_ns = one->start_ns;
	add_ranges(&sum->cache, &one->cache);
#define COUNTER(name, type, merge, member, sentence) MERGE_##merge(member);
#include "sensor/counter.def"
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		sum->dropped[i] += one->dropped[i];
	sum->has_ring |= one->has_ring;
	add_cache(&sum->cache, &one->cache);
}
