/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/status_line.h"

#include <stdio.h>

#define NS_PER_S 1000000000ULL

/* A first line has nothing to compare with; a counter that went back (other lanes, a new table)
 * is not a rate either. */
static unsigned long long per_second(uint64_t now, uint64_t before, uint64_t elapsed_ns)
{
	if (elapsed_ns == 0 || now < before)
		return 0;
	return (unsigned long long)((double)(now - before) * NS_PER_S / (double)elapsed_ns +
				    0.5);
}

void status_line_write(struct status_line *before, const struct sensor_stats *stats,
	uint64_t now_ns, char text[static STATUS_LINE_BYTES])
{
	const struct ring_stats *ring = &stats->ring;
	struct status_line now = {
		.when_ns = now_ns,
		.seen_pkts = stats->seen_pkts,
		.begun_flows = stats->cache.created_flows,
		.dropped_pkts = ring->dropped_pkts,
	};
	uint64_t elapsed_ns = before->when_ns ? now_ns - before->when_ns : 0;

	snprintf(text, STATUS_LINE_BYTES,
		"%s%llu packets/s, %llu new flows/s, %llu drops/s; "
		"%llu packets, %llu active flows, %llu dropped by the kernel",
		ring->link_losses > ring->link_returns ? "waiting for the interface, " : "",
		per_second(now.seen_pkts, before->seen_pkts, elapsed_ns),
		per_second(now.begun_flows, before->begun_flows, elapsed_ns),
		per_second(now.dropped_pkts, before->dropped_pkts, elapsed_ns),
		(unsigned long long)now.seen_pkts,
		(unsigned long long)stats->cache.active_flows,
		(unsigned long long)now.dropped_pkts);
	*before = now;
}
