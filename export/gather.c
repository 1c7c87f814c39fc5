/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/gather.h"

#include <assert.h>
#include <string.h>

size_t gather_bytes_for(size_t message_bytes)
{
	return GATHER_RUNS * (message_bytes > GATHER_BYTES ? message_bytes : GATHER_BYTES);
}

struct gather gather_over(uint8_t *bytes, size_t capacity)
{
	return (struct gather){ .bytes = bytes, .capacity = capacity };
}

struct gather gather_over_larger(
	uint8_t *bytes, size_t capacity, struct gathered *messages, unsigned count)
{
	return (struct gather){
		.bytes = bytes,
		.capacity = capacity,
		.larger = messages,
		.larger_count = count,
	};
}

bool gather_is_full(const struct gather *gather, size_t message_bytes)
{
	return gather->count >= GATHER_MAX ||
	       gather->length - gather->start + message_bytes > GATHER_BYTES;
}

bool gather_has_room(const struct gather *gather, size_t message_bytes)
{
	unsigned most = gather->larger ? gather->larger_count : GATHER_KEPT_MAX;

	return gather->count < most && message_bytes <= gather->capacity - gather->length;
}

void gather_compact(struct gather *gather)
{
	size_t bytes = gather->length - gather->start;

	memmove(gather->bytes, gather->bytes + gather->start, bytes);
	gather->start = 0;
	gather->length = bytes;
}

uint8_t *gather_place(struct gather *gather)
{
	if (gather->count == 0)
		gather->start = gather->length = 0;
	return gather->bytes + gather->length;
}

void gather_add(struct gather *gather, struct gathered message)
{
	assert(gather_has_room(gather, message.length));
	gather_messages(gather)[gather->count++] = message;
	gather->length += message.length;
}

unsigned gather_run(struct gather *gather, unsigned first, size_t *ret_bytes)
{
	const struct gathered *messages = gather_messages(gather) + first;
	size_t bytes = messages[0].length;
	unsigned count = 1;

	while (first + count < gather->count && count < GATHER_MAX &&
		messages[count - 1].length == messages[0].length &&
		messages[count].length <= messages[0].length &&
		bytes + messages[count].length <= GATHER_BYTES)
		bytes += messages[count++].length;
	*ret_bytes = bytes;
	return count;
}

void gather_drop(struct gather *gather, unsigned count, size_t bytes)
{
	gather->count -= count;
	gather->start += bytes;
	memmove(gather_messages(gather), gather_messages(gather) + count,
		gather->count * sizeof(struct gathered));
}
