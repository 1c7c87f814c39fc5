/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control_word.def and control_shape.def as data: what can be asked of the control socket, and
 * what the replies are made of. Shared by the daemon, ringflowctl and what writes the manual
 * and the description; nothing here knows how a question is answered.
 */
#ifndef SENSOR_CONTROL_TABLE_H
#define SENSOR_CONTROL_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#define CONTROL_INTERFACE "io.ringflow.Sensor"

/* Largest request: a softflowctl line, or a Varlink message without its NUL. */
#define CONTROL_REQUEST_BYTES 8192

/* Errors of our own, besides those of org.varlink.service. */
#define CONTROL_ERROR_FAILED CONTROL_INTERFACE ".Failed"
#define CONTROL_ERROR_BUSY CONTROL_INTERFACE ".Busy"
#define CONTROL_ERROR_BAD_REQUEST CONTROL_INTERFACE ".BadRequest"

enum control_kind {
	CONTROL_INT,
	CONTROL_INT_MAYBE,
	CONTROL_REAL,
	CONTROL_SHARE, /* REAL, from 0 to 1 */
	CONTROL_TEXT,
	CONTROL_TEXT_MAYBE,
	CONTROL_BOOL,
	CONTROL_SWITCH, /* of a parameter: a BOOL that is false when it is left out */
	CONTROL_TIME,
	CONTROL_SPAN,
	CONTROL_SPAN_MAYBE,
	CONTROL_OBJECT,
	CONTROL_LIST,
};

struct control_shape;

/* A member of an object, of a reply, or a parameter. */
struct control_field {
	const char *name;
	enum control_kind kind;
	const struct control_shape *of; /* OBJECT, LIST */
	const char *title;              /* NULL: not in tables; a parameter: its argument */
	bool is_rest;                   /* a parameter: what stands behind the word */
	const char *sentence;
};

struct control_shape {
	const char *type; /* its name in the description */
	const struct control_field *fields;
	size_t count;
	const char *sentence;
};

enum control_shape_id {
#define SHAPE(symbol, ...) SHAPE_##symbol,
#include "sensor/control_shape.def"
	SHAPE_COUNT
};

enum control_word_id {
#define WORD(symbol, ...) WORD_##symbol,
#include "sensor/control_word.def"
	WORD_COUNT
};

struct control_word {
	const char *word;   /* NULL: a method alone */
	const char *method; /* NULL: a word alone */
	bool changes;       /* for root and the daemon's user */
	bool has_words;     /* there is text, which Run gives */
	struct control_shape takes, gives;
	const char *help, *manual;
};

extern const struct control_shape control_shapes[SHAPE_COUNT];
extern const struct control_word control_words[WORD_COUNT];

/* NULL when there is none of that name. */
const struct control_word *control_word_find(const char *word);
const struct control_word *control_method_find(const char *method);

/* The interface in the Varlink definition language. */
void control_write_description(FILE *out);

/* May the member be left out of an object? */
bool control_is_optional(enum control_kind kind);

/* COMMANDS of ringflowctl(8), in scdoc; ringflowctl's help; its completion, in bash. */
void control_write_manual(FILE *out);
void control_write_help(FILE *out);
void control_write_completion(FILE *out);

#endif
