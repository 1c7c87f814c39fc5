/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ringflowread: IPFIX files (RFC 5655) as text, whoever has written them. A program of its own:
 * it asks no daemon, needs no rights, and its exit status speaks of files.
 *
 *	0 all is well   1 it could not do its work   2 the command line is wrong
 *	4 a file is damaged; everything before the damage was printed
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/print.h"
#include "ring/byte_feed.h"
#include "sensor/ipfix_flow.h"
#include "sensor/ipfix_json.h"

#define EXIT_USAGE 2
#define EXIT_DAMAGED 4
#define MESSAGE_BYTES_MAX 65535

static const char *const formats[] = {
	[PRINT_TABLE] = "table",
	[PRINT_JSON] = "json",
	[PRINT_CSV] = "csv",
};

struct print {
	const char *program;
	enum print_format format;
	struct ipfix_reader *reader;
	int rc; /* of printing */
};

static int usage(const char *program, FILE *out, int status)
{
	fprintf(out,
		"Usage: %s [-f FORMAT] [-h] [-V] FILE...\n"
		"Print the records of IPFIX files, - is standard input. Files may be "
		"compressed.\n\n"
		"  -f, --format FORMAT   table or csv: flows; json: everything (default "
		"table)\n"
		"  -h, --help            this text\n"
		"  -V, --version         the version\n",
		program);
	return status;
}

/* -- records ------------------------------------------------------------------------------ */

static void print_record_of(void *user, const struct ipfix_record *record)
{
	struct print *print = user;
	struct ipfix_flow flow;
	char text[PRINT_BYTES_MAX];

	if (print->format == PRINT_JSON) {
		if (print->rc == 0)
			print->rc = ipfix_json_write(print->reader, record, stdout);
		return;
	}
	if (!ipfix_flow_read(record, &flow))
		return;
	struct print_config config = {
		.format = print->format,
		.sampling_interval = flow.sampling_interval,
		.domain = record->domain,
	};
	size_t length = print_record(&config, &flow.record, text);
	fwrite(text, 1, length, stdout);
}

static void print_header_of(const struct print *print)
{
	struct print_config config = { .format = print->format };
	char text[PRINT_BYTES_MAX];

	fwrite(text, 1, print_header(&config, text), stdout);
}

/* -- files -------------------------------------------------------------------------------- */

static int complain(const struct print *print, const char *path, const char *why, int status)
{
	fprintf(stderr, "%s: %s: %s\n", print->program, path, why);
	return status;
}

static int say_damage(
	const struct print *print, const char *path, uint64_t offset, const char *why)
{
	fflush(stdout);
	fprintf(stderr, "%s: %s: damaged at offset %" PRIu64 ": %s\n", print->program, path,
		offset, why);
	return EXIT_DAMAGED;
}

/* How many of .count octets there are. */
static size_t read_octets(struct byte_feed *feed, uint8_t *bytes, size_t count)
{
	size_t done = 0;

	while (done < count) {
		const uint8_t *lent;
		ssize_t n = byte_feed_lend(feed, count - done, &lent);

		if (n <= 0)
			break;
		memcpy(bytes + done, lent, (size_t)n);
		done += (size_t)n;
	}
	return done;
}

/* One message. 0, -1 at the end of the file, or an exit status. */
static int read_message(struct print *print, const char *path, struct byte_feed *feed)
{
	uint8_t bytes[MESSAGE_BYTES_MAX];
	uint64_t begin = byte_feed_position(feed);
	size_t got = read_octets(feed, bytes, IPFIX_HEADER_BYTES), offset = 0;
	const char *why = byte_feed_reason(feed);

	if (got == 0 && why[0] == 0)
		return -1;
	if (got < IPFIX_HEADER_BYTES)
		return say_damage(print, path, begin + got,
			why[0] ? why : "the file ends within a message");
	size_t length = ipfix_reader_length(print->reader, bytes);
	if (length == 0)
		return say_damage(print, path, begin, ipfix_reader_why(print->reader));
	got += read_octets(feed, bytes + got, length - got);
	why = byte_feed_reason(feed);
	if (got < length)
		return say_damage(print, path, begin + got,
			why[0] ? why : "the file ends within a message");
	int rc = ipfix_reader_take(print->reader, bytes, length, &offset);
	if (rc == -EBADMSG)
		return say_damage(print, path, begin + offset, ipfix_reader_why(print->reader));
	if (rc == 0)
		rc = print->rc;
	return rc < 0 ? complain(print, path, strerror(-rc), EXIT_FAILURE) : 0;
}

static int open_feed(const char *path, struct byte_feed **ret_feed, char *reason)
{
	int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		snprintf(reason, FEED_REASON_BYTES, "%s", strerror(errno));
		return -errno;
	}
	return byte_feed_open(fd, ret_feed, reason);
}

/* A file is a session: what another one has told does not hold in it. */
static int print_file(struct print *print, const char *path)
{
	char reason[FEED_REASON_BYTES];
	struct byte_feed *feed = NULL;
	int status = 0;

	if (open_feed(path, &feed, reason) < 0)
		return complain(print, path, reason, EXIT_FAILURE);
	if (ipfix_reader_new(print_record_of, print, &print->reader) < 0)
		status = complain(print, path, strerror(ENOMEM), EXIT_FAILURE);
	while (status == 0)
		status = read_message(print, path, feed);
	if (print->reader && ipfix_reader_unknown_sets(print->reader) > 0)
		fprintf(stderr,
			"%s: %s: %" PRIu64
			" sets of records without a template were left out\n",
			print->program, path, ipfix_reader_unknown_sets(print->reader));
	ipfix_reader_free(print->reader);
	print->reader = NULL;
	byte_feed_close(feed);
	return status < 0 ? 0 : status;
}

/* -- the command line --------------------------------------------------------------------- */

static int find_format(const char *word, enum print_format *ret_format)
{
	for (unsigned i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i] && strcmp(formats[i], word) == 0) {
			*ret_format = (enum print_format)i;
			return 0;
		}
	return -EINVAL;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, 'f' },
		{ "help", no_argument, NULL, 'h' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	struct print print = { .program = "ringflowread", .format = PRINT_TABLE };
	int letter, status = EXIT_SUCCESS;

	while ((letter = getopt_long(argc, argv, "f:hV", options, NULL)) != -1) {
		if (letter == 'h')
			return usage(print.program, stdout, EXIT_SUCCESS);
		if (letter == 'V')
			return printf("%s (ringflow) %s\n", print.program, RINGFLOW_VERSION) <
			       0;
		if (letter != 'f')
			return usage(print.program, stderr, EXIT_USAGE);
		if (find_format(optarg, &print.format) < 0)
			return complain(
				&print, optarg, "not one of: table json csv", EXIT_USAGE);
	}
	if (optind == argc)
		return usage(print.program, stderr, EXIT_USAGE);
	print_header_of(&print);
	for (int i = optind; i < argc; i++) {
		int one = print_file(&print, argv[i]);

		if (one > status)
			status = one;
	}
	if (fflush(stdout) != 0 || ferror(stdout))
		return complain(&print, "standard output", strerror(errno), EXIT_FAILURE);
	return status;
}
