/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lanes_keep.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
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

/*
 * A set of descriptors takes the place of another one at once, though they are stored one by
 * one. There are two sets of names, which take turns: all of the new set is stored under the
 * names that are not in use, then a mark is set or goes, which says which of the two counts,
 * then the old set goes. (Names cannot be given anew: a manager keeps a file once, whatever it
 * is called. So the mark is a file of its own, too.)
 */
#define NEXT "next-"
#define MARK "next-whole"

static struct handover_name with_prefix(const char *prefix, const char *name)
{
	struct handover_name all;

	snprintf(all.text, sizeof(all.text), "%s%.26s", prefix, name);
	return all;
}

static const char *prefix_of(bool is_next)
{
	return is_next ? NEXT : "";
}

int lanes_keep_claim(const struct lanes *lanes, struct handover_name name)
{
	return handover_take(
		lanes->handover, with_prefix(prefix_of(lanes->is_next), name.text).text);
}

/* In place of the one of another layout, here and where it is kept: a process that is killed
 * while it exports these flows has the next one go on from there. */
static int translate(struct lanes *lanes, unsigned lane)
{
	struct handover_name name =
		with_prefix(prefix_of(lanes->is_next), handover_name("state", lane).text);
	struct lane_state_reading found;
	struct lane_state *ours;
	int rc = lane_state_read(lanes->states[lane], &ours, &found);

	if (rc < 0)
		return rc;
	lane_state_free(lanes->states[lane]);
	lanes->states[lane] = ours;
	lanes->is_translated = true;
	lanes->found.flows += found.flows;
	lanes->found.unreadable_flows += found.unreadable_flows;
	lanes->found.lost_messages += found.lost_messages;
	handover_forget(lanes->handover, name.text);
	handover_store(lanes->handover, name.text, ours->fd);
	return 0;
}

void lanes_keep_take(struct lanes *lanes)
{
	int mark = handover_take(lanes->handover, MARK);

	lanes->is_next = mark >= 0;
	if (mark >= 0)
		close(mark);
	for (unsigned i = 0; i < CONFIG_LANES_MAX; i++) {
		int fd = lanes_keep_claim(lanes, handover_name("state", i));

		if (fd < 0)
			return;
		int rc = lane_state_open(fd, &lanes->states[i]);
		lanes->has_unread |= rc < 0;
		if (rc < 0 && rc != -ENODATA)
			return;
		lanes->found_count = lanes->state_count = i + 1;
		if (!lane_state_fits(lanes->states[i]) && translate(lanes, i) < 0) {
			lanes->has_unread = true;
			continue;
		}
		size_t places = lane_state_saved(lanes->states[i])->exporter_count;
		if (places > lanes->found_destinations && places <= CONFIG_DESTINATIONS_MAX)
			lanes->found_destinations = places;
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
	lanes->is_resumed =
		!lanes->is_translated && may_keep(lanes, config) && fits(lanes, config, count);
	if (lanes->is_resumed)
		lanes_keep_take_keys(lanes);
}

void lanes_keep_take_keys(struct lanes *lanes)
{
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

void lanes_keep_name(const struct config *config, size_t destination, char name[static 128])
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

/* "host:port", "[host]:port" */
static void split_name(char *name, const char **ret_host, const char **ret_port)
{
	char *colon = strrchr(name, ':');

	*ret_host = name;
	*ret_port = "";
	if (!colon)
		return;
	*colon = '\0';
	*ret_port = colon + 1;
	if (name[0] == '[' && colon[-1] == ']') {
		colon[-1] = '\0';
		*ret_host = name + 1;
	}
}

int lanes_keep_open_udp(const struct lane_state *state, unsigned place, int fd,
	struct transport **ret_transport, char error[static CONFIG_ERROR_BYTES])
{
	struct transport_config config = { .handed_fd = fd };
	char name[sizeof(((struct exporter_saved *)0)->destination)];

	memcpy(name, lane_state_exporter(state, place)->destination, sizeof(name));
	name[sizeof(name) - 1] = '\0';
	split_name(name, &config.host, &config.port);
	return transport_udp_open(&config, ret_transport, error);
}

/* Send what was left for a destination through its socket, which is taken. */
static void send_left(const struct lane_state *state, unsigned place, int fd)
{
	struct exporter_saved *saved = lane_state_exporter(state, place);
	uint8_t *bytes = (uint8_t *)lane_state_region(state, LANE_REGION_MESSAGES) +
			 (size_t)place * EXPORTER_KEPT_BYTES;
	struct transport *transport;
	char error[CONFIG_ERROR_BYTES];

	if (lanes_keep_open_udp(state, place, fd, &transport, error) < 0)
		return;
	(void)exporter_send_saved(saved, bytes, transport, NULL);
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

	/* Of a lane that had not begun yet nothing is saved. */
	if (!lane_state_saved(lanes->states[lane])->has_begun)
		return handed_fd;
	lanes_keep_name(config, destination, name);
	if (saved->is_used && strcmp(saved->destination, name) == 0)
		return handed_fd;
	if (saved->is_used)
		send_left(lanes->states[lane], (unsigned)destination, handed_fd);
	else
		close(handed_fd);
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
			int fd = lanes_keep_claim(lanes, name);

			if (fd >= 0)
				send_left(state, i, fd);
		}
	}
}

/* -- the manager ------------------------------------------------------------------------- */

typedef void visitor(
	const struct handover *handover, const char *prefix, const char *name, int fd);

static void store(const struct handover *handover, const char *prefix, const char *name, int fd)
{
	handover_forget(handover, with_prefix(prefix, name).text);
	if (fd >= 0)
		handover_store(handover, with_prefix(prefix, name).text, fd);
}

/* What is kept already stays as it is. */
static void store_more(
	const struct handover *handover, const char *prefix, const char *name, int fd)
{
	if (fd >= 0)
		handover_store(handover, with_prefix(prefix, name).text, fd);
}

static void forget(
	const struct handover *handover, const char *prefix, const char *name, int fd)
{
	(void)fd;
	handover_forget(handover, with_prefix(prefix, name).text);
}

/* The state last: who finds it finds the rest. */
static void visit_all(
	struct lanes *lanes, const struct config *config, const char *prefix, visitor *visit)
{
	for (unsigned lane = 0; lane < lanes->count; lane++) {
		struct source_handed handed = { .fd = -1, .spare_fd = -1 };

		if (lanes->sources[lane])
			source_keep(lanes->sources[lane], &handed);
		visit(lanes->handover, prefix, handover_name("ring", lane).text, handed.fd);
		visit(lanes->handover, prefix, handover_name("spare", lane).text,
			handed.spare_fd);
		for (unsigned i = 0; i < config->destination_count; i++) {
			const struct transport *transport =
				lanes->transports[lane * config->destination_count + i];

			visit(lanes->handover, prefix, handover_udp_name(lane, i).text,
				transport ? transport_fd(transport) : -1);
		}
		visit(lanes->handover, prefix, handover_name("state", lane).text,
			lanes->states[lane] ? lanes->states[lane]->fd : -1);
	}
}

/* Lanes from .first on, and the .udp_count collectors of each. */
static void forget_lanes(const struct lanes *lanes, const char *prefix, unsigned first,
	unsigned end, size_t udp_count)
{
	for (unsigned lane = first; lane < end; lane++) {
		forget(lanes->handover, prefix, handover_name("ring", lane).text, -1);
		forget(lanes->handover, prefix, handover_name("spare", lane).text, -1);
		forget(lanes->handover, prefix, handover_name("state", lane).text, -1);
		for (size_t i = 0; i < udp_count; i++)
			forget(lanes->handover, prefix,
				handover_udp_name(lane, (unsigned)i).text, -1);
	}
}

/* Of the same lanes all is kept already, but for sockets to collectors. */
static void store_sockets(struct lanes *lanes, const struct config *config)
{
	for (unsigned lane = 0; lane < lanes->count; lane++) {
		for (unsigned i = 0; i < config->destination_count; i++) {
			const struct transport *transport =
				lanes->transports[lane * config->destination_count + i];

			lanes_keep_store_udp(
				lanes, lane, i, transport ? transport_fd(transport) : -1);
		}
		for (size_t i = config->destination_count; i < lanes->found_destinations; i++)
			lanes_keep_store_udp(lanes, lane, i, -1);
	}
}

static void set_mark(const struct lanes *lanes, bool is_set)
{
	int fd = is_set ? memfd_create("ringflow-mark", MFD_CLOEXEC) : -1;

	store(lanes->handover, "", MARK, fd);
	if (fd >= 0)
		close(fd);
}

void lanes_keep_store(struct lanes *lanes, const struct config *config)
{
	const char *before = prefix_of(lanes->is_next);

	if (lanes->is_resumed) {
		store_sockets(lanes, config);
		return;
	}
	if (lanes->found_count > 0)
		lanes->is_next = !lanes->is_next;
	const char *now = prefix_of(lanes->is_next);
	visit_all(lanes, config, now, store);
	if (lanes->found_count == 0)
		return;
	/* What a process that was killed here has left must not look like more lanes. */
	forget_lanes(lanes, now, lanes->count, CONFIG_LANES_MAX, 0);
	set_mark(lanes, lanes->is_next);
	forget_lanes(lanes, before, 0, lanes->found_count, lanes->found_destinations);
	/* A socket that both sets have was kept under its old name alone. */
	visit_all(lanes, config, now, store_more);
}

void lanes_keep_store_udp(const struct lanes *lanes, unsigned lane, size_t destination, int fd)
{
	store(lanes->handover, prefix_of(lanes->is_next),
		handover_udp_name(lane, (unsigned)destination).text, fd);
}

void lanes_forget(struct lanes *lanes, const struct config *config)
{
	if (!lanes->is_kept)
		return;
	visit_all(lanes, config, prefix_of(lanes->is_next), forget);
	set_mark(lanes, false);
}
