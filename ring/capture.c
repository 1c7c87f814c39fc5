/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One capture file through libpcap, which reads it by way of a stdio stream over a byte feed.
 *
 * The stream is never given more than up to the end of a record, so that stdio cannot read
 * ahead of libpcap: whatever libpcap complains about lies in the record that began last, and
 * damage is located to the byte. The marks of the records are for that only; libpcap alone
 * decides what is a packet.
 */
#include "ring/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/byte_feed.h"
#include "ring/record_marks.h"

#define NS_PER_SECOND 1000000000ull
#define UINT32_SPAN (1ll << 32)
/* Clocks are compared and subtracted: stay where that is safe (year 2262). */
#define STAMP_SECONDS_MAX (INT64_MAX / 1000000000ll - 1)
#define STREAM_BUFFER_BYTES (64u << 10)

struct capture {
	const char *name;
	struct byte_feed *feed;
	pcap_t *pcap;
	struct bpf_program filter;
	bool has_filter;
	struct record_marks marks;
	uint64_t read_pkts;
	char error[SOURCE_ERROR_BYTES];
	char stream_buffer[STREAM_BUFFER_BYTES];
};

static ssize_t read_for_libpcap(void *cookie, char *to, size_t room_bytes)
{
	struct capture *capture = cookie;
	uint64_t left_bytes = record_marks_room(&capture->marks, capture->feed);

	ssize_t got_bytes = byte_feed_read(
		capture->feed, to, left_bytes < room_bytes ? left_bytes : room_bytes);
	if (got_bytes < 0)
		errno = EIO;
	return got_bytes;
}

/* libpcap takes the 32-bit fields of a pcap record for signed ones in the host's byte order. */
static int64_t undo_sign(const struct capture *capture, int64_t value, int64_t unit)
{
	return value < 0 && !capture->marks.is_ng ? value + UINT32_SPAN * unit : value;
}

static uint64_t stamp_ns(const struct capture *capture, const struct pcap_pkthdr *header)
{
	int64_t seconds = undo_sign(capture, header->ts.tv_sec, 1);
	int64_t fraction_ns =
		undo_sign(capture, header->ts.tv_usec, capture->marks.stamp_unit_ns);

	if (seconds < 0 || fraction_ns < 0)
		return 0;
	/* A fraction of more than a second (at most 2^32 us) counts for what it says. */
	if (seconds > STAMP_SECONDS_MAX - (fraction_ns >> 30) - 1)
		return INT64_MAX;
	return (uint64_t)seconds * NS_PER_SECOND + (uint64_t)fraction_ns;
}

static void note_damage(struct capture *capture)
{
	const char *reason = byte_feed_reason(capture->feed);

	if (!*reason)
		reason = pcap_geterr(capture->pcap);
	snprintf(capture->error, sizeof(capture->error),
		"%s: packet %" PRIu64 " at offset %" PRIu64 ": %s", capture->name,
		capture->read_pkts + 1, capture->marks.record_at, reason);
}

static int start_libpcap(struct capture *capture, char error[static SOURCE_ERROR_BYTES])
{
	char text[PCAP_ERRBUF_SIZE] = "out of memory";
	cookie_io_functions_t functions = { .read = read_for_libpcap };
	FILE *stream = fopencookie(capture, "rb", functions);

	if (stream) {
		setvbuf(stream, capture->stream_buffer, _IOFBF, STREAM_BUFFER_BYTES);
		capture->pcap = pcap_fopen_offline_with_tstamp_precision(
			stream, PCAP_TSTAMP_PRECISION_NANO, text);
		if (!capture->pcap)
			fclose(stream);
	}
	if (capture->pcap)
		return 0;
	const char *reason = byte_feed_reason(capture->feed);
	snprintf(error, SOURCE_ERROR_BYTES, "%s: %s", capture->name, *reason ? reason : text);
	return -EBADMSG;
}

static int compile_filter(
	struct capture *capture, const char *filter, char error[static SOURCE_ERROR_BYTES])
{
	if (!filter || !*filter)
		return 0;
	if (pcap_compile(capture->pcap, &capture->filter, filter, 1, PCAP_NETMASK_UNKNOWN)) {
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%.80s': %s", filter,
			pcap_geterr(capture->pcap));
		return -EINVAL;
	}
	capture->has_filter = true;
	return 0;
}

static int start(struct capture *capture, int fd, const char *filter,
	char error[static SOURCE_ERROR_BYTES])
{
	char reason[FEED_REASON_BYTES];

	int outcome = byte_feed_open(fd, &capture->feed, reason);
	if (outcome) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: %s", capture->name, reason);
		return outcome;
	}
	record_marks_start(&capture->marks, capture->feed);
	outcome = start_libpcap(capture, error);
	if (!outcome)
		outcome = compile_filter(capture, filter, error);
	return outcome;
}

int capture_open(int fd, const char *name, const char *filter, struct capture **ret_capture,
	char error[static SOURCE_ERROR_BYTES])
{
	struct capture *capture = calloc(1, sizeof(*capture));

	if (!capture) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: out of memory", name);
		close(fd);
		return -ENOMEM;
	}
	capture->name = name;
	int outcome = start(capture, fd, filter, error);
	if (outcome) {
		capture_close(capture);
		return outcome;
	}
	*ret_capture = capture;
	return 0;
}

int capture_link_type(const struct capture *capture)
{
	return capture->marks.link_type;
}

enum capture_outcome capture_next(struct capture *capture, struct packet *ret_packet)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;

	do {
		int outcome = pcap_next_ex(capture->pcap, &header, &bytes);
		/* The record that was waited for is no damage when it is cut. */
		if (outcome != 1 && byte_feed_is_stopped(capture->feed))
			return CAPTURE_STOPPED;
		if (outcome == PCAP_ERROR_BREAK)
			return CAPTURE_END;
		if (outcome != 1) {
			note_damage(capture);
			return CAPTURE_DAMAGED;
		}
		capture->read_pkts++;
	} while (capture->has_filter && !pcap_offline_filter(&capture->filter, header, bytes));

	*ret_packet = (struct packet){
		.bytes = bytes,
		.captured_bytes = header->caplen,
		.wire_bytes = header->len,
		.stamp_ns = stamp_ns(capture, header),
	};
	return CAPTURE_PACKET;
}

void capture_stop_on(struct capture *capture, int stop_fd)
{
	byte_feed_stop_on(capture->feed, stop_fd);
}

bool capture_may_block(const struct capture *capture)
{
	struct record_marks next = capture->marks;

	if (!byte_feed_may_block(capture->feed, UINT64_MAX))
		return false;
	/* A record of which only the beginning is there would be waited for, too. */
	return byte_feed_may_block(capture->feed, RECORD_MARKS_HEAD_BYTES) ||
	       byte_feed_may_block(capture->feed, record_marks_room(&next, capture->feed));
}

const char *capture_error(const struct capture *capture)
{
	return capture->error;
}

void capture_close(struct capture *capture)
{
	if (!capture)
		return;
	if (capture->has_filter)
		pcap_freecode(&capture->filter);
	if (capture->pcap)
		pcap_close(capture->pcap);
	byte_feed_close(capture->feed);
	free(capture);
}
