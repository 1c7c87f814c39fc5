/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the decoder understood of one packet. Addresses, ports and MACs are as seen on the wire:
 * source first. Which of them make the flow key is the flow cache's business, not the
 * decoder's.
 */
#ifndef SENSOR_META_H
#define SENSOR_META_H

#include <stdbool.h>
#include <stdint.h>

#define META_MPLS_MAX 10 /* labels kept for export; deeper stacks are walked, not kept */

/* Where each TCP control bit is (RFC 9293 3.1). */
enum {
	TCP_FIN = 0x01,
	TCP_SYN = 0x02,
	TCP_RST = 0x04,
	TCP_ACK = 0x10,
};

struct packet_meta {
	uint64_t stamp_ns;
	uint64_t clock_ns; /* the newest stamp of any packet so far, whether it is metered here
			    * or not; 0: not known, .stamp_ns counts */
	uint64_t octets;   /* IP header and payload, summed over the wire segments (IE 1) */
	uint32_t packets;  /* wire segments this packet stands for, normally 1 */
	uint32_t if_index;
	uint8_t source[16]; /* IPv4: the first 4 octets, the rest zero */
	uint8_t destination[16];
	uint16_t source_port; /* host order. ICMP: see below */
	uint16_t destination_port;
	uint8_t ip_version; /* 4 or 6 */
	uint8_t protocol;
	uint8_t tos;
	uint8_t ttl;
	uint16_t tcp_flags; /* 12 bits, reserved ones included */
	uint16_t vlan_id;   /* outermost tag; 0 when there is none */
	uint16_t inner_vlan_id;
	bool begins_datagram; /* a first fragment that later ones follow */
	bool awaits_first;    /* a later fragment whose first one was not seen yet */
	uint32_t flow_label;
	uint8_t source_mac[6];
	uint8_t destination_mac[6];
	uint8_t mpls_count; /* labels in .mpls, at most META_MPLS_MAX */
	bool is_icmp;       /* ICMP in IPv4 or ICMPv6 in IPv6 */
	bool is_fragment;   /* any fragment, the first one included */
	bool is_outgoing;
	uint32_t mpls[META_MPLS_MAX]; /* label, TC and bottom bit: the upper 24 bits of each
				       * entry in the lower 24 bits here, topmost label first */
	uint32_t fragment_id; /* where begins_datagram or awaits_first: the datagram's */
};

/*
 * ICMP and ports. source_port is type * 256 + code of this very message and destination_port
 * that of the message that answers it (echo request <-> echo reply), or the same value again
 * where there is no such pair. So a question and its answer meet in one entry, both type codes
 * are known, and an exported record's icmpTypeCode is always the port of its own source.
 */

#endif
