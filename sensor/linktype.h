/* SPDX-License-Identifier: BSD-2-Clause */
/* Which function reads the link layer of which capture: the rows of linktype.def as a table. */
#ifndef SENSOR_LINKTYPE_H
#define SENSOR_LINKTYPE_H

#include <stddef.h>

#include "sensor/cursor.h"
#include "sensor/drop_reason.h"
#include "sensor/meta.h"

/*
 * Read the link layer and what it is wrapped in. DROP_NONE: *in stands at the IP header and
 * meta->ip_version says which it has to be.
 */
typedef enum drop_reason link_decode(struct cursor *in, struct packet_meta *meta);

struct linktype_row {
	int value; /* LINKTYPE_ or DLT_ */
	const char *name;
	link_decode *decode;
};

/* The row of a link type, or NULL when nothing here decodes it. */
const struct linktype_row *linktype_find(int link_type);

/* Row .index, or NULL past the last one; for lists, tests and fuzzers. */
const struct linktype_row *linktype_at(size_t index);

#endif
