/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flows and top: every part asks one lane for the next few flows and looks at these alone.
 * Without a sort those that match go to the client as they come. With one, and for top, the
 * parts are quiet until the last lane has no more; what is kept meanwhile has a bound, and so
 * has the number of those who make us keep it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/control_answer.h"
#include "sensor/control_make.h"
#include "sensor/flow_filter.h"
#include "sensor/flow_pick.h"
#include "sensor/varlink.h"

#define FLOWS_LIMIT 100 /* unless a limit is given */
#define SORTED_MAX 4096 /* flows that are kept sorted */
#define SINGLE_MAX 1024 /* flows of a reply that has to be the only one */
#define TOP_LIMIT 10    /* unless a limit is given */
#define TOP_MAX 4096    /* groups of a reply */
#define UNSORTED FLOW_ORDER_COUNT

/* What flows and top have in common. */
struct survey {
	struct flow_filter *filter; /* NULL: all */
	uint64_t seen, matched;
	bool is_over; /* the lanes have no more */
};

struct flows_state {
	struct survey survey;
	size_t limit, sent; /* limit 0: all */
	unsigned order;     /* enum flow_order, or UNSORTED */
	struct flow_pick *pick;
	json_t *single; /* collects for the only reply */
};

struct top_state {
	struct survey survey;
	size_t limit;
	unsigned by, order;
	uint64_t packets, octets;
	struct flow_groups *groups;
};

/* -- parameters ----------------------------------------------------------------------- */

static int read_filter(struct call *call, struct survey *survey)
{
	const char *expression = varlink_text(call->parameters, "filter", "");
	char error[FLOW_FILTER_ERROR_BYTES];

	if (expression[strspn(expression, " \t\n")] == '\0')
		return 0;
	if (flow_filter_new(expression, &survey->filter, error) == 0)
		return 0;
	return call_fail(call, CONTROL_ERROR_FAILED, "reason", "filter: %s", error);
}

/* Which of the names is given; .otherwise when none is. */
static int read_name(struct call *call, const char *parameter, const char *const *names,
	unsigned count, unsigned otherwise, unsigned *ret_place)
{
	const char *name = varlink_text(call->parameters, parameter, NULL);

	*ret_place = otherwise;
	if (!name)
		return 0;
	for (unsigned i = 0; i < count; i++)
		if (strcmp(names[i], name) == 0) {
			*ret_place = i;
			return 0;
		}
	return call_misfit(call, parameter);
}

static int read_limit(struct call *call, json_int_t otherwise, json_int_t least,
	json_int_t most, size_t *ret_limit)
{
	json_int_t limit = varlink_int(call->parameters, "limit", otherwise);

	if (limit < least || limit > most)
		return call_misfit(call, "limit");
	*ret_limit = (size_t)limit;
	return 0;
}

/* Make the answer's state and the room for the parts. */
static void *make_state(struct call *call, size_t bytes, void (*free_state)(void *state))
{
	if (call_make_flows(call) < 0)
		return NULL;
	call->state = calloc(1, bytes);
	call->free_state = free_state;
	if (!call->state)
		call_fail(call, CONTROL_ERROR_FAILED, "reason", "out of memory");
	return call->state;
}

static int fail_memory(struct call *call)
{
	return call_fail(call, CONTROL_ERROR_FAILED, "reason", "out of memory");
}

/* -- surveys -------------------------------------------------------------------------- */

static bool survey_takes(struct survey *survey, const struct flow_record *record)
{
	survey->seen++;
	if (survey->filter && !flow_filter_matches(survey->filter, record))
		return false;
	survey->matched++;
	return true;
}

static void survey_write(const struct survey *survey, json_t *reply)
{
	json_object_set_new(reply, "seen", json_integer((json_int_t)survey->seen));
	json_object_set_new(reply, "matched", json_integer((json_int_t)survey->matched));
}

/* -- flows ---------------------------------------------------------------------------- */

static void free_flows(void *user)
{
	struct flows_state *state = user;

	flow_filter_free(state->survey.filter);
	flow_pick_free(state->pick);
	json_decref(state->single);
	free(state);
}

static int flows_begin_sorted(struct call *call, struct flows_state *state)
{
	if (state->limit == 0 || state->limit > SORTED_MAX)
		return call_fail(call, CONTROL_ERROR_FAILED, "reason",
			"with a sort the limit is 1 to %d", SORTED_MAX);
	int rc = call_take_large(call);
	if (rc < 0)
		return rc;
	state->pick = flow_pick_new((enum flow_order)state->order, state->limit);
	return state->pick ? 0 : fail_memory(call);
}

static int flows_begin(struct call *call)
{
	struct flows_state *state = make_state(call, sizeof(*state), free_flows);

	if (!state)
		return -ENOMEM;
	int rc = read_limit(call, FLOWS_LIMIT, 0, INT32_MAX, &state->limit);
	if (rc == 0)
		rc = read_name(call, "sort", flow_order_names, FLOW_ORDER_COUNT, UNSORTED,
			&state->order);
	if (rc == 0)
		rc = read_filter(call, &state->survey);
	if (rc == 0 && !call->wants_more && (state->limit == 0 || state->limit > SINGLE_MAX))
		return call_fail(call, VARLINK_SERVICE ".ExpectedMore", NULL, "%s", "");
	if (rc == 0 && state->order != UNSORTED)
		rc = flows_begin_sorted(call, state);
	if (rc == 0 && !call->wants_more)
		state->single = json_array();
	return rc;
}

static void flows_write(const struct flows_state *state, json_t *flows, json_t *reply)
{
	json_object_set_new(reply, "flows", flows);
	survey_write(&state->survey, reply);
}

/* The next flows of those that were kept. */
static enum call_part flows_drain(struct call *call, struct flows_state *state, json_t *reply)
{
	const struct flow_pick *pick = state->pick;
	size_t most = call->wants_more ? CALL_FLOWS : pick->count;
	json_t *flows = json_array();

	for (size_t i = 0; i < most && state->sent < pick->count; i++, state->sent++)
		json_array_append_new(flows, control_make_flow(&pick->flows[state->sent]));
	flows_write(state, flows, reply);
	return state->sent < pick->count ? CALL_DRAIN : CALL_LAST;
}

static enum call_part flows_sorted(struct call *call, struct flows_state *state, json_t *reply)
{
	const struct lane_request *answer = &call->order.request;

	if (state->survey.is_over)
		return flows_drain(call, state, reply);
	for (uint64_t i = 0; i < answer->count; i++)
		if (survey_takes(&state->survey, &call->flows[i].record))
			flow_pick_add(state->pick, &call->flows[i]);
	if (answer->count > 0)
		return CALL_QUIET;
	state->survey.is_over = true;
	flow_pick_finish(state->pick);
	return flows_drain(call, state, reply);
}

static bool flows_is_full(const struct flows_state *state)
{
	return state->limit > 0 && state->sent == state->limit;
}

static enum call_part flows_unsorted(
	struct call *call, struct flows_state *state, json_t *reply)
{
	const struct lane_request *answer = &call->order.request;
	json_t *flows = state->single ? json_incref(state->single) : json_array();
	uint64_t i = 0;

	for (; i < answer->count && !flows_is_full(state); i++)
		if (survey_takes(&state->survey, &call->flows[i].record)) {
			json_array_append_new(flows, control_make_flow(&call->flows[i]));
			state->sent++;
		}
	bool is_last = answer->count == 0 || flows_is_full(state);
	bool is_empty = json_array_size(flows) == 0;
	if (!is_last && (state->single || is_empty)) {
		json_decref(flows);
		return CALL_QUIET;
	}
	flows_write(state, flows, reply);
	return is_last ? CALL_LAST : CALL_AGAIN;
}

static enum call_part flows_json(struct call *call, json_t *reply)
{
	struct flows_state *state = call->state;

	return state->pick ? flows_sorted(call, state, reply)
			   : flows_unsorted(call, state, reply);
}

const struct control_answer answer_flows = {
	.verb = LANE_SNAPSHOT,
	.is_long = true,
	.begin = flows_begin,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = flows_json,
};

/* -- top ------------------------------------------------------------------------------ */

static void free_top(void *user)
{
	struct top_state *state = user;

	flow_filter_free(state->survey.filter);
	flow_groups_free(state->groups);
	free(state);
}

static int top_begin(struct call *call)
{
	struct top_state *state = make_state(call, sizeof(*state), free_top);

	if (!state)
		return -ENOMEM;
	int rc = read_limit(call, TOP_LIMIT, 1, TOP_MAX, &state->limit);
	if (rc == 0)
		rc = read_name(call, "by", flow_group_by_names, FLOW_GROUP_BY_COUNT,
			FLOW_GROUP_ADDRESS, &state->by);
	if (rc == 0)
		rc = read_name(call, "sort", flow_group_order_names, FLOW_GROUP_ORDER_COUNT,
			FLOW_GROUP_OCTETS, &state->order);
	if (rc == 0)
		rc = read_filter(call, &state->survey);
	if (rc == 0)
		rc = call_take_large(call);
	if (rc < 0)
		return rc;
	return flow_groups_new((enum flow_group_by)state->by,
		       (enum flow_group_order)state->order, &state->groups) < 0
		       ? fail_memory(call)
		       : 0;
}

/* All that match, in the unit of the sort. */
static uint64_t top_whole(const struct top_state *state)
{
	struct flow_group all = {
		.flows = state->survey.matched,
		.packets = state->packets,
		.octets = state->octets,
	};

	return flow_group_value((enum flow_group_order)state->order, &all);
}

static json_t *top_groups(struct top_state *state)
{
	size_t count;
	const struct flow_group *groups = flow_groups_finish(state->groups, &count);
	uint64_t whole = top_whole(state);
	json_t *rows = json_array();

	for (size_t i = 0; i < count && i < state->limit; i++) {
		char name[FLOW_GROUP_NAME_BYTES];
		uint64_t value =
			flow_group_value((enum flow_group_order)state->order, &groups[i]);
		struct flow_group_view view = {
			.key = flow_group_name(
				(enum flow_group_by)state->by, &groups[i].key, name),
			.group = &groups[i],
			.share = whole > 0 ? (double)value / (double)whole : 0,
		};

		json_array_append_new(rows, control_make_group(&view));
	}
	return rows;
}

static void top_add(struct top_state *state, const struct flow_record *record)
{
	if (!survey_takes(&state->survey, record))
		return;
	state->packets += record->side[0].packets + record->side[1].packets;
	state->octets += record->side[0].octets + record->side[1].octets;
	flow_groups_add(state->groups, record);
}

static enum call_part top_json(struct call *call, json_t *reply)
{
	const struct lane_request *answer = &call->order.request;
	struct top_state *state = call->state;

	for (uint64_t i = 0; i < answer->count; i++)
		top_add(state, &call->flows[i].record);
	if (answer->count > 0)
		return CALL_QUIET;
	json_object_set_new(reply, "groups", top_groups(state));
	survey_write(&state->survey, reply);
	json_object_set_new(reply, "packets", json_integer((json_int_t)state->packets));
	json_object_set_new(reply, "octets", json_integer((json_int_t)state->octets));
	json_object_set_new(reply, "uncertain",
		json_integer((json_int_t)flow_groups_uncertain(state->groups)));
	return CALL_LAST;
}

const struct control_answer answer_top = {
	.verb = LANE_SNAPSHOT,
	.begin = top_begin,
	.ask = call_ask_lanes,
	.withdraw = call_withdraw_lanes,
	.json = top_json,
};
