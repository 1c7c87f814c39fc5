/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/control_table.h"

#include <string.h>

enum { OPTION = 0, REST = 1, READS = 0, CHANGES = 1, DATA = 0, WORDS = 1 };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define OF(symbol) (SHAPE_##symbol == SHAPE_none ? NULL : &control_shapes[SHAPE_##symbol])

/* -- members -------------------------------------------------------------------------- */

/* clang-format off */
#define SHAPE(symbol, ...) static const struct control_field symbol##_fields[] = {
#define FIELD(name, kind, of, title, expression, sentence) \
	{ #name, CONTROL_##kind, OF(of), title, false, sentence },
#define END_SHAPE(symbol) };
#include "sensor/control_shape.def"

#define WORD(symbol, ...) static const struct control_field symbol##_takes[] = {
#define TAKES(name, kind, place, argument, sentence) \
	{ #name, CONTROL_##kind, NULL, argument, place, sentence },
#define END_WORD(symbol) };
#include "sensor/control_word.def"

#define WORD(symbol, ...) static const struct control_field symbol##_gives[] = {
#define GIVES(name, kind, of, title, sentence) \
	{ #name, CONTROL_##kind, OF(of), title, false, sentence },
#define END_WORD(symbol) };
#include "sensor/control_word.def"

/* -- tables --------------------------------------------------------------------------- */

const struct control_shape control_shapes[SHAPE_COUNT] = {
#define SHAPE(symbol, type, object, sentence) \
	{ type, symbol##_fields, COUNT(symbol##_fields), sentence },
#include "sensor/control_shape.def"
};

const struct control_word control_words[WORD_COUNT] = {
#define WORD(symbol, word, method, rights, answer, help, manual) \
	{ word, method, rights, answer, \
	  { "", symbol##_takes, COUNT(symbol##_takes), "" }, \
	  { "", symbol##_gives, COUNT(symbol##_gives), "" }, \
	  help, manual },
#include "sensor/control_word.def"
};
/* clang-format on */

bool control_is_optional(enum control_kind kind)
{
	return kind == CONTROL_INT_MAYBE || kind == CONTROL_TEXT_MAYBE ||
	       kind == CONTROL_SPAN_MAYBE || kind == CONTROL_TIME || kind == CONTROL_SWITCH;
}

const struct control_word *control_word_find(const char *word)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (control_words[i].word && strcmp(control_words[i].word, word) == 0)
			return &control_words[i];
	return NULL;
}

const struct control_word *control_method_find(const char *method)
{
	for (size_t i = 0; i < WORD_COUNT; i++)
		if (control_words[i].method && strcmp(control_words[i].method, method) == 0)
			return &control_words[i];
	return NULL;
}
