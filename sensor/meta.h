/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the decoder understood of one packet. Addresses, ports and MACs are as seen on the wire:
 * source first. Which of them make the flow key is the flow cache's business, not the
 * decoder's.
 */
#ifndef SENSOR_META_H
#define SENSOR_META_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define META_MPLS_MAX 10 /* labels kept for export; deeper stacks are walked, not kept */

/* Where each TCP control bit is (RFC 9293 3.1). */
enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

/*
 * In the order in which the flow cache asks: the first 64 octets find the flow and count in it,
 * the rest is for a flow's first packet. The labels come last, and are memory that nobody
 * touches unless there are some.
 */
struct packet_meta {
	uint8_t source[16]; /* IPv4: the first 4 octets, the rest zero */
	uint8_t destination[16];
	uint16_t source_port; /* host order. ICMP: see below */
	uint16_t destination_port;
	uint16_t vlan_id; /* outermost tag; 0 when there is none */
	uint8_t protocol;
	uint8_t ip_version; /* 4 or 6 */
	uint64_t octets;    /* IP header and payload, summed over the wire segments (IE 1) */
	uint64_t stamp_ns;
	uint32_t packets;   /* wire segments this packet stands for, normally 1 */
	uint16_t tcp_flags; /* 12 bits, reserved ones included */
	uint8_t tos;
	uint8_t ttl;

	uint64_t clock_ns; /* the newest stamp of any packet so far, whether it is metered here
			    * or not; 0: not known, .stamp_ns counts */
	union {
		struct {
			uint8_t destination_mac[6];
			uint8_t source_mac[6];
		};
		uint8_t macs[12]; /* both, in the order of the wire */
	};
	uint32_t if_index;
	uint32_t flow_label;
	uint16_t inner_vlan_id;
	bool is_outgoing;
	bool is_icmp;         /* ICMP in IPv4 or ICMPv6 in IPv6 */
	bool is_fragment;     /* any fragment, the first one included */
	bool begins_datagram; /* a first fragment that later ones follow */
	bool awaits_first;    /* a later fragment whose first one was not seen yet */
	uint8_t mpls_count;   /* labels in .mpls, at most META_MPLS_MAX */
	uint32_t fragment_id; /* where begins_datagram or awaits_first: the datagram's */
	uint32_t mpls[META_MPLS_MAX]; /* label, TC and bottom bit: the upper 24 bits of each
				       * entry in the lower 24 bits here, topmost label first */
};
static_assert(offsetof(struct packet_meta, clock_ns) == 64, "a cache line is enough to count");

/*
 * ICMP and ports. source_port is type * 256 + code of this very message and destination_port
 * that of the message that answers it (echo request <-> echo reply), or the same value again
 * where there is no such pair. So a question and its answer meet in one entry, both type codes
 * are known, and an exported record's icmpTypeCode is always the port of its own source.
 */

#endif
