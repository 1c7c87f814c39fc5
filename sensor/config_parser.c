/* SPDX-License-Identifier: BSD-2-Clause */
/* What all readers of values share: setting one by its row, and saying what is wrong with it.
 */
#include "sensor/config_row.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

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

int config_replace_text(char **member, const char *text)
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

bool config_was_given_here(const struct config_parser *parser, const struct option_row *row)
{
	return parser->was_given_here[row - option_rows];
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
