/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One collector: the message being filled, its sequence, its template clock. Records go in,
 * whole messages go to the transport. Nothing here asks for the time: now_ns is packet time,
 * never goes back, and becomes the export time, so a capture gives the same bytes on every run.
 *
 * Where the transport has sessions (IPFIX alone, RFC 7011 section 10) each begins with all
 * templates and with sequence number 0, and templates are not repeated, but options data are.
 * What waited for the session is numbered for it when it begins.
 */
#ifndef EXPORT_EXPORTER_H
#define EXPORT_EXPORTER_H

#include <stddef.h>

#include "export/flow_record.h"
#include "export/template.h"
#include "export/transport.h"

enum export_version {
	EXPORT_NETFLOW_1 = 1,
	EXPORT_NETFLOW_5 = 5,
	EXPORT_NETFLOW_9 = 9,
	EXPORT_IPFIX = 10,
};

/* How flow start and end are told in v9 and IPFIX (softflowd's -A). */
enum export_time {
	EXPORT_TIME_UPTIME, /* 22/21, relative to boot; with 160 in IPFIX's options data */
	EXPORT_TIME_SECONDS,
	EXPORT_TIME_MILLISECONDS,
	EXPORT_TIME_MICROSECONDS,
	EXPORT_TIME_NANOSECONDS,
};

enum export_biflow {
	EXPORT_BIFLOW_OFF,     /* one record per direction */
	EXPORT_BIFLOW_MINIMAL, /* RFC 5103, reverse octets and packets alone: what nfdump reads
				  right */
	EXPORT_BIFLOW_FULL,    /* RFC 5103, every reversible element */
};

/* Which key fields the templates carry: follows the track level. */
struct export_fields {
	bool has_protocol;
	bool has_ports;
	bool has_vlan;                /* 58 */
	bool has_mac;                 /* 56, 80 */
	bool is_vlan_key, is_mac_key; /* flows are told apart by them */
	unsigned mpls_labels;         /* 70...: how many, 0 to 10 (softflowd's -x) */
};

/* What the exporter tells of itself with its templates. */
enum options_set {
#define OPTIONS_SET(symbol, ...) OPTIONS_SET_##symbol,
#include "export/options_set.def"
#undef OPTIONS_SET
	OPTIONS_SET_COUNT
};

/* 1 << enum options_set of those that are told without being asked for. */
#define OPTIONS_SET(symbol, word, is_default, ...) \
	| (is_default ? 1u << OPTIONS_SET_##symbol : 0)
enum {
	OPTIONS_SET_DEFAULT = 0
#include "export/options_set.def"
};
#undef OPTIONS_SET

struct exporter_config {
	enum export_version version;
	enum export_time time;
	enum export_biflow biflow;
	struct export_fields fields;
	struct export_template template; /* v9 and IPFIX */
	uint32_t options_changed; /* 1 << enum options_set: told, or not, against the default */
	/* How many packets came and were not metered; NULL: not known. Called by whoever calls
	 * the exporter. */
	uint64_t (*ignored_packets)(const void *user);
	const void *ignored_user; /* borrowed, for as long as the exporter lives */
	uint32_t enterprise;      /* private enterprise number of private elements; not 0 */
	uint32_t domain;          /* observation domain id, v9 source id */
	uint8_t engine_type, engine_id; /* v5 */
	uint32_t sampling_interval;     /* 1: every packet */
	uint64_t boot_ns;               /* Unix time when sysUptime was 0 */
	uint32_t template_refresh_s;    /* at the latest after so long; 0: at the start alone */
	uint32_t template_refresh_messages; /* and after this many messages; 0: time alone */
	uint32_t flush_delay_ms;  /* a record waits at most this long for its message to fill */
	uint32_t gather_delay_ms; /* a full message waits at most this long for others to be
				   * sent with; 0: until exporter_advance() */
	uint32_t message_bytes;   /* largest message: path MTU less IP and UDP headers; at
				   * most 65535 */
	uint32_t known_path_message_bytes; /* the same where .path_bytes of the transport
					    * says that there is room; 0: no difference */
	uint32_t if_index;                 /* for the interface options record */
	const char *interface_name;        /* borrowed; "" when there is none */
	const char *interface_description; /* borrowed; "" when there is none */
	uint32_t process_id;               /* exportingProcessId (144); constant in replay */
};

/* Totals of one collector. */
struct exporter_stats {
	uint64_t flows;    /* flow_records given to this collector that its version can carry */
	uint64_t records;  /* data records sent, options data not counted */
	uint64_t messages; /* messages the transport took */
	uint64_t octets;   /* in those messages */
	uint64_t failed_messages;   /* messages the transport refused for good, and messages it
				     * took of which it was told later that they did not
				     * arrive (no listener) */
	uint64_t failed_records;    /* flow data records in them: lost on the way out */
	uint64_t unsupported_flows; /* flow_records that the version cannot carry (IPv6 in v1,
				       v5) */
	uint64_t unsupported_pkts;
	uint64_t saturated_fields; /* values too large for their field, sent as the largest */
	uint64_t postponed_sends;  /* times that messages had to wait because the socket had no
				    * room; none is lost by that */
	/* When, by the exporter's clock; 0: never. */
	uint64_t last_sent_ns;              /* a message was taken by the transport */
	uint64_t last_failed_ns;            /* a message was refused, or found to be lost */
	uint64_t last_templates_ns;         /* templates were written into a message */
	uint64_t last_error;                /* errno of that failure; 0: there was none */
	struct transport_sessions sessions; /* where the transport has them */
};

struct exporter;
struct exporter_saved;

/* Whether the template can be exported so; only the members above .domain count. 0, or -EINVAL
 * with the reason in .error. */
int exporter_check_template(
	const struct exporter_config *config, char error[static TEMPLATE_ERROR_BYTES]);

/* The smallest .message_bytes that holds the longest record and template. */
size_t exporter_least_bytes(const struct exporter_config *config);

/* The transport is taken: exporter_free() closes it. On failure it stays the caller's:
 * -EMSGSIZE when .message_bytes is too small for the longest record or template, -EINVAL for
 * what does not exist, as sessions of other versions than IPFIX. */
int exporter_new(const struct exporter_config *config, struct transport *transport,
	struct exporter **ret_exporter);

/*
 * The same for messages that another process is to go on with (exporter_keep.h). .bytes,
 * EXPORTER_KEPT_BYTES of them, outlive this process and are borrowed. .saved: what that process
 * goes on with; it must fit the configuration. NULL: begin anew.
 *
 * Nothing is sent but by exporter_release(), which is for when all that has gone in is known to
 * the next process. exporter_free() sends nothing, either.
 */
int exporter_new_kept(const struct exporter_config *config, struct transport *transport,
	uint8_t *bytes, const struct exporter_saved *saved, struct exporter **ret_exporter);

/* Send what is left at the last time given, then free. NULL is fine. */
void exporter_free(struct exporter *exporter);

/* Encode one flow, both directions. A message that is full is sent, at once or together with
 * others. */
void exporter_add(struct exporter *exporter, const struct flow_record *record, uint64_t now_ns);

/* Move the clock: send the message whose flush delay is over and templates that are due, each
 * stamped with the time it was due, not later. Refreshes missed by a jump of the clock become
 * one. The first call starts the clock. Cheap when there is nothing to do. */
void exporter_advance(struct exporter *exporter, uint64_t now_ns);

/* Send the message being filled now, if it holds a record, and all that is gathered; then ask
 * what became of it. Without room in the socket it is held. */
void exporter_flush(struct exporter *exporter, uint64_t now_ns);

/* Send the full messages that were kept to be sent together, if they have waited long enough.
 * exporter_advance() does the same; this is for when the clock cannot be moved. */
void exporter_send_gathered(struct exporter *exporter);

/* Of one that is kept: send all messages that are finished. True when some have left; the next
 * process should know before anything else goes in. */
bool exporter_release(struct exporter *exporter);

/* The socket has no room just now, and messages wait for it: more records should wait, too,
 * rather than push those messages out. Not so when the collector is away: that takes longer
 * than anybody should wait. */
bool exporter_is_held(const struct exporter *exporter);

/* Nothing waits to be sent, and no message is begun. */
bool exporter_is_empty(const struct exporter *exporter);

/* What is held still will not be sent any more: count it as failed. */
void exporter_give_up(struct exporter *exporter);

/* Put all templates and options into the next message (softflowctl's send-template). */
void exporter_refresh_templates(struct exporter *exporter);

/* Move the time when sysUptime was 0. What was encoded with the old one is sent first,
 * templates and options go with the next message. */
void exporter_set_boot(struct exporter *exporter, uint64_t boot_ns);

/* Unix time was set by .step_ns: so is the clock, and all that is due, with it; the next now_ns
 * may be earlier than the last. What was encoded before is sent first. The times in records
 * are told in the new time, too, and sysUptime goes on as it was. */
void exporter_step_clock(struct exporter *exporter, int64_t step_ns);

/*
 * Go on with other .template_refresh_s, .template_refresh_messages, .flush_delay_ms,
 * .gather_delay_ms and .sampling_interval; nothing else of .config is looked at. Delays count
 * from where they began. What was encoded while another sampling interval held is sent first,
 * templates and options that tell the new one go with the next message.
 */
void exporter_set_terms(struct exporter *exporter, const struct exporter_config *config);

const struct exporter_stats *exporter_stats(const struct exporter *exporter);
const struct transport *exporter_transport(const struct exporter *exporter);

#endif
