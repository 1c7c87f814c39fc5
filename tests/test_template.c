/* SPDX-License-Identifier: BSD-2-Clause */
/* Templates of the user's choice: what can be named, what is refused, and that a reader gets
 * back what was put in. */
#include <errno.h>
#include <string.h>

#include "export/community_id.h"
#include "export/dialect.h"
#include "export/element.h"
#include "export/flow_trait.h"
#include "tests/export_samples.h"
#include "tests/export_session.h"

#define ADDRESSES \
	"sourceIPv4Address,destinationIPv4Address,sourceIPv6Address,destinationIPv6Address"

static char error[TEMPLATE_ERROR_BYTES];

static struct export_template parsed(const char *text)
{
	struct export_template template;
	if (template_parse(text, &template, error) != 0)
		fail_msg("%s", error);
	return template;
}

/* -- names ---------------------------------------------------------------------------- */

static void template_names_are_found_in_any_case_and_kept_in_order(void **state)
{
	char text[128];
	struct export_template template = parsed("PACKETDELTACOUNT,octetDeltaCount,vlanid");

	assert_int_equal(template.element_count, 3);
	template_print(&template, text, sizeof(text));
	assert_string_equal(text, "packetDeltaCount,octetDeltaCount,vlanId");
}

static void template_presets_are_found_by_name(void **state)
{
	char text[128];
	static const char *const names[] = { "default", "nfdump", "full" };
	for (unsigned i = 0; i < 3; i++) {
		struct export_template template = parsed(names[i]);
		assert_int_equal(template.element_count, 0);
		template_print(&template, text, sizeof(text));
		assert_string_equal(text, names[i]);
	}
}

static void assert_refused(const char *text, const char *reason)
{
	struct export_template template = { .preset = 77 };

	assert_int_equal(template_parse(text, &template, error), -EINVAL);
	if (!strstr(error, reason))
		fail_msg("%s: %s", text, error);
	assert_int_equal(template.preset, 77);
}

static void template_refuses_by_name_with_the_reason(void **state)
{
	assert_refused("octetDeltaCount,nonsense", "nonsense is no element");
	assert_refused("octetDeltaCount,bgpSourceAsNumber",
		"bgpSourceAsNumber cannot be filled: no routing table");
	assert_refused(
		"octetdeltacount,vlanId,octetDeltaCount", "octetDeltaCount is named twice");
	assert_refused(
		"exportedOctetTotalCount", "exportedOctetTotalCount tells of the exporter");
	assert_refused("scopeInterface", "scopeInterface tells of the exporter");
	assert_refused("octetDeltaCount,,vlanId", "a name is empty");
	assert_refused("", "a name is empty");
	assert_refused("vlanId,", "a name is empty");
	assert_refused("default,vlanId", "default is no element");
	assert_refused("octetDeltaCountoctetDeltaCountoctetDeltaCountoctetDeltaCountoctetDelta",
		"is no element");
}

/* What cannot be filled is not among what can. */
static void unfilled_elements_are_no_elements(void **state)
{
	static const char *const unfilled[] = {
#define UNFILLED(name, reason) #name,
#include "export/element_unfilled.def"
#undef UNFILLED
	};
	for (size_t i = 0; i < sizeof(unfilled) / sizeof(unfilled[0]); i++)
		for (unsigned element = 0; element < ELEMENT_COUNT; element++)
			assert_string_not_equal(unfilled[i], element_infos[element].name);
}

/* -- versions and options ------------------------------------------------------------- */

static void assert_check(const struct exporter_config *config, const char *reason)
{
	int rc = exporter_check_template(config, error);
	if (!reason) {
		if (rc != 0)
			fail_msg("%s", error);
		return;
	}
	assert_int_equal(rc, -EINVAL);
	if (!strstr(error, reason))
		fail_msg("%s", error);
}

static struct exporter_config config_with(enum export_version version, const char *template)
{
	struct exporter_config config = sample_config(version);
	config.template = parsed(template);
	return config;
}

static void template_of_v5_is_fixed(void **state)
{
	struct exporter_config config = config_with(EXPORT_NETFLOW_5, "default");
	assert_check(&config, NULL);
	config = config_with(EXPORT_NETFLOW_5, "full");
	assert_check(&config, "v1 and v5 are fixed");
	config = config_with(EXPORT_NETFLOW_1, "octetDeltaCount");
	assert_check(&config, "v1 and v5 are fixed");
}

static void template_of_v9_has_what_v9_has_a_number_for(void **state)
{
	struct exporter_config config =
		config_with(EXPORT_NETFLOW_9, "octetDeltaCount,flowEndReason");
	assert_check(&config, "flowEndReason is IPFIX's: NetFlow v9 has no number");
	config.version = EXPORT_IPFIX;
	assert_check(&config, NULL);
	config =
		config_with(EXPORT_NETFLOW_9, "full"); /* a preset leaves out what it has not */
	assert_check(&config, NULL);
}

static void template_names_ports_when_they_are_tracked(void **state)
{
	struct exporter_config config =
		config_with(EXPORT_IPFIX, "octetDeltaCount,sourceTransportPort");
	assert_check(&config, NULL);
	config.fields.has_ports = false;
	assert_check(&config, "sourceTransportPort cannot be filled");
}

static void template_names_the_community_id_when_it_can_be_made(void **state)
{
	struct exporter_config config = config_with(EXPORT_IPFIX, ADDRESSES ",communityId");
	if (!community_id_is_built()) {
		assert_check(&config, "communityId cannot be filled: this build has no nettle");
		return;
	}
	assert_check(&config, NULL);
	config.fields.has_ports = false;
	assert_check(&config, "communityId cannot be filled: flows are not told apart by port");
	config.version = EXPORT_NETFLOW_9;
	assert_check(&config, "communityId is IPFIX's");
}

static void template_of_biflows_has_a_direction(void **state)
{
	struct exporter_config config =
		config_with(EXPORT_IPFIX, "octetDeltaCount,protocolIdentifier");
	assert_check(&config, NULL);
	config.biflow = EXPORT_BIFLOW_MINIMAL;
	assert_check(&config, "needs an address or a port");
	config.template = parsed("octetDeltaCount,sourceTransportPort");
	assert_check(&config, "that of ICMP flows has none");
	config.template = parsed(ADDRESSES ",flowStartMilliseconds");
	assert_check(&config, "needs counters");
	config.template = parsed("octetDeltaCount," ADDRESSES ",biflowDirection");
	assert_check(&config, "biflowDirection is in records of both directions alone");
	config.biflow = EXPORT_BIFLOW_FULL;
	assert_check(&config, NULL);
}

static void template_has_something_for_all_flows(void **state)
{
	struct exporter_config config =
		config_with(EXPORT_IPFIX, "sourceIPv4Address,destinationIPv4Address");

	assert_check(&config, "nothing in it that IPv6 flows have");
}

static void exporter_refuses_what_the_check_refuses(void **state)
{
	struct exporter_config config = config_with(EXPORT_NETFLOW_9, "flowEndReason");
	struct exporter *exporter = NULL;
	transport_memory_init(&memory);

	assert_int_equal(exporter_new(&config, &memory.transport, &exporter), -EINVAL);
}

static void exporter_knows_the_least_message(void **state)
{
	struct exporter_config config = config_with(EXPORT_IPFIX, "full");
	config.biflow = EXPORT_BIFLOW_FULL;
	struct exporter *exporter = NULL;
	transport_memory_init(&memory);

	config.message_bytes = (uint32_t)exporter_least_bytes(&config) - 1;
	assert_int_equal(exporter_new(&config, &memory.transport, &exporter), -EMSGSIZE);
	config.message_bytes++;
	assert_int_equal(exporter_new(&config, &memory.transport, &exporter), 0);
	exporter_free(exporter);
}

/* -- ids ------------------------------------------------------------------------------ */

static struct dialect_layouts built(const struct exporter_config *config)
{
	struct dialect_layouts layouts;
	dialect_build_layouts(config, &layouts);
	return layouts;
}

/* Every template that some settings make, by its id. */
struct known {
	struct layout by_id[UINT16_MAX + 1];
	unsigned count;
};

static void assert_unique(struct known *known, const struct layout *layout)
{
	struct layout *other = &known->by_id[layout->id];
	if (layout->row_count == 0)
		return;
	assert_true(layout->id >= 256);
	if (other->row_count == 0) {
		*other = *layout;
		known->count++;
		return;
	}
	assert_int_equal(other->row_count, layout->row_count);
	assert_memory_equal(
		other->rows, layout->rows, layout->row_count * sizeof(layout->rows[0]));
}

static void assert_all_unique(struct known *known, const struct exporter_config *config)
{
	struct dialect_layouts layouts = built(config);
	for (unsigned i = 0; i < FLOW_LAYOUT_COUNT; i++)
		assert_unique(known, &layouts.flow[i]);
	for (unsigned i = 0; i < layouts.options_count; i++)
		assert_unique(known, &layouts.options[i]);
}

static void templates_with_different_elements_have_different_ids(void **state)
{
	static struct known known;
	static const char *const templates[] = { "default", "nfdump", "full",
		ADDRESSES ",octetDeltaCount", "octetDeltaCount," ADDRESSES,
		ADDRESSES ",octetDeltaCount,packetDeltaCount" };
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	memset(&known, 0, sizeof(known));
	for (unsigned i = 0; i < sizeof(templates) / sizeof(templates[0]); i++)
		for (unsigned n = 0; n < 3 * 5 * 2 * 11; n++) {
			config.template = parsed(templates[i]);
			config.biflow = (enum export_biflow)(n % 3);
			config.time = (enum export_time)(n / 3 % 5);
			config.fields.has_ports = n / 15 % 2;
			config.fields.mpls_labels = n / 30;
			assert_all_unique(&known, &config);
		}
	assert_true(known.count > 1500);
}

static void templates_of_the_same_elements_are_one(void **state)
{
	struct exporter_config config =
		config_with(EXPORT_IPFIX, "octetDeltaCount,packetDeltaCount");
	struct exporter *exporter = start(&config);
	struct flow_record tcp = sample_tcp(), udp6 = sample_udp6();
	struct dialect_layouts layouts = built(&config);

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
	exporter_add(exporter, &udp6, SAMPLE_BOOT_NS + 3 * S);
	exporter_free(exporter);
	read_all();

	assert_int_equal(layouts.flow[0].id, layouts.flow[FLOW_LAYOUT_IPV6].id);
	assert_int_equal(reader.template_count, 1 + layouts.options_count);
	assert_int_equal(reader.templates_seen, 1 + layouts.options_count);
	assert_int_equal(reader_flow_count(&reader), 3);
}

static void template_is_the_same_in_every_run(void **state)
{
	struct exporter_config config = config_with(EXPORT_IPFIX, ADDRESSES ",octetDeltaCount");

	assert_int_equal(built(&config).flow[0].id, 53835);
}

/* -- round trips ---------------------------------------------------------------------- */

static uint32_t next_random(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static uint64_t random_64(uint32_t *seed)
{
	uint64_t value = next_random(seed);
	value = value << 24 | next_random(seed);
	return value << 24 | next_random(seed);
}

static void random_side(struct flow_side *side, uint32_t *seed)
{
	static const uint32_t labels[FLOW_MPLS_MAX] = { 0xfedcba, 16, 17, 18, 19, 20, 21, 22,
		23, 0xffffff };
	*side = (struct flow_side){
		.packets = random_64(seed) | 1,
		.octets = random_64(seed),
		.first_ns = SAMPLE_BOOT_NS + random_64(seed) % (1000 * S),
		.last_ns = SAMPLE_BOOT_NS + 1000 * S + random_64(seed) % (1000 * S),
		.mpls = labels,
		.ingress_if = next_random(seed),
		.egress_if = next_random(seed),
		.flow_label = next_random(seed) & 0xfffff,
		.tcp_flags = (uint16_t)next_random(seed),
		.vlan_id = (uint16_t)next_random(seed),
		.inner_vlan_id = (uint16_t)next_random(seed),
		.icmp_type_code = (uint16_t)next_random(seed),
		.tos = (uint8_t)next_random(seed),
		.min_ttl = (uint8_t)next_random(seed),
		.max_ttl = (uint8_t)next_random(seed),
		.is_egress = next_random(seed) & 1,
		.mpls_count = (uint8_t)(next_random(seed) % (FLOW_MPLS_MAX + 1)),
	};
	for (unsigned i = 0; i < 6; i++) {
		side->source_mac[i] = (uint8_t)next_random(seed);
		side->destination_mac[i] = (uint8_t)next_random(seed);
	}
}

static struct flow_record random_record(uint32_t *seed)
{
	struct flow_record record = {
		.flow_id = random_64(seed),
		.port = { (uint16_t)next_random(seed), (uint16_t)next_random(seed) },
		.ip_version = next_random(seed) & 1 ? 4 : 6,
		.protocol = (uint8_t)next_random(seed),
		.end_reason = (uint8_t)(1 + next_random(seed) % 5),
		.is_icmp = next_random(seed) & 1,
		.is_initiator_known = next_random(seed) & 1,
	};
	for (unsigned i = 0; i < 32; i++)
		record.address[i / 16][i % 16] = (uint8_t)next_random(seed);
	random_side(&record.side[0], seed);
	if (next_random(seed) & 1)
		random_side(&record.side[1], seed);
	return record;
}

/* What element .id of a record must be, by RFC 5102 and our promises, of direction .d; the
 * reverse element is that of the other direction. */
static uint64_t expected(
	unsigned id, const struct flow_record *record, unsigned d, bool is_spanning)
{
	const struct flow_side *side = &record->side[d], *other = &record->side[!d];
	uint64_t first_ns = side->first_ns, last_ns = side->last_ns;
	if (is_spanning && other->first_ns < first_ns)
		first_ns = other->first_ns;
	if (is_spanning && other->last_ns > last_ns)
		last_ns = other->last_ns;
	if (id >= 70 && id <= 79)
		return id - 70 < side->mpls_count ? side->mpls[id - 70] : 0;
	switch (id) {
	case 1:
		return side->octets;
	case 2:
		return side->packets;
	case 4:
		return record->protocol;
	case 5:
		return side->tos;
	case 6:
		return side->tcp_flags & 0xff;
	case 7:
		return record->port[d];
	case 10:
		return side->ingress_if;
	case 11:
		return record->port[!d];
	case 14:
		return side->egress_if;
	case 22:
		return (first_ns - SAMPLE_BOOT_NS) / MS;
	case 21:
		return (last_ns - SAMPLE_BOOT_NS) / MS;
	case 31:
		return side->flow_label;
	case 32:
	case 139:
		return side->icmp_type_code;
	case 52:
		return side->min_ttl;
	case 53:
		return side->max_ttl;
	case 58:
		return side->vlan_id;
	case 60:
		return record->ip_version;
	case 61:
		return side->is_egress;
	case 136:
		return record->end_reason;
	case 148:
		return record->flow_id;
	case 150:
		return first_ns / S;
	case 151:
		return last_ns / S;
	case 152:
		return first_ns / MS;
	case 153:
		return last_ns / MS;
	case 161:
		return (last_ns - first_ns) / MS;
	case 243:
		return side->vlan_id;
	case 245:
		return side->inner_vlan_id;
	case 34:
		return 1;
	case 35:
		return 1;
	case 138:
		return 3;
	case 144:
		return 77;
	case 149:
		return 0x01020304;
	case 176:
	case 178:
		return side->icmp_type_code >> 8;
	case 177:
	case 179:
		return side->icmp_type_code & 0xff;
	case 239:
		return record->is_initiator_known;
	default:
		fail_msg("element %u has no expectation", id);
		return 0;
	}
}

/* NTP time; the fraction is checked as a reader that rounds has it. */
static void assert_ntp(const uint8_t *at, uint64_t ns, uint64_t unit_ns)
{
	uint64_t seconds = 0, fraction = 0;
	for (unsigned i = 0; i < 4; i++) {
		seconds = seconds << 8 | at[i];
		fraction = fraction << 8 | at[4 + i];
	}
	assert_int_equal(seconds, (uint32_t)(ns / S + 2208988800));
	assert_int_equal(fraction * (S / unit_ns) >> 32, ns % S / unit_ns);
}

/* Addresses and times in NTP form, which are no numbers. True when .id is one. */
static bool is_octets_right(unsigned id, const struct flow_record *record, unsigned d,
	bool is_spanning, const uint8_t *at)
{
	struct flow_record spanning = *record;
	if (is_spanning) {
		spanning.side[d].first_ns =
			expected(152, record, d, true) * MS + record->side[d].first_ns % MS;
		if (record->side[!d].first_ns < record->side[d].first_ns)
			spanning.side[d].first_ns = record->side[!d].first_ns;
		if (record->side[!d].last_ns > record->side[d].last_ns)
			spanning.side[d].last_ns = record->side[!d].last_ns;
	}
	const struct flow_side *side = &spanning.side[d];
	switch (id) {
	case 8:
		assert_memory_equal(at, record->address[d], 4);
		return true;
	case 12:
		assert_memory_equal(at, record->address[!d], 4);
		return true;
	case 27:
		assert_memory_equal(at, record->address[d], 16);
		return true;
	case 28:
		assert_memory_equal(at, record->address[!d], 16);
		return true;
	case 56:
		assert_memory_equal(at, side->source_mac, 6);
		return true;
	case 80:
		assert_memory_equal(at, side->destination_mac, 6);
		return true;
	case 82:
		assert_memory_equal(at, "eth0\0\0\0\0\0\0\0\0\0\0\0", 16);
		return true;
	case 83:
		assert_string_equal((const char *)at, "uplink");
		return true;
	case 130:
		assert_memory_equal(at, "\xc0\0\2\7", 4);
		return true;
	case 131:
		assert_memory_equal(at, "\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\7", 16);
		return true;
	case 154:
		assert_ntp(at, side->first_ns, 1000);
		return true;
	case 155:
		assert_ntp(at, side->last_ns, 1000);
		return true;
	case 156:
		assert_ntp(at, side->first_ns, 1);
		return true;
	case 157:
		assert_ntp(at, side->last_ns, 1);
		return true;
	default:
		return false;
	}
}

/* What is written, test_community_id knows; here it has to stand in its place. */
static void assert_private(const struct reader_field *field, const struct flow_record *record,
	unsigned d, const uint8_t *at)
{
	uint8_t id[COMMUNITY_ID_OCTETS];
	community_id_write(id, record, d);
	assert_int_equal(field->enterprise, 32473);
	assert_int_equal(field->id, 1);
	assert_int_equal(field->octets, sizeof(id));
	assert_memory_equal(at, id, sizeof(id));
}

/* The record as the reader has it, against what went in. */
static void assert_record(
	const struct reader_record *read, const struct flow_record *record, unsigned direction)
{
	const struct reader_template *template = read->template;
	const uint8_t *at = read->bytes;
	bool has_reverse = false, has_reverse_time = false;
	for (unsigned i = 0; i < template->field_count; i++) {
		unsigned id = template->fields[i].id;
		has_reverse |= template->fields[i].is_reverse;
		has_reverse_time |= template->fields[i].is_reverse && id != 1 && id != 2;
	}
	bool is_spanning = has_reverse && !has_reverse_time;
	for (unsigned i = 0; i < template->field_count; i++) {
		const struct reader_field *field = &template->fields[i];
		unsigned d = direction ^ field->is_reverse;
		if (field->enterprise)
			assert_private(field, record, d, at);
		else if (!is_octets_right(field->id, record, d, is_spanning, at))
			assert_int_equal(reader_value(read, field->id, field->is_reverse),
				expected(field->id, record, d, is_spanning));
		at += field->octets;
	}
}

/* Names of elements in random order; the addresses let every flow have something. */
static struct export_template random_template(uint32_t *seed)
{
	struct export_template template = parsed(ADDRESSES ",octetDeltaCount");
	unsigned count = next_random(seed) % 60;
	while (count-- > 0) {
		uint8_t element = (uint8_t)(next_random(seed) % ELEMENT_COUNT);
		bool is_wanted = !(element_infos[element].needs & (NEVER | FULL));
		if (element == ELEMENT_communityId)
			is_wanted = community_id_is_built();
		if (is_wanted && !memchr(template.elements, element, template.element_count) &&
			template.element_count < TEMPLATE_ELEMENTS_MAX)
			template.elements[template.element_count++] = element;
	}
	for (unsigned i = template.element_count - 1; i > 0; i--) {
		unsigned j = next_random(seed) % (i + 1);
		uint8_t kept = template.elements[i];
		template.elements[i] = template.elements[j];
		template.elements[j] = kept;
	}
	return template;
}

static const struct transport_endpoints v4_endpoints = { .ip_version = 4,
	.local = { 192, 0, 2, 7 } };

static void check_round_trip(const struct exporter_config *config, uint32_t *seed)
{
	struct flow_record records[20];
	struct exporter *exporter = start_at(config, &v4_endpoints);
	for (unsigned i = 0; i < 20; i++) {
		records[i] = random_record(seed);
		exporter_add(exporter, &records[i], SAMPLE_BOOT_NS + 2000 * S);
	}
	exporter_free(exporter);
	read_all();
	unsigned n = 0;
	for (unsigned i = 0; i < 20; i++) {
		bool is_answered = records[i].side[1].packets != 0;
		assert_record(reader_flow(&reader, n++), &records[i], 0);
		if (is_answered && config->biflow == EXPORT_BIFLOW_OFF)
			assert_record(reader_flow(&reader, n++), &records[i], 1);
	}
	assert_int_equal(reader_flow_count(&reader), n);
	transport_memory_clear(&memory);
}

static void reader_gets_back_what_random_templates_were_given(void **state)
{
	uint32_t seed = 1;
	for (unsigned i = 0; i < 300; i++) {
		struct exporter_config config = sample_config(EXPORT_IPFIX);
		config.biflow = (enum export_biflow)(i % 3);
		config.template = random_template(&seed);
		uint32_t least = (uint32_t)exporter_least_bytes(&config);
		config.message_bytes = least + next_random(&seed) % 1000;
		check_round_trip(&config, &seed);
	}
}

static void reader_gets_back_what_presets_were_given(void **state)
{
	uint32_t seed = 2;
	for (unsigned i = 0; i < 3 * PRESET_COUNT * 5; i++) {
		struct exporter_config config = sample_config(EXPORT_IPFIX);
		config.biflow = (enum export_biflow)(i % 3);
		config.template.preset = (uint8_t)(i / 3 % PRESET_COUNT);
		config.time = (enum export_time)(i / 3 / PRESET_COUNT);
		check_round_trip(&config, &seed);
	}
}

static void exporter_over_ipv6_has_no_ipv4_address(void **state)
{
	static const struct transport_endpoints ends = { .ip_version = 6,
		.local = { 0x20, 1, 0x0d, 0xb8, [15] = 9 } };
	struct exporter_config config =
		config_with(EXPORT_IPFIX, "exporterIPv4Address,exporterIPv6Address");
	struct flow_record tcp = sample_tcp();
	struct exporter *exporter = start_at(&config, &ends);
	unsigned octets = 0;

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
	exporter_free(exporter);
	read_all();

	assert_int_equal(reader_value(reader_flow(&reader, 0), 130, false), 0);
	assert_memory_equal(
		reader_find(reader_flow(&reader, 0), 131, false, &octets), ends.local, 16);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_teardown(exporter_over_ipv6_has_no_ipv4_address, forget),
	cmocka_unit_test(template_names_are_found_in_any_case_and_kept_in_order),
	cmocka_unit_test(template_presets_are_found_by_name),
	cmocka_unit_test(template_refuses_by_name_with_the_reason),
	cmocka_unit_test(unfilled_elements_are_no_elements),
	cmocka_unit_test(template_of_v5_is_fixed),
	cmocka_unit_test(template_of_v9_has_what_v9_has_a_number_for),
	cmocka_unit_test(template_names_ports_when_they_are_tracked),
	cmocka_unit_test(template_names_the_community_id_when_it_can_be_made),
	cmocka_unit_test(template_of_biflows_has_a_direction),
	cmocka_unit_test(template_has_something_for_all_flows),
	cmocka_unit_test_teardown(exporter_refuses_what_the_check_refuses, forget),
	cmocka_unit_test_teardown(exporter_knows_the_least_message, forget),
	cmocka_unit_test(templates_with_different_elements_have_different_ids),
	cmocka_unit_test_teardown(templates_of_the_same_elements_are_one, forget),
	cmocka_unit_test(template_is_the_same_in_every_run),
	cmocka_unit_test_teardown(reader_gets_back_what_random_templates_were_given, forget),
	cmocka_unit_test_teardown(reader_gets_back_what_presets_were_given, forget),
};

UNIT_MAIN("template", tests)
