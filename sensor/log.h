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

void log_open(struct log *log, const char *program, bool uses_syslog, bool is_verbose);

/* One line, without its newline. */
void log_line(const struct log *log, int priority, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif
