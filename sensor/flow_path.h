/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where packets come from and go to below IP: MAC addresses, VLAN, interface. A link has few of
 * them and millions of flows, so flows keep a number of two octets and the paths stand here
 * once, for as long as a flow has their number.
 */
#ifndef SENSOR_FLOW_PATH_H
#define SENSOR_FLOW_PATH_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "sensor/undo.h"

#define FLOW_PATH_NONE 0
#define FLOW_PATH_OWN 0xffff /* there was no number left: the flow keeps its own copy */
#define FLOW_PATHS_MAX 0xfffe

struct flow_path {
	union {
		struct {
			uint8_t destination_mac[6];
			uint8_t source_mac[6];
		};
		uint8_t macs[12]; /* both, in the order of the wire */
	};
	uint32_t if_index; /* where the packet was seen */
	uint16_t vlan_id;
	uint16_t inner; /* the inner tag's VLAN, and FLOW_PATH_OUTGOING. Written whole: see
			 * flow_entry.h */
};
static_assert(sizeof(struct flow_path) == 20, "hashed as octets: no gaps");

#define FLOW_PATH_VLAN_MASK 0x0fff
#define FLOW_PATH_OUTGOING 0x1000 /* in .inner */

static inline uint16_t flow_path_inner_vlan_id(const struct flow_path *path)
{
	return path->inner & FLOW_PATH_VLAN_MASK;
}

static inline bool flow_path_is_outgoing(const struct flow_path *path)
{
	return path->inner & FLOW_PATH_OUTGOING;
}

struct flow_path_node {
	struct flow_path path;
	uint32_t flows; /* how many keep the number; 0: free */
	uint16_t next;  /* in its chain, or of the free ones */
};

struct flow_paths {
	struct flow_path_node
		*nodes;          /* by number; .path is kept, the rest can be found again */
	const struct undo *undo; /* NULL: the nodes are ours, and nothing is kept */
	uint16_t *chains;        /* the first node of each */
	uint16_t first_free;
	uint16_t touched; /* numbers 1 to .touched have been in use */
	uint16_t last;    /* asked for last: mostly asked for next */
};

/* 0 or -ENOMEM. */
int flow_paths_init(struct flow_paths *paths);
void flow_paths_fini(struct flow_paths *paths); /* of zeroes is fine */

/* The same over .nodes that outlive the process, FLOW_PATHS_MAX + 1 of them, borrowed, with
 * .undo for what is changed in them. */
int flow_paths_init_kept(
	struct flow_paths *paths, struct flow_path_node *nodes, const struct undo *undo);

/*
 * Find out what the numbers of kept nodes are worth: flow_paths_recount(), then
 * flow_paths_count() for each number that a flow keeps, then flow_paths_recounted(). Numbers 1
 * to .touched may have been in use.
 */
void flow_paths_recount(struct flow_paths *paths, uint16_t touched);
void flow_paths_count(struct flow_paths *paths, uint16_t number);
void flow_paths_recounted(struct flow_paths *paths);

/* In the pieces in which a path is put together: see flow_entry.h on reading what was just
 * written. */
static inline bool flow_path_equal(const struct flow_path *a, const struct flow_path *b)
{
	uint64_t x, y;
	uint32_t x_rest, y_rest;

	memcpy(&x, a->macs, sizeof(x));
	memcpy(&y, b->macs, sizeof(y));
	memcpy(&x_rest, a->macs + sizeof(x), sizeof(x_rest));
	memcpy(&y_rest, b->macs + sizeof(y), sizeof(y_rest));
	return x == y && x_rest == y_rest && a->if_index == b->if_index &&
	       a->vlan_id == b->vlan_id && a->inner == b->inner;
}

/* Whether it is the path that was taken last. */
static inline bool flow_paths_is_last(
	const struct flow_paths *paths, const struct flow_path *path)
{
	return paths->last != FLOW_PATH_NONE &&
	       flow_path_equal(&paths->nodes[paths->last].path, path);
}

/* The number of that, counted as kept by one more flow. */
static inline uint16_t flow_paths_take_last(struct flow_paths *paths)
{
	paths->nodes[paths->last].flows++;
	return paths->last;
}

/* The number for a path, likewise; FLOW_PATH_OWN when there is none. */
uint16_t flow_paths_take(struct flow_paths *paths, const struct flow_path *path);

/* A flow keeps the number no more. FLOW_PATH_NONE and FLOW_PATH_OWN are fine. */
void flow_paths_drop(struct flow_paths *paths, uint16_t number);

/* No flow keeps any number any more. */
void flow_paths_clear(struct flow_paths *paths);

#endif
