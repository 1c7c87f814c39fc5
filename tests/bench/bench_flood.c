/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash flooding. Somebody who knows the code but not the key sends one packet after the other
 * of flows that are chosen to meet in the table:
 *
 *   chosen     found by brute force: under a known key all live in a thousandth of the table
 *   row        addresses one after the other
 *   ports      ports that differ in their upper bits alone
 *   high_bits  IPv6 addresses that differ in the highest bits of their words alone
 *
 * With a random key each must cost what ordinary flows cost; with the known key the chosen ones
 * cost what a flood costs, which shows that they are chosen well. Probes are how many slots a
 * look-up reads.
 */
#include <endian.h>
#include <errno.h>
#include <sys/random.h>

#include "bench.h"

#include "ring/packet.h"
#include "sensor/flow_cache.h"
#include "sensor/flow_table.h"

#define CAPACITY 20000u
#define FLOWS 16384u
#define FULL_TABLE_FLOWS 4000000u
#define HOME_SHARE 1024u /* chosen flows live in one slot of so many */
#define ROUNDS 20
#define KNOWN_KEY_ROUNDS 1
#define KEYS 7 /* random keys; the median counts */
#define STAMP_GAP_NS 1000

static const uint64_t known_key[2] = { 1, 2 };
static uint32_t chosen[FLOWS];

static void ignore_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
}

/* -- families of flows: a number becomes a packet ------------------------------------------ */

static void ordinary_flow(uint32_t number, struct packet_meta *meta)
{
	uint64_t random = bench_mix(number);

	bench_fill_meta(meta, 4, number, false);
	memcpy(meta->source, &random, 4);
}

static void chosen_flow(uint32_t number, struct packet_meta *meta)
{
	ordinary_flow(chosen[number], meta);
}

static void row_flow(uint32_t number, struct packet_meta *meta)
{
	uint32_t address = htobe32(0x0a000000 + number);

	bench_fill_meta(meta, 4, 0, false);
	memcpy(meta->source, &address, 4);
}

static void ports_flow(uint32_t number, struct packet_meta *meta)
{
	bench_fill_meta(meta, 4, 0, false);
	meta->source_port = (uint16_t)(number % 128 << 9);
	meta->destination_port = (uint16_t)(number / 128 << 9);
}

static void high_bits_flow(uint32_t number, struct packet_meta *meta)
{
	bench_fill_meta(meta, 6, 0, false);
	for (unsigned bit = 0; bit < 14; bit++) {
		uint8_t *address = bit < 7 ? meta->source : meta->destination;
		unsigned octet = bit % 4 * 4 + 3; /* the highest of a word, octets in order */

		address[octet] ^= (number >> bit & 1) << (bit % 7 < 4 ? 7 : 6);
	}
}

static const struct family {
	const char *name;
	void (*flow)(uint32_t number, struct packet_meta *meta);
} families[] = {
	{ "ordinary", ordinary_flow }, /* first: what the others are held against */
	{ "chosen", chosen_flow },
	{ "row", row_flow },
	{ "ports", ports_flow },
	{ "high_bits", high_bits_flow },
};
#define FAMILIES (sizeof(families) / sizeof(families[0]))

/* -- the table ----------------------------------------------------------------------------- */

static void init_table(struct flow_table *table, uint32_t capacity, const uint64_t key[2])
{
	int rc = flow_table_init(table, capacity, 0, TRACK_FULL, key);

	if (rc < 0)
		bench_fail("flow_table_init", rc);
}

static struct flow_probe probe_of(
	const struct flow_table *table, const struct family *family, uint32_t number)
{
	struct packet_meta meta;
	struct flow_probe probe;

	family->flow(number, &meta);
	flow_key_make(&table->keying, &meta, &probe);
	return probe;
}

static void choose_flows(void)
{
	struct flow_table table;

	init_table(&table, CAPACITY, known_key);
	for (uint32_t count = 0, number = FLOWS; count < FLOWS; number++) {
		struct flow_probe probe = probe_of(&table, &families[0], number);

		if (flow_table_home(&table, (uint32_t)(probe.hash >> 32)) <
			table.slot_count / HOME_SHARE)
			chosen[count++] = number;
	}
	flow_table_fini(&table);
}

static void say(const char *name, const char *what, double value)
{
	char text[64];

	snprintf(text, sizeof(text), "flood_%s_%s", name, what);
	bench_say(text, value);
}

static void say_probes(
	const char *name, const struct family *family, uint32_t count, const uint64_t key[2])
{
	struct flow_table table;
	uint64_t sum = 0, longest = 0;

	init_table(&table, count > CAPACITY ? count : CAPACITY, key);
	for (uint32_t number = 0; number < count; number++) {
		struct flow_probe probe = probe_of(&table, family, number);

		if (flow_table_find(&table, &probe))
			bench_fail(name, -EEXIST);
		flow_table_add(&table, &probe);
	}
	for (uint32_t at = 0; at < table.slot_count; at++) {
		if (table.slots[at].index == 0)
			continue;
		uint32_t home = flow_table_home(&table, table.slots[at].tag);
		uint64_t probes =
			1 + (at + (uint64_t)table.slot_count - home) % table.slot_count;

		sum += probes;
		longest = probes > longest ? probes : longest;
	}
	say(name, "mean_probes", (double)sum / count);
	say(name, "most_probes", (double)longest);
	flow_table_fini(&table);
}

/* -- packets ------------------------------------------------------------------------------- */

/* CPU time per packet, of each flow in turn. */
static double meter(const struct family *family, const uint64_t key[2], unsigned rounds)
{
	static struct packet_meta metas[PACKET_BATCH_MAX];
	uint64_t spent_ns = 0, stamp_ns = BENCH_START_NS;
	struct flow_cache *cache;
	struct flow_cache_config config = {
		.level = TRACK_FULL,
		.maximum_flows = CAPACITY,
		.timeouts = { .general_ns = 3600 * BENCH_NS_PER_S },
		.hash_key = { key[0], key[1] },
		.sink = { ignore_record, NULL },
	};
	int rc = flow_cache_new(&config, &cache);

	if (rc < 0)
		bench_fail("flow_cache_new", rc);
	for (uint32_t done = 0; done < rounds * FLOWS; done += PACKET_BATCH_MAX) {
		for (unsigned i = 0; i < PACKET_BATCH_MAX; i++) {
			family->flow((done + i) % FLOWS, &metas[i]);
			metas[i].stamp_ns = stamp_ns += STAMP_GAP_NS;
		}
		uint64_t begin_ns = bench_cpu_ns();

		flow_cache_meter(cache, metas, PACKET_BATCH_MAX);
		spent_ns += bench_cpu_ns() - begin_ns;
	}
	flow_cache_free(cache);
	return (double)spent_ns / (rounds * FLOWS);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double values[static KEYS])
{
	qsort(values, KEYS, sizeof(*values), compare);
	return values[KEYS / 2];
}

int main(void)
{
	static double ns[FAMILIES][KEYS], ratio[FAMILIES][KEYS];
	double worst = 0;
	uint64_t key[2];

	choose_flows();
	for (unsigned i = 0; i < KEYS; i++) {
		if (getrandom(key, sizeof(key), 0) != sizeof(key))
			bench_fail("getrandom", -errno);
		for (unsigned f = 0; f < FAMILIES; f++) {
			ns[f][i] = meter(&families[f], key, ROUNDS);
			ratio[f][i] = ns[f][i] / ns[0][i];
		}
	}
	for (unsigned f = 0; f < FAMILIES; f++) {
		double times = median(ratio[f]);

		worst = times > worst ? times : worst;
		say(families[f].name, "ns", median(ns[f]));
		say_probes(families[f].name, &families[f], FLOWS, key);
	}
	bench_say("flood_ratio", worst);
	bench_say("flood_known_key_ns", meter(&families[1], known_key, KNOWN_KEY_ROUNDS));
	say_probes("known_key", &families[1], FLOWS, known_key);
	say_probes("full_table", &families[0], FULL_TABLE_FLOWS, key);
	return 0;
}
