/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Between each producer (a lane) and the one consumer (the writer thread) is a ring of frames:
 *
 *	ring:   | length, 2 octets | text of one record | length | text | ...
 *	           ^ .written                                             ^ .filled
 *
 * .filled and .written count octets since the start; only the producer moves the first, only
 * the writer the second, with release stores. The producers share nothing that changes while
 * records flow. Whoever finds nothing to do says so (.is_idle,
 * .is_waiting), looks once more, and polls its pipe; the other side writes a byte there when it
 * sees the flag. Full fences between "store mine" and "look at yours" on both sides keep a
 * wake-up from being missed.
 *
 * The writer never blocks in write(): it polls, and writes at most PIPE_BUF octets, for which a
 * writable pipe has room. So a stuck reader cannot hold up print_sink_close() either.
 */
#include "sensor/print_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RING_BYTES (4u << 20)
#define RING_MASK (RING_BYTES - 1)
#define LENGTH_BYTES 2u
#define STAGE_BYTES 65536u
#define STAGE_RECORDS 512u
#define CLOSE_GRACE_MS 1000
#define LINE_BYTES 128 /* two cache lines: they are fetched in pairs */

_Static_assert((RING_BYTES & RING_MASK) == 0, "offsets are masked");
_Static_assert(PRINT_BYTES_MAX <= UINT16_MAX, "a frame's length has 16 bits");
_Static_assert(PRINT_BYTES_MAX <= STAGE_BYTES, "a record fits the stage");

/* Records taken out of one ring together, without their lengths. */
struct stage {
	struct producer *from; /* NULL: the header */
	char bytes[STAGE_BYTES];
	size_t length;
	size_t ends[STAGE_RECORDS]; /* where each record ends */
	unsigned records;
};

struct producer {
	/* the producer's side */
	_Alignas(LINE_BYTES) _Atomic uint64_t filled;
	_Atomic uint64_t refused; /* records that found no room, or no reader */
	_Atomic bool is_waiting;
	int room_pipe[2]; /* to the producer: there is room */
	uint8_t *ring;

	/* the writer's side */
	_Alignas(LINE_BYTES) _Atomic uint64_t written;
	_Atomic uint64_t dropped; /* records taken from the ring that did not get out */
	_Atomic bool is_idle;
};

struct print_sink {
	struct print_config config;
	int fd;
	bool may_wait;
	bool is_joined;
	int wake_pipe[2]; /* to the writer: there is work, or it is time to close */
	pthread_t writer;
	struct stage *stage; /* the writer's */
	_Atomic bool is_closing;
	_Atomic bool is_broken; /* nobody reads any more */
	unsigned producer_count;
	struct producer producers[];
};

/* -- waking each other ---------------------------------------------------------------- */

static int pipe_open(int ends[static 2])
{
	return pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
}

static void pipe_close(int ends[static 2])
{
	for (unsigned i = 0; i < 2; i++)
		if (ends[i] >= 0)
			close(ends[i]);
}

static void pipe_notify(const int ends[static 2])
{
	/* A full pipe holds a wake-up already. */
	ssize_t n = write(ends[1], "", 1);
	(void)n;
}

static void pipe_drain(const int ends[static 2])
{
	char bytes[64];

	while (read(ends[0], bytes, sizeof(bytes)) == sizeof(bytes))
		;
}

static void pipe_wait(const int ends[static 2])
{
	struct pollfd poll_fd = { .fd = ends[0], .events = POLLIN };

	poll(&poll_fd, 1, -1);
	pipe_drain(ends);
}

/* -- ring ----------------------------------------------------------------------------- */

static void ring_copy_in(
	struct producer *producer, uint64_t at, const void *bytes, size_t count)
{
	size_t offset = at & RING_MASK;
	size_t first = count < RING_BYTES - offset ? count : RING_BYTES - offset;

	memcpy(producer->ring + offset, bytes, first);
	memcpy(producer->ring, (const uint8_t *)bytes + first, count - first);
}

static void ring_copy_out(
	const struct producer *producer, uint64_t at, void *bytes, size_t count)
{
	size_t offset = at & RING_MASK;
	size_t first = count < RING_BYTES - offset ? count : RING_BYTES - offset;

	memcpy(bytes, producer->ring + offset, first);
	memcpy((uint8_t *)bytes + first, producer->ring, count - first);
}

static bool ring_is_empty(const struct producer *producer)
{
	return atomic_load_explicit(&producer->filled, memory_order_acquire) ==
	       atomic_load_explicit(&producer->written, memory_order_relaxed);
}

/* -- writer --------------------------------------------------------------------------- */

/* Move as many whole records as the stage takes out of a ring. */
static void stage_fill(struct stage *stage, struct producer *from)
{
	uint64_t filled = atomic_load_explicit(&from->filled, memory_order_acquire);
	uint64_t at = atomic_load_explicit(&from->written, memory_order_relaxed);

	stage->from = from;
	stage->length = 0;
	stage->records = 0;
	while (at < filled && stage->records < STAGE_RECORDS) {
		uint16_t length;

		ring_copy_out(from, at, &length, LENGTH_BYTES);
		if (length > STAGE_BYTES - stage->length)
			break;
		ring_copy_out(from, at + LENGTH_BYTES, stage->bytes + stage->length, length);
		at += LENGTH_BYTES + length;
		stage->length += length;
		stage->ends[stage->records++] = stage->length;
	}
	atomic_store_explicit(&from->written, at, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_exchange(&from->is_waiting, false))
		pipe_notify(from->room_pipe);
}

/* Wait until .fd takes octets. False: the sink is closing and the reader had its chance. */
static bool wait_for_reader(struct print_sink *sink)
{
	for (;;) {
		bool is_closing = atomic_load(&sink->is_closing);
		bool is_hurried = is_closing && !sink->may_wait;
		struct pollfd poll_fds[] = {
			{ .fd = sink->fd, .events = POLLOUT },
			{ .fd = is_closing ? -1 : sink->wake_pipe[0], .events = POLLIN },
		};
		int rc = poll(poll_fds, 2, is_hurried ? CLOSE_GRACE_MS : -1);

		if (poll_fds[0].revents)
			return true;
		if (rc == 0 && is_hurried)
			return false;
		if (rc > 0)
			pipe_drain(sink->wake_pipe);
	}
}

/* Write the stage out; returns how many octets went. Fewer than it holds: nobody reads. */
static size_t stage_write(struct print_sink *sink)
{
	const struct stage *stage = sink->stage;
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

static void stage_count_dropped(const struct stage *stage, size_t done)
{
	uint64_t dropped = 0;

	for (unsigned i = 0; i < stage->records; i++)
		dropped += stage->ends[i] > done;
	if (stage->from)
		atomic_fetch_add_explicit(&stage->from->dropped, dropped, memory_order_relaxed);
}

static bool all_are_empty(const struct print_sink *sink)
{
	for (unsigned i = 0; i < sink->producer_count; i++)
		if (!ring_is_empty(&sink->producers[i]))
			return false;
	return true;
}

static void set_idle(struct print_sink *sink, bool is_idle)
{
	for (unsigned i = 0; i < sink->producer_count; i++)
		atomic_store(&sink->producers[i].is_idle, is_idle);
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
			pipe_wait(sink->wake_pipe);
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
	stage_count_dropped(sink->stage, done);
}

static void *writer_run(void *argument)
{
	struct print_sink *sink = argument;

	stage_empty(sink); /* the header */
	while (wait_for_records(sink)) {
		for (unsigned i = 0; i < sink->producer_count; i++) {
			if (ring_is_empty(&sink->producers[i]))
				continue;
			stage_fill(sink->stage, &sink->producers[i]);
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

/* -- producer ------------------------------------------------------------------------- */

static bool has_room(const struct producer *producer, size_t count)
{
	uint64_t filled = atomic_load_explicit(&producer->filled, memory_order_relaxed);
	uint64_t written = atomic_load_explicit(&producer->written, memory_order_acquire);

	return count <= RING_BYTES - (filled - written);
}

/* A broken sink's writer still empties the ring, so this ends. */
static void wait_for_room(struct producer *producer, size_t count)
{
	while (!has_room(producer, count)) {
		atomic_store(&producer->is_waiting, true);
		atomic_thread_fence(memory_order_seq_cst);
		if (!has_room(producer, count))
			pipe_wait(producer->room_pipe);
		atomic_store(&producer->is_waiting, false);
	}
}

static void push(
	struct print_sink *sink, struct producer *producer, const char *text, size_t length)
{
	uint64_t filled = atomic_load_explicit(&producer->filled, memory_order_relaxed);
	uint16_t length_on_ring = (uint16_t)length;

	ring_copy_in(producer, filled, &length_on_ring, LENGTH_BYTES);
	ring_copy_in(producer, filled + LENGTH_BYTES, text, length);
	atomic_store_explicit(
		&producer->filled, filled + LENGTH_BYTES + length, memory_order_release);
	atomic_thread_fence(memory_order_seq_cst);
	if (atomic_load_explicit(&producer->is_idle, memory_order_relaxed) &&
		atomic_exchange(&producer->is_idle, false))
		pipe_notify(sink->wake_pipe);
}

/* -- public --------------------------------------------------------------------------- */

static int producer_open(struct producer *producer)
{
	producer->ring = malloc(RING_BYTES);
	return producer->ring ? pipe_open(producer->room_pipe) : -ENOMEM;
}

static struct print_sink *sink_allocate(unsigned lanes)
{
	size_t bytes = sizeof(struct print_sink) + lanes * sizeof(struct producer);
	struct print_sink *sink = aligned_alloc(LINE_BYTES, bytes);

	if (!sink)
		return NULL;
	memset(sink, 0, bytes);
	sink->is_joined = true;
	sink->wake_pipe[0] = sink->wake_pipe[1] = -1;
	sink->producer_count = lanes;
	for (unsigned i = 0; i < lanes; i++)
		sink->producers[i].room_pipe[0] = sink->producers[i].room_pipe[1] = -1;
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
	rc = sink->stage ? pipe_open(sink->wake_pipe) : -ENOMEM;
	for (unsigned i = 0; rc == 0 && i < lanes; i++)
		rc = producer_open(&sink->producers[i]);
	if (rc < 0)
		goto out;
	sink->stage->from = NULL;
	sink->stage->records = 0;
	sink->stage->length = print_header(config, sink->stage->bytes);
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
		wait_for_room(producer, LENGTH_BYTES + length);
	if (sink->is_joined || atomic_load_explicit(&sink->is_broken, memory_order_relaxed) ||
		!has_room(producer, LENGTH_BYTES + length)) {
		atomic_fetch_add_explicit(&producer->refused, 1, memory_order_relaxed);
		return;
	}
	push(sink, producer, text, length);
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
	pipe_notify(sink->wake_pipe);
	pthread_join(sink->writer, NULL);
	sink->is_joined = true;
}

void print_sink_free(struct print_sink *sink)
{
	if (!sink)
		return;
	print_sink_close(sink);
	pipe_close(sink->wake_pipe);
	for (unsigned i = 0; i < sink->producer_count; i++) {
		pipe_close(sink->producers[i].room_pipe);
		free(sink->producers[i].ring);
	}
	free(sink->stage);
	free(sink);
}
