/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a flow's template is for and how it was configured, as bits: an element of element.def
 * is in a template that has all the traits it needs.
 */
#ifndef EXPORT_FLOW_TRAIT_H
#define EXPORT_FLOW_TRAIT_H

#include "export/flow_record.h"

enum flow_trait {
	/* the flows that it is for */
	IPV4 = 1 << 0,
	IPV6 = 1 << 1,
	PORTS = 1 << 2, /* not of ICMP, and tracked by port */
	ICMP = 1 << 3,
	/* how times are told: one of them */
	UPTIME = 1 << 4,
	SECONDS = 1 << 5,
	MILLI = 1 << 6,
	MICRO = 1 << 7,
	NANO = 1 << 8,
	/* what was asked for */
	VLAN = 1 << 9,
	MAC = 1 << 10,
	MINIMAL = 1 << 11, /* both directions in a record; with FULL all that is reversible */
	FULL = 1 << 12,
	NETFLOW = 1 << 13, /* v9: without what it has no number for */
	LABEL_1 = 1 << 14, /* the next nine bits are the labels after it */
	/* what the preset allows */
	OTHERS = 1 << 24, /* what nfdump does not store, and the other collectors do */
	WIDE = 1 << 25,   /* more than all collectors know */
	TUPLE = 1 << 28,  /* ports or ICMP types are tracked */
	NAMED = 1 << 26,  /* nothing does: in templates of named elements alone */
	NEVER = 1 << 27,  /* not even those have it */
};

/* What a flow's record must be for to have an element at all; the other traits are of presets.
 */
#define KIND_TRAITS (IPV4 | IPV6 | PORTS | ICMP | TUPLE | FULL | NEVER)

#define LABEL(n) (LABEL_1 << ((n)-1))
#define TIMES (UPTIME | SECONDS | MILLI | MICRO | NANO)
#define LABELS (LABEL_1 * ((1U << FLOW_MPLS_MAX) - 1))

#endif
