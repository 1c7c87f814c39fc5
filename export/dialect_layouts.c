/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The layouts that a configuration asks for: fixed ones here, templates of flows in
 * flow_layouts.c, and those of options data in options_layouts.c.
 */
#include "export/dialect.h"

#include <assert.h>

#include "export/flow_layouts.h"
#include "export/flow_plan.h"
#include "export/options_layouts.h"

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

/* -- templates ------------------------------------------------------------------------ */

static void build_templates(
	const struct exporter_config *config, struct dialect_layouts *layouts)
{
	flow_layouts_build(config, layouts->flow);
	options_layouts_build(config, layouts);
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
