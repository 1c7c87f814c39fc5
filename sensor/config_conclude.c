/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What follows from several options together, once all of them are read: so their order never
 * matters. The only place that looks at two of them.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "sensor/config_destination.h"
#include "sensor/config_row.h"

#define MTU_BYTES_MIN 576u
#define MESSAGE_BYTES_AUTOMATIC 1400u
/* What fits a packet of 9,000 octets over IPv6: common collectors read no more. */
#define MESSAGE_BYTES_KNOWN_PATH 8952u
#define HEADER_BYTES_V4 28u /* IP and UDP */
#define HEADER_BYTES_V6 48u
#define ROTATE_BYTES_MIN 65536u
#define RING_BYTES_MAX (UINT64_C(1) << 32)

/* An error that no single option is to blame for: the first of two that stands in a file says
 * where. */
static int fail_together(struct config_parser *parser, enum option_id first,
	enum option_id second, const char *format, ...) __attribute__((format(printf, 4, 5)));

static int fail_together(struct config_parser *parser, enum option_id first,
	enum option_id second, const char *format, ...)
{
	char reason[CONFIG_ERROR_BYTES], place[CONFIG_ERROR_BYTES];
	enum option_id where = parser->places[first].source > 0 ? first : second;
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(reason, sizeof(reason), format, arguments);
	va_end(arguments);
	snprintf(parser->error, CONFIG_ERROR_BYTES, "%s%.300s",
		config_place_text(parser->config, parser->places[where], place, sizeof(place)),
		reason);
	config_make_line(parser->error);
	return -EINVAL;
}

static int conclude_source(struct config_parser *parser)
{
	struct config *config = parser->config;

	if (config->interface && config->file_count > 0)
		return fail_together(parser, OPTION_INTERFACE, OPTION_READ,
			"-i %s with -r %s: packets come from an interface or from capture "
			"files, "
			"not from both",
			config->interface, config->files[0]);
	if (!config->interface && config->file_count == 0)
		return fail_together(parser, OPTION_INTERFACE, OPTION_READ,
			"no packets to meter: give an interface (-i) or a capture file (-r)");
	if (config->source_kind && config->file_count > 0)
		return fail_together(parser, OPTION_SOURCE, OPTION_READ,
			"--source %s with -r: it chooses how an interface is captured",
			config->source_kind);
	return 0;
}

static int conclude_ring(struct config_parser *parser)
{
	struct config *config = parser->config;

	if ((config->block_bytes & (config->block_bytes - 1)) != 0)
		return fail_together(parser, OPTION_BLOCK_SIZE, OPTION_BLOCK_SIZE,
			"--block-size %u: not a power of two", config->block_bytes);
	if (config->buffer_bytes > 0 && !parser->was_given[OPTION_BLOCK_COUNT]) {
		uint32_t blocks =
			(uint32_t)(((uint64_t)config->buffer_bytes + config->block_bytes - 1) /
				   config->block_bytes);
		config->block_count = blocks < 2 ? 2 : blocks;
	}
	if ((uint64_t)config->block_bytes * config->block_count > RING_BYTES_MAX)
		return fail_together(parser, OPTION_BLOCK_SIZE, OPTION_BLOCK_COUNT,
			"--block-size %u with --block-count %u: a ring of more than 4 GiB",
			config->block_bytes, config->block_count);
	return 0;
}

static bool is_v4_address(const char *host)
{
	uint8_t address[4];

	return inet_pton(AF_INET, host, address) == 1;
}

/* The headers that the largest message travels under. A name may turn out to be IPv6. */
static uint32_t header_bytes(const struct config *config)
{
	for (size_t i = 0; i < config->destination_count; i++)
		if (config->destinations[i].host &&
			!is_v4_address(config->destinations[i].host))
			return HEADER_BYTES_V6;
	return config->destination_count > 0 ? HEADER_BYTES_V4 : HEADER_BYTES_V6;
}

/* Who is named without a transport gets that of -P. */
static int conclude_transports(struct config_parser *parser)
{
	struct config *config = parser->config;
	char text[DESTINATION_TEXT_BYTES];

	if (config->rotate_bytes != 0 && config->rotate_bytes < ROTATE_BYTES_MIN)
		return fail_together(parser, OPTION_ROTATE_SIZE, OPTION_ROTATE_SIZE,
			"--rotate-size %u: less than %u", config->rotate_bytes,
			ROTATE_BYTES_MIN);
	if (config->reconnect_s == 0)
		return fail_together(parser, OPTION_RECONNECT, OPTION_RECONNECT,
			"--reconnect 0: it must be 1s or more");
	for (size_t i = 0; i < config->destination_count; i++) {
		struct config_destination *destination = &config->destinations[i];

		if (!destination->has_transport)
			destination->transport = config->transport;
		if (destination->transport != CONFIG_TRANSPORT_UDP &&
			config->version != EXPORT_IPFIX)
			return fail_together(parser,
				destination->has_transport ? OPTION_COLLECTOR
							   : OPTION_TRANSPORT,
				OPTION_VERSION_OF_EXPORT,
				"-v %u over TCP or to a file, %s: only IPFIX (-v 10) can be, "
				"whose messages say how long they are",
				config->version, destination_text(destination, text));
	}
	return 0;
}

/* In the background the working directory is another one. */
static int conclude_paths(struct config_parser *parser)
{
	const struct config *config = parser->config;

	for (size_t i = 0; i < config->destination_count && !config->is_foreground; i++) {
		const char *path = config->destinations[i].path;

		if (path && path[0] != '/')
			return fail_together(parser, OPTION_COLLECTOR, OPTION_COLLECTOR,
				"file:%s: in the background a path has to begin with a slash",
				path);
	}
	return 0;
}

static int conclude_messages(struct config_parser *parser)
{
	struct config *config = parser->config;

	if (config->has_domain && config->lanes > 1 &&
		config->domain > UINT32_MAX - (config->lanes - 1))
		return fail_together(parser, OPTION_DOMAIN, OPTION_LANES,
			"--domain %u with --lanes %u: there are no numbers for all lanes",
			config->domain, config->lanes);
	if (config->mtu_bytes == 0) {
		config->message_bytes = MESSAGE_BYTES_AUTOMATIC;
		config->known_path_message_bytes = MESSAGE_BYTES_KNOWN_PATH;
		return 0;
	}
	if (config->mtu_bytes < MTU_BYTES_MIN)
		return fail_together(parser, OPTION_MTU, OPTION_MTU,
			"--mtu %u: not in %u..65535", config->mtu_bytes, MTU_BYTES_MIN);
	config->message_bytes = config->mtu_bytes - header_bytes(config);
	return 0;
}

/* Options that the export version has no place for change nothing, and say so. */
static void conclude_version(struct config_parser *parser)
{
	struct config *config = parser->config;
	bool has_templates = config->version >= EXPORT_NETFLOW_9;
	bool is_ipfix = config->version == EXPORT_IPFIX;

	if (!parser->was_given[OPTION_TIME_FORMAT] && !is_ipfix)
		config->time = EXPORT_TIME_UPTIME;
	if (config->time != EXPORT_TIME_UPTIME && !has_templates) {
		config->time = EXPORT_TIME_UPTIME;
		config_note(config, "-A: NetFlow v1 and v5 can only tell the uptime");
	}
	if (config->biflow != EXPORT_BIFLOW_OFF && !is_ipfix) {
		config->biflow = EXPORT_BIFLOW_OFF;
		config_note(config, "-b, --biflow: only IPFIX (-v 10) has such records");
	}
	if (config->mpls_labels > 0 && !has_templates) {
		config->mpls_labels = 0;
		config_note(config, "-x: NetFlow v1 and v5 cannot carry MPLS labels");
	}
	if (has_templates || config->print != PRINT_NONE)
		config->track_v6 = true;
}

/* Options that choose among the elements of a preset say nothing of elements that are named. */
static void note_named(struct config_parser *parser)
{
	struct config *config = parser->config;

	if (config->template.element_count == 0)
		return;
	if (parser->was_given[OPTION_TIME_FORMAT])
		config_note(config, "-A: --template names the form of times");
	if (config->mpls_labels > 0)
		config_note(config, "-x: --template names the labels");
}

static int conclude_template(struct config_parser *parser)
{
	const struct config *config = parser->config;
	const struct exporter_config exporter = config_exporter(config);
	char error[TEMPLATE_ERROR_BYTES];

	note_named(parser);
	if (exporter_check_template(&exporter, error) < 0)
		return fail_together(
			parser, OPTION_TEMPLATE, OPTION_TEMPLATE, "--template: %s", error);
	size_t least = exporter_least_bytes(&exporter);
	if (config->message_bytes < least)
		return fail_together(parser, OPTION_MTU, OPTION_TEMPLATE,
			"--mtu %u: the template or its records need messages of %zu octets, "
			"and %u are left",
			config->mtu_bytes, least, config->message_bytes);
	return 0;
}

/* What was asked for beyond the default, which every version takes as far as it has it. */
static uint32_t chosen_options(const struct config *config)
{
	bool has_default = (config->options_data & OPTIONS_SET_DEFAULT) == OPTIONS_SET_DEFAULT;

	return config->options_data & ~(has_default ? OPTIONS_SET_DEFAULT : 0u);
}

static int conclude_options_data(struct config_parser *parser)
{
	const struct config *config = parser->config;
	uint32_t chosen = chosen_options(config);

	if (config->version < EXPORT_NETFLOW_9 && chosen != 0)
		return fail_together(parser, OPTION_OPTIONS_DATA, OPTION_VERSION_OF_EXPORT,
			"--options-data: NetFlow v1 and v5 have none");
	for (size_t i = 0; i < OPTIONS_SET_COUNT && config->version == EXPORT_NETFLOW_9; i++)
		if (chosen >> i & 1 && options_set_rows[i].is_ipfix)
			return fail_together(parser, OPTION_OPTIONS_DATA,
				OPTION_VERSION_OF_EXPORT,
				"--options-data: %s is IPFIX's, not NetFlow v9's",
				options_set_rows[i].word);
	return 0;
}

static void drop_text(char **text)
{
	free(*text);
	*text = NULL;
}

static void conclude_process(struct config_parser *parser)
{
	struct config *config = parser->config;
	bool is_replay = config->file_count > 0;

	if (is_replay || config->print != PRINT_NONE)
		config->is_foreground = true;
	if (is_replay)
		drop_text(&config->control_path);
	if (config->is_foreground && !parser->was_given[OPTION_PID_FILE])
		drop_text(&config->pid_file);
	if (config->sampling_interval == 0)
		config->sampling_interval = 1;
}

int config_conclude(struct config_parser *parser)
{
	int rc = conclude_source(parser);

	if (rc == 0)
		rc = conclude_ring(parser);
	if (rc == 0)
		rc = conclude_transports(parser);
	if (rc == 0)
		rc = conclude_messages(parser);
	if (rc < 0)
		return rc;
	conclude_version(parser);
	conclude_process(parser);
	rc = conclude_paths(parser);
	if (rc == 0)
		rc = conclude_options_data(parser);
	return rc < 0 ? rc : conclude_template(parser);
}

struct exporter_config config_exporter(const struct config *config)
{
	return (struct exporter_config){
		.version = config->version,
		.time = config->time,
		.biflow = config->biflow,
		.fields = {
			.has_protocol = config->level > TRACK_IP,
			.has_ports = config->level >= TRACK_PORT,
			.has_vlan = true,
			.has_mac = true,
			.is_vlan_key = config->level >= TRACK_VLAN,
			.is_mac_key = config->level >= TRACK_ETHER,
			.mpls_labels = config->mpls_labels,
		},
		.template = config->template,
		.enterprise = config->enterprise,
		.options_changed = config->options_data ^ OPTIONS_SET_DEFAULT,
		.sampling_interval = config->sampling_interval,
		.template_refresh_s = config->template_refresh_s,
		.template_refresh_messages = config->template_refresh_messages,
		.flush_delay_ms = config->flush_delay_ms,
		.message_bytes = config->message_bytes,
		.known_path_message_bytes = config->known_path_message_bytes,
		.interface_name = config->interface ? config->interface : "",
		.interface_description = "",
	};
}
