/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records as text. A *line* is one direction of a record; a *text* is the room it is written
 * to. JSON and CSV are both made from the rows of print_field.def, by straight-line code: this
 * runs once per flow, so nothing here formats through printf. Every octet passes text_take(),
 * which alone knows where the room ends.
 */
#include "export/print.h"

#include <arpa/inet.h>
#include <string.h>

#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u
#define DAY_S 86400u

/* Widths of the table's columns, in characters. */
enum {
	WIDTH_DURATION = 10,
	WIDTH_PROTOCOL = 7,
	WIDTH_ENDPOINT = 24,
	WIDTH_PACKETS = 10,
	WIDTH_OCTETS = 13,
	WIDTH_FLAGS = 9,
	WIDTH_TOS = 4,
};

struct text {
	char *at;
	size_t left;
};

struct line {
	const struct print_config *config;
	const struct flow_record *record;
	const struct flow_side *side;
	unsigned from, to;
};

/* goflow2's words; the other protocols go by their number. */
static const char *const protocol_words[256] = {
	[1] = "ICMP",
	[6] = "TCP",
	[17] = "UDP",
	[58] = "ICMPv6",
	[132] = "SCTP",
};

static const char *const end_words[] = {
	"-",
	"idle",
	"active",
	"end",
	"forced",
	"resources",
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* -- appending ------------------------------------------------------------------------ */

static char *text_take(struct text *out, size_t count)
{
	if (count > out->left)
		return NULL;
	char *at = out->at;
	out->at += count;
	out->left -= count;
	return at;
}

static void put_bytes(struct text *out, const char *bytes, size_t count)
{
	char *at = text_take(out, count);
	if (at)
		memcpy(at, bytes, count);
}

static void put_char(struct text *out, char c)
{
	put_bytes(out, &c, 1);
}

static void put_word(struct text *out, const char *word)
{
	put_bytes(out, word, strlen(word));
}

static const char digit_pairs[] = "00010203040506070809101112131415161718192021222324"
				  "25262728293031323334353637383940414243444546474849"
				  "50515253545556575859606162636465666768697071727374"
				  "75767778798081828384858687888990919293949596979899";

static unsigned count_digits(uint64_t number)
{
	unsigned count = 1;

	for (; number >= 10000; number /= 10000)
		count += 4;
	return count + (number >= 10) + (number >= 100) + (number >= 1000);
}

static void write_digits(char *at, uint64_t number, unsigned count)
{
	for (; number >= 100; number /= 100)
		memcpy(at + (count -= 2), digit_pairs + number % 100 * 2, 2);
	if (number >= 10)
		memcpy(at, digit_pairs + number * 2, 2);
	else
		*at = (char)('0' + number);
}

/* The two above take no struct text, so that the compiler keeps it in registers. */
static inline void put_number(struct text *out, uint64_t number)
{
	unsigned count = count_digits(number);
	char *at = text_take(out, count);

	if (at)
		write_digits(at, number, count);
}

/* Exactly .count digits, zeros in front. */
static void put_digits(struct text *out, uint64_t number, unsigned count)
{
	char *at = text_take(out, count);

	for (; at && count > 0; number /= 10)
		at[--count] = (char)('0' + number % 10);
}

static void put_spaces(struct text *out, size_t count)
{
	char *at = text_take(out, count);
	if (at)
		memset(at, ' ', count);
}

/* -- values --------------------------------------------------------------------------- */

static unsigned line_port(const struct line *line, unsigned end)
{
	return line->record->is_icmp ? 0 : line->record->port[end];
}

/* biflowDirection (239): 1 this direction's source began, 2 its destination did, 0 not known.
 */
static unsigned line_biflow_direction(const struct line *line)
{
	return line->record->is_initiator_known ? line->from + 1 : 0;
}

static void put_address_v4(struct text *out, const uint8_t address[static 4])
{
	for (unsigned i = 0; i < 4; i++) {
		if (i > 0)
			put_char(out, '.');
		put_number(out, address[i]);
	}
}

static void put_address(struct text *out, const struct line *line, unsigned end)
{
	char text[INET6_ADDRSTRLEN];

	if (line->record->ip_version != 6)
		put_address_v4(out, line->record->address[end]);
	else if (inet_ntop(AF_INET6, line->record->address[end], text, sizeof(text)))
		put_word(out, text);
}

static void put_mac(struct text *out, const uint8_t mac[static 6])
{
	static const char hex[] = "0123456789abcdef";
	char text[17];

	for (unsigned i = 0; i < 6; i++) {
		text[i * 3] = hex[mac[i] >> 4];
		text[i * 3 + 1] = hex[mac[i] & 0xf];
		if (i < 5)
			text[i * 3 + 2] = ':';
	}
	put_bytes(out, text, sizeof(text));
}

static void put_protocol(struct text *out, unsigned protocol)
{
	if (protocol_words[protocol])
		put_word(out, protocol_words[protocol]);
	else
		put_number(out, protocol);
}

/* The label values, topmost first. */
static void put_labels(struct text *out, const struct flow_side *side, char separator)
{
	for (unsigned i = 0; i < side->mpls_count && i < FLOW_MPLS_MAX; i++) {
		if (i > 0)
			put_char(out, separator);
		put_number(out, side->mpls[i] >> 4 & 0xfffff);
	}
}

/* -- JSON and CSV --------------------------------------------------------------------- */

#define JSON_WORD(value) (put_char(out, '"'), put_word(out, value), put_char(out, '"'))
#define JSON_NUMBER(value) put_number(out, value)
#define JSON_ADDRESS(value) \
	(put_char(out, '"'), put_address(out, line, value), put_char(out, '"'))
#define JSON_MAC(value) (put_char(out, '"'), put_mac(out, value), put_char(out, '"'))
#define JSON_PROTOCOL(value) (put_char(out, '"'), put_protocol(out, value), put_char(out, '"'))
#define JSON_LABELS(value) (put_char(out, '['), put_labels(out, value, ','), put_char(out, ']'))

/* What stands before the value of each element, and of each field that is none. */
#define KEY(name) ",\"" name "\":"

static const struct {
#define ELEMENT(name, ipfix, v9, octets, type, kind, where, needs, reverse, json, sentence) \
	char name[sizeof(KEY(json))];
#include "export/element.def"
#undef ELEMENT
#define FIELD(...)
#define PLAIN(name, ...) char name[sizeof(KEY(#name))];
#include "export/print_field.def"
#undef PLAIN
} keys = {
#define ELEMENT(name, ipfix, v9, octets, type, kind, where, needs, reverse, json, sentence) \
	.name = KEY(json),
#include "export/element.def"
#undef ELEMENT
#define PLAIN(name, ...) .name = KEY(#name),
#include "export/print_field.def"
#undef PLAIN
#undef FIELD
};

static void put_json(struct text *out, const struct line *line)
{
	char *start = out->at;

#define FIELD(name, kind, source) \
	put_bytes(out, keys.name, sizeof(keys.name) - 1); \
	JSON_##kind(source);
#define PLAIN FIELD
#include "export/print_field.def"
#undef FIELD
	*start = '{';
	put_bytes(out, "}\n", 2);
}

#define CSV_WORD(value) put_word(out, value)
#define CSV_NUMBER(value) put_number(out, value)
#define CSV_ADDRESS(value) put_address(out, line, value)
#define CSV_MAC(value) put_mac(out, value)
#define CSV_PROTOCOL(value) put_protocol(out, value)
#define CSV_LABELS(value) put_labels(out, value, ' ')

/* Every value ends in a comma; the last comma becomes the end of the line. */
static void put_csv(struct text *out, const struct line *line)
{
#define FIELD(name, kind, source) \
	CSV_##kind(source); \
	put_char(out, ',');
#include "export/print_field.def"
#undef FIELD
	out->at[-1] = '\n';
}

/* The key without what JSON puts around it. */
static void put_csv_name(struct text *out, const char *key, size_t length)
{
	put_bytes(out, key + 2, length - 4);
	put_char(out, ',');
}

static void put_csv_header(struct text *out)
{
#define FIELD(name, kind, source) put_csv_name(out, keys.name, sizeof(keys.name) - 1);
#include "export/print_field.def"
#undef FIELD
#undef PLAIN
	out->at[-1] = '\n';
}

/* -- table ---------------------------------------------------------------------------- */

/* Close a column that began at .start: pad to .width, and one space at least. */
static void pad_left_aligned(struct text *out, const char *start, size_t width)
{
	size_t used = (size_t)(out->at - start);

	put_spaces(out, used < width ? width - used + 1 : 1);
}

static void put_right_aligned(struct text *out, uint64_t number, size_t width)
{
	size_t digits = 1;

	for (uint64_t rest = number; rest >= 10; rest /= 10)
		digits++;
	put_spaces(out, digits < width ? width - digits : 0);
	put_number(out, number);
}

/* "2023-11-14 22:13:31.000", UTC. Days to date: the year is taken to begin in March, so that
 * the leap day is its last one. */
static void put_time(struct text *out, uint64_t time_ns)
{
	uint64_t seconds = time_ns / NS_PER_S;
	uint64_t days = seconds / DAY_S + 719468; /* since 0000-03-01 */
	uint64_t era = days / 146097;
	uint64_t day_of_era = days % 146097;
	uint64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) /
		365;
	uint64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	uint64_t march_month = (5 * day_of_year + 2) / 153;
	uint64_t day = day_of_year - (153 * march_month + 2) / 5 + 1;
	uint64_t month = march_month < 10 ? march_month + 3 : march_month - 9;

	put_digits(out, era * 400 + year_of_era + (month <= 2), 4);
	put_char(out, '-');
	put_digits(out, month, 2);
	put_char(out, '-');
	put_digits(out, day, 2);
	put_char(out, ' ');
	put_digits(out, seconds % DAY_S / 3600, 2);
	put_char(out, ':');
	put_digits(out, seconds % 3600 / 60, 2);
	put_char(out, ':');
	put_digits(out, seconds % 60, 2);
	put_char(out, '.');
	put_digits(out, time_ns % NS_PER_S / NS_PER_MS, 3);
}

/* "address:port"; the receiving end of an ICMP message shows "type.code". */
static void put_endpoint(struct text *out, const struct line *line, unsigned end)
{
	const struct flow_record *record = line->record;
	bool has_port = !record->is_icmp && record->port[end] != 0;
	bool has_icmp = record->is_icmp && end == line->to;
	bool needs_brackets = record->ip_version == 6 && (has_port || has_icmp);

	if (needs_brackets)
		put_char(out, '[');
	put_address(out, line, end);
	if (needs_brackets)
		put_char(out, ']');
	if (has_port || has_icmp)
		put_char(out, ':');
	if (has_port)
		put_number(out, record->port[end]);
	if (has_icmp) {
		put_number(out, line->side->icmp_type_code >> 8);
		put_char(out, '.');
		put_number(out, line->side->icmp_type_code & 0xff);
	}
}

static void put_flags(struct text *out, unsigned flags)
{
	static const char letters[] = "CEUAPRSF";

	for (unsigned i = 0; i < 8; i++)
		put_char(out, flags & 0x80u >> i ? letters[i] : '.');
}

static void put_table(struct text *out, const struct line *line)
{
	const struct flow_side *side = line->side;
	uint64_t duration_ns =
		side->last_ns > side->first_ns ? side->last_ns - side->first_ns : 0;
	unsigned reason = line->record->end_reason;
	const char *start;

	put_time(out, side->first_ns);
	put_right_aligned(out, duration_ns / NS_PER_S, WIDTH_DURATION - 4);
	put_char(out, '.');
	put_digits(out, duration_ns % NS_PER_S / NS_PER_MS, 3);
	put_char(out, ' ');
	start = out->at;
	put_protocol(out, line->record->protocol);
	pad_left_aligned(out, start, WIDTH_PROTOCOL);
	start = out->at;
	put_endpoint(out, line, line->from);
	pad_left_aligned(out, start, WIDTH_ENDPOINT);
	put_bytes(out, "> ", 2);
	start = out->at;
	put_endpoint(out, line, line->to);
	pad_left_aligned(out, start, WIDTH_ENDPOINT);
	put_right_aligned(out, side->packets, WIDTH_PACKETS);
	put_right_aligned(out, side->octets, WIDTH_OCTETS);
	put_char(out, ' ');
	put_flags(out, side->tcp_flags);
	put_right_aligned(out, side->tos, WIDTH_TOS);
	put_char(out, ' ');
	put_word(out, end_words[reason < COUNT_OF(end_words) ? reason : 0]);
	put_char(out, '\n');
}

static void put_table_header(struct text *out)
{
	put_word(out,
		"Start (UTC)              Duration Proto   Source                     "
		"Destination                 Packets       Octets Flags     ToS Reason\n");
}

/* -- public --------------------------------------------------------------------------- */

const char *print_protocol_word(uint8_t protocol)
{
	return protocol_words[protocol];
}

size_t print_header(const struct print_config *config, char out[static PRINT_BYTES_MAX])
{
	struct text text = { .at = out, .left = PRINT_BYTES_MAX };

	switch (config->format) {
	case PRINT_TABLE:
		put_table_header(&text);
		break;
	case PRINT_CSV:
		put_csv_header(&text);
		break;
	case PRINT_JSON:
	case PRINT_NONE:
		break;
	}
	return (size_t)(text.at - out);
}

size_t print_record(const struct print_config *config, const struct flow_record *record,
	char out[static PRINT_BYTES_MAX])
{
	struct text text = { .at = out, .left = PRINT_BYTES_MAX };

	for (unsigned from = 0; from < 2; from++) {
		const struct line line = {
			.config = config,
			.record = record,
			.side = &record->side[from],
			.from = from,
			.to = !from,
		};
		if (line.side->packets == 0)
			continue;
		switch (config->format) {
		case PRINT_TABLE:
			put_table(&text, &line);
			break;
		case PRINT_JSON:
			put_json(&text, &line);
			break;
		case PRINT_CSV:
			put_csv(&text, &line);
			break;
		case PRINT_NONE:
			break;
		}
	}
	return (size_t)(text.at - out);
}
