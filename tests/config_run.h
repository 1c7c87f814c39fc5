/* SPDX-License-Identifier: BSD-2-Clause */
/* Running config_parse() on a command line that is written as one string. */
#ifndef TESTS_CONFIG_RUN_H
#define TESTS_CONFIG_RUN_H

#include <stdlib.h>
#include <string.h>

#include "sensor/config.h"
#include "tests/unit.h"

#define WORDS_MAX 2048
#define S UINT64_C(1000000000)

/* One command line, cut at spaces, and what came of it. */
struct run {
	int rc;
	struct config config;
	char error[CONFIG_ERROR_BYTES];
	char out[16384];
};

/* .folder: of the configuration files that are read unasked; NULL: none. */
static inline void run_words_in(struct run *run, const char *folder, int argc, char **argv)
{
	struct config_input input = { .argc = argc, .argv = argv, .folder = folder };
	FILE *out = tmpfile();

	assert_non_null(out);
	run->error[0] = 0;
	run->rc = config_parse(&run->config, &input, out, run->error);
	rewind(out);
	run->out[fread(run->out, 1, sizeof(run->out) - 1, out)] = 0;
	fclose(out);
}

static inline void run_words(struct run *run, int argc, char **argv)
{
	run_words_in(run, NULL, argc, argv);
}

/* The result is overwritten by the next call. */
static inline struct run *run_in(const char *folder, const char *line)
{
	static struct run result;
	static char copy[32768];
	char *argv[WORDS_MAX + 1];
	char *rest = copy;
	int argc = 0;

	config_clear(&result.config);
	assert_true(strlen(line) < sizeof(copy));
	strcpy(copy, line);
	for (char *word; argc < WORDS_MAX && (word = strsep(&rest, " "));)
		argv[argc++] = word;
	argv[argc] = NULL;
	run_words_in(&result, folder, argc, argv);
	return &result;
}

static inline struct run *run(const char *line)
{
	return run_in(NULL, line);
}

static inline const struct config *accepted(const char *line)
{
	const struct run *result = run(line);

	if (result->rc != 0)
		fail_msg("%s: %s", line, result->error);
	return &result->config;
}

/* The dumped configuration of "<line> --dump-config". */
static inline const char *dumped(const char *line)
{
	static char whole[32768];

	snprintf(whole, sizeof(whole), "%s --dump-config", line);
	const struct run *result = run(whole);
	if (result->rc != CONFIG_HELP)
		fail_msg("%s: %s", line, result->error);
	return result->out;
}

static inline bool has_line(const char *text, const char *line)
{
	size_t length = strlen(line);

	for (const char *at = text; (at = strstr(at, line)); at++)
		if ((at == text || at[-1] == '\n') && at[length] == '\n')
			return true;
	return false;
}

#endif
