/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a file of IPFIX messages: what is read of each record is printed in both ways.
 *
 * Besides what sanitizers see: damage is told with a place inside of the message, and a line of
 * JSON is one line.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/ipfix_flow.h"
#include "sensor/ipfix_json.h"

/* A short message may hold very many records of one octet. */
#define RECORDS_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
	struct ipfix_reader *reader;
	unsigned record_count;
};

static void demand(bool fact)
{
	if (!fact)
		abort();
}

static void print_both(void *user, const struct ipfix_record *record)
{
	struct target *target = user;
	struct ipfix_flow flow;
	char *text = NULL;
	size_t length = 0;

	if (target->record_count++ >= RECORDS_MAX)
		return;
	(void)ipfix_flow_read(record, &flow);
	FILE *out = open_memstream(&text, &length);
	demand(out && ipfix_json_write(target->reader, record, out) == 0);
	fclose(out);
	demand(length > 2 && strchr(text, '\n') == text + length - 1);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct target target = { 0 };
	size_t at = 0, offset = 0, length;
	int rc = ipfix_reader_new(print_both, &target, &target.reader);

	while (rc == 0 && size - at >= IPFIX_HEADER_BYTES) {
		length = ipfix_reader_length(target.reader, data + at);
		if (length == 0 || length > size - at)
			break;
		rc = ipfix_reader_take(target.reader, data + at, length, &offset);
		demand(rc == 0 || offset <= length);
		at += length;
	}
	ipfix_reader_free(target.reader);
	return 0;
}
