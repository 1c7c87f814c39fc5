/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lane_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "export/layout.h"

#define PAGE_BYTES 4096ull
#define HUGE_PAGE_BYTES (2ull << 20)
#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define DIGEST_SEED 0xcbf29ce484222325
#define DIGEST_PRIME 0x100000001b3

static const char magic[8] = { 'R', 'F', 'S', 'T', 'A', 'T', 'E', '1' };

/* -- the description -------------------------------------------------------------------- */

static uint64_t padded(uint64_t bytes, uint64_t to)
{
	return (bytes + to - 1) / to * to;
}

/* Where a member is shows when it alone is not zero. */
static struct lane_state_field field_of(
	const char *name, enum lane_region region, const uint8_t *probe, size_t bytes)
{
	struct lane_state_field field = { .region = region };
	uint32_t bit = 0, end = (uint32_t)bytes * 8;

	snprintf(field.name, sizeof(field.name), "%s", name);
	while (bit < end && !(probe[bit / 8] >> bit % 8 & 1))
		bit++;
	field.bit_offset = bit;
	while (bit < end && (probe[bit / 8] >> bit % 8 & 1))
		bit++;
	field.bits = (uint32_t)(bit - field.bit_offset);
	return field;
}

/* Each is set to ones in a variable that is zero, and looked for. */
uint32_t lane_state_describe(struct lane_state_field *fields)
{
	const uint64_t ones = UINT64_MAX;
	uint32_t count = 0;

#define MEMBER(region, type, member, name) \
	{ \
		type probe; \
		memset(&probe, 0, sizeof(probe)); \
		memset(&probe.member, 0xff, sizeof(probe.member)); \
		fields[count++] = field_of( \
			name, LANE_REGION_##region, (const uint8_t *)&probe, sizeof(probe)); \
	}
#define BITS(region, type, word, first_bit, bits, name) \
	{ \
		type probe; \
		memset(&probe, 0, sizeof(probe)); \
		probe.word = ((1u << (bits)) - 1) << (first_bit); \
		fields[count++] = field_of( \
			name, LANE_REGION_##region, (const uint8_t *)&probe, sizeof(probe)); \
	}
#define PART(part, name) \
	{ \
		struct flow_entry probe = { .state = flow_state_##part(ones) }; \
		fields[count++] = field_of( \
			name, LANE_REGION_ENTRIES, (const uint8_t *)&probe, sizeof(probe)); \
	}
#define COUNT(endpoint, word, first_bit, bits, name) \
	{ \
		struct flow_entry probe = { \
			.count[endpoint].word = ones >> (64 - (bits)) << (first_bit), \
		}; \
		fields[count++] = field_of( \
			name, LANE_REGION_ENTRIES, (const uint8_t *)&probe, sizeof(probe)); \
	}
#include "sensor/lane_state_field.def"
#undef PART
#undef COUNT
#undef MEMBER
#undef BITS
	return count;
}

static uint64_t describe_regions(
	const struct lane_state_plan *plan, struct lane_state_region *regions)
{
	const struct lane_state_region all[LANE_REGION_COUNT] = {
#define REGION(id, text, stride_bytes, how_many) \
	{ .name = text, .stride = stride_bytes, .count = how_many },
		LANE_STATE_REGIONS(REGION)
#undef REGION
	};
	uint64_t at = 0; /* the head's */

	for (unsigned i = 0; i < LANE_REGION_COUNT; i++) {
		uint64_t bytes = all[i].stride * all[i].count;

		/* Large arrays may get huge pages. */
		at = padded(at, bytes >= HUGE_PAGE_BYTES ? HUGE_PAGE_BYTES : PAGE_BYTES);
		regions[i] = all[i];
		regions[i].offset = at;
		at += bytes;
	}
	return padded(at, PAGE_BYTES);
}

static uint64_t digest(uint64_t sum, const void *bytes, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum = (sum ^ ((const uint8_t *)bytes)[i]) * DIGEST_PRIME;
	return sum;
}

/* Of all that code takes for granted. What depends on the configuration is in the terms. */
static uint64_t layout_digest(const struct lane_state_head *head)
{
	uint64_t sum = digest(DIGEST_SEED, head->fields, sizeof(head->fields));
	uint64_t sizes[] = { sizeof(*head), sizeof(struct packet_meta), LANE_REGION_COUNT,
		END_REASON_COUNT, DROP_REASON_COUNT, ELEMENT_COUNT, PRESET_COUNT };

	for (unsigned i = 0; i < LANE_REGION_COUNT; i++) {
		sum = digest(sum, head->regions[i].name, sizeof(head->regions[i].name));
		sum = digest(sum, &head->regions[i].stride, sizeof(head->regions[i].stride));
	}
	return digest(sum, sizes, sizeof(sizes));
}

static void describe(const struct lane_state_plan *plan, struct lane_state_head *head)
{
	memcpy(head->magic, magic, sizeof(magic));
	head->region_count = LANE_REGION_COUNT;
	head->regions_offset = offsetof(struct lane_state_head, regions);
	head->fields_offset = offsetof(struct lane_state_head, fields);
	head->field_count = lane_state_describe(head->fields);
	head->total_bytes = describe_regions(plan, head->regions);
	head->layout = layout_digest(head);
}

/* -- mapping ------------------------------------------------------------------------------ */

static void set_undo(struct lane_state *state, const struct lane_state_region *log)
{
	state->undo = (struct undo){
		.memory = state->memory,
		.word = &state->head->word,
		.log = state->memory + log->offset,
		.log_bytes = log->count,
	};
}

static int map(struct lane_state *state)
{
	void *memory = mmap(NULL, state->total_bytes, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_NORESERVE, state->fd, 0);

	if (memory == MAP_FAILED)
		return -errno;
	state->memory = memory;
	state->head = memory;
	return 0;
}

/* Where the host gives huge pages to shared memory it is as fast as any other. */
static void ask_for_huge_pages(const struct lane_state *state)
{
	const struct lane_state_region *entries = &state->head->regions[LANE_REGION_ENTRIES];
	uint64_t bytes = entries->stride * entries->count;

	if (bytes >= HUGE_PAGE_BYTES)
		(void)madvise(state->memory + entries->offset, bytes, MADV_HUGEPAGE);
}

static int make(struct lane_state *state, const struct lane_state_plan *plan,
	const struct lane_terms *terms, const struct lane_state_keys *keys)
{
	struct lane_state_head *head = calloc(1, sizeof(*head));

	if (!head)
		return -ENOMEM;
	describe(plan, head);
	head->terms = *terms;
	head->keys = *keys;
	state->total_bytes = head->total_bytes;
	state->fd = memfd_create("ringflow-lane", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int rc = state->fd < 0 || ftruncate(state->fd, (off_t)head->total_bytes) < 0 ||
				 fcntl(state->fd, F_ADD_SEALS, SEALS) < 0
			 ? -errno
			 : map(state);
	if (rc == 0) {
		*state->head = *head;
		set_undo(state, &state->head->regions[LANE_REGION_LOG]);
		ask_for_huge_pages(state);
		undo_fence();
		state->head->is_whole = 1;
	}
	free(head);
	return rc;
}

int lane_state_new(const struct lane_state_plan *plan, const struct lane_terms *terms,
	const struct lane_state_keys *keys, struct lane_state **ret_state)
{
	struct lane_state *state = calloc(1, sizeof(*state));

	if (!state)
		return -ENOMEM;
	state->fd = -1;
	int rc = make(state, plan, terms, keys);
	if (rc < 0)
		lane_state_free(state);
	else
		*ret_state = state;
	return rc;
}

/* -- what somebody else has left ---------------------------------------------------------- */

static int check_file(struct lane_state *state)
{
	struct stat status;
	int seals = fcntl(state->fd, F_GET_SEALS);

	if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(state->fd, &status) < 0 ||
		(uint64_t)status.st_size < sizeof(struct lane_state_head))
		return -EBADMSG;
	state->total_bytes = (uint64_t)status.st_size;
	return 0;
}

static bool is_inside(
	const struct lane_state *state, uint64_t offset, uint64_t count, uint64_t stride)
{
	return offset <= state->total_bytes &&
	       (stride == 0 || count <= (state->total_bytes - offset) / stride);
}

static int check_head(const struct lane_state *state)
{
	const struct lane_state_head *head = state->head;

	if (memcmp(head->magic, magic, sizeof(magic)) != 0 || !head->is_whole ||
		head->total_bytes != state->total_bytes || head->regions_offset % 8 != 0 ||
		head->fields_offset % 8 != 0 ||
		!is_inside(state, head->regions_offset, head->region_count,
			sizeof(struct lane_state_region)) ||
		!is_inside(state, head->fields_offset, head->field_count,
			sizeof(struct lane_state_field)))
		return -EBADMSG;
	const struct lane_state_region *regions =
		(const void *)(state->memory + head->regions_offset);
	for (uint32_t i = 0; i < head->region_count; i++)
		if (!is_inside(state, regions[i].offset, regions[i].count, regions[i].stride) ||
			!memchr(regions[i].name, '\0', sizeof(regions[i].name)))
			return -EBADMSG;
	const struct lane_state_field *fields =
		(const void *)(state->memory + head->fields_offset);
	for (uint32_t i = 0; i < head->field_count; i++)
		if (!memchr(fields[i].name, '\0', sizeof(fields[i].name)))
			return -EBADMSG;
	return 0;
}

const struct lane_state_region *lane_state_find(
	const struct lane_state *state, const char *name)
{
	const struct lane_state_region *regions =
		(const void *)(state->memory + state->head->regions_offset);

	for (uint32_t i = 0; i < state->head->region_count; i++)
		if (strcmp(regions[i].name, name) == 0)
			return &regions[i];
	return NULL;
}

/* The log is read the same way whoever wrote it: it knows places, not meanings. */
static int bring_back(struct lane_state *state)
{
	const struct lane_state_region *log = lane_state_find(state, "log");

	if (!log || log->stride != 1)
		return -EBADMSG;
	set_undo(state, log);
	return undo_roll_back(&state->undo, state->total_bytes);
}

int lane_state_open(int fd, struct lane_state **ret_state)
{
	struct lane_state *state = calloc(1, sizeof(*state));

	if (!state) {
		close(fd);
		return -ENOMEM;
	}
	state->fd = fd;
	int rc = check_file(state);
	if (rc == 0)
		rc = map(state);
	if (rc == 0)
		rc = check_head(state);
	if (rc == 0)
		rc = bring_back(state);
	/* A log may say anything, that the head was another one as well. */
	if ((rc == 0 || rc == -ENODATA) && check_head(state) < 0)
		rc = -EBADMSG;
	if (rc == 0 || rc == -ENODATA)
		*ret_state = state;
	else
		lane_state_free(state);
	return rc;
}

bool lane_state_fits(const struct lane_state *state)
{
	struct lane_state_head *ours = calloc(1, sizeof(*ours));
	struct lane_state_plan plan = { 0 };

	if (!ours)
		return false;
	describe(&plan, ours);
	bool is_same = ours->layout == state->head->layout;
	free(ours);
	return is_same;
}

/* -- use ---------------------------------------------------------------------------------- */

void *lane_state_region(const struct lane_state *state, enum lane_region region)
{
	return state->memory + state->head->regions[region].offset;
}

uint64_t lane_state_region_count(const struct lane_state *state, enum lane_region region)
{
	return state->head->regions[region].count;
}

static struct lane_saved *copy_of(const struct lane_state *state, unsigned copy)
{
	return (struct lane_saved *)lane_state_region(state, LANE_REGION_LANE) + copy;
}

static struct exporter_saved *exporter_copy_of(
	const struct lane_state *state, unsigned copy, unsigned n)
{
	return (struct exporter_saved *)lane_state_region(state, LANE_REGION_EXPORTERS) +
	       copy * CONFIG_DESTINATIONS_MAX + n;
}

const struct lane_saved *lane_state_saved(const struct lane_state *state)
{
	return copy_of(state, undo_copy(&state->undo));
}

struct exporter_saved *lane_state_exporter(const struct lane_state *state, unsigned n)
{
	return exporter_copy_of(state, undo_copy(&state->undo), n);
}

struct lane_saved *lane_state_next(const struct lane_state *state)
{
	return copy_of(state, !undo_copy(&state->undo));
}

struct exporter_saved *lane_state_next_exporter(const struct lane_state *state, unsigned n)
{
	return exporter_copy_of(state, !undo_copy(&state->undo), n);
}

void lane_state_free(struct lane_state *state)
{
	if (!state)
		return;
	if (state->memory)
		munmap(state->memory, state->total_bytes);
	if (state->fd >= 0)
		close(state->fd);
	free(state);
}
