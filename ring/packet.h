/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What leaves the ring room: views of packets, batches of them, and what the source counted.
 *
 * A packet is a *view*. Its bytes belong to the source and are valid until the batch that holds
 * it is released. Nothing here allocates and nothing here is copied on the way.
 */
#ifndef RING_PACKET_H
#define RING_PACKET_H

#include <stdbool.h>
#include <stdint.h>

/* Most packets that one call of a source hands over. */
#define PACKET_BATCH_MAX 256

/* How the kernel says a super-packet was, or will be, cut into wire segments. */
enum packet_gso {
	PACKET_GSO_NONE, /* one frame on the wire */
	PACKET_GSO_TCP,	 /* TCP segments of gso_bytes payload each (GRO, LRO or TSO) */
	PACKET_GSO_UDP,	 /* UDP datagrams of gso_bytes payload each (UDP_SEGMENT, UDP GRO) */
};

struct packet {
	const uint8_t *bytes;	 /* borrowed from the source until source_release() */
	uint32_t captured_bytes; /* octets readable at .bytes */
	uint32_t wire_bytes;	 /* octets the frame had on the link */
	uint64_t stamp_ns;	 /* Unix time, nanoseconds */
	uint32_t if_index;	 /* interface it was seen on; 0 when unknown (capture files) */
	uint16_t gso_bytes;	 /* payload of each segment when .gso is not PACKET_GSO_NONE */
	uint16_t vlan_tpid;	 /* tag that the kernel took off the frame, 0 when none */
	uint16_t vlan_tci;	 /* its priority, DEI and VLAN id bits, host order */
	uint8_t gso;		 /* enum packet_gso */
	bool is_outgoing;	 /* sent by this host, where the source knows */
};

struct packet_batch {
	struct packet packets[PACKET_BATCH_MAX];
	unsigned count;
	uint64_t clock_ns; /* the source's clock when the batch was made; the newest stamp in replay */
	bool is_end;	   /* nothing will follow: end of the last capture file */
};

/* Totals since the source was opened. They never go back. */
struct ring_stats {
	uint64_t received_pkts;		  /* frames that reached the ring or the file reader */
	uint64_t dropped_pkts;		  /* frames the kernel had no room for */
	uint64_t interface_dropped_pkts;  /* frames the interface itself dropped, where known */
	uint64_t freezes;		  /* times the ring stood still because it was full */
	uint64_t link_losses;		  /* times the interface went down or away */
	uint64_t rebinds;		  /* times the source was bound again to a new interface */
	uint64_t duplicate_pkts;	  /* frames seen twice and counted once (loopback) */
};

#endif
