/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A record on the wire is a row of elements. A layout is built once, from rows of
 * element.def, and then the template is written from it. Records can be written from its
 * rows as well, but flows are many: for them the compiler makes code of the same rows, which a
 * test compares with the rows. A v5 record is a layout whose template nobody sends.
 *
 * Flow layouts read struct flow_record. They are written for a direction d: 0 takes what the
 * initiator sent, 1 what the responder sent, with source and destination swapped. A reverse row
 * (RFC 5103) takes the other direction's value. Options layouts read struct layout_facts, and
 * flow layouts may as well.
 */
#ifndef EXPORT_LAYOUT_H
#define EXPORT_LAYOUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "export/element.h"
#include "export/flow_record.h"
#include "export/wire.h"

#define LAYOUT_ROWS_MAX 192      /* every element there is, and its reverse */
#define LAYOUT_REVERSE_PEN 29305 /* RFC 5103 6.1 */

/* How a value becomes octets. */
enum element_kind {
	KIND_BYTES, /* the first octets of an array, as they are */
	KIND_UINT, /* unsigned; a value that does not fit is sent as the largest, and counted */
	KIND_DURATION,   /* from .first_ns to .last_ns, in milliseconds */
	KIND_COMMUNITY,  /* a name for the flow, made when it is written */
	KIND_HIGH_OCTET, /* of a 16-bit value: type * 256 + code */
	KIND_LOW_OCTET,
	KIND_FLAGS,   /* the low octet of TCP's control bits, which all collectors read */
	KIND_LABEL,   /* 24-bit MPLS label stack section; zero behind .mpls_count */
	KIND_UPTIME,  /* ns to milliseconds since boot, modulo 2^32 */
	KIND_SECONDS, /* ns to Unix seconds */
	KIND_MILLI,   /* ns to Unix milliseconds */
	KIND_MICRO,   /* ns to NTP time, exact to the microsecond (RFC 7011 6.1.9) */
	KIND_NANO,    /* the same, exact to the nanosecond (6.1.10) */
};

enum element_owner {
	OWNER_FLOW,  /* struct flow_record */
	OWNER_FACTS, /* struct layout_facts */
};

/* What the exporting process tells about itself in options records. */
struct layout_facts {
	uint32_t domain;
	uint32_t process_id;
	uint32_t if_index;
	uint64_t observation_point;
	uint32_t sampling_interval;
	uint8_t sampling_algorithm; /* 35: 1 is deterministic */
	uint8_t interface_name[16]; /* UTF-8, padded with zeros */
	uint8_t interface_description[32];
	uint64_t exported_messages, exported_records, exported_octets;
	uint64_t boot_ns;
	uint64_t ignored_packets;
	uint64_t not_sent_flows;
	uint64_t flow_keys;  /* flowKeyIndicator of .template_id */
	uint32_t enterprise; /* of the private element that is told of */
	uint16_t template_id, element_id;
	uint8_t element_type, element_semantics;
	uint8_t element_name[32];
	uint8_t exporter_v4[4];  /* our end of the transport; zeros over IPv6 */
	uint8_t exporter_v6[16]; /* IPv4-mapped over IPv4 */
};

/* One field of the record, in the record's order. */
struct layout_row {
	uint8_t element; /* ELEMENT_COUNT: reserved octets */
	uint8_t octets;
	bool is_reverse;
};

struct layout;
struct layout_source;

/* Write a record to .to, which has room for it, exactly as the layout's rows say. Returns how
 * many values did not fit their field. */
typedef unsigned layout_encode(
	uint8_t *to, const struct layout *layout, const struct layout_source *source);

struct layout {
	uint16_t id;           /* template and set id; 0 in fixed layouts */
	uint16_t record_bytes; /* every record is as long as this */
	uint32_t enterprise;   /* whose private elements are */
	uint8_t row_count;
	uint8_t scope_count; /* leading rows that are the scope of an options record */
	enum element_owner owner;
	bool is_spanning; /* times are the first and last of both directions together */
	unsigned traits;  /* which rows of element.def; for .encode */
	layout_encode *encode;
	struct layout_row rows[LAYOUT_ROWS_MAX];
};

/* What layout_put_record() takes values from. */
struct layout_source {
	const struct flow_record *flow; /* flow layouts alone */
	const struct layout_facts *facts;
	unsigned direction; /* 0 or 1 */
	uint64_t boot_ms;   /* Unix time of sysUptime 0 */
	uint32_t saturated; /* grows by the values that did not fit their field */
};

/* An empty layout. */
struct layout layout_make(uint16_t id, enum element_owner owner);

/* Append an element with its own width. */
void layout_add(struct layout *layout, enum element element);

/* Append the other direction's element, as a reverse element. */
void layout_add_reverse(struct layout *layout, enum element element);

/* Append an element that belongs to the scope; before all others. */
void layout_add_scope(struct layout *layout, enum element element);

/* Append an element in .octets, which may be fewer than its own (32 of 64 bits, 16 of 32). */
void layout_add_narrow(struct layout *layout, enum element element, unsigned octets);

/* Append reserved zero octets. */
void layout_add_zeros(struct layout *layout, unsigned octets);

/* False for what NetFlow v9 has no number for. */
bool layout_is_in_v9(enum element element);

/* Whose member the element's value is. */
enum element_owner layout_element_owner(enum element element);

/* Octets of the template record, for either kind of template. */
size_t layout_template_bytes(const struct layout *layout);

/* Write the (options) template record: RFC 7011 3.4 or RFC 3954 5.2, 6.1. */
void layout_put_template(struct wire *out, const struct layout *layout, bool is_ipfix);

/* Writes a record by walking the rows: what layouts have until they are given better. */
layout_encode layout_encode_rows;

/* Write one record, all of it or, with an overflow, nothing. */
static inline void layout_put_record(
	struct wire *out, const struct layout *layout, struct layout_source *source)
{
	uint8_t *to = wire_take(out, layout->record_bytes);
	if (to)
		source->saturated += layout->encode(to, layout, source);
}

#endif
