/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The option rows as parts of the manual, in scdoc: *bold*, _underlined_, a tab begins an
 * indented paragraph. Paragraphs in options.def are scdoc already; names, words and defaults
 * are plain and are escaped here.
 */
#include <string.h>

#include "sensor/config_row.h"

/* Plain text, with what scdoc would take for its own escaped. */
static void write_plain(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (strchr("\\_*<#~|[]", *text))
			fputc('\\', out);
		fputc(*text, out);
	}
}

static bool is_different(const char *const defaults[static 2])
{
	return defaults[0] && defaults[1] && strcmp(defaults[0], defaults[1]) != 0;
}

static void write_defaults(const struct option_row *row, FILE *out)
{
	if (!row->defaults[PERSONALITY_RINGFLOW])
		return;
	fputs(" Default: ", out);
	write_plain(row->defaults[PERSONALITY_RINGFLOW], out);
	if (is_different(row->defaults)) {
		fputs("; as softflowd ", out);
		write_plain(row->defaults[PERSONALITY_SOFTFLOWD], out);
	}
	fputc('.', out);
}

static void write_option(const struct option_row *row, FILE *out)
{
	if (row->letter)
		fprintf(out, "*-%c*, ", row->letter);
	fprintf(out, "*--%s*", row->name);
	if (row->word) {
		fputs(" _", out);
		write_plain(row->word, out);
		fputc('_', out);
	}
	fprintf(out, "\n\t%s", row->manual);
	write_defaults(row, out);
	if (row->reload == RELOAD_SESSION)
		fputs(" A reload with another value begins new sessions.", out);
	else if (row->reload == RELOAD_LIVE)
		fputs(" Can be changed by a reload.", out);
	fputs("\n\n", out);
}

void config_write_manual(FILE *out)
{
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (row->title)
			fprintf(out, "## %s\n\n", row->title);
		else
			write_option(row, out);
	}
}

void config_write_timeouts(FILE *out)
{
	for (size_t i = 0; i < timeout_row_count; i++) {
		const struct timeout_row *row = &timeout_rows[i];

		fprintf(out, "*%s*\n\t%s. Default: %s s; as softflowd %s s.\n\n", row->name,
			row->sentence, row->defaults[PERSONALITY_RINGFLOW],
			row->defaults[PERSONALITY_SOFTFLOWD]);
	}
}

static void write_difference(const char *name, const char *const defaults[static 2], FILE *out)
{
	if (!is_different(defaults))
		return;
	fprintf(out, "|  *%s*\n:  ", name);
	write_plain(defaults[PERSONALITY_RINGFLOW], out);
	fputs("\n:  ", out);
	write_plain(defaults[PERSONALITY_SOFTFLOWD], out);
	fputc('\n', out);
}

void config_write_differences(FILE *out)
{
	fputs("[[ *Option*\n:[ *ringflowd*\n:[ *softflowd*\n", out);
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		char name[64];

		if (row->title)
			continue;
		snprintf(name, sizeof(name), row->letter ? "-%2$c, --%1$s" : "--%1$s",
			row->name, row->letter);
		write_difference(name, row->defaults, out);
	}
	for (size_t i = 0; i < timeout_row_count; i++) {
		char name[64];

		snprintf(name, sizeof(name), "-t %s", timeout_rows[i].name);
		write_difference(name, timeout_rows[i].defaults, out);
	}
}
