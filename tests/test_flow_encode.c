/* SPDX-License-Identifier: BSD-2-Clause */
/* The code that the compiler made of the plans writes what the layouts' rows say, for every
 * configuration there is. */
#include <stdlib.h>
#include <string.h>

#include "export/dialect.h"
#include "export/flow_trait.h"
#include "tests/export_samples.h"
#include "tests/unit.h"

#define RECORDS 4
#define CANARY 0xa5

static uint8_t random_octet(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return (uint8_t)(*seed >> 24);
}

/* Any octets that no caller may not pass; half of the counters fit 32 bits. */
static struct flow_record random_record(uint32_t *seed)
{
	static const uint32_t labels[FLOW_MPLS_MAX] = { 0xffffff, 1, 2, 3, 4, 5, 6, 7, 8, 9 };
	union {
		struct flow_record record;
		uint8_t octets[sizeof(struct flow_record)];
	} any;
	for (size_t i = 0; i < sizeof(any.octets); i++)
		any.octets[i] = random_octet(seed);
	any.octets[offsetof(struct flow_record, is_icmp)] &= 1;
	any.octets[offsetof(struct flow_record, is_initiator_known)] &= 1;
	any.octets[offsetof(struct flow_record, side[0].is_egress)] &= 1;
	any.octets[offsetof(struct flow_record, side[1].is_egress)] &= 1;
	for (unsigned i = 0; i < 2; i++) {
		struct flow_side *side = &any.record.side[i];
		side->mpls = labels;
		side->mpls_count %= FLOW_MPLS_MAX + 1;
		side->octets >>= random_octet(seed) & 1 ? 32 : 0;
		side->ingress_if >>= random_octet(seed) & 1 ? 16 : 0;
	}
	return any.record;
}

static void assert_encodes_alike(
	const struct layout *layout, const struct flow_record *record, unsigned direction)
{
	static const struct layout_facts facts = { .domain = 0x01020304, .if_index = 7 };
	uint8_t rows[1024], code[1024];
	struct layout_source source = {
		.flow = record,
		.facts = &facts,
		.direction = direction,
		.boot_ms = SAMPLE_BOOT_NS / MS,
	};
	memset(rows, CANARY, sizeof(rows));
	memset(code, CANARY, sizeof(code));

	unsigned saturated = layout_encode_rows(rows, layout, &source);

	assert_ptr_not_equal(layout->encode, layout_encode_rows);
	assert_int_equal(layout->encode(code, layout, &source), saturated);
	assert_memory_equal(rows, code, sizeof(rows));
	for (size_t i = layout->record_bytes; i < sizeof(rows); i++)
		assert_int_equal(code[i], CANARY);
}

static unsigned check_layouts(const struct exporter_config *config, uint32_t *seed)
{
	struct dialect_layouts layouts;
	unsigned checked = 0;
	dialect_build_layouts(config, &layouts);
	for (unsigned i = 0; i < FLOW_LAYOUT_COUNT; i++) {
		if (layouts.flow[i].row_count == 0)
			continue;
		checked++;
		for (unsigned n = 0; n < RECORDS; n++) {
			struct flow_record record = random_record(seed);
			assert_encodes_alike(&layouts.flow[i], &record, 0);
			assert_encodes_alike(&layouts.flow[i], &record, 1);
		}
	}
	return checked;
}

/* Settings by number: the form of time, biflows, ports, VLAN, MAC, labels. */
static bool next_config(struct exporter_config *config, unsigned number)
{
	config->time = (enum export_time)(number % 5);
	number /= 5;
	config->biflow = (enum export_biflow)(number % 3);
	number /= 3;
	config->fields.has_ports = number & 1;
	config->fields.has_vlan = number & 2;
	config->fields.has_mac = number & 4;
	config->fields.mpls_labels = number >> 3;
	return config->fields.mpls_labels <= FLOW_MPLS_MAX;
}

static void presets_and_named_elements_are_written_as_their_rows_say(void **state)
{
	uint32_t seed = 3;
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	for (unsigned number = 0; number < 15; number++) {
		next_config(&config, number);
		config.template = (struct export_template){ .preset = PRESET_nfdump };
		assert_true(check_layouts(&config, &seed) >= 2);
		config.template = (struct export_template){ .preset = PRESET_full };
		assert_true(check_layouts(&config, &seed) >= 2);
		for (unsigned element = 0; element < ELEMENT_COUNT; element++)
			if (!(element_infos[element].needs & (NEVER | FULL)))
				config.template.elements[config.template.element_count++] =
					(uint8_t)element;
		config.fields.has_ports = true;
		assert_true(check_layouts(&config, &seed) >= 4);
	}
}

static void code_and_rows_write_the_same_record(void **state)
{
	static const enum export_version versions[] = { EXPORT_NETFLOW_1, EXPORT_NETFLOW_5,
		EXPORT_NETFLOW_9, EXPORT_IPFIX };
	uint32_t seed = 1;
	for (unsigned i = 0; i < 4; i++) {
		struct exporter_config config = sample_config(versions[i]);
		unsigned checked = 0;
		for (unsigned number = 0; next_config(&config, number); number++)
			checked += check_layouts(&config, &seed);
		assert_true(checked >= 2 * 5 * 3 * 8 * 11);
	}
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(presets_and_named_elements_are_written_as_their_rows_say),
	cmocka_unit_test(code_and_rows_write_the_same_record),
};

UNIT_MAIN("flow_encode", tests)
