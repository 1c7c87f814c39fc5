/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The program is a constant but for the snap length. It loads as little as it can: a load from
 * a frame whose octets are not in one piece (what a packet socket's ring has sent, for one) is
 * a call. A load behind the end of a frame would end the program and lose the frame, so frames
 * that might be too short for any of the loads are kept whole first.
 */
#include "ring/header_snap.h"

#include <assert.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

enum {
	LINKTYPE_ETHERNET = 1,
	ETHERTYPE_OFFSET = 12,
	ETHERTYPE_IPV4 = 0x0800,
	ETHERTYPE_IPV6 = 0x86dd,
	ETHERNET_BYTES = 14,
	IPV4_BYTES_MAX = 60,
	IPV4_PROTOCOL_OFFSET = ETHERNET_BYTES + 9,
	IPV6_BYTES = 40,
	IPV6_NEXT_OFFSET = ETHERNET_BYTES + 6,
	TCP_BYTES = 14, /* up to the control bits */
	UDP_BYTES = 8,
	UDP_PORT_OFFSET = 2, /* the destination */
	WHOLE_BYTES = 262144,
	SHORT_BYTES = 96, /* more than any load below reaches */
};

/* Tunnels in UDP through which the kernel segments: see sensor/decode_gso.c. */
enum {
	PORT_VXLAN = 4789,
	PORT_VXLAN_LINUX = 8472,
	PORT_GENEVE = 6081,
};

static_assert(SHORT_BYTES >= ETHERNET_BYTES + IPV4_BYTES_MAX + UDP_BYTES,
	"the port of UDP is in every frame that is longer");

#define LOAD(size, offset) BPF_STMT(BPF_LD | BPF_##size | BPF_ABS, offset)
#define RETURN(bytes) BPF_STMT(BPF_RET | BPF_K, bytes)
/* Go on, or jump over so many instructions. */
#define UNLESS(value, over) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, over)
#define IF(value, over) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, over, 0)

/* clang-format off */
static const struct sock_filter program[] = {
	BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
	BPF_JUMP(BPF_JMP | BPF_JGT | BPF_K, SHORT_BYTES, 1, 0),
	RETURN(WHOLE_BYTES),
	LOAD(H, ETHERTYPE_OFFSET),
	UNLESS(ETHERTYPE_IPV4, 10),
		LOAD(B, IPV4_PROTOCOL_OFFSET),
		UNLESS(IPPROTO_TCP, 1),
			RETURN(ETHERNET_BYTES + IPV4_BYTES_MAX + TCP_BYTES),
		UNLESS(IPPROTO_UDP, 22),
			BPF_STMT(BPF_LDX | BPF_B | BPF_MSH, ETHERNET_BYTES),
			BPF_STMT(BPF_LD | BPF_H | BPF_IND, ETHERNET_BYTES + UDP_PORT_OFFSET),
			IF(PORT_VXLAN, 19),
			IF(PORT_VXLAN_LINUX, 18),
			IF(PORT_GENEVE, 17),
			RETURN(ETHERNET_BYTES + IPV4_BYTES_MAX + UDP_BYTES),
	UNLESS(ETHERTYPE_IPV6, 15),
		LOAD(B, IPV6_NEXT_OFFSET),
		UNLESS(IPPROTO_TCP, 1),
			RETURN(ETHERNET_BYTES + IPV6_BYTES + TCP_BYTES),
		UNLESS(IPPROTO_UDP, 5),
			LOAD(H, ETHERNET_BYTES + IPV6_BYTES + UDP_PORT_OFFSET),
			IF(PORT_VXLAN, 9),
			IF(PORT_VXLAN_LINUX, 8),
			IF(PORT_GENEVE, 7),
			RETURN(ETHERNET_BYTES + IPV6_BYTES + UDP_BYTES),
		IF(IPPROTO_HOPOPTS, 4),
		IF(IPPROTO_ROUTING, 3),
		IF(IPPROTO_FRAGMENT, 2),
		IF(IPPROTO_AH, 1),
		UNLESS(IPPROTO_DSTOPTS, 1),
			RETURN(WHOLE_BYTES),
	RETURN(0), /* the snap length */
};
/* clang-format on */
#define PROGRAM_COUNT (sizeof(program) / sizeof(program[0]))

static_assert(PROGRAM_COUNT <= HEADER_SNAP_CODE_MAX, "room for the program");

bool header_snap_takes(int link_type)
{
	return link_type == LINKTYPE_ETHERNET;
}

unsigned header_snap_write(uint32_t snap_bytes, struct sock_filter *ret_code)
{
	memcpy(ret_code, program, sizeof(program));
	ret_code[PROGRAM_COUNT - 1].k = snap_bytes;
	return PROGRAM_COUNT;
}
