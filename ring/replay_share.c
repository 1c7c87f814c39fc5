/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A ring of chunks. The reader fills one after the other; each handle goes through all of them.
 *
 *        handle 1      handle 0                  filling
 *           v             v                         v
 *   | chunk 4 (again) | chunk 5 | chunk 6 | chunk 3+4 ... |      number % CHUNKS
 *
 * A chunk is begun again when no handle is in it or in front of it any more. All that is shared
 * is under one lock, which each thread takes once or twice a chunk; a batch in a chunk is
 * written before it is counted there, and not changed before the chunk is begun again.
 *
 * From regular files the batches of a chunk are counted when it is full, so that a waiting lane
 * is woken once for thousands of packets; from a pipe each one at once, because nobody knows
 * when the next will come.
 */
#include "ring/replay_share.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/source_table.h"
#include "ring/view_arena.h"

#define CHUNKS 4
#define CHUNK_BATCHES 16
/* For usual packets as much as the batches can take; of the rest nothing is ever touched. */
#define CHUNK_BYTES ((1u << 20) + VIEW_ARENA_PACKET_BYTES_MAX)
#define LINE_BYTES 64 /* what one thread writes lies apart from what others do */

struct entry {
	struct packet_batch batch;
	int outcome; /* of the source_next() that gave it */
};

struct chunk {
	struct entry entries[CHUNK_BATCHES];
	struct view_arena arena;
	unsigned count; /* that may be taken */
	bool is_full;   /* there will not be more */
};

struct replay_share;

struct handle {
	_Alignas(LINE_BYTES) struct replay_share *share;
	bool is_first;
	bool has_ended; /* its last batch was taken */
	unsigned at;    /* entries of its chunk that were taken */
	unsigned there; /* that may be taken, as far as it knows */
	uint64_t received_pkts;
	uint64_t clock_ns;
	int outcome;
	uint64_t number; /* of its chunk; under the lock for others, as */
	bool has_left;
};

struct replay_share {
	struct source *source; /* the reader's, once that runs */
	struct source_kind kind;
	pthread_mutex_t lock;
	pthread_cond_t has_more; /* for handles */
	pthread_cond_t has_room; /* for the reader */
	pthread_t thread;
	bool is_started;
	int start_outcome;
	bool has_cpus;
	cpu_set_t cpus;
	int stop_fds[2];  /* a pipe: the last handle ends a reader that waits for a writer */
	uint64_t filling; /* number of the chunk that is being filled */
	struct chunk *chunks;
	unsigned handle_count;
	unsigned takers; /* handles that have not left */
	unsigned open_handles;
	char error[SOURCE_ERROR_BYTES];
	struct handle handles[];
};

static struct chunk *chunk_numbered(const struct replay_share *share, uint64_t number)
{
	return &share->chunks[number % CHUNKS];
}

/* -- the reader ----------------------------------------------------------------------- */

static bool is_free(const struct replay_share *share, uint64_t number)
{
	for (unsigned i = 0; i < share->handle_count; i++) {
		const struct handle *handle = &share->handles[i];

		if (!handle->has_left && handle->number + CHUNKS <= number)
			return false;
	}
	return true;
}

/* False: nobody is left to read for. */
static bool begin_chunk(struct replay_share *share, uint64_t number)
{
	struct chunk *chunk = chunk_numbered(share, number);

	pthread_mutex_lock(&share->lock);
	while (share->takers > 0 && !is_free(share, number))
		pthread_cond_wait(&share->has_room, &share->lock);
	bool is_wanted = share->takers > 0;
	share->filling = number;
	chunk->count = 0;
	chunk->is_full = false;
	pthread_mutex_unlock(&share->lock);
	view_arena_reset(&chunk->arena);
	return is_wanted;
}

/* False: nobody is left to read for. */
static bool hand_over(
	struct replay_share *share, struct chunk *chunk, unsigned count, bool is_full)
{
	pthread_mutex_lock(&share->lock);
	chunk->count = count;
	chunk->is_full = is_full;
	bool is_wanted = share->takers > 0;
	pthread_mutex_unlock(&share->lock);
	pthread_cond_broadcast(&share->has_more);
	return is_wanted;
}

/* False: that was the last batch. */
static bool read_entry(struct replay_share *share, struct chunk *chunk, struct entry *entry)
{
	struct source *source = share->source;

	entry->batch.count = 0;
	entry->batch.is_end = false;
	entry->outcome =
		source->kind->ops->replay->next_to(source->state, &entry->batch, &chunk->arena);
	if (entry->outcome != 0)
		snprintf(share->error, sizeof(share->error), "%s", source_error(source));
	return entry->outcome >= 0 && !entry->batch.is_end;
}

/* False: that was the last chunk. */
static bool fill_chunk(struct replay_share *share, struct chunk *chunk)
{
	const struct source *source = share->source;
	bool goes_on = true, is_full = false;

	for (unsigned count = 1; goes_on && !is_full; count++) {
		goes_on = read_entry(share, chunk, &chunk->entries[count - 1]);
		is_full = !goes_on || count == CHUNK_BATCHES ||
			  !view_arena_has_room(&chunk->arena);
		if (is_full || source->kind->ops->replay->may_wait(source->state))
			goes_on &= hand_over(share, chunk, count, is_full);
	}
	return goes_on;
}

static void *reader_main(void *user)
{
	struct replay_share *share = user;
	uint64_t number = 0;

	while (begin_chunk(share, number) && fill_chunk(share, chunk_numbered(share, number)))
		number++;
	return NULL;
}

/* With the lock held. Signals are the main thread's. */
static int start_reader(struct replay_share *share)
{
	pthread_attr_t attributes;
	sigset_t all, before;

	if (share->is_started || share->start_outcome)
		return share->start_outcome;
	pthread_attr_init(&attributes);
	if (share->has_cpus)
		pthread_attr_setaffinity_np(&attributes, sizeof(share->cpus), &share->cpus);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	share->start_outcome = -pthread_create(&share->thread, &attributes, reader_main, share);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	share->is_started = share->start_outcome == 0;
	if (!share->is_started)
		snprintf(share->error, sizeof(share->error), "starting the reader: %s",
			strerror(-share->start_outcome));
	return share->start_outcome;
}

/* -- a handle ------------------------------------------------------------------------- */

/* With the lock held: leave a chunk that was taken whole, and look what is there. */
static void look_around(struct handle *handle)
{
	struct replay_share *share = handle->share;
	const struct chunk *chunk = chunk_numbered(share, handle->number);

	if (handle->number <= share->filling && chunk->is_full && handle->at == chunk->count) {
		handle->number++;
		handle->at = 0;
		pthread_cond_signal(&share->has_room);
	}
	handle->there = 0;
	if (handle->number <= share->filling)
		handle->there = chunk_numbered(share, handle->number)->count;
}

static int wait_for_batch(struct handle *handle)
{
	struct replay_share *share = handle->share;

	pthread_mutex_lock(&share->lock);
	int outcome = start_reader(share);
	while (outcome == 0 && handle->at == handle->there) {
		look_around(handle);
		if (handle->at == handle->there)
			pthread_cond_wait(&share->has_more, &share->lock);
	}
	pthread_mutex_unlock(&share->lock);
	return outcome;
}

static void copy_batch(struct packet_batch *to, const struct packet_batch *from)
{
	memcpy(to->packets, from->packets, from->count * sizeof(from->packets[0]));
	to->count = from->count;
	to->clock_ns = from->clock_ns;
	to->is_end = from->is_end;
}

static void leave(struct handle *handle)
{
	struct replay_share *share = handle->share;

	pthread_mutex_lock(&share->lock);
	if (!handle->has_left)
		share->takers--;
	handle->has_left = true;
	handle->has_ended = true;
	pthread_cond_signal(&share->has_room);
	pthread_mutex_unlock(&share->lock);
}

/* The end stays the end, and so does an error. */
static int tell_end(const struct handle *handle, struct packet_batch *batch)
{
	batch->clock_ns = handle->clock_ns;
	batch->is_end = true;
	return handle->outcome;
}

static int handle_next(void *state, struct packet_batch *batch)
{
	struct handle *handle = state;

	if (handle->has_ended)
		return tell_end(handle, batch);
	if (handle->at == handle->there) {
		handle->outcome = wait_for_batch(handle);
		if (handle->outcome) {
			leave(handle);
			return handle->outcome;
		}
	}
	const struct entry *entry =
		&chunk_numbered(handle->share, handle->number)->entries[handle->at++];
	copy_batch(batch, &entry->batch);
	handle->received_pkts += batch->count;
	handle->clock_ns = batch->clock_ns;
	handle->outcome = entry->outcome;
	handle->has_ended = batch->is_end || handle->outcome < 0;
	return handle->outcome;
}

static void handle_release(void *state, struct packet_batch *batch)
{
	struct handle *handle = state;

	(void)batch;
	if (handle->has_ended) {
		leave(handle);
	} else if (handle->at == handle->there) {
		pthread_mutex_lock(&handle->share->lock);
		look_around(handle);
		pthread_mutex_unlock(&handle->share->lock);
	}
}

static void handle_leave(void *state)
{
	leave(state);
}

static void handle_stats(void *state, struct ring_stats *ret_stats)
{
	const struct handle *handle = state;

	ret_stats->received_pkts = handle->is_first ? handle->received_pkts : 0;
}

/* Written before the batch that brought the outcome was handed over. */
static const char *handle_error(void *state)
{
	const struct handle *handle = state;

	return handle->outcome ? handle->share->error : "";
}

/* -- life ----------------------------------------------------------------------------- */

static void stop_reader(struct replay_share *share)
{
	if (!share->is_started)
		return;
	ssize_t n = write(share->stop_fds[1], "", 1);
	(void)n;
	pthread_join(share->thread, NULL);
}

static void free_share(struct replay_share *share)
{
	stop_reader(share);
	source_close(share->source);
	for (unsigned i = 0; share->chunks && i < CHUNKS; i++)
		view_arena_close(&share->chunks[i].arena);
	free(share->chunks);
	for (unsigned i = 0; i < 2; i++)
		if (share->stop_fds[i] >= 0)
			close(share->stop_fds[i]);
	pthread_cond_destroy(&share->has_room);
	pthread_cond_destroy(&share->has_more);
	pthread_mutex_destroy(&share->lock);
	free(share);
}

static void handle_close(void *state)
{
	struct handle *handle = state;
	struct replay_share *share = handle->share;

	leave(handle);
	pthread_mutex_lock(&share->lock);
	bool is_last = --share->open_handles == 0;
	pthread_mutex_unlock(&share->lock);
	if (is_last)
		free_share(share);
}

static const struct source_ops handle_ops = {
	.next = handle_next,
	.release = handle_release,
	.stats = handle_stats,
	.close = handle_close,
	.error = handle_error,
	.leave = handle_leave,
};

static int make_chunks(struct replay_share *share)
{
	share->chunks = calloc(CHUNKS, sizeof(*share->chunks));
	for (unsigned i = 0; share->chunks && i < CHUNKS; i++)
		if (view_arena_open_sized(&share->chunks[i].arena, CHUNK_BYTES, 0))
			return -ENOMEM;
	return share->chunks ? 0 : -ENOMEM;
}

static int make_handles(struct replay_share *share, struct source **ret_handles)
{
	for (unsigned i = 0; i < share->handle_count; i++) {
		struct handle *handle = &share->handles[i];

		*handle = (struct handle){ .share = share, .is_first = i == 0 };
		ret_handles[i] = calloc(1, sizeof(*ret_handles[i]));
		if (!ret_handles[i]) {
			while (i > 0)
				free(ret_handles[--i]);
			return -ENOMEM;
		}
		*ret_handles[i] = (struct source){
			.kind = &share->kind,
			.state = handle,
			.link_type = source_link_type(share->source),
		};
	}
	return 0;
}

static int set_up(struct replay_share *share, struct source **ret_handles)
{
	int outcome = make_chunks(share);

	if (outcome)
		return outcome;
	if (pipe2(share->stop_fds, O_CLOEXEC))
		return -errno;
	share->source->kind->ops->replay->stop_on(share->source->state, share->stop_fds[0]);
	share->has_cpus = sched_getaffinity(0, sizeof(share->cpus), &share->cpus) == 0;
	return make_handles(share, ret_handles);
}

static struct replay_share *new_share(struct source *source, unsigned count)
{
	size_t bytes = sizeof(struct replay_share) + count * sizeof(struct handle);
	struct replay_share *share = aligned_alloc(LINE_BYTES, bytes);

	if (!share)
		return NULL;
	memset(share, 0, bytes);
	share->source = source;
	share->kind = *source->kind;
	share->kind.ops = &handle_ops;
	share->stop_fds[0] = share->stop_fds[1] = -1;
	share->handle_count = share->takers = share->open_handles = count;
	pthread_mutex_init(&share->lock, NULL);
	pthread_cond_init(&share->has_more, NULL);
	pthread_cond_init(&share->has_room, NULL);
	return share;
}

int replay_share_open(struct source *source, unsigned count, struct source **ret_handles)
{
	bool is_possible =
		source->kind->ops->replay && count > 0 && count <= REPLAY_SHARE_HANDLES_MAX;
	struct replay_share *share = is_possible ? new_share(source, count) : NULL;

	if (!share) {
		source_close(source);
		return is_possible ? -ENOMEM : -EINVAL;
	}
	int outcome = set_up(share, ret_handles);
	if (outcome)
		free_share(share);
	return outcome;
}
