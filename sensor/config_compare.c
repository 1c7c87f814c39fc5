/* SPDX-License-Identifier: BSD-2-Clause */
/* Two configurations are compared option by option, as text: what --dump-config would print. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/config_row.h"

static void add_name(char *names, size_t size, const char *name)
{
	size_t length = strlen(names);

	snprintf(names + length, size - length, "%s%s", length > 0 ? ", " : "", name);
}

static char *text_of(const struct config *config, const struct option_row *row)
{
	char *text = NULL;
	size_t length;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	row->dump(config, row, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

/* 0: the same, 1: not, or -ENOMEM. */
static int compare_row(
	const struct config *before, const struct config *after, const struct option_row *row)
{
	char *was = text_of(before, row), *is = text_of(after, row);
	int outcome = was && is ? strcmp(was, is) != 0 : -ENOMEM;

	free(was);
	free(is);
	return outcome;
}

int config_compare(const struct config *before, const struct config *after,
	struct config_changes *ret_changes)
{
	struct config_changes changes = { 0 };

	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		int outcome = row->dump ? compare_row(before, after, row) : 0;

		if (outcome < 0)
			return outcome;
		if (outcome == 0)
			continue;
		add_name(changes.names, sizeof(changes.names), row->name);
		if (row->reload == RELOAD_RESTART)
			add_name(changes.restart, sizeof(changes.restart), row->name);
		changes.starts_sessions |= row->reload == RELOAD_SESSION;
	}
	*ret_changes = changes;
	return 0;
}
