/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bytes of a capture file. Without a codec the raw buffer is the plain buffer. With one,
 * the file is a sequence of compressed streams; it must end where a stream ends, else it was
 * cut.
 */
#include "ring/byte_feed.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ring/decompress.h"

#define BUFFER_BYTES (256u << 10)

struct span {
	uint8_t *bytes;
	size_t at;  /* read up to here */
	size_t end; /* filled up to here */
};

struct byte_feed {
	int fd;
	const int *stop_fds; /* FEED_STOPS of them; NULL: nobody stops it */
	bool is_stopped;
	bool is_regular;
	bool is_raw_end;
	struct span raw;
	const struct decompress_codec *codec; /* NULL: plain file */
	void *codec_state;
	struct span unpacked; /* with a codec */
	bool is_between_streams;
	uint64_t position;
	char reason[FEED_REASON_BYTES];
};

static size_t span_bytes(const struct span *span)
{
	return span->end - span->at;
}

static struct span *plain_span(struct byte_feed *feed)
{
	return feed->codec ? &feed->unpacked : &feed->raw;
}

/* Move what is unread to the front, so that the rest of the buffer is free. */
static void compact(struct span *span)
{
	memmove(span->bytes, span->bytes + span->at, span_bytes(span));
	span->end -= span->at;
	span->at = 0;
}

/* Wait for the writer of a pipe. False: told to stop instead. */
static bool wait_for_writer(struct byte_feed *feed)
{
	struct pollfd fds[1 + FEED_STOPS] = { { .fd = feed->fd, .events = POLLIN } };

	if (!feed->stop_fds || feed->is_regular)
		return true;
	for (unsigned i = 0; i < FEED_STOPS; i++)
		fds[1 + i] = (struct pollfd){ .fd = feed->stop_fds[i], .events = POLLIN };
	while (poll(fds, 1 + FEED_STOPS, -1) < 0 && errno == EINTR)
		;
	for (unsigned i = 0; i < FEED_STOPS; i++)
		feed->is_stopped |= fds[1 + i].revents != 0;
	return !feed->is_stopped;
}

/* 1: got bytes, 0: end of file, -1: damaged. */
static int fill_raw(struct byte_feed *feed)
{
	ssize_t got_bytes;

	if (feed->is_raw_end)
		return 0;
	compact(&feed->raw);
	if (!wait_for_writer(feed)) {
		feed->is_raw_end = true;
		return 0;
	}
	do {
		got_bytes = read(feed->fd, feed->raw.bytes + feed->raw.end,
			BUFFER_BYTES - feed->raw.end);
	} while (got_bytes < 0 && errno == EINTR);
	if (got_bytes < 0) {
		snprintf(feed->reason, sizeof(feed->reason), "cannot be read: %s",
			strerror(errno));
		return -1;
	}
	feed->raw.end += (size_t)got_bytes;
	feed->is_raw_end = got_bytes == 0;
	return got_bytes > 0;
}

/* Padding between streams is zeros. */
static void skip_padding(struct span *raw)
{
	while (raw->at < raw->end && raw->bytes[raw->at] == 0)
		raw->at++;
}

/* One call of the codec. 1: got bytes, 0: none yet, -1: damaged. */
static int unpack(struct byte_feed *feed)
{
	struct decompress_io io = {
		.in = feed->raw.bytes + feed->raw.at,
		.in_bytes = span_bytes(&feed->raw),
		.out = feed->unpacked.bytes + feed->unpacked.end,
		.out_bytes = BUFFER_BYTES - feed->unpacked.end,
		.reason = "cannot be decompressed",
	};
	size_t had_bytes = io.in_bytes;

	int outcome = feed->codec->ops->step(feed->codec_state, &io);
	size_t got_bytes = (size_t)(io.out - feed->unpacked.bytes) - feed->unpacked.end;
	feed->raw.at = feed->raw.end - io.in_bytes;
	feed->unpacked.end += got_bytes;
	feed->is_between_streams = outcome == DECOMPRESS_STREAM_END;
	if (outcome < 0)
		snprintf(feed->reason, sizeof(feed->reason), "%s: %s", feed->codec->name,
			io.reason);
	else if (outcome == 0 && got_bytes == 0 && io.in_bytes > 0 && io.in_bytes == had_bytes)
		snprintf(feed->reason, sizeof(feed->reason), "%s: cannot be decompressed",
			feed->codec->name);
	/* Bytes in front of the damage count; it is met again, with its reason kept. */
	if (got_bytes > 0)
		return 1;
	return *feed->reason ? -1 : 0;
}

static int fill_unpacked(struct byte_feed *feed)
{
	compact(&feed->unpacked);
	for (;;) {
		if (*feed->reason)
			return -1;
		if (feed->is_between_streams)
			skip_padding(&feed->raw);
		if (span_bytes(&feed->raw) == 0) {
			int outcome = fill_raw(feed);
			if (outcome > 0)
				continue;
			if (outcome < 0 || feed->is_between_streams)
				return outcome;
		}
		/* Without input, at the end, the codec may still have something to give. */
		int outcome = unpack(feed);
		if (outcome)
			return outcome;
		if (feed->is_raw_end && !feed->is_between_streams)
			snprintf(feed->reason, sizeof(feed->reason), "the %s stream ends early",
				feed->codec->name);
	}
}

/* More plain bytes behind those that are there. 1: got some, 0: end, -1: damaged. */
static int fill(struct byte_feed *feed)
{
	return feed->codec ? fill_unpacked(feed) : fill_raw(feed);
}

static int start_codec(struct byte_feed *feed)
{
	if (!feed->codec->ops) {
		snprintf(feed->reason, sizeof(feed->reason),
			"is compressed with %s, which is not part of this build",
			feed->codec->name);
		return -ENOTSUP;
	}
	feed->unpacked.bytes = malloc(BUFFER_BYTES);
	if (!feed->unpacked.bytes || feed->codec->ops->open(&feed->codec_state)) {
		snprintf(feed->reason, sizeof(feed->reason), "out of memory");
		return -ENOMEM;
	}
	return 0;
}

static int start(struct byte_feed *feed)
{
	struct stat status;
	size_t head_bytes;

	feed->is_regular = !fstat(feed->fd, &status) && S_ISREG(status.st_mode);
	feed->raw.bytes = malloc(BUFFER_BYTES);
	if (!feed->raw.bytes) {
		snprintf(feed->reason, sizeof(feed->reason), "out of memory");
		return -ENOMEM;
	}
	const uint8_t *head = byte_feed_peek(feed, DECOMPRESS_MAGIC_BYTES, &head_bytes);
	if (*feed->reason)
		return -EIO;
	feed->codec = decompress_find(head, head_bytes);
	return feed->codec ? start_codec(feed) : 0;
}

int byte_feed_open(int fd, struct byte_feed **ret_feed, char reason[static FEED_REASON_BYTES])
{
	struct byte_feed *feed = calloc(1, sizeof(*feed));

	if (!feed) {
		snprintf(reason, FEED_REASON_BYTES, "out of memory");
		close(fd);
		return -ENOMEM;
	}
	feed->fd = fd;
	int outcome = start(feed);
	if (outcome) {
		snprintf(reason, FEED_REASON_BYTES, "%s", feed->reason);
		byte_feed_close(feed);
		return outcome;
	}
	*ret_feed = feed;
	return 0;
}

void byte_feed_stop_on(struct byte_feed *feed, const int stop_fds[static FEED_STOPS])
{
	feed->stop_fds = stop_fds;
}

bool byte_feed_is_stopped(const struct byte_feed *feed)
{
	return feed->is_stopped;
}

ssize_t byte_feed_lend(struct byte_feed *feed, size_t want_bytes, const uint8_t **ret_bytes)
{
	struct span *plain = plain_span(feed);

	if (span_bytes(plain) == 0) {
		int outcome = fill(feed);
		if (outcome <= 0)
			return outcome;
	}
	size_t bytes = span_bytes(plain) < want_bytes ? span_bytes(plain) : want_bytes;
	*ret_bytes = plain->bytes + plain->at;
	plain->at += bytes;
	feed->position += bytes;
	return (ssize_t)bytes;
}

const uint8_t *byte_feed_peek(struct byte_feed *feed, size_t want_bytes, size_t *ret_bytes)
{
	struct span *plain = plain_span(feed);

	while (span_bytes(plain) < want_bytes && fill(feed) > 0)
		;
	*ret_bytes = span_bytes(plain) < want_bytes ? span_bytes(plain) : want_bytes;
	return plain->bytes + plain->at;
}

uint64_t byte_feed_position(const struct byte_feed *feed)
{
	return feed->position;
}

bool byte_feed_is_regular(const struct byte_feed *feed)
{
	return feed->is_regular;
}

bool byte_feed_may_block(const struct byte_feed *feed)
{
	const struct span *plain = feed->codec ? &feed->unpacked : &feed->raw;

	if (feed->is_regular || feed->is_raw_end || span_bytes(plain) > 0)
		return false;
	/* Nobody knows what packed bytes will unpack to. */
	return !feed->codec || span_bytes(&feed->raw) == 0;
}

const char *byte_feed_reason(const struct byte_feed *feed)
{
	return feed->reason;
}

void byte_feed_close(struct byte_feed *feed)
{
	if (!feed)
		return;
	if (feed->codec_state)
		feed->codec->ops->close(feed->codec_state);
	free(feed->unpacked.bytes);
	free(feed->raw.bytes);
	close(feed->fd);
	free(feed);
}
