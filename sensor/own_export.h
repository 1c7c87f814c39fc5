/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the sensor from metering its own messages: each of them would make a flow, whose record
 * makes a message, for ever. All lanes look at the same one: a lane also gets packets that
 * other lanes sent.
 *
 * UDP sockets are known before the lanes run. A TCP connection has a *line* for its life, and
 * whenever it is made anew its ends are written there, while others read; the packets of both
 * directions are ours, also the late ones of the connection before.
 */
#ifndef SENSOR_OWN_EXPORT_H
#define SENSOR_OWN_EXPORT_H

#include <stdatomic.h>
#include <stddef.h>

#include "export/transport.h"
#include "sensor/meta.h"

#define OWN_EXPORT_WORDS 5

/* Both ends as words, which are stored and loaded one by one. All zero: nobody's. */
struct own_export_ends {
	_Atomic uint64_t words[OWN_EXPORT_WORDS];
};

struct own_export_line {
	struct own_export *own;
	struct own_export_ends ends, before;
	struct own_export_line *next;
};

struct own_export {
	struct transport_endpoints *streams; /* owned; UDP, in the order of local ports */
	size_t count;
	struct own_export_line *lines; /* owned; TCP */
	_Atomic uint64_t ports; /* bit (port mod 64) of every local port: one quick test */
};

/* Before the lanes run. 0 or -ENOMEM. */
int own_export_add(struct own_export *own, const struct transport_endpoints *endpoints);

/* Make a line, which stays .own's; transport_watcher.moved is own_export_moved(), with the line
 * as its user. Before the lanes run. 0 or -ENOMEM. */
int own_export_line(struct own_export *own, struct own_export_line **ret_line);
void own_export_moved(void *line, const struct transport_endpoints *endpoints);

void own_export_clear(struct own_export *own);

/* Full comparison, for packets that passed the test below. */
bool own_export_matches(const struct own_export *own, const struct packet_meta *meta);

static inline bool own_export_is(const struct own_export *own, const struct packet_meta *meta)
{
	uint64_t ports = atomic_load_explicit(&own->ports, memory_order_relaxed);

	if (!((ports >> (meta->source_port & 63) | ports >> (meta->destination_port & 63)) & 1))
		return false;
	return own_export_matches(own, meta);
}

#endif
