/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option rows as texts for a terminal, an editor and a shell: --help, --dump-config, the
 * example of a configuration file, completion. Nothing here knows a single option.
 */
#include <string.h>

#include "sensor/config_row.h"

#define HELP_COLUMN 34 /* where the sentences start */

/* -- help ----------------------------------------------------------------------------- */

static bool is_usable(const struct option_row *row)
{
	return !row->title && !row->is_refused;
}

static void write_help_row(
	const struct option_row *row, enum personality personality, FILE *out)
{
	int used = fprintf(out, row->letter ? "  -%c, " : "      ", row->letter);

	used += fprintf(out, "--%s", row->name);
	if (row->word)
		used += fprintf(out, " %s", row->word);
	if (used >= HELP_COLUMN) {
		fputc('\n', out);
		used = 0;
	}
	fprintf(out, "%*s%s", HELP_COLUMN - used, "", row->help);
	if (row->defaults[personality])
		fprintf(out, " [%s]", row->defaults[personality]);
	fputc('\n', out);
}

void config_write_help(enum personality personality, FILE *out)
{
	const char *program = personality == PERSONALITY_SOFTFLOWD ? "softflowd" : "ringflowd";

	fprintf(out, "Usage: %s -i [N:]INTERFACE [OPTION...] [FILTER]\n", program);
	fprintf(out, "       %s -r FILE [OPTION...] [FILTER]\n", program);
	fprintf(out,
		"Meter packets into flows and send them as NetFlow or IPFIX. FILTER is an\n"
		"expression like tcpdump's: only packets that match are metered.\n");
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->title)
			fprintf(out, "\n%s:\n", row->title);
		else if (is_usable(row))
			write_help_row(row, personality, out);
	}
	fprintf(out, "\nTimeouts (-t NAME=TIME; units s m h d w):\n");
	for (size_t i = 0; i < timeout_row_count; i++)
		fprintf(out, "  %-9s%s [%s]\n", timeout_rows[i].name, timeout_rows[i].sentence,
			timeout_rows[i].defaults[personality]);
}

/* -- dump ----------------------------------------------------------------------------- */

void config_dump(const struct config_parser *parser, FILE *out)
{
	enum personality personality = parser->config->personality;

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		bool has_value = parser->was_given[i] || row->is_switch ||
				 row->defaults[personality] || i == OPTION_TIMEOUT;

		if (row->dump && has_value)
			row->dump(parser->config, row, out);
	}
}

/* -- example -------------------------------------------------------------------------- */

/* Lines that only want their # taken away have defaults; the others want a value, too. */
static void write_example_row(const struct option_row *row, FILE *out)
{
	const char *value = row->defaults[PERSONALITY_RINGFLOW];

	fprintf(out, "# %s\n", row->help);
	if (row->is_switch || value)
		fprintf(out, "#%s = %s\n\n", row->name, value ? value : "no");
	else if (row != &option_rows[OPTION_TIMEOUT])
		fprintf(out, "# %s = %s\n\n", row->name, row->word);
	else
		for (size_t i = 0; i < timeout_row_count; i++)
			fprintf(out, "# %s\n#%s = %s=%s\n\n", timeout_rows[i].sentence,
				row->name, timeout_rows[i].name,
				timeout_rows[i].defaults[PERSONALITY_RINGFLOW]);
}

void config_write_example(FILE *out)
{
	fputs("# A configuration of ringflowd, with every option and its default; made from\n"
	      "# the table of options. See CONFIGURATION FILES and OPTIONS in ringflowd(8).\n",
		out);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->title)
			fprintf(out, "\n## %s\n\n", row->title);
		else if (is_usable(row) && config_row_has_value(row) && i != OPTION_CONFIG)
			write_example_row(row, out);
	}
}

/* -- completion ----------------------------------------------------------------------- */

/* The bash command that fills COMPREPLY for the argument of .row. */
static void write_completion_of(const struct option_row *row, FILE *out)
{
	char list[128];

	if (row->choices) {
		fprintf(out, "COMPREPLY=($(compgen -W \"%s\" -- \"$cur\"))",
			choice_list(row->choices, list, sizeof(list)));
		return;
	}
	switch (row->completion) {
	case COMPLETE_FILE:
		fputs("COMPREPLY=($(compgen -f -- \"$cur\"))", out);
		return;
	case COMPLETE_INTERFACE:
		fputs("COMPREPLY=($(compgen -W \"$(cd /sys/class/net 2>/dev/null && echo *)\" "
		      "-- \"$cur\"))",
			out);
		return;
	case COMPLETE_TIMEOUT:
		fputs("COMPREPLY=($(compgen -S = -W \"", out);
		for (size_t i = 0; i < timeout_row_count; i++)
			fprintf(out, "%s%s", i > 0 ? " " : "", timeout_rows[i].name);
		fputs("\" -- \"$cur\")); compopt -o nospace 2>/dev/null", out);
		return;
	case COMPLETE_TEMPLATE:
		fputs("COMPREPLY=($(compgen -W \"", out);
		for (size_t i = 0; i < PRESET_COUNT; i++)
			fprintf(out, "%s%s", i > 0 ? " " : "", template_presets[i].name);
		fputs("\" -- \"$cur\"))", out);
		return;
	case COMPLETE_NOTHING:
		break;
	}
	fputs(":", out);
}

void config_write_completion(FILE *out)
{
	fputs("# Made from sensor/options.def.\n"
	      "_ringflowd()\n"
	      "{\n"
	      "\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\"\n"
	      "\tCOMPREPLY=()\n"
	      "\tcase \"$prev\" in\n",
		out);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (!is_usable(row) || !row->word)
			continue;
		fputs("\t", out);
		if (row->letter)
			fprintf(out, "-%c|", row->letter);
		fprintf(out, "--%s) ", row->name);
		write_completion_of(row, out);
		fputs("; return ;;\n", out);
	}
	fputs("\tesac\n\tCOMPREPLY=($(compgen -W \"", out);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (is_usable(&option_rows[i]))
			fprintf(out, "--%s ", option_rows[i].name);
	fputs("\" -- \"$cur\"))\n"
	      "}\n"
	      "complete -F _ringflowd ringflowd softflowd\n",
		out);
}
