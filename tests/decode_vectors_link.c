/* SPDX-License-Identifier: BSD-2-Clause */
/* Link layers and what they are wrapped in: one row per framing, one per way out. */
#include "tests/decode_vectors.h"

/* LINKTYPE_ values */
enum {
	NULL_FAMILY = 0,
	ETHERNET = 1,
	PPP = 9,
	RAW = 101,
	PPP_SERIAL = 50,
	PPPOE = 51,
	C_HDLC = 104,
	WIFI = 105,
	FRAME_RELAY = 107,
	LOOP = 108,
	SLL = 113,
	PFLOG = 117,
	PRISM = 119,
	RADIOTAP = 127,
	AVS = 163,
	RAW4 = 228,
	RAW6 = 229,
	SLL2 = 276,
};

/* LLC aa aa 03, SNAP OUI 00 00 00; the ethertype follows. */
#define SNAP "aaaa03 000000 "

/* Four octets of Prism's fields. */
#define FOUR "00000000 "
#define TEN(x) x x x x x x x x x x

/* clang-format off */
const struct decode_vector link_vectors[] = {
	/* -- Ethernet ------------------------------------------------------------------------- */
	{ "ethernet_carries_ipv4", ETHERNET, MACS "0800 " TCP4, .meta = { TCP4_META } },
	{ "ethernet_carries_ipv6", ETHERNET, MACS "86dd " UDP6, .meta = { UDP6_META } },
	{ "padding_after_ip_is_not_counted", ETHERNET,
	  MACS "0800 " UDP4 "000000000000000000000000000000000000 deadbeef",
	  .meta = { UDP4_META } },
	{ "arp_is_named", ETHERNET,
	  MACS "0806 0001 0800 06 04 0001 020000000001 0a010001 000000000000 0a020002",
	  .reason = DROP_ARP },
	{ "other_ethertype_is_not_ip", ETHERNET, MACS "88cc 0207 04 020000000001",
	  .reason = DROP_NOT_IP },
	{ "ethertype_between_length_and_type_is_not_ip", ETHERNET, MACS "05dd " UDP4,
	  .reason = DROP_NOT_IP },
	{ "ethernet_of_13_octets_is_truncated", ETHERNET,
	  MACS "08", .reason = DROP_TRUNCATED_LINK },
	{ "no_octets_are_truncated", ETHERNET, "", .reason = DROP_TRUNCATED_LINK },

	/* -- VLAN: TPID, priority 1 and id, next type ----------------------------------------- */
	{ "vlan_id_is_12_bits", ETHERNET, MACS "8100 2064 0800 " UDP4,
	  .meta = { UDP4_META, .vlan_id = 100 } },
	{ "outer_and_inner_vlan_are_kept", ETHERNET, MACS "88a8 0064 8100 00c8 0800 " UDP4,
	  .meta = { UDP4_META, .vlan_id = 100, .inner_vlan_id = 200 } },
	{ "third_vlan_tag_is_walked", ETHERNET, MACS "9100 0064 88a8 00c8 8100 012c 86dd " UDP6,
	  .meta = { UDP6_META, .vlan_id = 100, .inner_vlan_id = 200 } },
	{ "priority_tag_is_vlan_0", ETHERNET, MACS "8100 e000 8100 0005 0800 " UDP4,
	  .meta = { UDP4_META, .vlan_id = 0, .inner_vlan_id = 5 } },
	{ "vlan_tag_without_a_type_is_truncated", ETHERNET, MACS "8100 0064 08",
	  .reason = DROP_TRUNCATED_VLAN },

	/* -- LLC: length, DSAP, SSAP, control ------------------------------------------------- */
	{ "snap_carries_an_ethertype", ETHERNET, MACS "0024 " SNAP "0800 " UDP4,
	  .meta = { UDP4_META } },
	{ "snap_of_a_bridge_tunnel_carries_an_ethertype", ETHERNET,
	  MACS "0038 aaaa03 0000f8 86dd " UDP6, .meta = { UDP6_META } },
	{ "snap_may_carry_a_vlan_tag", ETHERNET, MACS "0028 " SNAP "8100 0009 0800 " UDP4,
	  .meta = { UDP4_META, .vlan_id = 9 } },
	{ "llc_sap_6_is_ipv4", ETHERNET, MACS "001f 060603 " UDP4, .meta = { UDP4_META } },
	{ "spanning_tree_is_llc_without_ip", ETHERNET, MACS "0026 424203 0000 00 00 00",
	  .reason = DROP_LLC_NOT_IP },
	{ "snap_of_a_vendor_is_not_ip", ETHERNET, MACS "0024 aaaa03 00000c 2000 02b4",
	  .reason = DROP_LLC_NOT_IP },
	{ "snap_cut_off_is_truncated", ETHERNET, MACS "0024 aaaa03 0000",
	  .reason = DROP_TRUNCATED_LLC },

	/* -- MPLS: label 20, TC 3, bottom 1, TTL 8 bits --------------------------------------- */
	{ "mpls_bottom_leads_to_ipv4", ETHERNET, MACS "8847 00010140 " UDP4,
	  .meta = { UDP4_META, .mpls_count = 1 } },
	{ "mpls_stack_leads_to_ipv6", ETHERNET, MACS "8848 00010040 00011040 00012140 " UDP6,
	  .meta = { UDP6_META, .mpls_count = 3 } },
	{ "mpls_labels_past_the_tenth_are_walked", ETHERNET,
	  MACS "8847 " TEN("00010040 ") "00010040 00010140 " UDP4,
	  .meta = { UDP4_META, .mpls_count = META_MPLS_MAX } },
	{ "mpls_pseudo_wire_is_not_looked_into", ETHERNET,
	  MACS "8847 00010140 00000000 " MACS "0800 " UDP4,
	  .reason = DROP_MPLS_PSEUDO_WIRE },
	{ "mpls_without_bottom_is_truncated", ETHERNET, MACS "8847 00010040 00010040 00010040",
	  .reason = DROP_TRUNCATED_MPLS },
	{ "mpls_without_payload_is_truncated", ETHERNET, MACS "8847 00010140",
	  .reason = DROP_TRUNCATED_MPLS },

	/* -- PPPoE: version and type, code, session, length, PPP protocol --------------------- */
	{ "pppoe_session_carries_ipv4", ETHERNET, MACS "8864 11 00 0007 001e 0021 " UDP4,
	  .meta = { UDP4_META } },
	{ "pppoe_in_a_vlan_carries_ipv6", ETHERNET,
	  MACS "8100 0007 8864 11 00 0007 0032 0057 " UDP6,
	  .meta = { UDP6_META, .vlan_id = 7 } },
	{ "pppoe_discovery_is_not_ip", ETHERNET,
	  MACS "8863 11 09 0000 0000", .reason = DROP_NOT_IP },
	{ "pppoe_code_is_checked", ETHERNET, MACS "8864 11 a7 0007 001e 0021 " UDP4,
	  .reason = DROP_PPPOE_NOT_SESSION },
	{ "pppoe_is_a_link_type_too", PPPOE,
	  "11 00 0007 001e 0021 " UDP4, .meta = { UDP4_META } },
	{ "pppoe_cut_off_is_truncated", PPPOE, "11 00 0007", .reason = DROP_TRUNCATED_PPP },

	/* -- PPP ------------------------------------------------------------------------------ */
	{ "ppp_in_hdlc_framing", PPP, "ff03 0021 " UDP4, .meta = { UDP4_META } },
	{ "ppp_without_framing", PPP, "0057 " UDP6, .meta = { UDP6_META } },
	{ "ppp_protocol_may_be_one_octet", PPP_SERIAL, "ff03 21 " UDP4, .meta = { UDP4_META } },
	{ "ppp_carries_mpls", PPP, "ff03 0281 00010140 " UDP4,
	  .meta = { UDP4_META, .mpls_count = 1 } },
	{ "ppp_link_may_hold_cisco_hdlc", PPP, "0f00 0800 " UDP4, .meta = { UDP4_META } },
	{ "ppp_lcp_is_not_ip", PPP, "ff03 c021 01 01 0004", .reason = DROP_PPP_NOT_IP },
	{ "ppp_of_one_octet_is_truncated", PPP, "ff", .reason = DROP_TRUNCATED_PPP },
	{ "cisco_hdlc_carries_an_ethertype", C_HDLC, "0f00 86dd " UDP6, .meta = { UDP6_META } },
	{ "cisco_hdlc_carries_mpls", C_HDLC, "0f00 8847 00010140 " UDP4,
	  .meta = { UDP4_META, .mpls_count = 1 } },
	{ "cisco_keepalive_is_not_ip", C_HDLC, "8f00 8035 00000002 00000001 00000001 ffff",
	  .reason = DROP_NOT_IP },

	/* -- Frame Relay: Q.922 address (DLCI 100), control 03, NLPID ------------------------- */
	{ "frame_relay_nlpid_cc_is_ipv4", FRAME_RELAY,
	  "1841 03 cc " UDP4, .meta = { UDP4_META } },
	{ "frame_relay_nlpid_8e_is_ipv6", FRAME_RELAY,
	  "1841 03 8e " UDP6, .meta = { UDP6_META } },
	{ "frame_relay_address_may_be_4_octets", FRAME_RELAY, "18400001 03 cc " UDP4,
	  .meta = { UDP4_META } },
	{ "frame_relay_snap_carries_an_ethertype", FRAME_RELAY,
	  "1841 03 00 80 000000 0800 " UDP4,
	  .meta = { UDP4_META } },
	{ "frame_relay_carries_ppp", FRAME_RELAY,
	  "1841 03 cf 0021 " UDP4, .meta = { UDP4_META } },
	{ "frame_relay_of_cisco_carries_an_ethertype", FRAME_RELAY, "1841 0800 " UDP4,
	  .meta = { UDP4_META } },
	{ "frame_relay_lmi_is_not_ip", FRAME_RELAY, "0001 03 08 00 7d 01 01 00",
	  .reason = DROP_FRAME_RELAY_NOT_IP },
	{ "frame_relay_bridged_is_not_ip", FRAME_RELAY, "1841 03 00 80 0080c2 0007 " MACS,
	  .reason = DROP_FRAME_RELAY_NOT_IP },
	{ "frame_relay_address_is_two_octets_at_least", FRAME_RELAY, "19 03 cc " UDP4,
	  .reason = DROP_FRAME_RELAY_NOT_IP },
	{ "frame_relay_address_must_end", FRAME_RELAY, "18404040 4003 cc " UDP4,
	  .reason = DROP_FRAME_RELAY_NOT_IP },

	/* -- hosts ---------------------------------------------------------------------------- */
	{ "raw_tells_ipv4_by_its_nibble", RAW, UDP4, .meta = { UDP4_META } },
	{ "raw_tells_ipv6_by_its_nibble", 12, UDP6, .meta = { UDP6_META } },
	{ "raw_of_openbsd", 14, UDP4, .meta = { UDP4_META } },
	{ "raw_of_another_version_is_bad", RAW, "5500 001c", .reason = DROP_BAD_IP_VERSION },
	{ "raw_of_no_octets_is_truncated", RAW, "", .reason = DROP_TRUNCATED_LINK },
	{ "raw_ipv4", RAW4, UDP4, .meta = { UDP4_META } },
	{ "raw_ipv6", RAW6, UDP6, .meta = { UDP6_META } },
	{ "raw_ipv4_is_not_ipv6", RAW4, UDP6, .reason = DROP_BAD_IP_VERSION },
	{ "raw_ipv6_is_not_ipv4", RAW6, UDP4 UDP4, .reason = DROP_BAD_IP_VERSION },
	{ "null_family_2_is_ipv4", NULL_FAMILY, "02000000 " UDP4, .meta = { UDP4_META } },
	{ "null_family_28_is_ipv6_of_freebsd", NULL_FAMILY,
	  "1c000000 " UDP6, .meta = { UDP6_META } },
	{ "null_family_30_is_ipv6_of_darwin", NULL_FAMILY,
	  "0000001e " UDP6, .meta = { UDP6_META } },
	{ "loop_family_24_is_ipv6_of_openbsd", LOOP, "00000018 " UDP6, .meta = { UDP6_META } },
	{ "other_family_is_not_ip", LOOP, "00000007 " UDP4, .reason = DROP_FAMILY_NOT_IP },
	{ "family_cut_off_is_truncated", LOOP, "000000", .reason = DROP_TRUNCATED_LINK },
	/* direction 4 (sent), device 1 (Ethernet), address length 6, address 8, type */
	{ "sll_carries_an_ethertype", SLL, "0004 0001 0006 0200000000010000 0800 " UDP4,
	  .meta = { UDP4_META, .is_outgoing = true } },
	{ "sll_type_4_is_llc", SLL, "0000 0001 0006 0200000000010000 0004 " SNAP "86dd " UDP6,
	  .meta = { UDP6_META } },
	{ "sll_type_1_is_not_ip", SLL, "0000 0001 0006 0200000000010000 0001 " UDP4,
	  .reason = DROP_NOT_IP },
	{ "sll_of_netlink_is_not_ip", SLL, "0004 0338 0000 0000000000000000 0800 " UDP4,
	  .reason = DROP_DEVICE_NOT_IP },
	/* type, reserved, interface 3, device 1, direction 0, address length 6, address 8 */
	{ "sll2_carries_an_ethertype", SLL2,
	  "86dd 0000 00000003 0001 00 06 0200000000010000 " UDP6,
	  .meta = { UDP6_META, .if_index = 3 } },
	{ "sll2_carries_a_vlan_tag", SLL2,
	  "8100 0000 00000003 0001 00 06 0200000000010000 0009 0800 " UDP4,
	  .meta = { UDP4_META, .if_index = 3, .vlan_id = 9 } },
	{ "sll2_cut_off_is_truncated", SLL2,
	  "86dd 0000 00000003 0001", .reason = DROP_TRUNCATED_LINK },
	/* length 5 of 8 with padding, family, action, reason, interface name and padding */
	{ "pflog_length_is_rounded_up", PFLOG,
	  "05 02 00 00 65 000000 " UDP4, .meta = { UDP4_META } },
	{ "pflog_family_24_is_ipv6", PFLOG,
	  "08 18 00 00 65000000 " UDP6, .meta = { UDP6_META } },
	{ "pflog_longer_than_the_packet_is_truncated", PFLOG, "ff 02 00 00",
	  .reason = DROP_TRUNCATED_LINK },
	{ "pflog_of_length_0_is_truncated", PFLOG, "00 02 0000 " UDP4,
	  .reason = DROP_TRUNCATED_LINK },

	/* -- 802.11: frame control, duration, three addresses, sequence ----------------------- */
	{ "wifi_data_carries_llc", WIFI,
	  "0801 0000 0200000000aa 020000000001 020000000002 1000 " SNAP "0800 " UDP4,
	  .meta = { UDP4_META } },
	{ "wifi_qos_data_has_two_more_octets", WIFI,
	  "8802 0000 020000000002 0200000000aa 020000000001 1000 0000 " SNAP "86dd " UDP6,
	  .meta = { UDP6_META } },
	{ "wifi_ht_control_has_four_more", WIFI,
	  "8882 0000 020000000002 0200000000aa 020000000001 1000 0000 00000000 "
	  SNAP "0800 " UDP4,
	  .meta = { UDP4_META } },
	{ "wifi_between_access_points_has_four_addresses", WIFI,
	  "0803 0000 0200000000aa 0200000000bb 020000000002 1000 020000000001 "
	  SNAP "0800 " UDP4,
	  .meta = { UDP4_META } },
	{ "wifi_beacon_is_not_data", WIFI,
	  "8000 0000 ffffffffffff 0200000000aa 0200000000aa 1000 0000000000000000 6400 0104",
	  .reason = DROP_WIFI_NOT_DATA },
	{ "wifi_null_data_is_not_data", WIFI,
	  "4801 0000 0200000000aa 020000000001 020000000002 1000",
	  .reason = DROP_WIFI_NOT_DATA },
	{ "wifi_protected_data_is_encrypted", WIFI,
	  "0841 0000 0200000000aa 020000000001 020000000002 1000 01002000 00000000 8a3c",
	  .reason = DROP_WIFI_ENCRYPTED },
	{ "wifi_later_fragment_has_no_headers", WIFI,
	  "0801 0000 0200000000aa 020000000001 020000000002 1100 414141414141",
	  .reason = DROP_WIFI_LATER_FRAGMENT },
	{ "wifi_aggregate_is_named", WIFI,
	  "8801 0000 0200000000aa 020000000001 020000000002 1000 8000 " MACS "0024 "
	  SNAP "0800 " UDP4,
	  .reason = DROP_WIFI_AGGREGATE },
	{ "wifi_header_cut_off_is_truncated", WIFI, "0801 0000 0200000000aa 0200",
	  .reason = DROP_TRUNCATED_WIFI },
	/* version, padding, length 8, nothing present */
	{ "radiotap_without_fields_is_skipped", RADIOTAP,
	  "00 00 0800 00000000  0802 0000 020000000002 0200000000aa 020000000001 1000 "
	  SNAP "0800 " UDP4,
	  .meta = { UDP4_META } },
	/* length 25; TSFT and flags present, another word; TSFT at 16 after 4 of padding;
	 * flags 20: padded. QoS: 26 octets of header and 2 of padding */
	{ "radiotap_flags_tell_of_padding", RADIOTAP,
	  "00 00 1900 03000080 00000000 00000000 0000000000000000 20 "
	  "8802 0000 020000000002 0200000000aa 020000000001 1000 0000 0000 " SNAP "0800 " UDP4,
	  .meta = { UDP4_META } },
	{ "radiotap_shorter_than_itself_is_truncated", RADIOTAP, "00 00 0700 00000000",
	  .reason = DROP_TRUNCATED_WIFI },
	/* version 80211001, length 12, four octets of fields */
	{ "avs_is_skipped_by_its_length", AVS,
	  "80211001 0000000c 00000000  0802 0000 020000000002 0200000000aa 020000000001 1000 "
	  SNAP "0800 " UDP4, .meta = { UDP4_META } },
	{ "prism_may_be_avs", PRISM,
	  "80211001 0000000c 00000000  0802 0000 020000000002 0200000000aa 020000000001 1000 "
	  SNAP "0800 " UDP4, .meta = { UDP4_META } },
	/* message 44, length 90, both little-endian */
	{ "prism_is_144_octets", PRISM,
	  "44000000 90000000 " TEN(FOUR) TEN(FOUR) TEN(FOUR) FOUR FOUR FOUR FOUR
	  "0802 0000 020000000002 0200000000aa 020000000001 1000 " SNAP "0800 " UDP4,
	  .meta = { UDP4_META } },
};
/* clang-format on */

const size_t link_vector_count = sizeof(link_vectors) / sizeof(link_vectors[0]);
