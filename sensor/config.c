/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From argv to a configuration, in four steps: the defaults of the personality, read through
 * the same functions as the user's values; the options, by getopt_long from the table; what was
 * asked for instead of running; and the conclusions that need all options together. The order
 * of options never matters, so the last step is the only place that looks at two of them.
 */
#include "sensor/config.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/config_row.h"

/* getopt_long's value of a long option: beyond every letter. */
#define LONG_BASE 256

#define MTU_BYTES_MIN 576u
#define MESSAGE_BYTES_AUTOMATIC 1400u
#define HEADER_BYTES_V4 28u /* IP and UDP */
#define HEADER_BYTES_V6 48u
#define RING_BYTES_MAX (UINT64_C(1) << 32)

/* -- defaults ------------------------------------------------------------------------- */

static enum personality personality_of(const char *path)
{
	const char *slash = path ? strrchr(path, '/') : NULL;
	const char *name = slash ? slash + 1 : path;
	static const char softflow[] = "softflow";

	return name && strncmp(name, softflow, sizeof(softflow) - 1) == 0
		       ? PERSONALITY_SOFTFLOWD
		       : PERSONALITY_RINGFLOW;
}

static void set_identity(struct config *config, enum personality personality)
{
	*config = (struct config){
		.personality = personality,
		.program = personality == PERSONALITY_SOFTFLOWD ? "softflowd" : "ringflowd",
		.hop_limit = -1,
	};
}

static int set_row(struct config_parser *parser, const struct option_row *row,
	const char *spelling, const char *value)
{
	parser->spelling = spelling;
	parser->value = value;
	return row->set(parser, row);
}

static int set_defaults(struct config_parser *parser)
{
	enum personality personality = parser->config->personality;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (!row->defaults[personality])
			continue;
		int rc = set_row(parser, row, row->name, row->defaults[personality]);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < timeout_row_count; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s=%s", timeout_rows[i].name,
			timeout_rows[i].defaults[personality]);
		int rc = set_row(parser, &option_rows[OPTION_TIMEOUT], "timeout", text);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* -- the command line ----------------------------------------------------------------- */

/* What getopt_long wants, made from the rows. */
struct getopt_tables {
	char letters[2 + 2 * OPTION_COUNT + 1];
	struct option names[OPTION_COUNT + 1];
};

static void getopt_tables_fill(struct getopt_tables *tables)
{
	char *letter = tables->letters;
	struct option *name = tables->names;

	memset(tables, 0, sizeof(*tables));
	*letter++ = ':'; /* tell a missing argument from an unknown option */
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->title)
			continue;
		*name++ = (struct option){
			.name = row->name,
			.has_arg = row->word ? required_argument : no_argument,
			.val = LONG_BASE + (int)i,
		};
		if (!row->letter)
			continue;
		*letter++ = row->letter;
		if (row->word)
			*letter++ = ':';
	}
}

/* The row behind a value of getopt_long; NULL when there is none. */
static const struct option_row *row_of(int value)
{
	if (value >= LONG_BASE && value < LONG_BASE + OPTION_COUNT)
		return &option_rows[value - LONG_BASE];
	for (size_t i = 0; value != 0 && i < OPTION_COUNT; i++)
		if (option_rows[i].letter == value)
			return &option_rows[i];
	return NULL;
}

/* How the user wrote an option: "-t" or "--timeout". */
static const char *spell(char *out, size_t size, int value, const struct option_row *row)
{
	if (value >= LONG_BASE)
		snprintf(out, size, "--%s", row->name);
	else
		snprintf(out, size, "-%c", value);
	return out;
}

/* The option that getopt_long did not understand. */
static int fail_unknown(struct config_parser *parser, char **argv)
{
	const struct option_row *row = row_of(optopt);
	char text[64];

	parser->value = "";
	if (row) {
		parser->spelling = spell(text, sizeof(text), optopt, row);
		return config_fail(parser, "takes no argument");
	}
	if (optopt)
		snprintf(text, sizeof(text), "-%c", optopt);
	else
		snprintf(text, sizeof(text), "%s", argv[optind - 1]);
	parser->spelling = text;
	return config_fail(parser, "not an option, or short for several; --help lists them");
}

static int read_options(struct config_parser *parser, int argc, char **argv)
{
	struct getopt_tables tables;
	int value;

	getopt_tables_fill(&tables);
	optind = 0; /* glibc and musl: begin anew */
	opterr = 0;
	while ((value = getopt_long(argc, argv, tables.letters, tables.names, NULL)) != -1) {
		char spelling[64];

		if (value == '?')
			return fail_unknown(parser, argv);
		const struct option_row *row = row_of(value == ':' ? optopt : value);
		spell(spelling, sizeof(spelling), value == ':' ? optopt : value, row);
		if (value == ':') {
			parser->spelling = spelling;
			parser->value = "";
			return config_fail(parser, "needs an argument: %s", row->word);
		}
		int rc = set_row(parser, row, spelling, row->word ? optarg : "");
		if (rc < 0)
			return rc;
		parser->was_given[row - option_rows] = true;
	}
	return 0;
}

/* The words behind the options are one filter expression. */
static int read_filter(struct config *config, int count, char **words)
{
	size_t length = 1;

	if (count == 0)
		return 0;
	for (int i = 0; i < count; i++)
		length += strlen(words[i]) + 1;
	config->filter = malloc(length);
	if (!config->filter)
		return -ENOMEM;
	char *at = config->filter;
	for (int i = 0; i < count; i++)
		at += sprintf(at, "%s%s", i > 0 ? " " : "", words[i]);
	return 0;
}

/* -- conclusions ---------------------------------------------------------------------- */

/* An error that no single option is to blame for. */
static int fail_together(struct config_parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int fail_together(struct config_parser *parser, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(parser->error, CONFIG_ERROR_BYTES, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int conclude_source(struct config_parser *parser)
{
	struct config *config = parser->config;

	if (config->interface && config->file_count > 0)
		return fail_together(parser,
			"-i %s with -r %s: packets come from an interface or from capture "
			"files, "
			"not from both",
			config->interface, config->files[0]);
	if (!config->interface && config->file_count == 0)
		return fail_together(parser,
			"no packets to meter: give an interface (-i) or a capture file (-r)");
	if (config->source_kind && config->file_count > 0)
		return fail_together(parser,
			"--source %s with -r: it chooses how an interface is captured",
			config->source_kind);
	return 0;
}

static int conclude_ring(struct config_parser *parser)
{
	struct config *config = parser->config;

	if ((config->block_bytes & (config->block_bytes - 1)) != 0)
		return fail_together(
			parser, "--block-size %u: not a power of two", config->block_bytes);
	if (config->buffer_bytes > 0 && !parser->was_given[OPTION_BLOCK_COUNT]) {
		uint32_t blocks =
			(uint32_t)(((uint64_t)config->buffer_bytes + config->block_bytes - 1) /
				   config->block_bytes);
		config->block_count = blocks < 2 ? 2 : blocks;
	}
	if ((uint64_t)config->block_bytes * config->block_count > RING_BYTES_MAX)
		return fail_together(parser,
			"--block-size %u with --block-count %u: a ring of more than 4 GiB",
			config->block_bytes, config->block_count);
	return 0;
}

static bool is_v4_address(const char *host)
{
	uint8_t address[4];

	return inet_pton(AF_INET, host, address) == 1;
}

/* The headers that the largest message travels under. A name may turn out to be IPv6. */
static uint32_t header_bytes(const struct config *config)
{
	for (size_t i = 0; i < config->destination_count; i++)
		if (!is_v4_address(config->destinations[i].host))
			return HEADER_BYTES_V6;
	return config->destination_count > 0 ? HEADER_BYTES_V4 : HEADER_BYTES_V6;
}

static int conclude_messages(struct config_parser *parser)
{
	struct config *config = parser->config;

	config->has_domain = parser->was_given[OPTION_DOMAIN];
	if (config->has_domain && config->lanes > 1 &&
		config->domain > UINT32_MAX - (config->lanes - 1))
		return fail_together(parser,
			"--domain %u with --lanes %u: there are no numbers for all lanes",
			config->domain, config->lanes);
	if (config->mtu_bytes == 0) {
		config->message_bytes = MESSAGE_BYTES_AUTOMATIC;
		return 0;
	}
	if (config->mtu_bytes < MTU_BYTES_MIN)
		return fail_together(
			parser, "--mtu %u: not in %u..65535", config->mtu_bytes, MTU_BYTES_MIN);
	config->message_bytes = config->mtu_bytes - header_bytes(config);
	return 0;
}

/* Options that the export version has no place for change nothing, and say so. */
static void conclude_version(struct config_parser *parser)
{
	struct config *config = parser->config;
	bool has_templates = config->version >= EXPORT_NETFLOW_9;
	bool is_ipfix = config->version == EXPORT_IPFIX;

	if (!parser->was_given[OPTION_TIME_FORMAT] && !is_ipfix)
		config->time = EXPORT_TIME_UPTIME;
	if (config->time != EXPORT_TIME_UPTIME && !has_templates) {
		config->time = EXPORT_TIME_UPTIME;
		config_note(config, "-A: NetFlow v1 and v5 can only tell the uptime");
	}
	if (config->biflow != EXPORT_BIFLOW_OFF && !is_ipfix) {
		config->biflow = EXPORT_BIFLOW_OFF;
		config_note(config, "-b, --biflow: only IPFIX (-v 10) has such records");
	}
	if (config->mpls_labels > 0 && !has_templates) {
		config->mpls_labels = 0;
		config_note(config, "-x: NetFlow v1 and v5 cannot carry MPLS labels");
	}
	if (has_templates || config->print != PRINT_NONE)
		config->track_v6 = true;
}

static void drop_text(char **text)
{
	free(*text);
	*text = NULL;
}

static void conclude_process(struct config_parser *parser)
{
	struct config *config = parser->config;
	bool is_replay = config->file_count > 0;

	if (is_replay || config->print != PRINT_NONE)
		config->is_foreground = true;
	if (is_replay)
		drop_text(&config->control_path);
	if (config->is_foreground && !parser->was_given[OPTION_PID_FILE])
		drop_text(&config->pid_file);
	if (config->sampling_interval == 0)
		config->sampling_interval = 1;
}

static int conclude(struct config_parser *parser)
{
	int rc = conclude_source(parser);

	if (rc == 0)
		rc = conclude_ring(parser);
	if (rc == 0)
		rc = conclude_messages(parser);
	if (rc < 0)
		return rc;
	conclude_version(parser);
	conclude_process(parser);
	return 0;
}

/* -- public --------------------------------------------------------------------------- */

static int parse(struct config_parser *parser, int argc, char **argv, FILE *out)
{
	struct config *config = parser->config;
	int rc = set_defaults(parser);

	if (rc == 0)
		rc = read_options(parser, argc, argv);
	if (rc < 0)
		return rc;
	if (parser->actions & ACTION_HELP) {
		config_write_help(config->personality, out);
		return CONFIG_HELP;
	}
	if (parser->actions & ACTION_VERSION) {
		version_write(config->program, config->is_verbose, out);
		return CONFIG_HELP;
	}
	rc = read_filter(config, argc - optind, argv + optind);
	if (rc == 0)
		rc = conclude(parser);
	if (rc < 0)
		return rc;
	if (parser->actions & ACTION_DUMP)
		config_dump(parser, out);
	else if (parser->actions & ACTION_CHECK)
		fprintf(out, "%s: the command line is good\n", config->program);
	return parser->actions ? CONFIG_HELP : 0;
}

int config_parse(struct config *config, int argc, char **argv, FILE *out,
	char error[static CONFIG_ERROR_BYTES])
{
	enum personality personality = personality_of(argc > 0 ? argv[0] : NULL);
	struct config_parser parser = { .config = config, .error = error };

	set_identity(config, personality);
	snprintf(error, CONFIG_ERROR_BYTES, "out of memory");
	int rc = parse(&parser, argc, argv, out);
	if (rc == 0)
		return 0;
	config_clear(config);
	set_identity(config, personality);
	return rc;
}

void config_clear(struct config *config)
{
	for (size_t i = 0; i < config->file_count; i++)
		free(config->files[i]);
	for (size_t i = 0; i < config->destination_count; i++) {
		free(config->destinations[i].host);
		free(config->destinations[i].port);
	}
	free(config->interface);
	free(config->source_kind);
	free(config->filter);
	free(config->export_device);
	free(config->export_source);
	free(config->pid_file);
	free(config->control_path);
	free(config->control_group);
	*config = (struct config){ .hop_limit = -1 };
}
