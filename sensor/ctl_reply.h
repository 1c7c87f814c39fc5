/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Readers of replies: calls in the Varlink wire format, whose end is marked, and softflowctl's
 * lines, whose end is that of the connection.
 */
#ifndef SENSOR_CTL_REPLY_H
#define SENSOR_CTL_REPLY_H

#include "sensor/ctl_session.h"
#include "sensor/ctl_view.h"

#define CTL_REFUSAL_BYTES 512

struct ctl_reply {
	struct ctl_reader reader; /* first */
	const struct control_word *word;
	bool is_json;  /* print what came, a line for each part */
	bool is_words; /* print the text in it */
	struct view view;
	char *frame; /* of a message that is not whole yet; owned */
	size_t frame_length;
	bool has_anything;               /* octets came */
	bool is_misuse;                  /* the refusal is about the command line */
	char refusal[CTL_REFUSAL_BYTES]; /* why it was not done; "": it was */
};

/* For calls; .word is borrowed. */
struct ctl_reply ctl_reply_of_call(
	const struct control_word *word, bool is_json, bool is_words);

/* For a line. */
struct ctl_reply ctl_reply_of_line(void);

/* The connection has ended: say so where that is the end of a line's reply. */
void ctl_reply_end(struct ctl_reply *reply);

void ctl_reply_clear(struct ctl_reply *reply);

#endif
