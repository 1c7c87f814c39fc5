/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The short way that the decoder has for common packets must say what the general one says.
 * Two decoders see the same packets, one by either way; the first difference aborts.
 */
#ifndef TESTS_DECODE_BOTH_H
#define TESTS_DECODE_BOTH_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/decode.h"

struct decode_both {
	struct decoder *decoder, *walker;
};

/* False when there is no decoder for the link type. */
static inline bool decode_both_open(
	struct decode_both *both, const struct decoder_config *config)
{
	*both = (struct decode_both){ 0 };
	return decoder_new(config, &both->decoder) == 0 &&
	       decoder_new(config, &both->walker) == 0;
}

static inline void decode_both_close(struct decode_both *both)
{
	decoder_free(both->decoder);
	decoder_free(both->walker);
}

static inline bool decode_both_is_same(const struct packet_meta *a, const struct packet_meta *b)
{
	bool has_id = a->begins_datagram || a->awaits_first;

	return memcmp(a->source, b->source, sizeof(a->source)) == 0 &&
	       memcmp(a->destination, b->destination, sizeof(a->destination)) == 0 &&
	       a->source_port == b->source_port && a->destination_port == b->destination_port &&
	       a->vlan_id == b->vlan_id && a->inner_vlan_id == b->inner_vlan_id &&
	       a->protocol == b->protocol && a->ip_version == b->ip_version &&
	       a->octets == b->octets && a->packets == b->packets &&
	       a->stamp_ns == b->stamp_ns && a->clock_ns == b->clock_ns &&
	       a->tcp_flags == b->tcp_flags && a->tos == b->tos && a->ttl == b->ttl &&
	       memcmp(a->macs, b->macs, sizeof(a->macs)) == 0 && a->if_index == b->if_index &&
	       a->flow_label == b->flow_label && a->is_outgoing == b->is_outgoing &&
	       a->is_icmp == b->is_icmp && a->is_fragment == b->is_fragment &&
	       a->begins_datagram == b->begins_datagram && a->awaits_first == b->awaits_first &&
	       (!has_id || a->fragment_id == b->fragment_id) &&
	       a->mpls_count == b->mpls_count &&
	       memcmp(a->mpls, b->mpls, a->mpls_count * sizeof(a->mpls[0])) == 0;
}

static inline enum drop_reason decode_both(
	struct decode_both *both, const struct packet *packet, struct packet_meta *ret_meta)
{
	struct packet_meta walked;

	memset(ret_meta, 0xa5, sizeof(*ret_meta));
	memset(&walked, 0x5a, sizeof(walked));
	enum drop_reason reason = decoder_decode(both->decoder, packet, ret_meta);
	enum drop_reason walked_reason = decoder_walk(both->walker, packet, &walked);

	if (reason != walked_reason ||
		(reason == DROP_NONE && !decode_both_is_same(ret_meta, &walked))) {
		fprintf(stderr, "decoded as %s, walked as %s, or not the same\n",
			drop_reasons[reason].name, drop_reasons[walked_reason].name);
		abort();
	}
	return reason;
}

#endif
