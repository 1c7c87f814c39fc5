/* SPDX-License-Identifier: BSD-2-Clause */
/* softflowd's statistics of finished flows. */
#ifndef SENSOR_FLOW_TALLY_H
#define SENSOR_FLOW_TALLY_H

#include "sensor/flow_cache.h"

/* From the earliest packet of either direction to the latest. */
uint64_t flow_tally_duration_ns(const struct flow_record *record);

/* Add a record that is handed out. */
void flow_tally_expired(struct flow_cache_stats *stats, const struct flow_record *record,
	enum end_reason reason);

/* Add a record that is thrown away. */
void flow_tally_deleted(struct flow_cache_stats *stats, const struct flow_record *record);

#endif
