/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_compose.h"

static_assert(META_MPLS_MAX == FLOW_MPLS_MAX, "a stack fits the record");

static void compose_path(const struct flow_path *path, struct flow_side *side)
{
	side->ingress_if = path->ingress_if;
	side->vlan_id = path->vlan_id;
	side->is_egress = path->is_outgoing;
	memcpy(side->source_mac, path->source_mac, 6);
	memcpy(side->destination_mac, path->destination_mac, 6);
}

static void compose_side(
	const struct flow_table *table, uint32_t index, unsigned sender, struct flow_side *side)
{
	const struct flow_entry *entry = &table->entries[index];
	const struct flow_count *count = &entry->count[sender];

	*side = (struct flow_side){
		.packets = count->packets,
		.octets = count->octets,
		.first_ns = count->first_ns,
		.last_ns = count->last_ns,
		.tcp_flags = count->tcp_flags,
		.icmp_type_code = flow_key_is_icmp(&entry->key) ? entry->key.port[sender] : 0,
		.tos = count->tos,
		.min_ttl = count->min_ttl,
		.max_ttl = count->max_ttl,
	};
	compose_path(flow_table_path(table, index, sender), side);
	if (entry->key.ip_version == 6)
		side->flow_label = flow_table_label(table, index, sender);
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
		.flow_id = entry->flow_id,
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
