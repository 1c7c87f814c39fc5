/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A collector for tests, written from the RFCs and not from our tables: it takes the messages
 * of one stream, fails the test when one breaks a rule of the format, and keeps the records.
 */
#ifndef TESTS_EXPORT_READER_H
#define TESTS_EXPORT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define READER_FIELDS_MAX 192
#define READER_TEMPLATES_MAX 32
#define READER_RECORDS_MAX 4096

struct reader_field {
	uint16_t id, octets;
	bool is_reverse;
	uint32_t enterprise; /* 0: IANA's, or the reverse of IANA's */
};

struct reader_template {
	uint16_t id;
	bool is_options;
	unsigned field_count;
	unsigned record_bytes;
	struct reader_field fields[READER_FIELDS_MAX];
};

struct reader_record {
	const struct reader_template *template;
	const uint8_t *bytes; /* in the message, which must stay */
	unsigned message;
};

struct reader {
	unsigned version; /* of the first message */
	uint32_t next_sequence;
	uint32_t gap;            /* sum of jumps of the sequence */
	uint32_t export_s;       /* of the last message */
	unsigned message_count;  /* all since the start */
	unsigned templates_seen; /* in the last message */
	unsigned options_seen;
	unsigned flows_seen;
	struct reader_template templates[READER_TEMPLATES_MAX];
	unsigned template_count;
	struct reader_record records[READER_RECORDS_MAX];
	unsigned record_count;
};

/* Take one message of v9 or IPFIX. */
void reader_feed(struct reader *reader, const uint8_t *bytes, size_t length);

/* The value of element .id; fails the test when the template has none. At most 8 octets. */
uint64_t reader_value(const struct reader_record *record, uint16_t id, bool is_reverse);

/* The octets of element .id, or NULL. */
const uint8_t *reader_find(
	const struct reader_record *record, uint16_t id, bool is_reverse, unsigned *ret_octets);

/* The n-th record, from 0, of those with flows (or options); fails the test without. */
const struct reader_record *reader_flow(const struct reader *reader, unsigned n);
const struct reader_record *reader_options(
	const struct reader *reader, uint16_t element, unsigned n);

/* How many flow records there are. */
unsigned reader_flow_count(const struct reader *reader);

#endif
