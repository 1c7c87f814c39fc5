/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/flow_path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define CHAINS (1u << 16)

/* Not keyed: who floods a link with forged MAC addresses gets at most long chains of a table
 * that ends at 65,534 paths, and only while they last. So chains are short on average and
 * bounded by a walk limit: beyond it a flow keeps its own copy. */
#define WALK_MAX 16

int flow_paths_init(struct flow_paths *paths)
{
	*paths = (struct flow_paths){
		.nodes = calloc((size_t)FLOW_PATHS_MAX + 1, sizeof(*paths->nodes)),
		.chains = calloc(CHAINS, sizeof(*paths->chains)),
	};
	if (paths->nodes && paths->chains)
		return 0;
	flow_paths_fini(paths);
	return -ENOMEM;
}

int flow_paths_init_kept(
	struct flow_paths *paths, struct flow_path_node *nodes, const struct undo *undo)
{
	*paths = (struct flow_paths){
		.nodes = nodes,
		.undo = undo,
		.chains = calloc(CHAINS, sizeof(*paths->chains)),
	};
	return paths->chains ? 0 : -ENOMEM;
}

void flow_paths_fini(struct flow_paths *paths)
{
	if (!paths->undo)
		free(paths->nodes);
	free(paths->chains);
	*paths = (struct flow_paths){ 0 };
}

static uint16_t *chain_of(const struct flow_paths *paths, const struct flow_path *path)
{
	uint64_t words[2];
	uint32_t rest;

	memcpy(words, path, sizeof(words));
	memcpy(&rest, (const uint8_t *)path + sizeof(words), sizeof(rest));
	uint64_t mixed = (words[0] ^ rest) * 0x9e3779b97f4a7c15;
	mixed = (mixed ^ mixed >> 32 ^ words[1]) * 0xbf58476d1ce4e5b9;
	return &paths->chains[mixed >> 48];
}

static uint16_t add(struct flow_paths *paths, const struct flow_path *path, uint16_t *chain)
{
	uint16_t number = paths->first_free;

	if (number)
		paths->first_free = paths->nodes[number].next;
	else if (paths->touched < FLOW_PATHS_MAX)
		number = ++paths->touched;
	else
		return FLOW_PATH_OWN;
	undo_keep(paths->undo, &paths->nodes[number], sizeof(paths->nodes[number]));
	paths->nodes[number] = (struct flow_path_node){ .path = *path, .next = *chain };
	*chain = number;
	return number;
}

/* The number for a path: known, new, or FLOW_PATH_OWN. */
static uint16_t find(struct flow_paths *paths, const struct flow_path *path)
{
	uint16_t *chain = chain_of(paths, path);
	unsigned walked = 0;

	for (uint16_t at = *chain; at; at = paths->nodes[at].next) {
		if (flow_path_equal(&paths->nodes[at].path, path))
			return at;
		if (++walked == WALK_MAX)
			return FLOW_PATH_OWN;
	}
	return add(paths, path, chain);
}

uint16_t flow_paths_take(struct flow_paths *paths, const struct flow_path *path)
{
	if (!flow_paths_is_last(paths, path)) {
		uint16_t number = find(paths, path);

		if (number == FLOW_PATH_OWN)
			return number;
		paths->last = number;
	}
	return flow_paths_take_last(paths);
}

static void free_node(struct flow_paths *paths, uint16_t number)
{
	struct flow_path_node *node = &paths->nodes[number];
	uint16_t *link = chain_of(paths, &node->path);

	while (*link != number)
		link = &paths->nodes[*link].next;
	*link = node->next;
	node->next = paths->first_free;
	paths->first_free = number;
	if (paths->last == number)
		paths->last = FLOW_PATH_NONE;
}

void flow_paths_drop(struct flow_paths *paths, uint16_t number)
{
	if (number == FLOW_PATH_NONE || number == FLOW_PATH_OWN)
		return;
	if (--paths->nodes[number].flows == 0)
		free_node(paths, number);
}

void flow_paths_clear(struct flow_paths *paths)
{
	memset(paths->chains, 0, CHAINS * sizeof(*paths->chains));
	paths->first_free = paths->touched = paths->last = 0;
}

/* -- going on with kept nodes ------------------------------------------------------------ */

void flow_paths_recount(struct flow_paths *paths, uint16_t touched)
{
	flow_paths_clear(paths);
	paths->touched = touched;
	for (uint32_t number = 1; number <= touched; number++)
		paths->nodes[number].flows = 0;
}

void flow_paths_count(struct flow_paths *paths, uint16_t number)
{
	if (number != FLOW_PATH_NONE && number != FLOW_PATH_OWN)
		paths->nodes[number].flows++;
}

void flow_paths_recounted(struct flow_paths *paths)
{
	for (uint32_t number = 1; number <= paths->touched; number++) {
		struct flow_path_node *node = &paths->nodes[number];
		uint16_t *link =
			node->flows ? chain_of(paths, &node->path) : &paths->first_free;

		node->next = *link;
		*link = (uint16_t)number;
	}
}
