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
#define CONFIG_ERROR_BYTES 512

struct config_destination {
	char *host; /* IPv6 without brackets */
	char *port;
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
	char *filter;	   /* trailing words, joined */
	uint32_t snap_bytes;
	uint32_t block_bytes, block_count, retire_timeout_ms, buffer_bytes;
	bool no_promiscuous;

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
	enum export_version version;
	enum export_time time;
	enum export_biflow biflow;
	unsigned mpls_labels;
	bool is_load_balanced;
	bool track_v6; /* -6: keep IPv6 flows even when the version cannot carry them */
	char *export_device, *export_source;
	int hop_limit;
	bool has_domain;
	uint32_t domain; /* observation domain, source id */
	uint32_t message_bytes;
	uint32_t template_refresh_s, template_refresh_messages, flush_delay_ms;
	uint32_t reinitialise_s; /* -I: move sysUptime's zero every so often; 0: never */
	enum print_format print;

	/* process */
	bool is_foreground; /* -d, implied by -r */
	bool is_verbose;    /* -D */
	bool shows_clocks;  /* -g */
	char *pid_file;	    /* NULL or "none": none */
	char *control_path; /* NULL or "none": none */
};

/* Outcomes of config_parse() that are not errors. */
enum {
	CONFIG_HELP = 1, /* the help or version text was asked for and written to .out */
};

/*
 * Fill *config from a command line. 0; CONFIG_HELP after writing to .out what was asked for; or a
 * negative errno with one line in .error that names the option. argv is permuted, not kept.
 */
int config_parse(struct config *config, int argc, char **argv, FILE *out,
	char error[static CONFIG_ERROR_BYTES]);

/* Parse "1h30m" style times (softflowd's); 0 or -EINVAL. */
int config_parse_duration(const char *text, uint64_t *ret_ns);

/* Parse one "name=time" of -t into .timeouts; 0, or -EINVAL with the reason in .error. */
int config_parse_timeout(const char *text, struct flow_timeouts *timeouts,
	char error[static CONFIG_ERROR_BYTES]);

/* The synopsis and the option table; what --help prints. */
void config_write_help(enum personality personality, FILE *out);

/* The OPTIONS section of the manual, in scdoc; what the build puts into ringflowd(8). */
void config_write_manual(FILE *out);

/* Free what .config owns and clear it. */
void config_clear(struct config *config);

#endif
