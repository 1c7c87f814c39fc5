/* SPDX-License-Identifier: BSD-2-Clause */
/* The rows of element.def as people see them: for texts and for the configuration. */
#ifndef EXPORT_ELEMENT_H
#define EXPORT_ELEMENT_H

#include <stdint.h>

enum element {
#define ELEMENT(name, ...) ELEMENT_##name,
#include "export/element.def"
#undef ELEMENT
	ELEMENT_COUNT
};

/* A number that is not IANA's but of the configured enterprise: the enterprise bit is in it
 * (RFC 7011 3.2). */
#define ELEMENT_ENTERPRISE 0x8000
#define PRIVATE(number) (ELEMENT_ENTERPRISE | (number))

struct element_info {
	const char *name;
	uint16_t ipfix_id; /* with ELEMENT_ENTERPRISE when it is private */
	uint16_t v9_id;
	uint8_t octets;
	uint8_t type_number; /* informationElementDataType (339) */
	const char *type;    /* abstract data type */
	uint32_t needs;      /* bits of enum flow_trait */
	uint32_t reverse;    /* what its reverse element needs besides */
	const char *json;    /* field name; "" when it has none */
	const char *sentence;
};

extern const struct element_info element_infos[ELEMENT_COUNT];

#endif
