/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_compose.h"

static_assert(META_MPLS_MAX == FLOW_MPLS_MAX, "a stack fits the record");

static void compose_side(
	const struct flow_table *table, uint32_t index, unsigned sender, struct flow_side *side)
{
	const struct flow_entry *entry = &table->entries[index];
	const struct flow_detail *detail = &table->details[index];

	*side = (struct flow_side){
		.packets = entry->packets[sender],
		.octets = entry->octets[sender],
		.first_ns = detail->first_ns[sender],
		.last_ns = entry->last_ns[sender],
		.ingress_if = detail->ingress_if[sender],
		.flow_label = detail->flow_label[sender],
		.tcp_flags = entry->tcp_flags[sender],
		.vlan_id = entry->vlan_id[sender],
		.icmp_type_code = flow_key_is_icmp(&entry->key) ? entry->key.port[sender] : 0,
		.tos = entry->tos[sender],
		.min_ttl = entry->min_ttl[sender],
		.max_ttl = entry->max_ttl[sender],
		.is_egress = entry->outgoing >> sender & 1,
	};
	memcpy(side->source_mac, detail->mac[sender][sender], 6);
	memcpy(side->destination_mac, detail->mac[sender][!sender], 6);
	if (entry->labelled >> sender & 1) {
		const struct flow_stack *stack = &table->stacks[index][sender];

		side->mpls_count = stack->count;
		side->mpls = stack->label;
	}
}

void flow_compose(const struct flow_table *table, uint32_t index, struct flow_record *record)
{
	const struct flow_entry *entry = &table->entries[index];
	bool is_icmp = flow_key_is_icmp(&entry->key);

	*record = (struct flow_record){
		.flow_id = table->details[index].flow_id,
		.hash = entry->hash,
		.ip_version = entry->key.ip_version,
		.protocol = entry->key.protocol,
		.is_icmp = is_icmp,
		.is_initiator_known = entry->is_initiator_known,
	};
	for (unsigned side = 0; side < 2; side++) {
		unsigned endpoint = side ^ entry->initiator;

		memcpy(record->address[side], entry->key.address[endpoint], 16);
		record->port[side] = is_icmp ? 0 : entry->key.port[endpoint];
		if (entry->seen >> endpoint & 1)
			compose_side(table, index, endpoint, &record->side[side]);
	}
}
