/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From argv and files to a configuration, in layers, of which each takes the place of those
 * below it:
 *
 *	defaults       of the personality, read through the same functions as the user's values
 *	files          see config_folder.h
 *	command line   by getopt_long from the table
 *
 * Which files there are depends on the command line, so that is read first, too. In the end the
 * conclusions that need all options together are drawn (config_conclude.c).
 */
#include "sensor/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/config_folder.h"
#include "sensor/config_destination.h"
#include "sensor/config_row.h"
#include "sensor/element_text.h"

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

static int set_defaults(struct config_parser *parser)
{
	enum personality personality = parser->config->personality;

	parser->layer = LAYER_DEFAULTS;
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (!row->defaults[personality])
			continue;
		int rc = config_set(parser, row, row->name, row->defaults[personality]);
		if (rc < 0)
			return rc;
	}
	for (size_t i = 0; i < timeout_row_count; i++) {
		char text[64];

		snprintf(text, sizeof(text), "%s=%s", timeout_rows[i].name,
			timeout_rows[i].defaults[personality]);
		int rc = config_set(parser, &option_rows[OPTION_TIMEOUT], "timeout", text);
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
			.has_arg = row->word        ? required_argument
				   : row->is_switch ? optional_argument
						    : no_argument,
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
		int rc = config_set(parser, row, spelling, optarg ? optarg : "");
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* The words behind the options are one filter expression. */
static int read_filter(struct config_parser *parser, int count, char **words)
{
	size_t length = 1;

	if (count == 0)
		return 0;
	for (int i = 0; i < count; i++)
		length += strlen(words[i]) + 1;
	char *filter = malloc(length);
	if (!filter)
		return -ENOMEM;
	char *at = filter;
	for (int i = 0; i < count; i++)
		at += sprintf(at, "%s%s", i > 0 ? " " : "", words[i]);
	int rc = config_set(parser, &option_rows[OPTION_FILTER], "filter", filter);
	free(filter);
	return rc;
}

static int read_line(struct config_parser *parser, const struct config_input *input)
{
	parser->layer = LAYER_LINE;
	parser->place = (struct config_place){ 0 };
	memset(parser->was_given_here, 0, sizeof(parser->was_given_here));
	int rc = read_options(parser, input->argc, input->argv);
	return rc < 0 ? rc : read_filter(parser, input->argc - optind, input->argv + optind);
}

/* -- public --------------------------------------------------------------------------- */

static void set_aside(struct config *config)
{
	enum personality personality = config->personality;

	config_clear(config);
	set_identity(config, personality);
}

/* All layers, the upper one twice: what it says of files is known after the first time. */
static int read_layers(struct config_parser *parser, const struct config_input *input)
{
	struct config_parser first = *parser;
	int rc = set_defaults(&first);

	if (rc == 0)
		rc = read_line(&first, input);
	parser->actions = first.actions;
	if (rc < 0 || parser->actions & (ACTION_HELP | ACTION_VERSION | ACTION_ELEMENTS))
		return rc;
	struct config_folder files;
	rc = config_folder_find(&files, &first, input);
	set_aside(parser->config);
	if (rc == 0)
		rc = set_defaults(parser);
	if (rc == 0)
		rc = config_folder_read(&files, parser);
	config_folder_clear(&files);
	return rc < 0 ? rc : read_line(parser, input);
}

static void write_check(const struct config *config, FILE *out)
{
	for (size_t i = 0; i < config->source_count; i++)
		fprintf(out, "%s: %s is good\n", config->program, config->sources[i]);
	fprintf(out, "%s: the command line is good\n", config->program);
}

static int parse(struct config_parser *parser, const struct config_input *input, FILE *out)
{
	struct config *config = parser->config;
	int rc = read_layers(parser, input);

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
	if (parser->actions & ACTION_ELEMENTS) {
		element_write_table(out);
		return CONFIG_HELP;
	}
	rc = config_conclude(parser);
	if (rc < 0)
		return rc;
	if (parser->actions & ACTION_DUMP)
		config_dump(parser, out);
	else if (parser->actions & ACTION_CHECK)
		write_check(config, out);
	return parser->actions ? CONFIG_HELP : 0;
}

int config_parse(struct config *config, const struct config_input *input, FILE *out,
	char error[static CONFIG_ERROR_BYTES])
{
	const char *called = input->argc > 0 ? input->argv[0] : NULL;
	struct config_parser parser = { .config = config, .error = error };

	set_identity(config, personality_of(called));
	snprintf(error, CONFIG_ERROR_BYTES, "out of memory");
	int rc = parse(&parser, input, out);
	if (rc != 0)
		set_aside(config);
	return rc;
}

const char *config_place_text(
	const struct config *config, struct config_place place, char *out, size_t size)
{
	out[0] = '\0';
	if (place.source > 0 && place.source <= config->source_count)
		snprintf(out, size, "%.200s:%u: ", config->sources[place.source - 1],
			place.line);
	return out;
}

void config_clear(struct config *config)
{
	for (size_t i = 0; i < config->file_count; i++)
		free(config->files[i]);
	for (size_t i = 0; i < config->source_count; i++)
		free(config->sources[i]);
	for (size_t i = 0; i < config->destination_count; i++)
		destination_clear(&config->destinations[i]);
	free(config->interface);
	free(config->source_kind);
	free(config->filter);
	free(config->export_device);
	free(config->export_source);
	free(config->compression);
	free(config->pid_file);
	free(config->control_path);
	free(config->user);
	free(config->control_group);
	*config = (struct config){ .hop_limit = -1 };
}
