/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Chooses a source from the table and forwards to it. Nothing here knows what a source does.
 */
#include "ring/source.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ring/replay_share.h"
#include "ring/source_table.h"

static const struct source_kind *kind_named(const char *name)
{
	for (size_t i = 0; i < source_table_count; i++)
		if (strcmp(source_table[i].name, name) == 0)
			return &source_table[i];
	return NULL;
}

static int check(const struct source_kind *kind, const struct source_config *config,
	char error[static SOURCE_ERROR_BYTES])
{
	if (!kind->ops) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: this source is not part of this build",
			kind->name);
		return -ENOTSUP;
	}
	if (kind->is_live && (!config->interface || !*config->interface)) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: no interface is given", kind->name);
		return -EINVAL;
	}
	if (config->handed && !kind->ops->keep) {
		snprintf(error, SOURCE_ERROR_BYTES,
			"%s: this source cannot go on with what was handed in", kind->name);
		return -ENOTSUP;
	}
	if (!kind->is_live && config->file_count == 0) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: no capture file is given", kind->name);
		return -EINVAL;
	}
	return 0;
}

/* What an implementation opened, before it becomes sources. */
struct opened {
	const struct source_kind *kind;
	void **states; /* room for .lanes */
	unsigned lanes, count;
	int link_type;
};

static int open_kind(struct opened *opened, const struct source_kind *kind,
	const struct source_config *config, char error[static SOURCE_ERROR_BYTES])
{
	int outcome = check(kind, config, error);
	if (outcome)
		return outcome;
	if (opened->lanes > 1 && kind->ops->open_lanes)
		outcome = kind->ops->open_lanes(
			config, opened->lanes, opened->states, &opened->link_type, error);
	else
		outcome = kind->ops->open(config, opened->states, &opened->link_type, error);
	if (outcome < 0)
		return outcome;
	opened->kind = kind;
	opened->count = outcome > 0 ? (unsigned)outcome : 1;
	return 0;
}

static int open_best(struct opened *opened, const struct source_config *config,
	char error[static SOURCE_ERROR_BYTES])
{
	bool is_live = config->file_count == 0;
	int outcome = -ENOTSUP;

	snprintf(error, SOURCE_ERROR_BYTES, "no source of this kind is part of this build");
	for (size_t i = 0; i < source_table_count; i++) {
		const struct source_kind *kind = &source_table[i];
		if (kind->is_live != is_live || !kind->ops)
			continue;
		outcome = open_kind(opened, kind, config, error);
		if (outcome != -EPROTONOSUPPORT)
			break;
	}
	return outcome;
}

static int open_named(struct opened *opened, const struct source_config *config,
	char error[static SOURCE_ERROR_BYTES])
{
	const struct source_kind *kind = kind_named(config->kind);

	if (!kind) {
		snprintf(error, SOURCE_ERROR_BYTES, "%s: no such kind of source", config->kind);
		return -EINVAL;
	}
	return open_kind(opened, kind, config, error);
}

/* Wrap the states, which are closed when there is no memory for that. */
static int make_sources(const struct opened *opened, struct source **ret_sources,
	char error[static SOURCE_ERROR_BYTES])
{
	unsigned made = 0;

	for (; made < opened->count; made++) {
		ret_sources[made] = calloc(1, sizeof(*ret_sources[made]));
		if (!ret_sources[made])
			break;
		*ret_sources[made] = (struct source){
			.kind = opened->kind,
			.state = opened->states[made],
			.link_type = opened->link_type,
		};
	}
	if (made == opened->count)
		return (int)made;
	for (unsigned i = made; i < opened->count; i++)
		opened->kind->ops->close(opened->states[i]);
	while (made > 0)
		source_close(ret_sources[--made]);
	snprintf(error, SOURCE_ERROR_BYTES, "out of memory");
	return -ENOMEM;
}

/* Of capture files: one that reads, and as many takers as there are lanes. */
static int share(struct source **sources, unsigned lanes, char error[static SOURCE_ERROR_BYTES])
{
	int outcome = replay_share_open(sources[0], lanes, sources);

	if (!outcome)
		return (int)lanes;
	snprintf(error, SOURCE_ERROR_BYTES, "sharing packets out: %s", strerror(-outcome));
	return outcome;
}

int source_open_lanes(const struct source_config *config, unsigned lanes,
	struct source **ret_sources, char error[static SOURCE_ERROR_BYTES])
{
	struct opened opened = { .lanes = lanes, .states = calloc(lanes, sizeof(void *)) };

	error[0] = '\0';
	if (!opened.states) {
		snprintf(error, SOURCE_ERROR_BYTES, "out of memory");
		return -ENOMEM;
	}
	int outcome = config->kind ? open_named(&opened, config, error)
				   : open_best(&opened, config, error);
	if (!outcome)
		outcome = make_sources(&opened, ret_sources, error);
	free(opened.states);
	if (outcome == 1 && lanes > 1 && opened.kind->ops->replay)
		return share(ret_sources, lanes, error);
	return outcome;
}

int source_open(const struct source_config *config, struct source **ret_source,
	char error[static SOURCE_ERROR_BYTES])
{
	int outcome = source_open_lanes(config, 1, ret_source, error);

	return outcome < 0 ? outcome : 0;
}

int source_link_type(const struct source *source)
{
	return source->link_type;
}

const char *source_name(const struct source *source)
{
	return source->kind->name;
}

uint32_t source_if_index(const struct source *source)
{
	return source->kind->ops->if_index ? source->kind->ops->if_index(source->state) : 0;
}

bool source_is_live(const struct source *source)
{
	return source->kind->is_live;
}

int source_fd(const struct source *source)
{
	return source->kind->ops->fd ? source->kind->ops->fd(source->state) : -1;
}

int source_next(struct source *source, struct packet_batch *batch)
{
	batch->count = 0;
	batch->is_end = false;
	return source->kind->ops->next(source->state, batch);
}

void source_release(struct source *source, struct packet_batch *batch)
{
	source->kind->ops->release(source->state, batch);
	batch->count = 0;
}

void source_leave(struct source *source)
{
	if (source->kind->ops->leave)
		source->kind->ops->leave(source->state);
}

void source_stats(struct source *source, struct ring_stats *ret_stats)
{
	*ret_stats = (struct ring_stats){ 0 };
	source->kind->ops->stats(source->state, ret_stats);
}

bool source_keep(struct source *source, struct source_handed *ret_handed)
{
	if (!source->kind->ops->keep)
		return false;
	source->kind->ops->keep(source->state, ret_handed);
	return true;
}

void source_place(struct source *source, struct source_place *ret_place)
{
	source->kind->ops->place(source->state, ret_place);
}

bool source_can_change_filter(const struct source *source)
{
	return source->kind->ops->compile != NULL;
}

int source_compile_filter(struct source *source, const char *expression,
	struct source_filter **ret_filter, char error[static SOURCE_ERROR_BYTES])
{
	return source->kind->ops->compile(source->state, expression, ret_filter, error);
}

void source_filter_free(struct source_filter *filter)
{
	free(filter);
}

int source_set_filter(struct source *source, const struct source_filter *filter)
{
	return source->kind->ops->set_filter(source->state, filter);
}

const char *source_error(const struct source *source)
{
	return source->kind->ops->error(source->state);
}

void source_close(struct source *source)
{
	if (!source)
		return;
	source->kind->ops->close(source->state);
	free(source);
}
