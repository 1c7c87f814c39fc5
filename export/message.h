/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The message being filled: header, then sets, each with records of one layout (v1 and v5:
 *records alone). The header is written last, when count, length and time are known.
 *
 *	message_begin, { message_enter, put, message_count... }..., message_finish
 */
#ifndef EXPORT_MESSAGE_H
#define EXPORT_MESSAGE_H

#include "export/dialect.h"

#define MESSAGE_NO_SET UINT32_MAX

struct message {
	struct wire out; /* where records are put after message_enter() said yes */
	const struct dialect *dialect;
	bool is_begun;
	uint32_t set_id; /* of the open set; MESSAGE_NO_SET */
	size_t limit;    /* records may fill the message up to here: padding fits behind */
	unsigned most_records;
	size_t set_mark;         /* where the open set begins */
	unsigned template_count; /* options templates included */
	unsigned options_count;  /* options data records */
	unsigned flow_count;     /* flow data records */
};

/* Messages of at most .capacity octets. */
struct message message_of(const struct dialect *dialect, size_t capacity);

/* Begin a message in .bytes, which are borrowed until it is finished, and leave room for the
 * header. */
void message_begin(struct message *message, uint8_t *bytes);

/* Whether one more record fits the message and the set that is open, which is all that
 * message_enter() would see to. */
static inline bool message_continues(
	const struct message *message, uint16_t set_id, size_t record_bytes)
{
	return message->set_id == set_id &&
	       message->out.length + record_bytes <= message->limit &&
	       message->flow_count < message->most_records;
}

/* Make ready for .record_bytes more in a set .set_id, opening it when another one is open.
 * False when they do not fit whole, with nothing changed. */
bool message_enter(struct message *message, uint16_t set_id, size_t record_bytes);

/* Complete the header and the last set. .head's length and count are filled in. */
void message_finish(struct message *message, struct message_head *head);

/* The capacity that holds one record of this size. */
size_t message_bytes_for(const struct dialect *dialect, size_t record_bytes);

#endif
