/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which elements a flow's record carries. The plan is element.def, each element with the traits
 * that a layout must have to carry it; a layout is the plan with the others left out. v1 and v5
 * are plans with widths, without a choice (v1_plan.def, v5_plan.def).
 */
#ifndef EXPORT_FLOW_PLAN_H
#define EXPORT_FLOW_PLAN_H

#include "export/flow_trait.h"
#include "export/layout.h"

/* Code for the record with these traits, for layout.encode. */
layout_encode *flow_encode_find(unsigned traits);

/* For the record of any rows of elements in their own width. */
layout_encode flow_encode_named;

/* Code for the fixed records. */
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
