/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ctl_reply.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define FRAME_BYTES_MAX (64u << 20)
#define SERVICE_ERROR "org.varlink.service."

static void refuse(struct ctl_reply *reply, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void refuse(struct ctl_reply *reply, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reply->refusal, sizeof(reply->refusal), format, arguments);
	va_end(arguments);
	reply->reader.is_done = true;
}

/* -- calls ---------------------------------------------------------------------------- */

/* Is .parameter one of the word's, and how is it given on the command line? */
static void refuse_parameter(struct ctl_reply *reply, const char *parameter)
{
	const struct control_shape *takes = &reply->word->takes;

	reply->is_misuse = true;
	for (size_t i = 0; i < takes->count; i++)
		if (strcmp(takes->fields[i].name, parameter) == 0) {
			refuse(reply, "%s%s: not one of: %s",
				takes->fields[i].is_rest ? "" : "--", parameter,
				takes->fields[i].sentence);
			return;
		}
	refuse(reply, "the daemon does not know \"%s\"", parameter);
}

static void take_error(struct ctl_reply *reply, const char *error, const json_t *parameters)
{
	const char *reason = json_string_value(json_object_get(parameters, "reason"));
	const char *parameter = json_string_value(json_object_get(parameters, "parameter"));
	const char *word = reply->word->word;

	if (reason)
		refuse(reply, "%s", reason);
	else if (strcmp(error, SERVICE_ERROR "PermissionDenied") == 0)
		refuse(reply, "not permitted: \"%s\" is for root and the daemon's user", word);
	else if (parameter)
		refuse_parameter(reply, parameter);
	else
		refuse(reply, "the daemon cannot do \"%s\": %s", word, error);
}

static int print_parameters(
	struct ctl_reply *reply, const json_t *parameters, bool is_last, struct spool *spool)
{
	const char *words = json_string_value(json_object_get(parameters, "text"));
	char *text = NULL;
	size_t length = 0;

	if (reply->is_words)
		return spool_put(spool, words ? words : "", words ? strlen(words) : 0);
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return -ENOMEM;
	if (reply->is_json) {
		json_dumpf(parameters, out, JSON_COMPACT);
		fputc('\n', out);
	} else {
		view_write(&reply->view, &reply->word->gives, parameters, is_last, out);
	}
	int rc = fclose(out) == 0 ? spool_put(spool, text, length) : -ENOMEM;
	free(text);
	return rc;
}

static int take_message(
	struct ctl_reply *reply, const char *bytes, size_t length, struct spool *spool)
{
	json_t *message = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, NULL);
	const char *error = json_string_value(json_object_get(message, "error"));
	const json_t *parameters = json_object_get(message, "parameters");
	bool is_last = !json_is_true(json_object_get(message, "continues"));
	int rc = 0;

	if (!json_is_object(message)) {
		refuse(reply, "what answers is no ringflowd");
	} else if (error) {
		take_error(reply, error, parameters);
	} else {
		rc = print_parameters(reply, parameters, is_last, spool);
		reply->reader.is_done = is_last;
	}
	json_decref(message);
	return rc;
}

/* Keep what belongs to a message that is not whole yet. */
static int keep(struct ctl_reply *reply, const char *bytes, size_t length)
{
	if (reply->frame_length + length > FRAME_BYTES_MAX)
		return -EMSGSIZE;
	char *longer = realloc(reply->frame, reply->frame_length + length + 1);
	if (!longer)
		return -ENOMEM;
	memcpy(longer + reply->frame_length, bytes, length);
	reply->frame = longer;
	reply->frame_length += length;
	reply->frame[reply->frame_length] = '\0';
	return 0;
}

static int call_take(
	struct ctl_reader *reader, const char *bytes, size_t length, struct spool *spool)
{
	struct ctl_reply *reply = (struct ctl_reply *)reader;
	int rc = 0;

	reply->has_anything = true;
	while (rc == 0 && length > 0 && !reader->is_done) {
		const char *end = memchr(bytes, '\0', length);
		size_t part = end ? (size_t)(end - bytes) : length;

		rc = keep(reply, bytes, part);
		if (rc == 0 && end) {
			rc = take_message(reply, reply->frame, reply->frame_length, spool);
			reply->frame_length = 0;
		}
		part += end != NULL;
		bytes += part;
		length -= part;
	}
	return rc;
}

struct ctl_reply ctl_reply_of_call(const struct control_word *word, bool is_json, bool is_words)
{
	return (struct ctl_reply){
		.reader.take = call_take,
		.word = word,
		.is_json = is_json,
		.is_words = is_words,
	};
}

/* -- lines ---------------------------------------------------------------------------- */

/* What the daemon says, in front of everything else, when it did not obey. */
static const char *const refusals[] = { "Unknown control command", "Too many control",
	"Not permitted", "Failed:" };

static bool is_refusal(const char *text)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (strncmp(text, refusals[i], strlen(refusals[i])) == 0)
			return true;
	return false;
}

/* A refusal is one line and the whole reply; it is not printed but told. */
static int line_take(
	struct ctl_reader *reader, const char *bytes, size_t length, struct spool *spool)
{
	struct ctl_reply *reply = (struct ctl_reply *)reader;

	if (!reply->has_anything) {
		char begin[CTL_REFUSAL_BYTES];

		snprintf(begin, sizeof(begin), "%.*s", (int)length, bytes);
		reply->has_anything = true;
		if (is_refusal(begin)) {
			begin[strcspn(begin, "\n")] = '\0';
			refuse(reply, "%s", begin);
			return 0;
		}
	}
	return spool_put(spool, bytes, length);
}

struct ctl_reply ctl_reply_of_line(void)
{
	return (struct ctl_reply){ .reader.take = line_take };
}

/* -- the end -------------------------------------------------------------------------- */

void ctl_reply_end(struct ctl_reply *reply)
{
	if (reply->reader.is_done)
		return;
	if (!reply->word && reply->has_anything) {
		reply->reader.is_done = true;
		return;
	}
	/* A daemon without a place for us says so in a line, whatever was asked. */
	if (reply->frame && is_refusal(reply->frame)) {
		reply->frame[strcspn(reply->frame, "\n")] = '\0';
		refuse(reply, "%s", reply->frame);
		return;
	}
	refuse(reply, "%s",
		reply->has_anything ? "the reply was cut off before its end"
				    : "the daemon hung up without a reply");
}

void ctl_reply_clear(struct ctl_reply *reply)
{
	free(reply->frame);
	reply->frame = NULL;
}
