/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One capture file through libpcap. libpcap alone decides what is a packet; the stream that it
 * reads from knows which record it has come to, and what it does not tell about the file.
 *
 *   capture_read() -> pcap_dispatch() -> take_packet() for each record -> batch and arena
 */
#include "ring/capture.h"

#include <errno.h>
#include <inttypes.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ring/capture_stream.h"

#define NS_PER_SECOND 1000000000ull
#define UINT32_SPAN (1ll << 32)
/* Clocks are compared and subtracted: stay where that is safe (year 2262). */
#define STAMP_SECONDS_MAX (INT64_MAX / 1000000000ll - 1)

struct capture {
	const char *name;
	struct capture_stream *stream;
	pcap_t *pcap;
	struct bpf_program filter;
	bool has_filter;
	bool is_slow; /* a reading may have to wait */
	bool is_ng;
	int link_type;
	int64_t stamp_unit_ns; /* of a pcap file's fractions */
	uint64_t read_pkts;
	struct packet_batch *batch; /* that is being filled, and */
	struct view_arena *arena;   /* where its bytes go: for take_packet() */
	bool is_held;               /* take_packet() wants no more */
	char error[SOURCE_ERROR_BYTES];
};

/* -- a packet ------------------------------------------------------------------------- */

/* libpcap takes the 32-bit fields of a pcap record for signed ones in the host's byte order. */
static int64_t undo_sign(const struct capture *capture, int64_t value, int64_t unit)
{
	return value < 0 && !capture->is_ng ? value + UINT32_SPAN * unit : value;
}

static uint64_t odd_stamp_ns(const struct capture *capture, const struct pcap_pkthdr *header)
{
	int64_t seconds = undo_sign(capture, header->ts.tv_sec, 1);
	int64_t fraction_ns = undo_sign(capture, header->ts.tv_usec, capture->stamp_unit_ns);

	if (seconds < 0 || fraction_ns < 0)
		return 0;
	/* A fraction of more than a second (at most 2^32 us) counts for what it says. */
	if (seconds > STAMP_SECONDS_MAX - (fraction_ns >> 30) - 1)
		return INT64_MAX;
	return (uint64_t)seconds * NS_PER_SECOND + (uint64_t)fraction_ns;
}

/* The usual stamp: both numbers are in 31 bits. */
static inline uint64_t stamp_ns(const struct capture *capture, const struct pcap_pkthdr *header)
{
	uint64_t seconds = (uint64_t)header->ts.tv_sec;
	uint64_t fraction_ns = (uint64_t)header->ts.tv_usec;

	if ((seconds | fraction_ns) > INT32_MAX)
		return odd_stamp_ns(capture, header);
	return seconds * NS_PER_SECOND + fraction_ns;
}

static void keep_packet(
	struct capture *capture, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct packet_batch *batch = capture->batch;
	struct packet *packet = &batch->packets[batch->count++];

	*packet = (struct packet){
		.bytes = bytes,
		.captured_bytes = header->caplen,
		.wire_bytes = header->len,
		.stamp_ns = stamp_ns(capture, header),
	};
	view_arena_keep(capture->arena, packet);
	if (packet->stamp_ns > batch->clock_ns)
		batch->clock_ns = packet->stamp_ns;
}

/* From a slow writer, what is there goes on at once. */
static bool would_hold_up(const struct capture *capture)
{
	return capture->is_slow && capture->batch->count > 0 &&
	       capture_stream_may_block(capture->stream);
}

/* A callback of libpcap's. */
static void take_packet(u_char *user, const struct pcap_pkthdr *header, const u_char *bytes)
{
	struct capture *capture = (void *)user;

	capture->read_pkts++;
	if (!capture->has_filter || pcap_offline_filter(&capture->filter, header, bytes))
		keep_packet(capture, header, bytes);
	if (view_arena_has_room(capture->arena) && !would_hold_up(capture))
		return;
	capture->is_held = true;
	pcap_breakloop(capture->pcap);
}

/* -- reading -------------------------------------------------------------------------- */

static void note_damage(struct capture *capture)
{
	char reason[FEED_REASON_BYTES];

	uint64_t offset = capture_stream_find_damage(capture->stream, reason);
	snprintf(capture->error, sizeof(capture->error),
		"%s: packet %" PRIu64 " at offset %" PRIu64 ": %s", capture->name,
		capture->read_pkts + 1, offset, *reason ? reason : pcap_geterr(capture->pcap));
}

static enum capture_outcome judge_end(struct capture *capture, int outcome)
{
	/* The record that was waited for is no damage when it is cut. */
	if (capture_stream_is_stopped(capture->stream))
		return CAPTURE_STOPPED;
	if (outcome >= 0)
		return CAPTURE_END;
	note_damage(capture);
	return CAPTURE_DAMAGED;
}

enum capture_outcome capture_read(
	struct capture *capture, struct packet_batch *batch, struct view_arena *arena)
{
	capture->batch = batch;
	capture->arena = arena;
	while (batch->count < PACKET_BATCH_MAX && view_arena_has_room(arena) &&
		!would_hold_up(capture)) {
		int room = (int)(PACKET_BATCH_MAX - batch->count);

		capture->is_held = false;
		capture_stream_note_place(capture->stream);
		int outcome = pcap_dispatch(capture->pcap, room, take_packet, (void *)capture);
		/* Held behind the last packet that was asked for, it comes back once more. */
		if (outcome == room || outcome == PCAP_ERROR_BREAK || capture->is_held)
			continue;
		return judge_end(capture, outcome);
	}
	return CAPTURE_GOES_ON;
}

/* -- life ----------------------------------------------------------------------------- */

static int start_libpcap(struct capture *capture, char error[static SOURCE_ERROR_BYTES])
{
	FILE *file = capture_stream_file(capture->stream);
	char reason[FEED_REASON_BYTES], text[PCAP_ERRBUF_SIZE] = "out of memory";

	capture->pcap = pcap_fopen_offline_with_tstamp_precision(
		file, PCAP_TSTAMP_PRECISION_NANO, text);
	if (capture->pcap)
		return 0;
	capture_stream_find_damage(capture->stream, reason);
	snprintf(error, SOURCE_ERROR_BYTES, "%s: %s", capture->name, *reason ? reason : text);
	fclose(file);
	return -EBADMSG;
}

/* What libpcap does not tell: the LINKTYPE_ value and the unit of the stamps. */
static void note_file(struct capture *capture)
{
	const struct record_marks *marks = capture_stream_marks(capture->stream);

	capture->is_ng = marks->is_ng;
	capture->link_type = marks->link_type;
	capture->stamp_unit_ns = marks->stamp_unit_ns;
	capture->is_slow = capture_stream_is_slow(capture->stream);
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

	int outcome = capture_stream_open(fd, &capture->stream, reason);
	if (outcome) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: %s", capture->name, reason);
		return outcome;
	}
	outcome = start_libpcap(capture, error);
	if (outcome)
		return outcome;
	note_file(capture);
	return compile_filter(capture, filter, error);
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
	return capture->link_type;
}

void capture_stop_on(struct capture *capture, const int stop_fds[static FEED_STOPS])
{
	capture_stream_stop_on(capture->stream, stop_fds);
}

bool capture_is_slow(const struct capture *capture)
{
	return capture->is_slow;
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
	capture_stream_close(capture->stream);
	free(capture);
}
