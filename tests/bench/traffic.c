/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plan becomes an order of flow numbers, one for each packet, and then one frame after the
 * other: which packet of its flow it is decides what it holds (a handshake, data, an end).
 */
#include "traffic.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S 1000000000u
#define PACKET_GAP_NS 1000  /* a million packets a second */
#define FLOW_GAP_PKTS 20000 /* a flow of TRAFFIC_ZIPF has a packet in about 20 ms */
#define ETHERNET_BYTES_MIN 60
#define ENDING_PKTS_MIN 6 /* flows this long end with FIN, FIN, ACK; shorter ones with RST */

/* clang-format off */
const struct traffic_plan traffic_workloads[] = {
	{ .name = "W1", .title = "mix", .shape = TRAFFIC_ZIPF,
	  .packets = 10000000, .flows = 1000000, .seed = 1 },
	{ .name = "W2", .title = "scan", .shape = TRAFFIC_ONCE,
	  .packets = 5000000, .flows = 5000000, .seed = 1, .is_one_way = true },
	{ .name = "W3", .title = "elephants", .shape = TRAFFIC_UNIFORM,
	  .packets = 10000000, .flows = 1000, .seed = 1 },
	{ .name = "W4", .title = "concurrent", .shape = TRAFFIC_UNIFORM,
	  .packets = 10000000, .flows = 4000000, .seed = 1, .is_one_way = true },
	{ .name = "W5", .title = "v6mix", .shape = TRAFFIC_ZIPF,
	  .packets = 10000000, .flows = 1000000, .seed = 1, .is_ns = true,
	  .v6_percent = 60, .extension_percent = 5, .vlan_percent = 30 },
};
/* clang-format on */
const size_t traffic_workload_count = sizeof(traffic_workloads) / sizeof(traffic_workloads[0]);

const struct traffic_plan *traffic_workload(const char *name)
{
	for (size_t i = 0; i < traffic_workload_count; i++)
		if (strcmp(traffic_workloads[i].name, name) == 0)
			return &traffic_workloads[i];
	return NULL;
}

enum transport { TRANSPORT_TCP, TRANSPORT_UDP, TRANSPORT_ICMP };

enum {
	FIN = 0x01,
	SYN = 0x02,
	RST = 0x04,
	PSH = 0x08,
	ACK = 0x10,
};

/* What is kept for a flow. */
struct progress {
	uint32_t packets;
	uint32_t sent : 30;
	uint32_t has_sent : 2; /* mask: 1 the initiator, 2 the other end */
};

struct traffic {
	struct traffic_plan plan;
	uint32_t *order; /* the flow of each packet; NULL: each has its own, or a random one */
	struct progress *flows;
	uint64_t random_state;
	uint32_t done;
	struct traffic_totals totals;
	uint8_t frame[TRAFFIC_FRAME_BYTES_MAX];
	uint32_t dirty_bytes; /* of .frame that may not be zero */
};

/* -- random numbers ------------------------------------------------------------------------ */

/* The finaliser of splitmix64. */
static inline uint64_t mix(uint64_t z)
{
	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static inline uint64_t next_random(struct traffic *traffic)
{
	return mix(traffic->random_state += 0x9e3779b97f4a7c15);
}

static inline uint32_t below(uint64_t random, uint32_t limit)
{
	return (uint32_t)((random >> 32) * limit >> 32);
}

/* One-to-one over the lower .bits: odd factors and shifts lose nothing. */
static inline uint64_t scatter(uint64_t number, unsigned bits, uint64_t seed)
{
	uint64_t mask = ((uint64_t)1 << bits) - 1;

	number = (number + seed * 0x9e3779b97f4a7c15) & mask;
	for (int i = 0; i < 3; i++) {
		number = number * 0xd6e8feb86659fd93 & mask;
		number ^= number >> (bits / 2);
	}
	return number;
}

/* -- flows --------------------------------------------------------------------------------- */

struct flow {
	enum transport transport;
	bool is_v6, has_extension;
	uint16_t vlan_id;    /* 0: no tag */
	uint32_t address[2]; /* of the initiator and of the other end */
	uint16_t port[2];
};

static struct flow make_flow(const struct traffic_plan *plan, uint32_t number)
{
	static const uint16_t services[8] = { 443, 443, 443, 53, 53, 80, 22, 4500 };
	uint64_t random = mix(number + plan->seed * 0x1000003d);
	uint32_t percent = below(random << 32, 100);
	struct flow flow = {
		.transport = percent < 80   ? TRANSPORT_TCP
			     : percent < 98 ? TRANSPORT_UDP
					    : TRANSPORT_ICMP,
		.is_v6 = (random >> 32 & 0xff) * 100 < plan->v6_percent * 256,
		.port = { (uint16_t)(1024 + (random >> 40 & 0x7fff)),
			services[random >> 56 & 7] },
	};

	random = mix(random);
	flow.has_extension =
		flow.is_v6 && (random & 0xff) * 100 < plan->extension_percent * 256;
	if ((random >> 8 & 0xff) * 100 < plan->vlan_percent * 256)
		flow.vlan_id = (uint16_t)(100 + (random >> 16 & 15));
	if (plan->shape == TRAFFIC_ONCE) {
		flow.transport = TRANSPORT_TCP;
		flow.address[0] = (uint32_t)scatter(number, 32, plan->seed);
		flow.address[1] = 0xc6336401; /* 198.51.100.1 */
		return flow;
	}
	uint64_t pair = scatter(number, 40, plan->seed);

	flow.address[0] = 0x0a000000 | (uint32_t)(pair >> 18);     /* 10.0.0.0/10 */
	flow.address[1] = 0xac100000 | (uint32_t)(pair & 0x3ffff); /* 172.16.0.0/14 */
	return flow;
}

/* -- the order of packets ------------------------------------------------------------------ */

/* Rank r has top / r packets, but one at least. */
static double find_top(const struct traffic_plan *plan)
{
	double harmonic = 0, top = 0;

	/* As long as rank r has more than one, it takes part in the sharing. */
	for (uint32_t rank = 1; rank <= plan->flows; rank++) {
		harmonic += 1.0 / rank;
		top = (plan->packets - (double)(plan->flows - rank)) / harmonic;
		if (top < rank + 1.0)
			break;
	}
	return top;
}

static void share_packets(struct traffic *traffic)
{
	uint32_t flows = traffic->plan.flows, given = 0;
	double top = find_top(&traffic->plan), sum = 0;

	for (uint32_t rank = 1; rank <= flows; rank++) {
		sum += top > rank ? top / rank : 1;
		uint32_t until = rank == flows ? traffic->plan.packets : (uint32_t)(sum + 0.5);

		traffic->flows[rank - 1].packets = until > given ? until - given : 1;
		given += traffic->flows[rank - 1].packets;
	}
}

/* A place in the capture for each packet, flow after flow: a flow lasts in proportion to its
 * packets, at most as long as the capture, and begins anywhere. */
static void draw_places(struct traffic *traffic, uint32_t *places)
{
	uint32_t packets = traffic->plan.packets;

	for (uint32_t flow = 0; flow < traffic->plan.flows; flow++) {
		uint32_t count = traffic->flows[flow].packets;
		uint64_t random = next_random(traffic);
		uint64_t spread = FLOW_GAP_PKTS / 2 + below(random << 32, FLOW_GAP_PKTS);
		uint64_t lasts = count * spread > packets ? packets : count * spread;
		uint64_t begin = below(random, (uint32_t)(packets - lasts + 1));

		for (uint32_t i = 0; i < count; i++) {
			uint64_t within = ((uint64_t)i << 32 | next_random(traffic) >> 32);
			uint64_t place =
				begin + (uint64_t)((__uint128_t)within * lasts / count >> 32);

			*places++ = place < packets ? (uint32_t)place : packets - 1;
		}
	}
}

/* Sort packets by place: one counting pass, as places are as many as packets. */
static int order_by_place(struct traffic *traffic)
{
	uint32_t packets = traffic->plan.packets;
	uint32_t *places = malloc(packets * sizeof(*places));
	uint32_t *starts = calloc(packets + 1, sizeof(*starts));

	if (!places || !starts) {
		free(places);
		free(starts);
		return -ENOMEM;
	}
	draw_places(traffic, places);
	for (uint32_t i = 0; i < packets; i++)
		starts[places[i] + 1]++;
	for (uint32_t i = 0; i < packets; i++)
		starts[i + 1] += starts[i];
	for (uint32_t flow = 0, i = 0; flow < traffic->plan.flows; flow++)
		for (uint32_t last = i + traffic->flows[flow].packets; i < last; i++)
			traffic->order[starts[places[i]]++] = flow;
	free(places);
	free(starts);
	return 0;
}

/* Random flows, known in advance so that a flow's last packet is. */
static void order_at_random(struct traffic *traffic)
{
	for (uint32_t i = 0; i < traffic->plan.packets; i++) {
		traffic->order[i] = below(next_random(traffic), traffic->plan.flows);
		traffic->flows[traffic->order[i]].packets++;
	}
}

static int make_order(struct traffic *traffic)
{
	switch (traffic->plan.shape) {
	case TRAFFIC_ZIPF:
		share_packets(traffic);
		return order_by_place(traffic);
	case TRAFFIC_UNIFORM:
		order_at_random(traffic);
		return 0;
	case TRAFFIC_ONCE:
		for (uint32_t i = 0; i < traffic->plan.packets; i++) {
			traffic->order[i] = i % traffic->plan.flows;
			traffic->flows[traffic->order[i]].packets++;
		}
		return 0;
	}
	return -EINVAL;
}

/* -- what a packet is ---------------------------------------------------------------------- */

struct step {
	unsigned sender; /* 0: the initiator */
	uint8_t tcp_flags;
	bool has_options;  /* of a SYN */
	uint32_t ip_bytes; /* over IPv4 without options */
};

/* 7 small packets to 4 middling ones to 1 large one. */
static uint32_t draw_bytes(uint64_t random)
{
	uint32_t among = below(random, 12);

	return among < 7 ? 40 : among < 11 ? 576 : 1500;
}

static struct step tcp_step(const struct progress *flow, uint64_t random)
{
	uint32_t left = flow->packets - flow->sent;

	if (flow->sent == 0)
		return (struct step){ 0, SYN, true, 60 };
	if (flow->packets < ENDING_PKTS_MIN && left == 1)
		return (struct step){ flow->packets == 2, RST | ACK, false, 40 };
	if (flow->sent == 1)
		return (struct step){ 1, SYN | ACK, true, 60 };
	if (flow->sent == 2)
		return (struct step){ 0, ACK, false, 40 };
	if (flow->packets >= ENDING_PKTS_MIN && left <= 3)
		return (struct step){ left == 2, left == 1 ? ACK : FIN | ACK, false, 40 };
	uint32_t bytes = draw_bytes(random);
	bool is_data = bytes > 40;

	/* Data comes from the other end mostly, and is acknowledged. */
	return (struct step){ below(random << 16, 10) < (is_data ? 8 : 2),
		is_data ? PSH | ACK : ACK, false, bytes };
}

static struct step one_way_step(
	const struct progress *flow, enum transport transport, uint64_t random)
{
	uint32_t bytes = draw_bytes(random);

	if (transport == TRANSPORT_TCP)
		return flow->sent == 0 ? (struct step){ 0, SYN, true, 60 }
				       : (struct step){ 0, ACK, false, bytes };
	return (struct step){ 0, 0, false, transport == TRANSPORT_ICMP ? 84 : bytes + 20 };
}

static struct step next_step(const struct traffic_plan *plan, const struct progress *flow,
	enum transport transport, uint64_t random)
{
	if (plan->is_one_way)
		return one_way_step(flow, transport, random);
	switch (transport) {
	case TRANSPORT_TCP:
		return tcp_step(flow, random);
	case TRANSPORT_UDP:
		return (struct step){ flow->sent == 1 || (flow->sent > 1 && random & 1), 0,
			false,
			draw_bytes(random) == 40 ? 48 + below(random << 16, 40)
						 : draw_bytes(random) };
	case TRANSPORT_ICMP:
		break;
	}
	return (struct step){ flow->sent & 1, 0, false, 84 };
}

/* -- octets -------------------------------------------------------------------------------- */

static inline uint8_t *put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static inline uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value);
}

static uint32_t sum16(const uint8_t *at, size_t count, uint32_t sum)
{
	for (size_t i = 0; i + 1 < count; i += 2)
		sum += (uint32_t)at[i] << 8 | at[i + 1];
	return sum;
}

static uint16_t checksum(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static uint8_t *put_ethernet(uint8_t *at, const struct flow *flow, unsigned sender)
{
	static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };

	memcpy(at, macs[!sender], 6);
	memcpy(at + 6, macs[sender], 6);
	at += 12;
	if (flow->vlan_id)
		at = put16(put16(at, 0x8100), flow->vlan_id);
	return put16(at, flow->is_v6 ? 0x86dd : 0x0800);
}

static uint8_t *put_v6_address(uint8_t *at, unsigned end, uint32_t address)
{
	at = put32(at, 0x20010db8);
	at = put32(at, end << 16 | address >> 16);
	at = put32(at, mix(address) & 0xffffff);
	return put32(at, address);
}

/* Both return the address sum of the pseudo header through ret_sum, and the transport's place.
 */
static uint8_t *put_v4(uint8_t *at, const struct flow *flow, unsigned sender, uint32_t bytes,
	uint64_t random, uint32_t *ret_sum)
{
	static const uint8_t protocols[] = { 6, 17, 1 };

	put16(at, 0x4500);
	put16(at + 2, bytes);
	put16(at + 4, (uint32_t)random & 0xffff);
	put16(at + 6, 0x4000);
	at[8] = sender ? 57 : 64;
	at[9] = protocols[flow->transport];
	put32(at + 12, flow->address[sender]);
	put32(at + 16, flow->address[!sender]);
	put16(at + 10, checksum(sum16(at, 20, 0)));
	*ret_sum = sum16(at + 12, 8, at[9] + bytes - 20);
	return at + 20;
}

static uint8_t *put_v6(uint8_t *at, const struct flow *flow, unsigned sender, uint32_t bytes,
	uint32_t *ret_sum)
{
	static const uint8_t protocols[] = { 6, 17, 58 };
	uint8_t protocol = protocols[flow->transport];
	uint32_t extension_bytes = flow->has_extension ? 8 : 0;

	put32(at, 0x60000000 | (flow->address[0] & 0xfffff));
	put16(at + 4, bytes - 40);
	at[6] = flow->has_extension ? 0 : protocol;
	at[7] = sender ? 57 : 64;
	put_v6_address(at + 8, sender, flow->address[sender]);
	put_v6_address(at + 24, !sender, flow->address[!sender]);
	*ret_sum = sum16(at + 8, 32, protocol + bytes - 40 - extension_bytes);
	at += 40;
	if (flow->has_extension) {
		/* Router alert, padded. */
		memcpy(at, "\0\0\5\2\0\0\1\0", 8);
		at[0] = protocol;
	}
	return at + extension_bytes;
}

static uint8_t *put_tcp(uint8_t *at, const struct flow *flow, const struct step *step,
	uint64_t random, uint32_t sum)
{
	uint32_t bytes = step->has_options ? 40 : 20;

	put16(at, flow->port[step->sender]);
	put16(at + 2, flow->port[!step->sender]);
	put32(at + 4, (uint32_t)random);
	put32(at + 8, step->tcp_flags & ACK ? (uint32_t)(random >> 32) : 0);
	at[12] = (uint8_t)(bytes / 4 << 4);
	at[13] = step->tcp_flags;
	put16(at + 14, 502);
	put32(at + 16, 0);
	if (step->has_options)
		memcpy(at + 20, "\2\4\5\264\4\2\10\12\0\0\0\1\0\0\0\0\1\3\3\7", 20);
	put16(at + 16, checksum(sum16(at, bytes, sum)));
	return at + bytes;
}

static uint8_t *put_udp(uint8_t *at, const struct flow *flow, const struct step *step,
	uint32_t bytes, uint32_t sum)
{
	put16(at, flow->port[step->sender]);
	put16(at + 2, flow->port[!step->sender]);
	put32(at + 4, bytes << 16);
	uint16_t check = checksum(sum16(at, 8, sum));

	put16(at + 6, check ? check : 0xffff);
	return at + 8;
}

/* An echo request or its reply. */
static uint8_t *put_icmp(uint8_t *at, const struct flow *flow, const struct step *step,
	uint32_t sent, uint32_t sum)
{
	at[0] = flow->is_v6 ? (uint8_t)(128 + step->sender) : step->sender ? 0 : 8;
	at[1] = 0;
	put16(at + 2, 0);
	put16(at + 4, flow->port[0]);
	put16(at + 6, sent / 2 & 0xffff);
	put16(at + 2, checksum(sum16(at, 8, flow->is_v6 ? sum : 0)));
	return at + 8;
}

/* The length of the IP packet: what the step says, but its headers at least. */
static uint32_t ip_length(const struct flow *flow, const struct step *step)
{
	static const uint32_t transport_bytes[] = { 20, 8, 8 };
	uint32_t bytes = step->ip_bytes;
	uint32_t headers = (flow->is_v6 ? 40u : 20u) + (flow->has_extension ? 8u : 0u) +
			   transport_bytes[flow->transport] + (step->has_options ? 20u : 0u);

	if (flow->is_v6 && bytes < 200) /* small ones grow by what IPv6 is longer */
		bytes += headers - transport_bytes[flow->transport] - 20 -
			 (step->has_options ? 20u : 0u);
	return bytes < headers ? headers : bytes;
}

static void build_frame(struct traffic *traffic, const struct flow *flow,
	const struct step *step, uint32_t sent, uint64_t random, struct traffic_frame *ret)
{
	uint32_t sum, ip_bytes = ip_length(flow, step);

	memset(traffic->frame, 0, traffic->dirty_bytes);
	uint8_t *ip = put_ethernet(traffic->frame, flow, step->sender);
	uint8_t *at = flow->is_v6 ? put_v6(ip, flow, step->sender, ip_bytes, &sum)
				  : put_v4(ip, flow, step->sender, ip_bytes, random, &sum);

	switch (flow->transport) {
	case TRANSPORT_TCP:
		at = put_tcp(at, flow, step, random, sum);
		break;
	case TRANSPORT_UDP:
		at = put_udp(at, flow, step, ip_bytes - (uint32_t)(at - ip), sum);
		break;
	case TRANSPORT_ICMP:
		at = put_icmp(at, flow, step, sent, sum);
		break;
	}
	uint32_t link_bytes = (uint32_t)(ip - traffic->frame);

	traffic->dirty_bytes = (uint32_t)(at - traffic->frame);
	ret->bytes = traffic->frame;
	ret->ip_bytes = ip_bytes;
	ret->wire_bytes = link_bytes + ip_bytes < ETHERNET_BYTES_MIN ? ETHERNET_BYTES_MIN
								     : link_bytes + ip_bytes;
	traffic->totals.ip_bytes += ip_bytes;
	traffic->totals.padded_bytes += ret->wire_bytes - link_bytes;
}

/* -- life ---------------------------------------------------------------------------------- */

int traffic_new(const struct traffic_plan *plan, struct traffic **ret_traffic)
{
	if (plan->flows == 0 || plan->packets < plan->flows || plan->packets == UINT32_MAX)
		return -EINVAL;
	struct traffic *traffic = calloc(1, sizeof(*traffic));

	if (!traffic)
		return -ENOMEM;
	traffic->plan = *plan;
	traffic->random_state = mix(plan->seed);
	traffic->flows = calloc(plan->flows, sizeof(*traffic->flows));
	traffic->order = malloc(plan->packets * sizeof(*traffic->order));
	int rc = traffic->flows && traffic->order ? make_order(traffic) : -ENOMEM;

	if (rc < 0) {
		traffic_free(traffic);
		return rc;
	}
	*ret_traffic = traffic;
	return 0;
}

bool traffic_next(struct traffic *traffic, struct traffic_frame *ret_frame)
{
	if (traffic->done == traffic->plan.packets)
		return false;
	uint32_t number = traffic->order[traffic->done];
	struct progress *progress = &traffic->flows[number];
	struct flow flow = make_flow(&traffic->plan, number);
	uint64_t random = next_random(traffic);
	struct step step = next_step(&traffic->plan, progress, flow.transport, random);

	build_frame(traffic, &flow, &step, progress->sent, mix(random), ret_frame);
	ret_frame->stamp_ns = (uint64_t)TRAFFIC_START_S * NS_PER_S +
			      (uint64_t)traffic->done * PACKET_GAP_NS +
			      below(random, PACKET_GAP_NS);
	traffic->done++;
	traffic->totals.packets++;
	traffic->totals.two_way_flows += progress->sent == 0;
	traffic->totals.one_way_flows += !(progress->has_sent & 1u << step.sender);
	progress->has_sent |= 1u << step.sender & 3;
	progress->sent++;
	return true;
}

void traffic_totals(const struct traffic *traffic, struct traffic_totals *ret_totals)
{
	*ret_totals = traffic->totals;
}

void traffic_free(struct traffic *traffic)
{
	if (!traffic)
		return;
	free(traffic->order);
	free(traffic->flows);
	free(traffic);
}
