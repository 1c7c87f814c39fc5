/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who comes in. There is a place for so many clients and no more; the others are told so at
 * once. Whoever may change things finds a place when all others are taken.
 */
#include "sensor/control.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sensor/control_client.h"
#include "sensor/varlink.h"

#define CLIENTS_MAX 32
#define CLIENTS_KEPT 4 /* of these, for root and the daemon's user alone */
#define ACCEPTS_PER_TURN 64
#define POSTPONED_MAX 4
#define REST_NS 100000000ULL /* when accept() fails for want of something */

struct control {
	struct control_context context;
	struct control_socket socket;
	struct loop_watch listener;
	unsigned postponed;   /* turns in which nobody was let in, since there was a place */
	unsigned large_count; /* calls that keep something large */
	struct client clients[CLIENTS_MAX];
};

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

/* There is hardly a place, but clients have news, and with some luck that they are gone:
 * whoever wants in waits for a few turns of the loop before he is refused. */
static bool control_postpones(struct control *control)
{
	size_t free = 0;
	bool has_news = false;

	for (size_t i = 0; i < CLIENTS_MAX; i++)
		free += !control->clients[i].is_used;
	if (free > CLIENTS_KEPT) {
		control->postponed = 0;
		return false;
	}
	for (size_t i = 0; i < CLIENTS_MAX && !has_news; i++)
		has_news = client_has_news(&control->clients[i]);
	return has_news && control->postponed++ < POSTPONED_MAX;
}

static void control_welcome(struct control *control, int fd)
{
	struct control_peer peer = control_socket_peer(fd);
	struct client *client = control_free_client(control, peer.may_change);

	if (client)
		client_begin(client, fd, &peer);
	else
		control_refuse(fd);
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
	for (unsigned i = 0; i < ACCEPTS_PER_TURN && !control_postpones(control); i++) {
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
	varlink_seed();
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		control->clients[i] = (struct client){
			.context = &control->context,
			.large_count = &control->large_count,
			.watch.fd = -1,
		};
	*ret_control = control;
	return 0;
}

int control_serve(struct control *control, const struct control_context *context)
{
	control->context = *context;
	control->listener = (struct loop_watch){ .fd = control->socket.fd,
		.events = POLLIN,
		.deadline_ns = UINT64_MAX,
		.ready = control_accept,
		.user = control };
	return loop_add(context->loop, &control->listener);
}

void control_free(struct control *control)
{
	if (!control)
		return;
	for (size_t i = 0; i < CLIENTS_MAX; i++)
		client_end(&control->clients[i]);
	control_socket_close(&control->socket);
	free(control);
}
