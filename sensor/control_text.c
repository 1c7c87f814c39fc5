/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words as texts: the description in the Varlink definition language, the manual, the help
 * and the completion of ringflowctl. Nothing here knows a single word.
 */
#include <string.h>

#include "sensor/control_table.h"

#define HELP_COLUMN 16
#define TEXT_COLUMNS 92

/* -- description ---------------------------------------------------------------------- */

static const char *const type_names[] = {
	[CONTROL_INT] = "int",
	[CONTROL_INT_MAYBE] = "int",
	[CONTROL_REAL] = "float",
	[CONTROL_SHARE] = "float",
	[CONTROL_TEXT] = "string",
	[CONTROL_TEXT_MAYBE] = "string",
	[CONTROL_BOOL] = "bool",
	[CONTROL_SWITCH] = "bool",
	[CONTROL_TIME] = "int",
	[CONTROL_SPAN] = "int",
	[CONTROL_SPAN_MAYBE] = "int",
	[CONTROL_OBJECT] = "",
	[CONTROL_LIST] = "[]",
};

static void write_comment(const char *indent, const char *sentence, FILE *out)
{
	fprintf(out, "%s# %s\n", indent, sentence);
}

static void write_members(const struct control_shape *shape, FILE *out)
{
	for (size_t i = 0; i < shape->count; i++) {
		const struct control_field *field = &shape->fields[i];

		write_comment("  ", field->sentence, out);
		fprintf(out, "  %s: %s%s%s%s\n", field->name,
			control_is_optional(field->kind) ? "?" : "", type_names[field->kind],
			field->of ? field->of->type : "", i + 1 < shape->count ? "," : "");
	}
}

static void write_object(const struct control_shape *shape, FILE *out)
{
	if (shape->count == 0) {
		fputs("()", out);
		return;
	}
	fputs("(\n", out);
	write_members(shape, out);
	fputs(")", out);
}

static void write_method(const struct control_word *word, FILE *out)
{
	fputc('\n', out);
	write_comment("", word->help, out);
	if (word->changes)
		write_comment("",
			"For root and the daemon's user; others get "
			"org.varlink.service.PermissionDenied.",
			out);
	fprintf(out, "method %s", word->method);
	write_object(&word->takes, out);
	fputs(" -> ", out);
	write_object(&word->gives, out);
	fputc('\n', out);
}

void control_write_description(FILE *out)
{
	fputs("# SPDX-License-Identifier: BSD-2-Clause\n"
	      "# The control socket of ringflowd. Times are Unix times in nanoseconds, spans "
	      "are\n"
	      "# nanoseconds. Flows and Run answer in several replies when they are called "
	      "with\n"
	      "# \"more\". Made from sensor/control_word.def and sensor/control_shape.def.\n"
	      "interface " CONTROL_INTERFACE "\n",
		out);
	for (size_t i = SHAPE_none + 1; i < SHAPE_COUNT; i++) {
		fputc('\n', out);
		write_comment("", control_shapes[i].sentence, out);
		fprintf(out, "type %s ", control_shapes[i].type);
		write_object(&control_shapes[i], out);
		fputc('\n', out);
	}
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (control_words[i].method)
			write_method(&control_words[i], out);
	fputs("\n# It was understood, and could not be done.\n"
	      "error Failed (reason: string)\n"
	      "\n# Too many ask for something large at once.\n"
	      "error Busy (reason: string)\n"
	      "\n# What came is no request; the connection is closed.\n"
	      "error BadRequest (reason: string)\n",
		out);
}

/* -- manual --------------------------------------------------------------------------- */

/* Between the bold ends of a word's line. */
static void write_usage(const struct control_word *word, const char *option,
	const char *argument, const char *end, FILE *out)
{
	for (size_t i = 0; i < word->takes.count; i++) {
		const struct control_field *field = &word->takes.fields[i];

		fputs(" \\[", out);
		if (!field->is_rest)
			fprintf(out, "%s--%s%s%s", option, field->name, option,
				field->title ? " " : "");
		if (field->title)
			fprintf(out, "%s%s%s", argument, field->title, end);
		fputs("\\]", out);
	}
}

void control_write_manual(FILE *out)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		const struct control_word *word = &control_words[i];

		if (!word->word)
			continue;
		fprintf(out, "*%s*", word->word);
		write_usage(word, "*", "_", "_", out);
		fprintf(out, "\n\t%s%s\n\n", word->manual,
			word->changes ? " For root and the daemon's user." : "");
	}
}

/* -- help and completion -------------------------------------------------------------- */

static void write_option_help(const struct control_field *field, FILE *out)
{
	char name[64];

	snprintf(name, sizeof(name), "%s%s%s%s", field->is_rest ? "" : "--",
		field->is_rest ? "" : field->name, field->title && !field->is_rest ? " " : "",
		field->title ? field->title : "");
	fprintf(out, "%*s    %-*s %s\n", HELP_COLUMN, "", 12, name, field->sentence);
}

void control_write_help(FILE *out)
{
	for (size_t i = 0; i < WORD_COUNT; i++) {
		const struct control_word *word = &control_words[i];

		if (!word->word)
			continue;
		fprintf(out, "  %-*s %s\n", HELP_COLUMN - 3, word->word, word->help);
		for (size_t k = 0; k < word->takes.count; k++)
			write_option_help(&word->takes.fields[k], out);
	}
}

static void write_words(FILE *out)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (control_words[i].word)
			fprintf(out, "%s ", control_words[i].word);
}

void control_write_completion(FILE *out)
{
	fputs("# Made from sensor/control_word.def.\n"
	      "_ringflowctl()\n"
	      "{\n"
	      "\tlocal cur=\"${COMP_WORDS[COMP_CWORD]}\" prev=\"${COMP_WORDS[COMP_CWORD-1]}\" "
	      "word\n"
	      "\tCOMPREPLY=()\n"
	      "\tcase \"$prev\" in\n"
	      "\t-c|--control) COMPREPLY=($(compgen -f -- \"$cur\")); return ;;\n"
	      "\tesac\n"
	      "\tfor word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
	      "\t\tcase \"$word\" in\n",
		out);
	for (size_t i = 0; i < WORD_COUNT; i++) {
		const struct control_word *word = &control_words[i];

		if (!word->word || word->takes.count == 0)
			continue;
		fprintf(out, "\t\t%s) COMPREPLY=($(compgen -W \"", word->word);
		for (size_t k = 0; k < word->takes.count; k++)
			if (!word->takes.fields[k].is_rest)
				fprintf(out, "--%s ", word->takes.fields[k].name);
		fputs("\" -- \"$cur\")); return ;;\n", out);
	}
	fputs("\t\tesac\n"
	      "\tdone\n"
	      "\tCOMPREPLY=($(compgen -W \"--control --help --json --version ",
		out);
	write_words(out);
	fputs("\" -- \"$cur\"))\n"
	      "}\n"
	      "complete -F _ringflowctl ringflowctl softflowctl\n",
		out);
}
