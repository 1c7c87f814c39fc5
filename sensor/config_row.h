/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of options.def as data, for the files config*.c and options.c alone. A row knows how
 * to read its value (.set) and how to print it (.dump); whoever walks the rows knows nothing
 * about single options.
 */
#ifndef SENSOR_CONFIG_ROW_H
#define SENSOR_CONFIG_ROW_H

#include "sensor/config.h"

enum option_id {
#define GROUP(symbol, title) OPTION_##symbol,
#define OPTION(symbol, ...) OPTION_##symbol,
#define TIMEOUT(...)
#include "sensor/options.def"
#undef GROUP
#undef OPTION
#undef TIMEOUT
	OPTION_COUNT
};

enum config_action {
	ACTION_HELP = 1 << 0,
	ACTION_VERSION = 1 << 1,
	ACTION_CHECK = 1 << 2,
	ACTION_DUMP = 1 << 3,
	ACTION_ELEMENTS = 1 << 4,
};

/* What a shell offers for an argument; words of a choice are offered without being asked
 * for. */
enum completion {
	COMPLETE_NOTHING,
	COMPLETE_FILE,
	COMPLETE_INTERFACE,
	COMPLETE_TIMEOUT,
	COMPLETE_TEMPLATE,
};

/* One word that an option takes. A list of them ends in a row without a word. */
struct choice {
	const char *word;
	uint32_t value;
	bool is_alias;       /* accepted, but not listed */
	const char *refusal; /* known, but this build cannot do it: why */
};

/* May the value change while the program runs? */
enum config_reload {
	RELOAD_RESTART,
	RELOAD_LIVE,
	RELOAD_SESSION,
};

struct option_row;

/* Where values come from, the weakest first. */
enum config_layer {
	LAYER_DEFAULTS,
	LAYER_FILES,
	LAYER_LINE,
};

/* A configuration as it is being read. */
struct config_parser {
	struct config *config;
	const char *
		spelling; /* of the option being read: "-t" or "--timeout"; in files its name */
	const char *value; /* its argument, "" when it takes none */
	enum config_layer layer;
	struct config_place place;                 /* of the value being read */
	bool was_given[OPTION_COUNT];              /* by the user */
	bool was_given_here[OPTION_COUNT];         /* in this layer */
	struct config_place places[OPTION_COUNT];  /* of what was given last */
	unsigned actions;                          /* bits of enum config_action */
	const char *paths[CONFIG_FILES_GIVEN_MAX]; /* --config; borrowed */
	size_t path_count;
	char *error; /* room for CONFIG_ERROR_BYTES */
};

struct option_row {
	const char *title; /* of a group; then the rest is empty */
	char letter;
	const char *name;
	const char *word; /* of the argument; NULL: takes none */
	int (*set)(struct config_parser *parser, const struct option_row *row);
	void (*dump)(const struct config *config, const struct option_row *row, FILE *out);
	size_t offset; /* of the member in struct config */
	uint32_t minimum, maximum;
	const struct choice *choices;
	unsigned action;
	const char *reason; /* of a refusal; or the note of an option that changes nothing */
	enum completion completion;
	bool is_size; /* K, M, G */
	bool is_refused;
	bool is_switch; /* a flag: has a value without being given */
	enum config_reload reload;
	const char *defaults[2]; /* by enum personality; NULL: none */
	const char *help;
	const char *manual;
};

struct timeout_row {
	const char *name;
	size_t offset;           /* in struct flow_timeouts */
	const char *defaults[2]; /* by enum personality */
	unsigned least_s;
	const char *sentence;
};

/* One kind of options data (export/options_set.def). */
struct options_set_row {
	const char *word;
	bool is_default, is_ipfix;
	const char *sentence;
};

extern const struct options_set_row options_set_rows[OPTIONS_SET_COUNT];
extern const struct option_row option_rows[OPTION_COUNT];
extern const struct timeout_row timeout_rows[];
extern const size_t timeout_row_count;

/* Read a value for an option: 0, or a negative errno with a line in the parser's error. */
int config_set(struct config_parser *parser, const struct option_row *row, const char *spelling,
	const char *value);

/* Put a copy of .text, or NULL, in the place of what *member owns. 0 or -ENOMEM. */
int config_replace_text(char **member, const char *text);

/* Has the layer being read given the option a value before? */
bool config_was_given_here(const struct config_parser *parser, const struct option_row *row);

/* Values stand in this file from now on. 0, -ENOMEM, or -E2BIG after CONFIG_SOURCES_MAX files.
 */
int config_begin_file(struct config_parser *parser, const char *path);

/* Can a file give the option a value? What is only done, not set, it cannot. */
bool config_row_has_value(const struct option_row *row);

/* What cannot be printed becomes a question mark: a message stays one line. */
void config_make_line(char *text);

/* -EINVAL, with "<place><option> <value>: <reason>" in the parser's error. */
int config_fail(struct config_parser *parser, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Check and complete what was read. 0, or -EINVAL with one line in the parser's error. */
int config_conclude(struct config_parser *parser);

/* Tell the operator something; more than CONFIG_NOTES_MAX are not kept. */
void config_note(struct config *config, const char *note);

/* The words of a list that can be chosen, with spaces between them. Returns .out. */
const char *choice_list(const struct choice *choices, char *out, size_t size);

/* "name = value" lines of every option that has a value: a configuration file. */
void config_dump(const struct config_parser *parser, FILE *out);

/* The program's version; .is_verbose: and what the build contains. */
void version_write(const char *program, bool is_verbose, FILE *out);

#endif
