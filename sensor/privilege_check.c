/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says of each thread's rights, in /proc/self/task/TID/status, beside what was
 * meant. Landlock is not told there, so it is tried: the root folder must not open.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/privilege.h"

#define TASKS "/proc/self/task"
#define STATUS_BYTES 4096
#define SECCOMP_FILTER 2

/* One line of the status: which, and what it must say. */
struct expectation {
	const char *name;
	int base;
	uint64_t value;
	bool is_wanted; /* else the line may say what it likes */
};

static void expect(
	const struct privilege_report *report, struct expectation ret_lines[static 8])
{
	bool has_dropped = report->has_no_new_privs;
	const struct expectation lines[8] = {
		{ "Uid:", 10, report->uid, true },
		{ "CapInh:", 16, report->inheritable, has_dropped },
		{ "CapPrm:", 16, report->capabilities, has_dropped },
		{ "CapEff:", 16, report->capabilities, has_dropped },
		{ "CapBnd:", 16, report->bounding, has_dropped },
		{ "CapAmb:", 16, 0, has_dropped },
		{ "NoNewPrivs:", 10, 1, has_dropped },
		{ "Seccomp:", 10, SECCOMP_FILTER, report->filters_calls },
	};

	memcpy(ret_lines, lines, sizeof(lines));
}

/* The text behind "name:" at the beginning of a line, or NULL. */
static const char *value_of(const char *status, const char *name)
{
	const char *at = status;

	while (at && strncmp(at, name, strlen(name)) != 0) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	return at ? at + strlen(name) : NULL;
}

static int compare(const char *thread, const char *status,
	const struct privilege_report *report, char error[static PRIVILEGE_ERROR_BYTES])
{
	struct expectation lines[8];

	expect(report, lines);
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		const char *value = value_of(status, lines[i].name);

		if (!lines[i].is_wanted ||
			(value && strtoull(value, NULL, lines[i].base) == lines[i].value))
			continue;
		while (value && isblank((unsigned char)*value))
			value++;
		snprintf(error, PRIVILEGE_ERROR_BYTES,
			"thread %s has rights that were given up: %s %.*s", thread,
			lines[i].name, value ? (int)strcspn(value, "\n") : 7,
			value ? value : "unknown");
		return -EPERM;
	}
	return 0;
}

/* 0, -EPERM, or 1 when the thread has ended meanwhile. */
static int check_thread(const char *thread, const struct privilege_report *report,
	char error[static PRIVILEGE_ERROR_BYTES])
{
	char path[64], status[STATUS_BYTES];

	snprintf(path, sizeof(path), TASKS "/%.20s/status", thread);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, status, sizeof(status) - 1) : -1;
	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return 1;
	status[n] = 0;
	return compare(thread, status, report, error);
}

static int check_paths(
	const struct privilege_report *report, char error[static PRIVILEGE_ERROR_BYTES])
{
	if (report->landlock_abi == 0)
		return 0;
	int fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	close(fd);
	snprintf(error, PRIVILEGE_ERROR_BYTES, "Landlock does not hold: the root folder opens");
	return -EPERM;
}

int privilege_check(struct privilege_report *report, char error[static PRIVILEGE_ERROR_BYTES])
{
	int rc = check_paths(report, error);
	DIR *tasks = rc == 0 ? opendir(TASKS) : NULL;
	const struct dirent *entry;
	unsigned threads = 0;

	if (!tasks)
		return rc;
	while (rc >= 0 && (entry = readdir(tasks))) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		rc = check_thread(entry->d_name, report, error);
		threads += rc == 0;
	}
	closedir(tasks);
	if (rc < 0)
		return rc;
	report->threads = threads;
	return 0;
}
