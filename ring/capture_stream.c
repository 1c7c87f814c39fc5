/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two ways from a descriptor to a stream. A plain file gets a stream of its own, because the C
 * library serves libpcap's small reads from it in half the time that a cookie stream takes.
 */
#include "ring/capture_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring/decompress.h"
#include "ring/stream_lock.h"

/* Large enough that read() costs little, small enough to stay in the second cache. */
#define STREAM_BUFFER_BYTES (128u << 10)
#define CATCH_UP_BYTES 4096

struct capture_stream {
	FILE *file;
	struct byte_feed *feed; /* NULL: a plain file */
	off_t start;            /* plain file: where the capture begins in it */
	struct record_marks marks;
	const uint8_t *chunk; /* feed: what is left of the chunk that passes the marks next */
	size_t chunk_bytes;
	uint64_t whole_until; /* feed: records are there as a whole up to here */
	bool is_slow;
	char buffer[STREAM_BUFFER_BYTES];
};

static uint64_t position(const struct capture_stream *stream)
{
	off_t at = ftello(stream->file);

	/* Never for the two kinds of stream that there are. */
	if (at < stream->start)
		return stream->marks.at;
	return (uint64_t)(at - stream->start);
}

static void use_buffer(struct capture_stream *stream)
{
	setvbuf(stream->file, stream->buffer, _IOFBF, STREAM_BUFFER_BYTES);
	stream_lock_by_caller(stream->file);
}

/* -- a feed as a stream --------------------------------------------------------------- */

static void pass_chunk(struct capture_stream *stream, size_t bytes)
{
	record_marks_pass(&stream->marks, stream->chunk, bytes);
	stream->chunk += bytes;
	stream->chunk_bytes -= bytes;
}

/* When nothing more is there, the last record of the chunk may have to be waited for. */
static void note_whole_records(struct capture_stream *stream)
{
	struct record_marks ahead = stream->marks;

	stream->whole_until = UINT64_MAX;
	if (!byte_feed_may_block(stream->feed))
		return;
	record_marks_pass(&ahead, stream->chunk, stream->chunk_bytes);
	stream->whole_until = record_marks_whole(&ahead);
}

static ssize_t read_for_stdio(void *cookie, char *to, size_t room_bytes)
{
	struct capture_stream *stream = cookie;

	if (stream->chunk_bytes > 0)
		pass_chunk(stream, stream->chunk_bytes);
	ssize_t got_bytes = byte_feed_lend(stream->feed, room_bytes, &stream->chunk);
	if (got_bytes < 0)
		errno = EIO;
	if (got_bytes <= 0)
		return got_bytes;
	memcpy(to, stream->chunk, (size_t)got_bytes);
	stream->chunk_bytes = (size_t)got_bytes;
	note_whole_records(stream);
	return got_bytes;
}

/* stdio asks where it is. It cannot be moved. */
static int seek_for_stdio(void *cookie, off64_t *offset, int whence)
{
	const struct capture_stream *stream = cookie;

	if (whence != SEEK_CUR || *offset != 0) {
		errno = ESPIPE;
		return -1;
	}
	*offset = (off64_t)byte_feed_position(stream->feed);
	return 0;
}

static int open_feed(
	struct capture_stream *stream, int fd, char reason[static FEED_REASON_BYTES])
{
	cookie_io_functions_t functions = { .read = read_for_stdio, .seek = seek_for_stdio };
	size_t bytes;

	int outcome = byte_feed_open(fd, &stream->feed, reason);
	if (outcome)
		return outcome;
	const uint8_t *head = byte_feed_peek(stream->feed, RECORD_MARKS_START_BYTES, &bytes);
	record_marks_start(&stream->marks, head, bytes);
	stream->is_slow = !byte_feed_is_regular(stream->feed);
	stream->file = fopencookie(stream, "rb", functions);
	if (stream->file)
		use_buffer(stream);
	return 0;
}

/* -- a plain file as a stream --------------------------------------------------------- */

/* A regular file that is not compressed; .head gets its first bytes. */
static bool is_plain(
	int fd, off_t start, uint8_t head[static RECORD_MARKS_START_BYTES], size_t *ret_bytes)
{
	struct stat status;

	if (fstat(fd, &status) || !S_ISREG(status.st_mode) || start < 0)
		return false;
	ssize_t bytes = pread(fd, head, RECORD_MARKS_START_BYTES, start);
	if (bytes < 0)
		return false;
	*ret_bytes = (size_t)bytes;
	return !decompress_find(head, (size_t)bytes);
}

static void open_plain(struct capture_stream *stream, int fd, off_t start)
{
	posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	stream->file = fdopen(fd, "rb");
	if (!stream->file) {
		close(fd);
		return;
	}
	use_buffer(stream);
	/* Told where it is, the stream needs no system call to say so. */
	fseeko(stream->file, start, SEEK_SET);
	stream->start = start;
}

/* The bytes between the marks and libpcap's position, once more. */
static void pass_file(struct capture_stream *stream, uint64_t until)
{
	while (stream->marks.at < until) {
		uint8_t bytes[CATCH_UP_BYTES];
		uint64_t left_bytes = until - stream->marks.at;
		size_t want_bytes =
			left_bytes < sizeof(bytes) ? (size_t)left_bytes : sizeof(bytes);

		ssize_t got_bytes = pread(fileno(stream->file), bytes, want_bytes,
			stream->start + (off_t)stream->marks.at);
		if (got_bytes <= 0)
			return;
		record_marks_pass(&stream->marks, bytes, (size_t)got_bytes);
	}
}

/* -- where libpcap is ----------------------------------------------------------------- */

static void catch_up(struct capture_stream *stream)
{
	uint64_t until = position(stream);

	if (until == stream->marks.at)
		return; /* there may never have been a chunk */
	if (!stream->feed)
		pass_file(stream, until);
	else if (until - stream->marks.at <= stream->chunk_bytes)
		pass_chunk(stream, (size_t)(until - stream->marks.at));
}

const struct record_marks *capture_stream_marks(struct capture_stream *stream)
{
	catch_up(stream);
	return &stream->marks;
}

void capture_stream_note_place(struct capture_stream *stream)
{
	if (!stream->feed)
		record_marks_resume(&stream->marks, position(stream));
}

/* What the codec says comes first: it may have made up what libpcap did not like. A plain
 * file's error is met again. */
static void tell_reason(
	const struct capture_stream *stream, char ret_reason[static FEED_REASON_BYTES])
{
	off_t at = stream->start + (off_t)position(stream);
	char byte;

	ret_reason[0] = '\0';
	if (stream->feed)
		snprintf(ret_reason, FEED_REASON_BYTES, "%s", byte_feed_reason(stream->feed));
	else if (ferror(stream->file) && pread(fileno(stream->file), &byte, 1, at) < 0)
		snprintf(ret_reason, FEED_REASON_BYTES, "cannot be read: %s", strerror(errno));
}

uint64_t capture_stream_find_damage(
	struct capture_stream *stream, char ret_reason[static FEED_REASON_BYTES])
{
	catch_up(stream);
	tell_reason(stream, ret_reason);
	/* Either libpcap did not like what it read last, or it could not read, and nothing of
	 * that record is there, perhaps. */
	return ferror(stream->file) ? record_marks_whole(&stream->marks)
				    : stream->marks.record_at;
}

bool capture_stream_is_slow(const struct capture_stream *stream)
{
	return stream->is_slow;
}

bool capture_stream_may_block(const struct capture_stream *stream)
{
	return stream->is_slow && position(stream) >= stream->whole_until;
}

/* -- life ----------------------------------------------------------------------------- */

/* Takes .fd, on failure too. */
static int open_file(
	struct capture_stream *stream, int fd, char reason[static FEED_REASON_BYTES])
{
	uint8_t head[RECORD_MARKS_START_BYTES];
	size_t head_bytes;

	off_t start = lseek(fd, 0, SEEK_CUR);
	if (is_plain(fd, start, head, &head_bytes)) {
		record_marks_start(&stream->marks, head, head_bytes);
		open_plain(stream, fd, start);
	} else {
		int outcome = open_feed(stream, fd, reason);
		if (outcome)
			return outcome;
	}
	if (stream->file)
		return 0;
	snprintf(reason, FEED_REASON_BYTES, "out of memory");
	return -ENOMEM;
}

int capture_stream_open(
	int fd, struct capture_stream **ret_stream, char reason[static FEED_REASON_BYTES])
{
	struct capture_stream *stream = calloc(1, sizeof(*stream));

	if (!stream) {
		snprintf(reason, FEED_REASON_BYTES, "out of memory");
		close(fd);
		return -ENOMEM;
	}
	int outcome = open_file(stream, fd, reason);
	if (outcome) {
		capture_stream_close(stream);
		return outcome;
	}
	*ret_stream = stream;
	return 0;
}

FILE *capture_stream_file(struct capture_stream *stream)
{
	return stream->file;
}

void capture_stream_stop_on(
	struct capture_stream *stream, const int stop_fds[static FEED_STOPS])
{
	if (stream->feed)
		byte_feed_stop_on(stream->feed, stop_fds);
}

bool capture_stream_is_stopped(const struct capture_stream *stream)
{
	return stream->feed && byte_feed_is_stopped(stream->feed);
}

void capture_stream_close(struct capture_stream *stream)
{
	if (!stream)
		return;
	byte_feed_close(stream->feed);
	free(stream);
}
