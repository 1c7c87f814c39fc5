/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libinih knows the syntax and calls for each line, file_next_line(), and for each value,
 * file_take(). What it would let pass is stopped here, in front of it: octets that are no text,
 * lines longer than its room, comments behind values, sections that nobody reads.
 *
 * A value may go on for several lines, so it is kept until the next one begins. libinih takes a
 * line for more of the value above when it is indented and no section began in between.
 */
#include "sensor/config_file.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_BYTES_MAX (1u << 20)
#define NAME_BYTES 64
#define VALUE_BYTES 16384

struct config_file {
	struct config_parser *parser;
	const char *path;
	FILE *in;
	size_t bytes;        /* read so far */
	unsigned line;       /* that libinih has; from 1 */
	bool is_indented;    /* that line */
	bool has_value;      /* below, not taken yet */
	unsigned value_line; /* where it began */
	size_t value_length;
	char name[NAME_BYTES];
	char value[VALUE_BYTES];
	int outcome; /* the first error */
	unsigned outcome_line;
};

/* -- errors --------------------------------------------------------------------------- */

static void file_fail(struct config_file *file, int outcome, unsigned line, const char *format,
	...) __attribute__((format(printf, 4, 5)));

/* The first error counts. .line 0: the file as a whole. */
static void file_fail(
	struct config_file *file, int outcome, unsigned line, const char *format, ...)
{
	char reason[CONFIG_ERROR_BYTES], place[16] = "";
	va_list arguments;

	if (file->outcome < 0 && file->outcome_line <= line)
		return;
	file->outcome = outcome;
	file->outcome_line = line;
	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	if (line > 0)
		snprintf(place, sizeof(place), ":%u", line);
	snprintf(file->parser->error, CONFIG_ERROR_BYTES, "%.200s%s: %.280s", file->path, place,
		reason);
	config_make_line(file->parser->error);
}

/* -- values --------------------------------------------------------------------------- */

static const struct option_row *find_row(const char *name)
{
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (!option_rows[i].title && strcmp(option_rows[i].name, name) == 0)
			return &option_rows[i];
	return NULL;
}

/* Hand the value that is kept to its option. */
static void file_set(struct config_file *file)
{
	struct config_parser *parser = file->parser;
	const struct option_row *row = find_row(file->name);

	if (!file->has_value || file->outcome < 0)
		return;
	file->has_value = false;
	if (!row) {
		file_fail(file, -EINVAL, file->value_line, "%s: no option has that name",
			file->name);
		return;
	}
	if (!config_row_has_value(row)) {
		file_fail(file, -EINVAL, file->value_line, "%s: only on the command line",
			file->name);
		return;
	}
	parser->place.line = file->value_line;
	file->outcome = config_set(parser, row, row->name, file->value);
	file->outcome_line = file->value_line;
}

static int file_keep(struct config_file *file, const char *value)
{
	size_t length = strlen(value);
	bool goes_on = file->value_length > 0;

	if (file->value_length + goes_on + length >= VALUE_BYTES) {
		file_fail(file, -EINVAL, file->line, "a value of more than %d octets",
			VALUE_BYTES - 1);
		return 0;
	}
	if (goes_on)
		file->value[file->value_length++] = ' ';
	memcpy(file->value + file->value_length, value, length + 1);
	file->value_length += length;
	return 1;
}

/* libinih's call for a value: not 0 to go on. */
static int file_take(void *user, const char *section, const char *name, const char *value)
{
	struct config_file *file = user;

	(void)section; /* file_next_line() has looked at its head */
	if (file->outcome < 0)
		return 0;
	if (file->is_indented && file->has_value && strcmp(file->name, name) == 0)
		return file_keep(file, value);
	file_set(file);
	if (file->outcome < 0)
		return 0;
	snprintf(file->name, sizeof(file->name), "%s", name);
	file->has_value = true;
	file->value_line = file->line;
	file->value_length = 0;
	return file_keep(file, value);
}

/* -- lines ---------------------------------------------------------------------------- */

static bool is_space(int octet)
{
	return octet == ' ' || octet == '\t' || octet == '\r';
}

/* One octet of a line; EOF at its end. */
static int file_octet(struct config_file *file)
{
	int octet = getc(file->in);

	if (octet == EOF && ferror(file->in))
		file_fail(file, -errno, file->line, "%s", strerror(errno));
	if (octet == EOF || octet == '\n')
		return EOF;
	if (++file->bytes > FILE_BYTES_MAX)
		file_fail(file, -EFBIG, file->line, "more than %u octets are no configuration",
			FILE_BYTES_MAX);
	else if (iscntrl(octet) && !is_space(octet))
		file_fail(file, -EINVAL, file->line, "octet 0x%02x is no text", octet);
	return file->outcome < 0 ? EOF : octet;
}

/* A filter or a path may hold a semicolon, so that what follows it cannot be told apart. */
static bool has_comment_behind(const char *line)
{
	for (const char *at = strchr(line, ';'); at; at = strchr(at + 1, ';'))
		if (at > line && is_space(at[-1]))
			return true;
	return false;
}

static void file_check_line(struct config_file *file, const char *line)
{
	const char *start = line + strspn(line, " \t\r");

	file->is_indented = start > line;
	if (*start == '\0' || *start == '#' || *start == ';')
		return;
	if (has_comment_behind(start))
		file_fail(file, -EINVAL, file->line,
			"a semicolon behind a space: comments have lines of their own");
	if (*start != '[' || (file->is_indented && file->has_value))
		return;
	file_set(file);
	file_fail(file, -EINVAL, file->line, "%s: no section has that name", start);
}

/* libinih's call for a line, like fgets(). */
static char *file_next_line(char *room, int size, void *user)
{
	struct config_file *file = user;
	int length = 0, octet;

	if (file->outcome < 0 || feof(file->in))
		return NULL;
	file->line++;
	while ((octet = file_octet(file)) != EOF) {
		if (length + 1 == size) {
			file_fail(file, -EINVAL, file->line,
				"more than %d octets; an indented line goes on with a value",
				size - 1);
			return NULL;
		}
		room[length++] = (char)octet;
	}
	room[length] = '\0';
	if (file->outcome == 0)
		file_check_line(file, room);
	if (file->outcome < 0 || (length == 0 && feof(file->in)))
		return NULL;
	return room;
}

/* -- files ---------------------------------------------------------------------------- */

static int file_read(struct config_file *file)
{
	int wrong_line = ini_parse_stream(file_next_line, file, file_take, file);

	file_set(file);
	if (wrong_line > 0)
		file_fail(file, -EINVAL, (unsigned)wrong_line,
			"neither NAME = VALUE nor a comment");
	return file->outcome;
}

/* A pipe could make the caller wait, and nothing could be read from it a second time. */
static int open_text(const char *path, FILE **ret_in)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return -errno;
	int rc = fstat(fd, &status) < 0 ? -errno : 0;
	if (rc == 0 && S_ISDIR(status.st_mode))
		rc = -EISDIR;
	else if (rc == 0 && !S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode))
		rc = -ESPIPE;
	*ret_in = rc == 0 ? fdopen(fd, "r") : NULL;
	if (*ret_in)
		return 0;
	close(fd);
	return rc < 0 ? rc : -ENOMEM;
}

static int parse_open(struct config_file *file)
{
	int rc = config_begin_file(file->parser, file->path);

	if (rc == 0)
		return file_read(file);
	file_fail(file, rc, 0, "%s",
		rc == -E2BIG ? "too many configuration files" : strerror(-rc));
	return rc;
}

int config_file_parse(struct config_parser *parser, FILE *in, const char *path)
{
	struct config_file *file = calloc(1, sizeof(*file));

	if (!file)
		return -ENOMEM;
	file->parser = parser;
	file->path = path;
	file->in = in;
	int rc = parse_open(file);
	free(file);
	return rc;
}

int config_file_read(struct config_parser *parser, const char *path)
{
	FILE *in = NULL;
	int rc = open_text(path, &in);

	if (rc < 0) {
		snprintf(parser->error, CONFIG_ERROR_BYTES, "%.200s: %s", path,
			rc == -ESPIPE ? "neither a file nor a character device"
				      : strerror(-rc));
		config_make_line(parser->error);
		return rc;
	}
	rc = config_file_parse(parser, in, path);
	fclose(in);
	return rc;
}
