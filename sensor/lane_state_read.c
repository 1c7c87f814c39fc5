/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lane_state_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/fragment_hold.h"

#define FIELD_BITS_MAX (1u << 20)

/* A field as they have it and as this program has it. */
struct pair {
	uint64_t from_bit, to_bit;
	uint32_t from_bits, to_bits;
};

/* All fields of a region that both know. */
struct reader {
	const uint8_t *from;
	uint64_t stride, count; /* theirs */
	struct pair pairs[LANE_STATE_FIELDS_MAX];
	unsigned pair_count;
};

struct reading {
	const struct lane_state *from;
	struct lane_state *to;
	struct lane_state_field ours[LANE_STATE_FIELDS_MAX];
	uint32_t our_count;
	struct reader readers[LANE_REGION_COUNT];
	struct lane_state_reading *result;
};

/* Regions that are read, and fields without which there is no flow, or nowhere to send it. */
static const struct {
	enum lane_region region;
	const char *name, *needed[10];
} regions[] = {
	{ LANE_REGION_HEAD, "head", { "number", "count" } },
	{ LANE_REGION_LANE, "lane", { "entries-touched", "exporter-count" } },
	{ LANE_REGION_EXPORTERS, "exporters", { "destination" } },
	{ LANE_REGION_ENTRIES, "entries",
		{ "address-0", "address-1", "ip-version", "seen", "packets-0", "packets-1",
			"first-ns-0", "first-ns-1", "last-ns-0", "last-ns-1" } },
	{ LANE_REGION_LABELS, "labels", { NULL } },
	{ LANE_REGION_STACKS, "stacks", { NULL } },
	{ LANE_REGION_OWN_PATHS, "own-paths", { NULL } },
	{ LANE_REGION_PATHS, "paths", { NULL } },
};
#define REGION_ROWS (sizeof(regions) / sizeof(regions[0]))

/* -- bits --------------------------------------------------------------------------------- */

/* Up to 64, from any place: they are in nine octets at the most. */
static uint64_t get_bits(const uint8_t *bytes, uint64_t bit, uint32_t bits)
{
	unsigned shift = bit % 8, octets = (shift + bits + 7) / 8;
	uint64_t value = 0;

	bytes += bit / 8;
	memcpy(&value, bytes, octets < 8 ? octets : 8);
	value >>= shift;
	if (octets > 8)
		value |= (uint64_t)bytes[8] << (64 - shift);
	return bits < 64 ? value & ((1ull << bits) - 1) : value;
}

/* The same into a place that is zero. */
static void set_bits(uint8_t *bytes, uint64_t bit, uint32_t bits, uint64_t value)
{
	unsigned shift = bit % 8, octets = (shift + bits + 7) / 8;
	uint64_t word = 0;

	bytes += bit / 8;
	memcpy(&word, bytes, octets < 8 ? octets : 8);
	word |= value << shift;
	memcpy(bytes, &word, octets < 8 ? octets : 8);
	if (octets > 8)
		bytes[8] |= (uint8_t)(value >> (64 - shift));
}

static bool is_octets(const struct pair *pair)
{
	return pair->from_bits > 64 || pair->to_bits > 64;
}

static void copy_pair(const struct pair *pair, const uint8_t *from, uint8_t *to)
{
	uint32_t least = pair->from_bits < pair->to_bits ? pair->from_bits : pair->to_bits;

	if (is_octets(pair)) {
		memcpy(to + pair->to_bit / 8, from + pair->from_bit / 8, least / 8);
		return;
	}
	uint64_t value = get_bits(from, pair->from_bit, pair->from_bits);
	uint64_t most = UINT64_MAX >> (64 - pair->to_bits);
	set_bits(to, pair->to_bit, pair->to_bits, value < most ? value : most);
}

/* -- names -------------------------------------------------------------------------------- */

static const struct lane_state_field *find_field(
	const struct lane_state *from, const struct lane_state_region *region, const char *name)
{
	const struct lane_state_field *fields =
		(const void *)(from->memory + from->head->fields_offset);
	const struct lane_state_region *all =
		(const void *)(from->memory + from->head->regions_offset);

	for (uint32_t i = 0; i < from->head->field_count; i++)
		if (fields[i].region == (uint32_t)(region - all) &&
			strcmp(fields[i].name, name) == 0)
			return &fields[i];
	return NULL;
}

static bool is_in_stride(const struct lane_state_field *field, uint64_t stride)
{
	return field->bits > 0 && field->bits <= FIELD_BITS_MAX &&
	       field->bit_offset / 8 < stride &&
	       field->bits <= (stride - field->bit_offset / 8) * 8 - field->bit_offset % 8;
}

static int add_pair(struct reader *reader, const struct lane_state_field *theirs,
	const struct lane_state_field *ours)
{
	struct pair pair = { theirs->bit_offset, ours->bit_offset, theirs->bits, ours->bits };

	if (!is_in_stride(theirs, reader->stride))
		return -EBADMSG;
	if (is_octets(&pair) &&
		(pair.from_bit | pair.to_bit | pair.from_bits | pair.to_bits) % 8 != 0)
		return -EBADMSG;
	reader->pairs[reader->pair_count++] = pair;
	return 0;
}

static bool has_needed(const struct lane_state *from, const struct lane_state_region *region,
	const char *const *needed, unsigned most)
{
	for (unsigned i = 0; i < most && needed[i]; i++)
		if (!find_field(from, region, needed[i]))
			return false;
	return true;
}

static int make_reader(struct reading *reading, unsigned row)
{
	const struct lane_state *from = reading->from;
	const struct lane_state_region *region = lane_state_find(from, regions[row].name);
	struct reader *reader = &reading->readers[regions[row].region];
	int rc = 0;

	if (!region)
		return regions[row].needed[0] ? -EBADMSG : 0;
	if (region->stride == 0 || region->stride > FIELD_BITS_MAX ||
		!has_needed(from, region, regions[row].needed, 10))
		return -EBADMSG;
	reader->from = from->memory + region->offset;
	reader->stride = region->stride;
	reader->count = region->count;
	for (uint32_t i = 0; rc == 0 && i < reading->our_count; i++) {
		const struct lane_state_field *ours = &reading->ours[i];
		const struct lane_state_field *theirs =
			ours->region == regions[row].region
				? find_field(from, region, ours->name)
				: NULL;

		if (theirs)
			rc = add_pair(reader, theirs, ours);
	}
	return rc;
}

/* One of a region's objects into memory that is zero; false: they have none there. */
static bool read_object(
	const struct reading *reading, enum lane_region region, uint64_t number, void *to)
{
	const struct reader *reader = &reading->readers[region];

	if (number >= reader->count)
		return false;
	for (unsigned i = 0; i < reader->pair_count; i++)
		copy_pair(&reader->pairs[i], reader->from + number * reader->stride, to);
	return true;
}

/* -- flows -------------------------------------------------------------------------------- */

static bool is_flow(const struct flow_entry *entry)
{
	bool is_sound = entry->key.ip_version == 4 || entry->key.ip_version == 6;

	for (unsigned sender = 0; sender < 2; sender++)
		if (flow_entry_seen(entry) >> sender & 1)
			is_sound &=
				flow_count_packets(&entry->count[sender]) > 0 &&
				entry->count[sender].first_ns <= entry->count[sender].last_ns;
	return is_sound;
}

static void read_paths(const struct reading *reading, struct flow_entry *entry, uint64_t from,
	uint64_t to, uint32_t paths)
{
	struct flow_path(*own)[2] = lane_state_region(reading->to, LANE_REGION_OWN_PATHS);

	for (unsigned sender = 0; sender < 2; sender++) {
		if (!(flow_entry_seen(entry) >> sender & 1)) {
			entry->path[sender] = FLOW_PATH_NONE;
			continue;
		}
		if (entry->path[sender] != FLOW_PATH_NONE && entry->path[sender] <= paths)
			continue;
		entry->path[sender] = FLOW_PATH_OWN;
		read_object(
			reading, LANE_REGION_OWN_PATHS, 2 * from + sender, &own[to][sender]);
	}
}

static void read_stacks(
	const struct reading *reading, struct flow_entry *entry, uint64_t from, uint64_t to)
{
	struct flow_stack(*stacks)[2] = lane_state_region(reading->to, LANE_REGION_STACKS);
	uint64_t labelled = 0;

	for (unsigned sender = 0; sender < 2; sender++) {
		struct flow_stack *stack = &stacks[to][sender];

		if (!(flow_entry_labelled(entry) >> sender & 1))
			continue;
		if (read_object(reading, LANE_REGION_STACKS, 2 * from + sender, stack))
			labelled |= 1u << sender;
		if (stack->count > META_MPLS_MAX)
			stack->count = META_MPLS_MAX;
	}
	flow_entry_set_labelled(entry, labelled);
}

static uint32_t read_path_table(const struct reading *reading, uint32_t touched)
{
	struct flow_path_node *nodes = lane_state_region(reading->to, LANE_REGION_PATHS);
	uint32_t number = 0;

	while (number < touched && number < FLOW_PATHS_MAX &&
		read_object(reading, LANE_REGION_PATHS, number + 1, &nodes[number + 1]))
		number++;
	return number;
}

/* What an endpoint that has sent nothing has. */
static const struct flow_count no_packets = { .first_ns = UINT64_MAX };

/* Those that have a record open, one behind the other. */
static uint32_t read_flows(const struct reading *reading, uint32_t touched, uint32_t paths)
{
	struct flow_entry *entries = lane_state_region(reading->to, LANE_REGION_ENTRIES);
	struct flow_labels *labels = lane_state_region(reading->to, LANE_REGION_LABELS);
	uint32_t to = 0;

	for (uint64_t from = 1; from <= touched; from++) {
		struct flow_entry entry = { 0 };

		if (!read_object(reading, LANE_REGION_ENTRIES, from, &entry))
			break;
		if (entry.key.ip_version == 0 || flow_entry_seen(&entry) == 0)
			continue;
		if (!is_flow(&entry)) {
			reading->result->unreadable_flows++;
			continue;
		}
		to++;
		for (unsigned sender = 0; sender < 2; sender++)
			if (!(flow_entry_seen(&entry) >> sender & 1))
				entry.count[sender] = no_packets;
		read_paths(reading, &entry, from, to, paths);
		read_stacks(reading, &entry, from, to);
		read_object(reading, LANE_REGION_LABELS, from, &labels[to]);
		entries[to] = entry;
	}
	return to;
}

/* -- messages ----------------------------------------------------------------------------- */

/* How long each is, and how many flows are in it. */
static bool read_list(
	const struct reading *reading, uint64_t number, struct exporter_saved *saved)
{
	const struct lane_state_region *region = lane_state_find(reading->from, "exporters");
	const struct lane_state_field *first, *second, *flows;

	first = find_field(reading->from, region, "message-length-0");
	second = find_field(reading->from, region, "message-length-1");
	flows = find_field(reading->from, region, "message-flows-0");
	if (!first || !second || second->bit_offset <= first->bit_offset ||
		saved->message_count > EXPORTER_KEPT_MESSAGES)
		return false;
	for (uint32_t i = 0; i < saved->message_count; i++) {
		uint64_t apart = i * (second->bit_offset - first->bit_offset);
		const uint8_t *from =
			reading->readers[LANE_REGION_EXPORTERS].from + number * region->stride;
		struct lane_state_field length = *first;

		length.bit_offset += apart;
		if (apart > region->stride * 8 || length.bits > 64 ||
			!is_in_stride(&length, region->stride))
			return false;
		saved->messages[i].length =
			(uint32_t)get_bits(from, length.bit_offset, length.bits);
		if (!flows)
			continue;
		struct lane_state_field count = *flows;
		count.bit_offset += apart;
		if (count.bits <= 64 && is_in_stride(&count, region->stride))
			saved->messages[i].flow_count =
				(uint32_t)get_bits(from, count.bit_offset, count.bits);
	}
	return true;
}

/* Their octets are octets in every version. */
static bool read_messages(
	const struct reading *reading, uint64_t place, const struct exporter_saved *saved)
{
	const struct lane_state_region *region = lane_state_find(reading->from, "messages");
	uint8_t *to = lane_state_region(reading->to, LANE_REGION_MESSAGES);
	uint64_t begun = saved->is_begun ? saved->begun_bytes : 0;

	if (!region || place >= region->count || saved->length > EXPORTER_KEPT_BYTES ||
		begun > EXPORTER_KEPT_BYTES - saved->length ||
		saved->length + begun > region->stride)
		return false;
	memcpy(to + place * EXPORTER_KEPT_BYTES,
		reading->from->memory + region->offset + place * region->stride,
		saved->length + begun);
	return true;
}

/* What was waiting is sent. Nothing is added to it: how they made records is not known. */
static void read_exporter(const struct reading *reading, uint64_t number, unsigned place)
{
	struct exporter_saved *saved = lane_state_next_exporter(reading->to, place);

	read_object(reading, LANE_REGION_EXPORTERS, number, saved);
	saved->destination[sizeof(saved->destination) - 1] = '\0';
	saved->is_closed = 1;
	saved->flush_due_ns = saved->template_due_ns = UINT64_MAX;
	if (!saved->is_used)
		return;
	if (read_list(reading, number, saved) && read_messages(reading, place, saved))
		return;
	reading->result->lost_messages += saved->message_count + (saved->is_begun != 0);
	saved->is_used = 0;
}

static void read_exporters(
	const struct reading *reading, unsigned copy, struct lane_saved *saved)
{
	uint64_t places = reading->readers[LANE_REGION_EXPORTERS].count / 2;

	if (places > CONFIG_DESTINATIONS_MAX)
		places = CONFIG_DESTINATIONS_MAX;
	if (saved->exporter_count > places)
		saved->exporter_count = (uint32_t)places;
	for (uint32_t i = 0; i < saved->exporter_count; i++)
		read_exporter(reading,
			copy * (reading->readers[LANE_REGION_EXPORTERS].count / 2) + i, i);
}

/* -- the whole ---------------------------------------------------------------------------- */

/* The terms and keys of the next one. */
static int make_next(struct reading *reading)
{
	struct lane_state_head *head = calloc(1, sizeof(*head));
	uint64_t entries = reading->readers[LANE_REGION_ENTRIES].count;

	if (!head)
		return -ENOMEM;
	if (!read_object(reading, LANE_REGION_HEAD, 0, head) || entries < 2 ||
		entries - 1 > FLOW_TABLE_ENTRIES_MAX ||
		head->terms.level >= TRACK_LEVEL_COUNT) {
		free(head);
		return -EBADMSG;
	}
	head->terms.capacity = (uint32_t)(entries - 1);
	head->terms.fragment_bytes = fragment_table_bytes(0);
	head->terms.held_bytes = fragment_hold_bytes(0);
	head->terms.interface[sizeof(head->terms.interface) - 1] = '\0';
	struct lane_state_plan plan = {
		.capacity = head->terms.capacity,
		.fragment_bytes = head->terms.fragment_bytes,
		.held_bytes = head->terms.held_bytes,
	};
	int rc = lane_state_new(&plan, &head->terms, &head->keys, &reading->to);

	free(head);
	return rc;
}

static int read_all(struct reading *reading)
{
	unsigned copy = undo_copy(&reading->from->undo);
	struct lane_saved *saved = lane_state_next(reading->to);

	if (!read_object(reading, LANE_REGION_LANE, copy, saved))
		return -EBADMSG;
	uint32_t capacity = reading->to->head->terms.capacity;
	uint32_t touched = saved->cache.touched < capacity ? saved->cache.touched : capacity;
	saved->cache.paths_touched = read_path_table(reading, saved->cache.paths_touched);
	saved->cache.touched = read_flows(reading, touched, saved->cache.paths_touched);
	saved->cache.stats.active_flows = saved->cache.touched;
	saved->clock.is_steady = true;
	read_exporters(reading, copy, saved);
	reading->result->flows = saved->cache.touched;
	lane_state_commit(reading->to);
	return 0;
}

int lane_state_read(const struct lane_state *from, struct lane_state **ret_state,
	struct lane_state_reading *ret_reading)
{
	struct reading *reading = calloc(1, sizeof(*reading));
	int rc = 0;

	if (!reading)
		return -ENOMEM;
	*ret_reading = (struct lane_state_reading){ 0 };
	reading->from = from;
	reading->result = ret_reading;
	reading->our_count = lane_state_describe(reading->ours);
	for (unsigned row = 0; rc == 0 && row < REGION_ROWS; row++)
		rc = make_reader(reading, row);
	if (rc == 0)
		rc = make_next(reading);
	if (rc == 0)
		rc = read_all(reading);
	if (rc == 0)
		*ret_state = reading->to;
	else
		lane_state_free(reading->to);
	free(reading);
	return rc;
}
