/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of options, and the table. A kind is a pair of functions, read and print, that find
 * the member they are for by the row's offset; a row whose member has another type than its
 * kind does not compile. Options that no kind fits have functions of their own further below.
 */
#include "sensor/config_row.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "sensor/config_destination.h"
#include "sensor/config_value.h"
#include "sensor/option_export.h"

#define NS_PER_S UINT64_C(1000000000)

#define FILTER_SPACE " \t\r\n"
#define COMMENT_BEGINS "#;" /* at the start of a line */
#define FILTER_COLUMN 8     /* behind "filter =" */
#define DUMP_COLUMNS 100    /* of lines that can be cut */

/* -- words ---------------------------------------------------------------------------- */

/* clang-format off */
static const struct choice source_choices[] = {
	{ "tpacket" }, { "pcap" }, { NULL },
};
static const struct choice level_choices[] = {
	{ "ip", TRACK_IP }, { "proto", TRACK_PROTO }, { "port", TRACK_PORT },
	{ "full", TRACK_FULL }, { "vlan", TRACK_VLAN }, { "ether", TRACK_ETHER }, { NULL },
};
static const struct choice count_choices[] = {
	{ "wire", COUNT_WIRE }, { "frames", COUNT_FRAMES }, { NULL },
};
static const struct choice absent_choices[] = {
	{ "wait", IF_ABSENT_WAIT }, { "exit", IF_ABSENT_EXIT }, { NULL },
};
static const struct choice fragment_choices[] = {
	{ "follow", FRAGMENTS_FOLLOW }, { "separate", FRAGMENTS_SEPARATE }, { NULL },
};
static const struct choice version_choices[] = {
	{ "1", EXPORT_NETFLOW_1 }, { "5", EXPORT_NETFLOW_5 }, { "9", EXPORT_NETFLOW_9 },
	{ "10", EXPORT_IPFIX }, { "ipfix", EXPORT_IPFIX, .is_alias = true },
	{ "psamp", .refusal = "this build cannot send PSAMP" },
	{ "ntopng", .refusal = "this build cannot send to ntopng" },
	{ NULL },
};
static const struct choice transport_choices[] = {
	{ "udp", CONFIG_TRANSPORT_UDP },
	{ "tcp", CONFIG_TRANSPORT_TCP },
	{ "sctp", .refusal = "this build cannot send over SCTP" },
	{ NULL },
};
static const struct choice compression_choices[] = {
	{ "none" }, { "gzip" }, { "zstd" }, { NULL },
};
static const struct choice time_choices[] = {
	{ "sec", EXPORT_TIME_SECONDS }, { "milli", EXPORT_TIME_MILLISECONDS },
	{ "micro", EXPORT_TIME_MICROSECONDS }, { "nano", EXPORT_TIME_NANOSECONDS },
	{ "uptime", EXPORT_TIME_UPTIME }, { NULL },
};
static const struct choice biflow_choices[] = {
	{ "off", EXPORT_BIFLOW_OFF }, { "minimal", EXPORT_BIFLOW_MINIMAL },
	{ "full", EXPORT_BIFLOW_FULL }, { NULL },
};
static const struct choice print_choices[] = {
	{ "table", PRINT_TABLE }, { "json", PRINT_JSON }, { "csv", PRINT_CSV },
	{ "none", PRINT_NONE, .is_alias = true }, { NULL },
};
static const struct choice log_level_choices[] = {
#define LEVEL(text, priority) { text, priority },
#include "sensor/log_level.def"
#undef LEVEL
	{ NULL },
};
static const struct choice switch_choices[] = {
	{ "yes", true }, { "no", false }, { "on", true, .is_alias = true },
	{ "off", false, .is_alias = true }, { "true", true, .is_alias = true },
	{ "false", false, .is_alias = true }, { NULL },
};
static const struct choice sandbox_choices[] = {
	{ "all", CONFIG_SANDBOX_LANDLOCK | CONFIG_SANDBOX_SECCOMP },
	{ "landlock", CONFIG_SANDBOX_LANDLOCK }, { "seccomp", CONFIG_SANDBOX_SECCOMP },
	{ "none", 0 }, { NULL },
};
/* clang-format on */

const char *choice_list(const struct choice *choices, char *out, size_t size)
{
	size_t length = 0;

	out[0] = 0;
	for (; choices->word && length < size; choices++)
		if (!choices->is_alias && !choices->refusal)
			length += (size_t)snprintf(out + length, size - length, "%s%s",
				length > 0 ? " " : "", choices->word);
	return out;
}

/* The choice that the parser's value names; NULL after an error. Case does not matter. */
static const struct choice *choose(struct config_parser *parser, const struct choice *choices)
{
	char list[128];

	for (const struct choice *choice = choices; choice->word; choice++) {
		if (strcasecmp(choice->word, parser->value) != 0)
			continue;
		if (!choice->refusal)
			return choice;
		config_fail(parser, "%s", choice->refusal);
		return NULL;
	}
	config_fail(parser, "not one of: %s", choice_list(choices, list, sizeof(list)));
	return NULL;
}

/* -- kinds ---------------------------------------------------------------------------- */

static void *member_of(struct config *config, const struct option_row *row)
{
	return (char *)config + row->offset;
}

static const void *const_member_of(const struct config *config, const struct option_row *row)
{
	return (const char *)config + row->offset;
}

/* On the command line the option's name alone says yes. */
static int set_flag(struct config_parser *parser, const struct option_row *row)
{
	bool *member = member_of(parser->config, row);
	const struct choice *choice = switch_choices;

	if (parser->layer != LAYER_LINE || parser->value[0] != '\0')
		choice = choose(parser, switch_choices);
	if (!choice)
		return -EINVAL;
	*member = choice->value;
	return 0;
}

static void dump_flag(const struct config *config, const struct option_row *row, FILE *out)
{
	const bool *member = const_member_of(config, row);

	fprintf(out, "%s = %s\n", row->name, *member ? "yes" : "no");
}

static int set_number(struct config_parser *parser, const struct option_row *row)
{
	uint32_t *member = member_of(parser->config, row);
	uint64_t number;
	int rc = row->is_size ? value_size(parser->value, row->maximum, &number)
			      : value_number(parser->value, row->maximum, &number);

	if (rc == -EINVAL)
		return config_fail(parser, row->is_size
						   ? "not a number of octets, like 65536 or 64K"
						   : "not a number");
	if (rc < 0 || number < row->minimum)
		return config_fail(
			parser, "not in %" PRIu32 "..%" PRIu32, row->minimum, row->maximum);
	*member = (uint32_t)number;
	return 0;
}

static void dump_number(const struct config *config, const struct option_row *row, FILE *out)
{
	const uint32_t *member = const_member_of(config, row);

	fprintf(out, "%s = %" PRIu32 "\n", row->name, *member);
}

static int read_seconds(struct config_parser *parser, const char *text, uint64_t *ret_seconds)
{
	int rc = value_duration_s(text, ret_seconds);

	if (rc == -EINVAL)
		return config_fail(
			parser, "not a time like 90, 10m or 1h30m (units: s m h d w)");
	if (rc == -ERANGE)
		return config_fail(parser, "longer than 68 years");
	return rc;
}

static int set_seconds(struct config_parser *parser, const struct option_row *row)
{
	uint32_t *member = member_of(parser->config, row);
	uint64_t seconds;
	int rc = read_seconds(parser, parser->value, &seconds);

	if (rc < 0)
		return rc;
	*member = (uint32_t)seconds;
	return 0;
}

static int set_choice(struct config_parser *parser, const struct option_row *row)
{
	uint32_t *member = member_of(parser->config, row);
	const struct choice *choice = choose(parser, row->choices);

	if (!choice)
		return -EINVAL;
	*member = choice->value;
	return 0;
}

static bool was_given_here(const struct config_parser *parser, const struct option_row *row)
{
	return parser->was_given_here[row - option_rows];
}

/* On the command line the first one counts, the others only have to be right. */
static int set_first_choice(struct config_parser *parser, const struct option_row *row)
{
	if (parser->layer != LAYER_LINE || !was_given_here(parser, row))
		return set_choice(parser, row);
	return choose(parser, row->choices) ? 0 : -EINVAL;
}

static void dump_choice(const struct config *config, const struct option_row *row, FILE *out)
{
	const uint32_t *member = const_member_of(config, row);
	const struct choice *choice = row->choices;

	while (choice->word && (choice->value != *member || choice->refusal))
		choice++;
	fprintf(out, "%s = %s\n", row->name, choice->word ? choice->word : "none");
}

static int replace_text(char **member, const char *text)
{
	char *copy = NULL;

	if (text) {
		copy = strdup(text);
		if (!copy)
			return -ENOMEM;
	}
	free(*member);
	*member = copy;
	return 0;
}

static int set_text(struct config_parser *parser, const struct option_row *row)
{
	if (parser->value[0] == 0)
		return config_fail(parser, "is empty");
	return replace_text(member_of(parser->config, row), parser->value);
}

static int set_path(struct config_parser *parser, const struct option_row *row)
{
	if (strcmp(parser->value, "none") == 0)
		return replace_text(member_of(parser->config, row), NULL);
	return set_text(parser, row);
}

static int set_word(struct config_parser *parser, const struct option_row *row)
{
	const struct choice *choice = choose(parser, row->choices);

	return choice ? replace_text(member_of(parser->config, row), choice->word) : -EINVAL;
}

static void dump_text(const struct config *config, const struct option_row *row, FILE *out)
{
	char *const *member = const_member_of(config, row);

	fprintf(out, "%s = %s\n", row->name, *member ? *member : "none");
}

static int set_action(struct config_parser *parser, const struct option_row *row)
{
	parser->actions |= row->action;
	return 0;
}

static int set_nothing(struct config_parser *parser, const struct option_row *row)
{
	if (row->reason)
		config_note(parser->config, row->reason);
	return 0;
}

static int refuse(struct config_parser *parser, const struct option_row *row)
{
	return config_fail(parser, "%s", row->reason);
}

/* -- options of their own kind: packets ----------------------------------------------- */

/* [N:]NAME. Only digits before the first colon are an index: "eth0:1" is a name. */
static int set_interface(struct config_parser *parser, const struct option_row *row)
{
	struct config *config = parser->config;
	const char *name = parser->value;
	size_t digits = strspn(name, "0123456789");
	uint64_t index = 0;
	bool has_index = digits > 0 && name[digits] == ':';

	if (has_index) {
		char text[16];

		if (digits >= sizeof(text))
			return config_fail(parser, "the interface index is too large");
		memcpy(text, name, digits);
		text[digits] = 0;
		if (value_number(text, UINT32_MAX, &index) < 0)
			return config_fail(parser, "the interface index is too large");
		name += digits + 1;
	}
	if (name[0] == 0)
		return config_fail(parser, "the name of the interface is missing");
	if (parser->layer == LAYER_LINE && was_given_here(parser, row) &&
		strcmp(config->interface, name) != 0)
		return config_fail(parser,
			"one interface at a time, and %s was named before; start another one "
			"for it",
			config->interface);
	config->has_if_index = has_index;
	config->if_index = (uint32_t)index;
	return replace_text(&config->interface, name);
}

static void dump_interface(const struct config *config, const struct option_row *row, FILE *out)
{
	fprintf(out, "%s = ", row->name);
	if (config->has_if_index)
		fprintf(out, "%" PRIu32 ":", config->if_index);
	fprintf(out, "%s\n", config->interface);
}

static int add_file(struct config_parser *parser, const struct option_row *row)
{
	struct config *config = parser->config;

	if (parser->value[0] == 0)
		return config_fail(parser, "is empty");
	if (!was_given_here(parser, row))
		while (config->file_count > 0)
			replace_text(&config->files[--config->file_count], NULL);
	if (config->file_count == CONFIG_FILES_MAX)
		return config_fail(parser, "more than %d capture files", CONFIG_FILES_MAX);
	int rc = replace_text(&config->files[config->file_count], parser->value);
	if (rc == 0)
		config->file_count++;
	return rc;
}

static void dump_files(const struct config *config, const struct option_row *row, FILE *out)
{
	for (size_t i = 0; i < config->file_count; i++)
		fprintf(out, "%s = %s\n", row->name, config->files[i]);
}

static int set_lanes(struct config_parser *parser, const struct option_row *row)
{
	uint64_t number = 0;

	if (strcasecmp(parser->value, "auto") != 0 &&
		(value_number(parser->value, CONFIG_LANES_MAX, &number) < 0 || number == 0))
		return config_fail(parser, "neither auto nor in 1..%d", CONFIG_LANES_MAX);
	parser->config->lanes = (uint32_t)number;
	return 0;
}

static void dump_lanes(const struct config *config, const struct option_row *row, FILE *out)
{
	if (config->lanes == 0)
		fprintf(out, "%s = auto\n", row->name);
	else
		fprintf(out, "%s = %" PRIu32 "\n", row->name, config->lanes);
}

/* A filter on the command line is given once, with the option or as words. */
static int set_filter(struct config_parser *parser, const struct option_row *row)
{
	struct config *config = parser->config;
	bool is_empty = parser->value[strspn(parser->value, FILTER_SPACE)] == '\0';

	if (parser->layer == LAYER_LINE && was_given_here(parser, row))
		return config_fail(parser, "the filter is given twice, as '%.80s', too",
			config->filter ? config->filter : "");
	config->filter_place = parser->place;
	return replace_text(&config->filter, is_empty ? NULL : parser->value);
}

/* A configuration file has no long lines: the words go on behind a tab. */
static void dump_filter(const struct config *config, const struct option_row *row, FILE *out)
{
	const char *at = config->filter ? config->filter : "";
	int column = fprintf(out, "%s =", row->name);

	for (at += strspn(at, FILTER_SPACE); *at; at += strspn(at, FILTER_SPACE)) {
		int length = (int)strcspn(at, FILTER_SPACE);
		bool is_full = column > FILTER_COLUMN && column + length > DUMP_COLUMNS &&
			       !strchr(COMMENT_BEGINS, *at);

		if (is_full)
			column = 0;
		column += fprintf(out, "%s%.*s", is_full ? "\n\t" : " ", length, at);
		at += length;
	}
	fputc('\n', out);
}

/* -- options of their own kind: flows ------------------------------------------------- */

static uint64_t *timeout_of(struct flow_timeouts *timeouts, const struct timeout_row *row)
{
	return (uint64_t *)(void *)((char *)timeouts + row->offset);
}

static int fail_timeout_name(struct config_parser *parser)
{
	char names[128];
	size_t length = 0;

	for (size_t i = 0; i < timeout_row_count && length < sizeof(names); i++)
		length += (size_t)snprintf(
			names + length, sizeof(names) - length, " %s", timeout_rows[i].name);
	return config_fail(parser, "not NAME=TIME with one of the names:%s", names);
}

static int read_timeout(
	struct config_parser *parser, const char *text, struct flow_timeouts *timeouts)
{
	const char *equals = strchr(text, '=');
	size_t length = equals ? (size_t)(equals - text) : 0;
	const struct timeout_row *row = NULL;
	uint64_t seconds;

	for (size_t i = 0; i < timeout_row_count && equals; i++)
		if (strlen(timeout_rows[i].name) == length &&
			memcmp(timeout_rows[i].name, text, length) == 0)
			row = &timeout_rows[i];
	if (!row)
		return fail_timeout_name(parser);
	int rc = read_seconds(parser, equals + 1, &seconds);
	if (rc < 0)
		return rc;
	if (seconds < row->least_s)
		return config_fail(parser, "this timeout must be %us or more", row->least_s);
	*timeout_of(timeouts, row) = seconds * NS_PER_S;
	return 0;
}

static int set_timeout(struct config_parser *parser, const struct option_row *row)
{
	return read_timeout(parser, parser->value, &parser->config->timeouts);
}

static void dump_timeouts(const struct config *config, const struct option_row *row, FILE *out)
{
	for (size_t i = 0; i < timeout_row_count; i++) {
		const uint64_t *timeout_ns = (const void *)((const char *)&config->timeouts +
							    timeout_rows[i].offset);
		fprintf(out, "%s = %s=%" PRIu64 "s\n", row->name, timeout_rows[i].name,
			*timeout_ns / NS_PER_S);
	}
}

static int set_mac(struct config_parser *parser, const struct option_row *row)
{
	if (value_mac(parser->value, parser->config->own_mac) < 0)
		return config_fail(parser, "not a MAC address like 02:00:00:00:00:01");
	parser->config->has_own_mac = true;
	return 0;
}

static void dump_mac(const struct config *config, const struct option_row *row, FILE *out)
{
	const uint8_t *mac = config->own_mac;

	fprintf(out, "%s = %02x:%02x:%02x:%02x:%02x:%02x\n", row->name, mac[0], mac[1], mac[2],
		mac[3], mac[4], mac[5]);
}

/* -- options of their own kind: export ------------------------------------------------ */

static int add_collector(struct config_parser *parser, const char *text, size_t length)
{
	struct config *config = parser->config;
	struct config_destination *destination;
	const char *reason;

	if (config->destination_count == CONFIG_DESTINATIONS_MAX)
		return config_fail(parser, "more than %d collectors", CONFIG_DESTINATIONS_MAX);
	destination = &config->destinations[config->destination_count];
	destination->place = parser->place;
	int rc = destination_read(destination, text, length, &reason);
	if (rc == -EINVAL)
		return config_fail(parser, "%s", reason);
	if (rc == 0)
		config->destination_count++;
	return rc;
}

static void forget_collectors(struct config *config)
{
	while (config->destination_count > 0)
		destination_clear(&config->destinations[--config->destination_count]);
}

/* Those of a layer take the place of those below it. */
static int add_collectors(struct config_parser *parser, const struct option_row *row)
{
	const char *at = parser->value;
	bool is_none = strcmp(parser->value, "none") == 0;

	if (is_none || !was_given_here(parser, row))
		forget_collectors(parser->config);
	if (is_none)
		return 0;
	for (;;) {
		size_t length = strcspn(at, ",");
		int rc = add_collector(parser, at, length);

		if (rc < 0 || at[length] == 0)
			return rc;
		at += length + 1;
	}
}

static void dump_collectors(
	const struct config *config, const struct option_row *row, FILE *out)
{
	for (size_t i = 0; i < config->destination_count; i++) {
		fprintf(out, "%s = ", row->name);
		destination_write(&config->destinations[i], out);
		fputc('\n', out);
	}
}

static int set_bidirectional(struct config_parser *parser, const struct option_row *row)
{
	parser->config->biflow = EXPORT_BIFLOW_FULL;
	parser->was_given[OPTION_BIFLOW] = true;
	return 0;
}

static int set_domain(struct config_parser *parser, const struct option_row *row)
{
	uint64_t number = 0;
	bool is_auto = strcasecmp(parser->value, "auto") == 0;
	int rc = is_auto ? 0 : value_number(parser->value, UINT32_MAX, &number);

	if (rc < 0)
		return config_fail(parser, "neither auto nor in 0..%" PRIu32, UINT32_MAX);
	parser->config->has_domain = !is_auto;
	parser->config->domain = (uint32_t)number;
	return 0;
}

static void dump_domain(const struct config *config, const struct option_row *row, FILE *out)
{
	if (config->has_domain)
		fprintf(out, "%s = %" PRIu32 "\n", row->name, config->domain);
	else
		fprintf(out, "%s = auto\n", row->name);
}

static int set_export_device(struct config_parser *parser, const struct option_row *row)
{
	if (parser->value[0] == 0)
		return config_fail(parser, "the name of the interface is missing");
	return replace_text(&parser->config->export_device, parser->value);
}

static void dump_export_device(
	const struct config *config, const struct option_row *row, FILE *out)
{
	fprintf(out, "%s = %s\n", row->name,
		config->export_device ? config->export_device : "none");
}

static int set_hop_limit(struct config_parser *parser, const struct option_row *row)
{
	uint64_t number;

	if (value_number(parser->value, 255, &number) < 0 || number == 0)
		return config_fail(parser, "not in 1..255");
	parser->config->hop_limit = (int)number;
	return 0;
}

static void dump_hop_limit(const struct config *config, const struct option_row *row, FILE *out)
{
	fprintf(out, "%s = %d\n", row->name, config->hop_limit);
}

/* -- options of their own kind: process ----------------------------------------------- */

static int set_control_mode(struct config_parser *parser, const struct option_row *row)
{
	uint32_t mode = 0;
	const char *at = parser->value;

	while (*at >= '0' && *at <= '7' && mode <= 0777)
		mode = mode * 8 + (uint32_t)(*at++ - '0');
	if (at == parser->value || *at != 0 || mode > 0777)
		return config_fail(parser, "not an octal number up to 0777");
	parser->config->control_mode = mode;
	return 0;
}

static void dump_control_mode(
	const struct config *config, const struct option_row *row, FILE *out)
{
	fprintf(out, "%s = %04" PRIo32 "\n", row->name, config->control_mode);
}

static int add_path(struct config_parser *parser, const struct option_row *row)
{
	if (parser->value[0] == '\0')
		return config_fail(parser, "is empty");
	if (parser->layer == LAYER_FILES)
		return config_fail(parser, "a file cannot lead to another one");
	if (strcmp(parser->value, "none") == 0) {
		parser->path_count = 0;
		return 0;
	}
	if (parser->path_count == CONFIG_FILES_GIVEN_MAX)
		return config_fail(
			parser, "more than %d configuration files", CONFIG_FILES_GIVEN_MAX);
	parser->paths[parser->path_count++] = parser->value;
	return 0;
}

/* The word for the level that most want. Which of both is given last, counts. */
static int set_verbose(struct config_parser *parser, const struct option_row *row)
{
	int rc = set_flag(parser, row);

	if (rc == 0)
		parser->config->log_level = parser->config->is_verbose ? LOG_DEBUG : LOG_INFO;
	return rc;
}

static int set_debug(struct config_parser *parser, const struct option_row *row)
{
	parser->config->is_foreground = true;
	parser->config->is_verbose = true;
	parser->config->log_level = LOG_DEBUG;
	parser->config->track_v6 = true;
	return 0;
}

/* -- the table ------------------------------------------------------------------------ */

/* The offset of a member of the given type; another type has no branch and does not compile.
 * Enums count as the unsigned type that they are. */
#define MEMBER(type, member) \
	_Generic(&((struct config *)0)->member, type * : offsetof(struct config, member))

/* clang-format off */
#define FLAG(member) \
	.set = set_flag, .dump = dump_flag, .is_switch = true, .offset = MEMBER(bool, member)
#define FLAG_AND(member, setter) \
	.set = setter, .dump = dump_flag, .is_switch = true, .offset = MEMBER(bool, member)
#define NUMBER(member, least, most) \
	.set = set_number, .dump = dump_number, .offset = MEMBER(uint32_t, member), \
	.minimum = least, .maximum = most
#define SIZE(member, least, most) NUMBER(member, least, most), .is_size = true
#define SECONDS(member) \
	.set = set_seconds, .dump = dump_number, .offset = MEMBER(uint32_t, member)
#define CHOICE(member, list) \
	.set = set_choice, .dump = dump_choice, .offset = MEMBER(uint32_t, member), \
	.choices = list
#define FIRST_CHOICE(member, list) \
	.set = set_first_choice, .dump = dump_choice, .offset = MEMBER(uint32_t, member), \
	.choices = list
#define WORD(member, list) \
	.set = set_word, .dump = dump_text, .offset = MEMBER(char *, member), .choices = list
#define TEXT(member) \
	.set = set_text, .dump = dump_text, .offset = MEMBER(char *, member)
#define PATH(member) \
	.set = set_path, .dump = dump_text, .offset = MEMBER(char *, member), \
	.completion = COMPLETE_FILE
#define CUSTOM(setter, dumper, complete) \
	.set = setter, .dump = dumper, .completion = complete
#define ACTION(bit) .set = set_action, .action = bit
#define NOTHING(note) .set = set_nothing, .reason = note
#define SESSION RELOAD_SESSION
#define REFUSED(why) .set = refuse, .reason = why, .is_refused = true

const struct option_row option_rows[OPTION_COUNT] = {
#define GROUP(symbol, text) [OPTION_##symbol] = { .title = text },
#define OPTION(symbol, short_form, long_form, argument, kind, ringflow, softflow, reloading, \
	line, paragraph) \
	[OPTION_##symbol] = { .letter = short_form, .name = long_form, .word = argument, kind, \
		.defaults = { ringflow, softflow }, .reload = (enum config_reload)(reloading), .help = line, \
		.manual = paragraph },
#define TIMEOUT(...)
#include "sensor/options.def"
#undef GROUP
#undef OPTION
#undef TIMEOUT
};

const struct timeout_row timeout_rows[] = {
#define GROUP(...)
#define OPTION(...)
#define TIMEOUT(text, member, ringflow, softflow, least, meaning) \
	{ .name = text, .offset = offsetof(struct flow_timeouts, member), \
	  .defaults = { ringflow, softflow }, .least_s = least, .sentence = meaning },
#include "sensor/options.def"
#undef GROUP
#undef OPTION
#undef TIMEOUT
};
/* clang-format on */

const size_t timeout_row_count = sizeof(timeout_rows) / sizeof(timeout_rows[0]);

_Static_assert(sizeof(struct flow_timeouts) ==
		       sizeof(timeout_rows) / sizeof(timeout_rows[0]) * sizeof(uint64_t),
	"every timeout has a row");
_Static_assert(RELOAD_RESTART == false && RELOAD_LIVE == true, "the table says so");
_Static_assert(PERSONALITY_RINGFLOW == 0 && PERSONALITY_SOFTFLOWD == 1,
	"the default columns are indexed by it");

/* -- public --------------------------------------------------------------------------- */

int config_set(struct config_parser *parser, const struct option_row *row, const char *spelling,
	const char *value)
{
	ptrdiff_t id = row - option_rows;

	parser->spelling = spelling;
	parser->value = value;
	int rc = row->set(parser, row);
	if (rc < 0 || parser->layer == LAYER_DEFAULTS)
		return rc;
	parser->was_given[id] = parser->was_given_here[id] = true;
	parser->places[id] = parser->place;
	return 0;
}

int config_begin_file(struct config_parser *parser, const char *path)
{
	struct config *config = parser->config;

	if (config->source_count == CONFIG_SOURCES_MAX)
		return -E2BIG;
	config->sources[config->source_count] = strdup(path);
	if (!config->sources[config->source_count])
		return -ENOMEM;
	config->source_count++;
	parser->place = (struct config_place){ .source = (uint32_t)config->source_count };
	return 0;
}

bool config_row_has_value(const struct option_row *row)
{
	return !row->title && (row->word || row->is_switch);
}

void config_make_line(char *text)
{
	for (; *text; text++)
		if (iscntrl((unsigned char)*text))
			*text = '?';
}

int config_fail(struct config_parser *parser, const char *format, ...)
{
	char reason[CONFIG_ERROR_BYTES], place[CONFIG_ERROR_BYTES];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	snprintf(parser->error, CONFIG_ERROR_BYTES, "%s%s%s%.160s: %.300s",
		config_place_text(parser->config, parser->place, place, sizeof(place)),
		parser->spelling, parser->value[0] ? " " : "", parser->value, reason);
	config_make_line(parser->error);
	return -EINVAL;
}

void config_note(struct config *config, const char *note)
{
	if (config->note_count < CONFIG_NOTES_MAX)
		config->notes[config->note_count++] = note;
}

int config_parse_duration(const char *text, uint64_t *ret_ns)
{
	uint64_t seconds;
	int rc = value_duration_s(text, &seconds);

	if (rc < 0)
		return rc;
	*ret_ns = seconds * NS_PER_S;
	return 0;
}

int config_parse_timeout(
	const char *text, struct flow_timeouts *timeouts, char error[static CONFIG_ERROR_BYTES])
{
	struct config_parser parser = { .spelling = "timeout", .value = text, .error = error };

	return read_timeout(&parser, text, timeouts);
}
