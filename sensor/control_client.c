/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/control_client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/varlink.h"

/* -- life ----------------------------------------------------------------------------- */

static void client_clear(struct client *client)
{
	free(client->reply);
	if (client->has_call)
		call_end(&client->call);
	*client = (struct client){
		.context = client->context,
		.large_count = client->large_count,
		.watch.fd = -1,
	};
}

static void client_drop(struct client *client)
{
	if (client->watch.fd >= 0) {
		loop_remove(client->context->loop, &client->watch);
		close(client->watch.fd);
		client->watch.fd = -1;
	}
	if (client->has_call && !call_withdraw(&client->call))
		client->is_gone = true; /* until the answer comes */
	else
		client_clear(client);
}

void client_want(struct client *client, short events)
{
	client->watch.events = events;
	client->watch.deadline_ns = events ? loop_now_ns() + CLIENT_DEADLINE_NS : UINT64_MAX;
}

/* -- parts ---------------------------------------------------------------------------- */

/* What ringflowctl, too, knows a refusal by. */
static void write_line_error(const struct call *call, FILE *out)
{
	if (strcmp(call->error, VARLINK_SERVICE ".PermissionDenied") == 0)
		fprintf(out, "Not permitted: \"%s\" is for root and the daemon's user\n",
			call->word->word);
	else
		fprintf(out, "Failed: %s\n", call->detail);
}

static enum call_part write_text_part(struct client *client, FILE *out)
{
	struct call *call = &client->call;

	if (!client->is_varlink)
		return call->answer->text(call, out);
	char *text = NULL;
	size_t length = 0;
	FILE *words = open_memstream(&text, &length);
	if (!words) {
		call_fail(call, CONTROL_ERROR_FAILED, "reason", "out of memory");
		return CALL_LAST;
	}
	enum call_part part = call->answer->text(call, words);
	fclose(words);
	json_t *reply = json_object();
	json_object_set_new(reply, "text", varlink_string(text, length));
	free(text);
	if (!call->error)
		varlink_write_reply(out, reply, part != CALL_LAST);
	json_decref(reply);
	return part;
}

static enum call_part write_json_part(struct client *client, FILE *out)
{
	struct call *call = &client->call;
	json_t *reply = json_object();
	enum call_part part = call->answer->json(call, reply);

	if (!call->error && part != CALL_QUIET) {
		if (client->is_varlink) {
			varlink_write_reply(out, reply, part != CALL_LAST);
		} else {
			json_dumpf(reply, out, JSON_COMPACT);
			fputc('\n', out);
		}
	}
	json_decref(reply);
	return part;
}

static enum call_part write_part(struct client *client, FILE *out)
{
	struct call *call = &client->call;
	enum call_part part = CALL_LAST;

	if (!call->error)
		part = client->is_text ? write_text_part(client, out)
				       : write_json_part(client, out);
	if (!call->error)
		return part;
	if (client->is_varlink)
		varlink_write_error(out, call->error, call->detail_name, call->detail);
	else
		write_line_error(call, out);
	return CALL_LAST;
}

/* -- sending -------------------------------------------------------------------------- */

FILE *client_reply_open(struct client *client)
{
	client->reply_sent = 0;
	FILE *out = open_memstream(&client->reply, &client->reply_length);
	if (!out)
		client_drop(client);
	return out;
}

/* Begin to send what was written. */
void client_reply_close(struct client *client, FILE *out)
{
	if (fclose(out) != 0)
		client_drop(client);
	else
		client_want(client, POLLOUT);
}

void client_forget_reply(struct client *client)
{
	free(client->reply);
	client->reply = NULL;
	client->reply_length = client->reply_sent = 0;
}

/* The last part is with the client. */
void client_answered(struct client *client)
{
	if (client->has_call)
		call_end(&client->call);
	client->has_call = client->is_text = client->is_oneway = false;
	if (!client->is_varlink || client->is_ending) {
		client_drop(client);
		return;
	}
	client_want(client, POLLIN);
	client_take(client);
}

static void client_go_on(struct client *client)
{
	switch (client->after) {
	case CALL_LAST:
		client_answered(client);
		return;
	case CALL_DRAIN:
		client_part(&client->call);
		return;
	case CALL_AGAIN:
	case CALL_QUIET:
		client_want(client, 0); /* the answer comes when it comes */
		call_ask(&client->call);
		return;
	}
}

/* The call can make its next part. */
void client_part(struct call *call)
{
	struct client *client = call->user;

	if (client->is_gone) {
		client_clear(client);
		return;
	}
	FILE *out = client_reply_open(client);
	if (!out)
		return;
	client->after = write_part(client, out);
	call->has_begun = true;
	if (client->after != CALL_QUIET && !client->is_oneway) {
		client_reply_close(client, out);
		return;
	}
	fclose(out);
	client_forget_reply(client);
	client_go_on(client);
}

/* -- the socket ----------------------------------------------------------------------- */

static void client_read(struct client *client)
{
	ssize_t n = recv(client->watch.fd, client->request + client->request_length,
		sizeof(client->request) - client->request_length, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		client->request_length += (size_t)n;
		client_take(client);
	} else if (n == 0 && client->request_length > 0 && !client->is_varlink) {
		client_take_end(client);
	} else {
		client_drop(client);
	}
}

static void client_write(struct client *client)
{
	ssize_t n = send(client->watch.fd, client->reply + client->reply_sent,
		client->reply_length - client->reply_sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client_drop(client);
		return;
	}
	client->reply_sent += (size_t)n;
	client_want(client, POLLOUT);
	if (client->reply_sent < client->reply_length)
		return;
	client_forget_reply(client);
	client_go_on(client);
}

static void client_ready(struct loop_watch *watch, short revents)
{
	struct client *client = watch->user;

	if (revents & POLLIN && watch->events & POLLIN)
		client_read(client);
	else if (revents & POLLOUT && watch->events & POLLOUT)
		client_write(client);
	else if (watch->events || revents)
		client_drop(client); /* its deadline passed, or it hung up */
}

/* -- public --------------------------------------------------------------------------- */

void client_begin(struct client *client, int fd, const struct control_peer *peer)
{
	client->is_used = true;
	client->peer = *peer;
	client->watch = (struct loop_watch){ .fd = fd, .ready = client_ready, .user = client };
	client_want(client, POLLIN);
	if (loop_add(client->context->loop, &client->watch) < 0)
		client_drop(client);
}

bool client_has_news(const struct client *client)
{
	struct pollfd fd = { .fd = client->watch.fd, .events = client->watch.events };

	return fd.fd >= 0 && poll(&fd, 1, 0) > 0;
}

void client_end(struct client *client)
{
	if (client->reply && client->watch.fd >= 0) {
		ssize_t n = send(client->watch.fd, client->reply + client->reply_sent,
			client->reply_length - client->reply_sent, MSG_NOSIGNAL);
		(void)n;
	}
	if (client->watch.fd >= 0)
		close(client->watch.fd);
	client_clear(client);
}
