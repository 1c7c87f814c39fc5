/* SPDX-License-Identifier: BSD-2-Clause */
/* What a client asks for: from octets to a call that has begun, or to the error that it is. */
#include "sensor/control_client.h"

#include <stdlib.h>
#include <string.h>

#include "sensor/control_service.h"
#include "sensor/varlink.h"

#define LINE_BYTES 256 /* more than any word has */

/* Who changed what, for whoever asks later. Refusals are many where somebody tries. */
static void log_change(const struct client *client, const struct control_word *word)
{
	const struct control_peer *peer = &client->peer;

	if (word->changes)
		log_line(client->context->log, peer->may_change ? LOG_NOTICE : LOG_DEBUG,
			"control: %s%s, asked for by user %u, process %d", word->word,
			peer->may_change ? "" : " refused", (unsigned)peer->uid,
			(int)peer->pid);
}

/* .parameters are taken. .error: what is wrong with the call already; NULL: nothing. */
static void client_call(struct client *client, const struct control_word *word,
	json_t *parameters, bool wants_more)
{
	client->call = (struct call){
		.context = client->context,
		.large_count = client->large_count,
		.word = word,
		.answer = control_answers[word - control_words],
		.parameters = parameters,
		.may_change = client->peer.may_change,
		.wants_more = wants_more,
		.ready = client_part,
		.user = client,
	};
	client->has_call = true;
	client_want(client, 0);
	log_change(client, word);
	if (call_begin(&client->call) < 0)
		client_part(&client->call);
	else
		call_ask(&client->call);
}

/* One line from softflowctl, or from a person. */
static void client_obey_line(struct client *client)
{
	const struct control_word *word = control_word_find(client->request);

	if (word) {
		client->is_text = control_answers[word - control_words]->text != NULL;
		client_call(client, word, NULL, true);
		return;
	}
	FILE *out = client_reply_open(client);
	if (!out)
		return;
	fprintf(out, "Unknown control command \"%s\"\n", client->request);
	client->after = CALL_LAST;
	client_reply_close(client, out);
}

static void client_send_error(struct client *client, const char *error, const char *name,
	const char *value, bool is_ending)
{
	client->after = CALL_LAST;
	client->is_ending |= is_ending;
	if (client->is_oneway && !is_ending) {
		client_answered(client);
		return;
	}
	FILE *out = client_reply_open(client);
	if (!out)
		return;
	varlink_write_error(out, error, name, value);
	client_reply_close(client, out);
}

/* Run: the call becomes that of the word that it names. */
static void client_run(struct client *client, struct varlink_call *request)
{
	const struct control_shape *takes = &control_words[WORD_run].takes;
	const char *name = varlink_text(request->parameters, "word", "");
	const struct control_word *word = control_word_find(name);
	const char *misfit = varlink_misfit(request->parameters, takes);
	const struct control_answer *answer =
		word ? control_answers[word - control_words] : NULL;

	if (!misfit && (!answer || !answer->text))
		misfit = "word";
	if (misfit) {
		client_send_error(client, VARLINK_SERVICE ".InvalidParameter", "parameter",
			misfit, false);
	} else if (answer->is_long && !request->wants_more) {
		client_send_error(client, VARLINK_SERVICE ".ExpectedMore", NULL, NULL, false);
	} else {
		client->is_text = true;
		client_call(client, word, NULL, request->wants_more);
	}
}

/* org.varlink.service: answered on the spot. */
static void client_introduce(struct client *client, const struct varlink_call *request)
{
	FILE *out = client_reply_open(client);

	if (!out)
		return;
	client->after = CALL_LAST;
	control_service_answer(request, client->context->config, out);
	if (client->is_oneway) {
		fclose(out);
		client_forget_reply(client);
		client_answered(client);
	} else {
		client_reply_close(client, out);
	}
}

static void client_obey_call(struct client *client, struct varlink_call *request)
{
	const struct control_word *word = control_service_find(request->method);

	client->is_oneway = request->is_oneway;
	if (!word)
		client_introduce(client, request);
	else if (word == &control_words[WORD_run])
		client_run(client, request);
	else
		client_call(
			client, word, json_incref(request->parameters), request->wants_more);
}

static void client_take_call(struct client *client)
{
	const char *end = memchr(client->request, '\0', client->request_length);
	char reason[VARLINK_REASON_BYTES];
	struct varlink_call request;

	if (!end) {
		if (client->request_length > CONTROL_REQUEST_BYTES)
			client_send_error(
				client, CONTROL_ERROR_BAD_REQUEST, "reason", "too long", true);
		return;
	}
	size_t length = (size_t)(end - client->request);
	int rc = varlink_call_read(client->request, length, &request, reason);
	client->request_length -= length + 1;
	memmove(client->request, end + 1, client->request_length);
	if (rc < 0) {
		client_send_error(client, CONTROL_ERROR_BAD_REQUEST, "reason", reason, true);
		return;
	}
	client_obey_call(client, &request);
	varlink_call_clear(&request);
}

static void client_take_line(struct client *client, bool is_end)
{
	client->request[client->request_length] = '\0';
	size_t length = strcspn(client->request, "\r\n");
	bool is_whole = is_end || length < client->request_length || length >= LINE_BYTES - 1;

	if (!is_whole)
		return;
	if (length > LINE_BYTES - 1)
		length = LINE_BYTES - 1;
	client->request[length] = '\0';
	client_obey_line(client);
}

/* Take the next request of what was read, if it is whole. */
void client_take(struct client *client)
{
	if (client->request_length == 0)
		return;
	client->is_varlink |= client->request[0] == '{';
	if (client->is_varlink)
		client_take_call(client);
	else
		client_take_line(client, false);
}

void client_take_end(struct client *client)
{
	client_take_line(client, true);
}
