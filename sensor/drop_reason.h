/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a packet is in no flow: the rows of drop_reason.def as an enum and a table. */
#ifndef SENSOR_DROP_REASON_H
#define SENSOR_DROP_REASON_H

enum drop_reason {
#define DROP(symbol, name, class, sentence) DROP_##symbol,
#include "sensor/drop_reason.def"
#undef DROP
	DROP_REASON_COUNT
};

/* softflowd's words for a reason, in its "Ignored packets" line. */
enum drop_class {
	DROP_CLASS_NONE,
	DROP_CLASS_NON_IP,
	DROP_CLASS_TOO_SHORT,
	DROP_CLASS_NON_SAMPLED,
};

struct drop_reason_row {
	const char *name;     /* for machines: lower case, dashes */
	const char *sentence; /* for people */
	enum drop_class class;
};

extern const struct drop_reason_row drop_reasons[DROP_REASON_COUNT];

#endif
