/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Templates of flows. There is one for each kind of flow (IPv4 or IPv6, ports or ICMP, one
 * direction or both), with those of the wanted elements that this kind can have.
 *
 * Some collectors know a template by its id alone, and keep it longer than we live. So an id
 * stands for its content:
 *
 *	256 + IPv6 (1) + ICMP (2)	the default, one direction
 *	260 ...				the default, biflow, minimal
 *	264 ...				the default, biflow, full
 *	1024 ...			presets with other settings, a number for each
 *	32768 ...			named elements, by a hash of what is in them
 *
 * Templates of one exporter never share an id unless they are the same.
 */
#include "export/flow_layouts.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "export/community_id.h"
#include "export/flow_plan.h"

enum {
	TEMPLATE_FLOW = 256,
	TEMPLATE_MINIMAL = 260,
	TEMPLATE_FULL = 264,
	TEMPLATE_PRESET = 1024,
	TEMPLATE_HASHED = 32768,
};

/* clang-format off */
static const unsigned time_traits[] = {
	[EXPORT_TIME_UPTIME]       = UPTIME,
	[EXPORT_TIME_SECONDS]      = SECONDS,
	[EXPORT_TIME_MILLISECONDS] = MILLI,
	[EXPORT_TIME_MICROSECONDS] = MICRO,
	[EXPORT_TIME_NANOSECONDS]  = NANO,
};
/* clang-format on */

/* -- traits --------------------------------------------------------------------------- */

static bool is_named(const struct exporter_config *config)
{
	return config->template.element_count != 0;
}

static unsigned label_count(const struct exporter_config *config)
{
	unsigned labels = config->fields.mpls_labels;
	return labels > FLOW_MPLS_MAX ? FLOW_MPLS_MAX : labels;
}

/* What the configuration gives to all templates. */
static unsigned common_traits(const struct exporter_config *config)
{
	unsigned traits = time_traits[config->time];
	traits |= config->fields.has_vlan ? VLAN : 0;
	traits |= config->fields.has_mac ? MAC : 0;
	traits |= LABEL_1 * ((1U << label_count(config)) - 1);
	return traits | template_presets[config->template.preset].traits;
}

static unsigned biflow_traits(const struct exporter_config *config)
{
	return config->biflow == EXPORT_BIFLOW_FULL ? MINIMAL | FULL : MINIMAL;
}

static unsigned layout_traits(const struct exporter_config *config, unsigned index)
{
	bool is_icmp = index & FLOW_LAYOUT_ICMP;
	unsigned traits = common_traits(config);
	traits |= index & FLOW_LAYOUT_IPV6 ? IPV6 : IPV4;
	traits |= is_icmp ? ICMP : 0;
	traits |= config->fields.has_ports ? TUPLE : 0;
	traits |= config->fields.has_ports && !is_icmp ? PORTS : 0;
	traits |= index & FLOW_LAYOUT_BIFLOW ? biflow_traits(config) : 0;
	traits |= config->version == EXPORT_NETFLOW_9 ? NETFLOW : 0;
	return traits;
}

static bool is_layout_used(const struct exporter_config *config, unsigned index)
{
	bool has_biflow =
		config->version == EXPORT_IPFIX && config->biflow != EXPORT_BIFLOW_OFF;
	if (index & FLOW_LAYOUT_ICMP && !config->fields.has_ports)
		return false;
	return !(index & FLOW_LAYOUT_BIFLOW) || has_biflow;
}

/* -- ids ------------------------------------------------------------------------------ */

static bool is_plain(const struct exporter_config *config)
{
	enum export_time usual =
		config->version == EXPORT_IPFIX ? EXPORT_TIME_MILLISECONDS : EXPORT_TIME_UPTIME;
	return !is_named(config) && config->template.preset == PRESET_default &&
	       config->time == usual && config->fields.has_ports && config->fields.has_vlan &&
	       config->fields.has_mac && config->fields.mpls_labels == 0;
}

/* One digit more in a number whose digits have .base values each. */
static unsigned with_digit(unsigned number, unsigned base, unsigned digit)
{
	return number * base + digit;
}

/* Everything that decides which elements of a preset are in a template. */
static uint16_t preset_id(const struct exporter_config *config, unsigned index)
{
	unsigned directions = index & FLOW_LAYOUT_BIFLOW ? config->biflow : EXPORT_BIFLOW_OFF;
	unsigned number = config->template.preset;
	number = with_digit(number, EXPORT_TIME_NANOSECONDS + 1, config->time);
	number = with_digit(number, FLOW_MPLS_MAX + 1, label_count(config));
	number = with_digit(number, 2, config->fields.has_vlan);
	number = with_digit(number, 2, config->fields.has_mac);
	number = with_digit(number, 2, config->fields.has_ports);
	number = with_digit(number, 2, config->version == EXPORT_IPFIX);
	number = with_digit(number, EXPORT_BIFLOW_FULL + 1, directions);
	number = with_digit(number, 4, index & (FLOW_LAYOUT_IPV6 | FLOW_LAYOUT_ICMP));
	return (uint16_t)(TEMPLATE_PRESET + number);
}

static_assert(TEMPLATE_PRESET + PRESET_COUNT * (EXPORT_TIME_NANOSECONDS + 1) *
					(FLOW_MPLS_MAX + 1) * 16 * (EXPORT_BIFLOW_FULL + 1) *
					4 <=
		      TEMPLATE_HASHED,
	"there is a number for each");

static uint16_t plain_id(const struct exporter_config *config, unsigned index)
{
	unsigned variant = index & (FLOW_LAYOUT_IPV6 | FLOW_LAYOUT_ICMP);
	if (!(index & FLOW_LAYOUT_BIFLOW))
		return (uint16_t)(TEMPLATE_FLOW + variant);
	if (config->biflow == EXPORT_BIFLOW_MINIMAL)
		return (uint16_t)(TEMPLATE_MINIMAL + variant);
	return (uint16_t)(TEMPLATE_FULL + variant);
}

/* FNV-1a (draft-eastlake-fnv) over what the template says. */
static uint16_t hashed_id(const struct layout *layout, bool is_ipfix)
{
	uint32_t hash = 2166136261u;
	uint8_t bytes[8 * LAYOUT_ROWS_MAX + 4];
	struct wire out = wire_over(bytes, sizeof(bytes));
	layout_put_template(&out, layout, is_ipfix);
	for (size_t i = 2; i < out.length; i++) /* behind the id */
		hash = (hash ^ bytes[i]) * 16777619u;
	return (uint16_t)(TEMPLATE_HASHED + hash % (UINT16_MAX + 1 - TEMPLATE_HASHED));
}

static bool is_same(const struct layout *a, const struct layout *b)
{
	return a->row_count == b->row_count &&
	       memcmp(a->rows, b->rows, a->row_count * sizeof(a->rows[0])) == 0;
}

static bool is_id_taken(const struct layout *layouts, unsigned index, uint16_t id)
{
	for (unsigned i = 0; i < index; i++)
		if (layouts[i].id == id && !is_same(&layouts[i], &layouts[index]))
			return true;
	return false;
}

/* The id, or the next one that none of the .index templates before it has. */
static uint16_t free_id(const struct layout *layouts, unsigned index, uint16_t id)
{
	while (is_id_taken(layouts, index, id))
		id = id == UINT16_MAX ? TEMPLATE_HASHED : (uint16_t)(id + 1);
	return id;
}

/* -- rows ----------------------------------------------------------------------------- */

/* Whether a template with .traits has the element; .more is needed besides. A named element
 * needs nothing but flows that can have it. */
static bool is_carried(
	const struct exporter_config *config, unsigned element, unsigned traits, unsigned more)
{
	unsigned needs = element_infos[element].needs;
	if (is_named(config))
		needs &= KIND_TRAITS;
	needs |= more;
	if (traits & NETFLOW && !layout_is_in_v9((enum element)element))
		return false;
	return (traits & needs) == needs;
}

static unsigned wanted_count(const struct exporter_config *config)
{
	return is_named(config) ? config->template.element_count : ELEMENT_COUNT;
}

static unsigned wanted_element(const struct exporter_config *config, unsigned i)
{
	return is_named(config) ? config->template.elements[i] : i;
}

static void add_rows(
	const struct exporter_config *config, unsigned traits, struct layout *layout)
{
	unsigned count = wanted_count(config);
	for (unsigned i = 0; i < count; i++) {
		unsigned element = wanted_element(config, i);
		if (is_carried(config, element, traits, 0))
			layout_add(layout, (enum element)element);
	}
	for (unsigned i = 0; i < count; i++) {
		unsigned element = wanted_element(config, i);
		if (is_carried(config, element, traits, element_infos[element].reverse))
			layout_add_reverse(layout, (enum element)element);
	}
}

static struct layout build_flow(const struct exporter_config *config, unsigned index)
{
	unsigned traits = layout_traits(config, index);
	struct layout layout = layout_make(0, OWNER_FLOW);
	layout.enterprise = config->enterprise;
	add_rows(config, traits, &layout);
	layout.is_spanning = flow_plan_is_spanning(traits);
	layout.traits = traits;
	layout.encode = is_named(config) ? flow_encode_named : flow_encode_find(traits);
	return layout;
}

void flow_layouts_build(
	const struct exporter_config *config, struct layout ret_layouts[FLOW_LAYOUT_COUNT])
{
	bool is_ipfix = config->version == EXPORT_IPFIX;
	for (unsigned index = 0; index < FLOW_LAYOUT_COUNT; index++) {
		struct layout *layout = &ret_layouts[index];
		if (!is_layout_used(config, index))
			continue;
		*layout = build_flow(config, index);
		layout->id = is_named(config)
				     ? free_id(ret_layouts, index, hashed_id(layout, is_ipfix))
			     : is_plain(config) ? plain_id(config, index)
						: preset_id(config, index);
	}
}

/* -- checking ------------------------------------------------------------------------- */

__attribute__((format(printf, 2, 3))) static int fail(
	char error[static TEMPLATE_ERROR_BYTES], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, TEMPLATE_ERROR_BYTES, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static bool is_in_any(const struct exporter_config *config, unsigned element)
{
	for (unsigned index = 0; index < FLOW_LAYOUT_COUNT; index++)
		if (is_layout_used(config, index) &&
			is_carried(config, element, layout_traits(config, index), 0))
			return true;
	return false;
}

static int check_element(const struct exporter_config *config, unsigned element,
	char error[static TEMPLATE_ERROR_BYTES])
{
	const struct element_info *info = &element_infos[element];
	if (element == ELEMENT_communityId && !community_id_is_built())
		return fail(error, "%s cannot be filled: this build has no nettle", info->name);
	if (is_in_any(config, element))
		return 0;
	if (config->version == EXPORT_NETFLOW_9 && info->v9_id == 0)
		return fail(
			error, "%s is IPFIX's: NetFlow v9 has no number for it", info->name);
	if (info->needs & FULL)
		return fail(error, "%s is in records of both directions alone: --biflow full",
			info->name);
	return fail(error, "%s cannot be filled: flows are not told apart by port (-T)",
		info->name);
}

static const char *kind_name(unsigned index)
{
	static const char *const names[] = { "IPv4 flows", "IPv6 flows", "ICMP flows",
		"ICMPv6 flows" };
	return names[index & (FLOW_LAYOUT_IPV6 | FLOW_LAYOUT_ICMP)];
}

/* Who sent and who received is in these. */
static bool is_directional(unsigned element)
{
	return element == ELEMENT_sourceIPv4Address || element == ELEMENT_sourceIPv6Address ||
	       element == ELEMENT_destinationIPv4Address ||
	       element == ELEMENT_destinationIPv6Address ||
	       element == ELEMENT_sourceTransportPort ||
	       element == ELEMENT_destinationTransportPort;
}

static int check_layout(
	const struct layout *layout, unsigned index, char error[static TEMPLATE_ERROR_BYTES])
{
	bool has_reverse = false, has_direction = false;
	for (unsigned i = 0; i < layout->row_count; i++) {
		has_reverse |= layout->rows[i].is_reverse;
		has_direction |= is_directional(layout->rows[i].element);
	}
	if (layout->row_count == 0)
		return fail(error, "there is nothing in it that %s have", kind_name(index));
	if (index & FLOW_LAYOUT_BIFLOW && !has_reverse)
		return fail(error,
			"a record of both directions (--biflow) needs counters, or another "
			"element of which there is a reverse one");
	if (has_reverse && !has_direction)
		return fail(error,
			"a record of both directions (--biflow) needs an address or a port to "
			"tell them apart, and that of %s has none",
			kind_name(index));
	return 0;
}

/* What template_parse() has made is. */
static bool is_sound(const struct export_template *template)
{
	if (template->preset >= PRESET_COUNT || template->element_count > TEMPLATE_ELEMENTS_MAX)
		return false;
	for (unsigned i = 0; i < template->element_count; i++)
		if (template->elements[i] >= ELEMENT_COUNT ||
			memchr(template->elements, template->elements[i], i))
			return false;
	return true;
}

int exporter_check_template(
	const struct exporter_config *config, char error[static TEMPLATE_ERROR_BYTES])
{
	struct layout layouts[FLOW_LAYOUT_COUNT];
	if (!is_sound(&config->template))
		return fail(error, "not a template");
	bool is_default = !is_named(config) && config->template.preset == PRESET_default;
	if (!dialect_find(config->version)->has_sets)
		return is_default ? 0
				  : fail(error, "the records of NetFlow v1 and v5 are fixed");
	for (unsigned i = 0; i < config->template.element_count; i++) {
		int rc = check_element(config, config->template.elements[i], error);
		if (rc < 0)
			return rc;
	}
	flow_layouts_build(config, layouts);
	for (unsigned index = 0; index < FLOW_LAYOUT_COUNT; index++) {
		int rc = 0;
		if (is_layout_used(config, index))
			rc = check_layout(&layouts[index], index, error);
		if (rc < 0)
			return rc;
	}
	return 0;
}
