/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * IPFIX files (RFC 5655). A file is a session: it begins with templates and number 0, so that
 * each can be read by itself. Whoever submits decides by its own counts when the next file
 * begins, in the time that the messages tell.
 *
 * With .may_wait messages are written when they are submitted. Else a thread of the transport's
 * own writes them, from a bounded queue:
 *
 *	submit --> | message | message | (empty: begin a file) | message | --> thread --> disk
 *
 * When something cannot be written (a full disk), the file ends before it, and the thread
 * throws away what comes until a file is to begin; how many octets of messages got into the
 * last file it tells, and what is missing to what was taken is lost. Then the transport is away
 * for a while. After that the beginning of a session is sent ahead by itself: only when it was
 * written more is taken.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/frame_queue.h"
#include "export/message_file.h"
#include "export/transport.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

#define LOOK_NS (100 * NS_PER_MS)
#define RETRY_NS (10 * NS_PER_S) /* after something could not be written */
#define FLUSH_MS 1000            /* a piece that is not full waits at most so long */
#define EXPORT_TIME_AT 4         /* in IPFIX's header */
#define HEADER_BYTES 16

/* What the thread says of the file it writes, or wrote last. */
struct progress {
	_Atomic uint64_t begun;   /* files, so far */
	_Atomic uint64_t written; /* octets of messages in that file */
	_Atomic int error;        /* that ended it; 0: none */
};

struct file_transport {
	struct transport transport;
	struct message_file *file; /* the thread's, when there is one */
	char *path;
	bool may_wait;
	uint64_t rotate_bytes; /* of messages; 0: any number */
	uint64_t rotate_s;     /* 0: any time */

	/* whoever submits */
	uint64_t now_ns;
	bool is_beginning; /* the next message is the first of a file */
	bool is_probing;   /* the first message was not written yet */
	uint64_t begun;    /* files */
	uint64_t taken;    /* octets of messages, for this file */
	uint64_t takes;    /* how many times; the first of them was its beginning */
	uint64_t end_s;    /* the file is for messages before this time */

	/* the thread */
	bool has_thread;
	bool wants_file;
	uint64_t written_before; /* message_file_written() when the file began */
	pthread_t thread;
	struct frame_bell wake;
	struct frame_stage *stage;
	_Atomic bool is_closing;
	struct progress progress;
	struct frame_queue queue;
};

static uint64_t export_time_s(const uint8_t *message)
{
	const uint8_t *at = message + EXPORT_TIME_AT;

	return (uint64_t)at[0] << 24 | (uint64_t)at[1] << 16 | (uint64_t)at[2] << 8 | at[3];
}

/* -- writing: the thread, or whoever submits ---------------------------------------------- */

static void say_written(struct file_transport *to, int rc)
{
	if (to->wants_file)
		return;
	atomic_store_explicit(&to->progress.written,
		message_file_written(to->file) - to->written_before, memory_order_release);
	if (rc < 0)
		atomic_store_explicit(&to->progress.error, -rc, memory_order_release);
}

/* The first message of a file tells its name. */
static int begin_file(struct file_transport *to, const uint8_t *message)
{
	int rc = message_file_begin(to->file, export_time_s(message));

	to->wants_file = false;
	to->written_before = message_file_written(to->file);
	atomic_store_explicit(&to->progress.written, 0, memory_order_relaxed);
	atomic_store_explicit(&to->progress.error, 0, memory_order_relaxed);
	atomic_fetch_add_explicit(&to->progress.begun, 1, memory_order_release);
	return rc;
}

static int write_messages(struct file_transport *to, const uint8_t *bytes, size_t length)
{
	bool is_first = to->wants_file;
	int rc = is_first ? begin_file(to, bytes) : 0;

	if (!is_first && atomic_load_explicit(&to->progress.error, memory_order_relaxed) != 0)
		return -EIO;
	if (rc == 0)
		rc = message_file_append(to->file, bytes, length);
	if (rc == 0 && is_first)
		rc = message_file_flush(to->file); /* somebody waits to hear of it */
	if (rc < 0)
		(void)message_file_finish(to->file);
	say_written(to, rc);
	return rc;
}

static void write_frame(struct file_transport *to, const uint8_t *bytes, size_t length)
{
	if (length == 0)
		to->wants_file = true;
	else
		(void)write_messages(to, bytes, length);
}

static void write_stage(struct file_transport *to)
{
	const struct frame_stage *stage = to->stage;
	size_t at = 0;

	for (unsigned i = 0; i < stage->count; i++) {
		write_frame(to, stage->bytes + at, stage->ends[i] - at);
		at = stage->ends[i];
	}
}

/* Wait for frames. False: the end has come and there are none. */
static bool wait_for_frames(struct file_transport *to)
{
	while (frame_queue_is_empty(&to->queue)) {
		/* is_closing is set after the last frame, so it is looked at first. */
		if (atomic_load(&to->is_closing))
			return !frame_queue_is_empty(&to->queue);
		frame_queue_set_idle(&to->queue, true);
		atomic_thread_fence(memory_order_seq_cst);
		if (frame_queue_is_empty(&to->queue) && !atomic_load(&to->is_closing) &&
			!frame_bell_wait(&to->wake, FLUSH_MS))
			say_written(to, message_file_flush(to->file));
		frame_queue_set_idle(&to->queue, false);
	}
	return true;
}

/* The lane that has made the thread may be pinned to its processor. */
static void leave_processor(void)
{
#ifdef CPU_SETSIZE
	cpu_set_t all;

	memset(&all, 0xff, sizeof(all));
	(void)pthread_setaffinity_np(pthread_self(), sizeof(all), &all);
#endif
}

static void *run(void *user)
{
	struct file_transport *to = user;

	leave_processor();
	while (wait_for_frames(to)) {
		frame_queue_take(&to->queue, to->stage);
		write_stage(to);
	}
	say_written(to, message_file_finish(to->file));
	return NULL;
}

/* It takes no signal: those are the main thread's. */
static int start_thread(struct file_transport *to)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = -pthread_create(&to->thread, NULL, run, to);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	to->has_thread = rc == 0;
	return rc;
}

/* -- sessions: whoever submits ------------------------------------------------------------- */

static void want_file(struct file_transport *to)
{
	to->transport.is_open = to->transport.wants_session = true;
	to->transport.is_away = false;
	to->is_beginning = true;
}

static void lose_file(struct file_transport *to, int error_number)
{
	struct transport *transport = &to->transport;
	uint64_t written = atomic_load_explicit(&to->progress.written, memory_order_acquire);

	transport->lost_octets += to->taken - written;
	if (written > 0)
		transport->sessions.lost++;
	else
		transport->sessions.refused++;
	transport->sessions.last_error = error_number;
	transport->is_open = transport->wants_session = false;
	transport->is_away = true;
	transport->due_ns = to->now_ns + RETRY_NS;
	to->is_beginning = to->is_probing = false;
}

/* See how the thread gets on. */
static void look(struct file_transport *to)
{
	const struct progress *progress = &to->progress;

	if (!to->transport.is_open || to->is_beginning ||
		atomic_load_explicit(&progress->begun, memory_order_acquire) != to->begun)
		return;
	int error_number = atomic_load_explicit(&progress->error, memory_order_acquire);
	if (error_number != 0)
		lose_file(to, error_number);
	else if (atomic_load_explicit(&progress->written, memory_order_acquire) > 0)
		to->is_probing = false;
}

/* Files of a series end at multiples of the time, like clocks strike. */
static void set_end(struct file_transport *to, uint64_t begin_s)
{
	to->end_s = to->rotate_s ? (begin_s / to->rotate_s + 1) * to->rotate_s : UINT64_MAX;
}

static bool has_ended(const struct file_transport *to, uint64_t now_s)
{
	return !to->is_beginning && to->takes > 0 && now_s >= to->end_s;
}

/* A file has one message besides its beginning, however long that is. */
static bool is_full(const struct file_transport *to, size_t length)
{
	return !to->is_beginning && to->takes > 1 && to->rotate_bytes != 0 &&
	       to->taken + length > to->rotate_bytes;
}

static int hand_over(struct file_transport *to, const uint8_t *bytes, size_t length)
{
	if (to->may_wait)
		return write_messages(to, bytes, length);
	if (!frame_queue_has_room(&to->queue, length + FRAME_LENGTH_BYTES))
		return -EAGAIN;
	if (to->is_beginning)
		frame_queue_push(&to->queue, &to->wake, "", 0);
	frame_queue_push(&to->queue, &to->wake, bytes, length);
	return 0;
}

/* Message and file agree on .to; 0 or a negative errno. */
static int take(struct file_transport *to, const uint8_t *bytes, size_t length)
{
	if (to->is_beginning && to->may_wait)
		to->wants_file = true;
	int rc = hand_over(to, bytes, length);
	if (rc == -EAGAIN)
		return rc;
	if (to->is_beginning) {
		to->taken = to->takes = 0;
		to->begun++;
		to->transport.sessions.begun++;
		to->is_probing = !to->may_wait;
		set_end(to, export_time_s(bytes));
	}
	to->is_beginning = false;
	if (rc < 0) /* not taken */
		lose_file(to, -rc);
	else
		to->taken += length;
	to->takes++;
	return rc;
}

static int file_submit_run(
	struct transport *transport, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	struct file_transport *to = (struct file_transport *)transport;

	if (length < HEADER_BYTES || length > UINT16_MAX)
		return -EMSGSIZE;
	look(to);
	if (!transport->is_open)
		return to->may_wait ? -transport->sessions.last_error : -EAGAIN;
	if (transport->wants_session || to->is_probing)
		return -EAGAIN;
	if (length > message_bytes && to->rotate_bytes != 0 &&
		to->taken + length > to->rotate_bytes)
		return TRANSPORT_ONE_BY_ONE; /* some may fit */
	if (has_ended(to, export_time_s(bytes)) || is_full(to, length)) {
		want_file(to);
		return -EAGAIN;
	}
	return take(to, bytes, length);
}

static int file_submit(struct transport *transport, const uint8_t *bytes, size_t length)
{
	return file_submit_run(transport, bytes, length, length);
}

/* Who waits wants to know what became of all of it. */
static int file_poll(struct transport *transport)
{
	struct file_transport *to = (struct file_transport *)transport;

	if (to->may_wait && transport->is_open && !to->is_beginning)
		say_written(to, message_file_flush(to->file));
	look(to);
	return 0;
}

static void file_tick(struct transport *transport, uint64_t now_ns)
{
	struct file_transport *to = (struct file_transport *)transport;

	to->now_ns = now_ns;
	transport->due_ns = to->may_wait ? UINT64_MAX : now_ns + LOOK_NS;
	if (to->may_wait)
		return;
	if (!to->has_thread && start_thread(to) < 0) {
		transport->sessions.refused++;
		transport->sessions.last_error = EAGAIN;
		transport->is_away = true;
		transport->due_ns = now_ns + RETRY_NS;
		return;
	}
	look(to);
	if (!transport->is_open && transport->due_ns <= now_ns + LOOK_NS)
		want_file(to);
	else if (transport->is_open && !to->is_probing && has_ended(to, now_ns / NS_PER_S))
		want_file(to);
}

static void file_close(struct transport *transport)
{
	struct file_transport *to = (struct file_transport *)transport;

	if (to->has_thread) {
		atomic_store(&to->is_closing, true);
		frame_bell_ring(&to->wake);
		pthread_join(to->thread, NULL);
	}
	message_file_free(to->file);
	frame_queue_close(&to->queue);
	frame_bell_close(&to->wake);
	free(to->stage);
	free(to->path);
	free(to);
}

static const struct transport_ops file_ops = {
	.submit = file_submit,
	.submit_run = file_submit_run,
	.poll = file_poll,
	.tick = file_tick,
	.close = file_close,
};

/* -- opening --------------------------------------------------------------------------------
 */

static struct file_transport *allocate(void)
{
	size_t bytes = sizeof(struct file_transport);
	struct file_transport *to = aligned_alloc(FRAME_LINE_BYTES, bytes);

	if (!to)
		return NULL;
	memset(to, 0, bytes);
	to->wake = (struct frame_bell){ { -1, -1 } };
	to->queue.room = (struct frame_bell){ { -1, -1 } };
	to->transport.ops = &file_ops;
	to->transport.takes_runs = true;
	to->transport.has_sessions = true;
	return to;
}

static int open_parts(struct file_transport *to, const struct transport_file_config *config)
{
	int rc = 0;

	to->path = strdup(config->path);
	if (!to->path)
		return -ENOMEM;
	struct message_file_config file = {
		.path = to->path,
		.is_series = config->rotate_bytes != 0 || config->rotate_s != 0,
		.codec = config->codec,
	};
	rc = message_file_new(&file, &to->file);
	if (rc < 0 || config->may_wait)
		return rc;
	to->stage = malloc(sizeof(*to->stage));
	rc = to->stage ? frame_queue_open(&to->queue) : -ENOMEM;
	return rc < 0 ? rc : frame_bell_open(&to->wake);
}

int transport_file_open(const struct transport_file_config *config,
	struct transport **ret_transport, char error[static TRANSPORT_ERROR_BYTES])
{
	struct file_transport *to = allocate();
	int rc = to ? open_parts(to, config) : -ENOMEM;

	if (rc == 0)
		rc = message_file_begin(to->file, 0); /* does it work at all? */
	if (rc == 0)
		rc = message_file_finish(to->file);
	if (rc < 0) {
		snprintf(error, TRANSPORT_ERROR_BYTES, "file %.400s: %s", config->path,
			strerror(-rc));
		if (to)
			file_close(&to->transport);
		return rc;
	}
	snprintf(to->transport.name, sizeof(to->transport.name), "file:%s", config->path);
	to->may_wait = config->may_wait;
	to->rotate_bytes = config->rotate_bytes;
	to->rotate_s = config->rotate_s;
	if (to->may_wait)
		want_file(to);
	*ret_transport = &to->transport;
	return 0;
}
