/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a flow record is closed: the rows of end_reason.def as an enum and a table. */
#ifndef SENSOR_END_REASON_H
#define SENSOR_END_REASON_H

#include <stdint.h>

enum end_reason {
#define END(symbol, name, flow_end, sentence) END_##symbol,
#include "sensor/end_reason.def"
#undef END
	END_REASON_COUNT
};

struct end_reason_row {
	const char *name;     /* softflowd's word */
	const char *sentence; /* for people */
	uint8_t flow_end;     /* enum flow_end: IPFIX flowEndReason (136) */
};

extern const struct end_reason_row end_reasons[END_REASON_COUNT];

#endif
