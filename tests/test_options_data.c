/* SPDX-License-Identifier: BSD-2-Clause */
/* What the exporter tells of itself: which options data, and whether they are true. */
#include <errno.h>
#include <string.h>

#include "export/community_id.h"
#include "tests/export_samples.h"
#include "tests/export_session.h"

#define SET(symbol) (1u << OPTIONS_SET_##symbol)

/* An exporter with the default and .more, which has sent one record of two directions. */
static struct exporter *exported(struct exporter_config *config, uint32_t more)
{
	struct flow_record tcp = sample_tcp();
	config->options_changed = more;
	struct exporter *exporter = start(config);

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 3 * S);
	exporter_flush(exporter, SAMPLE_BOOT_NS + 3 * S);
	read_all();
	return exporter;
}

static bool has_options_template(uint16_t id)
{
	for (unsigned i = 0; i < reader.template_count; i++)
		if (reader.templates[i].id == id && reader.templates[i].is_options)
			return true;
	return false;
}

static void default_is_what_all_collectors_skip_or_read(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	exporter_free(exported(&config, 0));

	for (uint16_t id = 272; id < 300; id++)
		assert_int_equal(has_options_template(id), id == 272 || id == 274 || id == 275);
}

static void none_is_none(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	exporter_free(exported(&config, OPTIONS_SET_DEFAULT));

	for (unsigned i = 0; i < reader.template_count; i++)
		assert_false(reader.templates[i].is_options);
	assert_int_equal(reader_flow_count(&reader), 2);
}

static void v9_has_what_v9_knows(void **state)
{
	struct exporter_config config = sample_config(EXPORT_NETFLOW_9);
	exporter_free(exported(&config, (1u << OPTIONS_SET_COUNT) - 1 - OPTIONS_SET_DEFAULT));

	for (uint16_t id = 272; id < 300; id++)
		assert_int_equal(has_options_template(id), id >= 272 && id <= 274);
}

static void options_records_count_in_the_sequence(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = exported(&config, SET(KEYS) | SET(METERING) | SET(SENDING));
	struct flow_record tcp = sample_tcp();

	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 4 * S);
	exporter_free(exporter);
	read_all();

	assert_int_equal(reader.gap, 0);
	assert_int_equal(reader.message_count, 2);
}

/* -- flow keys ------------------------------------------------------------------------ */

static const struct reader_template *template_of(uint64_t id)
{
	for (unsigned i = 0; i < reader.template_count; i++)
		if (reader.templates[i].id == id)
			return &reader.templates[i];
	fail_msg("no template %u", (unsigned)id);
	return NULL;
}

static bool is_listed(const uint16_t *ids, uint16_t id)
{
	while (*ids && *ids != id)
		ids++;
	return *ids == id;
}

/* The indicator of every template of flows has the bits of .keys, which ends in 0. */
static unsigned check_keys(const uint16_t *keys)
{
	unsigned checked = 0;
	for (unsigned n = 0; n < reader.record_count; n++) {
		const struct reader_record *record = &reader.records[n];
		if (record->template->id != 279)
			continue;
		const struct reader_template *template =
			template_of(reader_value(record, 145, false));
		uint64_t bits = reader_value(record, 173, false);
		for (unsigned i = 0; i < template->field_count; i++) {
			bool is_key = !template->fields[i].is_reverse &&
				      is_listed(keys, template->fields[i].id);
			assert_int_equal(bits >> i & 1, is_key);
		}
		assert_int_equal(
			template->field_count < 64 ? bits >> template->field_count : 0, 0);
		checked++;
	}
	return checked;
}

static void keys_are_told_of_each_template(void **state)
{
	static const uint16_t keys[] = { 8, 12, 27, 28, 7, 11, 4, 32, 139, 60, 0 };
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	exporter_free(exported(&config, SET(KEYS)));

	assert_int_equal(check_keys(keys), 4);
}

static void keys_follow_the_track_level(void **state)
{
	static const uint16_t ether[] = { 8, 12, 27, 28, 7, 11, 4, 32, 139, 60, 58, 56, 80, 0 };
	static const uint16_t ip[] = { 8, 12, 27, 28, 60, 0 };
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	config.fields.is_vlan_key = config.fields.is_mac_key = true;
	config.biflow = EXPORT_BIFLOW_FULL;
	exporter_free(exported(&config, SET(KEYS)));
	assert_int_equal(check_keys(ether), 8);
	transport_memory_clear(&memory);

	config = sample_config(EXPORT_IPFIX);
	config.fields = (struct export_fields){ .has_vlan = true, .has_mac = true };
	exporter_free(exported(&config, SET(KEYS)));
	assert_int_equal(check_keys(ip), 2);
}

/* -- losses --------------------------------------------------------------------------- */

static uint64_t count_of(const void *user)
{
	return *(const uint64_t *)user;
}

static void metering_tells_what_was_ignored_so_far(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	uint64_t ignored = 7;
	config.ignored_packets = count_of;
	config.ignored_user = &ignored;
	struct exporter *exporter = exported(&config, SET(METERING));
	struct flow_record tcp = sample_tcp();

	ignored = UINT64_C(1) << 40;
	exporter_refresh_templates(exporter);
	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 4 * S);
	exporter_free(exporter);
	read_all();

	const struct reader_record *first = reader_options(&reader, 164, 0);
	assert_int_equal(reader_value(first, 164, false), 7);
	assert_int_equal(reader_value(first, 149, false), 0x01020304);
	assert_int_equal(reader_value(first, 143, false), 77);
	assert_int_equal(
		reader_value(reader_options(&reader, 164, 1), 164, false), UINT64_C(1) << 40);
}

static void sending_tells_what_did_not_get_out(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	struct exporter *exporter = exported(&config, SET(SENDING));
	struct flow_record tcp = sample_tcp();
	assert_int_equal(reader_value(reader_options(&reader, 166, 0), 166, false), 0);

	memory.result = -ENETUNREACH;
	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 4 * S);
	exporter_flush(exporter, SAMPLE_BOOT_NS + 4 * S);
	memory.result = 0;
	exporter_refresh_templates(exporter);
	exporter_add(exporter, &tcp, SAMPLE_BOOT_NS + 5 * S);
	exporter_free(exporter);
	read_all();

	assert_int_equal(reader_value(reader_options(&reader, 166, 1), 166, false), 2);
	assert_int_equal(reader.gap, 2); /* they are missing in the sequence, too */
}

/* -- types ---------------------------------------------------------------------------- */

static void types_describe_private_elements(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	char error[TEMPLATE_ERROR_BYTES];
	unsigned octets = 0;
	if (!community_id_is_built())
		skip();
	config.enterprise = 99999;
	template_parse("octetDeltaCount,communityId", &config.template, error);
	exporter_free(exported(&config, SET(TYPES)));

	const struct reader_record *type = reader_options(&reader, 303, 0);
	assert_int_equal(reader_value(type, 346, false), 99999);
	assert_int_equal(reader_value(type, 303, false), 1);
	assert_int_equal(reader_value(type, 339, false), 13); /* string */
	assert_int_equal(reader_value(type, 344, false), 0);
	assert_string_equal(
		(const char *)reader_find(type, 341, false, &octets), "communityId");
}

static void types_are_not_told_without_private_elements(void **state)
{
	struct exporter_config config = sample_config(EXPORT_IPFIX);
	exporter_free(exported(&config, SET(TYPES)));

	assert_false(has_options_template(280));
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test_teardown(default_is_what_all_collectors_skip_or_read, forget),
	cmocka_unit_test_teardown(none_is_none, forget),
	cmocka_unit_test_teardown(v9_has_what_v9_knows, forget),
	cmocka_unit_test_teardown(options_records_count_in_the_sequence, forget),
	cmocka_unit_test_teardown(keys_are_told_of_each_template, forget),
	cmocka_unit_test_teardown(keys_follow_the_track_level, forget),
	cmocka_unit_test_teardown(metering_tells_what_was_ignored_so_far, forget),
	cmocka_unit_test_teardown(sending_tells_what_did_not_get_out, forget),
	cmocka_unit_test_teardown(types_describe_private_elements, forget),
	cmocka_unit_test_teardown(types_are_not_told_without_private_elements, forget),
};

UNIT_MAIN("options_data", tests)
