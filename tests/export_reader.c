/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/export_reader.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define REVERSE_PEN 29305

static uint64_t number(const uint8_t *bytes, size_t octets)
{
	uint64_t value = 0;
	for (size_t i = 0; i < octets; i++)
		value = value << 8 | bytes[i];
	return value;
}

static bool is_ipfix(const struct reader *reader)
{
	return reader->version == 10;
}

static struct reader_template *find_template(struct reader *reader, uint16_t id)
{
	for (unsigned i = 0; i < reader->template_count; i++)
		if (reader->templates[i].id == id)
			return &reader->templates[i];
	return NULL;
}

/* A template may come again, but never with other content. */
static void keep_template(struct reader *reader, const struct reader_template *template)
{
	struct reader_template *known = find_template(reader, template->id);
	if (known) {
		assert_memory_equal(known, template, sizeof(*known));
		return;
	}
	assert_true(reader->template_count < READER_TEMPLATES_MAX);
	reader->templates[reader->template_count++] = *template;
}

static size_t read_field(struct reader_template *template, const uint8_t *at, bool has_pen)
{
	assert_true(template->field_count < READER_FIELDS_MAX);
	struct reader_field *field = &template->fields[template->field_count++];
	uint16_t id = (uint16_t)number(at, 2);
	field->octets = (uint16_t)number(at + 2, 2);
	assert_true(field->octets > 0 && field->octets < 256);
	template->record_bytes += field->octets;
	field->id = has_pen ? id & 0x7fff : id;
	if (!has_pen || !(id & 0x8000))
		return 4;
	uint32_t enterprise = (uint32_t)number(at + 4, 4);
	assert_true(enterprise != 0);
	field->is_reverse = enterprise == REVERSE_PEN;
	field->enterprise = field->is_reverse ? 0 : enterprise;
	return 8;
}

static size_t read_template(
	struct reader *reader, const uint8_t *at, size_t left, bool is_options)
{
	struct reader_template template;
	memset(&template, 0, sizeof(template));
	size_t used = is_options ? 6 : 4;
	assert_true(left >= used);
	template.id = (uint16_t)number(at, 2);
	template.is_options = is_options;
	assert_true(template.id >= 256);
	unsigned count = (unsigned)number(at + 2, 2);
	if (is_options && is_ipfix(reader)) {
		assert_in_range(number(at + 4, 2), 1, count);
	} else if (is_options) {
		assert_int_equal(count % 4, 0); /* octets of scopes */
		assert_true(count > 0);
		count = (count + (unsigned)number(at + 4, 2)) / 4;
	}
	assert_true(count > 0);
	for (unsigned i = 0; i < count; i++) {
		assert_true(left >= used + 4);
		used += read_field(&template, at + used, is_ipfix(reader));
		assert_true(left >= used);
	}
	keep_template(reader, &template);
	reader->templates_seen++;
	return used;
}

static void read_templates(
	struct reader *reader, const uint8_t *at, size_t left, bool is_options)
{
	unsigned before = reader->templates_seen;
	while (left >= 4)
		if (number(at, 2) == 0) {
			break;
		} else {
			size_t used = read_template(reader, at, left, is_options);
			at += used;
			left -= used;
		}
	assert_true(left < 4);
	assert_int_equal(number(at, left), 0);
	assert_true(reader->templates_seen > before);
	if (is_options) /* several in one set are not read by all collectors */
		assert_int_equal(reader->templates_seen, before + 1);
}

static void read_data(struct reader *reader, uint16_t id, const uint8_t *at, size_t left)
{
	const struct reader_template *template = find_template(reader, id);
	assert_non_null(template); /* the template came first */
	assert_true(left >= template->record_bytes);
	while (left >= template->record_bytes) {
		assert_true(reader->record_count < READER_RECORDS_MAX);
		reader->records[reader->record_count++] = (struct reader_record){
			.template = template,
			.bytes = at,
			.message = reader->message_count,
		};
		if (template->is_options)
			reader->options_seen++;
		else
			reader->flows_seen++;
		at += template->record_bytes;
		left -= template->record_bytes;
	}
	assert_true(left < 4);
	assert_int_equal(number(at, left), 0);
	if (is_ipfix(reader))
		assert_int_equal(left, 0); /* not all collectors know padding */
}

static void read_set(struct reader *reader, uint16_t id, const uint8_t *body, size_t length)
{
	uint16_t template_set = is_ipfix(reader) ? 2 : 0;
	if (id == template_set || id == template_set + 1) {
		read_templates(reader, body, length, id == template_set + 1);
	} else {
		assert_true(id >= 256);
		read_data(reader, id, body, length);
	}
}

static void check_sequence(struct reader *reader, uint32_t sequence)
{
	reader->gap += sequence - reader->next_sequence;
	uint32_t step = is_ipfix(reader) ? reader->options_seen + reader->flows_seen : 1;
	reader->next_sequence = sequence + step;
}

void reader_feed(struct reader *reader, const uint8_t *bytes, size_t length)
{
	assert_true(length >= 16);
	reader->version = (unsigned)number(bytes, 2);
	assert_true(reader->version == 9 || reader->version == 10);
	reader->templates_seen = reader->options_seen = reader->flows_seen = 0;
	size_t at = is_ipfix(reader) ? 16 : 20;
	while (at < length) {
		assert_true(length - at >= 4);
		size_t set_bytes = number(bytes + at + 2, 2);
		assert_in_range(set_bytes, 5, length - at);
		if (!is_ipfix(reader))
			assert_int_equal(set_bytes % 4, 0);
		read_set(
			reader, (uint16_t)number(bytes + at, 2), bytes + at + 4, set_bytes - 4);
		at += set_bytes;
	}
	if (is_ipfix(reader)) {
		assert_int_equal(number(bytes + 2, 2), length);
		reader->export_s = (uint32_t)number(bytes + 4, 4);
		check_sequence(reader, (uint32_t)number(bytes + 8, 4));
	} else {
		assert_int_equal(number(bytes + 2, 2),
			reader->templates_seen + reader->options_seen + reader->flows_seen);
		reader->export_s = (uint32_t)number(bytes + 8, 4);
		check_sequence(reader, (uint32_t)number(bytes + 12, 4));
	}
	reader->message_count++;
}

const uint8_t *reader_find(
	const struct reader_record *record, uint16_t id, bool is_reverse, unsigned *ret_octets)
{
	const uint8_t *at = record->bytes;
	for (unsigned i = 0; i < record->template->field_count; i++) {
		const struct reader_field *field = &record->template->fields[i];
		if (field->id == id && field->is_reverse == is_reverse && !field->enterprise) {
			*ret_octets = field->octets;
			return at;
		}
		at += field->octets;
	}
	return NULL;
}

uint64_t reader_value(const struct reader_record *record, uint16_t id, bool is_reverse)
{
	unsigned octets = 0;
	const uint8_t *at = reader_find(record, id, is_reverse, &octets);
	if (!at)
		fail_msg("template %u has no element %u", record->template->id, id);
	assert_true(octets <= 8);
	return number(at, octets);
}

const struct reader_record *reader_flow(const struct reader *reader, unsigned n)
{
	for (unsigned i = 0; i < reader->record_count; i++)
		if (!reader->records[i].template->is_options && n-- == 0)
			return &reader->records[i];
	fail_msg("not so many flow records");
	return NULL;
}

const struct reader_record *reader_options(
	const struct reader *reader, uint16_t element, unsigned n)
{
	for (unsigned i = 0; i < reader->record_count; i++) {
		const struct reader_record *record = &reader->records[i];
		unsigned octets;
		if (record->template->is_options &&
			reader_find(record, element, false, &octets) && n-- == 0)
			return record;
	}
	fail_msg("not so many options records with element %u", element);
	return NULL;
}

unsigned reader_flow_count(const struct reader *reader)
{
	unsigned count = 0;
	for (unsigned i = 0; i < reader->record_count; i++)
		count += !reader->records[i].template->is_options;
	return count;
}
