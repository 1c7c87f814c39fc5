/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: what the rows of options.def fill in. Read-only once the lanes run.
 *
 * Run under the name softflowd, the defaults are softflowd's; else they are ringflow's. Both
 * columns stand in the same row.
 */
#ifndef SENSOR_CONFIG_H
#define SENSOR_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "export/exporter.h"
#include "export/print.h"
#include "sensor/decode.h"
#include "sensor/flow_cache.h"

#define CONFIG_DESTINATIONS_MAX 64
#define CONFIG_FILES_MAX 1024
#define CONFIG_FILES_GIVEN_MAX 16 /* --config */
#define CONFIG_SOURCES_MAX 256
#define CONFIG_LANES_MAX 64
#define CONFIG_ERROR_BYTES 512
#define CONFIG_NOTES_MAX 8
#define CONFIG_TEMPLATE_BYTES 4096 /* the names of TEMPLATE_ELEMENTS_MAX elements */

/* Where a value stands. */
struct config_place {
	uint32_t source; /* 1: .sources[0]...; 0: the command line or nowhere */
	uint32_t line;   /* from 1 */
};

/* How messages travel (-P). */
enum config_transport {
	CONFIG_TRANSPORT_UDP,
	CONFIG_TRANSPORT_TCP,
	CONFIG_TRANSPORT_FILE, /* of a destination alone */
};

struct config_destination {
	bool has_transport; /* as given; in the end .transport is set in any case */
	enum config_transport transport;
	char *host; /* IPv6 without brackets */
	char *port;
	char *path; /* of files, which have no host and no port */
	struct config_place place;
};

/* What becomes of us when the interface does not exist at the start (--if-absent). */
enum if_absent {
	IF_ABSENT_WAIT,
	IF_ABSENT_EXIT,
};

/* Parts of --sandbox: bits. */
enum config_sandbox {
	CONFIG_SANDBOX_LANDLOCK = 1 << 0,
	CONFIG_SANDBOX_SECCOMP = 1 << 1,
};

/* Which program we are called as; decides the defaults and the words of messages. */
enum personality {
	PERSONALITY_RINGFLOW,
	PERSONALITY_SOFTFLOWD,
};

struct config {
	enum personality personality;
	const char *program; /* "ringflowd" or "softflowd" */

	/* source */
	char *interface; /* NULL with capture files */
	bool has_if_index;
	uint32_t if_index; /* given as -i N:name */
	char *files[CONFIG_FILES_MAX];
	size_t file_count;
	char *source_kind; /* --source: NULL is the best one */
	char *filter;      /* NULL: none */
	struct config_place filter_place;
	uint32_t snap_bytes; /* 0: enough for headers */
	uint32_t block_bytes, block_count, retire_timeout_ms, buffer_bytes;
	bool no_promiscuous;
	enum if_absent if_absent;
	uint32_t lanes; /* 0: one for each usable core */

	/* metering */
	enum track_level level;
	enum count_mode count;
	enum fragment_mode fragments;
	uint32_t maximum_flows;
	uint32_t sampling_interval; /* 1: every packet */
	struct flow_timeouts timeouts;
	uint8_t own_mac[6]; /* -H, for flowDirection; all zero: the interface's */
	bool has_own_mac;

	/* export */
	struct config_destination destinations[CONFIG_DESTINATIONS_MAX];
	size_t destination_count;
	enum config_transport transport;
	enum export_version version;
	enum export_time time;
	enum export_biflow biflow;
	struct export_template template;
	uint32_t enterprise;   /* of private elements */
	uint32_t options_data; /* 1 << enum options_set */
	unsigned mpls_labels;
	bool is_load_balanced;
	bool track_v6; /* the version can carry IPv6, they are printed, or -6 was given */
	char *export_device, *export_source;
	int hop_limit; /* -1: the system's */
	bool has_domain;
	uint32_t domain;                   /* observation domain, source id */
	uint32_t mtu_bytes;                /* as given; 0: not */
	uint32_t message_bytes;            /* largest message that fits it */
	uint32_t known_path_message_bytes; /* ... on a path that is known to have room; or 0 */
	uint32_t template_refresh_s, template_refresh_messages, flush_delay_ms;
	uint32_t reconnect_s, reconnect_most_s; /* TCP: from one attempt to the next */
	uint32_t rotate_bytes, rotate_s;        /* files: 0: not */
	char *compression;                      /* of files: a codec of the build, or NULL */
	uint32_t reinitialise_s; /* -I: move sysUptime's zero every so often; 0: never */
	uint32_t export_rate; /* flows per second that expire on an interface; 0: any number */
	enum print_format print;

	/* process */
	bool is_foreground; /* -d, implied by -D, -r and --print */
	bool is_verbose;    /* -D, --verbose */
	uint32_t log_level; /* of syslog(3) */
	bool shows_clocks;  /* -g */
	char *pid_file;     /* NULL: none; in the foreground only when -p was given */
	char *control_path; /* NULL: none; so it is with capture files */
	char *user;         /* to become when started by root; NULL: not given */
	uint32_t sandbox;   /* bits of enum config_sandbox */
	uint32_t control_mode;
	char *control_group; /* NULL: the process's */

	char *sources[CONFIG_SOURCES_MAX]; /* configuration files that were read, in order */
	size_t source_count;

	/* What the operator should know although nothing is wrong, a sentence each, starting
	 * with the option. Borrowed from the program text. */
	const char *notes[CONFIG_NOTES_MAX];
	size_t note_count;
};

/* Outcomes of config_parse() that are not errors. */
enum {
	CONFIG_HELP = 1, /* help, version, dump or check: written to .out; exit with 0 */
};

/* What a configuration is read from: the same again gives the same again, if the files do. */
struct config_input {
	int argc;
	char **argv;        /* permuted, not kept */
	const char *folder; /* of the files that are read unasked; NULL: there are none */
	const char *base;   /* the folder where relative paths of --config begin; NULL: here */
};

/* The folder of the default files, as it was built in. */
extern const char config_folder[];

/*
 * Fill *config from the command line and the files that it leads to. 0; CONFIG_HELP after
 * writing to .out what was asked for; or a negative errno with one line in .error that names
 * the option and its value, or the file, the line and what is there, without the program's name
 * in front. On anything but 0 *config owns nothing, but .program and .personality are set.
 */
int config_parse(struct config *config, const struct config_input *input, FILE *out,
	char error[static CONFIG_ERROR_BYTES]);

/* What differs between two configurations, by the options' names with ", " between them. */
struct config_changes {
	char names[512];
	char restart[512];    /* of these, what cannot change while the program runs */
	bool starts_sessions; /* messages will look different, or travel differently */
};

/* Both are whole; of an interface, not of capture files. 0 or -ENOMEM. */
int config_compare(const struct config *before, const struct config *after,
	struct config_changes *ret_changes);

/* "FILE:LINE: ", or "" for what does not stand in a file. Returns .out. */
const char *config_place_text(
	const struct config *config, struct config_place place, char *out, size_t size);

/* Parse "1h30m" style times (softflowd's): 0, -EINVAL, or -ERANGE for more than 68 years. */
int config_parse_duration(const char *text, uint64_t *ret_ns);

/* Parse one "name=time" of -t into .timeouts; 0, or -EINVAL with the reason in .error. */
int config_parse_timeout(const char *text, struct flow_timeouts *timeouts,
	char error[static CONFIG_ERROR_BYTES]);

/* The synopsis and the option table; what --help prints. */
void config_write_help(enum personality personality, FILE *out);

/* Parts of the manual, in scdoc; what the build puts into ringflowd(8). */
void config_write_manual(FILE *out);      /* OPTIONS */
void config_write_timeouts(FILE *out);    /* TIMEOUTS: the list of names */
void config_write_differences(FILE *out); /* the table of defaults under both names */
void config_write_files(FILE *out);       /* the files that are read unasked */
void config_write_folder(FILE *out);      /* FILES: where they are */

/* A configuration file in which every option is a comment. */
void config_write_example(FILE *out);

/* The version alone: "0.1.0". */
const char *version_number(void);

/* Completion of the command line, in bash. */
void config_write_completion(FILE *out);

/* What an exporter has to know that the configuration says; the rest is the lane's to add. */
struct exporter_config config_exporter(const struct config *config);

/* Free what .config owns and clear it. */
void config_clear(struct config *config);

#endif
