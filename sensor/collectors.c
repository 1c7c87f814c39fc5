/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/collectors.h"

#define NS_PER_MS 1000000ULL

void collectors_take(
	struct collectors *collectors, struct transport *const *transports, size_t count)
{
	for (size_t i = 0; i < count; i++)
		collectors->transports[i] = transports[i];
	collectors->transport_count = count;
}

int collectors_begin(struct collectors *collectors, uint64_t boot_ns)
{
	collectors->config.boot_ns = boot_ns - boot_ns % NS_PER_MS;
	for (size_t i = 0; i < collectors->transport_count; i++) {
		int rc = exporter_new(&collectors->config, collectors->transports[i],
			&collectors->exporters[i]);
		if (rc < 0)
			return rc;
		collectors->transports[i] = NULL;
		collectors->count++;
	}
	return 0;
}

/* Which collector of a balanced group gets a flow: in turn by flow, so that both directions and
 * all records of a conversation arrive at one place, and a capture gives the same every time.
 */
static size_t balanced_index(
	const struct collectors *collectors, const struct flow_record *record)
{
	return (size_t)(record->flow_id % collectors->count);
}

void collectors_add(
	struct collectors *collectors, const struct flow_record *record, uint64_t now_ns)
{
	if (collectors->count == 1) {
		exporter_add(collectors->exporters[0], record, now_ns);
		return;
	}
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
	for (size_t i = 0; i < collectors->count; i++)
		exporter_set_boot(collectors->exporters[i], boot_ns);
}

void collectors_step_clock(struct collectors *collectors, int64_t step_ns, bool moves_boot)
{
	for (size_t i = 0; i < collectors->count; i++)
		exporter_step_clock(collectors->exporters[i], step_ns, moves_boot);
}

struct exporter_stats collectors_stats(const struct collectors *collectors)
{
	struct exporter_stats sum = { 0 };

	for (size_t i = 0; i < collectors->count; i++) {
		const struct exporter_stats *one = exporter_stats(collectors->exporters[i]);

		sum.flows += one->flows;
		sum.records += one->records;
		sum.messages += one->messages;
		sum.octets += one->octets;
		sum.failed_messages += one->failed_messages;
		sum.failed_records += one->failed_records;
		sum.unsupported_flows += one->unsupported_flows;
		sum.unsupported_pkts += one->unsupported_pkts;
		sum.saturated_fields += one->saturated_fields;
		sum.postponed_sends += one->postponed_sends;
	}
	return sum;
}

void collectors_close(struct collectors *collectors)
{
	for (size_t i = 0; i < collectors->transport_count; i++) {
		exporter_free(collectors->exporters[i]);
		transport_close(collectors->transports[i]);
	}
	collectors->transport_count = collectors->count = 0;
}
