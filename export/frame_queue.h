/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A bounded queue of frames from one thread, which never waits unless it wants to, to another,
 * which writes them somewhere slow. Frames have up to 65535 octets and keep their order.
 *
 *	ring:   | length, 2 octets | frame | length | frame | ...
 *	           ^ .taken                          ^ .filled
 *
 * .filled and .taken count octets since the start; only the producer moves the first, only the
 * consumer the second, with release stores. Whoever finds nothing to do says so (.is_idle,
 * .is_waiting), looks once more, and waits for its bell; the other side rings it when it sees
 * the flag. Full fences between "store mine" and "look at yours" on both sides keep a wake-up
 * from being missed.
 */
#ifndef EXPORT_FRAME_QUEUE_H
#define EXPORT_FRAME_QUEUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_QUEUE_BYTES (4u << 20)
#define FRAME_LENGTH_BYTES 2u
#define FRAME_STAGE_BYTES 65536u
#define FRAME_STAGE_FRAMES 512u
#define FRAME_LINE_BYTES 128 /* two cache lines: they are fetched in pairs */

/* A pipe that wakes whoever waits for it; -1, -1 when closed. */
struct frame_bell {
	int fds[2];
};

int frame_bell_open(struct frame_bell *bell); /* 0 or a negative errno */
void frame_bell_close(struct frame_bell *bell);
void frame_bell_ring(const struct frame_bell *bell);
void frame_bell_quiet(const struct frame_bell *bell); /* take back what was rung */
/* Wait until it rings, or .timeout_ms (-1: for ever); true when it did. */
bool frame_bell_wait(const struct frame_bell *bell, int timeout_ms);

struct frame_queue {
	/* the producer's side */
	_Alignas(FRAME_LINE_BYTES) _Atomic uint64_t filled;
	_Atomic bool is_waiting;
	struct frame_bell room;
	uint8_t *ring;

	/* the consumer's side */
	_Alignas(FRAME_LINE_BYTES) _Atomic uint64_t taken;
	_Atomic bool is_idle;
};

/* Frames taken out of a queue together, without their lengths. */
struct frame_stage {
	uint8_t bytes[FRAME_STAGE_BYTES];
	size_t length;
	size_t ends[FRAME_STAGE_FRAMES]; /* where each frame ends */
	unsigned count;
};

/* 0 or a negative errno; to be closed in any case. */
int frame_queue_open(struct frame_queue *queue);
void frame_queue_close(struct frame_queue *queue);

/* -- producer */

bool frame_queue_has_room(const struct frame_queue *queue, size_t length);

/* Only when the consumer empties the queue whatever becomes of the frames. */
void frame_queue_wait_for_room(struct frame_queue *queue, size_t length);

/* There must be room. .bell is the consumer's. */
void frame_queue_push(struct frame_queue *queue, const struct frame_bell *bell,
	const void *bytes, size_t length);

/* -- consumer */

bool frame_queue_is_empty(const struct frame_queue *queue);

/* Move as many whole frames as the stage takes out of the queue. */
void frame_queue_take(struct frame_queue *queue, struct frame_stage *stage);

/* Before looking for the last time and waiting for the bell: true; afterwards: false. */
void frame_queue_set_idle(struct frame_queue *queue, bool is_idle);

#endif
