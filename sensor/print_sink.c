/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between each producer (a lane) and the one consumer (the writer thread) is a frame queue. The
 * producers share nothing that changes while records flow.
 *
 * The writer never blocks in write(): it polls, and writes at most PIPE_BUF octets, for which a
 * writable pipe has room. So a stuck reader cannot hold up print_sink_close() either.
 */
#include "sensor/print_sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/frame_queue.h"

#define CLOSE_GRACE_MS 1000

_Static_assert(PRINT_BYTES_MAX <= UINT16_MAX, "a frame's length has 16 bits");

struct producer {
	struct frame_queue queue;
	_Atomic uint64_t refused; /* records that found no room, or no reader; the lane's */
	_Alignas(FRAME_LINE_BYTES) _Atomic uint64_t
		dropped; /* taken, but not got out; the writer's */
};

struct print_sink {
	struct print_config config;
	int fd;
	bool may_wait;
	bool is_joined;
	struct frame_bell wake; /* the writer: there is work, or it is time to close */
	pthread_t writer;
	struct frame_stage *stage; /* the writer's */
	struct producer *stage_of; /* whose records are on it; NULL: the header */
	_Atomic bool is_closing;
	_Atomic bool is_broken; /* nobody reads any more */
	unsigned producer_count;
	struct producer producers[];
};

/* -- writer --------------------------------------------------------------------------- */

/* Wait until .fd takes octets. False: the sink is closing and the reader had its chance. */
static bool wait_for_reader(struct print_sink *sink)
{
	for (;;) {
		bool is_closing = atomic_load(&sink->is_closing);
		bool is_hurried = is_closing && !sink->may_wait;
		struct pollfd poll_fds[] = {
			{ .fd = sink->fd, .events = POLLOUT },
			{ .fd = is_closing ? -1 : sink->wake.fds[0], .events = POLLIN },
		};
		int rc = poll(poll_fds, 2, is_hurried ? CLOSE_GRACE_MS : -1);

		if (poll_fds[0].revents)
			return true;
		if (rc == 0 && is_hurried)
			return false;
		if (rc > 0)
			frame_bell_quiet(&sink->wake);
	}
}

/* Write the stage out; returns how many octets went. Fewer than it holds: nobody reads. */
static size_t stage_write(struct print_sink *sink)
{
	const struct frame_stage *stage = sink->stage;
	size_t done = 0;

	while (done < stage->length && wait_for_reader(sink)) {
		size_t left = stage->length - done;
		ssize_t n =
			write(sink->fd, stage->bytes + done, left < PIPE_BUF ? left : PIPE_BUF);

		if (n >= 0)
			done += (size_t)n;
		else if (errno != EINTR && errno != EAGAIN)
			break;
	}
	return done;
}

static void stage_count_dropped(struct print_sink *sink, size_t done)
{
	const struct frame_stage *stage = sink->stage;
	uint64_t dropped = 0;

	for (unsigned i = 0; i < stage->count; i++)
		dropped += stage->ends[i] > done;
	if (sink->stage_of)
		atomic_fetch_add_explicit(
			&sink->stage_of->dropped, dropped, memory_order_relaxed);
}

static bool all_are_empty(const struct print_sink *sink)
{
	for (unsigned i = 0; i < sink->producer_count; i++)
		if (!frame_queue_is_empty(&sink->producers[i].queue))
			return false;
	return true;
}

static void set_idle(struct print_sink *sink, bool is_idle)
{
	for (unsigned i = 0; i < sink->producer_count; i++)
		frame_queue_set_idle(&sink->producers[i].queue, is_idle);
}

/* Wait for records. False: the sink is closing and there are none. */
static bool wait_for_records(struct print_sink *sink)
{
	while (all_are_empty(sink)) {
		/* is_closing is set after the last record, so it is looked at first. */
		if (atomic_load(&sink->is_closing))
			return !all_are_empty(sink);
		set_idle(sink, true);
		atomic_thread_fence(memory_order_seq_cst);
		if (all_are_empty(sink) && !atomic_load(&sink->is_closing))
			frame_bell_wait(&sink->wake, -1);
		set_idle(sink, false);
	}
	return true;
}

/* Get rid of what is staged: out to the reader, or into the count. */
static void stage_empty(struct print_sink *sink)
{
	bool is_broken = atomic_load(&sink->is_broken);
	size_t done = is_broken ? 0 : stage_write(sink);

	if (done == sink->stage->length)
		return;
	atomic_store(&sink->is_broken, true);
	stage_count_dropped(sink, done);
}

static void *writer_run(void *argument)
{
	struct print_sink *sink = argument;

	stage_empty(sink); /* the header */
	while (wait_for_records(sink)) {
		for (unsigned i = 0; i < sink->producer_count; i++) {
			if (frame_queue_is_empty(&sink->producers[i].queue))
				continue;
			frame_queue_take(&sink->producers[i].queue, sink->stage);
			sink->stage_of = &sink->producers[i];
			stage_empty(sink);
		}
	}
	return NULL;
}

/* The thread takes no signal: the main thread reads them from a descriptor, and SIGPIPE, which
 * is sent to the thread that writes, stays pending with it for ever. */
static int writer_start(struct print_sink *sink)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = pthread_create(&sink->writer, NULL, writer_run, sink);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

/* -- public --------------------------------------------------------------------------- */

static struct print_sink *sink_allocate(unsigned lanes)
{
	size_t bytes = sizeof(struct print_sink) + lanes * sizeof(struct producer);
	struct print_sink *sink = aligned_alloc(FRAME_LINE_BYTES, bytes);

	if (!sink)
		return NULL;
	memset(sink, 0, bytes);
	sink->is_joined = true;
	sink->wake = (struct frame_bell){ { -1, -1 } };
	sink->producer_count = lanes;
	for (unsigned i = 0; i < lanes; i++)
		sink->producers[i].queue.room = (struct frame_bell){ { -1, -1 } };
	return sink;
}

int print_sink_new(const struct print_config *config, int fd, bool may_wait, unsigned lanes,
	struct print_sink **ret_sink)
{
	struct print_sink *sink = sink_allocate(lanes);
	int rc;

	if (!sink)
		return -ENOMEM;
	sink->config = *config;
	sink->fd = fd;
	sink->may_wait = may_wait;
	sink->stage = malloc(sizeof(*sink->stage));
	rc = sink->stage ? frame_bell_open(&sink->wake) : -ENOMEM;
	for (unsigned i = 0; rc == 0 && i < lanes; i++)
		rc = frame_queue_open(&sink->producers[i].queue);
	if (rc < 0)
		goto out;
	sink->stage->count = 0;
	sink->stage->length = print_header(config, (char *)sink->stage->bytes);
	rc = writer_start(sink);
	if (rc < 0)
		goto out;
	sink->is_joined = false;
	*ret_sink = sink;
	return 0;
out:
	print_sink_free(sink);
	return rc;
}

void print_sink_record(struct print_sink *sink, unsigned lane, const struct flow_record *record)
{
	struct producer *producer = &sink->producers[lane];
	char text[PRINT_BYTES_MAX];
	size_t length = print_record(&sink->config, record, text);

	if (length == 0)
		return;
	if (sink->may_wait)
		frame_queue_wait_for_room(&producer->queue, length);
	if (sink->is_joined || atomic_load_explicit(&sink->is_broken, memory_order_relaxed) ||
		!frame_queue_has_room(&producer->queue, length)) {
		atomic_fetch_add_explicit(&producer->refused, 1, memory_order_relaxed);
		return;
	}
	frame_queue_push(&producer->queue, &sink->wake, text, length);
}

uint64_t print_sink_lost(const struct print_sink *sink, unsigned lane)
{
	return atomic_load_explicit(&sink->producers[lane].refused, memory_order_relaxed) +
	       atomic_load_explicit(&sink->producers[lane].dropped, memory_order_relaxed);
}

void print_sink_close(struct print_sink *sink)
{
	if (!sink || sink->is_joined)
		return;
	atomic_store(&sink->is_closing, true);
	frame_bell_ring(&sink->wake);
	pthread_join(sink->writer, NULL);
	sink->is_joined = true;
}

void print_sink_free(struct print_sink *sink)
{
	if (!sink)
		return;
	print_sink_close(sink);
	frame_bell_close(&sink->wake);
	for (unsigned i = 0; i < sink->producer_count; i++)
		frame_queue_close(&sink->producers[i].queue);
	free(sink->stage);
	free(sink);
}
