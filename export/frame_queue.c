/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/frame_queue.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RING_MASK (FRAME_QUEUE_BYTES - 1)

_Static_assert((FRAME_QUEUE_BYTES & RING_MASK) == 0, "offsets are masked");
_Static_assert(UINT16_MAX <= FRAME_STAGE_BYTES, "a frame fits the stage");

/* -- waking each other ---------------------------------------------------------------- */

int frame_bell_open(struct frame_bell *bell)
{
	return pipe2(bell->fds, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

void frame_bell_close(struct frame_bell *bell)
{
	for (unsigned i = 0; i < 2; i++) {
		if (bell->fds[i] >= 0)
			close(bell->fds[i]);
		bell->fds[i] = -1;
	}
}

void frame_bell_ring(const struct frame_bell *bell)
{
	/* A full pipe holds a wake-up already. */
	ssize_t n = write(bell->fds[1], "", 1);
	(void)n;
}

void frame_bell_quiet(const struct frame_bell *bell)
{
	char bytes[64];

	while (read(bell->fds[0], bytes, sizeof(bytes)) == sizeof(bytes))
		;
}

bool frame_bell_wait(const struct frame_bell *bell, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = bell->fds[0], .events = POLLIN };
	bool has_rung = poll(&poll_fd, 1, timeout_ms) > 0;

	frame_bell_quiet(bell);
	return has_rung;
}

/* -- ring ----------------------------------------------------------------------------- */

static void copy_in(struct frame_queue *queue, uint64_t at, const void *bytes, size_t count)
{
	size_t offset = at & RING_MASK;
	size_t first = count < FRAME_QUEUE_BYTES - offset ? count : FRAME_QUEUE_BYTES - offset;

	memcpy(queue->ring + offset, bytes, first);
	memcpy(queue->ring, (const uint8_t *)bytes + first, count - first);
}

static void copy_out(const struct frame_queue *queue, uint64_t at, void *bytes, size_t count)
{
	size_t offset = at & RING_MASK;
	size_t first = count < FRAME_QUEUE_BYTES - offset ? count : FRAME_QUEUE_BYTES - offset;

	memcpy(bytes, queue->ring + offset, first);
	memcpy((uint8_t *)bytes + first, queue->ring, count - first);
}

int frame_queue_open(struct frame_queue *queue)
{
	queue->ring = malloc(FRAME_QUEUE_BYTES);
	return queue->ring ? frame_bell_open(&queue->room) : -ENOMEM;
}

void frame_queue_close(struct frame_queue *queue)
{
	frame_bell_close(&queue->room);
	free(queue->ring);
	queue->ring = NULL;
}

/* -- producer ------------------------------------------------------------------------- */

bool frame_queue_has_room(const struct frame_queue *queue, size_t length)
{
	uint64_t filled = atomic_load_explicit(&queue->filled, memory_order_relaxed);
	uint64_t taken = atomic_load_explicit(&queue->taken, memory_order_acquire);

	return FRAME_LENGTH_BYTES + length <= FRAME_QUEUE_BYTES - (filled - taken);
}

void frame_queue_wait_for_room(struct frame_queue *queue, size_t length)
{
	while (!frame_queue_has_room(queue, length)) {
		atomic_store(&queue->is_waiting, true);
		atomic_thread_fence(memory_order_seq_cst);
		if (!frame_queue_has_room(queue, length))
			frame_bell_wait(&queue->room, -1);
		atomic_store(&queue->is_waiting, false);
	}
}

void frame_queue_push(struct frame_queue *queue, const struct frame_bell *bell,
	const void *bytes, size_t length)
{
	uint64_t filled = atomic_load_explicit(&queue->filled, memory_order_relaxed);
	uint16_t length_on_ring = (uint16_t)length;

	copy_in(queue, filled, &length_on_ring, FRAME_LENGTH_BYTES);
	copy_in(queue, filled + FRAME_LENGTH_BYTES, bytes, length);
	atomic_store_explicit(
		&queue->filled, filled + FRAME_LENGTH_BYTES + length, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&queue->is_idle, memory_order_relaxed) &&
		atomic_exchange(&queue->is_idle, false))
		frame_bell_ring(bell);
}

/* -- consumer ------------------------------------------------------------------------- */

bool frame_queue_is_empty(const struct frame_queue *queue)
{
	return atomic_load_explicit(&queue->filled, memory_order_acquire) ==
	       atomic_load_explicit(&queue->taken, memory_order_relaxed);
}

void frame_queue_take(struct frame_queue *queue, struct frame_stage *stage)
{
	uint64_t filled = atomic_load_explicit(&queue->filled, memory_order_acquire);
	uint64_t at = atomic_load_explicit(&queue->taken, memory_order_relaxed);

	stage->length = 0;
	stage->count = 0;
	while (at < filled && stage->count < FRAME_STAGE_FRAMES) {
		uint16_t length;

		copy_out(queue, at, &length, FRAME_LENGTH_BYTES);
		if (length > FRAME_STAGE_BYTES - stage->length)
			break;
		copy_out(queue, at + FRAME_LENGTH_BYTES, stage->bytes + stage->length, length);
		at += FRAME_LENGTH_BYTES + length;
		stage->length += length;
		stage->ends[stage->count++] = stage->length;
	}
	atomic_store_explicit(&queue->taken, at, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_exchange(&queue->is_waiting, false))
		frame_bell_ring(&queue->room);
}

void frame_queue_set_idle(struct frame_queue *queue, bool is_idle)
{
	atomic_store(&queue->is_idle, is_idle);
}
