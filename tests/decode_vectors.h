/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packets as bytes, each with what it must decode to. The tables are walked twice: once for the
 * meaning, once cut at every length. All packets are from 10.1.0.1 to 10.2.0.2, or from
 * 2001:db8::1 to 2001:db8::2.
 */
#ifndef TESTS_DECODE_VECTORS_H
#define TESTS_DECODE_VECTORS_H

#include <stddef.h>
#include <stdint.h>

#include "sensor/drop_reason.h"
#include "sensor/meta.h"

#define VECTOR_BYTES_MAX 4096

struct decode_vector {
	const char *fact; /* the name of the case */
	int link_type;
	const char *hex;     /* spaces are for reading */
	uint32_t wire_bytes; /* 0: as many as .hex has */
	enum drop_reason reason;
	struct packet_meta meta; /* the members that are compared; see check_vector() */
};

extern const struct decode_vector link_vectors[];
extern const size_t link_vector_count;
extern const struct decode_vector ip_vectors[];
extern const size_t ip_vector_count;

/* Octets in .out, which holds VECTOR_BYTES_MAX. */
size_t vector_bytes(const char *hex, uint8_t *out);

/* Ethernet: to 02:00:00:00:00:02, from 02:00:00:00:00:01; the type follows. */
#define MACS "020000000002 020000000001 "

/* IPv4: 20-octet header, ToS 0, 28 octets, id 7, no fragment, TTL 64, UDP; UDP: 1000 > 53. */
#define UDP4 "4500 001c 0007 0000 40 11 0000 0a010001 0a020002  03e8 0035 0008 0000 "
#define UDP4_META \
	.ip_version = 4, .protocol = 17, .source_port = 1000, .destination_port = 53, \
	.octets = 28

/* IPv4: 40 octets, TCP; TCP: 1000 > 80, sequence 1, acknowledgment 0, 20-octet header, SYN. */
#define TCP4 \
	"4500 0028 0007 0000 40 06 0000 0a010001 0a020002  " \
	"03e8 0050 00000001 00000000 5002 2000 0000 0000 "
#define TCP4_META \
	.ip_version = 4, .protocol = 6, .source_port = 1000, .destination_port = 80, \
	.octets = 40, .tcp_flags = TCP_SYN

/* IPv6 addresses. */
#define ADDRESSES6 "20010db8000000000000000000000001 20010db8000000000000000000000002 "

/* IPv6: class 0, label 0, payload 8, UDP, hop limit 64; UDP: 1000 > 53. */
#define UDP6 "60000000 0008 11 40 " ADDRESSES6 "03e8 0035 0008 0000 "
#define UDP6_META \
	.ip_version = 6, .protocol = 17, .source_port = 1000, .destination_port = 53, \
	.octets = 48

#endif
