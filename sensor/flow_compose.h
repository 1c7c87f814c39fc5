/* SPDX-License-Identifier: BSD-2-Clause */
/* From an entry of the table to the record that is handed out: endpoints become initiator and
 * responder, counters by sender become sides. */
#ifndef SENSOR_FLOW_COMPOSE_H
#define SENSOR_FLOW_COMPOSE_H

#include "export/flow_record.h"
#include "sensor/flow_table.h"

static_assert(META_MPLS_MAX == FLOW_MPLS_MAX, "a stack fits the record");

/* Every member is set, one by one: clearing the whole first would cost more than the rest. */
__attribute__((always_inline)) static inline void flow_compose_side(
	const struct flow_table *table, uint32_t index, unsigned sender, struct flow_side *side)
{
	const struct flow_entry *entry = &table->entries[index];
	const struct flow_count *count = &entry->count[sender];
	const struct flow_path *path = flow_table_path(table, index, sender);
	bool is_labelled = flow_entry_labelled(entry) >> sender & 1;

	side->packets = flow_count_packets(count);
	side->octets = flow_count_octets(count);
	side->first_ns = count->first_ns;
	side->last_ns = count->last_ns;
	side->mpls = is_labelled ? table->stacks[index][sender].label : NULL;
	side->mpls_count = is_labelled ? table->stacks[index][sender].count : 0;
	side->ingress_if = flow_path_is_outgoing(path) ? 0 : path->if_index;
	side->egress_if = flow_path_is_outgoing(path) ? path->if_index : 0;
	side->flow_label =
		entry->key.ip_version == 6 ? flow_table_label(table, index, sender) : 0;
	side->tcp_flags = flow_count_tcp_flags(count);
	side->vlan_id = path->vlan_id;
	side->inner_vlan_id = flow_path_inner_vlan_id(path);
	side->icmp_type_code = flow_key_is_icmp(&entry->key) ? entry->key.port[sender] : 0;
	side->tos = flow_count_tos(count);
	side->min_ttl = flow_count_min_ttl(count);
	side->max_ttl = flow_count_max_ttl(count);
	side->is_egress = flow_path_is_outgoing(path);
	memcpy(side->source_mac, path->source_mac, 6);
	memcpy(side->destination_mac, path->destination_mac, 6);
}

/* Fill all of *record; .end_reason is 0. */
static inline void flow_compose(
	const struct flow_table *table, uint32_t index, struct flow_record *record)
{
	static const struct flow_side nothing;
	const struct flow_entry *entry = &table->entries[index];
	bool is_icmp = flow_key_is_icmp(&entry->key);

	record->flow_id = flow_entry_flow_id(entry);
	record->ip_version = entry->key.ip_version;
	record->protocol = entry->key.protocol;
	record->end_reason = 0;
	record->is_icmp = is_icmp;
	record->is_initiator_known = flow_entry_is_initiator_known(entry);
	for (unsigned side = 0; side < 2; side++) {
		unsigned endpoint = side ^ flow_entry_initiator(entry);

		memcpy(record->address[side], entry->key.address[endpoint], 16);
		record->port[side] = is_icmp ? 0 : entry->key.port[endpoint];
		if (flow_entry_seen(entry) >> endpoint & 1)
			flow_compose_side(table, index, endpoint, &record->side[side]);
		else
			record->side[side] = nothing;
	}
}

#endif
