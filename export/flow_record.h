/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the export room takes: one finished flow, both directions in it. Whoever makes it owns
 * it and what it borrows; the room only reads it during the call.
 */
#ifndef EXPORT_FLOW_RECORD_H
#define EXPORT_FLOW_RECORD_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#define FLOW_MPLS_MAX 10

/* flowEndReason (IE 136). */
enum flow_end {
	FLOW_END_IDLE = 1,
	FLOW_END_ACTIVE = 2,
	FLOW_END_DETECTED = 3,
	FLOW_END_FORCED = 4,
	FLOW_END_RESOURCES = 5,
};

/* One direction of a flow. All zero when nothing was seen in it. */
struct flow_side {
	uint64_t packets;           /* packetDeltaCount (2) */
	uint64_t octets;            /* octetDeltaCount (1): IP header and payload */
	uint64_t first_ns;          /* Unix time of the earliest packet of this direction */
	uint64_t last_ns;           /* and of the latest */
	const uint32_t *mpls;       /* borrowed, .mpls_count of them: 24-bit label stack
				     * sections, topmost first (70...) */
	uint32_t ingress_if;        /* ingressInterface (10); 0: not known */
	uint32_t egress_if;         /* egressInterface (14); 0: not known */
	uint32_t flow_label;        /* flowLabelIPv6 (31) of the first packet */
	uint16_t tcp_flags;         /* OR of all packets, 12 bits (6) */
	uint16_t vlan_id;           /* outermost tag of the first packet (58) */
	uint16_t inner_vlan_id;     /* the tag inside of it (245); 0: none */
	uint16_t icmp_type_code;    /* when the record's is_icmp: type * 256 + code (32, 139) */
	uint8_t tos;                /* ipClassOfService (5), last seen */
	uint8_t min_ttl, max_ttl;   /* 52, 53 */
	bool is_egress;             /* flowDirection (61) */
	uint8_t source_mac[6];      /* 56 */
	uint8_t destination_mac[6]; /* 80 */
	uint8_t mpls_count;         /* labels in .mpls, at most FLOW_MPLS_MAX */
};
static_assert(sizeof(struct flow_side) == 80, "a record is made and read once per flow");

struct flow_record {
	uint64_t
		flow_id; /* ordinal of the flow since start, from 1; survives active timeouts */
	uint8_t address[2][16]; /* [0] initiator, [1] responder; IPv4: first 4 octets */
	uint16_t port[2];   /* host order; 0 when the track level or the protocol has none */
	uint8_t ip_version; /* 4 or 6 */
	uint8_t protocol;   /* 0 at track level "ip" */
	uint8_t end_reason; /* enum flow_end */
	bool is_icmp;
	bool is_initiator_known;  /* a SYN said who began; else the first packet's source */
	struct flow_side side[2]; /* [0] what the initiator sent, [1] what it got */
};

#endif
