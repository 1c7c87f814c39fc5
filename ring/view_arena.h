/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Copies of packets for sources whose own buffer does not last: one block of memory, filled
 * from the front by each batch and used again by the next.
 *
 *   | packet | packet | ... | room for the largest packet |
 */
#ifndef RING_VIEW_ARENA_H
#define RING_VIEW_ARENA_H

#include <stddef.h>
#include <string.h>

#include "ring/packet.h"

/* No packet keeps more than this. Small enough that a batch of usual packets stays in cache. */
#define VIEW_ARENA_PACKET_BYTES_MAX (256u << 10)
#define VIEW_ARENA_BYTES (2 * VIEW_ARENA_PACKET_BYTES_MAX)

/* Packets up to here are copied in steps that the compiler knows the size of. */
#define VIEW_ARENA_STEP_BYTES 32u
#define VIEW_ARENA_STEPS_MAX_BYTES 256u

struct view_arena {
	uint8_t *memory;
	size_t used_bytes;
	size_t capacity_bytes;
	uint32_t snap_bytes; /* keep at most this of each packet */
};

/* .snap_bytes 0: all of it. 0 or -ENOMEM. */
int view_arena_open(struct view_arena *arena, uint32_t snap_bytes);

/* With more, or less, than VIEW_ARENA_BYTES; not less than the largest packet. */
int view_arena_open_sized(struct view_arena *arena, size_t capacity_bytes, uint32_t snap_bytes);

/* Forget the copies: their batch is released. */
void view_arena_reset(struct view_arena *arena);

/* Room for one more packet of any length. */
static inline bool view_arena_has_room(const struct view_arena *arena)
{
	return arena->capacity_bytes - arena->used_bytes >= arena->snap_bytes;
}

/* Usual packets in a few instructions, in steps of which the last overlaps the one before it.
 */
static inline void view_arena_copy(uint8_t *to, const uint8_t *from, size_t bytes)
{
	if (bytes < VIEW_ARENA_STEP_BYTES || bytes > VIEW_ARENA_STEPS_MAX_BYTES) {
		memcpy(to, from, bytes);
		return;
	}
	for (size_t at = 0; at < bytes - VIEW_ARENA_STEP_BYTES; at += VIEW_ARENA_STEP_BYTES)
		memcpy(to + at, from + at, VIEW_ARENA_STEP_BYTES);
	memcpy(to + bytes - VIEW_ARENA_STEP_BYTES, from + bytes - VIEW_ARENA_STEP_BYTES,
		VIEW_ARENA_STEP_BYTES);
}

/* Copy the packet's bytes and let it point to the copy. Only when there is room. */
static inline void view_arena_keep(struct view_arena *arena, struct packet *packet)
{
	uint8_t *copy = arena->memory + arena->used_bytes;

	if (packet->captured_bytes > arena->snap_bytes)
		packet->captured_bytes = arena->snap_bytes;
	if (packet->captured_bytes > 0)
		view_arena_copy(copy, packet->bytes, packet->captured_bytes);
	arena->used_bytes += packet->captured_bytes;
	packet->bytes = copy;
}

void view_arena_close(struct view_arena *arena);

#endif
