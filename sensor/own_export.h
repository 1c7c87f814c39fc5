/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the sensor from metering its own messages: each of them would make a flow, whose record
 * makes a message, for ever. Filled before the lanes run, which then all look at the same one:
 * a lane also gets packets that other lanes sent.
 */
#ifndef SENSOR_OWN_EXPORT_H
#define SENSOR_OWN_EXPORT_H

#include <stddef.h>

#include "export/transport.h"
#include "sensor/meta.h"

struct own_export {
	struct transport_endpoints *streams; /* owned; in the order of their local ports */
	size_t count;
	uint64_t source_ports; /* bit (port mod 64) of every stream: one quick test */
};

/* 0 or -ENOMEM. */
int own_export_add(struct own_export *own, const struct transport_endpoints *endpoints);
void own_export_clear(struct own_export *own);

/* Full comparison, for packets that passed the test below. */
bool own_export_matches(const struct own_export *own, const struct packet_meta *meta);

static inline bool own_export_is(const struct own_export *own, const struct packet_meta *meta)
{
	if (!(own->source_ports >> (meta->source_port & 63) & 1))
		return false;
	return own_export_matches(own, meta);
}

#endif
