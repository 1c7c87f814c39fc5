/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layouts that a configuration asks for: fixed ones, options data, and flow_layouts.c for
 * templates of flows. Ids of options templates begin with 272, and each always has the same
 * elements.
 */
#include "export/dialect.h"

#include <assert.h>

#include "export/flow_layouts.h"
#include "export/flow_plan.h"

enum {
	TEMPLATE_SAMPLING = 272,
	TEMPLATE_SAMPLING_ALGORITHM,
	TEMPLATE_INTERFACE,
	TEMPLATE_EXPORTER,
	TEMPLATE_SYSTEM_INIT,
};

/* -- fixed records -------------------------------------------------------------------- */

#define NETFLOW_RECORD_BYTES 48

struct fixed_row {
	enum element element; /* or ELEMENT_COUNT: reserved */
	unsigned octets;
};

#define ROW(name, octets) { ELEMENT_##name, octets },
#define RESERVED(octets, what) { ELEMENT_COUNT, octets },
static const struct fixed_row v1_plan[] = {
#include "export/v1_plan.def"
};
static const struct fixed_row v5_plan[] = {
#include "export/v5_plan.def"
};
#undef ROW
#undef RESERVED

static_assert(sizeof(v1_plan) == sizeof(v5_plan), "build_fixed() takes either");
#define FIXED_ROWS (sizeof(v5_plan) / sizeof(v5_plan[0]))

static void add_fixed(struct layout *layout, struct fixed_row row, bool is_icmp)
{
	enum element element = flow_plan_fixed(row.element, is_icmp);
	if (element == ELEMENT_COUNT)
		layout_add_zeros(layout, row.octets);
	else
		layout_add_narrow(layout, element, row.octets);
}

static struct layout build_fixed(const struct fixed_row plan[FIXED_ROWS], bool is_icmp)
{
	struct layout layout = layout_make(0, OWNER_FLOW);
	for (size_t i = 0; i < FIXED_ROWS; i++)
		add_fixed(&layout, plan[i], is_icmp);
	assert(layout.record_bytes == NETFLOW_RECORD_BYTES);
	return layout;
}

static void build_netflow(enum export_version version, struct dialect_layouts *layouts)
{
	bool is_v1 = version == EXPORT_NETFLOW_1;
	const struct fixed_row *plan = is_v1 ? v1_plan : v5_plan;
	for (unsigned is_icmp = 0; is_icmp < 2; is_icmp++) {
		struct layout *layout = &layouts->flow[is_icmp ? FLOW_LAYOUT_ICMP : 0];
		*layout = build_fixed(plan, is_icmp);
		layout->encode = flow_encode_fixed(is_v1, is_icmp);
	}
}

/* -- options data --------------------------------------------------------------------- */

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

static bool tells_uptime(const struct dialect_layouts *layouts)
{
	for (unsigned index = 0; index < FLOW_LAYOUT_COUNT; index++) {
		const struct layout *layout = &layouts->flow[index];
		for (unsigned i = 0; i < layout->row_count; i++)
			if (element_infos[layout->rows[i].element].needs & UPTIME)
				return true;
	}
	return false;
}

/* Totals of the exporting process (RFC 7011 4.1), and boot when times are relative to it. */
static void add_process(const struct exporter_config *config, struct dialect_layouts *layouts)
{
	struct layout *layout =
		add_options(layouts, TEMPLATE_EXPORTER, ELEMENT_exportingProcessId);
	layout_add(layout, ELEMENT_exportedMessageTotalCount);
	layout_add(layout, ELEMENT_exportedFlowRecordTotalCount);
	layout_add(layout, ELEMENT_exportedOctetTotalCount);
	if (!tells_uptime(layouts))
		return;
	layout = add_options(layouts, TEMPLATE_SYSTEM_INIT, ELEMENT_observationDomainId);
	layout_add(layout, ELEMENT_systemInitTimeMilliseconds);
}

static void build_templates(
	const struct exporter_config *config, struct dialect_layouts *layouts)
{
	flow_layouts_build(config, layouts->flow);
	add_sampling(config, layouts);
	add_interface(config, layouts);
	if (config->version == EXPORT_IPFIX)
		add_process(config, layouts);
}

void dialect_build_layouts(
	const struct exporter_config *config, struct dialect_layouts *ret_layouts)
{
	*ret_layouts = (struct dialect_layouts){ .options_count = 0 };
	if (dialect_find(config->version)->has_sets)
		build_templates(config, ret_layouts);
	else
		build_netflow(config->version, ret_layouts);
}
