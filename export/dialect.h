/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What differs between NetFlow v1, v5, v9 and IPFIX: one row each, and the layouts that a
 * configuration makes of it.
 */
#ifndef EXPORT_DIALECT_H
#define EXPORT_DIALECT_H

#include "export/exporter.h"
#include "export/layout.h"

/* What a sequence number counts. */
enum sequence_unit {
	SEQUENCE_NONE,
	SEQUENCE_MESSAGES, /* v9 */
	SEQUENCE_RECORDS,  /* v5: flows; IPFIX: data records, those of options included */
};

/* What headers are written from. */
struct message_head {
	size_t length;         /* of the whole message */
	unsigned record_count; /* everything in it: templates, options, data */
	uint32_t sequence;     /* before this message */
	uint32_t domain;
	uint8_t engine_type, engine_id;
	uint16_t sampling; /* v5's field */
	uint64_t now_ns;
	uint64_t boot_ms;
};

struct dialect {
	enum export_version version;
	uint8_t header_bytes;
	uint8_t most_records; /* per message; 0: as many as fit */
	bool has_sets;        /* and templates */
	bool pads_sets;       /* to 4 octets */
	uint8_t template_set_id, options_set_id;
	bool carries_ipv6;
	bool carries_biflow;
	uint64_t most_counted; /* largest octet and packet count of a record */
	enum sequence_unit sequence_unit;
	void (*put_header)(struct wire *out, const struct message_head *head);
};

/* Index bits of dialect_layouts.flow. */
enum {
	FLOW_LAYOUT_IPV6 = 1,
	FLOW_LAYOUT_ICMP = 2,
	FLOW_LAYOUT_BIFLOW = 4,
	FLOW_LAYOUT_COUNT = 8,
};

#define OPTIONS_LAYOUTS_MAX 10

struct dialect_layouts {
	struct layout flow[FLOW_LAYOUT_COUNT]; /* .row_count 0: not used */
	struct layout options[OPTIONS_LAYOUTS_MAX];
	unsigned options_count;
};

/* NULL for a version that does not exist. */
const struct dialect *dialect_find(enum export_version version);

/* Build what .config asks of its version. */
void dialect_build_layouts(
	const struct exporter_config *config, struct dialect_layouts *ret_layouts);

#endif
