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
	bool may_change;
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

/* Begin with a connection, which is taken. The loop has no room: it is closed. */
void client_begin(struct client *client, int fd, bool may_change);

/* Has it something for the loop's next turn: octets, room for some, or that it is gone? */
bool client_has_news(const struct client *client);

/* The program ends: what fits of a reply goes, the rest is freed. Only when no lane runs. */
void client_end(struct client *client);

#endif
