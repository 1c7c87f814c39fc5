/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run by the build: copies a page of the manual from standard input to standard output and puts
 * the parts that are made from tables where a line names them, as in "@OPTIONS@". With an
 * argument it writes the whole text of that name instead: "completion" and "ctl-completion" for
 * the shell, "example" of a configuration file, "description" of the control socket.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sensor/config.h"
#include "sensor/control_table.h"
#include "sensor/drop_reason.h"
#include "sensor/element_text.h"

#define LINE_BYTES 4096

static void write_drop_reasons(FILE *out)
{
	for (size_t i = 0; i < DROP_REASON_COUNT; i++)
		if (i != DROP_NONE)
			fprintf(out, "*%s*\n\t%s\n\n", drop_reasons[i].name,
				drop_reasons[i].sentence);
}

/* clang-format off */
/* Which files stay within reach; those of a replay are fewer. */
static void write_paths(FILE *out)
{
	static const struct {
		const char *path, *why;
	} paths[] = {
#define PATH(path, access, replay, why) { path, why },
#include "sensor/sandbox_path.def"
#undef PATH
	};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		fprintf(out, "_%s_\n\t%s\n\n", paths[i].path, paths[i].why);
}

static const struct {
	const char *line;
	void (*write)(FILE *out);
} parts[] = {
	{ "@OPTIONS@\n",      config_write_manual },
	{ "@TIMEOUTS@\n",     config_write_timeouts },
	{ "@DIFFERENCES@\n",  config_write_differences },
	{ "@CONFIG_FILES@\n", config_write_files },
	{ "@CONFIG_FOLDER@\n", config_write_folder },
	{ "@DROP_REASONS@\n", write_drop_reasons },
	{ "@PRESETS@\n", element_write_preset_manual },
	{ "@OPTIONS_DATA@\n", element_write_options_data_manual },
	{ "@FLOW_ELEMENTS@\n", element_write_flow_manual },
	{ "@OPTIONS_ELEMENTS@\n", element_write_options_manual },
	{ "@PATHS@\n",        write_paths },
	{ "@CONTROL_WORDS@\n", control_write_manual },
};
/* clang-format on */

/* clang-format off */
static const struct {
	const char *name;
	void (*write)(FILE *out);
} texts[] = {
	{ "completion", config_write_completion },
	{ "example",    config_write_example },
	{ "ctl-completion", control_write_completion },
	{ "description", control_write_description },
};
/* clang-format on */

#define TEXT_COUNT (sizeof(texts) / sizeof(texts[0]))
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

/* A line that names a part nobody writes is a mistake in the page. */
static bool write_line(const char *line, FILE *out)
{
	if (line[0] != '@')
		return fputs(line, out) >= 0;
	for (size_t i = 0; i < PART_COUNT; i++) {
		if (strcmp(line, parts[i].line) != 0)
			continue;
		parts[i].write(out);
		return true;
	}
	fprintf(stderr, "no such part: %s", line);
	return false;
}

static bool write_text(const char *name)
{
	for (size_t i = 0; i < TEXT_COUNT; i++) {
		if (strcmp(name, texts[i].name) != 0)
			continue;
		texts[i].write(stdout);
		return true;
	}
	fprintf(stderr, "no such text: %s\n", name);
	return false;
}

int main(int argc, char **argv)
{
	char line[LINE_BYTES];
	bool is_good = true;

	if (argc > 1)
		is_good = write_text(argv[1]);
	else
		while (is_good && fgets(line, sizeof(line), stdin))
			is_good = write_line(line, stdout);
	return is_good && fflush(stdout) == 0 && !ferror(stdin) ? 0 : 1;
}
