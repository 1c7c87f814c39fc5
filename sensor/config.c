/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From argv to a configuration, in four steps: the defaults of the personality, read through
 * the same functions as the user's values; the options, by getopt_long from the table; what was
 * asked for instead of running; and the conclusions that need all options together. The order
 * of options never matters, so the last step is the only place that looks at two of them.
 */
#include "sensor/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/config_row.h"

/* getopt_long's value of a long option: beyond every letter. */
#define LONG_BASE 256

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
		rc = config_conclude(parser);
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
