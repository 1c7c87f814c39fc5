/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Ids of options templates begin with 272, and each always has the same elements. Most have one
 * record; some have one for each template of flows or for each private element.
 */
#include "export/options_layouts.h"

#include <assert.h>

#include "export/flow_trait.h"
#include "export/utf8.h"

enum {
	TEMPLATE_SAMPLING = 272,
	TEMPLATE_SAMPLING_ALGORITHM,
	TEMPLATE_INTERFACE,
	TEMPLATE_EXPORTER,
	TEMPLATE_SYSTEM_INIT,
	TEMPLATE_METERING,
	TEMPLATE_SENDING,
	TEMPLATE_KEYS,
	TEMPLATE_TYPES,
};

#define KEY_BITS 64

static bool is_wanted(const struct exporter_config *config, enum options_set set)
{
	return (config->options_changed ^ OPTIONS_SET_DEFAULT) >> set & 1;
}

/* -- templates ------------------------------------------------------------------------ */

static struct layout *add_options(
	struct dialect_layouts *layouts, uint16_t id, enum element scope)
{
	assert(layouts->options_count < OPTIONS_LAYOUTS_MAX);
	struct layout *layout = &layouts->options[layouts->options_count++];
	*layout = layout_make(id, OWNER_FACTS);
	layout_add_scope(layout, scope);
	return layout;
}

/* The interval alone is what every collector reads from IPFIX. In v9, nfdump 1.7.1 reads that
 * form only and 1.7.8 only the one with the algorithm, so v9 sends both. */
static void add_sampling(const struct exporter_config *config, struct dialect_layouts *layouts)
{
	struct layout *layout =
		add_options(layouts, TEMPLATE_SAMPLING, ELEMENT_observationDomainId);
	layout_add(layout, ELEMENT_samplingInterval);
	if (config->version == EXPORT_IPFIX)
		return;
	layout = add_options(layouts, TEMPLATE_SAMPLING_ALGORITHM, ELEMENT_observationDomainId);
	layout_add(layout, ELEMENT_samplingInterval);
	layout_add(layout, ELEMENT_samplingAlgorithm);
}

static void add_interface(const struct exporter_config *config, struct dialect_layouts *layouts)
{
	if (!config->interface_name[0] && !config->interface_description[0])
		return;
	struct layout *layout =
		add_options(layouts, TEMPLATE_INTERFACE, ELEMENT_scopeInterface);
	layout_add(layout, ELEMENT_interfaceName);
	layout_add(layout, ELEMENT_interfaceDescription);
}

static bool has_any(const struct dialect_layouts *layouts, bool (*is_it)(unsigned element))
{
	for (unsigned index = 0; index < FLOW_LAYOUT_COUNT; index++) {
		const struct layout *layout = &layouts->flow[index];
		for (unsigned i = 0; i < layout->row_count; i++)
			if (is_it(layout->rows[i].element))
				return true;
	}
	return false;
}

static void add_exporter(struct dialect_layouts *layouts)
{
	struct layout *layout =
		add_options(layouts, TEMPLATE_EXPORTER, ELEMENT_exportingProcessId);
	layout_add(layout, ELEMENT_exportedMessageTotalCount);
	layout_add(layout, ELEMENT_exportedFlowRecordTotalCount);
	layout_add(layout, ELEMENT_exportedOctetTotalCount);
}

static void add_metering(struct dialect_layouts *layouts)
{
	struct layout *layout =
		add_options(layouts, TEMPLATE_METERING, ELEMENT_observationDomainId);
	layout_add_scope(layout, ELEMENT_meteringProcessId);
	layout_add(layout, ELEMENT_ignoredPacketTotalCount);
}

static void add_sending(struct dialect_layouts *layouts)
{
	struct layout *layout =
		add_options(layouts, TEMPLATE_SENDING, ELEMENT_exportingProcessId);
	layout_add(layout, ELEMENT_notSentFlowTotalCount);
}

static void add_keys(struct dialect_layouts *layouts)
{
	struct layout *layout = add_options(layouts, TEMPLATE_KEYS, ELEMENT_templateId);
	layout_add(layout, ELEMENT_flowKeyIndicator);
}

static void add_types(struct dialect_layouts *layouts)
{
	struct layout *layout =
		add_options(layouts, TEMPLATE_TYPES, ELEMENT_privateEnterpriseNumber);
	layout_add_scope(layout, ELEMENT_informationElementId);
	layout_add(layout, ELEMENT_informationElementDataType);
	layout_add(layout, ELEMENT_informationElementSemantics);
	layout_add(layout, ELEMENT_informationElementName);
}

static void add_uptime(struct dialect_layouts *layouts)
{
	struct layout *layout =
		add_options(layouts, TEMPLATE_SYSTEM_INIT, ELEMENT_observationDomainId);
	layout_add(layout, ELEMENT_systemInitTimeMilliseconds);
}

static bool is_relative_time(unsigned element)
{
	return element_infos[element].needs & UPTIME;
}

static bool is_private(unsigned element)
{
	return element_infos[element].ipfix_id & ELEMENT_ENTERPRISE;
}

void options_layouts_build(
	const struct exporter_config *config, struct dialect_layouts *layouts)
{
	if (is_wanted(config, OPTIONS_SET_SAMPLING))
		add_sampling(config, layouts);
	if (is_wanted(config, OPTIONS_SET_INTERFACE))
		add_interface(config, layouts);
	if (config->version != EXPORT_IPFIX)
		return;
	if (is_wanted(config, OPTIONS_SET_EXPORTER))
		add_exporter(layouts);
	if (is_wanted(config, OPTIONS_SET_UPTIME) && has_any(layouts, is_relative_time))
		add_uptime(layouts);
	if (is_wanted(config, OPTIONS_SET_METERING))
		add_metering(layouts);
	if (is_wanted(config, OPTIONS_SET_SENDING))
		add_sending(layouts);
	if (is_wanted(config, OPTIONS_SET_KEYS))
		add_keys(layouts);
	if (is_wanted(config, OPTIONS_SET_TYPES) && has_any(layouts, is_private))
		add_types(layouts);
}

/* -- records -------------------------------------------------------------------------- */

unsigned options_record_count(const struct layout *layout)
{
	if (layout->id == TEMPLATE_KEYS)
		return FLOW_LAYOUT_COUNT;
	return layout->id == TEMPLATE_TYPES ? ELEMENT_COUNT : 1;
}

/* Whether flows that differ in the element are different flows. */
static bool is_key(const struct export_fields *fields, unsigned element)
{
	switch (element) {
	case ELEMENT_sourceIPv4Address:
	case ELEMENT_destinationIPv4Address:
	case ELEMENT_sourceIPv6Address:
	case ELEMENT_destinationIPv6Address:
	case ELEMENT_ipVersion:
		return true;
	case ELEMENT_protocolIdentifier:
		return fields->has_protocol;
	case ELEMENT_sourceTransportPort:
	case ELEMENT_destinationTransportPort:
	case ELEMENT_icmpTypeCodeIPv4:
	case ELEMENT_icmpTypeCodeIPv6:
	case ELEMENT_icmpTypeIPv4:
	case ELEMENT_icmpCodeIPv4:
	case ELEMENT_icmpTypeIPv6:
	case ELEMENT_icmpCodeIPv6:
		return fields->has_ports;
	case ELEMENT_vlanId:
	case ELEMENT_dot1qVlanId:
		return fields->is_vlan_key;
	case ELEMENT_sourceMacAddress:
	case ELEMENT_destinationMacAddress:
		return fields->is_mac_key;
	default:
		return false;
	}
}

/* The flowKeyIndicator: bit n is for the n-th field. */
static uint64_t key_bits(const struct export_fields *fields, const struct layout *layout)
{
	uint64_t bits = 0;
	for (unsigned i = 0; i < layout->row_count && i < KEY_BITS; i++)
		if (!layout->rows[i].is_reverse && is_key(fields, layout->rows[i].element))
			bits |= UINT64_C(1) << i;
	return bits;
}

static bool fill_keys(const struct exporter_config *config,
	const struct dialect_layouts *layouts, unsigned index, struct layout_facts *facts)
{
	const struct layout *layout = &layouts->flow[index];
	if (layout->row_count == 0)
		return false;
	for (unsigned i = 0; i < index; i++)
		if (layouts->flow[i].row_count != 0 && layouts->flow[i].id == layout->id)
			return false;
	facts->template_id = layout->id;
	facts->flow_keys = key_bits(&config->fields, layout);
	return true;
}

static bool fill_types(
	const struct exporter_config *config, unsigned element, struct layout_facts *facts)
{
	const struct element_info *info = &element_infos[element];
	if (!is_private(element))
		return false;
	facts->enterprise = config->enterprise;
	facts->element_id = info->ipfix_id & ~ELEMENT_ENTERPRISE & 0xffff;
	facts->element_type = info->type_number;
	facts->element_semantics = 0; /* default: none of ours is a counter or an identifier */
	memset(facts->element_name, 0, sizeof(facts->element_name));
	memcpy(facts->element_name, info->name,
		utf8_prefix_bytes(info->name, sizeof(facts->element_name)));
	return true;
}

bool options_fill(const struct exporter_config *config, const struct dialect_layouts *layouts,
	const struct layout *layout, unsigned index, struct layout_facts *facts)
{
	if (layout->id == TEMPLATE_KEYS)
		return fill_keys(config, layouts, index, facts);
	if (layout->id == TEMPLATE_TYPES)
		return fill_types(config, index, facts);
	return true;
}
