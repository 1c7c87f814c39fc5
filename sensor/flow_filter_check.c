/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_filter_check.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#define PROTOCOLS 256
#define IPV4_FIRST_OCTET 0x45
#define TYPE_VLAN 0x8100
#define TYPE_IPV4 0x0800
#define TYPE_IPV6 0x86dd

static const char asks_too_much[] =
	"it asks for lengths, payload or header fields that a flow does not keep";
static const char computes[] = "it computes where to look";
static const char goes_back[] = "it goes round in circles";

/* -- frames of one kind --------------------------------------------------------------- */

enum octet { OCTET_UNKNOWN, OCTET_KNOWN, OCTET_FIXED };

/* Of each octet: does a flow know it, and is it the same in all frames of the kind? */
struct kind {
	uint8_t state[FRAME_BYTES_MAX]; /* enum octet */
	uint8_t value[FRAME_BYTES_MAX];
};

static void know(struct kind *kind, size_t from, size_t count)
{
	memset(kind->state + from, OCTET_KNOWN, count);
}

static void fix(struct kind *kind, size_t at, uint8_t value)
{
	kind->state[at] = OCTET_FIXED;
	kind->value[at] = value;
}

static void fix_be16(struct kind *kind, size_t at, uint16_t value)
{
	fix(kind, at, (uint8_t)(value >> 8));
	fix(kind, at + 1, (uint8_t)value);
}

static void know_transport(struct kind *kind, size_t at, bool is_ipv6, unsigned protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		know(kind, at + FRAME_TCP_FLAGS_AT, 2);
		know(kind, at, 4);
		return;
	case IPPROTO_UDP:
	case IPPROTO_SCTP:
	case IPPROTO_DCCP:
	case IPPROTO_UDPLITE:
		know(kind, at, 4);
		return;
	default:
		if (protocol == (is_ipv6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
			know(kind, at, 2);
	}
}

static struct kind kind_of(bool is_ipv6, unsigned protocol, bool has_tag)
{
	struct kind kind = { 0 };
	size_t at = FRAME_ETHERNET_BYTES + (has_tag ? FRAME_TAG_BYTES : 0);

	know(&kind, 0, 12); /* MACs */
	if (has_tag) {
		fix_be16(&kind, 12, TYPE_VLAN);
		know(&kind, 14, 2);
	}
	fix_be16(&kind, at - 2, is_ipv6 ? TYPE_IPV6 : TYPE_IPV4);
	if (is_ipv6) {
		know(&kind, at, 4); /* version, class, label */
		fix(&kind, at + 6, (uint8_t)protocol);
		know(&kind, at + 8, 32);
		at += FRAME_IPV6_BYTES;
	} else {
		fix(&kind, at, IPV4_FIRST_OCTET);
		know(&kind, at + 1, 1);
		fix_be16(&kind, at + 6, 0); /* no fragment */
		fix(&kind, at + 9, (uint8_t)protocol);
		know(&kind, at + 12, 8);
		at += FRAME_IPV4_BYTES;
	}
	know_transport(&kind, at, is_ipv6, protocol);
	return kind;
}

/* -- the program's way ---------------------------------------------------------------- */

/* A register: a number, or one that depends on the flow. */
struct value {
	bool is_fixed;
	uint32_t number;
};

struct point {
	bool is_reached;
	struct value a, x;
};

static struct value unknown(void)
{
	return (struct value){ 0 };
}

static struct value fixed(uint32_t number)
{
	return (struct value){ true, number };
}

static struct value merge(struct value a, struct value b)
{
	return a.is_fixed && b.is_fixed && a.number == b.number ? a : unknown();
}

/* The program can get to .to with these registers. */
static void reach(struct point *to, const struct point *from)
{
	if (to->is_reached) {
		to->a = merge(to->a, from->a);
		to->x = merge(to->x, from->x);
	} else {
		*to = *from;
		to->is_reached = true;
	}
}

static uint32_t load_bytes(const struct bpf_insn *instruction)
{
	switch (BPF_SIZE(instruction->code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	default:
		return 4;
	}
}

/* Load from the frame. A place behind its end ends the program: no match, and nothing asked. */
static const char *load(
	const struct kind *kind, uint64_t at, uint32_t bytes, struct value *ret_value)
{
	bool is_fixed = true;
	uint32_t number = 0;

	for (uint64_t i = at; i < at + bytes; i++) {
		if (i >= FRAME_BYTES_MAX || kind->state[i] == OCTET_UNKNOWN)
			return asks_too_much;
		is_fixed &= kind->state[i] == OCTET_FIXED;
		number = number << 8 | kind->value[i];
	}
	*ret_value = is_fixed ? fixed(number) : unknown();
	return NULL;
}

static const char *do_load(
	const struct kind *kind, const struct bpf_insn *instruction, struct point *point)
{
	switch (BPF_MODE(instruction->code)) {
	case BPF_ABS:
		return load(kind, instruction->k, load_bytes(instruction), &point->a);
	case BPF_IND:
		if (!point->x.is_fixed)
			return computes;
		return load(kind, (uint64_t)point->x.number + instruction->k,
			load_bytes(instruction), &point->a);
	case BPF_IMM:
		point->a = fixed(instruction->k);
		return NULL;
	case BPF_MEM:
		point->a = unknown();
		return NULL;
	default:
		return asks_too_much; /* the length */
	}
}

static const char *do_load_x(
	const struct kind *kind, const struct bpf_insn *instruction, struct point *point)
{
	struct value octet;
	const char *reason;

	switch (BPF_MODE(instruction->code)) {
	case BPF_MSH:
		reason = load(kind, instruction->k, 1, &octet);
		if (!reason)
			point->x = octet.is_fixed ? fixed((octet.number & 0xf) * 4) : unknown();
		return reason;
	case BPF_IMM:
		point->x = fixed(instruction->k);
		return NULL;
	case BPF_MEM:
		point->x = unknown();
		return NULL;
	default:
		return asks_too_much;
	}
}

static bool is_taken(const struct bpf_insn *instruction, uint32_t a)
{
	switch (BPF_OP(instruction->code)) {
	case BPF_JEQ:
		return a == instruction->k;
	case BPF_JGT:
		return a > instruction->k;
	case BPF_JGE:
		return a >= instruction->k;
	default:
		return (a & instruction->k) != 0;
	}
}

static const char *do_jump(const struct bpf_insn *instruction, struct point *points, size_t at,
	size_t count, const struct point *now)
{
	if (BPF_OP(instruction->code) == BPF_JA) {
		if (instruction->k >= count - at - 1)
			return goes_back;
		reach(&points[at + 1 + instruction->k], now);
		return NULL;
	}
	bool is_known = now->a.is_fixed && BPF_SRC(instruction->code) == BPF_K;
	bool taken = is_known && is_taken(instruction, now->a.number);

	if (!is_known || taken)
		reach(&points[at + 1 + instruction->jt], now);
	if (!is_known || !taken)
		reach(&points[at + 1 + instruction->jf], now);
	return NULL;
}

/* All that is no jump: what it does to the registers. */
static const char *do_plain(
	const struct kind *kind, const struct bpf_insn *instruction, struct point *point)
{
	switch (BPF_CLASS(instruction->code)) {
	case BPF_LD:
		return do_load(kind, instruction, point);
	case BPF_LDX:
		return do_load_x(kind, instruction, point);
	case BPF_ALU:
		point->a = unknown();
		return NULL;
	case BPF_MISC:
		if (BPF_MISCOP(instruction->code) == BPF_TAX)
			point->x = point->a;
		else
			point->a = point->x;
		return NULL;
	default:
		return NULL;
	}
}

static const char *walk(
	const struct bpf_program *program, const struct kind *kind, struct point *points)
{
	size_t count = program->bf_len;
	const char *reason = NULL;

	memset(points, 0, count * sizeof(*points));
	points[0].is_reached = true;
	for (size_t i = 0; i < count && !reason; i++) {
		const struct bpf_insn *instruction = &program->bf_insns[i];
		struct point now = points[i];

		if (!now.is_reached || BPF_CLASS(instruction->code) == BPF_RET)
			continue;
		if (BPF_CLASS(instruction->code) == BPF_JMP) {
			reason = do_jump(instruction, points, i, count, &now);
			continue;
		}
		reason = do_plain(kind, instruction, &now);
		if (!reason && i + 1 < count)
			reach(&points[i + 1], &now);
	}
	return reason;
}

/* -- all kinds ------------------------------------------------------------------------ */

/* What the decoder looks behind is no flow's protocol. */
static bool is_extension(unsigned protocol)
{
	return protocol == IPPROTO_HOPOPTS || protocol == IPPROTO_ROUTING ||
	       protocol == IPPROTO_FRAGMENT || protocol == IPPROTO_DSTOPTS;
}

static const char *walk_version(
	const struct bpf_program *program, bool is_ipv6, bool has_tag, struct point *points)
{
	const char *reason = NULL;

	for (unsigned protocol = 0; protocol < PROTOCOLS && !reason; protocol++) {
		struct kind kind = kind_of(is_ipv6, protocol, has_tag);

		if (!is_ipv6 || !is_extension(protocol))
			reason = walk(program, &kind, points);
	}
	return reason;
}

const char *flow_filter_check(const struct bpf_program *program, bool has_tags)
{
	struct point *points = calloc(program->bf_len, sizeof(*points));
	const char *reason = NULL;

	if (!points)
		return "out of memory";
	for (unsigned tags = 0; tags <= has_tags && !reason; tags++)
		for (unsigned is_ipv6 = 0; is_ipv6 < 2 && !reason; is_ipv6++)
			reason = walk_version(program, is_ipv6, tags, points);
	free(points);
	return reason;
}
