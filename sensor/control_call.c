/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/control_call.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>

#include "sensor/control_answer.h"
#include "sensor/varlink.h"

/* clang-format off */
const struct control_answer *const control_answers[WORD_COUNT] = {
#define WORD(symbol, ...) [WORD_##symbol] = &answer_##symbol,
#include "sensor/control_word.def"
};
/* clang-format on */

/* -- failing -------------------------------------------------------------------------- */

int call_fail(struct call *call, const char *error, const char *name, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(call->detail, sizeof(call->detail), format, arguments);
	va_end(arguments);
	call->error = error;
	call->detail_name = name;
	return -EINVAL;
}

int call_misfit(struct call *call, const char *parameter)
{
	return call_fail(
		call, VARLINK_SERVICE ".InvalidParameter", "parameter", "%s", parameter);
}

static int call_fail_memory(struct call *call)
{
	return call_fail(call, CONTROL_ERROR_FAILED, "reason", "out of memory");
}

/* -- beginning ------------------------------------------------------------------------ */

int call_begin(struct call *call)
{
	const char *misfit = varlink_misfit(call->parameters, &call->word->takes);

	if (call->word->changes && !call->may_change)
		return call_fail(call, VARLINK_SERVICE ".PermissionDenied", NULL, "%s", "");
	if (misfit)
		return call_misfit(call, misfit);
	return call->answer->begin ? call->answer->begin(call) : 0;
}

void call_ask(struct call *call)
{
	if (call->answer->ask)
		call->answer->ask(call);
	else
		call->ready(call);
}

bool call_withdraw(struct call *call)
{
	return !call->answer || !call->answer->withdraw || call->answer->withdraw(call);
}

void call_end(struct call *call)
{
	if (call->free_state)
		call->free_state(call->state);
	if (call->has_large)
		--*call->large_count;
	free(call->flows);
	free(call->exporters);
	json_decref(call->parameters);
	*call = (struct call){ 0 };
}

/* -- for answers ---------------------------------------------------------------------- */

int call_take_large(struct call *call)
{
	if (*call->large_count == CALL_LARGE_MAX)
		return call_fail(call, CONTROL_ERROR_BUSY, "reason",
			"%d others sort flows or add them up, try again", CALL_LARGE_MAX);
	++*call->large_count;
	call->has_large = true;
	return 0;
}

static void lanes_answered(struct lane_order *order)
{
	struct call *call = order->user;

	call->ready(call);
}

void call_ask_lanes(struct call *call)
{
	call->order.request.verb = call->answer->verb;
	call->order.request.flows = call->flows;
	call->order.request.capacity = CALL_FLOWS;
	call->order.request.exporters = call->exporters;
	call->order.request.count = 0;
	call->order.answered = lanes_answered;
	call->order.user = call;
	lane_desk_place(call->context->desk, &call->order);
}

bool call_withdraw_lanes(struct call *call)
{
	return lane_desk_withdraw(call->context->desk, &call->order);
}

int call_make_flows(struct call *call)
{
	call->flows = calloc(CALL_FLOWS, sizeof(*call->flows));
	return call->flows ? 0 : call_fail_memory(call);
}

int call_make_exporters(struct call *call)
{
	size_t count = (size_t)call->context->desk->lane_count * CONFIG_DESTINATIONS_MAX;

	call->exporters = calloc(count, sizeof(*call->exporters));
	return call->exporters ? 0 : call_fail_memory(call);
}
