/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Varlink wire format (varlink.org, "Method Call"): JSON objects, each with a NUL behind
 * it. A call is read strictly: it has a bounded size and depth, no member twice, none that is
 * not in the protocol.
 */
#ifndef SENSOR_VARLINK_H
#define SENSOR_VARLINK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "sensor/control_table.h"

#define VARLINK_SERVICE "org.varlink.service"
#define VARLINK_DEPTH_MAX 8
#define VARLINK_REASON_BYTES 256

struct varlink_call {
	json_t *root;       /* owned: varlink_call_clear() */
	const char *method; /* "interface.Method"; in .root, like .parameters */
	json_t *parameters; /* NULL: none were given */
	bool wants_more;    /* replies may go on */
	bool is_oneway;     /* no reply at all */
};

/* The parser's hash gets its own random key. Before rights are dropped: jansson would open
 * /dev/urandom. */
void varlink_seed(void);

/* Read one call, without its NUL. 0, or -EBADMSG with a sentence in ret_reason. */
int varlink_call_read(const char *bytes, size_t length, struct varlink_call *ret_call,
	char ret_reason[static VARLINK_REASON_BYTES]);

void varlink_call_clear(struct varlink_call *call);

/*
 * Do the parameters fit the fields: every member known and of its kind, none missing that has
 * to be there? NULL, or the name of the first that does not.
 */
const char *varlink_misfit(json_t *parameters, const struct control_shape *takes);

/* Members of parameters that passed varlink_misfit(); the default when left out. */
const char *varlink_text(const json_t *parameters, const char *name, const char *otherwise);
json_int_t varlink_int(const json_t *parameters, const char *name, json_int_t otherwise);
bool varlink_switch(const json_t *parameters, const char *name);

/* A string; octets that are not UTF-8 become "?" (then all that are not ASCII do). */
json_t *varlink_string(const char *text, size_t length);

/* Write a reply and its NUL; .parameters are borrowed, NULL is none. */
void varlink_write_reply(FILE *out, json_t *parameters, bool continues);

/* Write an error with one member, .name: .value; NULL for none. */
void varlink_write_error(FILE *out, const char *error, const char *name, const char *value);

/* The description of org.varlink.service, or of ours; NULL for another interface. To be freed.
 */
char *varlink_description(const char *interface);

#endif
