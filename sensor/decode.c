/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder: link layer, IP, then what needs more than the packet's own bytes - the tag that
 * the kernel took off, the first fragment's ports, the segments of a super-packet.
 */
#include "sensor/decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/decode_plain.h"
#include "sensor/decode_step.h"
#include "sensor/fragment.h"

#define VLAN_ID_MASK 0x0fff

struct decoder {
	link_decode *decode_link;
	bool is_ethernet;
	enum count_mode count;
	struct fragment_table *fragments; /* NULL: later fragments keep port 0 */
};

/*
 * Every member but the labels, whose number says how many are valid. One by one: as a memset of
 * odd size this is slower than all the rest of the decoder.
 */
static void start_meta(const struct packet *packet, struct packet_meta *meta)
{
	meta->stamp_ns = packet->stamp_ns;
	meta->clock_ns = 0;
	meta->octets = 0;
	meta->packets = 1;
	meta->if_index = packet->if_index;
	memset(meta->source, 0, sizeof(meta->source));
	memset(meta->destination, 0, sizeof(meta->destination));
	meta->source_port = 0;
	meta->destination_port = 0;
	meta->ip_version = 0;
	meta->protocol = 0;
	meta->tos = 0;
	meta->ttl = 0;
	meta->tcp_flags = 0;
	meta->vlan_id = 0;
	meta->inner_vlan_id = 0;
	meta->begins_datagram = false;
	meta->awaits_first = false;
	meta->flow_label = 0;
	memset(meta->source_mac, 0, sizeof(meta->source_mac));
	memset(meta->destination_mac, 0, sizeof(meta->destination_mac));
	meta->mpls_count = 0;
	meta->is_icmp = false;
	meta->is_fragment = false;
	meta->is_outgoing = packet->is_outgoing;
}

/* The tag was in front of those that are still in the bytes. */
static void put_back_tag(uint16_t tci, struct packet_meta *meta)
{
	meta->inner_vlan_id = meta->vlan_id;
	meta->vlan_id = tci & VLAN_ID_MASK;
}

/* What the frame had on the wire from the cursor on. Damaged captures claim less than they
 * hold. */
static uint64_t wire_bytes_left(const struct packet *packet, const struct cursor *in)
{
	uint32_t uncaptured_bytes = 0;
	if (packet->wire_bytes > packet->captured_bytes)
		uncaptured_bytes = packet->wire_bytes - packet->captured_bytes;
	return (uint64_t)in->left + uncaptured_bytes;
}

/* Remember what a first fragment says, or give it to a later one. A later one that comes before
 * the first is the caller's to hold. */
static void follow_fragment(struct fragment_table *fragments, const struct ip_shape *shape,
	struct packet_meta *meta)
{
	struct fragment_key key = fragment_key_of(meta, shape->fragment_id);
	struct fragment_flow flow = {
		.source_port = meta->source_port,
		.destination_port = meta->destination_port,
		.protocol = meta->protocol,
	};
	meta->fragment_id = shape->fragment_id;
	meta->begins_datagram = shape->part == FRAGMENT_FIRST;
	if (meta->begins_datagram)
		fragment_table_remember(fragments, &key, &flow, meta->stamp_ns);
	if (shape->part != FRAGMENT_LATER)
		return;
	meta->awaits_first = !fragment_table_find(fragments, &key, meta->stamp_ns, &flow);
	if (meta->awaits_first)
		return;
	meta->source_port = flow.source_port;
	meta->destination_port = flow.destination_port;
	meta->protocol = flow.protocol;
	meta->is_icmp = decode_transport_is_icmp(meta);
}

int decoder_new(const struct decoder_config *config, struct decoder **ret_decoder)
{
	const struct linktype_row *row = linktype_find(config->link_type);
	if (!row)
		return -EPROTONOSUPPORT;
	struct decoder *decoder = calloc(1, sizeof(*decoder));
	if (!decoder)
		return -ENOMEM;
	decoder->decode_link = row->decode;
	decoder->is_ethernet = row->decode == decode_link_ethernet;
	decoder->count = config->count;
	if (config->fragments == FRAGMENTS_FOLLOW) {
		int r = config->fragment_memory
				? fragment_table_new_kept(config->fragment_entries,
					  config->hash_key, config->fragment_memory,
					  &decoder->fragments)
				: fragment_table_new(config->fragment_entries, config->hash_key,
					  &decoder->fragments);
		if (r < 0) {
			free(decoder);
			return r;
		}
	}
	*ret_decoder = decoder;
	return 0;
}

enum drop_reason decoder_walk(
	struct decoder *decoder, const struct packet *packet, struct packet_meta *ret_meta)
{
	struct cursor in = cursor_over(packet->bytes, packet->captured_bytes);
	start_meta(packet, ret_meta);
	enum drop_reason reason = decoder->decode_link(&in, ret_meta);
	if (reason != DROP_NONE)
		return reason;
	if (packet->vlan_tpid)
		put_back_tag(packet->vlan_tci, ret_meta);

	uint64_t wire_bytes = wire_bytes_left(packet, &in);
	struct ip_shape shape;
	reason = decode_ip(&in, wire_bytes, ret_meta, &shape);
	if (reason != DROP_NONE)
		return reason;
	if (packet->gso != PACKET_GSO_NONE && decoder->count == COUNT_WIRE)
		decode_gso(&in, packet, &shape, wire_bytes, ret_meta);
	if (shape.has_transport)
		decode_transport(&in, ret_meta);
	if (ret_meta->is_fragment && decoder->fragments)
		follow_fragment(decoder->fragments, &shape, ret_meta);
	return DROP_NONE;
}

enum drop_reason decoder_decode(
	struct decoder *decoder, const struct packet *packet, struct packet_meta *ret_meta)
{
	bool may_be_plain = decoder->is_ethernet &&
			    (packet->gso == PACKET_GSO_NONE || decoder->count == COUNT_FRAMES);

	if (may_be_plain && decode_plain(packet, ret_meta))
		return DROP_NONE;
	return decoder_walk(decoder, packet, ret_meta);
}

void decoder_free(struct decoder *decoder)
{
	if (!decoder)
		return;
	fragment_table_free(decoder->fragments);
	free(decoder);
}
