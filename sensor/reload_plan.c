/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/reload_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int fail(int rc, char error[static CONFIG_ERROR_BYTES])
{
	snprintf(error, CONFIG_ERROR_BYTES, "%s", strerror(-rc));
	return rc;
}

/* -- what may change ------------------------------------------------------------------ */

static bool is_same_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool has_other_filter(const struct reload_base *base, const struct config *config)
{
	return !is_same_text(base->config->filter, config->filter);
}

static struct source *source_of(const struct reload_base *base)
{
	return lane_source(base->lanes->lanes[0]);
}

static bool is_same_place(
	const struct config_destination *a, const struct config_destination *b)
{
	return a->transport == b->transport && is_same_text(a->host, b->host) &&
	       is_same_text(a->port, b->port) && is_same_text(a->path, b->path);
}

/* Two cannot write one file, not even for the moment in which one follows the other. */
static bool would_share_file(const struct reload_base *base, const struct reload_plan *plan)
{
	const struct config *before = base->config, *after = &plan->config;

	for (size_t i = 0; i < after->destination_count; i++)
		for (size_t j = 0; j < before->destination_count; j++)
			if (after->destinations[i].transport == CONFIG_TRANSPORT_FILE &&
				is_same_place(
					&after->destinations[i], &before->destinations[j]))
				return plan->changes.starts_sessions;
	return false;
}

/* What the table of options cannot say of a value by itself. */
static int check_together(const struct reload_base *base, const struct reload_plan *plan,
	char error[static CONFIG_ERROR_BYTES])
{
	const struct config *config = &plan->config;

	if (would_share_file(base, plan)) {
		snprintf(error, CONFIG_ERROR_BYTES,
			"%.400s: takes a restart while a file is written", plan->changes.names);
		return -EBUSY;
	}
	if (config->print != PRINT_NONE &&
		config->sampling_interval != base->config->sampling_interval) {
		snprintf(error, CONFIG_ERROR_BYTES,
			"sampling: takes a restart while flows are printed");
		return -EBUSY;
	}
	if (has_other_filter(base, config) && !source_can_change_filter(source_of(base))) {
		snprintf(error, CONFIG_ERROR_BYTES, "filter: takes a restart with --source %s",
			source_name(source_of(base)));
		return -EBUSY;
	}
	return 0;
}

/* What is kept for the next process of a connection, it could not go on with. */
static int check_kept(const struct reload_base *base, const struct config *config,
	char error[static CONFIG_ERROR_BYTES])
{
	for (size_t i = 0; base->lanes->is_kept && i < config->destination_count; i++) {
		if (config->destinations[i].transport == CONFIG_TRANSPORT_UDP)
			continue;
		snprintf(error, CONFIG_ERROR_BYTES,
			"collector: to send to %.200s other than over UDP takes a restart",
			config->destinations[i].host ? config->destinations[i].host
						     : config->destinations[i].path);
		return -EBUSY;
	}
	return 0;
}

static int check_changes(const struct reload_base *base, struct reload_plan *plan,
	char error[static CONFIG_ERROR_BYTES])
{
	int rc = config_compare(base->config, &plan->config, &plan->changes);

	if (rc < 0)
		return fail(rc, error);
	if (plan->changes.restart[0] == '\0') {
		rc = check_together(base, plan, error);
		return rc < 0 ? rc : check_kept(base, &plan->config, error);
	}
	snprintf(error, CONFIG_ERROR_BYTES, "%.400s: to change takes a restart",
		plan->changes.restart);
	return -EBUSY;
}

/* -- the filter ----------------------------------------------------------------------- */

static int make_filter(const struct reload_base *base, struct reload_plan *plan,
	char error[static CONFIG_ERROR_BYTES])
{
	const struct config *config = &plan->config;
	char reason[SOURCE_ERROR_BYTES], place[CONFIG_ERROR_BYTES];

	if (!has_other_filter(base, config))
		return 0;
	int rc = source_compile_filter(source_of(base), config->filter, &plan->filter, reason);
	if (rc == 0)
		rc = source_compile_filter(
			source_of(base), base->config->filter, &plan->back, reason);
	if (rc < 0)
		snprintf(error, CONFIG_ERROR_BYTES, "%s%.300s",
			config_place_text(config, config->filter_place, place, sizeof(place)),
			reason);
	return rc;
}

/* -- collectors ----------------------------------------------------------------------- */

/* Who is kept has the same name and port; of several such, each is kept once. */
static void find_places(const struct config *before, const struct reload_plan *plan,
	struct collectors_change *change)
{
	const struct config *after = &plan->config;
	bool is_used[CONFIG_DESTINATIONS_MAX] = { false };

	change->count = after->destination_count;
	for (size_t i = 0; i < change->count; i++) {
		const struct config_destination *wanted = &after->destinations[i];
		size_t kept = plan->changes.starts_sessions ? before->destination_count : 0;

		while (kept < before->destination_count &&
			(is_used[kept] || !is_same_place(&before->destinations[kept], wanted)))
			kept++;
		change->places[i].kept = kept; /* beyond the last one: nobody */
		if (kept < before->destination_count)
			is_used[kept] = true;
	}
}

static int add_collector(const struct reload_base *base, struct reload_plan *plan,
	unsigned number, size_t place, char error[static CONFIG_ERROR_BYTES])
{
	struct lane_change *lane = &plan->lanes[number];
	struct own_export *own = &base->lanes->own;
	struct transport *transport;
	struct exporter *exporter;
	int rc = lanes_open_collector(
		base->lanes, &plan->config, number, place, -1, &transport, error);

	if (rc < 0)
		return rc;
	uint8_t *kept = lane_kept_bytes(base->lanes->lanes[number], place);
	if (kept)
		rc = exporter_new_kept(
			&lane->collectors.config, transport, kept, NULL, &exporter);
	else
		rc = exporter_new(&lane->collectors.config, transport, &exporter);
	if (rc < 0) {
		snprintf(error, CONFIG_ERROR_BYTES, "%s: %s", transport->name, strerror(-rc));
		own_export_forget(own, &transport->endpoints);
		transport_close(transport);
		return rc;
	}
	lane->collectors.places[place].added = exporter;
	return 0;
}

static int fill_lane(const struct reload_base *base, struct reload_plan *plan, unsigned number,
	char error[static CONFIG_ERROR_BYTES])
{
	struct lane_change *lane = &plan->lanes[number];
	struct collectors_change *collectors = &lane->collectors;
	int rc = 0;

	lane_change_fill(base->lanes->lanes[number], &plan->config, lane);
	lane->filter = plan->filter;
	find_places(base->config, plan, collectors);
	for (size_t i = 0; rc == 0 && i < collectors->count; i++)
		if (collectors->places[i].kept == base->config->destination_count)
			rc = add_collector(base, plan, number, i, error);
	return rc;
}

static int fill_lanes(const struct reload_base *base, struct reload_plan *plan,
	char error[static CONFIG_ERROR_BYTES])
{
	plan->lanes = calloc(base->lanes->count, sizeof(*plan->lanes));
	if (!plan->lanes)
		return fail(-ENOMEM, error);
	plan->lane_count = base->lanes->count;
	plan->own = &base->lanes->own;
	int rc = 0;
	for (unsigned i = 0; rc == 0 && i < plan->lane_count; i++)
		rc = fill_lane(base, plan, i, error);
	return rc;
}

/* -- the plan ------------------------------------------------------------------------- */

static int make(const struct reload_base *base, struct reload_plan *plan,
	char error[static CONFIG_ERROR_BYTES])
{
	int rc = config_parse(&plan->config, base->input, stdout, error);

	if (rc == 0)
		rc = check_changes(base, plan, error);
	if (rc < 0 || plan->changes.names[0] == '\0')
		return rc;
	rc = make_filter(base, plan, error);
	return rc < 0 ? rc : fill_lanes(base, plan, error);
}

int reload_plan_make(const struct reload_base *base, struct reload_plan *ret_plan,
	char error[static CONFIG_ERROR_BYTES])
{
	struct reload_plan plan = { .lane_count = 0 };

	if (base->config->file_count > 0) {
		snprintf(error, CONFIG_ERROR_BYTES,
			"capture files are metered with one configuration");
		return -EBUSY;
	}
	int rc = make(base, &plan, error);
	if (rc < 0)
		reload_plan_free(&plan);
	else
		*ret_plan = plan;
	return rc;
}

/* Nothing was sent from it. */
static void free_added(struct own_export *own, struct exporter *exporter)
{
	if (exporter)
		own_export_forget(own, &exporter_transport(exporter)->endpoints);
	exporter_free(exporter);
}

static void free_lane(struct own_export *own, struct lane_change *lane)
{
	struct collectors_change *collectors = &lane->collectors;

	for (size_t i = 0; i < collectors->count && !lane->is_taken; i++)
		free_added(own, collectors->places[i].added);
	for (size_t i = 0; i < collectors->removed_count; i++)
		exporter_free(collectors->removed[i]);
}

void reload_plan_free(struct reload_plan *plan)
{
	for (unsigned i = 0; i < plan->lane_count; i++)
		free_lane(plan->own, &plan->lanes[i]);
	free(plan->lanes);
	source_filter_free(plan->filter);
	source_filter_free(plan->back);
	config_clear(&plan->config);
	*plan = (struct reload_plan){ .lane_count = 0 };
}
