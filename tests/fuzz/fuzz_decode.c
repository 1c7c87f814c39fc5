/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes through the decoder. An input is a head, then packets, so that fragments meet:
 *
 *     link type row 1, flags 1, segment size 2, tag 2; length 2, packet; length 2, packet ...
 *
 * Besides what sanitizers see, a meta that is handed out must keep what decode.h promises, and
 * be the same by the short way of common packets and header by header.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/cursor.h"
#include "sensor/decode.h"
#include "sensor/linktype.h"
#include "tests/decode_both.h"

enum {
	FLAG_FRAMES = 0x01,
	FLAG_SEPARATE = 0x02,
	FLAG_GSO_SHIFT = 2,
	FLAG_GSO_MASK = 0x03,
	FLAG_TAG = 0x10,
	FLAG_LONGER = 0x20, /* the wire had more than the capture */
	PACKETS_MAX = 64,
	WIRE_EXTRA_BYTES = 60000,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void demand(bool fact)
{
	if (!fact)
		abort();
}

static void check_meta(const struct packet *packet, const struct packet_meta *meta)
{
	demand(meta->ip_version == 4 || meta->ip_version == 6);
	demand(meta->octets >= (meta->ip_version == 4 ? 20 : 40));
	demand(meta->packets >= 1);
	demand(meta->packets == 1 || packet->gso != PACKET_GSO_NONE);
	demand(meta->mpls_count <= META_MPLS_MAX);
	demand(meta->vlan_id <= 0x0fff && meta->inner_vlan_id <= 0x0fff);
	demand(meta->tcp_flags == 0 || meta->protocol == 6);
	demand(meta->stamp_ns == packet->stamp_ns);
	for (unsigned i = 4; i < 16 && meta->ip_version == 4; i++)
		demand(meta->source[i] == 0 && meta->destination[i] == 0);
}

static struct decode_both new_decoders(uint8_t row, uint8_t flags)
{
	size_t rows = 0;
	while (linktype_at(rows))
		rows++;
	const struct decoder_config config = {
		.link_type = linktype_at(row % rows)->value,
		.count = flags & FLAG_FRAMES ? COUNT_FRAMES : COUNT_WIRE,
		.fragments = flags & FLAG_SEPARATE ? FRAGMENTS_SEPARATE : FRAGMENTS_FOLLOW,
		.fragment_entries = 4,
		.hash_key = { 1, 2 },
	};
	struct decode_both both;
	demand(decode_both_open(&both, &config));
	return both;
}

/* From memory of its exact size, so that a sanitizer sees every octet too far. */
static void decode_exact(struct decode_both *both, struct packet *packet, struct cursor *in)
{
	size_t length = cursor_be16(in);
	if (length > in->left)
		length = in->left;
	uint8_t *bytes = malloc(length ? length : 1);
	demand(bytes != NULL);
	cursor_copy(in, bytes, length);
	packet->bytes = bytes;
	packet->captured_bytes = (uint32_t)length;
	packet->wire_bytes += (uint32_t)length;

	struct packet_meta meta;
	enum drop_reason reason = decode_both(both, packet, &meta);
	demand(reason < DROP_REASON_COUNT && reason != DROP_NOT_SAMPLED);
	if (reason == DROP_NONE)
		check_meta(packet, &meta);
	free(bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor in = cursor_over(data, size);
	uint8_t row = cursor_u8(&in);
	uint8_t flags = cursor_u8(&in);
	uint16_t gso_bytes = cursor_be16(&in);
	uint16_t tag = cursor_be16(&in);
	if (in.failed)
		return 0;
	struct decode_both both = new_decoders(row, flags);
	for (unsigned i = 0; i < PACKETS_MAX && in.left; i++) {
		struct packet packet = {
			.wire_bytes = flags & FLAG_LONGER ? WIRE_EXTRA_BYTES : 0,
			.stamp_ns = i * UINT64_C(7000000000),
			.gso = (flags >> FLAG_GSO_SHIFT & FLAG_GSO_MASK) % 3,
			.gso_bytes = gso_bytes,
			.vlan_tpid = flags & FLAG_TAG ? 0x8100 : 0,
			.vlan_tci = tag,
		};
		decode_exact(&both, &packet, &in);
	}
	decode_both_close(&both);
	return 0;
}
