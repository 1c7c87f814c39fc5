/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ringflowctl: one word to the running daemon, its reply to standard output. The exit status
 * says whether the word was obeyed: 0 yes, 1 no, 2 it was wrong.
 *
 * It speaks in calls, so that the end of a reply is known from its beginning to be one. Called
 * as softflowctl, and for words that it does not know, it sends a line as softflowctl does.
 */
#include <errno.h>
#include <getopt.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/ctl_reply.h"

#define EXIT_USAGE 2
#define PATIENCE_S 30
#define PATIENCE_MAX_S 86400
#define LINE_BYTES 256 /* more than any word has */
#define RINGFLOW_CONTROL "/run/ringflow.ctl"
#define SOFTFLOWD_CONTROL "/var/run/softflowd.ctl"

struct ctl {
	const char *program;
	const char *path;
	bool is_softflowctl;
	bool is_json;
	int patience_s;
};

static int usage(const struct ctl *ctl, FILE *out, int status)
{
	fprintf(out,
		"Usage: %s [-c SOCKET] [-h] [-V]%s COMMAND%s\n"
		"Send COMMAND to the running daemon and print its reply.\n\n"
		"  -c, --control SOCKET  the daemon's control socket (default %s)\n",
		ctl->program, ctl->is_softflowctl ? "" : " [-j] [-t SECONDS]",
		ctl->is_softflowctl ? "" : " [ARGUMENT...]", ctl->path);
	if (!ctl->is_softflowctl)
		fprintf(out,
			"  -j, --json            print JSON, a line for each part of the "
			"reply\n"
			"  -t, --timeout SECONDS give up when the daemon is silent so long "
			"(default %d)\n",
			PATIENCE_S);
	fprintf(out, "  -h, --help            this text\n"
		     "  -V, --version         the version\n\n");
	if (ctl->is_softflowctl) {
		fprintf(out, "`%s help` lists the commands.\n", ctl->program);
	} else {
		fprintf(out, "Commands:\n");
		control_write_help(out);
	}
	return status;
}

static int fail(const struct ctl *ctl, const char *what, const char *why, int status)
{
	fprintf(stderr, "%s: %s: %s\n", ctl->program, what, why);
	return status;
}

/* -- arguments of a word -------------------------------------------------------------- */

static const struct control_field *find_parameter(
	const struct control_word *word, const char *name, size_t length)
{
	for (size_t i = 0; i < word->takes.count; i++) {
		const struct control_field *field = &word->takes.fields[i];

		if (!field->is_rest && strlen(field->name) == length &&
			strncmp(field->name, name, length) == 0)
			return field;
	}
	return NULL;
}

static const struct control_field *rest_parameter(const struct control_word *word)
{
	for (size_t i = 0; i < word->takes.count; i++)
		if (word->takes.fields[i].is_rest)
			return &word->takes.fields[i];
	return NULL;
}

/* The text as a value of the field's kind; NULL when it is none. */
static json_t *read_value(const struct control_field *field, const char *text)
{
	char *end;

	if (field->kind != CONTROL_INT && field->kind != CONTROL_INT_MAYBE)
		return json_string(text);
	errno = 0;
	long long number = strtoll(text, &end, 10);
	return end == text || *end != '\0' || errno != 0 ? NULL : json_integer(number);
}

/* An option at argv[*at], as "--name value", "--name=value" or a switch. 0 or EXIT_USAGE. */
static int read_option(const struct ctl *ctl, const struct control_word *word, char **argv,
	int *at, json_t *parameters)
{
	const char *option = argv[*at], *name = option + 2;
	size_t length = strcspn(name, "=");
	const struct control_field *field = find_parameter(word, name, length);
	const char *value = name[length] == '=' ? name + length + 1 : NULL;

	if (!field)
		return fail(ctl, option, "the command has no such option", EXIT_USAGE);
	if (field->kind == CONTROL_SWITCH) {
		if (value)
			return fail(ctl, option, "takes no value", EXIT_USAGE);
		json_object_set_new(parameters, field->name, json_true());
		return 0;
	}
	if (!value)
		value = argv[*at + 1] ? argv[++*at] : NULL;
	if (!value)
		return fail(ctl, option, "needs a value", EXIT_USAGE);
	json_t *parsed = read_value(field, value);
	if (!parsed)
		return fail(ctl, option, "not a number", EXIT_USAGE);
	json_object_set_new(parameters, field->name, parsed);
	return 0;
}

/* What is no option stands for the rest, joined. */
static int add_rest(const struct ctl *ctl, const struct control_word *word, const char *text,
	json_t *parameters)
{
	const struct control_field *field = rest_parameter(word);

	if (!field)
		return fail(ctl, text, "the command takes no argument", EXIT_USAGE);
	const char *before = json_string_value(json_object_get(parameters, field->name));
	json_t *joined = before ? json_sprintf("%s %s", before, text) : json_string(text);
	if (!joined)
		return fail(ctl, text, "not UTF-8", EXIT_USAGE);
	json_object_set_new(parameters, field->name, joined);
	return 0;
}

static int read_arguments(
	struct ctl *ctl, const struct control_word *word, char **argv, json_t *parameters)
{
	bool has_options = true;
	int rc = 0;

	for (int at = 0; rc == 0 && argv[at]; at++) {
		if (has_options && strcmp(argv[at], "--") == 0)
			has_options = false;
		else if (has_options && strcmp(argv[at], "--json") == 0)
			ctl->is_json = true;
		else if (has_options && strncmp(argv[at], "--", 2) == 0)
			rc = read_option(ctl, word, argv, &at, parameters);
		else
			rc = add_rest(ctl, word, argv[at], parameters);
	}
	return rc;
}

/* -- asking --------------------------------------------------------------------------- */

static int exchange(
	const struct ctl *ctl, const char *request, size_t length, struct ctl_reply *reply)
{
	int fd = ctl_connect(ctl->path, ctl->patience_s);

	if (fd < 0)
		return fail(ctl, ctl->path, ctl_connect_reason(fd), EXIT_FAILURE);
	int rc = ctl_exchange(fd, request, length, ctl->patience_s, &reply->reader);
	close(fd);
	ctl_reply_end(reply);
	if (rc == -ETIMEDOUT)
		return fail(ctl, ctl->path, "no reply in time", EXIT_FAILURE);
	if (rc < 0 && rc != -ECONNRESET)
		return fail(ctl, "the reply", strerror(-rc), EXIT_FAILURE);
	if (reply->refusal[0] == '\0')
		return EXIT_SUCCESS;
	if (ctl->is_softflowctl) { /* in the daemon's words, as ever */
		fprintf(stderr, "%s\n", reply->refusal);
		return EXIT_FAILURE;
	}
	return fail(
		ctl, ctl->path, reply->refusal, reply->is_misuse ? EXIT_USAGE : EXIT_FAILURE);
}

static int ask_line(const struct ctl *ctl, const char *command)
{
	struct ctl_reply reply = ctl_reply_of_line();
	char line[LINE_BYTES];
	int length = snprintf(line, sizeof(line), "%s\n", command);

	if (length >= (int)sizeof(line))
		length = sizeof(line) - 1;
	int status = exchange(ctl, line, (size_t)length, &reply);
	ctl_reply_clear(&reply);
	return status;
}

static int ask_call(const struct ctl *ctl, const struct control_word *word, json_t *parameters)
{
	bool is_words = word->has_words && !ctl->is_json;
	struct ctl_reply reply = ctl_reply_of_call(word, ctl->is_json, is_words);
	json_t *call = json_pack("{s:o, s:O, s:b}", "method",
		json_sprintf(CONTROL_INTERFACE ".%s", is_words ? "Run" : word->method),
		"parameters", parameters, "more", 1);

	if (is_words)
		json_object_set_new(parameters, "word", json_string(word->word));
	char *text = json_dumps(call, JSON_COMPACT);
	int status = text && strlen(text) <= CONTROL_REQUEST_BYTES
			     ? exchange(ctl, text, strlen(text) + 1, &reply)
			     : fail(ctl, word->word, "the command is too long", EXIT_USAGE);
	free(text);
	json_decref(call);
	ctl_reply_clear(&reply);
	return status;
}

static int ask(struct ctl *ctl, char **argv)
{
	const struct control_word *word =
		ctl->is_softflowctl ? NULL : control_word_find(argv[0]);

	if (!word && argv[1])
		return fail(
			ctl, argv[0], "the command takes no argument, or is none", EXIT_USAGE);
	if (!word)
		return ask_line(ctl, argv[0]);
	json_t *parameters = json_object();
	int status = read_arguments(ctl, word, argv + 1, parameters);
	if (status == 0 && ctl->is_json && !word->method)
		status = fail(ctl, word->word, "has no JSON", EXIT_USAGE);
	else if (status == 0)
		status = ask_call(ctl, word, parameters);
	json_decref(parameters);
	return status;
}

/* -- the command line ----------------------------------------------------------------- */

static int read_patience(const struct ctl *ctl, const char *text, int *ret_seconds)
{
	char *end;
	long seconds = strtol(text, &end, 10);

	if (end == text || *end != '\0' || seconds < 1 || seconds > PATIENCE_MAX_S)
		return fail(
			ctl, "--timeout", "not a number of seconds, 1 to 86400", EXIT_USAGE);
	*ret_seconds = (int)seconds;
	return 0;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{ "control", required_argument, NULL, 'c' },
		{ "help", no_argument, NULL, 'h' },
		{ "json", no_argument, NULL, 'j' },
		{ "timeout", required_argument, NULL, 't' },
		{ "version", no_argument, NULL, 'V' },
		{ 0 },
	};
	const char *slash = strrchr(argv[0], '/');
	struct ctl ctl = { .program = slash ? slash + 1 : argv[0], .patience_s = PATIENCE_S };
	int letter, status = 0;

	ctl.is_softflowctl = strcmp(ctl.program, "softflowctl") == 0;
	ctl.path = ctl.is_softflowctl ? SOFTFLOWD_CONTROL : RINGFLOW_CONTROL;
	while ((letter = getopt_long(argc, argv, ctl.is_softflowctl ? "c:hV" : "+c:hjt:V",
			options, NULL)) != -1) {
		if (letter == 'c')
			ctl.path = optarg;
		else if (letter == 'h')
			return usage(&ctl, stdout, EXIT_SUCCESS);
		else if (letter == 'j')
			ctl.is_json = true;
		else if (letter == 't')
			status = read_patience(&ctl, optarg, &ctl.patience_s);
		else if (letter == 'V')
			return printf("%s (ringflow) %s\n", ctl.program, RINGFLOW_VERSION) < 0;
		else
			return usage(&ctl, stderr, EXIT_USAGE);
		if (status != 0)
			return status;
	}
	if (optind == argc)
		return usage(&ctl, stderr, EXIT_USAGE);
	return ask(&ctl, argv + optind);
}
