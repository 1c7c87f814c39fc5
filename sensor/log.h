/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the operator is told: to standard error in the foreground (with a priority in front when
 * the journal reads it), to syslog from a daemon. Only main and the control socket log.
 */
#ifndef SENSOR_LOG_H
#define SENSOR_LOG_H

#include <stdbool.h>
#include <syslog.h>

struct log {
	const char *program;
	bool uses_syslog;  /* a daemon without a terminal */
	bool has_priority; /* "<4>" in front of each line, for the journal */
	int level;         /* LOG_DEBUG shows everything; default LOG_INFO */
};

/* One word for each level that can be chosen; the last row has none. */
struct log_level {
	const char *word;
	int level;
};

extern const struct log_level log_levels[];

void log_open(struct log *log, const char *program, bool uses_syslog, bool is_verbose);

/* Show lines of .level and what is more important, from the next line on. */
void log_set_level(struct log *log, int level);

/* The level of a word of log_levels: 0, or -EINVAL when it is none. */
int log_level_find(const char *word, int *ret_level);

/* The word for a level. */
const char *log_level_word(int level);

/* One line, without its newline. */
void log_line(const struct log *log, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
