/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/option_export.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <strings.h>

#include "sensor/config_destination.h"
#include "sensor/config_value.h"

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
int option_export_add_collectors(struct config_parser *parser, const struct option_row *row)
{
	const char *at = parser->value;
	bool is_none = strcmp(parser->value, "none") == 0;

	if (is_none || !config_was_given_here(parser, row))
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

void option_export_dump_collectors(
	const struct config *config, const struct option_row *row, FILE *out)
{
	for (size_t i = 0; i < config->destination_count; i++) {
		fprintf(out, "%s = ", row->name);
		destination_write(&config->destinations[i], out);
		fputc('\n', out);
	}
}

int option_export_set_bidirectional(struct config_parser *parser, const struct option_row *row)
{
	parser->config->biflow = EXPORT_BIFLOW_FULL;
	parser->was_given[OPTION_BIFLOW] = true;
	return 0;
}

int option_export_set_domain(struct config_parser *parser, const struct option_row *row)
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

void option_export_dump_domain(
	const struct config *config, const struct option_row *row, FILE *out)
{
	if (config->has_domain)
		fprintf(out, "%s = %" PRIu32 "\n", row->name, config->domain);
	else
		fprintf(out, "%s = auto\n", row->name);
}

int option_export_set_export_device(struct config_parser *parser, const struct option_row *row)
{
	if (parser->value[0] == 0)
		return config_fail(parser, "the name of the interface is missing");
	return config_replace_text(&parser->config->export_device, parser->value);
}

void option_export_dump_export_device(
	const struct config *config, const struct option_row *row, FILE *out)
{
	fprintf(out, "%s = %s\n", row->name,
		config->export_device ? config->export_device : "none");
}

int option_export_set_hop_limit(struct config_parser *parser, const struct option_row *row)
{
	uint64_t number;

	if (value_number(parser->value, 255, &number) < 0 || number == 0)
		return config_fail(parser, "not in 1..255");
	parser->config->hop_limit = (int)number;
	return 0;
}

void option_export_dump_hop_limit(
	const struct config *config, const struct option_row *row, FILE *out)
{
	fprintf(out, "%s = %d\n", row->name, config->hop_limit);
}
