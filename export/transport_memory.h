/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A transport that keeps the messages: for tests. It belongs to the caller, and outlives the
 * exporter it is given to, so that what was sent last can be looked at.
 */
#ifndef EXPORT_TRANSPORT_MEMORY_H
#define EXPORT_TRANSPORT_MEMORY_H

#include "export/transport.h"

struct transport_memory_message {
	uint8_t *bytes;
	size_t length;
};

struct transport_memory {
	struct transport transport; /* give its address to exporter_new() */
	struct transport_memory_message *messages;
	size_t count, capacity;
	size_t submit_count; /* a run counts as one */
	int result; /* of the next submits, as transport_submit() has it; < 0 keeps nothing */
	int poll_result;   /* of the next transport_poll() */
	bool refuses_runs; /* as a path does that cannot be known before */
	bool is_closed;
};

/* Make *memory an empty, open transport; set .transport.takes_runs to be given runs, and
 * .has_sessions, .is_open, .wants_session... to play a transport with sessions. */
void transport_memory_init(struct transport_memory *memory);

/* Forget the messages. */
void transport_memory_clear(struct transport_memory *memory);

#endif
