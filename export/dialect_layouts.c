/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which elements are sent, and when. A plan is a list of elements, each with the traits that a
 * layout must have to carry it; a layout is the plan with the other elements left out. v1 and
 *v5 are plans with widths, without a choice.
 *
 * Template ids are fixed, so an id always means the same elements for the same settings:
 *
 *	256 + IPv6 (1) + ICMP (2)	one direction
 *	260 ...				biflow, minimal
 *	264 ...				biflow, full
 *	272 ...				options
 */
#include "export/dialect.h"

#include <assert.h>

enum trait {
	IPV4 = 1 << 0,
	IPV6 = 1 << 1,
	PORTS = 1 << 2,
	ICMP = 1 << 3,
	UPTIME = 1 << 4,
	SECONDS = 1 << 5,
	MILLI = 1 << 6,
	MICRO = 1 << 7,
	NANO = 1 << 8,
	VLAN = 1 << 9,
	MAC = 1 << 10,
	MINIMAL = 1 << 11,
	FULL = 1 << 12,
	LABEL_1 = 1 << 13, /* the next nine bits are the labels after it */
};

#define LABEL(n) (LABEL_1 << ((n)-1))

enum {
	TEMPLATE_FLOW = 256,
	TEMPLATE_MINIMAL = 260,
	TEMPLATE_FULL = 264,
	TEMPLATE_SAMPLING = 272,
	TEMPLATE_SAMPLING_ALGORITHM,
	TEMPLATE_INTERFACE,
	TEMPLATE_EXPORTER,
	TEMPLATE_SYSTEM_INIT,
};

struct plan_row {
	enum element element;
	unsigned needs; /* all of these traits */
	bool is_reverse;
};

/*
 * The default template; every element here is read right, or skipped safely, by nfdump, pmacct,
 * goflow2, Akvorado, ipfixcol2, logstash and filebeat. Ports and ICMP types are in different
 * templates because nfdump mixes them up when both are in one. Destination MAC is 80: 57 means
 * the address after forwarding. VLAN is 58 because not all read 243.
 */
/* clang-format off */
static const struct plan_row flow_plan[] = {
	{ ELEMENT_sourceIPv4Address,        IPV4 },
	{ ELEMENT_destinationIPv4Address,   IPV4 },
	{ ELEMENT_sourceIPv6Address,        IPV6 },
	{ ELEMENT_destinationIPv6Address,   IPV6 },
	{ ELEMENT_flowStartSysUpTime,       UPTIME },
	{ ELEMENT_flowEndSysUpTime,         UPTIME },
	{ ELEMENT_flowStartSeconds,         SECONDS },
	{ ELEMENT_flowEndSeconds,           SECONDS },
	{ ELEMENT_flowStartMilliseconds,    MILLI },
	{ ELEMENT_flowEndMilliseconds,      MILLI },
	{ ELEMENT_flowStartMicroseconds,    MICRO },
	{ ELEMENT_flowEndMicroseconds,      MICRO },
	{ ELEMENT_flowStartNanoseconds,     NANO },
	{ ELEMENT_flowEndNanoseconds,       NANO },
	{ ELEMENT_octetDeltaCount,          0 },
	{ ELEMENT_packetDeltaCount,         0 },
	{ ELEMENT_sourceTransportPort,      PORTS },
	{ ELEMENT_destinationTransportPort, PORTS },
	{ ELEMENT_icmpTypeCodeIPv4,         ICMP | IPV4 },
	{ ELEMENT_icmpTypeCodeIPv6,         ICMP | IPV6 },
	{ ELEMENT_ingressInterface,         0 },
	{ ELEMENT_egressInterface,          0 },
	{ ELEMENT_protocolIdentifier,       0 },
	{ ELEMENT_ipClassOfService,         0 },
	{ ELEMENT_tcpControlBits,           PORTS },
	{ ELEMENT_flowEndReason,            0 },
	{ ELEMENT_flowDirection,            0 },
	{ ELEMENT_vlanId,                   VLAN },
	{ ELEMENT_sourceMacAddress,         MAC },
	{ ELEMENT_destinationMacAddress,    MAC },
	{ ELEMENT_ipVersion,                0 },
	{ ELEMENT_flowLabelIPv6,            IPV6 },
	{ ELEMENT_mplsTopLabelStackSection, LABEL(1) },
	{ ELEMENT_mplsLabelStackSection2,   LABEL(2) },
	{ ELEMENT_mplsLabelStackSection3,   LABEL(3) },
	{ ELEMENT_mplsLabelStackSection4,   LABEL(4) },
	{ ELEMENT_mplsLabelStackSection5,   LABEL(5) },
	{ ELEMENT_mplsLabelStackSection6,   LABEL(6) },
	{ ELEMENT_mplsLabelStackSection7,   LABEL(7) },
	{ ELEMENT_mplsLabelStackSection8,   LABEL(8) },
	{ ELEMENT_mplsLabelStackSection9,   LABEL(9) },
	{ ELEMENT_mplsLabelStackSection10,  LABEL(10) },
	{ ELEMENT_octetDeltaCount,          MINIMAL, true },
	{ ELEMENT_packetDeltaCount,         MINIMAL, true },
	{ ELEMENT_biflowDirection,          FULL },
	{ ELEMENT_flowStartSysUpTime,       FULL | UPTIME, true },
	{ ELEMENT_flowEndSysUpTime,         FULL | UPTIME, true },
	{ ELEMENT_flowStartSeconds,         FULL | SECONDS, true },
	{ ELEMENT_flowEndSeconds,           FULL | SECONDS, true },
	{ ELEMENT_flowStartMilliseconds,    FULL | MILLI, true },
	{ ELEMENT_flowEndMilliseconds,      FULL | MILLI, true },
	{ ELEMENT_flowStartMicroseconds,    FULL | MICRO, true },
	{ ELEMENT_flowEndMicroseconds,      FULL | MICRO, true },
	{ ELEMENT_flowStartNanoseconds,     FULL | NANO, true },
	{ ELEMENT_flowEndNanoseconds,       FULL | NANO, true },
	{ ELEMENT_icmpTypeCodeIPv4,         FULL | ICMP | IPV4, true },
	{ ELEMENT_icmpTypeCodeIPv6,         FULL | ICMP | IPV6, true },
	{ ELEMENT_ipClassOfService,         FULL, true },
	{ ELEMENT_tcpControlBits,           FULL | PORTS, true },
	{ ELEMENT_vlanId,                   FULL | VLAN, true },
};

static const unsigned time_traits[] = {
	[EXPORT_TIME_UPTIME]       = UPTIME,
	[EXPORT_TIME_SECONDS]      = SECONDS,
	[EXPORT_TIME_MILLISECONDS] = MILLI,
	[EXPORT_TIME_MICROSECONDS] = MICRO,
	[EXPORT_TIME_NANOSECONDS]  = NANO,
};

/* -- fixed records -------------------------------------------------------------------- */

#define RESERVED ELEMENT_COUNT
#define NETFLOW_RECORD_BYTES 48

struct fixed_row {
	enum element element; /* or RESERVED */
	unsigned octets;
};

/* NetFlow v5; ICMP tells type and code in the place of the destination port. */
static const struct fixed_row v5_plan[] = {
	{ ELEMENT_sourceIPv4Address,        4 },
	{ ELEMENT_destinationIPv4Address,   4 },
	{ RESERVED,                         4 }, /* next hop */
	{ ELEMENT_ingressInterface,         2 },
	{ ELEMENT_egressInterface,          2 },
	{ ELEMENT_packetDeltaCount,         4 },
	{ ELEMENT_octetDeltaCount,          4 },
	{ ELEMENT_flowStartSysUpTime,       4 },
	{ ELEMENT_flowEndSysUpTime,         4 },
	{ ELEMENT_sourceTransportPort,      2 },
	{ ELEMENT_destinationTransportPort, 2 },
	{ RESERVED,                         1 },
	{ ELEMENT_tcpControlBits,           1 },
	{ ELEMENT_protocolIdentifier,       1 },
	{ ELEMENT_ipClassOfService,         1 },
	{ RESERVED,                         8 }, /* autonomous systems, masks, reserved */
};

/* NetFlow v1 in 48 octets, as collectors read it. */
static const struct fixed_row v1_plan[] = {
	{ ELEMENT_sourceIPv4Address,        4 },
	{ ELEMENT_destinationIPv4Address,   4 },
	{ RESERVED,                         4 }, /* next hop */
	{ ELEMENT_ingressInterface,         2 },
	{ ELEMENT_egressInterface,          2 },
	{ ELEMENT_packetDeltaCount,         4 },
	{ ELEMENT_octetDeltaCount,          4 },
	{ ELEMENT_flowStartSysUpTime,       4 },
	{ ELEMENT_flowEndSysUpTime,         4 },
	{ ELEMENT_sourceTransportPort,      2 },
	{ ELEMENT_destinationTransportPort, 2 },
	{ RESERVED,                         2 },
	{ ELEMENT_protocolIdentifier,       1 },
	{ ELEMENT_ipClassOfService,         1 },
	{ ELEMENT_tcpControlBits,           1 },
	{ RESERVED,                         7 },
};
/* clang-format on */

static_assert(sizeof(v1_plan) == sizeof(v5_plan), "build_fixed() takes either");
#define FIXED_ROWS (sizeof(v5_plan) / sizeof(v5_plan[0]))

static void add_fixed(struct layout *layout, struct fixed_row row, bool is_icmp)
{
	if (is_icmp && row.element == ELEMENT_sourceTransportPort)
		row.element = RESERVED;
	if (is_icmp && row.element == ELEMENT_destinationTransportPort)
		row.element = ELEMENT_icmpTypeCodeIPv4;
	if (row.element == RESERVED)
		layout_add_zeros(layout, row.octets);
	else
		layout_add_narrow(layout, row.element, row.octets);
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
	const struct fixed_row *plan = version == EXPORT_NETFLOW_1 ? v1_plan : v5_plan;
	layouts->flow[0] = build_fixed(plan, false);
	layouts->flow[FLOW_LAYOUT_ICMP] = build_fixed(plan, true);
}

/* -- templates ------------------------------------------------------------------------ */

static unsigned common_traits(const struct exporter_config *config)
{
	unsigned labels = config->fields.mpls_labels;
	if (labels > FLOW_MPLS_MAX)
		labels = FLOW_MPLS_MAX;
	unsigned traits = time_traits[config->time];
	traits |= config->fields.has_vlan ? VLAN : 0;
	traits |= config->fields.has_mac ? MAC : 0;
	traits |= LABEL_1 * ((1U << labels) - 1);
	return traits;
}

static unsigned biflow_traits(const struct exporter_config *config)
{
	return config->biflow == EXPORT_BIFLOW_FULL ? MINIMAL | FULL : MINIMAL;
}

static uint16_t flow_template_id(const struct exporter_config *config, unsigned index)
{
	unsigned variant = index & (FLOW_LAYOUT_IPV6 | FLOW_LAYOUT_ICMP);
	if (!(index & FLOW_LAYOUT_BIFLOW))
		return (uint16_t)(TEMPLATE_FLOW + variant);
	if (config->biflow == EXPORT_BIFLOW_MINIMAL)
		return (uint16_t)(TEMPLATE_MINIMAL + variant);
	return (uint16_t)(TEMPLATE_FULL + variant);
}

static struct layout build_flow(const struct exporter_config *config, unsigned index)
{
	bool is_icmp = index & FLOW_LAYOUT_ICMP;
	unsigned traits = common_traits(config);
	traits |= index & FLOW_LAYOUT_IPV6 ? IPV6 : IPV4;
	traits |= is_icmp ? ICMP : 0;
	traits |= config->fields.has_ports && !is_icmp ? PORTS : 0;
	traits |= index & FLOW_LAYOUT_BIFLOW ? biflow_traits(config) : 0;

	struct layout layout = layout_make(flow_template_id(config, index), OWNER_FLOW);
	for (size_t i = 0; i < sizeof(flow_plan) / sizeof(flow_plan[0]); i++) {
		const struct plan_row *row = &flow_plan[i];
		if ((row->needs & traits) != row->needs)
			continue;
		if (config->version == EXPORT_NETFLOW_9 && !layout_is_in_v9(row->element))
			continue;
		if (row->is_reverse)
			layout_add_reverse(&layout, row->element);
		else
			layout_add(&layout, row->element);
	}
	return layout;
}

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

/* Totals of the exporting process (RFC 7011 4.1), and boot when times are relative to it. */
static void add_process(const struct exporter_config *config, struct dialect_layouts *layouts)
{
	struct layout *layout =
		add_options(layouts, TEMPLATE_EXPORTER, ELEMENT_exportingProcessId);
	layout_add(layout, ELEMENT_exportedMessageTotalCount);
	layout_add(layout, ELEMENT_exportedFlowRecordTotalCount);
	layout_add(layout, ELEMENT_exportedOctetTotalCount);
	if (config->time != EXPORT_TIME_UPTIME)
		return;
	layout = add_options(layouts, TEMPLATE_SYSTEM_INIT, ELEMENT_observationDomainId);
	layout_add(layout, ELEMENT_systemInitTimeMilliseconds);
}

static void build_templates(
	const struct exporter_config *config, struct dialect_layouts *layouts)
{
	bool has_biflow =
		config->version == EXPORT_IPFIX && config->biflow != EXPORT_BIFLOW_OFF;
	for (unsigned index = 0; index < FLOW_LAYOUT_COUNT; index++) {
		if (index & FLOW_LAYOUT_ICMP && !config->fields.has_ports)
			continue;
		if (index & FLOW_LAYOUT_BIFLOW && !has_biflow)
			continue;
		layouts->flow[index] = build_flow(config, index);
	}
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
