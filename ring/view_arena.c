/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of packets for sources whose own buffer does not last. */
#include "ring/view_arena.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int view_arena_open(struct view_arena *arena, uint32_t snap_bytes)
{
	*arena = (struct view_arena){ .snap_bytes = snap_bytes };
	if (snap_bytes == 0 || snap_bytes > VIEW_ARENA_PACKET_BYTES_MAX)
		arena->snap_bytes = VIEW_ARENA_PACKET_BYTES_MAX;
	arena->memory = malloc(VIEW_ARENA_BYTES);
	return arena->memory ? 0 : -ENOMEM;
}

void view_arena_reset(struct view_arena *arena)
{
	arena->used_bytes = 0;
}

bool view_arena_has_room(const struct view_arena *arena)
{
	return VIEW_ARENA_BYTES - arena->used_bytes >= arena->snap_bytes;
}

void view_arena_keep(struct view_arena *arena, struct packet *packet)
{
	if (packet->captured_bytes > arena->snap_bytes)
		packet->captured_bytes = arena->snap_bytes;
	uint8_t *copy = arena->memory + arena->used_bytes;
	if (packet->captured_bytes > 0)
		memcpy(copy, packet->bytes, packet->captured_bytes);
	arena->used_bytes += packet->captured_bytes;
	packet->bytes = copy;
}

void view_arena_close(struct view_arena *arena)
{
	free(arena->memory);
	arena->memory = NULL;
}
