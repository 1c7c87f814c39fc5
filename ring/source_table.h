/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The sources by name, best live one first. The build fills in which of them exist. And what a
 * source is to the room itself: replay_share.c puts others in front of one.
 */
#ifndef RING_SOURCE_TABLE_H
#define RING_SOURCE_TABLE_H

#include "ring/source.h"

struct source_kind {
	const char *name;
	const struct source_ops *ops; /* NULL: left out of this build */
	bool is_live;
};

struct source {
	const struct source_kind *kind;
	void *state;
	int link_type;
};

extern const struct source_kind source_table[];
extern const size_t source_table_count;

#endif
