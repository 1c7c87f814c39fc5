/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Run by the build: copies a page of the manual from standard input to standard output and puts
 * the parts that are made from tables where a line names them, as in "@OPTIONS@". With the
 * argument "completion" it writes the shell completion instead.
 */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "sensor/config.h"
#include "sensor/drop_reason.h"

#define LINE_BYTES 4096

static void write_drop_reasons(FILE *out)
{
	for (size_t i = 0; i < DROP_REASON_COUNT; i++)
		if (i != DROP_NONE)
			fprintf(out, "*%s*\n\t%s\n\n", drop_reasons[i].name,
				drop_reasons[i].sentence);
}

/* clang-format off */
static const struct {
	const char *line;
	void (*write)(FILE *out);
} parts[] = {
	{ "@OPTIONS@\n",      config_write_manual },
	{ "@TIMEOUTS@\n",     config_write_timeouts },
	{ "@DIFFERENCES@\n",  config_write_differences },
	{ "@DROP_REASONS@\n", write_drop_reasons },
};
/* clang-format on */

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

int main(int argc, char **argv)
{
	char line[LINE_BYTES];
	bool is_good = true;

	if (argc > 1 && strcmp(argv[1], "completion") == 0)
		config_write_completion(stdout);
	else
		while (is_good && fgets(line, sizeof(line), stdin))
			is_good = write_line(line, stdout);
	return is_good && fflush(stdout) == 0 && !ferror(stdin) ? 0 : 1;
}
