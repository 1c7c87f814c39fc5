/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small assembler, and the program from top to bottom. On its way to the IP header the
 * program keeps
 *
 *	X   the offset of the header at hand
 *	A   the ethertype that announced it
 *
 * and jumps only forward, so loops are unrolled. A load behind the end of a frame would end the
 * program with 0. In a fanout group that is lane 0; in a filter it would be nobody's frame, so
 * there the length is looked at before each load.
 *
 * Loads are relative to X and not to the kernel's notion of the network header: only those
 * reach octets that are not in the frame's linear part.
 */
#include "ring/steering.h"

#include <endian.h>
#include <string.h>

#include <assert.h>
#include <linux/if_packet.h>
#include <stddef.h>

enum {
	LINKTYPE_ETHERNET = 1,
	LINKTYPE_RAW = 101,
};

enum {
	ETHERNET_HEADER_BYTES = 14,
	ETHERNET_TYPE_OFFSET = 12,
	ETHERTYPE_LENGTH_MAX = 1500,
	TAG_BYTES = 4,
	LABEL_BYTES = 4,
	SNAP_BYTES = 8,
	LLC_BYTES = 3,
	PPPOE_BYTES = 6,
	IPV4_BYTES = 20,
	IPV4_SOURCE_OFFSET = 12,
	IPV4_DESTINATION_OFFSET = 16,
	IPV6_BYTES = 40,
	IPV6_SOURCE_OFFSET = 8,
	IPV6_DESTINATION_OFFSET = 24,
	IPV6_ADDRESS_WORDS = 4,
};

/* The kernel's words of memory, by what is kept there. */
enum { KEEP_A, KEEP_BASE, KEEP_MIX, KEEP_SIDE };

#define JUMPS_MAX 96

/* A place further down; .jumps go there. */
struct label {
	unsigned jumps[JUMPS_MAX];
	unsigned count;
};

struct assembly {
	struct steering_program *program;
	const struct steering *steering;
	enum steering_form form;
	struct label ip4, ip6, mpls, pppoe, nibble, hashed, other;
};

/* -- instructions --------------------------------------------------------------------- */

static void put(struct assembly *to, unsigned code, uint32_t k)
{
	struct steering_program *program = to->program;

	assert(program->count < STEERING_CODE_MAX);
	program->code[program->count++] = (struct sock_filter){ (uint16_t)code, 0, 0, k };
}

static void put_branch(
	struct assembly *to, unsigned test, uint32_t k, uint8_t if_true, uint8_t if_false)
{
	put(to, BPF_JMP | test | BPF_K, k);
	to->program->code[to->program->count - 1].jt = if_true;
	to->program->code[to->program->count - 1].jf = if_false;
}

static void go(struct assembly *to, struct label *label)
{
	assert(label->count < JUMPS_MAX);
	label->jumps[label->count++] = to->program->count;
	put(to, BPF_JMP | BPF_JA, 0);
}

static void go_if(struct assembly *to, unsigned test, uint32_t k, struct label *label)
{
	put_branch(to, test, k, 0, 1);
	go(to, label);
}

static void go_unless(struct assembly *to, unsigned test, uint32_t k, struct label *label)
{
	put_branch(to, test, k, 1, 0);
	go(to, label);
}

/* What jumps to .label gets here. */
static void land(struct assembly *to, const struct label *label)
{
	for (unsigned i = 0; i < label->count; i++)
		to->program->code[label->jumps[i]].k = to->program->count - label->jumps[i] - 1;
}

static void load(struct assembly *to, unsigned size, uint32_t offset)
{
	put(to, BPF_LD | size | BPF_IND, offset);
}

/* X moves on; A stays. */
static void skip(struct assembly *to, uint32_t bytes)
{
	put(to, BPF_ST, KEEP_A);
	put(to, BPF_MISC | BPF_TXA, 0);
	put(to, BPF_ALU | BPF_ADD | BPF_K, bytes);
	put(to, BPF_MISC | BPF_TAX, 0);
	put(to, BPF_LD | BPF_MEM, KEEP_A);
}

/* Frames with fewer octets from X on go to lane 0. A stays. */
static void need(struct assembly *to, uint32_t bytes)
{
	if (to->form == STEERING_FANOUT)
		return;
	put(to, BPF_ST, KEEP_A);
	put(to, BPF_LD | BPF_W | BPF_LEN, 0);
	put(to, BPF_ALU | BPF_SUB | BPF_X, 0);
	go_unless(to, BPF_JGE, bytes, &to->other);
	put(to, BPF_LD | BPF_MEM, KEEP_A);
}

/* -- the way to the IP header --------------------------------------------------------- */

/* Only received frames have lost their link header and, with it, an outer tag; the kernel says
 * what they carry. What a sent frame carries stands in it. */
static void write_ethernet(struct assembly *to)
{
	struct label sent = { 0 }, typed = { 0 };

	if (to->form == STEERING_FANOUT) {
		put(to, BPF_LD | BPF_B | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PKTTYPE));
		go_if(to, BPF_JEQ, PACKET_OUTGOING, &sent);
		put(to, BPF_LDX | BPF_W | BPF_IMM, 0);
		put(to, BPF_LD | BPF_H | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_PROTOCOL));
		go(to, &typed);
	}
	land(to, &sent);
	put(to, BPF_LDX | BPF_W | BPF_IMM, 0);
	need(to, ETHERNET_HEADER_BYTES);
	put(to, BPF_LDX | BPF_W | BPF_IMM, ETHERNET_HEADER_BYTES);
	put(to, BPF_LD | BPF_H | BPF_ABS, ETHERNET_TYPE_OFFSET);
	land(to, &typed);
}

/* 802.1Q, 802.1ad and what was there before it. */
static void write_tags(struct assembly *to)
{
	struct label untagged = { 0 };

	for (unsigned depth = 0; depth < STEERING_TAGS_MAX; depth++) {
		put_branch(to, BPF_JEQ, 0x8100, 3, 0);
		put_branch(to, BPF_JEQ, 0x88a8, 2, 0);
		put_branch(to, BPF_JEQ, 0x9100, 1, 0);
		go(to, &untagged);
		need(to, TAG_BYTES);
		load(to, BPF_H, 2);
		skip(to, TAG_BYTES);
	}
	land(to, &untagged);
}

static void write_types(struct assembly *to)
{
	go_if(to, BPF_JEQ, 0x0800, &to->ip4);
	go_if(to, BPF_JEQ, 0x86dd, &to->ip6);
	go_if(to, BPF_JEQ, 0x8847, &to->mpls);
	go_if(to, BPF_JEQ, 0x8848, &to->mpls);
	go_if(to, BPF_JEQ, 0x8864, &to->pppoe);
}

/* 802.2: IPv4 by its own service access point, or SNAP with an ethertype under one of two
 * organisations. */
static void write_llc(struct assembly *to)
{
	struct label snap = { 0 }, typed = { 0 };

	need(to, SNAP_BYTES);
	load(to, BPF_W, 0);
	go_if(to, BPF_JEQ, 0xaaaa0300, &snap);
	put(to, BPF_ALU | BPF_AND | BPF_K, 0xffffff00);
	go_unless(to, BPF_JEQ, 0x06060300, &to->other);
	skip(to, LLC_BYTES);
	go(to, &to->ip4);
	land(to, &snap);
	load(to, BPF_H, 4);
	go_if(to, BPF_JEQ, 0x0000, &typed);
	go_unless(to, BPF_JEQ, 0x00f8, &to->other);
	land(to, &typed);
	load(to, BPF_H, 6);
	skip(to, SNAP_BYTES);
	write_types(to);
	go(to, &to->other);
}

/* The protocol behind PPPoE's header has two octets, or one if that is odd. */
static void write_pppoe(struct assembly *to)
{
	struct label compressed = { 0 };

	land(to, &to->pppoe);
	need(to, PPPOE_BYTES + 2);
	load(to, BPF_B, PPPOE_BYTES);
	go_if(to, BPF_JSET, 1, &compressed);
	load(to, BPF_H, PPPOE_BYTES);
	skip(to, PPPOE_BYTES + 2);
	go_if(to, BPF_JEQ, 0x0021, &to->ip4);
	go_if(to, BPF_JEQ, 0x0057, &to->ip6);
	go_if(to, BPF_JEQ, 0x0281, &to->mpls);
	go_if(to, BPF_JEQ, 0x0283, &to->mpls);
	go(to, &to->other);
	land(to, &compressed);
	skip(to, PPPOE_BYTES + 1);
	go_if(to, BPF_JEQ, 0x21, &to->ip4);
	go_if(to, BPF_JEQ, 0x57, &to->ip6);
	go(to, &to->other);
}

/* To the entry with the bottom bit. */
static void write_mpls(struct assembly *to)
{
	land(to, &to->mpls);
	for (unsigned depth = 0; depth < STEERING_LABELS_MAX; depth++) {
		need(to, LABEL_BYTES);
		load(to, BPF_B, 2);
		skip(to, LABEL_BYTES);
		go_if(to, BPF_JSET, 1, &to->nibble);
	}
	go(to, &to->other);
}

/* Where nothing else says so, the first four bits tell the version. */
static void write_nibble(struct assembly *to)
{
	land(to, &to->nibble);
	need(to, 1);
	load(to, BPF_B, 0);
	put(to, BPF_ALU | BPF_RSH | BPF_K, 4);
	go_if(to, BPF_JEQ, 4, &to->ip4);
	go_if(to, BPF_JEQ, 6, &to->ip6);
	go(to, &to->other);
}

/* -- two addresses -------------------------------------------------------------------- */

/* How far what was stirred reaches down. */
#define WORD_SHIFT 15
#define ADDRESS_SHIFT 13
#define VERDICT_SHIFT 16

/* The nth constant made of the key (splitmix64, Steele, Lea and Flood 2014). */
static uint32_t constant_of(const struct steering *steering, unsigned n)
{
	uint64_t z = steering->key[n & 1] + (n + 1) * 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return (uint32_t)((z ^ z >> 31) >> 32);
}

static uint32_t constant(const struct assembly *to, unsigned n)
{
	return constant_of(to->steering, n);
}

/* A takes in nothing more, it is stirred: every bit reaches the lower ones. X is lost. */
static void stir(struct assembly *to, unsigned n, unsigned shift)
{
	put(to, BPF_ALU | BPF_MUL | BPF_K, constant(to, n) | 1);
	put(to, BPF_MISC | BPF_TAX, 0);
	put(to, BPF_ALU | BPF_RSH | BPF_K, shift);
	put(to, BPF_ALU | BPF_XOR | BPF_X, 0);
}

/* One address of so many words into A. */
static void write_address(struct assembly *to, uint32_t offset, unsigned words)
{
	for (unsigned i = 0; i < words; i++) {
		if (i > 0) {
			put(to, BPF_ST, KEEP_MIX);
			put(to, BPF_LDX | BPF_MEM, KEEP_BASE);
		}
		load(to, BPF_W, offset + 4 * i);
		if (i > 0) {
			put(to, BPF_LDX | BPF_MEM, KEEP_MIX);
			put(to, BPF_ALU | BPF_XOR | BPF_X, 0);
		}
		put(to, BPF_ALU | BPF_XOR | BPF_K, constant(to, 2 * i));
		stir(to, 2 * i + 1, WORD_SHIFT);
	}
	stir(to, 2 * IPV6_ADDRESS_WORDS, ADDRESS_SHIFT);
}

/* Their sum is the same in both directions. */
static void write_addresses(struct assembly *to, uint32_t source_offset,
	uint32_t destination_offset, unsigned words)
{
	put(to, BPF_STX, KEEP_BASE);
	write_address(to, source_offset, words);
	put(to, BPF_ST, KEEP_SIDE);
	put(to, BPF_LDX | BPF_MEM, KEEP_BASE);
	write_address(to, destination_offset, words);
	put(to, BPF_LDX | BPF_MEM, KEEP_SIDE);
	put(to, BPF_ALU | BPF_ADD | BPF_X, 0);
	go(to, &to->hashed);
}

static void write_ip(struct assembly *to)
{
	land(to, &to->ip4);
	need(to, IPV4_BYTES);
	write_addresses(to, IPV4_SOURCE_OFFSET, IPV4_DESTINATION_OFFSET, 1);
	land(to, &to->ip6);
	need(to, IPV6_BYTES);
	write_addresses(to, IPV6_SOURCE_OFFSET, IPV6_DESTINATION_OFFSET, IPV6_ADDRESS_WORDS);
}

/* -- the end -------------------------------------------------------------------------- */

static void write_verdict(struct assembly *to, unsigned lane)
{
	land(to, &to->hashed);
	stir(to, 2 * IPV6_ADDRESS_WORDS + 1, VERDICT_SHIFT);
	if (to->form == STEERING_FANOUT) {
		put(to, BPF_RET | BPF_A, 0);
		land(to, &to->other);
		put(to, BPF_RET | BPF_K, 0);
		return;
	}
	struct label kept = { 0 };
	put(to, BPF_ALU | BPF_MOD | BPF_K, to->steering->lanes);
	go_if(to, BPF_JEQ, lane, &kept);
	if (lane != 0)
		land(to, &to->other);
	put(to, BPF_RET | BPF_K, 0);
	if (lane == 0)
		land(to, &to->other);
	land(to, &kept);
}

bool steering_takes(int link_type)
{
	return link_type == LINKTYPE_ETHERNET || link_type == LINKTYPE_RAW;
}

void steering_write(const struct steering *steering, int link_type, enum steering_form form,
	unsigned lane, struct steering_program *ret_program)
{
	struct assembly to = { .program = ret_program, .steering = steering, .form = form };

	ret_program->count = 0;
	if (link_type == LINKTYPE_RAW) {
		put(&to, BPF_LDX | BPF_W | BPF_IMM, 0);
	} else {
		write_ethernet(&to);
		write_tags(&to);
		write_types(&to);
		go_if(&to, BPF_JGT, ETHERTYPE_LENGTH_MAX, &to.other);
		write_llc(&to);
		write_pppoe(&to);
		write_mpls(&to);
	}
	write_nibble(&to);
	write_ip(&to);
	write_verdict(&to, lane);
}

/* -- the same outside of the kernel ----------------------------------------------------- */

static uint32_t stirred(
	const struct steering *steering, uint32_t mix, unsigned n, unsigned shift)
{
	mix *= constant_of(steering, n) | 1;
	return mix ^ mix >> shift;
}

static uint32_t mixed_address(
	const struct steering *steering, const uint8_t *address, unsigned words)
{
	uint32_t mix = 0, word;

	for (unsigned i = 0; i < words; i++) {
		memcpy(&word, address + 4 * i, sizeof(word));
		mix ^= be32toh(word) ^ constant_of(steering, 2 * i);
		mix = stirred(steering, mix, 2 * i + 1, WORD_SHIFT);
	}
	return stirred(steering, mix, 2 * IPV6_ADDRESS_WORDS, ADDRESS_SHIFT);
}

unsigned steering_lane(const struct steering *steering, unsigned ip_version,
	const uint8_t *source, const uint8_t *destination)
{
	unsigned words = ip_version == 4 ? 1 : IPV6_ADDRESS_WORDS;
	uint32_t sum = mixed_address(steering, source, words) +
		       mixed_address(steering, destination, words);

	return stirred(steering, sum, 2 * IPV6_ADDRESS_WORDS + 1, VERDICT_SHIFT) %
	       steering->lanes;
}
