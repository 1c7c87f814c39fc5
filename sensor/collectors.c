/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/collectors.h"

#include <string.h>

#define NS_PER_MS 1000000ULL

void collectors_take(
	struct collectors *collectors, struct transport *const *transports, size_t count)
{
	for (size_t i = 0; i < count; i++)
		collectors->transports[i] = transports[i];
	collectors->transport_count = count;
}

static int begin_one(
	struct collectors *collectors, size_t i, const struct exporter_saved *saved)
{
	struct transport *transport = collectors->transports[i];
	struct exporter **place = &collectors->exporters[i];
	int rc;

	if (collectors->kept_bytes)
		rc = exporter_new_kept(&collectors->config, transport,
			collectors->kept_bytes + i * EXPORTER_KEPT_BYTES, saved, place);
	else
		rc = exporter_new(&collectors->config, transport, place);
	if (rc < 0)
		return rc;
	collectors->transports[i] = NULL;
	collectors->count++;
	return 0;
}

static void set_boot_of_new(struct collectors *collectors, uint64_t boot_ns)
{
	collectors->config.boot_ns = boot_ns - boot_ns % NS_PER_MS;
}

int collectors_begin(struct collectors *collectors, uint64_t boot_ns)
{
	int rc = 0;

	set_boot_of_new(collectors, boot_ns);
	for (size_t i = 0; rc == 0 && i < collectors->transport_count; i++)
		rc = begin_one(collectors, i, NULL);
	return rc;
}

static int resume_one(
	struct collectors *collectors, size_t i, const struct exporter_saved *saved)
{
	struct transport *transport = collectors->transports[i];

	if (exporter_fits(saved, &collectors->config, transport->name))
		return begin_one(collectors, i, saved);
	uint32_t sequence = 0;
	if (saved->is_used)
		(void)exporter_send_saved(saved,
			collectors->kept_bytes + i * EXPORTER_KEPT_BYTES, transport, &sequence);
	int rc = begin_one(collectors, i, NULL);
	/* To the collector it is the same exporter, in another version of the program. */
	if (rc == 0 && saved->is_closed && saved->config.version == collectors->config.version)
		exporter_follow(collectors->exporters[i], sequence);
	return rc;
}

int collectors_resume(
	struct collectors *collectors, uint64_t boot_ns, const struct exporter_saved *saved)
{
	int rc = 0;

	set_boot_of_new(collectors, boot_ns);
	for (size_t i = 0; rc == 0 && i < collectors->transport_count; i++)
		rc = resume_one(collectors, i, &saved[i]);
	return rc;
}

void collectors_save(struct collectors *collectors, struct exporter_saved *to)
{
	for (size_t i = 0; i < collectors->count; i++)
		exporter_save(collectors->exporters[i], &to[i]);
}

bool collectors_release(struct collectors *collectors)
{
	bool has_left = false;

	for (size_t i = 0; i < collectors->count; i++)
		has_left |= exporter_release(collectors->exporters[i]);
	return has_left;
}

/* Which collector of a balanced group gets a flow: in turn by flow, so that both directions and
 * all records of a conversation arrive at one place, and a capture gives the same every time.
 */
static size_t balanced_index(
	const struct collectors *collectors, const struct flow_record *record)
{
	return (size_t)(record->flow_id % collectors->count);
}

void collectors_add_to_any(
	struct collectors *collectors, const struct flow_record *record, uint64_t now_ns)
{
	if (collectors->count > 0 && collectors->is_balanced) {
		size_t index = balanced_index(collectors, record);
		exporter_add(collectors->exporters[index], record, now_ns);
		return;
	}
	for (size_t i = 0; i < collectors->count; i++)
		exporter_add(collectors->exporters[i], record, now_ns);
}

void collectors_advance(struct collectors *collectors, uint64_t now_ns)
{
	for (size_t i = 0; i < collectors->count; i++)
		exporter_advance(collectors->exporters[i], now_ns);
}

void collectors_send_gathered(struct collectors *collectors)
{
	for (size_t i = 0; i < collectors->count; i++)
		exporter_send_gathered(collectors->exporters[i]);
}

void collectors_flush(struct collectors *collectors, uint64_t now_ns)
{
	for (size_t i = 0; i < collectors->count; i++)
		exporter_flush(collectors->exporters[i], now_ns);
}

bool collectors_are_held(const struct collectors *collectors)
{
	for (size_t i = 0; i < collectors->count; i++)
		if (exporter_is_held(collectors->exporters[i]))
			return true;
	return false;
}

void collectors_give_up(struct collectors *collectors)
{
	for (size_t i = 0; i < collectors->count; i++)
		exporter_give_up(collectors->exporters[i]);
}

void collectors_refresh_templates(struct collectors *collectors)
{
	for (size_t i = 0; i < collectors->count; i++)
		exporter_refresh_templates(collectors->exporters[i]);
}

void collectors_set_boot(struct collectors *collectors, uint64_t boot_ns)
{
	collectors->config.boot_ns = boot_ns;
	for (size_t i = 0; i < collectors->count; i++)
		exporter_set_boot(collectors->exporters[i], boot_ns);
}

void collectors_step_clock(struct collectors *collectors, int64_t step_ns)
{
	uint64_t *boot_ns = &collectors->config.boot_ns;

	if (step_ns < 0 && *boot_ns < (uint64_t)-step_ns)
		*boot_ns = 0;
	else
		*boot_ns += (uint64_t)step_ns;
	for (size_t i = 0; i < collectors->count; i++)
		exporter_step_clock(collectors->exporters[i], step_ns);
}

static void add_stats(struct exporter_stats *sum, const struct exporter_stats *one)
{
	sum->flows += one->flows;
	sum->records += one->records;
	sum->messages += one->messages;
	sum->octets += one->octets;
	sum->failed_messages += one->failed_messages;
	sum->failed_records += one->failed_records;
	sum->unsupported_flows += one->unsupported_flows;
	sum->unsupported_pkts += one->unsupported_pkts;
	sum->saturated_fields += one->saturated_fields;
	sum->postponed_sends += one->postponed_sends;
	transport_sessions_add(&sum->sessions, &one->sessions);
}

/* -- another row ---------------------------------------------------------------------- */

/* Where the .index-th one goes; -1: it is removed. */
static long place_of(const struct collectors_change *change, size_t index)
{
	for (size_t i = 0; i < change->count; i++)
		if (!change->places[i].added && change->places[i].kept == index)
			return (long)i;
	return -1;
}

/* Does it leave its place, or the octets that belong to it? */
static bool is_parting(const struct collectors *collectors,
	const struct collectors_change *change, size_t index)
{
	long place = place_of(change, index);

	return place < 0 || (collectors->kept_bytes && place != (long)index);
}

void collectors_part(
	struct collectors *collectors, const struct collectors_change *change, uint64_t now_ns)
{
	for (size_t i = 0; i < collectors->count; i++)
		if (is_parting(collectors, change, i))
			exporter_flush(collectors->exporters[i], now_ns);
}

bool collectors_are_parted(const struct collectors *collectors,
	const struct collectors_change *change, bool give_up)
{
	for (size_t i = 0; i < collectors->count; i++) {
		bool may_wait = !give_up || place_of(change, i) >= 0;

		if (is_parting(collectors, change, i) && may_wait &&
			!exporter_is_empty(collectors->exporters[i]))
			return false;
	}
	return true;
}

static void take_out(
	struct collectors *collectors, size_t index, struct collectors_change *change)
{
	struct exporter *exporter = collectors->exporters[index];

	exporter_give_up(exporter); /* what waits for a collector that is away */
	add_stats(&collectors->past, exporter_stats(exporter));
	change->removed[change->removed_count++] = exporter;
}

static struct exporter *take_in(const struct collectors *collectors,
	const struct collectors_change *change, size_t place)
{
	const struct collectors_place *from = &change->places[place];
	struct exporter *exporter = from->added;

	if (exporter) {
		exporter_set_boot(exporter, collectors->config.boot_ns);
		return exporter;
	}
	exporter = collectors->exporters[from->kept];
	if (collectors->kept_bytes && from->kept != place)
		exporter_move(exporter, collectors->kept_bytes + place * EXPORTER_KEPT_BYTES);
	exporter_set_terms(exporter, &collectors->config);
	return exporter;
}

void collectors_change(struct collectors *collectors, struct collectors_change *change)
{
	uint64_t boot_ns = collectors->config.boot_ns;

	for (size_t i = 0; i < collectors->count; i++)
		if (place_of(change, i) < 0)
			take_out(collectors, i, change);
	collectors->config = change->config;
	collectors->config.boot_ns = boot_ns;
	collectors->config.interface_name = collectors->config.interface_description = "";
	collectors->is_balanced = change->is_balanced;
	for (size_t i = 0; i < change->count; i++)
		change->row[i] = take_in(collectors, change, i);
	memcpy(collectors->exporters, change->row, change->count * sizeof(change->row[0]));
	collectors->transport_count = collectors->count = change->count;
}

/* -- the end -------------------------------------------------------------------------- */

struct exporter_stats collectors_stats(const struct collectors *collectors)
{
	struct exporter_stats sum = collectors->past;

	for (size_t i = 0; i < collectors->count; i++)
		add_stats(&sum, exporter_stats(collectors->exporters[i]));
	return sum;
}

size_t collectors_each(const struct collectors *collectors,
	struct exporter_stats ret_stats[static CONFIG_DESTINATIONS_MAX])
{
	for (size_t i = 0; i < collectors->count; i++)
		ret_stats[i] = *exporter_stats(collectors->exporters[i]);
	return collectors->count;
}

void collectors_close(struct collectors *collectors)
{
	for (size_t i = 0; i < collectors->transport_count; i++) {
		exporter_free(collectors->exporters[i]);
		transport_close(collectors->transports[i]);
	}
	collectors->transport_count = collectors->count = 0;
}
