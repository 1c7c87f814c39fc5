/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The kinds of options, and the table. A kind is a pair of functions, read and print, that find
 * the member they are for by the row's offset; a row whose member has another type than its
 * kind does not compile. Options that no kind fits have functions of their own, below and in
 * option_packets.c and option_export.c.
 */
#include "sensor/config_row.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <syslog.h>

#include "sensor/config_value.h"
#include "sensor/option_export.h"
#include "sensor/option_packets.h"

#define NS_PER_S UINT64_C(1000000000)

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

/* On the command line the first one counts, the others only have to be right. */
static int set_first_choice(struct config_parser *parser, const struct option_row *row)
{
	if (parser->layer != LAYER_LINE || !config_was_given_here(parser, row))
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

static int set_text(struct config_parser *parser, const struct option_row *row)
{
	if (parser->value[0] == 0)
		return config_fail(parser, "is empty");
	return config_replace_text(member_of(parser->config, row), parser->value);
}

static int set_path(struct config_parser *parser, const struct option_row *row)
{
	if (strcmp(parser->value, "none") == 0)
		return config_replace_text(member_of(parser->config, row), NULL);
	return set_text(parser, row);
}

static int set_word(struct config_parser *parser, const struct option_row *row)
{
	const struct choice *choice = choose(parser, row->choices);

	return choice ? config_replace_text(member_of(parser->config, row), choice->word)
		      : -EINVAL;
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
