/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Three looks at an expression: at its words, before libpcap may ask somebody for a name; at
 * its program, whether each load is of something that is written into the frame; and then, for
 * each flow, whether the program takes its frames.
 *
 * libpcap moves its offsets by a tag when it reads "vlan". So frames carry a tag when the
 * expression says that word, and the flow has one; else they do not, as on an interface that
 * takes tags off.
 */
#include "sensor/flow_filter.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <pcap/pcap.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/flow_filter_check.h"

#define SNAP_BYTES 256
#define WORD_BYTES 64

struct flow_filter {
	struct bpf_program program; /* libpcap's memory */
	bool says_vlan;
};

struct frame {
	uint8_t bytes[FRAME_BYTES_MAX];
	uint32_t length;
};

static int refuse(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *error, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(error, FLOW_FILTER_ERROR_BYTES, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

/* -- words ---------------------------------------------------------------------------- */

enum knowledge { KNOWN, SERVICE, UNKNOWN, NO_WORD };

static enum knowledge knowledge_of(const char *word)
{
	/* clang-format off */
	static const struct {
		const char *word;
		enum knowledge knowledge;
	} rows[] = {
#define FILTER_WORD(word, knowledge) { word, knowledge },
#include "sensor/flow_filter_word.def"
#undef FILTER_WORD
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strcmp(rows[i].word, word) == 0)
			return rows[i].knowledge;
	return NO_WORD;
}

static bool is_made_of(const char *word, const char *characters)
{
	return word[strspn(word, characters)] == '\0';
}

/* One to four numbers with dots between them. */
static bool is_ipv4_or_number(const char *word)
{
	unsigned numbers = 0;

	for (;;) {
		size_t digits = strspn(word, "0123456789");

		if (digits == 0 || ++numbers > 4)
			return false;
		if (word[digits] == '\0')
			return true;
		if (word[digits] != '.')
			return false;
		word += digits + 1;
	}
}

/* What libpcap would not take for a name: "host 1-5", "host 1." and "host 1.2.3.4.5" it would.
 */
static bool is_value(const char *word)
{
	uint8_t address[16];

	if (is_ipv4_or_number(word) || inet_pton(AF_INET6, word, address) == 1)
		return true;
	if (strncmp(word, "0x", 2) == 0 && word[2] != '\0')
		return is_made_of(word + 2, "0123456789abcdefABCDEF");
	if (strlen(word) == 17 && strchr(word, ':')) /* a MAC address */
		return is_made_of(word, "0123456789abcdefABCDEF:");
	return is_made_of(word, "0123456789:"); /* [0:2] */
}

static int check_word(const char *word, bool is_escaped, bool is_service, char *error)
{
	if (is_service)
		return 0;
	if (is_escaped)
		return refuse(error, "\"\\\" has its place behind \"proto\" alone");
	switch (knowledge_of(word)) {
	case UNKNOWN:
		return refuse(error, "\"%s\": a flow cannot tell", word);
	case NO_WORD:
		if (is_value(word))
			return 0;
		return refuse(error,
			"\"%s\" is neither a word of pcap-filter(7) nor an address: names of "
			"hosts are not looked up",
			word);
	case KNOWN:
	case SERVICE:
		break;
	}
	return 0;
}

/* The next word from *at on into .ret_word; false at the end, or when it is too long. Words are
 * cut as libpcap cuts them, but for signs that no name has. */
static bool next_word(const char **at, char ret_word[static WORD_BYTES], bool *ret_escaped,
	char *error, int *rc)
{
	const char *text = *at;
	size_t length = 0;

	*ret_escaped = false;
	while (*text && !isalnum((unsigned char)*text) && *text != ':' && *text != '_' &&
		(unsigned char)*text < 0x80)
		*ret_escaped = *text++ == '\\';
	while (isalnum((unsigned char)text[length]) ||
		(text[length] && strchr(".:_-", text[length])) ||
		(unsigned char)text[length] >= 0x80)
		length++;
	if (length >= WORD_BYTES) {
		*rc = refuse(error, "a word is too long: \"%.20s...\"", text);
		return false;
	}
	memcpy(ret_word, text, length);
	ret_word[length] = '\0';
	*at = text + length;
	return length > 0;
}

static int check_words(struct flow_filter *filter, const char *expression, char *error)
{
	char word[WORD_BYTES];
	bool is_service = false, is_escaped;
	unsigned vlans = 0;
	int rc = 0;

	while (rc == 0 && next_word(&expression, word, &is_escaped, error, &rc)) {
		rc = check_word(word, is_escaped, is_service, error);
		is_service = knowledge_of(word) == SERVICE;
		vlans += strcmp(word, "vlan") == 0;
	}
	if (rc == 0 && vlans > 1)
		return refuse(error, "\"vlan\" may stand there once: a flow knows its outer "
				     "tag alone");
	filter->says_vlan = vlans > 0;
	return rc;
}

/* -- programs ------------------------------------------------------------------------- */

static int check_program(const struct flow_filter *filter, char *error)
{
	const char *reason = flow_filter_check(&filter->program, filter->says_vlan);

	return reason ? refuse(error, "%s", reason) : 0;
}

static int compile(struct flow_filter *filter, const char *expression, char *error)
{
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, SNAP_BYTES);

	if (!pcap)
		return -ENOMEM;
	int rc = pcap_compile(pcap, &filter->program, expression, 1, PCAP_NETMASK_UNKNOWN);
	if (rc < 0)
		rc = refuse(error, "%s", pcap_geterr(pcap));
	pcap_close(pcap);
	return rc;
}

int flow_filter_new(const char *expression, struct flow_filter **ret_filter,
	char error[static FLOW_FILTER_ERROR_BYTES])
{
	struct flow_filter *filter = calloc(1, sizeof(*filter));

	if (!filter) {
		refuse(error, "out of memory");
		return -ENOMEM;
	}
	int rc = strlen(expression) > FLOW_FILTER_BYTES_MAX
			 ? refuse(error, "longer than %d octets", FLOW_FILTER_BYTES_MAX)
			 : check_words(filter, expression, error);
	if (rc == 0)
		rc = compile(filter, expression, error);
	if (rc == 0)
		rc = check_program(filter, error);
	if (rc < 0)
		flow_filter_free(filter);
	else
		*ret_filter = filter;
	return rc;
}

void flow_filter_free(struct flow_filter *filter)
{
	if (!filter)
		return;
	pcap_freecode(&filter->program);
	free(filter);
}

/* -- frames --------------------------------------------------------------------------- */

static void put(struct frame *frame, const void *bytes, size_t count)
{
	memcpy(frame->bytes + frame->length, bytes, count);
	frame->length += (uint32_t)count;
}

static void put_be16(struct frame *frame, uint16_t value)
{
	put(frame, (uint8_t[]){ (uint8_t)(value >> 8), (uint8_t)value }, 2);
}

static void put_link(struct frame *frame, const struct flow_record *record,
	const struct flow_side *side, bool says_vlan)
{
	put(frame, side->destination_mac, 6);
	put(frame, side->source_mac, 6);
	if (says_vlan && side->vlan_id != 0) {
		put_be16(frame, 0x8100);
		put_be16(frame, side->vlan_id);
	}
	put_be16(frame, record->ip_version == 4 ? 0x0800 : 0x86dd);
}

static void put_ipv4(
	struct frame *frame, const struct flow_record *record, unsigned direction, uint8_t tos)
{
	uint8_t header[FRAME_IPV4_BYTES] = { [0] = 0x45, [1] = tos, [9] = record->protocol };

	memcpy(header + 12, record->address[direction], 4);
	memcpy(header + 16, record->address[!direction], 4);
	put(frame, header, sizeof(header));
}

static void put_ipv6(struct frame *frame, const struct flow_record *record, unsigned direction)
{
	const struct flow_side *side = &record->side[direction];
	uint32_t first =
		htonl(6u << 28 | (uint32_t)side->tos << 20 | (side->flow_label & 0xfffff));
	uint8_t header[FRAME_IPV6_BYTES] = { [6] = record->protocol };

	memcpy(header, &first, sizeof(first));
	memcpy(header + 8, record->address[direction], 16);
	memcpy(header + 24, record->address[!direction], 16);
	put(frame, header, sizeof(header));
}

static void put_transport(
	struct frame *frame, const struct flow_record *record, unsigned direction)
{
	const struct flow_side *side = &record->side[direction];
	uint8_t header[FRAME_TRANSPORT_BYTES] = { 0 };
	uint16_t first = record->port[direction], second = record->port[!direction];

	if (record->is_icmp)
		first = side->icmp_type_code;
	header[0] = (uint8_t)(first >> 8);
	header[1] = (uint8_t)first;
	header[2] = (uint8_t)(second >> 8);
	header[3] = (uint8_t)second;
	if (record->protocol == IPPROTO_TCP) {
		header[FRAME_TCP_FLAGS_AT] = (uint8_t)(0x50 | (side->tcp_flags >> 8 & 0x0f));
		header[FRAME_TCP_FLAGS_AT + 1] = (uint8_t)side->tcp_flags;
	}
	put(frame, header, sizeof(header));
}

static bool matches_direction(
	const struct flow_filter *filter, const struct flow_record *record, unsigned direction)
{
	const struct flow_side *side = &record->side[direction];
	struct frame frame = { .length = 0 };

	put_link(&frame, record, side, filter->says_vlan);
	if (record->ip_version == 4)
		put_ipv4(&frame, record, direction, side->tos);
	else
		put_ipv6(&frame, record, direction);
	put_transport(&frame, record, direction);
	struct pcap_pkthdr header = { .caplen = frame.length, .len = frame.length };
	return pcap_offline_filter(&filter->program, &header, frame.bytes) != 0;
}

bool flow_filter_matches(const struct flow_filter *filter, const struct flow_record *record)
{
	for (unsigned direction = 0; direction < 2; direction++)
		if (record->side[direction].packets > 0 &&
			matches_direction(filter, record, direction))
			return true;
	return false;
}
