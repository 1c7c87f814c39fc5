/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder: bytes of one packet in, packet_meta or a drop reason out. It keeps no state but
 * the table that joins later fragments to their first one, and never looks above the transport
 * header or into tunnels above IP.
 */
#ifndef SENSOR_DECODE_H
#define SENSOR_DECODE_H

#include "ring/packet.h"
#include "sensor/drop_reason.h"
#include "sensor/meta.h"

enum count_mode {
	COUNT_WIRE,   /* a super-packet counts as the segments it stands for */
	COUNT_FRAMES, /* as one packet, with the bytes its IP header claims */
};

enum fragment_mode {
	FRAGMENTS_FOLLOW,   /* later fragments get the ports of the first one, if it was seen */
	FRAGMENTS_SEPARATE, /* they keep port 0: a flow of their own */
};

struct decoder_config {
	int link_type; /* LINKTYPE_ value of the source */
	enum count_mode count;
	enum fragment_mode fragments;
	uint32_t fragment_entries; /* datagrams remembered at once; 0: the default */
	uint64_t hash_key[2];      /* keys the fragment table's hash */
	/* Where that outlives the process (fragment.h), borrowed for the decoder's life; NULL:
	 * in memory of its own. */
	const struct fragment_memory *fragment_memory;
};

struct decoder;

/* 0, -ENOMEM, or -EPROTONOSUPPORT when nothing here decodes the link type. */
int decoder_new(const struct decoder_config *config, struct decoder **ret_decoder);
void decoder_free(struct decoder *decoder); /* NULL is fine */

/*
 * Decode one packet. DROP_NONE: *ret_meta is whole. Any other reason: the packet belongs to no
 * flow and *ret_meta is unspecified. The caller counts the reason.
 */
enum drop_reason decoder_decode(
	struct decoder *decoder, const struct packet *packet, struct packet_meta *ret_meta);

/* The same, header by header, without the short way that common packets have: for tests that
 * compare the two. */
enum drop_reason decoder_walk(
	struct decoder *decoder, const struct packet *packet, struct packet_meta *ret_meta);

#endif
