/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ipfix_json.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "export/print.h"
#include "sensor/ipfix_flow.h"

#define KEY_BYTES 128

enum {
	ELEMENT_PROTOCOL = 4,
	ELEMENT_IP_VERSION = 60,
	ELEMENT_ICMP_V4 = 32,
	ELEMENT_ICMP_V6 = 139,
	ELEMENT_FIRST_LABEL = 70,
	ELEMENT_LAST_LABEL = 79,
	ELEMENT_FIRST_TIME = 150,
	ELEMENT_LAST_TIME = 157,
};

/* clang-format off */
/* The names of print_field.def, where an element is that value. */
static const char *const print_names[] = {
	[1] = "bytes", [2] = "packets", [4] = "proto", [5] = "ip_tos", [6] = "tcp_flags",
	[7] = "src_port", [8] = "src_addr", [10] = "in_if", [11] = "dst_port", [12] = "dst_addr",
	[14] = "out_if", [27] = "src_addr", [28] = "dst_addr", [31] = "ipv6_flow_label",
	[34] = "sampling_rate", [52] = "ip_ttl", [56] = "src_mac", [58] = "vlan_id",
	[60] = "etype", [61] = "flow_direction", [80] = "dst_mac", [136] = "flow_end_reason",
	[148] = "flow_id", [149] = "observation_domain_id",
	[150] = "time_flow_start_ns", [151] = "time_flow_end_ns", [152] = "time_flow_start_ns",
	[153] = "time_flow_end_ns", [154] = "time_flow_start_ns", [155] = "time_flow_end_ns",
	[156] = "time_flow_start_ns", [157] = "time_flow_end_ns", [239] = "bi_flow_direction",
};
/* clang-format on */

/* -- values ------------------------------------------------------------------------------ */

static json_t *make_hex(const struct ipfix_value *value)
{
	static const char digits[] = "0123456789abcdef";
	char *text = malloc(value->octets * 2 + 1);
	json_t *made;

	if (!text)
		return NULL;
	for (size_t i = 0; i < value->octets; i++) {
		text[i * 2] = digits[value->bytes[i] >> 4];
		text[i * 2 + 1] = digits[value->bytes[i] & 0xf];
	}
	made = json_stringn(text, value->octets * 2);
	free(text);
	return made;
}

static json_t *make_unsigned(uint64_t number)
{
	char text[24];

	if (number <= INT64_MAX)
		return json_integer((json_int_t)number);
	snprintf(text, sizeof(text), "%" PRIu64, number);
	return json_string(text);
}

static json_t *make_signed(const struct ipfix_value *value)
{
	unsigned unused_bits = 64 - 8 * (unsigned)value->octets;

	return json_integer((json_int_t)(ipfix_number(value) << unused_bits) >> unused_bits);
}

static json_t *make_float(const struct ipfix_value *value)
{
	uint64_t bits = ipfix_number(value);
	uint32_t short_bits = (uint32_t)bits;
	double number;
	float short_number;

	memcpy(&short_number, &short_bits, sizeof(short_number));
	memcpy(&number, &bits, sizeof(number));
	json_t *made = json_real(value->octets == 4 ? (double)short_number : number);
	return made ? made : make_hex(value); /* JSON has no infinity */
}

static json_t *make_address(const struct ipfix_value *value, int family)
{
	char text[INET6_ADDRSTRLEN];

	return json_string(inet_ntop(family, value->bytes, text, sizeof(text)));
}

static json_t *make_mac(const struct ipfix_value *value)
{
	const uint8_t *mac = value->bytes;
	char text[18];

	snprintf(text, sizeof(text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
	return json_string(text);
}

/* Those of a fixed length end in zeros. */
static json_t *make_string(const struct ipfix_value *value)
{
	size_t octets = value->octets;

	while (octets > 0 && value->bytes[octets - 1] == 0)
		octets--;
	json_t *made = json_stringn(octets ? (const char *)value->bytes : "", octets);
	return made ? made : make_hex(value); /* no UTF-8 */
}

static bool is_number(const struct ipfix_value *value)
{
	return value->octets >= 1 && value->octets <= 8;
}

static json_t *make_value(const struct ipfix_value *value, enum ipfix_type type)
{
	switch (type) {
	case IPFIX_UNSIGNED:
	case IPFIX_SECONDS:
	case IPFIX_MILLISECONDS:
		return is_number(value) ? make_unsigned(ipfix_number(value)) : make_hex(value);
	case IPFIX_SIGNED:
		return is_number(value) ? make_signed(value) : make_hex(value);
	case IPFIX_FLOAT:
		return value->octets == 4 || value->octets == 8 ? make_float(value)
								: make_hex(value);
	case IPFIX_BOOLEAN:
		return value->octets == 1 ? json_boolean(value->bytes[0] == 1)
					  : make_hex(value);
	case IPFIX_MAC:
		return value->octets == 6 ? make_mac(value) : make_hex(value);
	case IPFIX_STRING:
		return make_string(value);
	case IPFIX_MICROSECONDS:
	case IPFIX_NANOSECONDS:
		return value->octets == 8 ? make_unsigned(ipfix_time_ns(value, type))
					  : make_hex(value);
	case IPFIX_IPV4:
		return value->octets == 4 ? make_address(value, AF_INET) : make_hex(value);
	case IPFIX_IPV6:
		return value->octets == 16 ? make_address(value, AF_INET6) : make_hex(value);
	default:
		return make_hex(value);
	}
}

/* -- members ----------------------------------------------------------------------------- */

/* An element may be there several times: "_2"... */
static int put(json_t *line, const char *prefix, const char *name, json_t *value)
{
	char key[KEY_BYTES];

	snprintf(key, sizeof(key), "%s%s", prefix, name);
	for (unsigned number = 2; json_object_get(line, key) && number < UINT16_MAX; number++)
		snprintf(key, sizeof(key), "%s%s_%u", prefix, name, number);
	return json_object_set_new(line, key, value) < 0 ? -ENOMEM : 0;
}

static int put_icmp(json_t *line, const char *prefix, const struct ipfix_value *value)
{
	uint64_t type_code = ipfix_number(value);
	int rc = put(line, prefix, "icmp_type", make_unsigned(type_code >> 8));

	return rc < 0 ? rc : put(line, prefix, "icmp_code", make_unsigned(type_code & 0xff));
}

static int put_label(json_t *line, const struct ipfix_value *value)
{
	json_t *labels = json_object_get(line, "mpls_label");

	if (!labels) {
		labels = json_array();
		if (json_object_set_new(line, "mpls_label", labels) < 0)
			return -ENOMEM;
	}
	uint64_t label = ipfix_number(value) >> 4;
	return label && json_array_append_new(labels, make_unsigned(label)) < 0 ? -ENOMEM : 0;
}

static json_t *make_print_value(
	unsigned id, enum ipfix_type type, const struct ipfix_value *value)
{
	uint64_t number = ipfix_number(value);
	const char *word = NULL;

	if (id == ELEMENT_PROTOCOL)
		word = print_protocol_word((uint8_t)number);
	else if (id == ELEMENT_IP_VERSION)
		word = number == 6 ? "IPv6" : number == 4 ? "IPv4" : NULL;
	if (word)
		return json_string(word);
	if (id >= ELEMENT_FIRST_TIME && id <= ELEMENT_LAST_TIME && is_number(value))
		return make_unsigned(ipfix_time_ns(value, type));
	return make_value(value, type);
}

static int put_value(json_t *line, const struct ipfix_reader *reader,
	const struct ipfix_field *field, const struct ipfix_value *value)
{
	bool is_reverse = field->enterprise == IPFIX_REVERSE;
	bool is_iana = field->enterprise == 0 || is_reverse;
	const char *prefix = is_reverse ? "reverse_" : "";
	enum ipfix_type type;
	const char *name = ipfix_reader_name(reader, field, &type);
	char number[KEY_BYTES];

	if (is_iana && is_number(value) &&
		(field->id == ELEMENT_ICMP_V4 || field->id == ELEMENT_ICMP_V6))
		return put_icmp(line, prefix, value);
	if (field->enterprise == 0 && value->octets == 3 && field->id >= ELEMENT_FIRST_LABEL &&
		field->id <= ELEMENT_LAST_LABEL)
		return put_label(line, value);
	if (is_iana && field->id < sizeof(print_names) / sizeof(print_names[0]) &&
		print_names[field->id])
		return put(line, prefix, print_names[field->id],
			make_print_value(field->id, type, value));
	if (!name) {
		snprintf(number, sizeof(number), "e%" PRIu32 ".%u", field->enterprise,
			field->id);
		name = number;
	}
	return put(line, prefix, name, make_value(value, type));
}

int ipfix_json_write(
	const struct ipfix_reader *reader, const struct ipfix_record *record, FILE *out)
{
	const struct ipfix_template *template = record->template;
	json_t *line = json_object();
	int rc = put(line, "", "type",
		json_string(template->scope_count > 0 ? "IPFIX_OPTIONS" : "IPFIX"));

	if (rc == 0)
		rc = put(line, "", "export_time", json_integer(record->export_s));
	for (unsigned i = 0; rc == 0 && i < template->count; i++)
		rc = put_value(line, reader, &template->fields[i], &record->values[i]);
	if (rc == 0 && !json_object_get(line, "observation_domain_id"))
		rc = put(line, "", "observation_domain_id", json_integer(record->domain));
	if (rc == 0) {
		json_dumpf(line, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
		fputc('\n', out);
	}
	json_decref(line);
	return rc;
}
