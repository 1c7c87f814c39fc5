/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Flow records as text: an aligned table for people, JSON lines and CSV for programs. The field
 * names are those of goflow2. One record becomes one line per direction that carried packets.
 */
#ifndef EXPORT_PRINT_H
#define EXPORT_PRINT_H

#include <stddef.h>

#include "export/flow_record.h"

enum print_format {
	PRINT_NONE,
	PRINT_TABLE,
	PRINT_JSON,
	PRINT_CSV,
};

struct print_config {
	enum print_format format;
	uint32_t sampling_interval;
	uint32_t domain;
};

/* The word for an IP protocol, as it is printed; NULL: it goes by its number. */
const char *print_protocol_word(uint8_t protocol);

/* Room that print_record() and print_header() need at most. */
#define PRINT_BYTES_MAX 8192

/* The line above the records, "" for JSON. Returns its length. */
size_t print_header(const struct print_config *config, char out[static PRINT_BYTES_MAX]);

/* Both directions of .record, each a line with its newline. Returns the length. */
size_t print_record(const struct print_config *config, const struct flow_record *record,
	char out[static PRINT_BYTES_MAX]);

#endif
