/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

const struct log_level log_levels[] = {
#define LEVEL(text, priority) { text, priority },
#include "sensor/log_level.def"
#undef LEVEL
	{ NULL, 0 },
};

/* JOURNAL_STREAM says which file the journal reads from. It is inherited by whoever starts us
 * from a service, with standard error somewhere else. */
static bool is_journal(int fd)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat status;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	       fstat(fd, &status) == 0 && status.st_dev == device && status.st_ino == inode;
}

void log_open(struct log *log, const char *program, bool uses_syslog, bool is_verbose)
{
	*log = (struct log){
		.program = program,
		.uses_syslog = uses_syslog,
		.has_priority = is_journal(STDERR_FILENO),
		.level = is_verbose ? LOG_DEBUG : LOG_INFO,
	};
	if (uses_syslog)
		openlog(program, LOG_PID, LOG_DAEMON);
}

void log_set_level(struct log *log, int level)
{
	log->level = level;
}

int log_level_find(const char *word, int *ret_level)
{
	for (const struct log_level *row = log_levels; row->word; row++)
		if (strcasecmp(row->word, word) == 0) {
			*ret_level = row->level;
			return 0;
		}
	return -EINVAL;
}

const char *log_level_word(int level)
{
	const struct log_level *row = log_levels;

	while (row[1].word && row->level < level)
		row++;
	return row->word;
}

void log_line(const struct log *log, int priority, const char *format, ...)
{
	char line[1024];
	va_list arguments;

	if (priority > log->level)
		return;
	va_start(arguments, format);
	vsnprintf(line, sizeof(line), format, arguments);
	va_end(arguments);
	if (log->uses_syslog)
		syslog(priority, "%s", line);
	else if (log->has_priority)
		fprintf(stderr, "<%d>%s\n", priority, line);
	else
		fprintf(stderr, "%s: %s\n", log->program, line);
}
