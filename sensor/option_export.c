/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/option_export.h"

#include <string.h>
#include <strings.h>

int option_export_set_template(struct config_parser *parser, const struct option_row *row)
{
	char error[TEMPLATE_ERROR_BYTES];

	if (template_parse(parser->value, &parser->config->template, error) < 0)
		return config_fail(parser, "%s", error);
	return 0;
}

void option_export_dump_template(
	const struct config *config, const struct option_row *row, FILE *out)
{
	char text[CONFIG_TEMPLATE_BYTES];

	template_print(&config->template, text, sizeof(text));
	fprintf(out, "%s = %s\n", row->name, text);
}

#define OPTIONS_SET(symbol, word, ...) " " word
static const char options_data_words[] = "default none"
#include "export/options_set.def"
	;
#undef OPTIONS_SET

const struct options_set_row options_set_rows[OPTIONS_SET_COUNT] = {
#define OPTIONS_SET(symbol, name, standard, ipfix, text) \
	[OPTIONS_SET_##symbol] = { name, standard, ipfix, text },
#include "export/options_set.def"
#undef OPTIONS_SET
};

/* The bits of one word of a list; 0 when nothing is called so. */
static uint32_t options_bits(const char *word, size_t length)
{
	if (length == 7 && strncasecmp(word, "default", length) == 0)
		return OPTIONS_SET_DEFAULT;
	for (size_t i = 0; i < OPTIONS_SET_COUNT; i++)
		if (strlen(options_set_rows[i].word) == length &&
			strncasecmp(options_set_rows[i].word, word, length) == 0)
			return 1u << i;
	return 0;
}

int option_export_set_options_data(struct config_parser *parser, const struct option_row *row)
{
	const char *at = parser->value;
	uint32_t bits = 0;

	if (strcasecmp(at, "none") == 0)
		at = "";
	while (*at) {
		size_t length = strcspn(at, ",");
		uint32_t more = options_bits(at, length);

		if (more == 0)
			return config_fail(parser, "%.*s is not one of: %s", (int)length, at,
				options_data_words);
		bits |= more;
		at += length + (at[length] != 0);
	}
	parser->config->options_data = bits;
	return 0;
}

void option_export_dump_options_data(
	const struct config *config, const struct option_row *row, FILE *out)
{
	uint32_t bits = config->options_data;
	const char *separator = "";

	fprintf(out, "%s = %s", row->name, bits == 0 ? "none" : "");
	if ((bits & OPTIONS_SET_DEFAULT) == OPTIONS_SET_DEFAULT) {
		fputs("default", out);
		separator = ",";
		bits &= ~(uint32_t)OPTIONS_SET_DEFAULT;
	}
	for (size_t i = 0; i < OPTIONS_SET_COUNT; i++)
		if (bits >> i & 1) {
			fprintf(out, "%s%s", separator, options_set_rows[i].word);
			separator = ",";
		}
	fputc('\n', out);
}
