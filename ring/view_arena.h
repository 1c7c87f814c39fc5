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

/* Two halves of a size that the compiler knows, which overlap unless .bytes is twice that. */
#define VIEW_ARENA_HALVES(to, from, bytes, half) \
	do { \
		memcpy((to), (from), (half)); \
		memcpy((to) + (bytes) - (half), (from) + (bytes) - (half), (half)); \
	} while (0)

/* Usual packets in a few instructions. */
static inline void view_arena_copy(uint8_t *to, const uint8_t *from, size_t bytes)
{
	if (bytes - 32 <= 64 - 32)
		VIEW_ARENA_HALVES(to, from, bytes, 32);
	else if (bytes - 64 <= 128 - 64)
		VIEW_ARENA_HALVES(to, from, bytes, 64);
	else
		memcpy(to, from, bytes);
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
