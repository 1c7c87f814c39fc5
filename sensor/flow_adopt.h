/* SPDX-License-Identifier: BSD-2-Clause */
/* How a flow cache goes on with the flows of another process. */
#ifndef SENSOR_FLOW_ADOPT_H
#define SENSOR_FLOW_ADOPT_H

#include "sensor/flow_close.h"

/* Take in the flows that the table's memory has into a cache that has none. 0, -EAGAIN as
 * flow_table_adopt(), or -ENOMEM. */
int flow_adopt(struct flow_cache *cache, const struct flow_cache_saved *saved);

#endif
