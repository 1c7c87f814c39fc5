/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softflowctl's twelve words. Their texts are softflowd's to the letter; what programs get
 * instead is the JSON beside them.
 */
#include <inttypes.h>
#include <unistd.h>

#include "sensor/control_answer.h"
#include "sensor/control_make.h"

static void write_prefix(const struct call *call, FILE *out)
{
	fprintf(out, "%s[%ld]: ", call->context->config->program, (long)getpid());
}

static enum call_part say(const struct call *call, FILE *out, const char *sentence)
{
	write_prefix(call, out);
	fprintf(out, "%s\n", sentence);
	return CALL_LAST;
}

static enum call_part nothing_to_say(struct call *call, json_t *reply)
{
	return CALL_LAST;
}

static enum call_part words_alone(struct call *call, json_t *reply)
{
	call_fail(call, CONTROL_ERROR_FAILED, "reason", "this word has no JSON, see Run");
	return CALL_LAST;
}

/* -- help ----------------------------------------------------------------------------- */

static enum call_part help_text(struct call *call, FILE *out)
{
	if (call->context->config->personality == PERSONALITY_RINGFLOW) {
		fputs("Valid control words are:\n", out);
		control_write_help(out);
		return CALL_LAST;
	}
	fputs("Valid control words are:\n"
	      "\tdebug+ debug- delete-all dump-flows exit expire-all\n"
	      "\tshutdown start-gather statistics stop-gather timeouts\n"
	      "\tsend-template\n",
		out);
	return CALL_LAST;
}

const struct control_answer answer_help = { .json = words_alone, .text = help_text };

/* -- flows closed or forgotten -------------------------------------------------------- */

static enum call_part count_json(struct call *call, json_t *reply)
{
	json_object_set_new(
		reply, "flows", json_integer((json_int_t)call->order.request.count));
	return CALL_LAST;
}

static enum call_part expired_text(struct call *call, FILE *out)
{
	write_prefix(call, out);
	fprintf(out, "Expired %" PRIu64 " flows.\n", call->order.request.count);
	return CALL_LAST;
}

static enum call_part deleted_text(struct call *call, FILE *out)
{
	write_prefix(call, out);
	fprintf(out, "Deleted %" PRIu64 " flows.\n", call->order.request.count);
	return CALL_LAST;
}

const struct control_answer answer_expire_all = {
	.verb = LANE_EXPIRE_ALL,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = count_json,
	.text = expired_text,
};

const struct control_answer answer_delete_all = {
	.verb = LANE_DELETE_ALL,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = count_json,
	.text = deleted_text,
};

/* -- dump-flows ----------------------------------------------------------------------- */

static enum call_part dump_text(struct call *call, FILE *out)
{
	const struct lane_request *request = &call->order.request;

	if (!call->has_begun) {
		write_prefix(call, out);
		fputs("Dumping flow data:\n", out);
	}
	for (uint64_t i = 0; i < request->count; i++)
		stats_text_write_flow(&call->flows[i], request->now_ns, out);
	return request->count > 0 ? CALL_AGAIN : CALL_LAST;
}

const struct control_answer answer_dump_flows = {
	.verb = LANE_SNAPSHOT,
	.is_long = true,
	.begin = call_make_flows,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = words_alone,
	.text = dump_text,
};

/* -- what lanes only obey ------------------------------------------------------------- */

static enum call_part template_text(struct call *call, FILE *out)
{
	return say(call, out, "Template will be sent at next flow export");
}

static enum call_part stopped_text(struct call *call, FILE *out)
{
	return say(call, out, "Data collection stopped.");
}

static enum call_part resumed_text(struct call *call, FILE *out)
{
	return say(call, out, "Data collection resumed.");
}

const struct control_answer answer_send_template = {
	.verb = LANE_SEND_TEMPLATES,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = nothing_to_say,
	.text = template_text,
};

const struct control_answer answer_stop_gather = {
	.verb = LANE_PAUSE,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = nothing_to_say,
	.text = stopped_text,
};

const struct control_answer answer_start_gather = {
	.verb = LANE_RESUME,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = nothing_to_say,
	.text = resumed_text,
};

/* -- the process ---------------------------------------------------------------------- */

static enum call_part more_text(struct call *call, FILE *out)
{
	log_set_level(call->context->log, LOG_DEBUG);
	return say(call, out, "Debug level increased.");
}

static enum call_part less_text(struct call *call, FILE *out)
{
	log_set_level(call->context->log, LOG_INFO);
	return say(call, out, "Debug level decreased.");
}

const struct control_answer answer_debug_more = { .json = words_alone, .text = more_text };
const struct control_answer answer_debug_less = { .json = words_alone, .text = less_text };

static enum call_part shutdown_text(struct call *call, FILE *out)
{
	call->context->shut_down(call->context->user);
	return say(call, out, "Shutting down gracefully...");
}

static enum call_part exit_text(struct call *call, FILE *out)
{
	call->context->shut_down(call->context->user);
	return say(call, out, "Exiting now...");
}

static enum call_part shutdown_json(struct call *call, json_t *reply)
{
	call->context->shut_down(call->context->user);
	return CALL_LAST;
}

const struct control_answer answer_shutdown = { .json = shutdown_json, .text = shutdown_text };
const struct control_answer answer_exit = { .json = words_alone, .text = exit_text };

/* -- timeouts ------------------------------------------------------------------------- */

static enum call_part timeouts_text(struct call *call, FILE *out)
{
	write_prefix(call, out);
	fputs("Printing timeouts:\n", out);
	stats_text_write_timeouts(&call->context->config->timeouts, out);
	return CALL_LAST;
}

static enum call_part timeouts_json(struct call *call, json_t *reply)
{
	const char *timeouts = (const char *)&call->context->config->timeouts;
	json_t *rows = json_array();

	for (size_t i = 0; i < timeout_row_count; i++) {
		uint64_t timeout_ns =
			*(const uint64_t *)(const void *)(timeouts + timeout_rows[i].offset);
		struct timeout_view view = { &timeout_rows[i], timeout_ns / 1000000000U };

		json_array_append_new(rows, control_make_timeout(&view));
	}
	json_object_set_new(reply, "timeouts", rows);
	return CALL_LAST;
}

const struct control_answer answer_timeouts = { .json = timeouts_json, .text = timeouts_text };

/* -- statistics ----------------------------------------------------------------------- */

static enum call_part statistics_text(struct call *call, FILE *out)
{
	const struct sensor_stats *stats = &call->order.request.stats;

	write_prefix(call, out);
	stats_text_write_since(stats, out);
	stats_text_write(stats, out);
	if (call->context->config->personality == PERSONALITY_RINGFLOW)
		stats_text_write_drops(stats, out);
	stats_text_write_notes(stats, out);
	return CALL_LAST;
}

static json_t *make_ends(const struct flow_cache_stats *cache)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < END_REASON_COUNT; i++) {
		struct end_view view = { end_reasons[i].name, cache->expired_by_reason[i] };

		json_array_append_new(rows, control_make_end(&view));
	}
	return rows;
}

static json_t *make_protocols(const struct flow_cache_stats *cache)
{
	json_t *rows = json_array();

	for (unsigned i = 0; i < 256; i++) {
		struct protocol_view view = { i, &cache->by_protocol[i] };

		if (view.stats->flows > 0)
			json_array_append_new(rows, control_make_protocol(&view));
	}
	return rows;
}

static enum call_part statistics_json(struct call *call, json_t *reply)
{
	const struct sensor_stats *stats = &call->order.request.stats;

	json_object_set_new(reply, "counters", control_make_counters(stats));
	json_object_set_new(reply, "ends", make_ends(&stats->cache));
	json_object_set_new(reply, "protocols", make_protocols(&stats->cache));
	return CALL_LAST;
}

const struct control_answer answer_statistics = {
	.verb = LANE_STATS,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = statistics_json,
	.text = statistics_text,
};

/* -- Run ------------------------------------------------------------------------------ */

/* The client puts the word's own answer in place of this one (control_client.c). */
const struct control_answer answer_run = { .is_long = true, .json = words_alone };
