/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One capture file through libpcap, which reads it by way of an unbuffered stdio stream over a
 * byte feed. Unbuffered, because then each of libpcap's reads arrives here as it is: the feed's
 * position is libpcap's position, and damage can be located to the byte.
 *
 *   pcap     the damaged record starts where the last good one ended
 *   pcapng   blocks that are no packets lie between; their lengths are followed as they pass
 *
 * What libpcap does not tell is taken from the file's first bytes: the LINKTYPE_ value (its
 * DLT_ aliases are ambiguous) and the unit of the stamps.
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

#define NS_PER_SECOND 1000000000ull
#define NS_PER_US 1000ll
#define UINT32_SPAN (1ll << 32)
/* Clocks are compared and subtracted: stay where that is safe (year 2262). */
#define STAMP_SECONDS_MAX (INT64_MAX / 1000000000ll - 1)

#define PCAP_HEADER_BYTES 24
#define PCAP_LINK_TYPE_OFFSET 20
#define PCAP_LINK_TYPE_MASK 0x03ffffffu /* the rest is about frame check sequences */
#define PCAP_NS_MAGIC 0xa1b23c4du
#define PCAP_MAGIC_HIGH 0xa1b2u /* of all magics, in the file's own byte order */

#define NG_SECTION_TYPE 0x0a0d0d0au /* reads the same in both orders */
#define NG_INTERFACE_TYPE 1u
#define NG_ORDER_MAGIC 0x1a2b3c4du
#define NG_PEEK_BYTES 12 /* type, length, and a section's byte-order magic */

struct capture {
	const char *name;
	struct byte_feed *feed;
	pcap_t *pcap;
	struct bpf_program filter;
	bool has_filter;
	int link_type;
	bool is_big_endian;
	bool is_ng;
	bool has_interface;    /* pcapng: the first interface was seen */
	int64_t stamp_unit_ns; /* pcap: of the fraction; pcapng: 0 */
	uint64_t block_at;     /* pcapng: the block that is being read starts here */
	uint64_t next_block_at;
	uint64_t record_at; /* position before the current call of libpcap */
	uint64_t read_pkts;
	char error[SOURCE_ERROR_BYTES];
};

static uint32_t read_u32(const struct capture *capture, const uint8_t *from)
{
	if (capture->is_big_endian)
		return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 |
		       (uint32_t)from[2] << 8 | from[3];
	return (uint32_t)from[3] << 24 | (uint32_t)from[2] << 16 | (uint32_t)from[1] << 8 |
	       from[0];
}

/* -- following the file as it passes --------------------------------------------------------
 */

static void enter_ng_block(struct capture *capture)
{
	size_t bytes;
	const uint8_t *head = byte_feed_peek(capture->feed, NG_PEEK_BYTES, &bytes);

	capture->block_at = byte_feed_position(capture->feed);
	capture->next_block_at = UINT64_MAX;
	if (bytes < NG_PEEK_BYTES)
		return;
	if (read_u32(capture, head) == NG_SECTION_TYPE) {
		capture->is_big_endian = false;
		capture->is_big_endian = read_u32(capture, head + 8) != NG_ORDER_MAGIC;
	}
	capture->next_block_at = capture->block_at + read_u32(capture, head + 4);
	if (read_u32(capture, head) == NG_INTERFACE_TYPE && !capture->has_interface) {
		capture->has_interface = true;
		capture->link_type = capture->is_big_endian ? head[8] << 8 | head[9]
							    : head[9] << 8 | head[8];
	}
}

static void note_pcap_header(struct capture *capture, const uint8_t *head)
{
	capture->is_big_endian = (head[0] << 8 | head[1]) == PCAP_MAGIC_HIGH;
	capture->stamp_unit_ns = read_u32(capture, head) == PCAP_NS_MAGIC ? 1 : NS_PER_US;
	capture->link_type =
		(int)(read_u32(capture, head + PCAP_LINK_TYPE_OFFSET) & PCAP_LINK_TYPE_MASK);
	capture->next_block_at = UINT64_MAX;
}

/* libpcap judges whether it is a capture at all; here only what it will not tell. */
static void note_file_header(struct capture *capture)
{
	size_t bytes;
	const uint8_t *head = byte_feed_peek(capture->feed, PCAP_HEADER_BYTES, &bytes);

	capture->next_block_at = UINT64_MAX;
	capture->is_ng =
		bytes >= sizeof(uint32_t) && read_u32(capture, head) == NG_SECTION_TYPE;
	if (capture->is_ng)
		capture->next_block_at = 0;
	else if (bytes == PCAP_HEADER_BYTES)
		note_pcap_header(capture, head);
}

static ssize_t read_for_libpcap(void *cookie, char *to, size_t want_bytes)
{
	struct capture *capture = cookie;

	if (byte_feed_position(capture->feed) == capture->next_block_at)
		enter_ng_block(capture);
	ssize_t got_bytes = byte_feed_read(capture->feed, to, want_bytes);
	if (got_bytes < 0)
		errno = EIO;
	return got_bytes;
}

/* -- packets --------------------------------------------------------------------------------
 */

/* libpcap takes the 32-bit fields of a pcap record for signed ones in the host's byte order. */
static int64_t undo_sign(const struct capture *capture, int64_t value, int64_t unit)
{
	return value < 0 && !capture->is_ng ? value + UINT32_SPAN * unit : value;
}

static uint64_t stamp_ns(const struct capture *capture, const struct pcap_pkthdr *header)
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

static void note_damage(struct capture *capture)
{
	const char *reason = byte_feed_reason(capture->feed);

	if (!*reason)
		reason = pcap_geterr(capture->pcap);
	snprintf(capture->error, sizeof(capture->error),
		"%s: packet %" PRIu64 " at offset %" PRIu64 ": %s", capture->name,
		capture->read_pkts + 1, capture->is_ng ? capture->block_at : capture->record_at,
		reason);
}

/* -- life -----------------------------------------------------------------------------------
 */

static int start_libpcap(struct capture *capture, char error[static SOURCE_ERROR_BYTES])
{
	char text[PCAP_ERRBUF_SIZE] = "out of memory";
	cookie_io_functions_t functions = { .read = read_for_libpcap };
	FILE *stream = fopencookie(capture, "rb", functions);

	if (stream) {
		setvbuf(stream, NULL, _IONBF, 0);
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
		snprintf(error, SOURCE_ERROR_BYTES, "filter '%s': %s", filter,
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
	note_file_header(capture);
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
	return capture->link_type;
}

enum capture_outcome capture_next(struct capture *capture, struct packet *ret_packet)
{
	struct pcap_pkthdr *header;
	const u_char *bytes;

	do {
		capture->record_at = byte_feed_position(capture->feed);
		int outcome = pcap_next_ex(capture->pcap, &header, &bytes);
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

bool capture_may_block(const struct capture *capture)
{
	return byte_feed_may_block(capture->feed);
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
