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

#include "ring/packet.h"

/* No packet keeps more than this. Small enough that a batch of usual packets stays in cache. */
#define VIEW_ARENA_PACKET_BYTES_MAX (256u << 10)
#define VIEW_ARENA_BYTES (2 * VIEW_ARENA_PACKET_BYTES_MAX)

struct view_arena {
	uint8_t *memory;
	size_t used_bytes;
	uint32_t snap_bytes; /* keep at most this of each packet */
};

/* .snap_bytes 0: all of it. 0 or -ENOMEM. */
int view_arena_open(struct view_arena *arena, uint32_t snap_bytes);

/* Forget the copies: their batch is released. */
void view_arena_reset(struct view_arena *arena);

/* Room for one more packet of any length. */
bool view_arena_has_room(const struct view_arena *arena);

/* Copy the packet's bytes and let it point to the copy. Only when there is room. */
void view_arena_keep(struct view_arena *arena, struct packet *packet);

void view_arena_close(struct view_arena *arena);

#endif
