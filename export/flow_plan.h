/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which elements a flow's record carries. A plan is a list of elements, each with the traits
 * that a layout must have to carry it (flow_plan.def); a layout is the plan with the others
 * left out. v1 and v5 are plans with widths, without a choice (v1_plan.def, v5_plan.def).
 */
#ifndef EXPORT_FLOW_PLAN_H
#define EXPORT_FLOW_PLAN_H

#include "export/layout.h"

enum flow_trait {
	IPV4 = 1 << 0,
	IPV6 = 1 << 1,
	PORTS = 1 << 2,
	ICMP = 1 << 3,
	UPTIME = 1 << 4,
	SECONDS = 1 << 5,
	MILLI = 1 << 6,
	MICRO = 1 << 7,
	NANO = 1 << 8,
	VLAN = 1 << 9,
	MAC = 1 << 10,
	MINIMAL = 1 << 11,
	FULL = 1 << 12,
	NETFLOW = 1 << 13, /* v9: without what it has no number for */
	LABEL_1 = 1 << 14, /* the next nine bits are the labels after it */
};

#define LABEL(n) (LABEL_1 << ((n)-1))
#define TIMES (UPTIME | SECONDS | MILLI | MICRO | NANO)
#define LABELS (LABEL_1 * ((1U << FLOW_MPLS_MAX) - 1))

/* Code for the record with these traits, for layout.encode. */
layout_encode *flow_encode_find(unsigned traits);

/* The same for the fixed records. */
layout_encode *flow_encode_fixed(bool is_v1, bool is_icmp);

/* A biflow without reverse times has one pair for both directions. */
static inline bool flow_plan_is_spanning(unsigned traits)
{
	return (traits & (MINIMAL | FULL)) == MINIMAL;
}

/* v1 and v5 tell ICMP's type and code in the place of the destination port; ELEMENT_COUNT is a
 * reserved field. */
static inline enum element flow_plan_fixed(enum element element, bool is_icmp)
{
	if (is_icmp && element == ELEMENT_sourceTransportPort)
		return ELEMENT_COUNT;
	if (is_icmp && element == ELEMENT_destinationTransportPort)
		return ELEMENT_icmpTypeCodeIPv4;
	return element;
}

#endif
