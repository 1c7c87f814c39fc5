/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages into a growing array, each in an allocation of its own, so that a sanitizer sees a
 * reader that goes past the end.
 */
#include "export/transport_memory.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int reserve(struct transport_memory *memory)
{
	if (memory->count < memory->capacity)
		return 0;
	size_t capacity = memory->capacity ? memory->capacity * 2 : 16;
	struct transport_memory_message *messages =
		reallocarray(memory->messages, capacity, sizeof(*messages));
	if (!messages)
		return -ENOMEM;
	memory->messages = messages;
	memory->capacity = capacity;
	return 0;
}

static int keep(struct transport_memory *memory, const uint8_t *bytes, size_t length)
{
	if (reserve(memory) < 0)
		return -ENOMEM;
	uint8_t *copy = malloc(length ? length : 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, bytes, length);
	memory->messages[memory->count++] =
		(struct transport_memory_message){ .bytes = copy, .length = length };
	return 0;
}

static int memory_submit_run(
	struct transport *transport, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	struct transport_memory *memory = (struct transport_memory *)transport;
	if (memory->refuses_runs && length > message_bytes) {
		transport->takes_runs = false;
		return TRANSPORT_ONE_BY_ONE;
	}
	memory->submit_count++;
	if (transport->has_sessions && (!transport->is_open || transport->wants_session))
		return -EAGAIN;
	if (memory->result < 0)
		return memory->result;
	for (size_t at = 0; at < length; at += message_bytes) {
		size_t left = length - at;
		if (keep(memory, bytes + at, left < message_bytes ? left : message_bytes) < 0)
			return -ENOMEM;
	}
	return memory->result;
}

static int memory_submit(struct transport *transport, const uint8_t *bytes, size_t length)
{
	return memory_submit_run(transport, bytes, length, length);
}

static int memory_poll(struct transport *transport)
{
	struct transport_memory *memory = (struct transport_memory *)transport;
	int result = memory->poll_result;
	memory->poll_result = 0;
	return result;
}

static void memory_close(struct transport *transport)
{
	((struct transport_memory *)transport)->is_closed = true;
}

static const struct transport_ops memory_ops = {
	.submit = memory_submit,
	.submit_run = memory_submit_run,
	.poll = memory_poll,
	.close = memory_close,
};

void transport_memory_init(struct transport_memory *memory)
{
	*memory = (struct transport_memory){
		.transport = { .ops = &memory_ops, .name = "memory" },
	};
}

void transport_memory_clear(struct transport_memory *memory)
{
	for (size_t i = 0; i < memory->count; i++)
		free(memory->messages[i].bytes);
	free(memory->messages);
	memory->messages = NULL;
	memory->count = memory->capacity = 0;
}
