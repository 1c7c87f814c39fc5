/* SPDX-License-Identifier: BSD-2-Clause */
/* From an entry of the table to the record that is handed out: endpoints become initiator and
 * responder, counters by sender become sides. */
#ifndef SENSOR_FLOW_COMPOSE_H
#define SENSOR_FLOW_COMPOSE_H

#include "export/flow_record.h"
#include "sensor/flow_table.h"

/* Fill all of *record; .end_reason is 0. MPLS labels are borrowed from the table, until its
 * entry is written again. */
void flow_compose(const struct flow_table *table, uint32_t index, struct flow_record *record);

#endif
