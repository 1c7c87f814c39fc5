/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/control_service.h"

#include <stdlib.h>
#include <string.h>

/* Behind the interface and its dot; NULL when .method is of another one. */
static const char *method_of(const char *method, const char *interface)
{
	size_t length = strlen(interface);

	return strncmp(method, interface, length) == 0 && method[length] == '.'
		       ? method + length + 1
		       : NULL;
}

const struct control_word *control_service_find(const char *method)
{
	const char *name = method_of(method, CONTROL_INTERFACE);

	return name ? control_method_find(name) : NULL;
}

static void misfit(FILE *out, const char *parameter)
{
	varlink_write_error(out, VARLINK_SERVICE ".InvalidParameter", "parameter", parameter);
}

static void write_info(
	const struct varlink_call *request, const struct config *config, FILE *out)
{
	static const struct control_shape takes = { 0 };
	const char *stranger = varlink_misfit(request->parameters, &takes);

	if (stranger) {
		misfit(out, stranger);
		return;
	}
	json_t *reply = json_pack("{s:s, s:s, s:s, s:s, s:[s, s]}", "vendor", "ringflow",
		"product", config->program, "version", version_number(), "url", "",
		"interfaces", VARLINK_SERVICE, CONTROL_INTERFACE);
	varlink_write_reply(out, reply, false);
	json_decref(reply);
}

static void write_description(
	const struct varlink_call *request, const struct config *config, FILE *out)
{
	static const struct control_field field = { .name = "interface", .kind = CONTROL_TEXT };
	static const struct control_shape takes = { .fields = &field, .count = 1 };
	const char *stranger = varlink_misfit(request->parameters, &takes);

	if (stranger) {
		misfit(out, stranger);
		return;
	}
	const char *interface = varlink_text(request->parameters, "interface", "");
	char *description = varlink_description(interface);
	if (!description) {
		varlink_write_error(
			out, VARLINK_SERVICE ".InterfaceNotFound", "interface", interface);
		return;
	}
	json_t *reply = json_pack("{s:s}", "description", description);
	varlink_write_reply(out, reply, false);
	json_decref(reply);
	free(description);
}

/* clang-format off */
static const struct {
	const char *method;
	void (*answer)(const struct varlink_call *request, const struct config *config, FILE *out);
} methods[] = {
	{ "GetInfo",                 write_info },
	{ "GetInterfaceDescription", write_description },
};
/* clang-format on */

void control_service_answer(
	const struct varlink_call *request, const struct config *config, FILE *out)
{
	const char *name = method_of(request->method, VARLINK_SERVICE);
	const char *dot = strrchr(request->method, '.');
	char interface[256] = "";

	for (size_t i = 0; name && i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(name, methods[i].method) == 0) {
			methods[i].answer(request, config, out);
			return;
		}
	if (!dot || (size_t)(dot - request->method) >= sizeof(interface)) {
		misfit(out, "method");
		return;
	}
	memcpy(interface, request->method, (size_t)(dot - request->method));
	if (name || strcmp(interface, CONTROL_INTERFACE) == 0)
		varlink_write_error(
			out, VARLINK_SERVICE ".MethodNotFound", "method", request->method);
	else
		varlink_write_error(
			out, VARLINK_SERVICE ".InterfaceNotFound", "interface", interface);
}
