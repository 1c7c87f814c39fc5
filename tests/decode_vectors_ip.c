/* SPDX-License-Identifier: BSD-2-Clause */
/* IPv4, IPv6 with its extension headers, and transport headers, as raw IP packets. */
#include "tests/decode_vectors.h"

enum {
	ETHERNET = 1,
	RAW = 101,
};

/* The two ends, in IPv4. */
#define ADDRESSES4 "0a010001 0a020002 "

#define DNS_PORTS .source_port = 1000, .destination_port = 53
#define WEB_PORTS .source_port = 1000, .destination_port = 80
#define ODD_PORTS .source_port = 0x1234, .destination_port = 0x5678

/* clang-format off */
const struct decode_vector ip_vectors[] = {
	/* -- IPv4: version and words, ToS, length, id, fragment, TTL, protocol, checksum ------ */
	{ "ipv4_options_are_skipped", RAW,
	  "4600 0020 0007 0000 40 11 0000 " ADDRESSES4 "94040000 03e8 0035 0008 0000",
	  .meta = { .ip_version = 4, .protocol = 17, DNS_PORTS, .octets = 32 } },
	{ "ipv4_options_cut_off_are_counted_without_ports", RAW,
	  "4f00 0064 0007 0000 40 11 0000 " ADDRESSES4 "94040000", .wire_bytes = 100,
	  .meta = { .ip_version = 4, .protocol = 17, .octets = 100 } },
	{ "ipv4_tos_is_kept", RAW, "45b8 0014 0007 0000 40 fd 0000 " ADDRESSES4,
	  .meta = { .ip_version = 4, .protocol = 253, .tos = 0xb8, .octets = 20 } },
	{ "ipv4_claimed_length_counts_when_cut_off", RAW,
	  "4500 05dc 0007 4000 40 11 0000 " ADDRESSES4 "03e8 0035 05c8 0000",
	  .wire_bytes = 1500,
	  .meta = { .ip_version = 4, .protocol = 17, DNS_PORTS, .octets = 1500 } },
	{ "ipv4_length_0_counts_the_frame", ETHERNET,
	  MACS "0800 4500 0000 0007 0000 40 06 0000 "
	  ADDRESSES4 "03e8 0050 00000001 00000001 5010",
	  .wire_bytes = 5014,
	  .meta = { .ip_version = 4, .protocol = 6, WEB_PORTS, .octets = 5000,
		    .tcp_flags = TCP_ACK } },
	{ "ipv4_wire_length_below_the_captured_is_ignored", RAW,
	  "4500 0000 0007 0000 40 11 0000 " ADDRESSES4 "03e8 0035 0008 0000", .wire_bytes = 3,
	  .meta = { UDP4_META } },
	{ "ipv4_of_19_octets_is_truncated", RAW,
	  "4500 0014 0007 0000 40 11 0000 0a010001 0a0200",
	  .reason = DROP_TRUNCATED_IPV4 },
	{ "ipv4_version_is_checked", ETHERNET,
	  MACS "0800 5500 0014 0007 0000 40 11 0000 " ADDRESSES4,
	  .reason = DROP_BAD_IP_VERSION },
	{ "ipv4_header_of_4_words_is_bad", RAW, "4400 0014 0007 0000 40 11 0000 " ADDRESSES4,
	  .reason = DROP_BAD_IPV4_HEADER },
	{ "ipv4_length_below_its_header_is_bad", RAW,
	  "4500 0013 0007 0000 40 11 0000 " ADDRESSES4,
	  .reason = DROP_BAD_IPV4_LENGTH },

	/* -- fragments: flags 3 bits, offset 13 bits in units of 8 octets --------------------- */
	{ "ipv4_first_fragment_has_ports", RAW,
	  "4500 001c 0007 2000 40 11 0000 " ADDRESSES4 "03e8 0035 0bb8 0000",
	  .meta = { UDP4_META, .is_fragment = true } },
	{ "ipv4_later_fragment_has_none", RAW,
	  "4500 001c 0007 00b9 40 11 0000 " ADDRESSES4 "03e8 0035 0bb8 0000",
	  .meta = { .ip_version = 4, .protocol = 17, .octets = 28, .is_fragment = true } },
	{ "dont_fragment_is_no_fragment", RAW,
	  "4500 001c 0007 4000 40 11 0000 " ADDRESSES4 "03e8 0035 0008 0000",
	  .meta = { UDP4_META } },

	/* -- transport ------------------------------------------------------------------------ */
	{ "tcp_control_bits_are_12", RAW,
	  "4500 0028 0007 0000 40 06 0000 "
	  ADDRESSES4 "03e8 0050 00000001 00000001 5fd1 2000 0000 0000",
	  .meta = { .ip_version = 4, .protocol = 6, WEB_PORTS, .octets = 40,
		    .tcp_flags = 0xfd1 } },
	{ "tcp_of_13_octets_has_ports_and_no_bits", RAW,
	  "4500 0028 0007 0000 40 06 0000 " ADDRESSES4 "03e8 0050 00000001 00000001 50",
	  .wire_bytes = 40,
	  .meta = { .ip_version = 4, .protocol = 6, WEB_PORTS, .octets = 40 } },
	{ "ports_cut_in_half_are_none", RAW,
	  "4500 0028 0007 0000 40 06 0000 " ADDRESSES4 "03e8 00",
	  .wire_bytes = 40, .meta = { .ip_version = 4, .protocol = 6, .octets = 40 } },
	{ "padding_is_never_ports", ETHERNET,
	  MACS "0800 4500 0014 0007 0000 40 11 0000 " ADDRESSES4 "11111111 11111111 1111",
	  .meta = { .ip_version = 4, .protocol = 17, .octets = 20 } },
	{ "udp_lite_has_ports", RAW,
	  "4500 001c 0007 0000 40 88 0000 " ADDRESSES4 "1234 5678 0008 0000",
	  .meta = { .ip_version = 4, .protocol = 136, ODD_PORTS, .octets = 28 } },
	{ "sctp_has_ports", RAW,
	  "4500 0020 0007 0000 40 84 0000 " ADDRESSES4 "1234 5678 00000001 00000000",
	  .meta = { .ip_version = 4, .protocol = 132, ODD_PORTS, .octets = 32 } },
	{ "dccp_has_ports", RAW,
	  "4500 0020 0007 0000 40 21 0000 " ADDRESSES4 "1234 5678 06000000 00000000",
	  .meta = { .ip_version = 4, .protocol = 33, ODD_PORTS, .octets = 32 } },
	{ "gre_is_a_protocol_without_ports", RAW,
	  "4500 0034 0007 0000 40 2f 0000 " ADDRESSES4 "0000 0800 " UDP4,
	  .meta = { .ip_version = 4, .protocol = 47, .octets = 52 } },
	{ "ip_in_ip_is_the_outer_header", RAW,
	  "4500 0030 0007 0000 40 04 0000 " ADDRESSES4 UDP4,
	  .meta = { .ip_version = 4, .protocol = 4, .octets = 48 } },
	{ "esp_has_no_ports", RAW,
	  "4500 001c 0007 0000 40 32 0000 " ADDRESSES4 "12345678 00000001",
	  .meta = { .ip_version = 4, .protocol = 50, .octets = 28 } },

	/* -- ICMP: type, code, checksum ------------------------------------------------------- */
	{ "icmp_echo_is_paired_with_its_reply", RAW,
	  "4500 001c 0007 0000 40 01 0000 " ADDRESSES4 "08 00 0000 00010001",
	  .meta = { .ip_version = 4, .protocol = 1, .is_icmp = true, .source_port = 0x0800,
		    .destination_port = 0x0000, .octets = 28 } },
	{ "icmp_echo_reply_is_paired_with_its_echo", RAW,
	  "4500 001c 0007 0000 40 01 0000 " ADDRESSES4 "00 00 0000 00010001",
	  .meta = { .ip_version = 4, .protocol = 1, .is_icmp = true, .source_port = 0x0000,
		    .destination_port = 0x0800, .octets = 28 } },
	{ "icmp_error_has_no_pair", RAW,
	  "4500 0038 0007 0000 40 01 0000 " ADDRESSES4 "03 01 0000 00000000 " UDP4,
	  .meta = { .ip_version = 4, .protocol = 1, .is_icmp = true, .source_port = 0x0301,
		    .destination_port = 0x0301, .octets = 56 } },
	{ "icmp_of_two_octets_has_type_and_code", RAW,
	  "4500 001c 0007 0000 40 01 0000 " ADDRESSES4 "0d 00", .wire_bytes = 28,
	  .meta = { .ip_version = 4, .protocol = 1, .is_icmp = true, .source_port = 0x0d00,
		    .destination_port = 0x0e00, .octets = 28 } },
	{ "icmpv6_in_ipv4_is_not_icmp", RAW,
	  "4500 001c 0007 0000 40 3a 0000 " ADDRESSES4 "80 00 0000 00010001",
	  .meta = { .ip_version = 4, .protocol = 58, .octets = 28 } },
	{ "icmpv6_echo_is_paired_with_its_reply", RAW,
	  "60000000 0008 3a 40 " ADDRESSES6 "80 00 0000 00010001",
	  .meta = { .ip_version = 6, .protocol = 58, .is_icmp = true, .source_port = 0x8000,
		    .destination_port = 0x8100, .octets = 48 } },
	{ "icmpv6_advertisement_is_paired_with_solicitation", RAW,
	  "60000000 0008 3a ff " ADDRESSES6 "88 00 0000 60000000",
	  .meta = { .ip_version = 6, .protocol = 58, .is_icmp = true, .source_port = 0x8800,
		    .destination_port = 0x8700, .octets = 48 } },
	{ "icmp_in_ipv6_is_not_icmp", RAW,
	  "60000000 0008 01 40 " ADDRESSES6 "08 00 0000 00010001",
	  .meta = { .ip_version = 6, .protocol = 1, .octets = 48 } },

	/* -- IPv6: version, class, label; payload length, next header, hop limit -------------- */
	{ "ipv6_class_and_label_are_kept", RAW,
	  "6b812345 0008 11 40 " ADDRESSES6 "03e8 0035 0008 0000",
	  .meta = { UDP6_META, .tos = 0xb8, .flow_label = 0x12345 } },
	{ "ipv6_of_39_octets_is_truncated", RAW,
	  "60000000 0008 11 40 20010db8000000000000000000000001 20010db80000000000000000000000",
	  .reason = DROP_TRUNCATED_IPV6 },
	{ "ipv6_version_is_checked", ETHERNET,
	  MACS "86dd " UDP4 UDP4, .reason = DROP_BAD_IP_VERSION },
	/* next, length in units of 8 after the first, then options or data */
	{ "ipv6_extension_headers_are_walked", RAW,
	  "60000000 0020 00 40 " ADDRESSES6
	  "2b00 0502 0000 0100 " /* hop-by-hop: router alert; routing next */
	  "3c00 0000 00000000 " /* routing, none left; destination next */
	  "1100 0104 00000000 " /* destination options; UDP next */
	  "03e8 0035 0008 0000",
	  .meta = { .ip_version = 6, .protocol = 17, DNS_PORTS, .octets = 72 } },
	/* next, length in units of 4 less 2, reserved, SPI, sequence, check value of 12 */
	{ "ipv6_authentication_header_is_walked", RAW,
	  "60000000 0020 33 40 "
	  ADDRESSES6 "1104 0000 00000001 00000001 000000000000000000000000 "
	  "03e8 0035 0008 0000",
	  .meta = { .ip_version = 6, .protocol = 17, DNS_PORTS, .octets = 72 } },
	{ "ipv6_mobility_header_is_the_protocol", RAW,
	  "60000000 0008 87 40 " ADDRESSES6 "3b00 0000 0000 0000",
	  .meta = { .ip_version = 6, .protocol = 135, .octets = 48 } },
	{ "ipv6_no_next_header_is_a_protocol", RAW, "60000000 0000 3b 40 " ADDRESSES6,
	  .meta = { .ip_version = 6, .protocol = 59, .octets = 40 } },
	{ "ipv6_chain_cut_off_keeps_the_last_next_header", RAW,
	  "60000000 0020 00 40 " ADDRESSES6 "2b00 0502 0000 0100 3c01 0000", .wire_bytes = 72,
	  .meta = { .ip_version = 6, .protocol = 60, .octets = 72 } },
	{ "ipv6_chain_cut_before_a_header_keeps_its_number", RAW,
	  "60000000 0020 00 40 " ADDRESSES6 "2b00 0502 0000 0100", .wire_bytes = 72,
	  .meta = { .ip_version = 6, .protocol = 43, .octets = 72 } },
	{ "ipv6_chain_ends_with_the_ip_length", RAW,
	  "60000000 0008 00 40 " ADDRESSES6 "1100 0502 0000 0100 03e8 0035 0008 0000",
	  .meta = { .ip_version = 6, .protocol = 17, .octets = 48 } },
	/* next, reserved, offset and more-fragments flag, identification */
	{ "ipv6_first_fragment_has_ports", RAW,
	  "60000000 0010 2c 40 " ADDRESSES6 "1100 0001 00000009 03e8 0035 0bb8 0000",
	  .meta = { .ip_version = 6, .protocol = 17, DNS_PORTS, .octets = 56,
		    .is_fragment = true } },
	{ "ipv6_later_fragment_has_none", RAW,
	  "60000000 0010 2c 40 " ADDRESSES6 "1100 05a8 00000009 03e8 0035 0bb8 0000",
	  .meta = { .ip_version = 6, .protocol = 17, .octets = 56, .is_fragment = true } },
	{ "ipv6_atomic_fragment_has_ports", RAW,
	  "60000000 0010 2c 40 " ADDRESSES6 "1100 0000 00000009 03e8 0035 0008 0000",
	  .meta = { .ip_version = 6, .protocol = 17, DNS_PORTS, .octets = 56,
		    .is_fragment = true } },
	/* hop-by-hop with jumbo option c2, 4 octets: payload 70008 */
	{ "ipv6_jumbo_option_gives_the_length", RAW,
	  "60000000 0000 00 40 " ADDRESSES6 "1100 c204 00011178 03e8 0035 0000 0000",
	  .wire_bytes = 70048,
	  .meta = { .ip_version = 6, .protocol = 17, DNS_PORTS, .octets = 70048 } },
	{ "ipv6_jumbo_option_may_follow_padding", RAW,
	  "60000000 0000 00 40 "
	  ADDRESSES6 "1101 00 00 0101 00 00 c204 00011178 0000 03e8 0035",
	  .wire_bytes = 70048,
	  .meta = { .ip_version = 6, .protocol = 17, DNS_PORTS, .octets = 70048 } },
	{ "ipv6_length_0_counts_the_frame", ETHERNET,
	  MACS "86dd 60000000 0000 11 40 " ADDRESSES6 "03e8 0035 0000 0000", .wire_bytes = 5014,
	  .meta = { .ip_version = 6, .protocol = 17, DNS_PORTS, .octets = 5000 } },
};
/* clang-format on */

const size_t ip_vector_count = sizeof(ip_vectors) / sizeof(ip_vectors[0]);
