/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The decoder: every vector means what its row says, and cut at any length it gives a reason
 * or a sane meta. What rows cannot say - tags, labels, addresses, fragments - follows as cases.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/decode.h"
#include "sensor/linktype.h"
#include "tests/decode_vectors.h"
#include "tests/unit.h"

#define STAMP_NS UINT64_C(1700000000123456789)
#define SECOND_NS UINT64_C(1000000000)

static struct decoder *new_decoder(int link_type, enum fragment_mode fragments)
{
	const struct decoder_config config = {
		.link_type = link_type,
		.fragments = fragments,
		.fragment_entries = 16,
		.hash_key = { 1, 2 },
	};
	struct decoder *decoder = NULL;
	assert_int_equal(decoder_new(&config, &decoder), 0);
	return decoder;
}

/* From memory of exactly .length octets, so that a sanitizer sees every octet too far. */
static enum drop_reason decode_exact(struct decoder *decoder, const uint8_t *bytes,
	size_t length, struct packet *packet, struct packet_meta *ret_meta)
{
	uint8_t *exact = malloc(length ? length : 1);
	assert_non_null(exact);
	memcpy(exact, bytes, length);
	packet->bytes = exact;
	packet->captured_bytes = (uint32_t)length;
	if (packet->wire_bytes == 0)
		packet->wire_bytes = (uint32_t)length;
	memset(ret_meta, 0xa5, sizeof(*ret_meta));
	enum drop_reason reason = decoder_decode(decoder, packet, ret_meta);
	free(exact);
	return reason;
}

static enum drop_reason decode_hex(struct decoder *decoder, const char *hex, uint64_t stamp_ns,
	struct packet_meta *ret_meta)
{
	uint8_t bytes[VECTOR_BYTES_MAX];
	struct packet packet = { .stamp_ns = stamp_ns };
	return decode_exact(decoder, bytes, vector_bytes(hex, bytes), &packet, ret_meta);
}

static void check_addresses(const struct packet_meta *meta)
{
	static const uint8_t v4[2][16] = { { 10, 1, 0, 1 }, { 10, 2, 0, 2 } };
	static const uint8_t v6[2][16] = { { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 },
		{ 0x20, 0x01, 0x0d, 0xb8, [15] = 2 } };
	const uint8_t(*addresses)[16] = meta->ip_version == 4 ? v4 : v6;
	assert_memory_equal(meta->source, addresses[0], 16);
	assert_memory_equal(meta->destination, addresses[1], 16);
}

static void check_vector(void **state)
{
	const struct decode_vector *row = *state;
	struct decoder *decoder = new_decoder(row->link_type, FRAGMENTS_SEPARATE);
	uint8_t bytes[VECTOR_BYTES_MAX];
	struct packet packet = { .stamp_ns = STAMP_NS, .wire_bytes = row->wire_bytes };
	struct packet_meta meta;

	size_t length = vector_bytes(row->hex, bytes);
	enum drop_reason reason = decode_exact(decoder, bytes, length, &packet, &meta);
	decoder_free(decoder);

	assert_string_equal(drop_reasons[reason].name, drop_reasons[row->reason].name);
	if (reason != DROP_NONE)
		return;
	assert_int_equal(meta.stamp_ns, STAMP_NS);
	assert_int_equal(meta.packets, 1);
	assert_int_equal(meta.octets, row->meta.octets);
	assert_int_equal(meta.ip_version, row->meta.ip_version);
	assert_int_equal(meta.protocol, row->meta.protocol);
	assert_int_equal(meta.source_port, row->meta.source_port);
	assert_int_equal(meta.destination_port, row->meta.destination_port);
	assert_int_equal(meta.tcp_flags, row->meta.tcp_flags);
	assert_int_equal(meta.tos, row->meta.tos);
	assert_int_equal(meta.flow_label, row->meta.flow_label);
	assert_int_equal(meta.vlan_id, row->meta.vlan_id);
	assert_int_equal(meta.inner_vlan_id, row->meta.inner_vlan_id);
	assert_int_equal(meta.mpls_count, row->meta.mpls_count);
	assert_int_equal(meta.if_index, row->meta.if_index);
	assert_int_equal(meta.is_icmp, row->meta.is_icmp);
	assert_int_equal(meta.is_fragment, row->meta.is_fragment);
	assert_int_equal(meta.is_outgoing, row->meta.is_outgoing);
	check_addresses(&meta);
}

/* What may be said of a packet of which only a part is there. */
static void check_cut(const struct decode_vector *row, enum drop_reason whole_reason,
	enum drop_reason reason, const struct packet_meta *meta)
{
	if (reason != DROP_NONE)
		return;
	assert_int_equal(whole_reason, DROP_NONE);
	assert_int_equal(meta->ip_version, row->meta.ip_version);
	assert_int_equal(meta->octets, row->meta.octets);
	assert_int_equal(meta->vlan_id, row->meta.vlan_id);
	assert_true(meta->source_port == row->meta.source_port || meta->source_port == 0);
	assert_true(meta->tcp_flags == row->meta.tcp_flags || meta->tcp_flags == 0);
	check_addresses(meta);
}

static void cut_anywhere(const struct decode_vector *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct decoder *decoder = new_decoder(rows[i].link_type, FRAGMENTS_FOLLOW);
		uint8_t bytes[VECTOR_BYTES_MAX];
		size_t length = vector_bytes(rows[i].hex, bytes);
		for (size_t cut = 0; cut < length; cut++) {
			struct packet packet = { .wire_bytes = rows[i].wire_bytes };
			struct packet_meta meta;
			if (packet.wire_bytes == 0)
				packet.wire_bytes = (uint32_t)length;
			enum drop_reason reason =
				decode_exact(decoder, bytes, cut, &packet, &meta);
			/* a wire length that lies gives octets that depend on the cut */
			if (packet.wire_bytes >= length)
				check_cut(&rows[i], rows[i].reason, reason, &meta);
		}
		decoder_free(decoder);
	}
}

static void packet_cut_anywhere_is_dropped_or_counted_whole(void **state)
{
	cut_anywhere(link_vectors, link_vector_count);
	cut_anywhere(ip_vectors, ip_vector_count);
}

static void any_bytes_through_any_link_type_are_survived(void **state)
{
	const struct linktype_row *type;
	for (size_t t = 0; (type = linktype_at(t)); t++) {
		struct decoder *decoder = new_decoder(type->value, FRAGMENTS_FOLLOW);
		for (size_t i = 0; i < link_vector_count; i++) {
			struct packet_meta meta;
			if (decode_hex(decoder, link_vectors[i].hex, STAMP_NS, &meta) ==
				DROP_NONE)
				assert_true(meta.ip_version == 4 || meta.ip_version == 6);
		}
		decoder_free(decoder);
	}
}

static void unknown_link_type_is_refused(void **state)
{
	const struct decoder_config config = { .link_type = 195 };
	struct decoder *decoder = NULL;

	assert_int_equal(decoder_new(&config, &decoder), -EPROTONOSUPPORT);
	assert_null(decoder);
	decoder_free(decoder);
}

static void macs_are_those_of_the_ethernet_header(void **state)
{
	struct decoder *decoder = new_decoder(1, FRAGMENTS_SEPARATE);
	static const uint8_t source[6] = { 2, 0, 0, 0, 0, 1 };
	static const uint8_t destination[6] = { 2, 0, 0, 0, 0, 2 };
	struct packet_meta meta;

	assert_int_equal(decode_hex(decoder, MACS "0800 " UDP4, 0, &meta), DROP_NONE);

	assert_memory_equal(meta.source_mac, source, 6);
	assert_memory_equal(meta.destination_mac, destination, 6);
	decoder_free(decoder);
}

static void macs_of_wifi_are_the_ends_not_the_relay(void **state)
{
	static const char *const rows[] = {
		"0801 0000 0200000000aa 020000000001 020000000002 1000 aaaa03000000 0800 " UDP4,
		"0802 0000 020000000002 0200000000aa 020000000001 1000 aaaa03000000 0800 " UDP4,
		"0800 0000 020000000002 020000000001 0200000000aa 1000 aaaa03000000 0800 " UDP4,
		"0803 0000 0200000000aa 0200000000bb 020000000002 1000 020000000001 "
		"aaaa03000000 0800 " UDP4,
	};
	static const uint8_t source[6] = { 2, 0, 0, 0, 0, 1 };
	static const uint8_t destination[6] = { 2, 0, 0, 0, 0, 2 };
	struct decoder *decoder = new_decoder(105, FRAGMENTS_SEPARATE);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct packet_meta meta;
		assert_int_equal(decode_hex(decoder, rows[i], 0, &meta), DROP_NONE);
		assert_memory_equal(meta.source_mac, source, 6);
		assert_memory_equal(meta.destination_mac, destination, 6);
	}
	decoder_free(decoder);
}

static void mpls_labels_are_kept_topmost_first(void **state)
{
	struct decoder *decoder = new_decoder(1, FRAGMENTS_SEPARATE);
	struct packet_meta meta;

	/* label 16, TC 3, TTL 64; label 17, TC 0, bottom */
	const char *hex = MACS "8847 00010640 00011140 " UDP4;
	assert_int_equal(decode_hex(decoder, hex, 0, &meta), DROP_NONE);

	assert_int_equal(meta.mpls_count, 2);
	assert_int_equal(meta.mpls[0], 0x000106);
	assert_int_equal(meta.mpls[1], 0x000111);
	decoder_free(decoder);
}

/* .count copies of .word, then .rest, behind .head; decoded as Ethernet. */
static enum drop_reason decode_repeated(
	const char *head, const char *word, unsigned count, const char *rest)
{
	struct decoder *decoder = new_decoder(1, FRAGMENTS_SEPARATE);
	size_t capacity = 1u << 18;
	uint8_t *bytes = malloc(capacity);
	assert_non_null(bytes);
	size_t length = vector_bytes(head, bytes);
	for (unsigned i = 0; i < count; i++)
		length += vector_bytes(word, bytes + length);
	length += vector_bytes(rest, bytes + length);
	assert_true(length < capacity);
	struct packet packet = { .wire_bytes = (uint32_t)length };
	struct packet_meta meta;
	enum drop_reason reason = decode_exact(decoder, bytes, length, &packet, &meta);
	free(bytes);
	decoder_free(decoder);
	return reason;
}

static void mpls_stack_is_bounded(void **state)
{
	const char *head = MACS "8847 ", *label = "00010040", *end = "00010140 " UDP4;

	assert_int_equal(decode_repeated(head, label, 16383, end), DROP_NONE);
	assert_int_equal(decode_repeated(head, label, 16384, end), DROP_MPLS_TOO_DEEP);
}

static void vlan_stack_is_bounded(void **state)
{
	const char *head = MACS, *tag = "8100 0001", *end = "0800 " UDP4;

	assert_int_equal(decode_repeated(head, tag, 63, end), DROP_NONE);
	assert_int_equal(decode_repeated(head, tag, 64, end), DROP_VLAN_TOO_DEEP);
}

static void extension_chain_is_bounded(void **state)
{
	/* a jumbogram, so that the length allows the chain: destination options without end */
	const char *head = MACS "86dd 60000000 0000 00 40 " ADDRESSES6 "3c00 c204 00030000 ";
	const char *options = "3c00 0104 00000000";

	assert_int_equal(decode_repeated(head, options, 8000, ""), DROP_NONE);
	assert_int_equal(decode_repeated(head, options, 8192, ""), DROP_IPV6_CHAIN_TOO_LONG);
}

static void tag_that_the_kernel_took_off_is_the_outermost(void **state)
{
	struct decoder *decoder = new_decoder(1, FRAGMENTS_SEPARATE);
	uint8_t bytes[VECTOR_BYTES_MAX];
	struct packet packet = { .vlan_tpid = 0x88a8, .vlan_tci = 0xa064 };
	struct packet_meta meta;

	size_t length = vector_bytes(MACS "8100 0007 0800 " UDP4, bytes);
	assert_int_equal(decode_exact(decoder, bytes, length, &packet, &meta), DROP_NONE);

	assert_int_equal(meta.vlan_id, 100);
	assert_int_equal(meta.inner_vlan_id, 7);
	decoder_free(decoder);
}

static void capture_facts_reach_the_meta(void **state)
{
	struct decoder *decoder = new_decoder(1, FRAGMENTS_SEPARATE);
	uint8_t bytes[VECTOR_BYTES_MAX];
	struct packet packet = { .stamp_ns = STAMP_NS, .if_index = 9, .is_outgoing = true };
	struct packet_meta meta;

	size_t length = vector_bytes(MACS "0800 " UDP4, bytes);
	assert_int_equal(decode_exact(decoder, bytes, length, &packet, &meta), DROP_NONE);

	assert_int_equal(meta.stamp_ns, STAMP_NS);
	assert_int_equal(meta.if_index, 9);
	assert_true(meta.is_outgoing);
	assert_int_equal(meta.ttl, 64);
	decoder_free(decoder);
}

/* IPv4, id 7: the first fragment of UDP 1000 > 53, and the one at octet 1480. */
#define FIRST4 "4500 001c 0007 2000 40 11 0000 0a010001 0a020002 03e8 0035 0bb8 0000"
#define LATER4 "4500 001c 0007 00b9 40 11 0000 0a010001 0a020002 4141 4141 4141 4141"

static void later_fragment_follows_its_first(void **state)
{
	struct decoder *decoder = new_decoder(101, FRAGMENTS_FOLLOW);
	struct packet_meta meta;

	assert_int_equal(decode_hex(decoder, FIRST4, STAMP_NS, &meta), DROP_NONE);
	assert_int_equal(decode_hex(decoder, LATER4, STAMP_NS + SECOND_NS, &meta), DROP_NONE);

	assert_int_equal(meta.source_port, 1000);
	assert_int_equal(meta.destination_port, 53);
	assert_true(meta.is_fragment);
	assert_false(meta.awaits_first);
	decoder_free(decoder);
}

static void first_fragment_begins_a_datagram(void **state)
{
	struct decoder *decoder = new_decoder(101, FRAGMENTS_FOLLOW);
	struct packet_meta meta;

	assert_int_equal(decode_hex(decoder, FIRST4, STAMP_NS, &meta), DROP_NONE);

	assert_true(meta.begins_datagram);
	assert_false(meta.awaits_first);
	assert_int_equal(meta.fragment_id, 7);
	decoder_free(decoder);
}

static void later_fragment_without_first_has_no_ports(void **state)
{
	struct decoder *decoder = new_decoder(101, FRAGMENTS_FOLLOW);
	struct packet_meta meta;

	assert_int_equal(decode_hex(decoder, LATER4, STAMP_NS, &meta), DROP_NONE);

	assert_int_equal(meta.source_port, 0);
	assert_int_equal(meta.destination_port, 0);
	assert_int_equal(meta.protocol, 17);
	assert_true(meta.awaits_first);
	assert_false(meta.begins_datagram);
	assert_int_equal(meta.fragment_id, 7);
	decoder_free(decoder);
}

static void separate_fragments_have_no_ports(void **state)
{
	struct decoder *decoder = new_decoder(101, FRAGMENTS_SEPARATE);
	struct packet_meta meta;

	assert_int_equal(decode_hex(decoder, FIRST4, STAMP_NS, &meta), DROP_NONE);
	assert_false(meta.begins_datagram);
	assert_int_equal(decode_hex(decoder, LATER4, STAMP_NS, &meta), DROP_NONE);

	assert_int_equal(meta.source_port, 0);
	assert_false(meta.awaits_first);
	decoder_free(decoder);
}

static void later_fragment_of_icmp_has_its_type(void **state)
{
	struct decoder *decoder = new_decoder(101, FRAGMENTS_FOLLOW);
	struct packet_meta meta;

	/* id 8; echo request */
	decode_hex(decoder,
		"4500 001c 0008 2000 40 01 0000 0a010001 0a020002 0800 0000 0001 0001",
		STAMP_NS, &meta);
	decode_hex(decoder,
		"4500 001c 0008 00b9 40 01 0000 0a010001 0a020002 4141 4141 4141 4141",
		STAMP_NS, &meta);

	assert_int_equal(meta.source_port, 0x0800);
	assert_int_equal(meta.destination_port, 0x0000);
	assert_true(meta.is_icmp);
	decoder_free(decoder);
}

static void later_ipv6_fragment_has_the_protocol_of_its_first(void **state)
{
	struct decoder *decoder = new_decoder(101, FRAGMENTS_FOLLOW);
	struct packet_meta meta;

	/* fragment header, id 9, first: destination options, then UDP 1000 > 53 */
	decode_hex(decoder,
		"60000000 0018 2c 40 " ADDRESSES6
		"3c00 0001 00000009 1100 0104 00000000 03e8 0035 0bb8 0000",
		STAMP_NS, &meta);
	assert_int_equal(meta.protocol, 17);
	decode_hex(decoder,
		"60000000 0010 2c 40 " ADDRESSES6 "3c00 05a8 00000009 4141414141414141",
		STAMP_NS, &meta);

	assert_int_equal(meta.protocol, 17);
	assert_int_equal(meta.source_port, 1000);
	assert_int_equal(meta.destination_port, 53);
	decoder_free(decoder);
}

static void later_ipv6_fragment_is_icmp_if_its_first_is(void **state)
{
	struct decoder *decoder = new_decoder(101, FRAGMENTS_FOLLOW);
	struct packet_meta meta;

	/* first: destination options, then ICMPv6 echo request */
	decode_hex(decoder,
		"60000000 0018 2c 40 " ADDRESSES6
		"3c00 0001 00000009 3a00 0104 00000000 8000 0000 0001 0001",
		STAMP_NS, &meta);
	assert_true(meta.is_icmp);
	decode_hex(decoder,
		"60000000 0010 2c 40 " ADDRESSES6 "3c00 05a8 00000009 4141414141414141",
		STAMP_NS, &meta);

	assert_true(meta.is_icmp);
	assert_int_equal(meta.source_port, 0x8000);
	assert_int_equal(meta.destination_port, 0x8100);
	decoder_free(decoder);
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(packet_cut_anywhere_is_dropped_or_counted_whole),
	cmocka_unit_test(any_bytes_through_any_link_type_are_survived),
	cmocka_unit_test(unknown_link_type_is_refused),
	cmocka_unit_test(macs_are_those_of_the_ethernet_header),
	cmocka_unit_test(macs_of_wifi_are_the_ends_not_the_relay),
	cmocka_unit_test(mpls_labels_are_kept_topmost_first),
	cmocka_unit_test(mpls_stack_is_bounded),
	cmocka_unit_test(vlan_stack_is_bounded),
	cmocka_unit_test(extension_chain_is_bounded),
	cmocka_unit_test(tag_that_the_kernel_took_off_is_the_outermost),
	cmocka_unit_test(capture_facts_reach_the_meta),
	cmocka_unit_test(later_fragment_follows_its_first),
	cmocka_unit_test(first_fragment_begins_a_datagram),
	cmocka_unit_test(later_fragment_without_first_has_no_ports),
	cmocka_unit_test(separate_fragments_have_no_ports),
	cmocka_unit_test(later_fragment_of_icmp_has_its_type),
	cmocka_unit_test(later_ipv6_fragment_has_the_protocol_of_its_first),
	cmocka_unit_test(later_ipv6_fragment_is_icmp_if_its_first_is),
};
#define CASE_COUNT (sizeof(cases) / sizeof(cases[0]))

static struct CMUnitTest *add_vectors(
	struct CMUnitTest *at, const struct decode_vector *rows, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		*at++ = (struct CMUnitTest){
			.name = rows[i].fact,
			.test_func = check_vector,
			.initial_state = (void *)(uintptr_t)&rows[i],
		};
	}
	return at;
}

int main(int argc, char **argv)
{
	size_t count = CASE_COUNT + link_vector_count + ip_vector_count;
	struct CMUnitTest *tests = calloc(count, sizeof(*tests));
	if (!tests)
		return 1;
	memcpy(tests, cases, sizeof(cases));
	struct CMUnitTest *at =
		add_vectors(tests + CASE_COUNT, link_vectors, link_vector_count);
	add_vectors(at, ip_vectors, ip_vector_count);
	int failed = unit_run(argc, argv, "decode", tests, count);
	free(tests);
	return failed;
}
