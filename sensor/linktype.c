/* SPDX-License-Identifier: BSD-2-Clause */
/* The link types, in the order of linktype.def. */
#include "sensor/linktype.h"

#include "sensor/decode_step.h"

static const struct linktype_row linktypes[] = {
#define LINKTYPE(number, text, function) { number, text, decode_##function },
#include "sensor/linktype.def"
#undef LINKTYPE
};

#define LINKTYPE_ROWS (sizeof(linktypes) / sizeof(linktypes[0]))

const struct linktype_row *linktype_find(int link_type)
{
	for (size_t i = 0; i < LINKTYPE_ROWS; i++) {
		if (linktypes[i].value == link_type)
			return &linktypes[i];
	}
	return NULL;
}

const struct linktype_row *linktype_at(size_t index)
{
	return index < LINKTYPE_ROWS ? &linktypes[index] : NULL;
}
