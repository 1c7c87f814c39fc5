/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the sensor from metering its own messages: each of them would make a flow, whose record
 * makes a message, for ever. All lanes look at the same one: a lane also gets packets that
 * other lanes sent.
 *
 * Most UDP sockets are known before the lanes run, the *streams*. A TCP connection has a *line*
 * for its life, and whenever it is made anew its ends are written there, while others read; the
 * packets of both directions are ours, also the late ones of the connection before. A UDP
 * socket that comes later has a line, too. Lines are never freed while lanes run, but used
 * again.
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
	bool is_free;
	struct own_export_ends ends, before;
	struct own_export_line *next;
};

struct own_export_stream {
	struct transport_endpoints ends;
	atomic_bool is_gone; /* the socket was closed: nobody's any more */
};

struct own_export {
	struct own_export_stream *streams; /* owned; UDP, in the order of local ports */
	size_t count;
	bool is_in_use;                          /* lanes look at it: no streams are added */
	_Atomic(struct own_export_line *) lines; /* owned */
	_Atomic uint64_t ports; /* bit (port mod 64) of every local port: one quick test */
};

/* A UDP socket, at any time. 0 or -ENOMEM. For all of these: the main thread alone. */
int own_export_add(struct own_export *own, const struct transport_endpoints *endpoints);

/* Make a line, which stays .own's; transport_watcher.moved is own_export_moved(), with the line
 * as its user. At any time. 0 or -ENOMEM. */
int own_export_line(struct own_export *own, struct own_export_line **ret_line);
void own_export_moved(void *line, const struct transport_endpoints *endpoints);

/* The socket with these ends was closed, and no packet of it can be on its way to a lane. */
void own_export_forget(struct own_export *own, const struct transport_endpoints *endpoints);

/* No lane looks at it. */
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
