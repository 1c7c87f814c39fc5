/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow records and configurations that the tests of the export room start from. Times are told
 * from SAMPLE_BOOT_NS, which is 2023-11-14 22:13:20 UTC.
 */
#ifndef TESTS_EXPORT_SAMPLES_H
#define TESTS_EXPORT_SAMPLES_H

#include "export/exporter.h"

#define SAMPLE_BOOT_NS UINT64_C(1700000000000000000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

/* 192.0.2.1:49152 > 198.51.100.2:443, TCP: 5 packets, 1000 octets, and 4 with 8000 back. */
struct flow_record sample_tcp(void);

/* 192.0.2.1 > 198.51.100.2 echo request, echo reply back: 1 packet of 84 octets each. */
struct flow_record sample_icmp(void);

/* 2001:db8::1.53 > 2001:db8::2.5353, UDP, no answer. */
struct flow_record sample_udp6(void);

/* 2001:db8::1 > 2001:db8::2 ICMPv6 echo request, no answer. */
struct flow_record sample_icmp6(void);

/* Every field, 1400 octets, boot at SAMPLE_BOOT_NS, templates each 60 s, a flush delay of 1 s.
 */
struct exporter_config sample_config(enum export_version version);

#endif
