/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Random packets against a model that knows nothing of lists, hashes or lower bounds: an array
 * of flows, searched from end to end for everything. Cache and model must hand out the same
 * records at the same times.
 *
 * Which of two flows goes first whose last packets came at the same moment is not said. So
 * where flows are forced out for lack of room, the packets have moments of their own.
 */
#include "tests/test_flow_support.h"

#include "export/flow_record.h"

enum { MODEL_FLOWS = 512 }; /* more than the packets have conversations */

/* In the order in which the cache prefers them when all else is equal. */
enum model_class { RST_AND_FIN, RST, FIN, OPEN_TCP, DATAGRAM, CONTROL, OTHER, CLASSES };

struct model_flow {
	bool is_used;
	struct packet_meta first; /* gives the key */
	uint64_t id;
	uint64_t packets[2], octets[2], first_ns[2], last_ns[2]; /* by sender: [0] is first's */
	unsigned flags[2];
	uint64_t start_ns, start_turn, activity_ns, activity_turn;
};

struct model {
	struct flow_timeouts timeouts;
	struct model_flow flows[MODEL_FLOWS];
	unsigned room;
	uint64_t clock_ns, turn, ids, closed_ns;
	struct kept kept;
};

static bool is_open(const struct model_flow *flow)
{
	return flow->packets[0] + flow->packets[1] > 0;
}

static enum model_class class_of(const struct model_flow *flow)
{
	unsigned either = flow->flags[0] | flow->flags[1];
	unsigned both = flow->flags[0] & flow->flags[1];

	if (flow->first.protocol == UDP)
		return DATAGRAM;
	if (flow->first.is_icmp)
		return CONTROL;
	if (flow->first.protocol != TCP)
		return OTHER;
	if (either & TCP_RST)
		return both & TCP_FIN ? RST_AND_FIN : RST;
	return both & TCP_FIN ? FIN : OPEN_TCP;
}

/* softflowd's order of rules, as a chain of conditions. */
static uint64_t idle_timeout_ns(
	const struct flow_timeouts *t, const struct model_flow *flow, enum end_reason *reason)
{
	enum model_class class = class_of(flow);

	if ((class == RST_AND_FIN || class == RST) && t->tcp_rst_ns) {
		*reason = END_TCP_RST;
		return t->tcp_rst_ns;
	}
	if ((class == RST_AND_FIN || class == FIN) && t->tcp_fin_ns) {
		*reason = END_TCP_FIN;
		return t->tcp_fin_ns;
	}
	if (class <= OPEN_TCP && t->tcp_ns) {
		*reason = END_TCP;
		return t->tcp_ns;
	}
	if (class == DATAGRAM && t->udp_ns) {
		*reason = END_UDP;
		return t->udp_ns;
	}
	if (class == CONTROL && t->icmp_ns) {
		*reason = END_ICMP;
		return t->icmp_ns;
	}
	*reason = END_GENERAL;
	return t->general_ns;
}

static uint64_t idle_deadline_ns(const struct model *model, const struct model_flow *flow)
{
	enum end_reason reason;
	uint64_t deadline_ns =
		flow->activity_ns + idle_timeout_ns(&model->timeouts, flow, &reason);
	uint64_t interval_ns = model->timeouts.expiry_interval_ns;

	while (interval_ns > S(1) && deadline_ns % interval_ns)
		deadline_ns += interval_ns - deadline_ns % interval_ns;
	return deadline_ns;
}

static uint64_t life_deadline_ns(const struct model *model, const struct model_flow *flow)
{
	if (!is_open(flow) || model->timeouts.maximum_life_ns == 0)
		return UINT64_MAX;
	return flow->start_ns + model->timeouts.maximum_life_ns;
}

/* Only what the comparison looks at. */
static void hand_out(
	struct model *model, struct model_flow *flow, enum end_reason reason, uint64_t now_ns)
{
	struct flow_record record = { .flow_id = flow->id };

	if (!is_open(flow))
		return;
	if (model->closed_ns < now_ns)
		model->closed_ns = now_ns;
	record.end_reason = end_reasons[reason].flow_end;
	for (unsigned i = 0; i < 2; i++) {
		record.side[i].packets = flow->packets[i];
		record.side[i].octets = flow->octets[i];
		record.side[i].tcp_flags = (uint16_t)flow->flags[i];
		record.side[i].first_ns = flow->packets[i] ? flow->first_ns[i] : 0;
		record.side[i].last_ns = flow->packets[i] ? flow->last_ns[i] : 0;
	}
	keep_record(&model->kept, &record, model->closed_ns);
}

static void end_flow(
	struct model *model, struct model_flow *flow, enum end_reason reason, uint64_t now_ns)
{
	hand_out(model, flow, reason, now_ns);
	flow->is_used = false;
}

static void end_life(struct model *model, struct model_flow *flow, uint64_t now_ns)
{
	hand_out(model, flow, END_MAXLIFE, now_ns);
	memset(flow->packets, 0, sizeof(flow->packets));
}

/* Sorted by deadline, idle before life, class, and turn. */
static bool is_before(const uint64_t a[4], const uint64_t b[4])
{
	for (unsigned i = 0; i < 4; i++)
		if (a[i] != b[i])
			return a[i] < b[i];
	return false;
}

static bool close_first_due(struct model *model)
{
	uint64_t best[4] = { UINT64_MAX };
	struct model_flow *due = NULL;
	enum end_reason reason;

	for (unsigned i = 0; i < model->room; i++) {
		struct model_flow *flow = &model->flows[i];

		if (!flow->is_used)
			continue;
		uint64_t idle[4] = { idle_deadline_ns(model, flow), 0, class_of(flow),
			flow->activity_turn };
		uint64_t life[4] = { life_deadline_ns(model, flow), 1, 0, flow->start_turn };

		if (is_before(idle, best)) {
			memcpy(best, idle, sizeof(best));
			due = flow;
		}
		if (is_before(life, best)) {
			memcpy(best, life, sizeof(best));
			due = flow;
		}
	}
	if (!due || best[0] > model->clock_ns)
		return false;
	if (best[1])
		end_life(model, due, best[0]);
	else {
		idle_timeout_ns(&model->timeouts, due, &reason);
		end_flow(model, due, reason, best[0]);
	}
	return true;
}

static struct model_flow *least_recent(struct model *model)
{
	struct model_flow *oldest = NULL;
	uint64_t best[4] = { UINT64_MAX, UINT64_MAX };

	for (unsigned i = 0; i < model->room; i++) {
		struct model_flow *flow = &model->flows[i];
		uint64_t rank[4] = { flow->activity_ns, class_of(flow), flow->activity_turn };

		if (flow->is_used && is_before(rank, best)) {
			memcpy(best, rank, sizeof(best));
			oldest = flow;
		}
	}
	return oldest;
}

static bool is_reply(const struct packet_meta *a, const struct packet_meta *b)
{
	return a->protocol == b->protocol && a->source_port == b->destination_port &&
	       a->destination_port == b->source_port &&
	       memcmp(a->source, b->destination, 16) == 0 &&
	       memcmp(a->destination, b->source, 16) == 0;
}

static bool is_same_direction(const struct packet_meta *a, const struct packet_meta *b)
{
	return a->protocol == b->protocol && a->source_port == b->source_port &&
	       a->destination_port == b->destination_port &&
	       memcmp(a->source, b->source, 16) == 0 &&
	       memcmp(a->destination, b->destination, 16) == 0;
}

static struct model_flow *flow_for(struct model *model, const struct packet_meta *meta)
{
	struct model_flow *unused = NULL;

	for (unsigned i = 0; i < model->room; i++) {
		struct model_flow *flow = &model->flows[i];

		if (flow->is_used &&
			(is_same_direction(&flow->first, meta) || is_reply(&flow->first, meta)))
			return flow;
		if (!flow->is_used)
			unused = flow;
	}
	if (!unused) {
		unused = least_recent(model);
		end_flow(model, unused, END_OVERFLOWS, model->clock_ns);
	}
	*unused = (struct model_flow){ .is_used = true, .first = *meta, .id = ++model->ids };
	return unused;
}

static void model_packet(struct model *model, const struct packet_meta *meta)
{
	if (model->clock_ns < meta->stamp_ns)
		model->clock_ns = meta->stamp_ns;
	while (close_first_due(model))
		;
	struct model_flow *flow = flow_for(model, meta);
	unsigned sender = !is_same_direction(&flow->first, meta);

	model->turn++;
	if (!is_open(flow)) {
		memset(flow->octets, 0, sizeof(flow->octets));
		memset(flow->flags, 0, sizeof(flow->flags));
		flow->start_ns = model->clock_ns;
		flow->start_turn = model->turn;
	}
	if (flow->packets[sender] == 0)
		flow->first_ns[sender] = flow->last_ns[sender] = meta->stamp_ns;
	if (flow->first_ns[sender] > meta->stamp_ns)
		flow->first_ns[sender] = meta->stamp_ns;
	if (flow->last_ns[sender] < meta->stamp_ns)
		flow->last_ns[sender] = meta->stamp_ns;
	flow->packets[sender] += meta->packets;
	flow->octets[sender] += meta->octets;
	flow->flags[sender] |= meta->tcp_flags;

	/* A flow that changes its class goes to the end of the queue there, like any other. */
	flow->activity_ns = model->clock_ns;
	flow->activity_turn = model->turn;
}

/* -- random packets ------------------------------------------------------------------- */

static uint64_t next_random(uint64_t *seed)
{
	uint64_t z = *seed += 0x9e3779b97f4a7c15;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9;
	z = (z ^ z >> 27) * 0x94d049bb133111eb;
	return z ^ z >> 31;
}

static unsigned random_below(uint64_t *seed, unsigned limit)
{
	return (unsigned)(next_random(seed) % limit);
}

/* Hosts, ports and protocols are few, so that flows meet, close and come again. No SYN: slot 0
 * is then who sent first, as in the model. */
static struct packet_meta random_packet(
	uint64_t *seed, uint64_t *now_ns, uint64_t step_ns, bool has_own_moment)
{
	static const unsigned protocols[] = { TCP, TCP, UDP, ICMP, GRE };
	static const unsigned flags[] = { TCP_ACK, TCP_ACK, TCP_ACK, TCP_FIN, TCP_RST };
	unsigned protocol = protocols[random_below(seed, 5)];
	unsigned port_a = random_below(seed, 3), port_b = random_below(seed, 2);
	unsigned a = 1 + random_below(seed, 4), b = 1 + random_below(seed, 4);

	if (has_own_moment || random_below(seed, 10) > 0) /* else: many of one moment */
		*now_ns += 1 + next_random(seed) % step_ns;
	if (random_below(seed, 1000) == 0)
		*now_ns += step_ns * random_below(seed, 5000);

	struct packet_meta meta = packet(protocol, a, port_a, b, port_b);
	bool is_late = !has_own_moment && random_below(seed, 8) == 0;
	uint64_t late_ns = is_late ? next_random(seed) % (20 * step_ns) : 0;

	meta.stamp_ns = *now_ns - late_ns;
	meta.octets = 20 + random_below(seed, 1480);
	meta.packets = 1 + (random_below(seed, 20) == 0 ? random_below(seed, 40) : 0);
	meta.tcp_flags = protocol == TCP ? (uint16_t)flags[random_below(seed, 5)] : 0;
	return meta;
}

static void check_side(const struct flow_side *a, const struct flow_side *b)
{
	assert_int_equal(a->packets, b->packets);
	assert_int_equal(a->octets, b->octets);
	assert_int_equal(a->first_ns, b->first_ns);
	assert_int_equal(a->last_ns, b->last_ns);
	assert_int_equal(a->tcp_flags, b->tcp_flags);
}

static void check_record(const struct flow_record *a, const struct flow_record *b)
{
	assert_int_equal(a->flow_id, b->flow_id);
	assert_int_equal(a->end_reason, b->end_reason);
	check_side(&a->side[0], &b->side[0]);
	check_side(&a->side[1], &b->side[1]);
}

/* By the time of closing, then by flow; a flow closes twice at one time only when its life ends
 * and then its wait, and then one record has nothing later than the other. */
static int compare_kept(const void *a, const void *b)
{
	const struct kept_record *x = a, *y = b;

	if (x->now_ns != y->now_ns)
		return x->now_ns < y->now_ns ? -1 : 1;
	return (x->record.flow_id > y->record.flow_id) -
	       (x->record.flow_id < y->record.flow_id);
}

static void sort_kept(struct kept *kept)
{
	for (size_t i = 1; i < kept->count; i++)
		assert_true(kept->records[i - 1].now_ns <= kept->records[i].now_ns);
	qsort(kept->records, kept->count, sizeof(*kept->records), compare_kept);
}

static void check_same_records(struct kept *cache, struct kept *model)
{
	assert_int_equal(cache->count, model->count);
	sort_kept(cache);
	sort_kept(model);
	for (size_t i = 0; i < cache->count; i++) {
		check_record(&cache->records[i].record, &model->records[i].record);
		assert_int_equal(cache->records[i].now_ns, model->records[i].now_ns);
	}
}

static uint64_t sum_packets(const struct kept *kept)
{
	uint64_t packets = 0;

	for (size_t i = 0; i < kept->count; i++)
		packets += kept->records[i].record.side[0].packets +
			   kept->records[i].record.side[1].packets;
	return packets;
}

/* clang-format off */
static const struct scenario {
	const char *what;
	unsigned room; /* MODEL_FLOWS: for all */
	uint64_t step_ns;
	struct flow_timeouts timeouts; /* general, tcp, rst, fin, udp, icmp, life, interval */
} scenarios[] = {
	{ "idle and active", MODEL_FLOWS, 50000000,
		{ S(15), S(15), S(2), S(3), S(9), S(4), S(30), 0 } },
	{ "rounded", MODEL_FLOWS, 50000000,
		{ S(15), S(15), S(2), S(3), S(9), S(4), S(40), S(7) } },
	{ "rules switched off", MODEL_FLOWS, 50000000,
		{ S(15), 0, 0, S(3), 0, S(4), 0, S(1) } },
	{ "all but room for all", 60, 50000000,
		{ S(15), S(15), S(2), S(3), S(9), S(4), S(30), 0 } },
	{ "short of room", 7, 50000000,
		{ S(15), S(15), S(2), S(3), S(9), S(4), S(30), 0 } },
	{ "short and rounded", 13, 500000000,
		{ S(15), S(60), S(2), S(3), S(9), S(4), S(8), S(5) } },
	{ "room for one", 1, 50000000,
		{ S(15), S(15), S(2), S(3), S(9), S(4), S(30), 0 } },
	{ "softflowd's", MODEL_FLOWS, 5000000000,
		{ S(3600), S(3600), S(120), S(300), S(300), S(300), S(604800), S(60) } },
	{ "life below idle", MODEL_FLOWS, 90000000,
		{ S(15), S(15), S(15), S(15), S(15), S(15), S(1), 0 } },
};
/* clang-format on */

enum { PACKETS = 100000 };

static void run_scenario(const struct scenario *scenario, uint64_t seed)
{
	struct model *model = calloc(1, sizeof(*model));
	struct flow_cache_config config = default_config();
	struct fixture fixture;
	uint64_t now_ns = S(T0_S), packets = 0;
	struct packet_meta metas[64];

	assert_non_null(model);
	config.timeouts = model->timeouts = scenario->timeouts;
	config.maximum_flows = model->room = scenario->room;
	begin(&fixture, config);
	for (unsigned done = 0; done < PACKETS;) {
		unsigned count = 1 + random_below(&seed, 64);

		for (unsigned i = 0; i < count; i++) {
			metas[i] = random_packet(&seed, &now_ns, scenario->step_ns,
				scenario->room < MODEL_FLOWS);
			packets += metas[i].packets;
			model_packet(model, &metas[i]);
		}
		flow_cache_meter(fixture.cache, metas, count);
		assert_int_equal(fixture.kept.count, model->kept.count);
		done += count;
	}
	flush(&fixture);
	for (struct model_flow *flow; (flow = least_recent(model));)
		end_flow(model, flow, END_FLUSH, model->clock_ns);
	check_same_records(&fixture.kept, &model->kept);
	assert_int_equal(sum_packets(&fixture.kept), packets);
	assert_int_equal(stats_of(&fixture)->metered_pkts, packets);
	assert_int_equal(stats_of(&fixture)->expired_pkts, packets);
	assert_int_equal(stats_of(&fixture)->created_flows, model->ids);
	end(&fixture);
	free(model->kept.records);
	free(model);
}

static void cache_does_what_the_model_does(void **state)
{
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++) {
		print_message("%s\n", scenarios[i].what);
		run_scenario(&scenarios[i], i + 1);
	}
}

/* -- pacing --------------------------------------------------------------------------- */

static int compare_records(const void *a, const void *b)
{
	const struct flow_record *x = &((const struct kept_record *)a)->record;
	const struct flow_record *y = &((const struct kept_record *)b)->record;

	if (x->flow_id != y->flow_id)
		return x->flow_id < y->flow_id ? -1 : 1;
	uint64_t x_ns = x->side[0].packets ? x->side[0].last_ns : x->side[1].last_ns;
	uint64_t y_ns = y->side[0].packets ? y->side[0].last_ns : y->side[1].last_ns;

	return (x_ns > y_ns) - (x_ns < y_ns);
}

/* Many flows end at once, between packets that come in single calls: the paced cache lags. */
static void run_bursts(struct fixture *fixture, bool is_paced)
{
	enum { BURST = 3000 };
	struct flow_cache_config config = default_config();
	uint64_t seed = 7;

	config.maximum_flows = 100000;
	config.is_paced = is_paced;
	config.timeouts.udp_ns = S(15);
	config.timeouts.maximum_life_ns = S(20);
	begin(fixture, config);
	for (unsigned burst = 0; burst < 20; burst++)
		for (unsigned i = 0; i < BURST; i++) {
			unsigned port = random_below(&seed, 20000);
			uint64_t after_s = 4 * burst + (burst > 10 ? 40 : 0);

			meter(fixture, at_s(packet(UDP, HOST_A, port, HOST_B, 53), after_s));
		}
	while (!flow_cache_advance(fixture->cache, S(T0_S + 100000), SIZE_MAX))
		;
	qsort(fixture->kept.records, fixture->kept.count, sizeof(*fixture->kept.records),
		compare_records);
}

static void paced_cache_makes_the_same_records(void **state)
{
	struct fixture paced, exact;

	run_bursts(&paced, true);
	run_bursts(&exact, false);
	assert_int_equal(paced.kept.count, exact.kept.count);
	for (size_t i = 0; i < exact.kept.count; i++)
		check_record(&paced.kept.records[i].record, &exact.kept.records[i].record);
	end(&paced);
	end(&exact);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(cache_does_what_the_model_does),
	cmocka_unit_test(paced_cache_makes_the_same_records),
};

UNIT_MAIN("flow_model", tests)
