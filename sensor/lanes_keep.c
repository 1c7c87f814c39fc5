/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lanes_keep.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "sensor/fragment_hold.h"

/* A stream of octets that ends with its process cannot be gone on with. */
static bool has_udp_alone(const struct config *config)
{
	for (size_t i = 0; i < config->destination_count; i++)
		if (config->destinations[i].transport != CONFIG_TRANSPORT_UDP)
			return false;
	return true;
}

static bool may_keep(const struct lanes *lanes, const struct config *config)
{
	return has_udp_alone(config) && lanes->handover && lanes->handover->can_store &&
	       config->file_count == 0 && config->print == PRINT_NONE;
}

static struct lane_terms terms_of(
	const struct lanes *lanes, const struct config *config, unsigned number, unsigned count)
{
	struct lane_terms terms;

	memset(&terms, 0, sizeof(terms)); /* it is compared as octets */
	terms.number = number;
	terms.count = count;
	terms.capacity = lanes_flows_of_lane(lanes, config, count);
	terms.level = config->level;
	terms.block_bytes = config->block_bytes;
	terms.block_count = config->block_count;
	terms.fragments_follow = config->fragments == FRAGMENTS_FOLLOW;
	terms.fragment_bytes = fragment_table_bytes(0);
	terms.held_bytes = fragment_hold_bytes(0);
	snprintf(terms.interface, sizeof(terms.interface), "%s", config->interface);
	return terms;
}

void lanes_keep_take(struct lanes *lanes)
{
	for (unsigned i = 0; i < CONFIG_LANES_MAX; i++) {
		int fd = handover_take(lanes->handover, handover_name("state", i).text);

		if (fd < 0)
			return;
		int rc = lane_state_open(fd, &lanes->states[i]);
		if (rc < 0 && rc != -ENODATA)
			return;
		lanes->state_count = i + 1;
	}
}

static bool fits(const struct lanes *lanes, const struct config *config, unsigned count)
{
	if (lanes->state_count != count || count == 0)
		return false;
	for (unsigned i = 0; i < count; i++) {
		struct lane_terms terms = terms_of(lanes, config, i, count);

		if (!lane_state_fits(lanes->states[i]) ||
			memcmp(&terms, &lanes->states[i]->head->terms, sizeof(terms)) != 0)
			return false;
	}
	return true;
}

void lanes_keep_match(struct lanes *lanes, const struct config *config, unsigned count)
{
	lanes->is_resumed = may_keep(lanes, config) && fits(lanes, config, count);
	if (!lanes->is_resumed)
		return;
	const struct lane_state_keys *keys = &lanes->states[0]->head->keys;

	memcpy(lanes->keys.steering, keys->steering, sizeof(keys->steering));
	memcpy(lanes->keys.fragments, keys->fragments, sizeof(keys->fragments));
	memcpy(lanes->keys.held, keys->held, sizeof(keys->held));
}

int lanes_keep_make(struct lanes *lanes, const struct config *config)
{
	struct lane_state_keys keys;
	int rc = 0;

	lanes->is_kept = lanes->is_resumed;
	if (lanes->is_resumed || !may_keep(lanes, config) ||
		!source_keep(lanes->sources[0], &(struct source_handed){ 0 }))
		return 0;
	memcpy(keys.steering, lanes->keys.steering, sizeof(keys.steering));
	memcpy(keys.fragments, lanes->keys.fragments, sizeof(keys.fragments));
	memcpy(keys.held, lanes->keys.held, sizeof(keys.held));
	for (unsigned i = 0; rc == 0 && i < lanes->count; i++) {
		struct lane_terms terms = terms_of(lanes, config, i, lanes->count);
		struct lane_state_plan plan = {
			.capacity = terms.capacity,
			.fragment_bytes = terms.fragment_bytes,
			.held_bytes = terms.held_bytes,
		};

		rc = lane_state_new(&plan, &terms, &keys, &lanes->states[i]);
	}
	lanes->is_kept = rc == 0;
	return rc;
}

/* -- descriptors ----------------------------------------------------------------------------
 */

static void write_destination(const struct config *config, size_t destination, char name[128])
{
	const struct config_destination *to = &config->destinations[destination];
	const char *format = strchr(to->host, ':') ? "[%s]:%s" : "%s:%s";

	snprintf(name, 128, format, to->host, to->port);
}

/* The committed copy says from here on that nothing is left: one store. */
static void forget_exporter(struct exporter_saved *saved)
{
	undo_fence();
	saved->is_used = 0;
	undo_fence();
}

/* Send what was left for a destination through its socket, which is taken. */
static void send_left(const struct lane_state *state, unsigned place, int fd)
{
	struct exporter_saved *saved = lane_state_exporter(state, place);
	uint8_t *bytes = (uint8_t *)lane_state_region(state, LANE_REGION_MESSAGES) +
			 (size_t)place * EXPORTER_KEPT_BYTES;
	struct transport_config config = {
		.host = saved->destination,
		.port = "",
		.handed_fd = fd,
	};
	struct transport *transport;
	char error[TRANSPORT_ERROR_BYTES];

	if (transport_udp_open(&config, &transport, error) < 0)
		return;
	(void)exporter_send_saved(saved, bytes, transport);
	transport_close(transport);
	forget_exporter(saved);
}

int lanes_keep_check_udp(struct lanes *lanes, const struct config *config, unsigned lane,
	size_t destination, int handed_fd)
{
	char name[128];

	if (handed_fd < 0 || !lanes->is_resumed)
		return handed_fd;
	const struct exporter_saved *saved =
		lane_state_exporter(lanes->states[lane], (unsigned)destination);

	write_destination(config, destination, name);
	if (!saved->is_used || strcmp(saved->destination, name) == 0)
		return handed_fd;
	send_left(lanes->states[lane], (unsigned)destination, handed_fd);
	return -1;
}

void lanes_keep_send_orphans(struct lanes *lanes, const struct config *config)
{
	for (unsigned lane = 0; lanes->is_resumed && lane < lanes->count; lane++) {
		const struct lane_state *state = lanes->states[lane];
		uint32_t count = lane_state_saved(state)->exporter_count;

		for (uint32_t i = (uint32_t)config->destination_count;
			i < count && i < CONFIG_DESTINATIONS_MAX; i++) {
			struct handover_name name = handover_udp_name(lane, i);
			int fd = handover_take(lanes->handover, name.text);

			if (fd >= 0)
				send_left(state, i, fd);
			handover_forget(lanes->handover, name.text);
		}
	}
}

/* -- the manager ------------------------------------------------------------------------- */

/* What is kept under a name already may be another file. */
static void store(const struct lanes *lanes, const char *name, int fd)
{
	handover_forget(lanes->handover, name);
	if (fd >= 0)
		handover_store(lanes->handover, name, fd);
}

void lanes_keep_store_udp(const struct lanes *lanes, unsigned lane, size_t destination, int fd)
{
	store(lanes, handover_udp_name(lane, (unsigned)destination).text, fd);
}

/* The state last: who finds it finds the rest. */
void lanes_keep_store_lane(const struct lanes *lanes, unsigned lane, struct source *source)
{
	struct source_handed handed = { .fd = -1, .spare_fd = -1 };

	if (source_keep(source, &handed)) {
		store(lanes, handover_name("ring", lane).text, handed.fd);
		store(lanes, handover_name("spare", lane).text, handed.spare_fd);
	}
	store(lanes, handover_name("state", lane).text, lanes->states[lane]->fd);
}

void lanes_forget(struct lanes *lanes, const struct config *config)
{
	if (!lanes->is_kept)
		return;
	for (unsigned lane = 0; lane < lanes->count; lane++) {
		handover_forget(lanes->handover, handover_name("state", lane).text);
		handover_forget(lanes->handover, handover_name("ring", lane).text);
		handover_forget(lanes->handover, handover_name("spare", lane).text);
		for (unsigned i = 0; i < config->destination_count; i++)
			handover_forget(lanes->handover, handover_udp_name(lane, i).text);
	}
}
