/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How it is going: status, drops, collectors, metrics; and what concerns the process: the level
 * of the log, the configuration.
 */
#include <stdlib.h>
#include <string.h>

#include "sensor/config_destination.h"
#include "sensor/control_answer.h"
#include "sensor/control_make.h"
#include "sensor/metrics.h"
#include "sensor/varlink.h"

/* -- status --------------------------------------------------------------------------- */

static enum call_part status_json(struct call *call, json_t *reply)
{
	json_object_set_new(reply, "status", control_make_status(call->context));
	return CALL_LAST;
}

const struct control_answer answer_status = { .json = status_json };

/* -- drops ---------------------------------------------------------------------------- */

static enum call_part drops_json(struct call *call, json_t *reply)
{
	const struct sensor_stats *stats = &call->order.request.stats;
	bool wants_all = varlink_switch(call->parameters, "all");
	json_t *rows = json_array();
	uint64_t frames = 0;

	for (unsigned i = DROP_NONE + 1; i < DROP_REASON_COUNT; i++) {
		struct drop_view view = { &drop_reasons[i], stats->dropped[i] };

		frames += view.frames;
		if (wants_all || view.frames > 0)
			json_array_append_new(rows, control_make_drop(&view));
	}
	json_object_set_new(reply, "frames", json_integer((json_int_t)frames));
	json_object_set_new(reply, "drops", rows);
	return CALL_LAST;
}

const struct control_answer answer_drops = {
	.verb = LANE_STATS,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = drops_json,
};

/* -- collectors ----------------------------------------------------------------------- */

static void take_latest(uint64_t *sum, uint64_t one)
{
	if (one > *sum)
		*sum = one;
}

static void add_exporter(struct exporter_stats *sum, const struct exporter_stats *one)
{
#define COLLECTOR_COUNTER(name, member, title, sentence) sum->member += one->member;
#include "sensor/counter.def"
	take_latest(&sum->last_sent_ns, one->last_sent_ns);
	if (one->last_failed_ns >= sum->last_failed_ns)
		sum->last_error = one->last_error;
	take_latest(&sum->last_failed_ns, one->last_failed_ns);
}

/* Collector .place of each lane as one. */
static struct collector_view view_collector(const struct call *call, size_t place)
{
	const struct lane_desk *desk = call->context->desk;
	struct collector_view view = { .template_age_ns = UINT64_MAX };

	for (unsigned lane = 0; lane < desk->lane_count; lane++) {
		const struct exporter_stats *one =
			&call->exporters[lane * CONFIG_DESTINATIONS_MAX + place];
		uint64_t clock_ns = lane_desk_answer_of(desk, lane)->now_ns;
		uint64_t age_ns = clock_ns > one->last_templates_ns
					  ? clock_ns - one->last_templates_ns
					  : 0;

		add_exporter(&view.stats, one);
		if (one->last_templates_ns > 0 &&
			(view.template_age_ns == UINT64_MAX || age_ns > view.template_age_ns))
			view.template_age_ns = age_ns;
	}
	return view;
}

static enum call_part collectors_json(struct call *call, json_t *reply)
{
	const struct config *config = call->context->config;
	json_t *rows = json_array();

	for (size_t i = 0; i < config->destination_count; i++) {
		struct collector_view view = view_collector(call, i);
		char address[DESTINATION_TEXT_BYTES];

		view.address = destination_text(&config->destinations[i], address);
		json_array_append_new(rows, control_make_collector(&view));
	}
	json_object_set_new(reply, "collectors", rows);
	return CALL_LAST;
}

const struct control_answer answer_collectors = {
	.verb = LANE_STATS,
	.begin = call_make_exporters,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = collectors_json,
};

/* -- metrics -------------------------------------------------------------------------- */

static enum call_part metrics_text(struct call *call, FILE *out)
{
	const struct config *config = call->context->config;
	struct metrics_collector collectors[CONFIG_DESTINATIONS_MAX];
	char addresses[CONFIG_DESTINATIONS_MAX][DESTINATION_TEXT_BYTES];
	struct metrics metrics = {
		.interface = config->interface,
		.stats = &call->order.request.stats,
		.sight = call->context->sight,
		.collectors = collectors,
		.collector_count = config->destination_count,
	};

	for (size_t i = 0; i < config->destination_count; i++)
		collectors[i] = (struct metrics_collector){
			.address = destination_text(&config->destinations[i], addresses[i]),
			.stats = view_collector(call, i).stats,
		};
	metrics_write(&metrics, out);
	return CALL_LAST;
}

static enum call_part metrics_json(struct call *call, json_t *reply)
{
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	if (!out) {
		call_fail(call, CONTROL_ERROR_FAILED, "reason", "out of memory");
		return CALL_LAST;
	}
	metrics_text(call, out);
	fclose(out);
	json_object_set_new(reply, "text", varlink_string(text, length));
	free(text);
	return CALL_LAST;
}

const struct control_answer answer_metrics = {
	.verb = LANE_STATS,
	.begin = call_make_exporters,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = metrics_json,
	.text = metrics_text,
};

/* -- log-level ------------------------------------------------------------------------ */

static int level_begin(struct call *call)
{
	const char *word = varlink_text(call->parameters, "level", NULL);
	int level;

	if (!word)
		return 0;
	if (!call->may_change)
		return call_fail(call, VARLINK_SERVICE ".PermissionDenied", NULL, "%s", "");
	if (log_level_find(word, &level) < 0)
		return call_misfit(call, "level");
	log_set_level(call->context->log, level);
	return 0;
}

static enum call_part level_json(struct call *call, json_t *reply)
{
	json_object_set_new(
		reply, "level", json_string(log_level_word(call->context->log->level)));
	return CALL_LAST;
}

const struct control_answer answer_log_level = { .begin = level_begin, .json = level_json };

/* -- reload --------------------------------------------------------------------------- */

static void reload_answered(struct reload_order *order)
{
	struct call *call = order->user;

	call->ready(call);
}

static void reload_ask(struct call *call)
{
	call->reload.answered = reload_answered;
	call->reload.user = call;
	reload_place(call->context->reload, &call->reload);
}

static bool reload_give_up(struct call *call)
{
	reload_withdraw(call->context->reload, &call->reload);
	return true;
}

static enum call_part reload_json(struct call *call, json_t *reply)
{
	if (call->reload.outcome < 0)
		call_fail(call, CONTROL_ERROR_FAILED, "reason", "%s", call->reload.sentence);
	else
		json_object_set_new(reply, "sentence", json_string(call->reload.sentence));
	return CALL_LAST;
}

const struct control_answer answer_reload = {
	.ask = reload_ask,
	.withdraw = reload_give_up,
	.json = reload_json,
};
