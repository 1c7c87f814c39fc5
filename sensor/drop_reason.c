/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/drop_reason.h"

const struct drop_reason_row drop_reasons[DROP_REASON_COUNT] = {
#define DROP(symbol, name, class, sentence) \
	[DROP_##symbol] = { name, sentence, DROP_CLASS_##class },
#include "sensor/drop_reason.def"
#undef DROP
};
