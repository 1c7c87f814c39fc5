/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One client: reads a line or a call, waits for its answer, writes it, part by part. A line is
 * answered and that is the end; calls may follow each other. While a call goes on nothing is
 * read.
 */
#ifndef SENSOR_CONTROL_CLIENT_H
#define SENSOR_CONTROL_CLIENT_H

#include "sensor/control_call.h"

/* To send a request, and to take the next octets of a reply. */
#define CLIENT_DEADLINE_NS 10000000000ULL

struct client {
	const struct control_context *context; /* borrowed, like .large_count */
	unsigned *large_count;
	struct loop_watch watch;
	struct call call;
	bool is_used;
	struct control_peer peer;
	bool is_varlink; /* speaks in calls */
	bool has_call;
	bool is_text;         /* wants softflowd's words */
	bool is_oneway;       /* wants nothing */
	bool is_gone;         /* hung up while the call was being answered */
	bool is_ending;       /* what is being sent is the last */
	enum call_part after; /* what comes after the part that is being sent */
	char *reply;          /* owned */
	size_t reply_length, reply_sent;
	size_t request_length;
	char request[CONTROL_REQUEST_BYTES + 1];
};

/* -- requests: control_request.c -------------------------------------------------------- */

/* Take the next request of what was read, if it is whole. */
void client_take(struct client *client);

/* The same, of a line when nothing more will come. */
void client_take_end(struct client *client);

/* -- replies: for control_request.c ------------------------------------------------------ */

/* Look for .events, with a deadline; 0: for none, and wait as long as it takes. */
void client_want(struct client *client, short events);

/* Somewhere to write a reply to, and begin to send it. NULL: the client is dropped. */
FILE *client_reply_open(struct client *client);
void client_reply_close(struct client *client, FILE *out);

/* Do not send what was written. */
void client_forget_reply(struct client *client);

/* call->ready: make the call's next part and begin to send it. */
void client_part(struct call *call);

/* The last part is with the client, or nothing was to be sent. */
void client_answered(struct client *client);

/* -- life -------------------------------------------------------------------------------- */

/* Begin with a connection, which is taken. The loop has no room: it is closed. */
void client_begin(struct client *client, int fd, const struct control_peer *peer);

/* Has it something for the loop's next turn: octets, room for some, or that it is gone? */
bool client_has_news(const struct client *client);

/* The program ends: what fits of a reply goes, the rest is freed. Only when no lane runs. */
void client_end(struct client *client);

#endif
