/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does a program of libpcap look at anything in a flow's frame that a flow does not know? The
 * frames of all kinds of flows are gone through: each IP version and protocol, with a tag and
 * without. A frame of one kind has the same type field, header length and protocol in all
 * flows, so the program's way is known as far as it depends on these.
 */
#ifndef SENSOR_FLOW_FILTER_CHECK_H
#define SENSOR_FLOW_FILTER_CHECK_H

#include <pcap/pcap.h>
#include <stdbool.h>

/* What flow_filter.c writes. */
enum {
	FRAME_ETHERNET_BYTES = 14,
	FRAME_TAG_BYTES = 4,
	FRAME_IPV4_BYTES = 20,
	FRAME_IPV6_BYTES = 40,
	FRAME_TRANSPORT_BYTES = 20,
	FRAME_TCP_FLAGS_AT = 12, /* in the transport header: data offset, 12 bits of flags */
	FRAME_BYTES_MAX = FRAME_ETHERNET_BYTES + FRAME_TAG_BYTES + FRAME_IPV6_BYTES +
			  FRAME_TRANSPORT_BYTES,
};

/* NULL, or why a flow cannot answer. has_tags: frames may have one. */
const char *flow_filter_check(const struct bpf_program *program, bool has_tags);

#endif
