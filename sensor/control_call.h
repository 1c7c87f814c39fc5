/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One call of a word or method, from its parameters to its last part. What every answer has in
 * common is here; a word's own is its struct control_answer:
 *
 *	begin()    look at the parameters; fail, or get ready
 *	ask()      place what has to be answered before the next part can be made
 *	json()     make the next part, as JSON...
 *	text()     ...or in softflowd's words; say what is to come after it
 *
 * A part is small, and one part is made in one turn of the loop: so a long answer holds up
 * neither the loop nor, by way of the desk, other clients. The next part is asked for when the
 * client has taken the one before.
 */
#ifndef SENSOR_CONTROL_CALL_H
#define SENSOR_CONTROL_CALL_H

#include <jansson.h>

#include "sensor/control.h"
#include "sensor/control_table.h"

#define CALL_REASON_BYTES CONFIG_ERROR_BYTES
#define CALL_FLOWS 128 /* flows of one part */

/* Calls at once that keep something large until they end (call_take_large()). */
#define CALL_LARGE_MAX 4

enum call_part {
	CALL_LAST,  /* nothing comes after this part */
	CALL_AGAIN, /* ask again, and make another one of the answer */
	CALL_QUIET, /* the same, and this one is empty: do not send it */
	CALL_DRAIN, /* there is more without asking */
};

struct call;

struct control_answer {
	bool is_long; /* may have several parts */
	/* 0, or call_fail()'s. NULL: nothing to look at. */
	int (*begin)(struct call *call);
	/* call->ready() is called when there is an answer, at once or later. NULL: there is
	 * nothing to wait for. */
	void (*ask)(struct call *call);
	/* Give up what was asked. False: it is under way, wait for ready(). */
	bool (*withdraw)(struct call *call);
	/* call_fail() makes the part an error, which is then the last. */
	enum call_part (*json)(struct call *call, json_t *reply);
	enum call_part (*text)(struct call *call, FILE *out); /* NULL: has no words */
	enum lane_verb verb;                                  /* of call_ask_lanes() */
};

struct call {
	const struct control_context *context;
	const struct control_word *word;
	const struct control_answer *answer;
	json_t *parameters; /* owned; NULL: none */
	bool may_change;    /* root or the daemon's user asks */
	bool wants_more;    /* may be answered in several parts */
	bool has_begun;     /* a part was made */
	bool has_large;
	unsigned *large_count; /* of all calls; borrowed */

	const char *error; /* NULL: none so far; then what to tell, borrowed */
	const char *detail_name;
	char detail[CALL_REASON_BYTES];

	struct lane_order order;
	struct reload_order reload;
	struct flow_snapshot *flows;      /* CALL_FLOWS, owned; of a LANE_SNAPSHOT */
	struct exporter_stats *exporters; /* of all lanes, owned */
	void *state;                      /* the answer's own */
	void (*free_state)(void *state);

	void (*ready)(struct call *call);
	void *user;
};

/* The answers, by word. */
extern const struct control_answer *const control_answers[WORD_COUNT];

/* Fail with an error and, unless .name is NULL, its member. Returns -EINVAL. */
int call_fail(struct call *call, const char *error, const char *name, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/* As call_fail(), of org.varlink.service.InvalidParameter. */
int call_misfit(struct call *call, const char *parameter);

/* Everything is checked that can be: rights, parameters, how many replies are wanted; then the
 * answer begins. 0, or negative with .error set. */
int call_begin(struct call *call);

/* Ask for the next part: .ready is called now or later. */
void call_ask(struct call *call);

/* False: it is being answered, .ready will be called; then call_end(). */
bool call_withdraw(struct call *call);

/* Free what the call owns. Not while it is being answered. */
void call_end(struct call *call);

/* For answers: one of the few calls that may keep something large. 0, or call_fail()'s. */
int call_take_large(struct call *call);

/* For answers: place .answer->verb as an order. LANE_SNAPSHOT fills .flows, LANE_STATS also
 * .exporters when there is room. */
void call_ask_lanes(struct call *call);
bool call_withdraw_lanes(struct call *call);

/* For answers: room for .flows or .exporters. 0, or call_fail()'s. */
int call_make_flows(struct call *call);
int call_make_exporters(struct call *call);

#endif
