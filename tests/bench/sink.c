/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A collector for benchmarks: takes NetFlow 5, 9 and IPFIX on a loopback port that it chooses
 * and prints first (port=N), and at SIGTERM, when its queue is empty, adds up what came: one
 * line NAME=NUMBER for each total. Of a template it keeps where the counters are; nothing else
 * of a record is looked at, so that it is never what a benchmark waits for.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "sensor/cursor.h"

#define BATCH_MSGS 64
#define MSG_BYTES_MAX 65536
#define RECEIVE_BUFFER_BYTES (800 << 20)
#define TABLE_ROWS 64
#define FIELDS_MAX 64
#define COUNTERS_MAX 8
#define POLL_MS 100
#define VARIABLE_LENGTH 0xffff
#define REVERSE_PEN 29305 /* RFC 5103 */

enum total {
	TOTAL_PACKETS,
	TOTAL_OCTETS,
	TOTAL_REVERSE_PACKETS,
	TOTAL_REVERSE_OCTETS,
	TOTAL_COUNT
};

/* Information elements that count, of either direction. */
static const struct {
	uint16_t element;
	enum total total;
} counter_elements[] = {
	{ 1, TOTAL_OCTETS },
	{ 2, TOTAL_PACKETS },
	{ 85, TOTAL_OCTETS },
	{ 86, TOTAL_PACKETS },
	{ 23, TOTAL_REVERSE_OCTETS },
	{ 24, TOTAL_REVERSE_PACKETS },
};

struct counter {
	uint16_t offset, bytes;
	enum total total;
};

struct template
{
	uint32_t domain;
	uint16_t version, id;  /* .version 0: not used */
	uint16_t record_bytes; /* where no field has a variable length */
	bool is_options, is_variable;
	unsigned counter_count, field_count;
	struct counter counters[COUNTERS_MAX];
	uint16_t field_bytes[FIELDS_MAX];
};

/* What a sender's sequence number will be next. */
struct sequence {
	uint32_t domain, next;
	uint16_t version; /* 0: not used */
};

struct sink {
	struct template templates[TABLE_ROWS];
	struct sequence sequences[TABLE_ROWS];
	uint64_t messages, bytes, records, two_way_records, options_records;
	uint64_t totals[TOTAL_COUNT];
	uint64_t bad, kernel_drops;
	uint64_t sequence_gap; /* by how much the sequence numbers jumped, forward or back */
};

static volatile sig_atomic_t is_stopped;

static void stop(int signal)
{
	is_stopped = 1;
}

/* -- templates ----------------------------------------------------------------------------- */

static struct template *find_template(
	struct sink *sink, uint16_t version, uint32_t domain, uint16_t id)
{
	for (unsigned i = 0; i < TABLE_ROWS; i++) {
		struct template *template = &sink->templates[i];

		if (template->version == version && template->domain == domain &&
			template->id == id)
			return template;
	}
	return NULL;
}

static struct template *get_template(
	struct sink *sink, uint16_t version, uint32_t domain, uint16_t id)
{
	struct template *template = find_template(sink, version, domain, id);

	if (!template)
		template = find_template(sink, 0, 0, 0);
	if (template)
		*template = (struct template){ .domain = domain, .version = version, .id = id };
	return template;
}

static void note_counter(
	struct template *template, uint16_t element, uint16_t bytes, bool is_reverse)
{
	for (size_t i = 0; i < sizeof(counter_elements) / sizeof(counter_elements[0]); i++) {
		enum total total = counter_elements[i].total;

		if (counter_elements[i].element != element || bytes > 8 ||
			template->counter_count == COUNTERS_MAX)
			continue;
		if (is_reverse && total < TOTAL_REVERSE_PACKETS)
			total += TOTAL_REVERSE_PACKETS;
		template->counters[template->counter_count++] =
			(struct counter){ template->record_bytes, bytes, total };
	}
}

/* Counters behind a field of variable length are not looked for. */
static void read_fields(struct template *template, struct cursor *in, unsigned count)
{
	for (unsigned i = 0; i < count && i < FIELDS_MAX && !in->failed; i++) {
		uint16_t element = cursor_be16(in), bytes = cursor_be16(in);
		bool has_pen = template->version == 10 && element & 0x8000;
		uint32_t pen = has_pen ? cursor_be32(in) : 0;

		template->field_bytes[template->field_count++] = bytes;
		template->is_variable |= bytes == VARIABLE_LENGTH;
		if (template->is_variable)
			continue;
		if (pen == 0 || pen == REVERSE_PEN)
			note_counter(template, element & 0x7fff, bytes, pen == REVERSE_PEN);
		template->record_bytes = (uint16_t)(template->record_bytes + bytes);
	}
}

static void read_templates(struct sink *sink, uint16_t version, uint32_t domain,
	struct cursor *in, bool is_options)
{
	while (in->left >= 4) {
		uint16_t id = cursor_be16(in), count = cursor_be16(in);

		if (id < 256)
			return; /* padding */
		if (is_options && version == 9)
			count = (uint16_t)((count + cursor_be16(in)) / 4);
		else if (is_options)
			cursor_be16(in);
		struct template *template = get_template(sink, version, domain, id);

		if (!template || count > FIELDS_MAX) {
			sink->bad++;
			return;
		}
		template->is_options = is_options;
		read_fields(template, in, count);
	}
}

/* -- records ------------------------------------------------------------------------------- */

static uint64_t read_number(const uint8_t *at, unsigned bytes)
{
	uint64_t number = 0;

	for (unsigned i = 0; i < bytes; i++)
		number = number << 8 | at[i];
	return number;
}

/* The length of a record that has fields of variable length; 0 when it does not fit. */
static size_t measure_record(const struct template *template, struct cursor in)
{
	size_t begin = in.left;

	for (unsigned i = 0; i < template->field_count; i++) {
		size_t bytes = template->field_bytes[i];

		if (bytes == VARIABLE_LENGTH) {
			bytes = cursor_u8(&in);
			if (bytes == 255)
				bytes = cursor_be16(&in);
		}
		cursor_skip(&in, bytes);
	}
	return in.failed ? 0 : begin - in.left;
}

static void add_record(struct sink *sink, const struct template *template, const uint8_t *at)
{
	uint64_t found[TOTAL_COUNT] = { 0 };

	for (unsigned i = 0; i < template->counter_count; i++) {
		const struct counter *counter = &template->counters[i];

		found[counter->total] += read_number(at + counter->offset, counter->bytes);
	}
	for (unsigned i = 0; i < TOTAL_COUNT; i++)
		sink->totals[i] += found[i];
	sink->records++;
	sink->two_way_records += found[TOTAL_PACKETS] && found[TOTAL_REVERSE_PACKETS];
}

/* Returns how many records there were, of options too. */
static uint32_t read_records(
	struct sink *sink, const struct template *template, struct cursor *in)
{
	for (uint32_t count = 0;; count++) {
		size_t bytes = template->is_variable ? measure_record(template, *in)
						     : template->record_bytes;
		const uint8_t *at = bytes && bytes <= in->left ? cursor_take(in, bytes) : NULL;

		if (!at)
			return count;
		if (template->is_options)
			sink->options_records++;
		else
			add_record(sink, template, at);
	}
}

/* -- messages ------------------------------------------------------------------------------ */

/* .units: what the sequence number of this version counts, of this message. */
static void follow_sequence(
	struct sink *sink, uint16_t version, uint32_t domain, uint32_t sequence, uint32_t units)
{
	for (unsigned i = 0; i < TABLE_ROWS; i++) {
		struct sequence *row = &sink->sequences[i];

		if (row->version != 0 && (row->version != version || row->domain != domain))
			continue;
		if (row->version != 0)
			sink->sequence_gap += (uint64_t)llabs((int32_t)(sequence - row->next));
		*row = (struct sequence){ domain, sequence + units, version };
		return;
	}
}

/* Returns the number of data records. */
static uint32_t read_sets(
	struct sink *sink, uint16_t version, uint32_t domain, struct cursor *in)
{
	uint16_t template_set = version == 9 ? 0 : 2, options_set = version == 9 ? 1 : 3;
	uint32_t count = 0;

	while (in->left >= 4) {
		uint16_t id = cursor_be16(in), bytes = cursor_be16(in);
		struct cursor set;

		if (bytes < 4 || !cursor_split(in, bytes - 4u, &set)) {
			sink->bad++;
			return count;
		}
		if (id == template_set || id == options_set) {
			read_templates(sink, version, domain, &set, id == options_set);
			continue;
		}
		struct template *template = find_template(sink, version, domain, id);

		if (template)
			count += read_records(sink, template, &set);
		else
			sink->bad++;
	}
	return count;
}

static void read_v5(struct sink *sink, struct cursor *in)
{
	static const struct template record = {
		.record_bytes = 48,
		.counter_count = 2,
		.counters = { { 16, 4, TOTAL_PACKETS }, { 20, 4, TOTAL_OCTETS } },
	};
	uint16_t count = cursor_be16(in);

	cursor_skip(in, 12);
	uint32_t sequence = cursor_be32(in);
	uint16_t engine = cursor_be16(in);

	cursor_skip(in, 2);
	cursor_limit(in, count * 48u);
	sink->bad += read_records(sink, &record, in) != count;
	follow_sequence(sink, 5, engine, sequence, count);
}

static void read_v9(struct sink *sink, struct cursor *in)
{
	cursor_skip(in, 10);
	uint32_t sequence = cursor_be32(in), domain = cursor_be32(in);

	read_sets(sink, 9, domain, in);
	follow_sequence(sink, 9, domain, sequence, 1);
}

static void read_ipfix(struct sink *sink, struct cursor *in)
{
	uint16_t bytes = cursor_be16(in);

	cursor_skip(in, 4);
	uint32_t sequence = cursor_be32(in), domain = cursor_be32(in);

	cursor_limit(in, bytes > 16 ? bytes - 16u : 0);
	follow_sequence(sink, 10, domain, sequence, read_sets(sink, 10, domain, in));
}

static void read_message(struct sink *sink, const uint8_t *bytes, size_t count)
{
	struct cursor in = cursor_over(bytes, count);

	sink->messages++;
	sink->bytes += count;
	switch (cursor_be16(&in)) {
	case 5:
		read_v5(sink, &in);
		break;
	case 9:
		read_v9(sink, &in);
		break;
	case 10:
		read_ipfix(sink, &in);
		break;
	default:
		in.failed = true;
	}
	sink->bad += in.failed;
}

/* -- the socket ---------------------------------------------------------------------------- */

static int open_port(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t length = sizeof(address);
	int on = 1, bytes = RECEIVE_BUFFER_BYTES;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) < 0 ||
		getsockname(fd, (struct sockaddr *)&address, &length) < 0) {
		perror("bench_sink");
		exit(1);
	}
	setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof(on));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof(bytes)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
	printf("port=%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void note_drops(struct sink *sink, struct msghdr *msg)
{
	uint32_t drops;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c))
		if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
			memcpy(&drops, CMSG_DATA(c), sizeof(drops));
			sink->kernel_drops = drops;
		}
}

/* Returns how many datagrams there were. */
static int receive(struct sink *sink, int fd)
{
	static uint8_t bytes[BATCH_MSGS][MSG_BYTES_MAX];
	static uint8_t control[BATCH_MSGS][CMSG_SPACE(sizeof(uint32_t))];
	struct mmsghdr msgs[BATCH_MSGS];
	struct iovec parts[BATCH_MSGS];

	for (unsigned i = 0; i < BATCH_MSGS; i++) {
		parts[i] = (struct iovec){ bytes[i], MSG_BYTES_MAX };
		msgs[i].msg_hdr = (struct msghdr){
			.msg_iov = &parts[i],
			.msg_iovlen = 1,
			.msg_control = control[i],
			.msg_controllen = sizeof(control[i]),
		};
	}
	int count = recvmmsg(fd, msgs, BATCH_MSGS, MSG_DONTWAIT, NULL);

	for (int i = 0; i < count; i++) {
		note_drops(sink, &msgs[i].msg_hdr);
		read_message(sink, bytes[i], msgs[i].msg_len);
	}
	return count;
}

int main(void)
{
	static struct sink sink;
	struct sigaction action = { .sa_handler = stop };
	struct pollfd poll_fd = { .fd = open_port(), .events = POLLIN };

	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	while (receive(&sink, poll_fd.fd) > 0 || !is_stopped)
		poll(&poll_fd, 1, POLL_MS);
	printf("messages=%" PRIu64 "\nbytes=%" PRIu64 "\nrecords=%" PRIu64
	       "\ntwo_way_records=%" PRIu64 "\noptions_records=%" PRIu64 "\npackets=%" PRIu64
	       "\noctets=%" PRIu64 "\nbad=%" PRIu64 "\nkernel_drops=%" PRIu64
	       "\nsequence_gap=%" PRIu64 "\n",
		sink.messages, sink.bytes, sink.records, sink.two_way_records,
		sink.options_records,
		sink.totals[TOTAL_PACKETS] + sink.totals[TOTAL_REVERSE_PACKETS],
		sink.totals[TOTAL_OCTETS] + sink.totals[TOTAL_REVERSE_OCTETS], sink.bad,
		sink.kernel_drops, sink.sequence_gap);
	return 0;
}
