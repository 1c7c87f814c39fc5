/* SPDX-License-Identifier: BSD-2-Clause */
/* Copies of packets for sources whose own buffer does not last. */
#include "ring/view_arena.h"

#include <errno.h>
#include <stdlib.h>

int view_arena_open_sized(struct view_arena *arena, size_t capacity_bytes, uint32_t snap_bytes)
{
	*arena = (struct view_arena){ .snap_bytes = snap_bytes };
	if (snap_bytes == 0 || snap_bytes > VIEW_ARENA_PACKET_BYTES_MAX)
		arena->snap_bytes = VIEW_ARENA_PACKET_BYTES_MAX;
	arena->memory = malloc(capacity_bytes);
	if (!arena->memory)
		return -ENOMEM;
	arena->capacity_bytes = capacity_bytes;
	return 0;
}

int view_arena_open(struct view_arena *arena, uint32_t snap_bytes)
{
	return view_arena_open_sized(arena, VIEW_ARENA_BYTES, snap_bytes);
}

void view_arena_reset(struct view_arena *arena)
{
	arena->used_bytes = 0;
}

void view_arena_close(struct view_arena *arena)
{
	free(arena->memory);
	arena->memory = NULL;
}
