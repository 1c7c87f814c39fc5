/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Framing. A set is opened with a header whose length is patched when it ends. Whether a record
 * fits is asked before it is written, with its set header and padding, so that a message never
 * holds part of a record.
 */
#include "export/message.h"

#include <assert.h>
#include <limits.h>

#define SET_HEADER_BYTES 4
#define SET_ALIGN_BYTES 4

/* Headers and sets are multiples of 4, so the padding of a set follows from the message's
 * length. */
static size_t padded(const struct dialect *dialect, size_t length)
{
	if (!dialect->pads_sets)
		return length;
	return (length + SET_ALIGN_BYTES - 1) / SET_ALIGN_BYTES * SET_ALIGN_BYTES;
}

struct message message_of(const struct dialect *dialect, size_t capacity)
{
	return (struct message){
		.out = wire_over(NULL, capacity),
		.dialect = dialect,
		.set_id = MESSAGE_NO_SET,
		.limit = dialect->pads_sets ? capacity / SET_ALIGN_BYTES * SET_ALIGN_BYTES
					    : capacity,
		.most_records = dialect->most_records ? dialect->most_records : UINT_MAX,
	};
}

/* Without sets the records follow the header, as if in one set with the id of fixed layouts. */
void message_begin(struct message *message, uint8_t *bytes)
{
	message->out = wire_over(bytes, message->out.capacity);
	message->is_begun = true;
	message->set_id = message->dialect->has_sets ? MESSAGE_NO_SET : 0;
	message->template_count = message->options_count = message->flow_count = 0;
	wire_zeros(&message->out, message->dialect->header_bytes);
}

static void begin_set(struct message *message, uint16_t set_id)
{
	message->set_id = set_id;
	message->set_mark = wire_mark(&message->out);
	wire_be16(&message->out, set_id);
	wire_be16(&message->out, 0);
}

static void end_set(struct message *message)
{
	struct wire *out = &message->out;
	if (message->set_id == MESSAGE_NO_SET || !message->dialect->has_sets)
		return;
	wire_zeros(out, padded(message->dialect, out->length) - out->length);
	wire_patch_be16(
		out, message->set_mark + 2, (uint16_t)(out->length - message->set_mark));
	message->set_id = MESSAGE_NO_SET;
}

bool message_enter(struct message *message, uint16_t set_id, size_t record_bytes)
{
	size_t end = message->out.length;
	if (message->set_id == set_id)
		return message_continues(message, set_id, record_bytes);
	end = padded(message->dialect, end) + SET_HEADER_BYTES;
	if (end + record_bytes > message->limit || message->flow_count >= message->most_records)
		return false;
	end_set(message);
	begin_set(message, set_id);
	return true;
}

void message_finish(struct message *message, struct message_head *head)
{
	end_set(message);
	assert(!message->out.has_overflowed);
	head->length = message->out.length;
	head->record_count =
		message->template_count + message->options_count + message->flow_count;
	struct wire header = wire_over(message->out.bytes, message->dialect->header_bytes);
	message->dialect->put_header(&header, head);
	message->is_begun = false;
	message->set_id = MESSAGE_NO_SET;
}

size_t message_bytes_for(const struct dialect *dialect, size_t record_bytes)
{
	size_t set_bytes = dialect->has_sets ? SET_HEADER_BYTES : 0;
	return padded(dialect, dialect->header_bytes + set_bytes + record_bytes);
}
