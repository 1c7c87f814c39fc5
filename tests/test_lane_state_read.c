/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * States of other layouts, made from one of ours: members in reverse order, some wider, some
 * narrower, some unknown; and heads that lie.
 */
#include "sensor/lane_state_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit.h"

#define CAPACITY 8
#define FLOWS 3
#define S 1000000000ull

/* A foreign state under construction. */
struct foreign {
	int fd;
	uint8_t *memory;
	struct lane_state_head *head;
	uint64_t bytes;
};

/* -- ours --------------------------------------------------------------------------------- */

static void fill_flow(struct lane_state *state, uint32_t index)
{
	struct flow_entry *entry =
		(struct flow_entry *)lane_state_region(state, LANE_REGION_ENTRIES) + index;
	struct flow_stack(*stacks)[2] = lane_state_region(state, LANE_REGION_STACKS);
	struct flow_labels *labels = lane_state_region(state, LANE_REGION_LABELS);

	memset(entry->key.address[0], 0x10 + (int)index, 16);
	memset(entry->key.address[1], 0x20 + (int)index, 16);
	entry->key.port[0] = (uint16_t)(1000 + index);
	entry->key.port[1] = 53;
	entry->key.vlan_id = 77;
	entry->key.protocol = 17;
	entry->key.ip_version = 6;
	entry->activity_ns = (50 + index) * S;
	flow_entry_set_flow_id(entry, 900 + index);
	flow_entry_set_initiator(entry, 1);
	flow_entry_set_is_initiator_known(entry, 1);
	flow_entry_set_seen(entry, 3);
	flow_entry_set_labelled(entry, 2);
	entry->path[0] = 1;
	entry->path[1] = FLOW_PATH_OWN;
	for (unsigned sender = 0; sender < 2; sender++)
		entry->count[sender] = (struct flow_count){
			.octets_flags =
				(uint64_t)(70000 + sender) << FLOW_COUNT_OCTETS_SHIFT | 0x12,
			.packets_ttl = flow_count_word(300 + index, 64, 60, 0x2e),
			.first_ns = (10 + sender) * S,
			.last_ns = (50 + sender) * S,
		};
	stacks[index][1] = (struct flow_stack){ 2, { 0xabc, 0xdef } };
	labels[index] = (struct flow_labels){ { 1, 2, 3, 4, 5 } };
}

static void fill_rest(struct lane_state *state)
{
	struct flow_path_node *nodes = lane_state_region(state, LANE_REGION_PATHS);
	struct flow_path(*own)[2] = lane_state_region(state, LANE_REGION_OWN_PATHS);
	struct lane_saved *saved = lane_state_next(state);
	struct exporter_saved *exporter = lane_state_next_exporter(state, 0);

	nodes[1].path = (struct flow_path){ .macs = { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12 },
		.if_index = 3,
		.vlan_id = 4,
		.inner = 5 | FLOW_PATH_OUTGOING };
	for (uint32_t i = 1; i <= FLOWS; i++)
		own[i][1] = (struct flow_path){ .if_index = 100 + i };
	saved->cache.touched = FLOWS;
	saved->cache.paths_touched = 1;
	saved->place.block_sequence = 4711;
	saved->place.block = 3;
	saved->place.done_pkts = 17;
	saved->step_ns = -5;
	saved->has_begun = 1;
	saved->exporter_count = 1;
	exporter->is_used = 1;
	snprintf(exporter->destination, sizeof(exporter->destination), "192.0.2.1:2055");
	exporter->config.version = EXPORT_NETFLOW_5;
	exporter->sequence = 99;
	exporter->message_bytes = 1400;
	exporter->message_count = 2;
	exporter->messages[0] = (struct gathered){ .length = 30, .flow_count = 5 };
	exporter->messages[1] = (struct gathered){ .length = 12, .flow_count = 6 };
	exporter->length = 42;
	memset(lane_state_region(state, LANE_REGION_MESSAGES), 0x5a, 42);
}

static struct lane_state *our_state(void)
{
	const struct lane_state_plan plan = { CAPACITY, 4096, 4096 };
	const struct lane_terms terms = { .number = 1,
		.count = 2,
		.capacity = CAPACITY,
		.level = 3,
		.block_bytes = 65536,
		.block_count = 16,
		.interface = "eth7" };
	const struct lane_state_keys keys = { .steering = { 11, 12 } };
	struct lane_state *state;

	assert_int_equal(lane_state_new(&plan, &terms, &keys, &state), 0);
	for (uint32_t i = 1; i <= FLOWS; i++)
		fill_flow(state, i);
	fill_rest(state);
	lane_state_commit(state);
	return state;
}

/* -- another layout ----------------------------------------------------------------------- */

static uint64_t read_bits(const uint8_t *bytes, uint64_t bit, unsigned i)
{
	return bytes[(bit + i) / 8] >> (bit + i) % 8 & 1;
}

static void move_bits(
	const uint8_t *from, uint64_t from_bit, uint8_t *to, uint64_t to_bit, uint32_t bits)
{
	for (uint32_t i = 0; i < bits; i++)
		if (read_bits(from, from_bit, i))
			to[(to_bit + i) / 8] |= (uint8_t)(1u << (to_bit + i) % 8);
}

/* How wide their member is: most are as ours, some wider, one narrower, none at an octet. */
static uint32_t their_bits(const struct lane_state_field *field)
{
	if (strcmp(field->name, "port-0") == 0)
		return 64;
	if (strcmp(field->name, "packets-1") == 0)
		return 33;
	if (strcmp(field->name, "if-index") == 0)
		return 57;
	return field->bits;
}

/* All fields of a region, the last one first, with gaps. Returns the stride. */
static uint64_t lay_out(const struct lane_state_field *ours, struct lane_state_field *theirs,
	uint32_t count, uint32_t region)
{
	uint64_t bit = 5;

	for (uint32_t i = count; i-- > 0;) {
		if (ours[i].region != region)
			continue;
		theirs[i] = ours[i];
		theirs[i].bits = their_bits(&ours[i]);
		if (theirs[i].bits > 64)
			bit = (bit + 7) / 8 * 8;
		theirs[i].bit_offset = bit;
		bit += theirs[i].bits + 3;
	}
	return bit / 8 + 9;
}

/* Our list of messages has its distance from two fields. */
static void keep_list(const struct lane_state_field *ours, struct lane_state_field *theirs,
	uint32_t count, uint64_t *stride)
{
	for (uint32_t i = 0; i < count; i++)
		if (strncmp(ours[i].name, "message-length-", 15) == 0 ||
			strcmp(ours[i].name, "message-flows-0") == 0)
			theirs[i].bit_offset = *stride * 8 + ours[i].bit_offset % 4096;
	*stride += 8192;
}

static void fill_foreign(const struct lane_state *state, struct foreign *foreign,
	const struct lane_state_field *ours, uint32_t region)
{
	const struct lane_state_region *from = &state->head->regions[region];
	const struct lane_state_region *to = &foreign->head->regions[region];
	uint64_t count = from->count < 70 ? from->count : 70;

	for (uint32_t i = 0; i < foreign->head->field_count; i++)
		for (uint64_t n = 0; ours[i].region == region && n < count; n++)
			move_bits(state->memory + from->offset + n * from->stride,
				ours[i].bit_offset,
				foreign->memory + to->offset + n * to->stride,
				foreign->head->fields[i].bit_offset, ours[i].bits);
}

static void place_regions(const struct lane_state *state, struct foreign *foreign,
	struct lane_state_head *head, const struct lane_state_field *ours)
{
	uint64_t at = 1 << 16;

	for (uint32_t region = 0; region < LANE_REGION_COUNT; region++) {
		struct lane_state_region *to = &head->regions[region];
		uint64_t stride = lay_out(ours, head->fields, head->field_count, region);

		if (region == LANE_REGION_EXPORTERS)
			keep_list(ours, head->fields, head->field_count, &stride);
		if (stride > 9) /* it has fields */
			to->stride = stride;
		to->offset = at;
		at += to->stride * to->count + 4096;
	}
	head->total_bytes = at;
	foreign->bytes = at;
}

static struct lane_state_field *their_field(const struct foreign *foreign, const char *name)
{
	for (uint32_t i = 0; i < foreign->head->field_count; i++)
		if (strcmp(foreign->head->fields[i].name, name) == 0)
			return &foreign->head->fields[i];
	fail_msg("no field \"%s\"", name);
	return NULL;
}

/* The second message's flows, which have no name of their own. */
static void fill_list(const struct lane_state *state, struct foreign *foreign)
{
	const struct lane_state_region *to = &foreign->head->regions[LANE_REGION_EXPORTERS];
	uint64_t apart = their_field(foreign, "message-length-1")->bit_offset -
			 their_field(foreign, "message-length-0")->bit_offset;
	uint64_t bit = their_field(foreign, "message-flows-0")->bit_offset + apart;

	move_bits((const uint8_t *)&lane_state_exporter(state, 0)->messages[1].flow_count, 0,
		foreign->memory + to->offset + to->stride * CONFIG_DESTINATIONS_MAX, bit, 32);
}

static struct foreign foreign_of(const struct lane_state *state)
{
	struct foreign foreign = { .fd = memfd_create("foreign", MFD_ALLOW_SEALING) };
	struct lane_state_field ours[LANE_STATE_FIELDS_MAX];
	struct lane_state_head *head = malloc(sizeof(*head));

	assert_non_null(head);
	*head = *state->head;
	lane_state_describe(ours);
	place_regions(state, &foreign, head, ours);
	head->layout ^= 1;
	assert_int_equal(ftruncate(foreign.fd, (off_t)foreign.bytes), 0);
	foreign.memory =
		mmap(NULL, foreign.bytes, PROT_READ | PROT_WRITE, MAP_SHARED, foreign.fd, 0);
	assert_true(foreign.memory != MAP_FAILED);
	memcpy(foreign.memory, head, sizeof(*head));
	foreign.head = (void *)foreign.memory;
	free(head);
	for (uint32_t region = 0; region < LANE_REGION_COUNT; region++)
		fill_foreign(state, &foreign, ours, region);
	fill_list(state, &foreign);
	memset(foreign.memory + foreign.head->regions[LANE_REGION_MESSAGES].offset, 0x5a, 42);
	return foreign;
}

static int open_foreign(struct foreign *foreign, struct lane_state **ret_state)
{
	assert_int_equal(fcntl(foreign->fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	munmap(foreign->memory, foreign->bytes);
	return lane_state_open(foreign->fd, ret_state);
}

/* Open, read, and free what was there. */
static int read_foreign(struct foreign *foreign, struct lane_state **ret_state,
	struct lane_state_reading *ret_reading)
{
	struct lane_state *theirs;
	int rc = open_foreign(foreign, &theirs);

	if (rc < 0)
		return rc;
	assert_false(lane_state_fits(theirs));
	rc = lane_state_read(theirs, ret_state, ret_reading);
	lane_state_free(theirs);
	return rc;
}

/* -- cases -------------------------------------------------------------------------------- */

static void assert_same_flow(
	const struct lane_state *ours, const struct lane_state *read, uint32_t index)
{
	const struct flow_entry *a =
		(struct flow_entry *)lane_state_region(ours, LANE_REGION_ENTRIES) + index;
	const struct flow_entry *b =
		(struct flow_entry *)lane_state_region(read, LANE_REGION_ENTRIES) + index;

	assert_memory_equal(a, b, sizeof(*a));
	for (unsigned i = 0; i < 2; i++) {
		enum lane_region region = i ? LANE_REGION_STACKS : LANE_REGION_OWN_PATHS;
		size_t bytes = 2 * (i ? sizeof(struct flow_stack) : sizeof(struct flow_path));

		assert_memory_equal((uint8_t *)lane_state_region(ours, region) + index * bytes,
			(uint8_t *)lane_state_region(read, region) + index * bytes, bytes);
	}
	assert_memory_equal(
		(struct flow_labels *)lane_state_region(ours, LANE_REGION_LABELS) + index,
		(struct flow_labels *)lane_state_region(read, LANE_REGION_LABELS) + index,
		sizeof(struct flow_labels));
}

static void every_member_is_read_back(void **state)
{
	struct lane_state *ours = our_state(), *read;
	struct foreign foreign = foreign_of(ours);
	struct lane_state_reading reading;

	assert_int_equal(read_foreign(&foreign, &read, &reading), 0);
	assert_true(lane_state_fits(read));
	assert_int_equal(reading.flows, FLOWS);
	assert_int_equal(reading.unreadable_flows + reading.lost_messages, 0);
	for (uint32_t i = 1; i <= FLOWS; i++)
		assert_same_flow(ours, read, i);
	const struct flow_path_node *nodes = lane_state_region(ours, LANE_REGION_PATHS);
	assert_memory_equal(&nodes[1].path,
		&((struct flow_path_node *)lane_state_region(read, LANE_REGION_PATHS))[1].path,
		sizeof(nodes[1].path));
	const struct lane_saved *saved = lane_state_saved(read);
	assert_memory_equal(
		&saved->place, &lane_state_saved(ours)->place, sizeof(saved->place));
	assert_int_equal(saved->step_ns, -5);
	assert_int_equal(saved->exporter_count, 1);
	assert_int_equal(read->head->terms.number, 1);
	assert_int_equal(read->head->terms.block_count, 16);
	assert_string_equal(read->head->terms.interface, "eth7");
	assert_int_equal(read->head->keys.steering[1], 12);
	lane_state_free(ours);
	lane_state_free(read);
}

static void messages_that_wait_are_read(void **state)
{
	struct lane_state *ours = our_state(), *read;
	struct foreign foreign = foreign_of(ours);
	struct lane_state_reading reading;

	assert_int_equal(read_foreign(&foreign, &read, &reading), 0);
	const struct exporter_saved *saved = lane_state_exporter(read, 0);
	const uint8_t *bytes = lane_state_region(read, LANE_REGION_MESSAGES);
	assert_true(saved->is_used && saved->is_closed);
	assert_string_equal(saved->destination, "192.0.2.1:2055");
	assert_int_equal(saved->sequence, 99);
	assert_int_equal(saved->messages[0].length, 30);
	assert_int_equal(saved->messages[1].length, 12);
	assert_int_equal(saved->messages[1].flow_count, 6);
	assert_int_equal(bytes[0], 0x5a);
	assert_int_equal(bytes[41], 0x5a);
	assert_int_equal(bytes[42], 0);
	lane_state_free(ours);
	lane_state_free(read);
}

static void what_is_missing_is_zero(void **state)
{
	struct lane_state *ours = our_state(), *read;
	struct foreign foreign = foreign_of(ours);
	struct lane_state_reading reading;

	strcpy(their_field(&foreign, "tos-0")->name, "unheard-of");
	strcpy(their_field(&foreign, "port-1")->name, "port-9");
	strcpy(their_field(&foreign, "path-0")->name, "way-0");
	strcpy(their_field(&foreign, "message-length-0")->name, "other");
	assert_int_equal(read_foreign(&foreign, &read, &reading), 0);
	const struct flow_entry *entry =
		(struct flow_entry *)lane_state_region(read, LANE_REGION_ENTRIES) + 1;
	assert_int_equal(flow_count_tos(&entry->count[0]), 0);
	assert_int_equal(flow_count_tos(&entry->count[1]), 0x2e);
	assert_int_equal(entry->key.port[1], 0);
	assert_int_equal(entry->path[0], FLOW_PATH_OWN);
	assert_int_equal(reading.flows, FLOWS);
	assert_int_equal(reading.lost_messages, 2);
	assert_false(lane_state_exporter(read, 0)->is_used);
	lane_state_free(ours);
	lane_state_free(read);
}

static void too_large_a_number_becomes_the_largest(void **state)
{
	struct lane_state *ours = our_state(), *read;
	struct foreign foreign = foreign_of(ours);
	struct lane_state_reading reading;
	const struct lane_state_region *entries = &foreign.head->regions[LANE_REGION_ENTRIES];
	uint64_t bit = their_field(&foreign, "port-0")->bit_offset + 40;

	foreign.memory[entries->offset + entries->stride + bit / 8] |= (uint8_t)(1u << bit % 8);
	assert_int_equal(read_foreign(&foreign, &read, &reading), 0);
	const struct flow_entry *entry = lane_state_region(read, LANE_REGION_ENTRIES);
	assert_int_equal(entry[1].key.port[0], UINT16_MAX);
	assert_int_equal(entry[2].key.port[0], 1002);
	lane_state_free(ours);
	lane_state_free(read);
}

/* -- heads that lie ----------------------------------------------------------------------- */

typedef void lie(struct foreign *foreign);

static void without_needed_field(struct foreign *foreign)
{
	strcpy(their_field(foreign, "address-1")->name, "x");
}

static void field_beyond_stride(struct foreign *foreign)
{
	their_field(foreign, "last-ns-0")->bit_offset =
		foreign->head->regions[LANE_REGION_ENTRIES].stride * 8 - 63;
}

static void field_at_the_end_of_numbers(struct foreign *foreign)
{
	their_field(foreign, "last-ns-0")->bit_offset = UINT64_MAX - 3;
}

static void field_without_bits(struct foreign *foreign)
{
	their_field(foreign, "seen")->bits = 0;
}

static void huge_field(struct foreign *foreign)
{
	their_field(foreign, "destination")->bits = UINT32_MAX;
}

static void octets_between_octets(struct foreign *foreign)
{
	their_field(foreign, "address-0")->bit_offset++;
}

static void region_beyond_end(struct foreign *foreign)
{
	foreign->head->regions[LANE_REGION_STACKS].offset = foreign->bytes - 5;
}

static void huge_count(struct foreign *foreign)
{
	foreign->head->regions[LANE_REGION_ENTRIES].count = UINT64_MAX / 3;
}

static void no_stride(struct foreign *foreign)
{
	foreign->head->regions[LANE_REGION_ENTRIES].stride = 0;
}

static void too_many_fields(struct foreign *foreign)
{
	foreign->head->field_count = UINT32_MAX;
}

static void crooked_table(struct foreign *foreign)
{
	foreign->head->fields_offset += 3;
}

static void name_without_end(struct foreign *foreign)
{
	memset(their_field(foreign, "seen")->name, 'x', LANE_STATE_NAME_BYTES);
}

static void unknown_level(struct foreign *foreign)
{
	const struct lane_state_region *head = &foreign->head->regions[LANE_REGION_HEAD];
	uint64_t bit = their_field(foreign, "level")->bit_offset + 20;

	foreign->memory[head->offset + bit / 8] |= (uint8_t)(1u << bit % 8);
}

static void lies_are_refused(void **state)
{
	static lie *const lies[] = { without_needed_field, field_beyond_stride,
		field_at_the_end_of_numbers, field_without_bits, huge_field,
		octets_between_octets, region_beyond_end, huge_count, no_stride,
		too_many_fields, crooked_table, name_without_end, unknown_level };

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct lane_state *ours = our_state(), *read;
		struct foreign foreign = foreign_of(ours);
		struct lane_state_reading reading;

		lies[i](&foreign);
		if (read_foreign(&foreign, &read, &reading) != -EBADMSG)
			fail_msg("lie %zu is believed", i);
		lane_state_free(ours);
	}
}

/* Regions over one another give nonsense, and nothing worse. */
static void overlapping_regions_do_no_harm(void **state)
{
	struct lane_state *ours = our_state(), *read;
	struct foreign foreign = foreign_of(ours);
	struct lane_state_reading reading;

	for (uint32_t i = LANE_REGION_ENTRIES; i <= LANE_REGION_PATHS; i++)
		foreign.head->regions[i].offset = 8;
	if (read_foreign(&foreign, &read, &reading) == 0)
		lane_state_free(read);
	lane_state_free(ours);
}

/* A head of random numbers behind the magic, many times. */
static void random_heads_do_no_harm(void **state)
{
	uint64_t random = 88172645463325252;
	struct lane_state *ours = our_state();

	for (unsigned turn = 0; turn < 60; turn++) {
		struct foreign foreign = foreign_of(ours);
		struct lane_state_reading reading;
		struct lane_state *read;

		for (unsigned i = 0; i < 3; i++) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			uint64_t at = 40 + random % (sizeof(*foreign.head) - 48);

			foreign.memory[at] = (uint8_t)(random >> 40);
		}
		if (read_foreign(&foreign, &read, &reading) == 0)
			lane_state_free(read);
	}
	lane_state_free(ours);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_member_is_read_back),
		cmocka_unit_test(messages_that_wait_are_read),
		cmocka_unit_test(what_is_missing_is_zero),
		cmocka_unit_test(too_large_a_number_becomes_the_largest),
		cmocka_unit_test(lies_are_refused),
		cmocka_unit_test(overlapping_regions_do_no_harm),
		cmocka_unit_test(random_heads_do_no_harm),
	};

	return unit_run(argc, argv, "lane_state_read", tests, sizeof(tests) / sizeof(tests[0]));
}
