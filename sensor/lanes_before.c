/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lanes_before.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "sensor/lane_move.h"
#include "sensor/lanes_keep.h"

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* The kernel begins to stamp packets once for all a moment after it was asked to. */
#define CUT_AHEAD_NS (100 * NS_PER_MS)

struct lanes_before {
	int stamping_fd;      /* a socket that asks the kernel for stamps */
	struct config config; /* theirs, as far as it matters; owns nothing */
	struct lanes lanes;
	bool moves_flows;
};

/* -- opening -------------------------------------------------------------------------- */

/* Unless somebody asks for stamps, every packet socket takes a time of its own. */
static int ask_for_stamps(void)
{
	int on = 1, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof(on));
	return fd;
}

/* As the process before had it, where that decides how its memory is read. */
static void set_config(struct lanes_before *before, const struct config *config)
{
	const struct lane_state *first = before->lanes.states[0];
	const struct lane_terms *terms = &first->head->terms;
	struct config *own = &before->config;

	*own = *config;
	own->interface = before->lanes.states[0]->head->terms.interface;
	own->lanes = terms->count;
	own->maximum_flows = terms->capacity * terms->count;
	own->level = terms->level;
	own->fragments = terms->fragments_follow ? FRAGMENTS_FOLLOW : FRAGMENTS_SEPARATE;
	own->block_bytes = terms->block_bytes;
	own->block_count = terms->block_count;
	own->destination_count = lane_state_saved(first)->exporter_count;
}

/* Are they all there, and of one piece? */
static bool is_whole(const struct lanes *lanes)
{
	const struct lane_terms *first = &lanes->states[0]->head->terms;

	if (first->count != lanes->state_count)
		return false;
	for (unsigned i = 0; i < lanes->state_count; i++) {
		const struct lane_terms *terms = &lanes->states[i]->head->terms;

		if (!lane_state_fits(lanes->states[i]) || terms->number != i ||
			terms->count != first->count || terms->capacity != first->capacity ||
			!memchr(terms->interface, '\0', sizeof(terms->interface)))
			return false;
	}
	return true;
}

static void take_states(struct lanes_before *before, struct lanes *lanes)
{
	before->lanes.state_count = before->lanes.count = lanes->state_count;
	for (unsigned i = 0; i < lanes->state_count; i++) {
		before->lanes.states[i] = lanes->states[i];
		lanes->states[i] = NULL;
	}
	lanes->state_count = 0;
	before->lanes.is_kept = before->lanes.is_resumed = true;
	before->lanes.is_moved = lanes->is_translated; /* flows alone: no fragments */
	before->lanes.handover = lanes->handover;
	before->lanes.is_next = lanes->is_next;
	lanes_keep_take_keys(&before->lanes);
	before->lanes.cpu_count = lanes->cpu_count;
	memcpy(before->lanes.cpus, lanes->cpus, sizeof(lanes->cpus));
}

/* Their own messages are ours, for the new lanes as well. */
static int open_transports(struct lanes_before *before, struct own_export *also,
	char error[static CONFIG_ERROR_BYTES])
{
	struct lanes *lanes = &before->lanes;
	size_t destinations = before->config.destination_count;

	lanes->transports = calloc(lanes->count * destinations + 1, sizeof(*lanes->transports));
	if (!lanes->transports)
		return -ENOMEM;
	for (size_t i = 0; i < lanes->count * destinations; i++) {
		unsigned lane = (unsigned)(i / destinations),
			 number = (unsigned)(i % destinations);
		int fd = lanes_keep_claim(lanes, handover_udp_name(lane, number));
		int rc = fd < 0 ? -ENOTCONN
				: lanes_keep_open_udp(lanes->states[lane], number, fd,
					  &lanes->transports[i], error);

		if (rc < 0)
			return rc;
		lanes->transport_count++;
		rc = own_export_add(&lanes->own, &lanes->transports[i]->endpoints);
		if (rc == 0)
			rc = own_export_add(also, &lanes->transports[i]->endpoints);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int open_all(struct lanes_before *before, struct own_export *also,
	struct source_handed *handed, char error[static CONFIG_ERROR_BYTES])
{
	struct lanes *lanes = &before->lanes;

	for (unsigned i = 0; i < lanes->count; i++)
		handed[i].place = &lane_state_saved(lanes->states[i])->place;
	int rc = lanes_open_handed(lanes, &before->config, handed, lanes->count, error);

	return rc < 0 ? rc : open_transports(before, also, error);
}

int lanes_before_open(struct lanes *lanes, const struct config *config,
	struct source_handed *handed, unsigned ring_count, struct lanes_before **ret_before,
	char error[static CONFIG_ERROR_BYTES])
{
	*ret_before = NULL;
	if (lanes->state_count == 0 || lanes->is_resumed)
		return 0;
	if (!is_whole(lanes) || ring_count != lanes->state_count) {
		lanes->has_unread |= lanes->is_translated;
		return 0;
	}
	struct lanes_before *before = calloc(1, sizeof(*before));

	if (!before)
		return -ENOMEM;
	before->stamping_fd = ask_for_stamps();
	take_states(before, lanes);
	set_config(before, config);
	before->moves_flows = !lanes->is_translated && before->config.level == config->level &&
			      strcmp(before->config.interface, config->interface) == 0 &&
			      lane_state_saved(before->lanes.states[0])->step_ns == 0;
	int rc = open_all(before, &lanes->own, handed, error);
	if (rc == 0) {
		*ret_before = before;
		return 0;
	}
	lanes_before_free(before);
	/* What another version says of its rings need not be so. */
	lanes->has_unread |= lanes->is_translated;
	return lanes->is_translated ? 0 : rc;
}

int lanes_before_udp(const struct lanes_before *before, unsigned lane, const char *destination)
{
	size_t destinations = before ? before->config.destination_count : 0;

	if (!before || lane >= before->lanes.count)
		return -1;
	for (size_t i = 0; i < destinations; i++) {
		const struct transport *transport =
			before->lanes.transports[lane * destinations + i];

		if (strcmp(transport->name, destination) == 0)
			return fcntl(transport_fd(transport), F_DUPFD_CLOEXEC, 3);
	}
	return -1;
}

/* -- living --------------------------------------------------------------------------- */

static uint64_t unix_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

/* No flow of theirs has a greater id. */
static uint64_t last_id(const struct lanes *lanes)
{
	uint64_t most = 0;

	for (unsigned i = 0; i < lanes->count; i++) {
		uint64_t id = lane_flow_id(lanes->lanes[i],
			flow_cache_stats(lanes->lanes[i]->cache)->created_flows + 1);

		most = id > most ? id : most;
	}
	return most;
}

static int move(struct lanes_before *before, struct lanes *lanes)
{
	struct lanes *old = &before->lanes;
	struct lane_move house;
	int rc = lane_move_begin(
		&house, lanes->states, lanes->count, lanes->keys.steering, last_id(old));

	for (unsigned i = 0; rc == 0 && before->moves_flows && i < old->count; i++)
		lane_move_flows(&house, old->lanes[i]);
	for (unsigned i = 0; rc == 0 && i < old->count; i++) {
		lane_close_books(old->lanes[i]);
		lane_move_books(&house, old->lanes[i]);
	}
	if (rc == 0)
		lane_move_end(&house);
	return rc;
}

int lanes_before_live(struct lanes_before *before, struct lanes *lanes, uint64_t *ret_cut_ns,
	char error[static CONFIG_ERROR_BYTES])
{
	struct lanes *old = &before->lanes;
	const char *words;

	old->until_ns = unix_now_ns() + CUT_AHEAD_NS;
	int rc = lanes_make(old, &before->config, -1, error);
	if (rc == 0)
		rc = lanes_start(old);
	if (rc == 0)
		rc = lanes_join(old, &words);
	if (rc == 0)
		rc = move(before, lanes);
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_BYTES, "going on with %u lanes: %s", old->count,
			strerror(-rc));
	*ret_cut_ns = old->until_ns;
	return rc;
}

void lanes_before_free(struct lanes_before *before)
{
	if (!before)
		return;
	lanes_free(&before->lanes);
	if (before->stamping_fd >= 0)
		close(before->stamping_fd);
	free(before);
}
