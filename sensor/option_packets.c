/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/option_packets.h"

#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "sensor/config_value.h"

#define FILTER_SPACE " \t\r\n"
#define COMMENT_BEGINS "#;" /* at the start of a line */
#define FILTER_COLUMN 8     /* behind "filter =" */
#define DUMP_COLUMNS 100    /* of lines that can be cut */

/* [N:]NAME. Only digits before the first colon are an index: "eth0:1" is a name. */
int option_packets_set_interface(struct config_parser *parser, const struct option_row *row)
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
	if (parser->layer == LAYER_LINE && config_was_given_here(parser, row) &&
		strcmp(config->interface, name) != 0)
		return config_fail(parser,
			"one interface at a time, and %s was named before; start another one "
			"for it",
			config->interface);
	config->has_if_index = has_index;
	config->if_index = (uint32_t)index;
	return config_replace_text(&config->interface, name);
}

void option_packets_dump_interface(
	const struct config *config, const struct option_row *row, FILE *out)
{
	fprintf(out, "%s = ", row->name);
	if (config->has_if_index)
		fprintf(out, "%" PRIu32 ":", config->if_index);
	fprintf(out, "%s\n", config->interface);
}

int option_packets_add_file(struct config_parser *parser, const struct option_row *row)
{
	struct config *config = parser->config;

	if (parser->value[0] == 0)
		return config_fail(parser, "is empty");
	if (!config_was_given_here(parser, row))
		while (config->file_count > 0)
			config_replace_text(&config->files[--config->file_count], NULL);
	if (config->file_count == CONFIG_FILES_MAX)
		return config_fail(parser, "more than %d capture files", CONFIG_FILES_MAX);
	int rc = config_replace_text(&config->files[config->file_count], parser->value);
	if (rc == 0)
		config->file_count++;
	return rc;
}

void option_packets_dump_files(
	const struct config *config, const struct option_row *row, FILE *out)
{
	for (size_t i = 0; i < config->file_count; i++)
		fprintf(out, "%s = %s\n", row->name, config->files[i]);
}

int option_packets_set_lanes(struct config_parser *parser, const struct option_row *row)
{
	uint64_t number = 0;

	if (strcasecmp(parser->value, "auto") != 0 &&
		(value_number(parser->value, CONFIG_LANES_MAX, &number) < 0 || number == 0))
		return config_fail(parser, "neither auto nor in 1..%d", CONFIG_LANES_MAX);
	parser->config->lanes = (uint32_t)number;
	return 0;
}

void option_packets_dump_lanes(
	const struct config *config, const struct option_row *row, FILE *out)
{
	if (config->lanes == 0)
		fprintf(out, "%s = auto\n", row->name);
	else
		fprintf(out, "%s = %" PRIu32 "\n", row->name, config->lanes);
}

/* A filter on the command line is given once, with the option or as words. */
int option_packets_set_filter(struct config_parser *parser, const struct option_row *row)
{
	struct config *config = parser->config;
	bool is_empty = parser->value[strspn(parser->value, FILTER_SPACE)] == '\0';

	if (parser->layer == LAYER_LINE && config_was_given_here(parser, row))
		return config_fail(parser, "the filter is given twice, as '%.80s', too",
			config->filter ? config->filter : "");
	config->filter_place = parser->place;
	return config_replace_text(&config->filter, is_empty ? NULL : parser->value);
}

/* A configuration file has no long lines: the words go on behind a tab. */
void option_packets_dump_filter(
	const struct config *config, const struct option_row *row, FILE *out)
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
