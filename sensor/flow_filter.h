/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pcap-filter(7) expression over flows instead of packets. A flow matches when a packet of
 * one of its directions would: for each direction that was seen, headers are written out as an
 * Ethernet frame, and libpcap's program runs over it.
 *
 * Only what a flow knows is written there: addresses, protocol, ports, TCP control bits (those
 * of all packets), ICMP type and code, the outer VLAN (in expressions that say "vlan"), type of
 * service, flow label, MACs. An expression that looks at anything else is refused, and so is a
 * name of a host, for which somebody would have to be asked.
 */
#ifndef SENSOR_FLOW_FILTER_H
#define SENSOR_FLOW_FILTER_H

#include <stdbool.h>

#include "export/flow_record.h"

#define FLOW_FILTER_BYTES_MAX 1024
#define FLOW_FILTER_ERROR_BYTES 512

struct flow_filter;

/* 0; -EINVAL with the reason in .error; or -ENOMEM. */
int flow_filter_new(const char *expression, struct flow_filter **ret_filter,
	char error[static FLOW_FILTER_ERROR_BYTES]);
void flow_filter_free(struct flow_filter *filter); /* NULL is fine */

bool flow_filter_matches(const struct flow_filter *filter, const struct flow_record *record);

#endif
