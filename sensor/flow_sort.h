/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef SENSOR_FLOW_SORT_H
#define SENSOR_FLOW_SORT_H

#include "sensor/flow_entry.h"
#include "sensor/flow_list.h"

/* Bring a ring into the order of .activity_ns; equal ones keep theirs. Merging: no memory, and
 * little work where most are in order already. */
void flow_sort(struct flow_link *links, uint32_t anchor, const struct flow_entry *entries);

#endif
