/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finished messages that wait to be sent together. They lie one behind the other, each written
 * in its place; what is sent in one go is a *run*: messages of one length, of which the last
 * may be shorter.
 *
 *	| 1380 | 1380 | 1380 | 1204 | 1380 | 1376 | 1380 | being filled
 *	 `--------- run ----------'  `-- run ---'  `run-'
 */
#ifndef EXPORT_GATHER_H
#define EXPORT_GATHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GATHER_MAX 64      /* as many as Linux takes in one go (UDP_MAX_SEGMENTS) */
#define GATHER_BYTES 65507 /* as many as fit an IPv4 datagram */

/* Room is for several times what goes in one go: for when the socket takes nothing. */
#define GATHER_RUNS 4
#define GATHER_KEPT_MAX (GATHER_RUNS * GATHER_MAX)

struct gathered {
	uint32_t length;
	uint32_t flow_count; /* flow data records in it */
	bool has_templates;
};

struct gather {
	uint8_t *bytes;  /* borrowed */
	size_t capacity; /* of .bytes */
	size_t start;    /* where the first message begins */
	size_t length;   /* where the last one ends */
	uint64_t due_ns; /* when the first of them must be sent */
	unsigned count;
	struct gathered *larger; /* borrowed; NULL: .messages is used */
	unsigned larger_count;
	struct gathered messages[GATHER_KEPT_MAX];
};

static inline struct gathered *gather_messages(struct gather *gather)
{
	return gather->larger ? gather->larger : gather->messages;
}

/* Octets to lend for messages of at most .message_bytes. */
size_t gather_bytes_for(size_t message_bytes);

/* .bytes is borrowed for as long as the gatherer is used. */
struct gather gather_over(uint8_t *bytes, size_t capacity);

/* The same with room for .count messages, borrowed. */
struct gather gather_over_larger(
	uint8_t *bytes, size_t capacity, struct gathered *messages, unsigned count);

/* With a message of .message_bytes there would be more than goes in one go. */
bool gather_is_full(const struct gather *gather, size_t message_bytes);

/* Whether a message of .message_bytes fits behind those that are here. */
bool gather_has_room(const struct gather *gather, size_t message_bytes);

/* Move all to the front. Not while a message is being written. */
void gather_compact(struct gather *gather);

/* Where the next message is to be written, until gather_add() keeps it. */
uint8_t *gather_place(struct gather *gather);
void gather_add(struct gather *gather, struct gathered message);

/* How many messages from .first on make a run that goes in one go, at least 1, and their
 * octets. */
unsigned gather_run(struct gather *gather, unsigned first, size_t *ret_bytes);

/* Forget the first .count messages, which have .bytes octets. The one that is being written
 * stays where it is. */
void gather_drop(struct gather *gather, unsigned count, size_t bytes);

#endif
