/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/end_reason.h"

#include "export/flow_record.h"

const struct end_reason_row end_reasons[END_REASON_COUNT] = {
#define END(symbol, name, flow_end, sentence) [END_##symbol] = { name, sentence, flow_end },
#include "sensor/end_reason.def"
#undef END
};
