/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a lane knows that nobody could find out again, in a sealed file of memory that outlives
 * the process:
 *
 *	head       who wrote it, where things are, under which terms; the undo word
 *	lane       two copies (undo.h) of the small things: place in the ring, counters, clocks
 *	exporters  two copies of each collector's sequence, clocks, list of unsent messages
 *	log        of the undo
 *	entries... the flow table's arrays (flow_table.h), both tables of fragments
 *	messages   octets of unsent messages, a buffer for each collector
 *
 * All else (index, timer wheels, free lists) is made anew from these. The file has holes where
 * nothing was written: its size costs address space, not memory.
 *
 * The head describes regions and members by name, place and width, so that a program with other
 * ideas of them can read what it knows by name (lane_state_read.h).
 */
#ifndef SENSOR_LANE_STATE_H
#define SENSOR_LANE_STATE_H

#include "export/exporter_keep.h"
#include "ring/source.h"
#include "sensor/config.h"
#include "sensor/flow_table.h"
#include "sensor/lane_clock.h"
#include "sensor/undo.h"

#define LANE_STATE_FIELDS_MAX 160
#define LANE_STATE_NAME_BYTES 24

/* Rows: name, stride in bytes, how many. .capacity is that of the plan. */
#define LANE_STATE_REGIONS(REGION) \
	REGION(HEAD, "head", sizeof(struct lane_state_head), 1) \
	REGION(LANE, "lane", sizeof(struct lane_saved), 2) \
	REGION(EXPORTERS, "exporters", sizeof(struct exporter_saved), \
		2 * CONFIG_DESTINATIONS_MAX) \
	REGION(LOG, "log", 1, LANE_STATE_LOG_BYTES) \
	REGION(ENTRIES, "entries", sizeof(struct flow_entry), plan->capacity + 1) \
	REGION(LABELS, "labels", sizeof(struct flow_labels), plan->capacity + 2) \
	REGION(STACKS, "stacks", sizeof(struct flow_stack), 2 * (plan->capacity + 1)) \
	REGION(OWN_PATHS, "own-paths", sizeof(struct flow_path), 2 * (plan->capacity + 1)) \
	REGION(PATHS, "paths", sizeof(struct flow_path_node), FLOW_PATHS_MAX + 1) \
	REGION(FRAGMENTS, "fragments", 1, plan->fragment_bytes) \
	REGION(HELD, "held", 1, plan->held_bytes) \
	REGION(MESSAGES, "messages", EXPORTER_KEPT_BYTES, CONFIG_DESTINATIONS_MAX)

enum lane_region {
#define REGION(name, ...) LANE_REGION_##name,
	LANE_STATE_REGIONS(REGION)
#undef REGION
		LANE_REGION_COUNT
};

/* More than the longest pass keeps: a thousand times the usual. */
#define LANE_STATE_LOG_BYTES (32ull << 20)

/* The small things. */
struct lane_saved {
	struct source_place place;
	struct flow_cache_saved cache;
	struct lane_clock clock;
	int64_t step_ns;
	uint64_t start_ns, boot_move_ns;
	uint64_t seen_pkts, metered_frames, exported_flows;
	uint64_t dropped[DROP_REASON_COUNT];
	uint32_t to_skip_pkts; /* of the sampler */
	uint32_t is_paused, has_begun;
	uint64_t committed_ns; /* on a clock of the host that is never set */
	uint32_t exporter_count;
	uint32_t restarts, zero; /* how often a process went on with this */
};

/* What must be the same for the next process to go on in place. All octets are compared. */
struct lane_terms {
	uint32_t number, count; /* this lane, and of how many */
	uint32_t capacity, level;
	uint32_t block_bytes, block_count;
	uint32_t fragments_follow, zero;
	uint64_t fragment_bytes, held_bytes;
	char interface[64];
};

struct lane_state_plan {
	uint32_t capacity;
	uint64_t fragment_bytes, held_bytes;
};

/* All random keys that packets were looked at with. */
struct lane_state_keys {
	uint64_t steering[2], fragments[2], held[2];
};

struct lane_state_region {
	char name[LANE_STATE_NAME_BYTES];
	uint64_t offset, stride, count;
};

struct lane_state_field {
	char name[LANE_STATE_NAME_BYTES];
	uint32_t region;
	uint32_t bits; /* a number of up to 64, or octets */
	uint64_t bit_offset;
};

/* What comes before the terms has its place in every version, save for how many rows there are.
 */
struct lane_state_head {
	char magic[8];
	uint64_t layout; /* a digest of all regions' strides and all fields */
	uint64_t word;   /* of the undo */
	uint64_t total_bytes;
	uint64_t is_whole; /* all is written; the last thing to be stored */
	uint32_t region_count, regions_offset, field_count, fields_offset;
	struct lane_state_region regions[LANE_REGION_COUNT];
	struct lane_state_field fields[LANE_STATE_FIELDS_MAX];
	struct lane_terms terms;
	struct lane_state_keys keys;
};

struct lane_state {
	int fd;
	uint8_t *memory;
	uint64_t total_bytes;
	struct lane_state_head *head; /* the memory's beginning */
	struct undo undo;
};

/* Make one; all is zero but the head. 0 or a negative errno. */
int lane_state_new(const struct lane_state_plan *plan, const struct lane_terms *terms,
	const struct lane_state_keys *keys, struct lane_state **ret_state);

/*
 * Map one that another process has left, .fd is taken. What it did since its last commit is
 * undone, unless it was of another layout: lane_state_fits() says so. 0; -EBADMSG when it is
 * none, or damaged, or could be made smaller by others; -ENODATA: it stands, but what it did
 * last could not be undone; then *ret_state is set, too.
 */
int lane_state_open(int fd, struct lane_state **ret_state);

/* The fields as this program has them, LANE_STATE_FIELDS_MAX at the most; returns how many. */
uint32_t lane_state_describe(struct lane_state_field *ret_fields);

/* Is it of the layout that this program writes? */
bool lane_state_fits(const struct lane_state *state);

/* A region by name, whatever the layout; NULL: there is none. */
const struct lane_state_region *lane_state_find(
	const struct lane_state *state, const char *name);

void *lane_state_region(const struct lane_state *state, enum lane_region region);
uint64_t lane_state_region_count(const struct lane_state *state, enum lane_region region);

/* The copies that count, and those that count after the next lane_state_commit(). */
const struct lane_saved *lane_state_saved(const struct lane_state *state);
struct exporter_saved *lane_state_exporter(const struct lane_state *state, unsigned n);
struct lane_saved *lane_state_next(const struct lane_state *state);
struct exporter_saved *lane_state_next_exporter(const struct lane_state *state, unsigned n);

static inline void lane_state_commit(const struct lane_state *state)
{
	undo_commit(&state->undo);
}

/* Unmap and close; the memory stays as long as others have a descriptor. NULL is fine. */
void lane_state_free(struct lane_state *state);

#endif
