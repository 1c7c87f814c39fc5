/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hash flooding: tuples are chosen by brute force so that under a known key all of them have
 * their home in a thousandth of the table. With that key they cost what a flood costs, which
 * shows that they are chosen well; with a random key they must cost what random tuples do. The
 * probes, how many slots a look-up reads, are told for all three, and for a full table.
 */
#include <sys/random.h>

#include "bench.h"

#include "ring/packet.h"
#include "sensor/flow_cache.h"
#include "sensor/flow_table.h"

#define CAPACITY 1000000u
#define TUPLES 16384u
#define HOME_SHARE 1024u /* chosen tuples live in one slot of so many */
#define ROUNDS 20
#define KNOWN_KEY_ROUNDS 1
#define KEYS 7 /* random keys; the median counts */
#define STAMP_GAP_NS 1000

static const uint64_t known_key[2] = { 1, 2 };
static uint32_t chosen[TUPLES], ordinary[TUPLES], all[CAPACITY];

static void ignore_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
}

static void random_key(uint64_t key[2])
{
	if (getrandom(key, 16, 0) != 16)
		exit(1);
}

/* -- tuples -------------------------------------------------------------------------------- */

static struct flow_probe probe_of(const struct flow_table *table, uint32_t flow)
{
	struct packet_meta meta;
	struct flow_probe probe;

	bench_fill_meta(&meta, 4, flow, false);
	flow_key_make(&flow_levels[TRACK_FULL], &table->hash, &meta, &probe);
	return probe;
}

static void init_table(struct flow_table *table, const uint64_t key[2])
{
	int rc = flow_table_init(table, CAPACITY, 0, &flow_levels[TRACK_FULL], key);

	if (rc < 0)
		bench_fail("flow_table_init", rc);
}

static uint32_t home_of(const struct flow_table *table, const struct flow_probe *probe)
{
	return flow_table_home(table, (uint32_t)(probe->hash >> 32));
}

/* Flows are numbers, and a number is a tuple (bench.h). */
static void choose_tuples(void)
{
	struct flow_table table;
	uint32_t flow = 0;

	init_table(&table, known_key);
	for (uint32_t count = 0; count < TUPLES; flow++) {
		struct flow_probe probe = probe_of(&table, flow);

		if (home_of(&table, &probe) < table.slot_count / HOME_SHARE)
			chosen[count++] = flow;
	}
	for (uint32_t i = 0; i < TUPLES; i++)
		ordinary[i] = flow + i;
	for (uint32_t i = 0; i < CAPACITY; i++)
		all[i] = i;
	flow_table_fini(&table);
}

/* -- probes -------------------------------------------------------------------------------- */

static void say_probes(
	const char *what, const uint32_t *flows, uint32_t count, const uint64_t key[2])
{
	struct flow_table table;
	uint64_t sum = 0, longest = 0;
	char name[64];

	init_table(&table, key);
	for (uint32_t i = 0; i < count; i++) {
		struct flow_probe probe = probe_of(&table, flows[i]);

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
	snprintf(name, sizeof(name), "flood_%s_mean_probes", what);
	bench_say(name, (double)sum / count);
	snprintf(name, sizeof(name), "flood_%s_most_probes", what);
	bench_say(name, (double)longest);
	flow_table_fini(&table);
}

/* -- packets ------------------------------------------------------------------------------- */

/* CPU time per packet, of each flow in turn. */
static double meter(const uint32_t *flows, const uint64_t key[2], unsigned rounds)
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
	for (uint32_t done = 0; done < rounds * TUPLES; done += PACKET_BATCH_MAX) {
		for (unsigned i = 0; i < PACKET_BATCH_MAX; i++) {
			bench_fill_meta(&metas[i], 4, flows[(done + i) % TUPLES], false);
			metas[i].stamp_ns = stamp_ns += STAMP_GAP_NS;
		}
		uint64_t begin_ns = bench_cpu_ns();

		flow_cache_meter(cache, metas, PACKET_BATCH_MAX);
		spent_ns += bench_cpu_ns() - begin_ns;
	}
	flow_cache_free(cache);
	return (double)spent_ns / (rounds * TUPLES);
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
	double chosen_ns[KEYS], ordinary_ns[KEYS], ratio[KEYS];
	uint64_t key[2];

	choose_tuples();
	for (unsigned i = 0; i < KEYS; i++) {
		random_key(key);
		ordinary_ns[i] = meter(ordinary, key, ROUNDS);
		chosen_ns[i] = meter(chosen, key, ROUNDS);
		ratio[i] = chosen_ns[i] / ordinary_ns[i];
	}
	bench_say("flood_ordinary_ns", median(ordinary_ns));
	bench_say("flood_chosen_ns", median(chosen_ns));
	bench_say("flood_ratio", median(ratio));
	bench_say("flood_known_key_ns", meter(chosen, known_key, KNOWN_KEY_ROUNDS));
	say_probes("ordinary", ordinary, TUPLES, key);
	say_probes("chosen", chosen, TUPLES, key);
	say_probes("known_key", chosen, TUPLES, known_key);
	say_probes("full_table", all, CAPACITY, key);
	return 0;
}
