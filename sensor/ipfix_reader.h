/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Takes IPFIX messages apart (RFC 7011), whoever has written them: keeps the templates of each
 * observation domain and gives the data records as values, which lie in the message.
 */
#ifndef SENSOR_IPFIX_READER_H
#define SENSOR_IPFIX_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IPFIX_HEADER_BYTES 16
#define IPFIX_TEMPLATES_MAX 4096 /* kept at once; further ones are damage */
#define IPFIX_FIELDS_MAX 1024    /* of a template; one with more is damage */
#define IPFIX_NAMES_MAX 1024     /* described by RFC 5610; further ones go by number */
#define IPFIX_NAME_BYTES 64
#define IPFIX_REVERSE 29305 /* enterprise number of RFC 5103 */

/* Abstract data types, numbered as informationElementDataType (RFC 5610) is; those that differ
 * in their size alone are one. */
enum ipfix_type {
	IPFIX_OCTETS = 0,
	IPFIX_UNSIGNED = 1, /* to 4 */
	IPFIX_SIGNED = 5,   /* to 8 */
	IPFIX_FLOAT = 9,    /* to 10 */
	IPFIX_BOOLEAN = 11,
	IPFIX_MAC = 12,
	IPFIX_STRING = 13,
	IPFIX_SECONDS = 14,
	IPFIX_MILLISECONDS = 15,
	IPFIX_MICROSECONDS = 16,
	IPFIX_NANOSECONDS = 17,
	IPFIX_IPV4 = 18,
	IPFIX_IPV6 = 19,
};

struct ipfix_field {
	uint32_t enterprise; /* 0: IANA's */
	uint16_t id;
	uint16_t octets; /* 65535: each record says how many */
};

struct ipfix_template {
	uint32_t domain;
	uint16_t id;
	uint16_t scope_count; /* the first fields; 0: no options template */
	uint16_t count;
	struct ipfix_field fields[];
};

struct ipfix_value {
	const uint8_t *bytes; /* in the message */
	size_t octets;
};

struct ipfix_record {
	uint32_t domain, export_s, sequence; /* of the message */
	const struct ipfix_template *template;
	const struct ipfix_value *values; /* .template->count of them */
};

struct ipfix_reader;

/* .record is called for each data record; what it gets is valid for the call. 0 or -ENOMEM. */
int ipfix_reader_new(void (*record)(void *user, const struct ipfix_record *record), void *user,
	struct ipfix_reader **ret_reader);
void ipfix_reader_free(struct ipfix_reader *reader); /* NULL is fine */

/* The length of the message that begins with this header; 0: it is none, and ipfix_reader_why()
 * says why. */
size_t ipfix_reader_length(
	struct ipfix_reader *reader, const uint8_t header[static IPFIX_HEADER_BYTES]);

/* Take one whole message. 0, -ENOMEM, or -EBADMSG when it is damaged: then all records before
 * the damage were given, and *ret_offset says where in the message it is. */
int ipfix_reader_take(
	struct ipfix_reader *reader, const uint8_t *bytes, size_t length, size_t *ret_offset);
const char *ipfix_reader_why(const struct ipfix_reader *reader);

/* Data sets without a template, so far. */
uint64_t ipfix_reader_unknown_sets(const struct ipfix_reader *reader);

/* Name and type of an element: IANA's, or as the data have told (RFC 5610); of reverse ones
 * (RFC 5103) those of the forward one. NULL: not known. */
const char *ipfix_reader_name(const struct ipfix_reader *reader,
	const struct ipfix_field *field, enum ipfix_type *ret_type);

#endif
