/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPv4 (RFC 791) and IPv6 with its extension headers (RFC 8200, RFC 4302, RFC 2675).
 *
 * Octets are what the IP header claims. The cursor is cut to that length before the transport
 * header is read, so that link padding is never taken for ports. A claim of zero is what
 * kernels write into super-packets; there the frame's own length counts.
 */
#include "sensor/decode_step.h"

enum {
	IPV4_HEADER_BYTES = 20,
	IPV4_MORE_FRAGMENTS = 0x2000,
	IPV4_OFFSET_MASK = 0x1fff,
	IPV6_HEADER_BYTES = 40,
	IPV6_MORE_FRAGMENTS = 0x0001,
	IPV6_OFFSET_MASK = 0xfff8,
};

/* Extension headers. Mobility, HIP and Shim6 have the form too, but end the chain for metering.
 */
enum {
	EXTENSION_HOP_BY_HOP = 0,
	EXTENSION_ROUTING = 43,
	EXTENSION_FRAGMENT = 44,
	EXTENSION_AUTHENTICATION = 51,
	EXTENSION_NONE = 59,
	EXTENSION_DESTINATION = 60,
};

enum {
	EXTENSION_BYTES_MIN = 8,
	EXTENSION_DEPTH_MAX = 64 * 1024 / EXTENSION_BYTES_MIN,
	OPTION_PAD1 = 0x00,
	OPTION_JUMBO = 0xc2,
	OPTION_JUMBO_BYTES = 4,
	OPTIONS_BYTES_MAX = 256 * 8,
};

static enum drop_reason decode_ip4(struct cursor *in, uint64_t wire_bytes,
	struct packet_meta *meta, struct ip_shape *shape)
{
	struct cursor header;
	if (!cursor_split(in, IPV4_HEADER_BYTES, &header))
		return DROP_TRUNCATED_IPV4;
	uint8_t version_and_words = cursor_u8(&header);
	meta->tos = cursor_u8(&header);
	uint16_t total_bytes = cursor_be16(&header);
	shape->fragment_id = cursor_be16(&header);
	uint16_t fragment = cursor_be16(&header);
	meta->ttl = cursor_u8(&header);
	meta->protocol = cursor_u8(&header);
	cursor_skip(&header, 2); /* checksum */
	cursor_copy(&header, meta->source, 4);
	cursor_copy(&header, meta->destination, 4);

	shape->header_bytes = (version_and_words & 0xf) * 4u;
	if (version_and_words >> 4 != 4)
		return DROP_BAD_IP_VERSION;
	if (shape->header_bytes < IPV4_HEADER_BYTES)
		return DROP_BAD_IPV4_HEADER;
	if (total_bytes != 0 && total_bytes < shape->header_bytes)
		return DROP_BAD_IPV4_LENGTH;
	meta->octets = total_bytes ? total_bytes : wire_bytes;
	meta->is_fragment = fragment & (IPV4_MORE_FRAGMENTS | IPV4_OFFSET_MASK);
	if (fragment & IPV4_OFFSET_MASK)
		shape->part = FRAGMENT_LATER;
	else if (fragment & IPV4_MORE_FRAGMENTS)
		shape->part = FRAGMENT_FIRST;

	cursor_limit(in, meta->octets - IPV4_HEADER_BYTES);
	cursor_skip(in, shape->header_bytes - IPV4_HEADER_BYTES); /* options */
	shape->has_transport = !in->failed && shape->part != FRAGMENT_LATER;
	return DROP_NONE;
}

/*
 * The packet length that a jumbo payload option in the hop-by-hop header announces (RFC 2675),
 * or 0. A header that holds nothing else is what the kernel puts into its own super-packets,
 * and takes out again before the wire.
 */
static uint64_t read_jumbo_bytes(struct cursor in, struct ip_shape *shape)
{
	if (in.left < EXTENSION_BYTES_MIN)
		return 0;
	cursor_skip(&in, 1);
	size_t header_bytes = (cursor_u8(&in) + 1u) * 8;
	cursor_limit(&in, header_bytes - 2);
	for (unsigned i = 0; i < OPTIONS_BYTES_MAX && in.left; i++) {
		uint8_t type = cursor_u8(&in);
		if (type == OPTION_PAD1)
			continue;
		uint8_t length = cursor_u8(&in);
		if (type == OPTION_JUMBO && length == OPTION_JUMBO_BYTES && in.left >= length) {
			if (header_bytes == EXTENSION_BYTES_MIN)
				shape->kernel_only_bytes = EXTENSION_BYTES_MIN;
			return IPV6_HEADER_BYTES + (uint64_t)cursor_be32(&in);
		}
		cursor_skip(&in, length);
		if (in.failed)
			break;
	}
	return 0;
}

/* Payload length 0 is true for "no next header", and otherwise says: look elsewhere. */
static uint64_t read_ip6_bytes(const struct cursor *in, uint16_t payload_bytes, uint8_t next,
	uint64_t wire_bytes, struct ip_shape *shape)
{
	if (payload_bytes != 0 || next == EXTENSION_NONE)
		return IPV6_HEADER_BYTES + payload_bytes;
	uint64_t jumbo_bytes = next == EXTENSION_HOP_BY_HOP ? read_jumbo_bytes(*in, shape) : 0;
	return jumbo_bytes ? jumbo_bytes : wire_bytes;
}

/*
 * One extension header. Its first octet says what follows it, and is believed even when the
 * rest is cut off. False: cut off.
 */
static bool decode_extension(struct cursor *in, struct packet_meta *meta)
{
	bool is_authentication = meta->protocol == EXTENSION_AUTHENTICATION;
	struct cursor header = *in;
	uint8_t next = cursor_u8(&header);
	if (!header.failed)
		meta->protocol = next;
	size_t length = cursor_u8(&header);
	if (header.failed)
		return false;
	cursor_skip(in, is_authentication ? (length + 2) * 4 : (length + 1) * 8);
	return !in->failed;
}

/* next 1, reserved 1, offset and flag 2, identification 4. False: cut off. */
static bool decode_fragment_header(
	struct cursor *in, struct packet_meta *meta, struct ip_shape *shape)
{
	meta->is_fragment = true;
	uint8_t next = cursor_u8(in);
	if (!in->failed)
		meta->protocol = next;
	cursor_skip(in, 1);
	uint16_t offset = cursor_be16(in);
	shape->fragment_id = cursor_be32(in);
	if (in->failed)
		return false;
	if (offset & IPV6_OFFSET_MASK)
		shape->part = FRAGMENT_LATER;
	else if (offset & IPV6_MORE_FRAGMENTS)
		shape->part = FRAGMENT_FIRST;
	return true;
}

/* Walk the chain; meta->protocol is the header that the cursor stands at. */
static enum drop_reason decode_extensions(
	struct cursor *in, struct packet_meta *meta, struct ip_shape *shape)
{
	for (unsigned depth = 0; depth < EXTENSION_DEPTH_MAX; depth++) {
		switch (meta->protocol) {
		case EXTENSION_HOP_BY_HOP:
		case EXTENSION_ROUTING:
		case EXTENSION_DESTINATION:
		case EXTENSION_AUTHENTICATION:
			if (!decode_extension(in, meta))
				return DROP_NONE;
			break;
		case EXTENSION_FRAGMENT:
			if (!decode_fragment_header(in, meta, shape))
				return DROP_NONE;
			if (shape->part == FRAGMENT_LATER)
				return DROP_NONE;
			break;
		default:
			shape->has_transport = true;
			return DROP_NONE;
		}
	}
	return DROP_IPV6_CHAIN_TOO_LONG;
}

static enum drop_reason decode_ip6(struct cursor *in, uint64_t wire_bytes,
	struct packet_meta *meta, struct ip_shape *shape)
{
	struct cursor header;
	if (!cursor_split(in, IPV6_HEADER_BYTES, &header))
		return DROP_TRUNCATED_IPV6;
	uint32_t version_class_label = cursor_be32(&header);
	if (version_class_label >> 28 != 6)
		return DROP_BAD_IP_VERSION;
	meta->tos = version_class_label >> 20 & 0xff;
	meta->flow_label = version_class_label & 0xfffff;
	uint16_t payload_bytes = cursor_be16(&header);
	meta->protocol = cursor_u8(&header);
	meta->ttl = cursor_u8(&header);
	cursor_copy(&header, meta->source, sizeof(meta->source));
	cursor_copy(&header, meta->destination, sizeof(meta->destination));

	meta->octets = read_ip6_bytes(in, payload_bytes, meta->protocol, wire_bytes, shape);
	cursor_limit(in, meta->octets - IPV6_HEADER_BYTES);
	size_t before_bytes = in->left;
	enum drop_reason reason = decode_extensions(in, meta, shape);
	shape->header_bytes = IPV6_HEADER_BYTES + (uint32_t)(before_bytes - in->left);
	return reason;
}

enum drop_reason decode_ip(struct cursor *in, uint64_t wire_bytes, struct packet_meta *meta,
	struct ip_shape *ret_shape)
{
	*ret_shape = (struct ip_shape){ 0 };
	enum drop_reason reason = meta->ip_version == 4
					  ? decode_ip4(in, wire_bytes, meta, ret_shape)
					  : decode_ip6(in, wire_bytes, meta, ret_shape);
	meta->is_icmp = decode_transport_is_icmp(meta);
	return reason;
}
