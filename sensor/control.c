/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A client goes through: reading its line; waiting for the lane; writing the reply. dump-flows
 * goes round the last two: the next part of the table is asked for only when the client has
 * taken the one before.
 */
#include "sensor/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS_MAX 32
#define CLIENTS_KEPT 4 /* of these, for root and the daemon's user alone */
#define ACCEPTS_PER_TURN 64
#define REST_NS 100000000ULL /* when accept() fails for want of something */
#define LINE_BYTES 256
#define CLIENT_DEADLINE_NS \
	10000000000ULL /* to send its line, and to take each part of a reply */
#define DUMP_FLOWS 128 /* flows of one part of a dump */
#define NS_PER_S 1000000000ULL

struct client {
	struct control *control;
	struct loop_watch watch;
	struct lane_order order;
	const struct control_word *word;
	char line[LINE_BYTES];
	size_t line_length;
	char *reply; /* owned */
	size_t reply_length, reply_sent;
	bool may_change, is_refused;
	bool is_used, is_gone;       /* gone while the lane had its order in hand */
	bool has_more;               /* another part follows when this one is sent */
	bool has_begun;              /* the reply's first line was written */
	struct flow_snapshot *flows; /* DUMP_FLOWS, while a dump goes on */
};

struct control {
	struct control_context context;
	struct control_socket socket;
	struct loop_watch listener;
	struct client clients[CLIENTS_MAX];
};

/*
 * One row per word. A row with a lane verb is answered when the lane has done it; .reply writes
 * the text from the request and returns true when another part is to follow.
 */
struct control_word {
	const char *word;
	bool changes; /* not for everybody */
	bool asks_lane;
	enum lane_verb verb;
	const char *text; /* after "program[pid]: "; NULL: .reply writes everything */
	bool (*reply)(struct client *client, FILE *out);
};

/* -- replies -------------------------------------------------------------------------- */

static void write_prefix(const struct client *client, FILE *out)
{
	fprintf(out, "%s[%ld]: ", client->control->context.config->program, (long)getpid());
}

static bool reply_help(struct client *client, FILE *out)
{
	(void)client;
	fputs("Valid control words are:\n"
	      "\tdebug+ debug- delete-all dump-flows exit expire-all\n"
	      "\tshutdown start-gather statistics stop-gather timeouts\n"
	      "\tsend-template\n",
		out);
	return false;
}

static bool reply_expired(struct client *client, FILE *out)
{
	write_prefix(client, out);
	fprintf(out, "Expired %llu flows.\n", (unsigned long long)client->order.request.count);
	return false;
}

static bool reply_deleted(struct client *client, FILE *out)
{
	write_prefix(client, out);
	fprintf(out, "Deleted %llu flows.\n", (unsigned long long)client->order.request.count);
	return false;
}

static bool reply_statistics(struct client *client, FILE *out)
{
	const struct sensor_stats *stats = &client->order.request.stats;

	write_prefix(client, out);
	stats_text_write_since(stats, out);
	stats_text_write(stats, out);
	if (client->control->context.config->personality == PERSONALITY_RINGFLOW)
		stats_text_write_drops(stats, out);
	stats_text_write_notes(stats, out);
	return false;
}

static bool reply_timeouts(struct client *client, FILE *out)
{
	write_prefix(client, out);
	fputs("Printing timeouts:\n", out);
	stats_text_write_timeouts(&client->control->context.config->timeouts, out);
	return false;
}

static bool reply_flows(struct client *client, FILE *out)
{
	const struct lane_request *request = &client->order.request;

	if (!client->has_begun) {
		write_prefix(client, out);
		fputs("Dumping flow data:\n", out);
	}
	client->has_begun = true;
	for (uint64_t i = 0; i < request->count; i++)
		stats_text_write_flow(&client->flows[i], request->now_ns, out);
	return request->count > 0;
}

static bool reply_debug(struct client *client, FILE *out)
{
	bool is_more = client->word->word[strlen(client->word->word) - 1] == '+';
	struct log *log = client->control->context.log;

	log_set_level(log, is_more ? LOG_DEBUG : LOG_INFO);
	write_prefix(client, out);
	fprintf(out, "Debug level %s.\n", is_more ? "increased" : "decreased");
	return false;
}

static bool reply_shutdown(struct client *client, FILE *out)
{
	const struct control_context *context = &client->control->context;

	write_prefix(client, out);
	fprintf(out, "%s\n", client->word->text);
	context->shut_down(context->user);
	return false;
}

/* clang-format off */
static const struct control_word words[] = {
	/* word            changes lane?  verb           text or reply */
	{ "help",           false, false, 0,                   NULL, reply_help },
	{ "shutdown",       true,  false, 0,                   "Shutting down gracefully...", reply_shutdown },
	{ "exit",           true,  false, 0,                   "Exiting now...", reply_shutdown },
	{ "expire-all",     true,  true,  LANE_EXPIRE_ALL,     NULL, reply_expired },
	{ "send-template",  true,  true,  LANE_SEND_TEMPLATES, "Template will be sent at next flow export", NULL },
	{ "delete-all",     true,  true,  LANE_DELETE_ALL,     NULL, reply_deleted },
	{ "statistics",     false, true,  LANE_STATS,          NULL, reply_statistics },
	{ "debug+",         true,  false, 0,                   NULL, reply_debug },
	{ "debug-",         true,  false, 0,                   NULL, reply_debug },
	{ "stop-gather",    true,  true,  LANE_PAUSE,          "Data collection stopped.", NULL },
	{ "start-gather",   true,  true,  LANE_RESUME,         "Data collection resumed.", NULL },
	{ "dump-flows",     false, true,  LANE_SNAPSHOT,       NULL, reply_flows },
	{ "timeouts",       false, false, 0,                   NULL, reply_timeouts },
};
/* clang-format on */

/* -- one client ----------------------------------------------------------------------- */

static void client_drop(struct client *client)
{
	struct control_context *context = &client->control->context;

	if (client->watch.fd >= 0) {
		loop_remove(context->loop, &client->watch);
		close(client->watch.fd);
		client->watch.fd = -1;
	}
	if (client->word && client->word->asks_lane &&
		!lane_desk_withdraw(context->desk, &client->order)) {
		client->is_gone = true;
		return;
	}
	free(client->reply);
	free(client->flows);
	*client = (struct client){ .control = client->control, .watch.fd = -1 };
}

static void client_want(struct client *client, short events)
{
	client->watch.events = events;
	client->watch.deadline_ns = events ? loop_now_ns() + CLIENT_DEADLINE_NS : UINT64_MAX;
}

/* Make the text of this part of the reply and begin to send it. */
static void client_reply(struct client *client)
{
	FILE *out = open_memstream(&client->reply, &client->reply_length);

	if (!out) {
		client_drop(client);
		return;
	}
	if (client->is_refused) {
		fprintf(out, "Not permitted: \"%s\" is for root and the daemon's user\n",
			client->line);
	} else if (!client->word) {
		fprintf(out, "Unknown control command \"%s\"\n", client->line);
	} else if (client->word->reply) {
		client->has_more = client->word->reply(client, out);
	} else {
		write_prefix(client, out);
		fprintf(out, "%s\n", client->word->text);
	}
	client->reply_sent = 0;
	if (fclose(out) != 0)
		client_drop(client);
	else
		client_want(client, POLLOUT);
}

static void client_answered(struct lane_order *order)
{
	struct client *client = order->user;

	if (client->is_gone)
		client_drop(client);
	else
		client_reply(client);
}

static void client_ask_lane(struct client *client)
{
	client_want(
		client, 0); /* the lane answers when it answers; the socket is not looked at */
	client->order.request.verb = client->word->verb;
	client->order.request.flows = client->flows;
	client->order.request.capacity = DUMP_FLOWS;
	client->order.request.count = 0;
	client->order.answered = client_answered;
	client->order.user = client;
	lane_desk_place(client->control->context.desk, &client->order);
}

static void client_obey(struct client *client)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(client->line, words[i].word) == 0)
			client->word = &words[i];
	if (client->word && client->word->changes && !client->may_change) {
		client->is_refused = true;
		client->word = NULL;
	}
	if (!client->word || !client->word->asks_lane) {
		client_reply(client);
		return;
	}
	if (client->word->verb == LANE_SNAPSHOT) {
		client->flows = calloc(DUMP_FLOWS, sizeof(*client->flows));
		if (!client->flows) {
			client->word = NULL;
			client_drop(client);
			return;
		}
	}
	client_ask_lane(client);
}

static void client_read(struct client *client)
{
	size_t room = LINE_BYTES - 1 - client->line_length;
	ssize_t n = recv(client->watch.fd, client->line + client->line_length, room, 0);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0 || (n == 0 && client->line_length == 0)) {
		client_drop(client);
		return;
	}
	client->line_length += (size_t)n;
	client->line[client->line_length] = '\0';
	size_t length = strcspn(client->line, "\r\n");
	bool is_whole =
		length < client->line_length || n == 0 || client->line_length == LINE_BYTES - 1;
	client->line[length] = '\0';
	if (is_whole)
		client_obey(client);
}

static void client_write(struct client *client)
{
	ssize_t n = send(client->watch.fd, client->reply + client->reply_sent,
		client->reply_length - client->reply_sent, MSG_NOSIGNAL);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		client->has_more = false;
		client_drop(client);
		return;
	}
	client->reply_sent += (size_t)n;
	client_want(client, POLLOUT);
	if (client->reply_sent < client->reply_length)
		return;
	free(client->reply);
	client->reply = NULL;
	if (client->has_more)
		client_ask_lane(client);
	else
		client_drop(client);
}

/* The last chance of a reply when the program ends: what fits goes. */
static void client_write_rest(const struct client *client)
{
	ssize_t n = send(client->watch.fd, client->reply + client->reply_sent,
		client->reply_length - client->reply_sent, MSG_NOSIGNAL);
	(void)n;
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

/* -- the socket ----------------------------------------------------------------------- */

/* Whoever may change things finds a place when all others are taken. */
static struct client *control_free_client(struct control *control, bool may_change)
{
	size_t places = may_change ? CLIENTS_MAX : CLIENTS_MAX - CLIENTS_KEPT;

	for (size_t i = 0; i < places; i++)
		if (!control->clients[i].is_used)
			return &control->clients[i];
	return NULL;
}

static void control_refuse(int fd)
{
	static const char busy[] = "Too many control connections, try again\n";
	ssize_t n = send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL | MSG_DONTWAIT);

	(void)n;
	close(fd);
}

static void control_welcome(struct control *control, int fd)
{
	bool may_change = control_socket_may_change(fd);
	struct client *client = control_free_client(control, may_change);

	if (!client) {
		control_refuse(fd);
		return;
	}
	client->is_used = true;
	client->may_change = may_change;
	client->watch = (struct loop_watch){ .fd = fd, .ready = client_ready, .user = client };
	client_want(client, POLLIN);
	if (loop_add(control->context.loop, &client->watch) < 0)
		client_drop(client);
}

/* Without a descriptor to spare the listener stays readable: look again later, not at once. */
static void control_rest(struct control *control)
{
	control->listener.events = 0;
	control->listener.deadline_ns = loop_now_ns() + REST_NS;
}

/* Many may come together; the loop has others to look after, too. */
static void control_accept(struct loop_watch *watch, short revents)
{
	struct control *control = watch->user;

	(void)revents;
	watch->events = POLLIN;
	watch->deadline_ns = UINT64_MAX;
	for (unsigned i = 0; i < ACCEPTS_PER_TURN; i++) {
		int fd = accept4(watch->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0) {
			control_welcome(control, fd);
			continue;
		}
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			control_rest(control);
		return;
	}
}

int control_open(const struct control_listen *listen, struct control **ret_control,
	char error[static CONFIG_ERROR_BYTES])
{
	struct control *control = calloc(1, sizeof(*control));

	if (!control) {
		snprintf(error, CONFIG_ERROR_BYTES, "control socket: %s", strerror(ENOMEM));
		return -ENOMEM;
	}
	int rc = control_socket_open(listen, &control->socket, error);
	if (rc < 0) {
		free(control);
		return rc;
	}
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		control->clients[i] = (struct client){ .control = control, .watch.fd = -1 };
	*ret_control = control;
	return 0;
}

int control_serve(struct control *control, const struct control_context *context)
{
	control->context = *context;
	control->listener.fd = control->socket.fd;
	control->listener.events = POLLIN;
	control->listener.deadline_ns = UINT64_MAX;
	control->listener.ready = control_accept;
	control->listener.user = control;
	return loop_add(context->loop, &control->listener);
}

void control_free(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++) {
		struct client *client = &control->clients[i];

		if (client->reply)
			client_write_rest(client);
		if (client->watch.fd >= 0)
			close(client->watch.fd);
		free(client->reply);
		free(client->flows);
	}
	control_socket_close(&control->socket);
	free(control);
}
