/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From finished messages to the transport: gathers them, submits them in runs, and counts what
 * became of them. What is submitted together has one fate.
 *
 * A socket that has no room just now refuses without a loss: the messages stay, in order, and
 * are tried again with each call that sends. So long the outbox is *held*. Whoever makes
 * records should wait then; there is room for GATHER_RUNS - 1 runs more before the oldest run
 * is lost.
 *
 * Where the transport has sessions, what a lost one has taken with it is known in octets; the
 * marks say which messages those were.
 */
#ifndef EXPORT_OUTBOX_H
#define EXPORT_OUTBOX_H

#include "export/exporter.h"
#include "export/gather.h"
#include "export/sent_marks.h"

struct outbox {
	struct transport *transport; /* borrowed */
	uint32_t message_bytes;      /* the largest message */
	uint64_t now_ns;             /* the exporter's clock, for it to set */
	struct gather gather;
	struct exporter_stats stats; /* what is not about messages is the exporter's to count */
	unsigned last_message_count, last_flow_count; /* in what was submitted last */
	bool has_lost_templates;                      /* for the exporter to read and clear */
	bool is_held;                                 /* the socket had no room, last time */
	struct sent_marks marks;                      /* of the session */
	/* The messages are kept for another process: what is sent has to be known to it first.
	 * So nothing is sent but by outbox_release(), unless there is no room at all. */
	bool is_kept;
};

/* .bytes, gather_bytes_for(message_bytes) of them, are borrowed. */
struct outbox outbox_over(struct transport *transport, uint8_t *bytes, uint32_t message_bytes);

/* Where the next message is to be written. */
uint8_t *outbox_place(struct outbox *outbox);

/* Take the message written there. It waits for others until .due_ns where the transport takes
 * runs, and leaves at once where it does not. */
void outbox_add(struct outbox *outbox, struct gathered message, uint64_t due_ns);

/* Submit all that waits, as far as the socket takes it. Kept: not yet. */
void outbox_send(struct outbox *outbox);

/* The same if the first message has waited long enough. */
void outbox_send_due(struct outbox *outbox, uint64_t now_ns);

/* Send the message written at outbox_place() before all that waits, without taking it: the
 * beginning of a session. */
void outbox_send_ahead(struct outbox *outbox, struct gathered message);

/* The first message that waits, to be looked at or changed, or NULL; and the one behind it. */
uint8_t *outbox_first(struct outbox *outbox);
uint8_t *outbox_next(struct outbox *outbox, unsigned *index, uint8_t *message);

/* Let the transport move on. */
void outbox_tick(struct outbox *outbox, uint64_t now_ns);

/* Kept: submit all that waits. Returns whether anything left. */
bool outbox_release(struct outbox *outbox);

/* Ask what became of what was submitted last. */
void outbox_ask(struct outbox *outbox);

/* What is held still will not be sent: count it as lost. */
void outbox_give_up(struct outbox *outbox);

/* Counters have one writer and are read by other threads without waiting. */
static inline void outbox_note(uint64_t *value, uint64_t now)
{
	__atomic_store_n(value, now, __ATOMIC_RELAXED);
}

static inline void outbox_count(uint64_t *counter, uint64_t more)
{
	__atomic_store_n(counter, *counter + more, __ATOMIC_RELAXED);
}

#endif
