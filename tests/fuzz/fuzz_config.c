/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Configuration files. Whatever is in one, it is read or refused with one line, and what was
 * read can be printed as a file that says the same.
 */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sensor/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

struct reading {
	int rc;
	char *text; /* the dump; to be freed */
	size_t length;
	char error[CONFIG_ERROR_BYTES];
};

/* What "ringflowd -i lo --config FILE --dump-config" makes of a file. */
static void read_bytes(struct reading *reading, const void *bytes, size_t count)
{
	char program[] = "ringflowd", link[] = "-ilo", dump[] = "--dump-config", path[64];
	char *argv[] = { program, link, path, dump, NULL };
	struct config_input input = { .argc = 4, .argv = argv };
	struct config config;
	FILE *out = open_memstream(&reading->text, &reading->length);
	int fd = memfd_create("config", MFD_CLOEXEC);

	assert(out && fd >= 0 && write(fd, bytes, count) == (ssize_t)count);
	snprintf(path, sizeof(path), "--config=/proc/self/fd/%d", fd);
	reading->rc = config_parse(&config, &input, out, reading->error);
	fclose(out);
	close(fd);
	assert(reading->rc == CONFIG_HELP ||
		(reading->rc < 0 && reading->error[0] && !strchr(reading->error, '\n')));
}

/* Lines have to fit, and a semicolon behind a space cannot be told from a comment. */
static bool has_no_form(const struct reading *reading)
{
	return strstr(reading->error, ": more than ") ||
	       strstr(reading->error, ": a semicolon behind a space");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count)
{
	struct reading first, second;

	read_bytes(&first, bytes, count);
	if (first.rc == CONFIG_HELP) {
		read_bytes(&second, first.text, first.length);
		if (second.rc != CONFIG_HELP)
			assert(has_no_form(&second));
		else
			assert(first.length == second.length &&
				memcmp(first.text, second.text, first.length) == 0);
		free(second.text);
	}
	free(first.text);
	return 0;
}
