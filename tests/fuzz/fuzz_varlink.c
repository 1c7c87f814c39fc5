/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whatever a client of the control socket sends: a call is refused with a reason or is what it
 * says; its parameters fit or the first that does not is named; a filter in it is refused with
 * a reason or can be asked about any flow; every reply is a JSON object with one NUL behind it.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/control_service.h"
#include "sensor/flow_filter.h"

static void require(bool is_true)
{
	if (!is_true)
		abort();
}

static void check_reply(const char *text, size_t length)
{
	require(length > 0 && memchr(text, '\0', length) == text + length - 1);
	json_t *reply = json_loadb(text, length - 1, JSON_REJECT_DUPLICATES, NULL);
	require(json_is_object(reply));
	json_decref(reply);
}

static void try_filter(const char *expression)
{
	static const struct flow_record records[] = {
		{ .ip_version = 4, .protocol = 6, .side = { { .packets = 1, .vlan_id = 5 } } },
		{ .ip_version = 6,
			.protocol = 58,
			.is_icmp = true,
			.side = { { .packets = 1 }, { .packets = 1 } } },
	};
	char error[FLOW_FILTER_ERROR_BYTES] = "";
	struct flow_filter *filter;

	if (flow_filter_new(expression, &filter, error) < 0) {
		require(error[0] != '\0');
		return;
	}
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++)
		flow_filter_matches(filter, &records[i]);
	flow_filter_free(filter);
}

static void try_call(struct varlink_call *call)
{
	static const struct config config = { .program = "ringflowd" };
	const struct control_word *word = control_service_find(call->method);
	char *text = NULL;
	size_t length = 0;
	FILE *out = open_memstream(&text, &length);

	require(out != NULL);
	if (!word) {
		control_service_answer(call, &config, out);
	} else {
		const char *misfit = varlink_misfit(call->parameters, &word->takes);

		if (misfit)
			varlink_write_error(out, "x.Y", "parameter", misfit);
		else
			varlink_write_reply(out, call->parameters, call->wants_more);
		if (!misfit)
			try_filter(varlink_text(call->parameters, "filter", ""));
	}
	fclose(out);
	check_reply(text, length);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char reason[VARLINK_REASON_BYTES] = "";
	struct varlink_call call;

	if (varlink_call_read((const char *)data, size, &call, reason) < 0) {
		require(reason[0] != '\0');
		return 0;
	}
	require(call.method && !(call.wants_more && call.is_oneway));
	try_call(&call);
	varlink_call_clear(&call);
	return 0;
}
