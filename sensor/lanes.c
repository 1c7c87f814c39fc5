/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lanes.h"

#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "export/compress.h"
#include "sensor/domain.h"
#include "sensor/lanes_before.h"
#include "sensor/lanes_keep.h"
#include "sensor/process.h"
#include "sensor/random.h"

#define REPLAY_INTERFACE \
	1 /* ifIndex of records without an interface: some collectors refuse 0 */
/* For frames of which the ring cannot tell where the headers end: every header that the decoder
 * looks at, with room for tunnels of tags. */
#define LIVE_SNAP_BYTES 256

/* 3 s for a GiB were measured on a small virtual machine; this is five times as long. */
#define BYTES_PER_US 70
#define FLOW_BYTES 160
#define OPENING_US 60000000 /* the rest, names to resolve among it */

static bool is_replay(const struct config *config)
{
	return config->file_count > 0;
}

/* -- sources -------------------------------------------------------------------------- */

/* libpcap's buffer is as large as the ring would be. */
static uint32_t ring_bytes(const struct config *config)
{
	uint64_t bytes = (uint64_t)config->block_bytes * config->block_count;

	return bytes > INT32_MAX ? INT32_MAX : (uint32_t)bytes;
}

/* What --lanes means here. */
static unsigned wanted_lanes(const struct lanes *lanes, const struct config *config)
{
	if (config->lanes > 0)
		return config->lanes;
	if (is_replay(config) || lanes->cpu_count == 0)
		return 1;
	return lanes->cpu_count;
}

uint64_t lanes_opening_us(const struct config *config)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	uint64_t lanes = config->lanes > 0 ? config->lanes : cpus > 0 ? (uint64_t)cpus : 1;
	uint64_t bytes = (uint64_t)config->block_bytes * config->block_count * lanes +
			 (uint64_t)config->maximum_flows * FLOW_BYTES;

	return OPENING_US + bytes / BYTES_PER_US;
}

/* The rings that were handed in, from lane 0 on; returns how many there are. */
static unsigned take_rings(
	const struct lanes *lanes, struct source_handed ret_handed[CONFIG_LANES_MAX])
{
	unsigned count = 0;

	for (; count < CONFIG_LANES_MAX; count++) {
		int fd = lanes_keep_claim(lanes, handover_name("ring", count));

		if (fd < 0)
			break;
		ret_handed[count] = (struct source_handed){
			.fd = fd,
			.spare_fd = lanes_keep_claim(lanes, handover_name("spare", count)),
		};
	}
	return count;
}

/* What the process before has left, or an opener. */
static unsigned take_handed(struct lanes *lanes, const struct config *config, unsigned wanted,
	struct source_handed ret_handed[CONFIG_LANES_MAX])
{
	lanes_keep_take(lanes);
	unsigned count = take_rings(lanes, ret_handed);

	lanes_keep_match(lanes, config, wanted);
	for (unsigned i = 0; lanes->is_resumed && i < count && i < lanes->state_count; i++)
		ret_handed[i].place = &lane_state_saved(lanes->states[i])->place;
	return count;
}

static struct source_config source_config_of(
	struct lanes *lanes, const struct config *config, int stop_fd)
{
	struct source_config source = {
		.kind = is_replay(config) ? "file" : config->source_kind,
		.interface = config->interface,
		.files = (const char *const *)config->files,
		.file_count = config->file_count,
		.filter = config->filter,
		.snap_bytes = config->snap_bytes || is_replay(config) ? config->snap_bytes
								      : LIVE_SNAP_BYTES,
		.keeps_headers = config->snap_bytes == 0,
		.block_bytes = config->block_bytes,
		.block_count = config->block_count,
		.retire_timeout_ms = config->retire_timeout_ms,
		.buffer_bytes =
			config->buffer_bytes ? config->buffer_bytes : ring_bytes(config),
		.is_promiscuous = !config->no_promiscuous,
		.waits_for_interface = config->if_absent == IF_ABSENT_WAIT,
		.stop_fd = stop_fd,
		.sockets = &lanes->sockets,
	};

	memcpy(source.steering_key, lanes->keys.steering, sizeof(source.steering_key));
	return source;
}

/* Whoever made the rings decided how many lanes there are. */
int lanes_open_handed(struct lanes *lanes, const struct config *config,
	const struct source_handed *handed, unsigned count,
	char error[static CONFIG_ERROR_BYTES])
{
	struct source_config source = source_config_of(lanes, config, 0);

	if (config->lanes > 0 && config->lanes != count) {
		snprintf(error, CONFIG_ERROR_BYTES,
			"--lanes %u: packet rings for %u lanes were handed in", config->lanes,
			count);
		return -EINVAL;
	}
	source.handed = handed;
	return source_open_lanes(&source, count, lanes->sources, error);
}

/* What was handed in is gone on with, in its place or for a moment; or there is nothing. */
static int open_live(struct lanes *lanes, const struct config *config, unsigned *wanted,
	char error[static CONFIG_ERROR_BYTES])
{
	struct source_handed handed[CONFIG_LANES_MAX];
	unsigned count = take_handed(lanes, config, *wanted, handed);
	bool is_openers = count > 0 && lanes->found_count == 0 && !lanes->has_unread;

	if (lanes->is_resumed ? count > 0 : is_openers) {
		*wanted = count;
		return lanes_open_handed(lanes, config, handed, count, error);
	}
	int rc = lanes_before_open(lanes, config, handed, count, &lanes->before, error);
	if (rc < 0)
		return rc;
	struct source_config source = source_config_of(lanes, config, 0);
	return source_open_lanes(&source, *wanted, lanes->sources, error);
}

static int open_replay(struct lanes *lanes, const struct config *config, int stop_fd,
	unsigned wanted, char error[static CONFIG_ERROR_BYTES])
{
	struct source_config source = source_config_of(lanes, config, stop_fd);

	return source_open_lanes(&source, wanted, lanes->sources, error);
}

static void take_sockets(struct lanes *lanes)
{
	struct source_sockets *sockets = &lanes->sockets;

	while (sockets->count < SOURCE_SOCKETS_MAX) {
		int fd = handover_take(
			lanes->handover, handover_name("packet", sockets->count).text);

		if (fd < 0)
			return;
		sockets->fds[sockets->count++] = fd;
	}
}

/* Whoever has one can listen to any interface: none is kept for later. */
static void close_sockets(struct lanes *lanes)
{
	while (lanes->sockets.count > 0)
		close(lanes->sockets.fds[--lanes->sockets.count]);
}

int lanes_open_sources(struct lanes *lanes, const struct config *config, int stop_fd,
	unsigned *ret_wanted, char error[static CONFIG_ERROR_BYTES])
{
	int rc = random_fill(&lanes->keys, sizeof(lanes->keys));

	if (rc < 0) {
		snprintf(error, CONFIG_ERROR_BYTES, "random numbers: %s", strerror(-rc));
		return rc;
	}
	lanes->cpu_count = process_usable_cpus(lanes->cpus, CONFIG_LANES_MAX);
	*ret_wanted = wanted_lanes(lanes, config);
	take_sockets(lanes);
	if (is_replay(config))
		rc = open_replay(lanes, config, stop_fd, *ret_wanted, error);
	else
		rc = open_live(lanes, config, ret_wanted, error);
	close_sockets(lanes);
	if (rc < 0)
		return rc;
	lanes->count = (unsigned)rc;
	return 0;
}

/* -- collectors ----------------------------------------------------------------------- */

static int say_no_memory(char error[static CONFIG_ERROR_BYTES])
{
	snprintf(error, CONFIG_ERROR_BYTES, "%s", strerror(ENOMEM));
	return -ENOMEM;
}

static int open_udp(struct own_export *own, const struct transport_config *config,
	struct transport **ret_transport, char error[static CONFIG_ERROR_BYTES])
{
	struct transport *transport;
	int rc = transport_udp_open(config, &transport, error);

	if (rc < 0)
		return rc;
	if (own_export_add(own, &transport->endpoints) < 0) {
		transport_close(transport);
		return say_no_memory(error);
	}
	*ret_transport = transport;
	return 0;
}

/* The ends of a connection are known when it is made, which is later and more than once. */
static int open_tcp(struct own_export *own, struct transport_config *config,
	struct transport **ret_transport, char error[static CONFIG_ERROR_BYTES])
{
	struct own_export_line *line;

	if (own_export_line(own, &line) < 0)
		return say_no_memory(error);
	config->watcher.moved = own_export_moved;
	config->watcher.user = line;
	return transport_tcp_open(config, ret_transport, error);
}

/* The codec that was asked for; NULL, with 0, is none. */
static int find_codec(const struct config *config, const struct compress_codec **ret_codec,
	char error[static CONFIG_ERROR_BYTES])
{
	const char *name = config->compression;

	*ret_codec = NULL;
	if (!name || strcmp(name, "none") == 0)
		return 0;
	*ret_codec = compress_find(name);
	if (*ret_codec && (*ret_codec)->ops)
		return 0;
	snprintf(
		error, CONFIG_ERROR_BYTES, "--compress %s: this build has no such codec", name);
	return -ENOTSUP;
}

/* Each lane has files of its own: they are sessions, and a lane is an observation domain. */
static int open_file(const struct lanes *lanes, const struct config *config, const char *path,
	unsigned lane, struct transport **ret_transport, char error[static CONFIG_ERROR_BYTES])
{
	struct transport_file_config file = {
		.rotate_bytes = config->rotate_bytes,
		.rotate_s = config->rotate_s,
		.may_wait = is_replay(config),
	};
	char of_lane[PATH_MAX];
	int rc = find_codec(config, &file.codec, error);

	if (rc < 0)
		return rc;
	snprintf(of_lane, sizeof(of_lane), lanes->count > 1 ? "%s-lane%u" : "%s", path, lane);
	file.path = of_lane;
	return transport_file_open(&file, ret_transport, error);
}

int lanes_open_collector(struct lanes *lanes, const struct config *config, unsigned lane,
	size_t destination, int handed_fd, struct transport **ret_transport,
	char error[static CONFIG_ERROR_BYTES])
{
	const struct config_destination *to = &config->destinations[destination];
	struct transport_config transport = {
		.host = to->host,
		.port = to->port,
		.device = config->export_device,
		.source_address = config->export_source,
		.hop_limit = config->hop_limit,
		.may_wait = is_replay(config),
		.handed_fd = handed_fd > 0 ? handed_fd : 0,
		.retry_s = config->reconnect_s,
		.retry_most_s = config->reconnect_most_s,
	};
	char reason[CONFIG_ERROR_BYTES], place[CONFIG_ERROR_BYTES];
	int rc = -EINVAL;

	switch (to->transport) {
	case CONFIG_TRANSPORT_UDP:
		rc = open_udp(&lanes->own, &transport, ret_transport, reason);
		break;
	case CONFIG_TRANSPORT_TCP:
		rc = open_tcp(&lanes->own, &transport, ret_transport, reason);
		break;
	case CONFIG_TRANSPORT_FILE:
		rc = open_file(lanes, config, to->path, lane, ret_transport, reason);
		break;
	}
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_BYTES, "%s%.300s",
			config_place_text(config, to->place, place, sizeof(place)), reason);
	return rc;
}

/* Of who had the place before, or of lanes that are no more. */
static int take_udp(
	struct lanes *lanes, const struct config *config, unsigned lane, size_t destination)
{
	char name[128];

	if (!lanes->before)
		return lanes_keep_claim(lanes, handover_udp_name(lane, (unsigned)destination));
	lanes_keep_name(config, destination, name);
	return lanes_before_udp(lanes->before, lane, name);
}

static int open_transport(struct lanes *lanes, const struct config *config, unsigned lane,
	size_t destination, char error[static CONFIG_ERROR_BYTES])
{
	bool is_udp = config->destinations[destination].transport == CONFIG_TRANSPORT_UDP;
	int handed_fd = -1;

	if (is_udp && !is_replay(config))
		handed_fd = lanes_keep_check_udp(lanes, config, lane, destination,
			take_udp(lanes, config, lane, destination));
	int rc = lanes_open_collector(lanes, config, lane, destination, handed_fd,
		&lanes->transports[lanes->transport_count], error);
	if (rc == 0)
		lanes->is_handed[lanes->transport_count++] = handed_fd > 0;
	return rc;
}

void lanes_store_collector(const struct lanes *lanes, unsigned lane, size_t destination, int fd)
{
	if (lanes->is_kept)
		lanes_keep_store_udp(lanes, lane, destination, fd);
}

int lanes_open_transports(
	struct lanes *lanes, const struct config *config, char error[static CONFIG_ERROR_BYTES])
{
	size_t count = lanes->count * config->destination_count;
	int rc = 0;

	lanes->transports = calloc(count + 1, sizeof(*lanes->transports));
	lanes->is_handed = calloc(count + 1, sizeof(*lanes->is_handed));
	if (!lanes->transports || !lanes->is_handed)
		return say_no_memory(error);
	for (size_t i = 0; rc == 0 && i < count; i++)
		rc = open_transport(lanes, config, (unsigned)(i / config->destination_count),
			i % config->destination_count, error);
	return rc;
}

/* -- lanes ---------------------------------------------------------------------------- */

static int open_print(struct lanes *lanes, const struct config *config, uint32_t domain,
	char error[static CONFIG_ERROR_BYTES])
{
	struct print_config print = {
		.format = config->print,
		.sampling_interval = config->sampling_interval,
		.domain = domain,
	};

	if (config->print == PRINT_NONE)
		return 0;
	int rc = print_sink_new(
		&print, STDOUT_FILENO, is_replay(config), lanes->count, &lanes->print);
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_BYTES, "printing: %s", strerror(-rc));
	return rc;
}

/* Lane 0's; there is a number for every lane. */
static uint32_t first_domain(const struct lanes *lanes, const struct config *config)
{
	uint32_t last = UINT32_MAX - (lanes->count - 1);

	if (config->has_domain)
		return config->domain;
	uint32_t domain = domain_default(config->interface);
	return domain < last ? domain : last;
}

/* Live, the lanes share the room. Of a capture file a lane keeps what it would if it were
 * alone, so that nothing is closed in one lane that would not be in another number of lanes. */
uint32_t lanes_flows_of_lane(
	const struct lanes *lanes, const struct config *config, unsigned count)
{
	if (is_replay(config))
		return config->maximum_flows;
	return config->maximum_flows / count + (config->maximum_flows % count != 0);
}

static int make_lane(struct lanes *lanes, unsigned number, struct lane_config *config,
	char error[static CONFIG_ERROR_BYTES])
{
	size_t destinations = config->transport_count;
	bool is_pinned = lanes->count > 1 && lanes->cpu_count > 0;

	config->number = number;
	config->source = lanes->sources[number];
	config->cpu = is_pinned ? lanes->cpus[number % lanes->cpu_count] : -1;
	config->transports = lanes->transports + number * destinations;
	config->state = lanes->states[number];
	int rc = lane_new(config, &lanes->lanes[number], error);
	if (rc < 0)
		return rc;
	lanes->sources[number] = NULL;
	lanes->states[number] = NULL;
	for (size_t i = 0; i < destinations; i++)
		lanes->transports[number * destinations + i] = NULL;
	return 0;
}

static bool has_new_socket(const struct lanes *lanes)
{
	for (size_t i = 0; lanes->is_handed && i < lanes->transport_count; i++)
		if (!lanes->is_handed[i])
			return true;
	return false;
}

/* The lanes of the process before end here. */
static int move_in(
	struct lanes *lanes, const struct config *config, char error[static CONFIG_ERROR_BYTES])
{
	int rc = lanes_before_live(lanes->before, lanes, &lanes->from_ns, error);

	lanes_before_free(lanes->before);
	lanes->before = NULL;
	lanes->is_moved = rc == 0 && lanes->is_kept;
	return rc;
}

/* Of records whose packets do not say. */
static uint32_t if_index_of(const struct lanes *lanes, const struct config *config)
{
	if (config->has_if_index)
		return config->if_index;
	if (!config->interface)
		return REPLAY_INTERFACE;
	uint32_t index = source_if_index(lanes->sources[0]);
	return index > 0 ? index : if_nametoindex(config->interface);
}

int lanes_make(struct lanes *lanes, const struct config *config, int notice_fd,
	char error[static CONFIG_ERROR_BYTES])
{
	uint32_t domain = first_domain(lanes, config);
	int rc = lanes_keep_make(lanes, config);

	if (rc < 0) {
		snprintf(error, CONFIG_ERROR_BYTES, "memory for the next process: %s",
			strerror(-rc));
		return rc;
	}
	lanes_keep_send_orphans(lanes, config);
	if (lanes->before)
		rc = move_in(lanes, config, error);
	if (rc < 0)
		return rc;
	bool is_stored = lanes->is_resumed && !has_new_socket(lanes);
	if (lanes->is_kept && lanes->until_ns == 0 && !is_stored)
		lanes_keep_store(lanes, config);
	rc = open_print(lanes, config, domain, error);
	struct lane_config lane = {
		.config = config,
		.own = &lanes->own,
		.keys = &lanes->keys,
		.transport_count = config->destination_count,
		.print = lanes->print,
		.count = lanes->count,
		.maximum_flows = lanes_flows_of_lane(lanes, config, lanes->count),
		.is_resumed = lanes->is_resumed || lanes->is_moved,
		.is_moved = lanes->is_moved,
		.from_ns = lanes->from_ns,
		.until_ns = lanes->until_ns,
		.domain = domain,
		.if_index = if_index_of(lanes, config),
		.notice_fd = notice_fd,
	};

	lanes->own.is_in_use = true;
	for (unsigned i = 0; rc == 0 && i < lanes->count; i++)
		rc = make_lane(lanes, i, &lane, error);
	return rc;
}

int lanes_start(struct lanes *lanes)
{
	int rc = 0;

	for (unsigned i = 0; rc == 0 && i < lanes->count; i++)
		rc = lane_start(lanes->lanes[i]);
	return rc;
}

bool lanes_have_ended(const struct lanes *lanes)
{
	for (unsigned i = 0; i < lanes->count; i++)
		if (!lane_has_ended(lanes->lanes[i]))
			return false;
	return true;
}

bool lanes_have_failed(const struct lanes *lanes)
{
	for (unsigned i = 0; i < lanes->count; i++)
		if (lane_has_ended(lanes->lanes[i]) && lane_outcome(lanes->lanes[i]) < 0)
			return true;
	return false;
}

/* A negative errno is worse than SOURCE_DAMAGED, and that is worse than 0. */
static bool is_worse(int outcome, int than)
{
	return than >= 0 && outcome != 0 && (outcome < 0 || than == 0);
}

int lanes_join(struct lanes *lanes, const char **ret_error)
{
	int worst = 0;

	*ret_error = "";
	for (unsigned i = 0; i < lanes->count; i++) {
		int outcome = lane_join(lanes->lanes[i]);

		if (!is_worse(outcome, worst))
			continue;
		worst = outcome;
		*ret_error = lane_source_error(lanes->lanes[i]);
	}
	return worst;
}

void lanes_close_books(struct lanes *lanes, struct sensor_stats *ret_stats)
{
	struct sensor_stats one;

	print_sink_close(lanes->print);
	*ret_stats = (struct sensor_stats){ 0 };
	for (unsigned i = 0; i < lanes->count; i++) {
		lane_stats(lanes->lanes[i], &one);
		stats_sum_add(ret_stats, &one);
	}
}

void lanes_free(struct lanes *lanes)
{
	for (unsigned i = 0; i < lanes->count; i++) {
		lane_free(lanes->lanes[i]);
		source_close(lanes->sources[i]);
		lane_state_free(lanes->states[i]);
	}
	for (size_t i = 0; i < lanes->transport_count; i++)
		transport_close(lanes->transports[i]);
	lanes_before_free(lanes->before);
	free(lanes->transports);
	free(lanes->is_handed);
	print_sink_free(lanes->print);
	own_export_clear(&lanes->own);
	*lanes = (struct lanes){ 0 };
}
