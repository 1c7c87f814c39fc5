/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ipfix_reader.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/cursor.h"

#define VERSION 10
#define TEMPLATE_SET 2
#define OPTIONS_SET 3
#define FIRST_DATA_SET 256
#define VARIABLE 65535
#define ENTERPRISE_BIT 0x8000u
#define LONG_LENGTH 255 /* a length of two octets follows */

/* Elements that describe elements (RFC 5610). */
enum {
	ELEMENT_ID = 303,
	ELEMENT_DATA_TYPE = 339,
	ELEMENT_NAME = 341,
	ELEMENT_ENTERPRISE = 346,
};

struct name {
	uint32_t enterprise;
	uint16_t id;
	enum ipfix_type type;
	char text[IPFIX_NAME_BYTES];
};

struct ipfix_reader {
	void (*record)(void *user, const struct ipfix_record *record);
	void *user;
	struct ipfix_template *templates[IPFIX_TEMPLATES_MAX];
	size_t template_count;
	struct name names[IPFIX_NAMES_MAX];
	size_t name_count;
	struct ipfix_value *values; /* of the record at hand */
	size_t value_room;
	uint64_t unknown_sets;
	const char *why;
};

/* -- elements --------------------------------------------------------------------------- */

#define TYPE_U IPFIX_UNSIGNED
#define TYPE_I IPFIX_SIGNED
#define TYPE_F IPFIX_FLOAT
#define TYPE_B IPFIX_BOOLEAN
#define TYPE_M IPFIX_MAC
#define TYPE_O IPFIX_OCTETS
#define TYPE_S IPFIX_STRING
#define TYPE_A4 IPFIX_IPV4
#define TYPE_A6 IPFIX_IPV6
#define TYPE_TS IPFIX_SECONDS
#define TYPE_TM IPFIX_MILLISECONDS
#define TYPE_TU IPFIX_MICROSECONDS
#define TYPE_TN IPFIX_NANOSECONDS

static const struct {
	const char *name;
	enum ipfix_type type;
} elements[] = {
#define INFO(id, name, type) [id] = { #name, TYPE_##type },
#include "sensor/ipfix_element.def"
#undef INFO
};

#define ELEMENT_COUNT (sizeof(elements) / sizeof(elements[0]))

static struct name *find_name(
	const struct ipfix_reader *reader, uint32_t enterprise, uint16_t id)
{
	for (size_t i = 0; i < reader->name_count; i++)
		if (reader->names[i].enterprise == enterprise && reader->names[i].id == id)
			return (struct name *)(uintptr_t)&reader->names[i];
	return NULL;
}

const char *ipfix_reader_name(const struct ipfix_reader *reader,
	const struct ipfix_field *field, enum ipfix_type *ret_type)
{
	bool is_iana = field->enterprise == 0 || field->enterprise == IPFIX_REVERSE;
	const struct name *told;

	*ret_type = IPFIX_OCTETS;
	if (is_iana && field->id < ELEMENT_COUNT && elements[field->id].name) {
		*ret_type = elements[field->id].type;
		return elements[field->id].name;
	}
	told = find_name(reader, field->enterprise, field->id);
	if (!told)
		return NULL;
	*ret_type = told->type;
	return told->text;
}

static enum ipfix_type type_of(uint64_t number)
{
	if (number >= IPFIX_UNSIGNED && number < IPFIX_SIGNED)
		return IPFIX_UNSIGNED;
	if (number >= IPFIX_SIGNED && number < IPFIX_FLOAT)
		return IPFIX_SIGNED;
	if (number >= IPFIX_FLOAT && number < IPFIX_BOOLEAN)
		return IPFIX_FLOAT;
	return number <= IPFIX_IPV6 ? (enum ipfix_type)number : IPFIX_OCTETS;
}

static uint64_t number_of(const struct ipfix_value *value)
{
	uint64_t number = 0;

	for (size_t i = 0; i < value->octets && i < 8; i++)
		number = number << 8 | value->bytes[i];
	return number;
}

static void keep_name(struct ipfix_reader *reader, const struct name *name)
{
	struct name *place = find_name(reader, name->enterprise, name->id);

	if (!place && reader->name_count < IPFIX_NAMES_MAX)
		place = &reader->names[reader->name_count++];
	if (place)
		*place = *name;
}

/* Names are letters and digits (RFC 7012 section 2.3). */
static bool is_word(const char *text)
{
	const char *at = text;

	while (isalnum((unsigned char)*at) || *at == '_' || *at == '-')
		at++;
	return at > text && *at == 0;
}

/* Does an options record describe an element? */
static void learn(struct ipfix_reader *reader, const struct ipfix_record *record)
{
	struct name name = { 0 };

	for (unsigned i = 0; i < record->template->count; i++) {
		const struct ipfix_field *field = &record->template->fields[i];
		const struct ipfix_value *value = &record->values[i];

		if (field->enterprise != 0)
			continue;
		if (field->id == ELEMENT_ID)
			name.id = (uint16_t)number_of(value) & 0x7fff;
		else if (field->id == ELEMENT_ENTERPRISE)
			name.enterprise = (uint32_t)number_of(value);
		else if (field->id == ELEMENT_DATA_TYPE)
			name.type = type_of(number_of(value));
		else if (field->id == ELEMENT_NAME && value->octets < sizeof(name.text))
			memcpy(name.text, value->bytes, value->octets);
	}
	if (name.id != 0 && name.enterprise != 0 && is_word(name.text))
		keep_name(reader, &name);
}

/* -- templates --------------------------------------------------------------------------- */

static size_t find_template(const struct ipfix_reader *reader, uint32_t domain, uint16_t id)
{
	size_t i = 0;

	while (i < reader->template_count &&
		(reader->templates[i]->domain != domain || reader->templates[i]->id != id))
		i++;
	return i;
}

static void forget_template(struct ipfix_reader *reader, size_t place)
{
	if (place == reader->template_count)
		return;
	free(reader->templates[place]);
	reader->templates[place] = reader->templates[--reader->template_count];
}

/* Withdraw one template, or all of a kind with the number of their set (section 8.1). */
static void withdraw(struct ipfix_reader *reader, uint32_t domain, uint16_t id)
{
	if (id >= FIRST_DATA_SET) {
		forget_template(reader, find_template(reader, domain, id));
		return;
	}
	for (size_t i = reader->template_count; i-- > 0;) {
		bool is_options = reader->templates[i]->scope_count > 0;

		if (reader->templates[i]->domain == domain && is_options == (id == OPTIONS_SET))
			forget_template(reader, i);
	}
}

static int keep_template(struct ipfix_reader *reader, struct ipfix_template *template)
{
	forget_template(reader, find_template(reader, template->domain, template->id));
	if (reader->template_count == IPFIX_TEMPLATES_MAX) {
		reader->why = "too many templates";
		return -EBADMSG;
	}
	reader->templates[reader->template_count++] = template;
	return 0;
}

static int damaged(struct ipfix_reader *reader, const char *why)
{
	reader->why = why;
	return -EBADMSG;
}

static void read_fields(struct cursor *in, struct ipfix_template *template)
{
	for (unsigned i = 0; i < template->count && !in->failed; i++) {
		uint16_t id = cursor_be16(in);

		template->fields[i].id = id &(uint16_t)~ENTERPRISE_BIT;
		template->fields[i].octets = cursor_be16(in);
		template->fields[i].enterprise = id &ENTERPRISE_BIT ? cursor_be32(in) : 0;
	}
}

static int read_template(
	struct ipfix_reader *reader, struct cursor *in, uint32_t domain, bool is_options)
{
	uint16_t id = cursor_be16(in), count = cursor_be16(in);

	if (!in->failed && count == 0) {
		withdraw(reader, domain, id);
		return 0;
	}
	uint16_t scope_count = is_options ? cursor_be16(in) : 0;
	if (in->failed || count > in->left / 4)
		return damaged(reader, "a template ends behind its set");
	if (count > IPFIX_FIELDS_MAX)
		return damaged(reader, "a template has too many fields");
	if (id < FIRST_DATA_SET)
		return damaged(reader, "a template has the number of a set of templates");
	if (is_options && (scope_count == 0 || scope_count > count))
		return damaged(reader, "an options template has a wrong number of scopes");
	struct ipfix_template *template =
		calloc(1, sizeof(*template) + count * sizeof(template->fields[0]));
	if (!template)
		return -ENOMEM;
	*template = (struct ipfix_template){
		.domain = domain, .id = id, .scope_count = scope_count, .count = count
	};
	read_fields(in, template);
	int rc = in->failed ? damaged(reader, "a template ends behind its set")
			    : keep_template(reader, template);
	if (rc < 0)
		free(template);
	return rc;
}

static int read_templates(
	struct ipfix_reader *reader, struct cursor *in, uint32_t domain, bool is_options)
{
	int rc = 0;

	while (rc == 0 && in->left >= 4)
		rc = read_template(reader, in, domain, is_options);
	return rc;
}

/* -- records ------------------------------------------------------------------------------ */

/* The shortest record of a template: what is left behind the last one is padding. */
static size_t least_bytes(const struct ipfix_template *template)
{
	size_t bytes = 0;

	for (unsigned i = 0; i < template->count; i++)
		bytes +=
			template->fields[i].octets == VARIABLE ? 1 : template->fields[i].octets;
	return bytes;
}

static void read_value(
	struct cursor *in, const struct ipfix_field *field, struct ipfix_value *value)
{
	size_t octets = field->octets;

	if (octets == VARIABLE) {
		octets = cursor_u8(in);
		if (octets == LONG_LENGTH)
			octets = cursor_be16(in);
	}
	value->octets = octets;
	value->bytes = cursor_take(in, octets);
}

static int reserve_values(struct ipfix_reader *reader, size_t count)
{
	if (count <= reader->value_room)
		return 0;
	struct ipfix_value *values = reallocarray(reader->values, count, sizeof(*values));
	if (!values)
		return -ENOMEM;
	reader->values = values;
	reader->value_room = count;
	return 0;
}

static int read_records(struct ipfix_reader *reader, struct cursor *in,
	const struct ipfix_template *template, struct ipfix_record *record)
{
	size_t least = least_bytes(template);
	int rc = reserve_values(reader, template->count);

	if (rc < 0)
		return rc;
	if (least == 0)
		return damaged(reader, "records without length");
	record->template = template;
	record->values = reader->values;
	while (in->left >= least) {
		for (unsigned i = 0; i < template->count; i++)
			read_value(in, &template->fields[i], &reader->values[i]);
		if (in->failed)
			return damaged(reader, "a record ends behind its set");
		if (template->scope_count > 0)
			learn(reader, record);
		reader->record(reader->user, record);
	}
	return 0;
}

static int read_set(struct ipfix_reader *reader, struct cursor *in, uint16_t set_id,
	struct ipfix_record *record)
{
	if (set_id == TEMPLATE_SET || set_id == OPTIONS_SET)
		return read_templates(reader, in, record->domain, set_id == OPTIONS_SET);
	if (set_id < FIRST_DATA_SET)
		return damaged(reader, "a set has a number that means nothing");
	size_t place = find_template(reader, record->domain, set_id);
	if (place < reader->template_count)
		return read_records(reader, in, reader->templates[place], record);
	reader->unknown_sets++;
	return 0;
}

/* -- messages ----------------------------------------------------------------------------- */

size_t ipfix_reader_length(
	struct ipfix_reader *reader, const uint8_t header[static IPFIX_HEADER_BYTES])
{
	struct cursor in = cursor_over(header, IPFIX_HEADER_BYTES);
	uint16_t version = cursor_be16(&in), length = cursor_be16(&in);

	if (version == VERSION && length >= IPFIX_HEADER_BYTES)
		return length;
	reader->why = version == VERSION ? "a message is shorter than its header"
					 : "this is no IPFIX message";
	return 0;
}

int ipfix_reader_take(
	struct ipfix_reader *reader, const uint8_t *bytes, size_t length, size_t *ret_offset)
{
	struct cursor in = cursor_over(bytes, length), set;
	struct ipfix_record record = { 0 };
	int rc = 0;

	cursor_skip(&in, 4);
	record.export_s = cursor_be32(&in);
	record.sequence = cursor_be32(&in);
	record.domain = cursor_be32(&in);
	while (rc == 0 && in.left > 0) {
		*ret_offset = length - in.left;
		uint16_t set_id = cursor_be16(&in), set_bytes = cursor_be16(&in);

		if (in.failed || set_bytes < 4 || !cursor_split(&in, set_bytes - 4u, &set))
			return damaged(reader, "a set ends behind its message");
		rc = read_set(reader, &set, set_id, &record);
	}
	return rc;
}

const char *ipfix_reader_why(const struct ipfix_reader *reader)
{
	return reader->why;
}

uint64_t ipfix_reader_unknown_sets(const struct ipfix_reader *reader)
{
	return reader->unknown_sets;
}

int ipfix_reader_new(void (*record)(void *user, const struct ipfix_record *record), void *user,
	struct ipfix_reader **ret_reader)
{
	struct ipfix_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return -ENOMEM;
	reader->record = record;
	reader->user = user;
	reader->why = "";
	*ret_reader = reader;
	return 0;
}

void ipfix_reader_free(struct ipfix_reader *reader)
{
	if (!reader)
		return;
	while (reader->template_count > 0)
		free(reader->templates[--reader->template_count]);
	free(reader->values);
	free(reader);
}
