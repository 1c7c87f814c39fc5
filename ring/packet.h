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
	PACKET_GSO_TCP,  /* TCP segments of gso_bytes payload each (GRO, LRO or TSO) */
	PACKET_GSO_UDP,  /* UDP datagrams of gso_bytes payload each (UDP_SEGMENT, UDP GRO) */
	PACKET_GSO_LINK, /* not said by the kernel, but the frame is longer than the link's MTU,
			  * which is gso_bytes: TCP segments that fill it, headers included */
};

struct packet {
	const uint8_t *bytes;    /* borrowed from the source until source_release() */
	uint32_t captured_bytes; /* octets readable at .bytes */
	uint32_t wire_bytes;     /* octets the frame had on the link */
	uint64_t stamp_ns;       /* nanoseconds; see packet_batch.step_ns */
	uint32_t if_index;       /* interface it was seen on; 0 when unknown (capture files) */
	uint16_t gso_bytes;      /* payload of each segment when .gso is not PACKET_GSO_NONE */
	uint16_t vlan_tpid;      /* tag that the kernel took off the frame, 0 when none */
	uint16_t vlan_tci;       /* its priority, DEI and VLAN id bits, host order */
	uint8_t gso;             /* enum packet_gso */
	bool is_outgoing;        /* sent by this host, where the source knows */
};

/*
 * .clock_ns is the newest stamp so far. A live source that has nothing to hand over moves it on
 * with the host's clock, but stays behind it by what the kernel may still hold back (the retire
 * timeout), so that a packet handed over later is not older than a clock seen before it.
 *
 * .step_ns: how far the host's clock was set since the source was opened (live_clock.h). Unix
 * time is a stamp, or the clock, plus this. Always 0 with capture files.
 */
struct packet_batch {
	struct packet packets[PACKET_BATCH_MAX];
	unsigned count;
	uint64_t clock_ns; /* packet time: see above */
	int64_t step_ns;
	bool is_end; /* nothing will follow: end of the last capture file */
};

/*
 * Totals since the source was opened. They never go back.
 *
 * .received_pkts has the meaning of libpcap's ps_recv on Linux: every frame that passed the
 * filter and was offered to the ring, dropped ones and loopback's second copies included. Once
 * the ring is drained: received = handed over in batches + dropped + duplicates. Capture files:
 * the packets that passed the filter.
 */
struct ring_stats {
	uint64_t received_pkts;
	uint64_t dropped_pkts; /* no room in the ring, or hidden by a damaged header */
	uint64_t interface_dropped_pkts; /* the interface itself dropped them, where known */
	uint64_t freezes;                /* times the ring stood still because it was full */
	uint64_t link_losses;    /* times the interface went away or down, or was found so */
	uint64_t link_returns;   /* times capture went on after that */
	uint64_t rebinds;        /* times the source was bound again to a new interface */
	uint64_t duplicate_pkts; /* frames seen twice and counted once (loopback) */
	uint64_t clock_steps;    /* times that the host's clock was set */
	uint64_t odd_stamps;     /* stamps from the future, taken for the time of reading */
};

#endif
