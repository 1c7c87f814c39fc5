/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/metrics.h"

#include <inttypes.h>
#include <string.h>

#define PREFIX "ringflow_"
#define NS_PER_S 1000000000u
#define MS_PER_S 1000u

/* -- rows ----------------------------------------------------------------------------- */

enum type { TOTAL, GAUGE };

struct row {
	const char *name;
	enum type type;
	size_t offset;
	const char *sentence;
};

/* clang-format off */
static const struct row counter_rows[] = {
#define COUNTER(name, type, merge, member, sentence) \
	{ #name, type, offsetof(struct sensor_stats, member), sentence },
#include "sensor/counter.def"
};

static const struct row collector_rows[] = {
#define COLLECTOR_COUNTER(name, member, title, sentence) \
	{ "collector_" #name, TOTAL, offsetof(struct metrics_collector, stats.member), sentence },
#include "sensor/counter.def"
};

static const struct row lane_rows[] = {
#define LANE_COUNTER(name, type, member, title, sentence) \
	{ "lane_" #name, type, offsetof(struct sight_lane, member), sentence },
#include "sensor/counter.def"
};
/* clang-format on */

#define COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static uint64_t value_of(const struct row *row, const void *object)
{
	return *(const uint64_t *)(const void *)((const char *)object + row->offset);
}

/* -- lines ---------------------------------------------------------------------------- */

/* Backslash, quote and line feed are escaped. What may not be UTF-8 becomes a question mark. */
static void write_label_value(const char *value, FILE *out)
{
	for (; *value; value++) {
		if (*value == '\n') {
			fputs("\\n", out);
			continue;
		}
		if (*value == '\\' || *value == '"')
			fputc('\\', out);
		fputc((unsigned char)*value < 0x80 ? *value : '?', out);
	}
}

static void write_head(const struct row *row, FILE *out)
{
	fprintf(out, "# TYPE " PREFIX "%s %s\n", row->name,
		row->type == TOTAL ? "counter" : "gauge");
	fprintf(out, "# HELP " PREFIX "%s %s\n", row->name, row->sentence);
}

/* .label NULL: none besides the interface. */
static void write_name(const struct metrics *metrics, const char *name, const char *suffix,
	const char *label, const char *value, FILE *out)
{
	const char *before = "{";

	fprintf(out, PREFIX "%s%s", name, suffix);
	if (metrics->interface) {
		fputs("{interface=\"", out);
		write_label_value(metrics->interface, out);
		fputc('"', out);
		before = ",";
	}
	if (label) {
		fprintf(out, "%s%s=\"", before, label);
		write_label_value(value, out);
		fputc('"', out);
	}
	fputs(metrics->interface || label ? "} " : " ", out);
}

static void write_sample(const struct metrics *metrics, const struct row *row,
	const char *label, const char *label_value, uint64_t value, FILE *out)
{
	write_name(metrics, row->name, row->type == TOTAL ? "_total" : "", label, label_value,
		out);
	fprintf(out, "%" PRIu64 "\n", value);
}

/* -- families ------------------------------------------------------------------------- */

static void write_build(const struct metrics *metrics, FILE *out)
{
	fputs("# TYPE " PREFIX "build info\n"
	      "# HELP " PREFIX "build what is running\n",
		out);
	write_name(metrics, "build", "_info", "version", version_number(), out);
	fputs("1\n", out);
}

static void write_start(const struct metrics *metrics, FILE *out)
{
	uint64_t start_ns = metrics->stats->start_ns;

	fputs("# TYPE " PREFIX "start_timestamp_seconds gauge\n"
	      "# UNIT " PREFIX "start_timestamp_seconds seconds\n"
	      "# HELP " PREFIX "start_timestamp_seconds when metering began\n",
		out);
	write_name(metrics, "start_timestamp_seconds", "", NULL, NULL, out);
	fprintf(out, "%" PRIu64 ".%03u\n", start_ns / NS_PER_S,
		(unsigned)(start_ns % NS_PER_S / (NS_PER_S / MS_PER_S)));
}

static void write_counters(const struct metrics *metrics, FILE *out)
{
	for (size_t i = 0; i < COUNT(counter_rows); i++) {
		write_head(&counter_rows[i], out);
		write_sample(metrics, &counter_rows[i], NULL, NULL,
			value_of(&counter_rows[i], metrics->stats), out);
	}
}

static void write_drops(const struct metrics *metrics, FILE *out)
{
	static const struct row row = { "frames_dropped", TOTAL, 0,
		"frames that are in no flow, by reason" };

	write_head(&row, out);
	for (unsigned i = DROP_NONE + 1; i < DROP_REASON_COUNT; i++)
		write_sample(metrics, &row, "reason", drop_reasons[i].name,
			metrics->stats->dropped[i], out);
}

static void write_ends(const struct metrics *metrics, FILE *out)
{
	static const struct row row = { "flows_ended", TOTAL, 0,
		"flow records that were closed, by reason" };

	write_head(&row, out);
	for (unsigned i = 0; i < END_REASON_COUNT; i++)
		write_sample(metrics, &row, "reason", end_reasons[i].name,
			metrics->stats->cache.expired_by_reason[i], out);
}

/* clang-format off */
static const struct row protocol_rows[] = {
	{ "protocol_flows",   TOTAL, offsetof(struct flow_protocol_stats, flows),   "flow records that were closed, by IP protocol" },
	{ "protocol_packets", TOTAL, offsetof(struct flow_protocol_stats, packets), "packets in those records" },
	{ "protocol_octets",  TOTAL, offsetof(struct flow_protocol_stats, octets),  "octets in those records" },
};
/* clang-format on */

static void write_protocols(const struct metrics *metrics, FILE *out)
{
	for (size_t row = 0; row < COUNT(protocol_rows); row++) {
		write_head(&protocol_rows[row], out);
		for (unsigned i = 0; i < 256; i++) {
			const struct flow_protocol_stats *one =
				&metrics->stats->cache.by_protocol[i];
			char number[8];

			if (one->flows == 0)
				continue;
			snprintf(number, sizeof(number), "%u", i);
			write_sample(metrics, &protocol_rows[row], "protocol", number,
				value_of(&protocol_rows[row], one), out);
		}
	}
}

static void write_collectors(const struct metrics *metrics, FILE *out)
{
	for (size_t row = 0; row < COUNT(collector_rows); row++) {
		write_head(&collector_rows[row], out);
		for (size_t i = 0; i < metrics->collector_count; i++)
			write_sample(metrics, &collector_rows[row], "collector",
				metrics->collectors[i].address,
				value_of(&collector_rows[row], &metrics->collectors[i]), out);
	}
}

static void write_lanes(const struct metrics *metrics, FILE *out)
{
	for (size_t row = 0; row < COUNT(lane_rows); row++) {
		write_head(&lane_rows[row], out);
		for (unsigned i = 0; i < metrics->sight->lane_count; i++) {
			char number[12];

			snprintf(number, sizeof(number), "%u", i);
			write_sample(metrics, &lane_rows[row], "lane", number,
				value_of(&lane_rows[row], &metrics->sight->lanes[i]), out);
		}
	}
}

void metrics_write(const struct metrics *metrics, FILE *out)
{
	write_build(metrics, out);
	write_start(metrics, out);
	write_counters(metrics, out);
	write_drops(metrics, out);
	write_ends(metrics, out);
	write_protocols(metrics, out);
	write_collectors(metrics, out);
	write_lanes(metrics, out);
	fputs("# EOF\n", out);
}
