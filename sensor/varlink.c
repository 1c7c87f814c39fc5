/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/varlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/random.h"

/* -- reading -------------------------------------------------------------------------- */

void varlink_seed(void)
{
	size_t seed = 1;

	if (random_fill(&seed, sizeof(seed)) == 0)
		json_object_seed(seed ? seed : 1);
}

static int refuse(char *ret_reason, const char *sentence)
{
	snprintf(ret_reason, VARLINK_REASON_BYTES, "%s", sentence);
	return -EBADMSG;
}

/* jansson calls itself for each level: what it may need of the stack is bounded before it
 * begins. Brackets within strings do not count. */
static bool is_shallow(const char *bytes, size_t length)
{
	unsigned depth = 0;
	bool is_string = false;

	for (size_t i = 0; i < length; i++) {
		char c = bytes[i];

		if (is_string && c == '\\')
			i++;
		else if (c == '"')
			is_string = !is_string;
		else if (!is_string && (c == '{' || c == '['))
			depth++;
		else if (!is_string && (c == '}' || c == ']') && depth > 0)
			depth--;
		if (depth > VARLINK_DEPTH_MAX)
			return false;
	}
	return true;
}

/* A member that has to be true or false when it is there. */
static int read_flag(const json_t *value, bool *ret_flag, const char *name, char *ret_reason)
{
	if (!json_is_boolean(value)) {
		snprintf(ret_reason, VARLINK_REASON_BYTES, "\"%s\" is neither true nor false",
			name);
		return -EBADMSG;
	}
	*ret_flag = json_is_true(value);
	return 0;
}

static int read_member(
	struct varlink_call *call, const char *name, json_t *value, char *ret_reason)
{
	bool upgrades = false;

	if (strcmp(name, "method") == 0) {
		call->method = json_string_value(value);
		return call->method ? 0 : refuse(ret_reason, "\"method\" is no string");
	}
	if (strcmp(name, "parameters") == 0) {
		call->parameters = json_is_null(value) ? NULL : value;
		return json_is_null(value) || json_is_object(value)
			       ? 0
			       : refuse(ret_reason, "\"parameters\" is no object");
	}
	if (strcmp(name, "more") == 0)
		return read_flag(value, &call->wants_more, name, ret_reason);
	if (strcmp(name, "oneway") == 0)
		return read_flag(value, &call->is_oneway, name, ret_reason);
	if (strcmp(name, "upgrade") == 0) {
		int rc = read_flag(value, &upgrades, name, ret_reason);
		return rc == 0 && upgrades ? refuse(ret_reason, "nothing here can be upgraded")
					   : rc;
	}
	snprintf(ret_reason, VARLINK_REASON_BYTES, "\"%.64s\" is no member of a call", name);
	return -EBADMSG;
}

static int read_members(struct varlink_call *call, char *ret_reason)
{
	const char *name;
	json_t *value;

	json_object_foreach(call->root, name, value)
	{
		int rc = read_member(call, name, value, ret_reason);
		if (rc < 0)
			return rc;
	}
	if (!call->method)
		return refuse(ret_reason, "\"method\" is missing");
	if (call->wants_more && call->is_oneway)
		return refuse(ret_reason, "\"more\" and \"oneway\" exclude each other");
	return 0;
}

int varlink_call_read(const char *bytes, size_t length, struct varlink_call *ret_call,
	char ret_reason[static VARLINK_REASON_BYTES])
{
	struct varlink_call call = { 0 };
	json_error_t error;

	if (length > CONTROL_REQUEST_BYTES)
		return refuse(ret_reason, "too long");
	if (!is_shallow(bytes, length))
		return refuse(ret_reason, "nested too deep");
	call.root = json_loadb(bytes, length, JSON_REJECT_DUPLICATES, &error);
	if (!call.root) {
		snprintf(ret_reason, VARLINK_REASON_BYTES, "octet %d: %s", error.position,
			error.text);
		return -EBADMSG;
	}
	int rc = json_is_object(call.root) ? read_members(&call, ret_reason)
					   : refuse(ret_reason, "not an object");
	if (rc < 0)
		varlink_call_clear(&call);
	else
		*ret_call = call;
	return rc;
}

void varlink_call_clear(struct varlink_call *call)
{
	json_decref(call->root);
	*call = (struct varlink_call){ 0 };
}

/* -- parameters ----------------------------------------------------------------------- */

/* Null stands for a member that may be left out. */
static bool fits(const struct control_field *field, const json_t *value)
{
	switch (field->kind) {
	case CONTROL_TEXT:
		return json_is_string(value);
	case CONTROL_TEXT_MAYBE:
		return !value || json_is_null(value) || json_is_string(value);
	case CONTROL_INT:
		return json_is_integer(value);
	case CONTROL_INT_MAYBE:
		return !value || json_is_null(value) || json_is_integer(value);
	case CONTROL_BOOL:
		return json_is_boolean(value);
	case CONTROL_SWITCH:
		return !value || json_is_null(value) || json_is_boolean(value);
	default:
		return false; /* no parameter is of such a kind */
	}
}

static bool is_field(const struct control_shape *takes, const char *name)
{
	for (size_t i = 0; i < takes->count; i++)
		if (strcmp(takes->fields[i].name, name) == 0)
			return true;
	return false;
}

const char *varlink_misfit(json_t *parameters, const struct control_shape *takes)
{
	const char *name;
	json_t *value;

	for (size_t i = 0; i < takes->count; i++)
		if (!fits(&takes->fields[i],
			    json_object_get(parameters, takes->fields[i].name)))
			return takes->fields[i].name;
	json_object_foreach(parameters, name, value)
	{
		if (!is_field(takes, name))
			return name;
	}
	return NULL;
}

const char *varlink_text(const json_t *parameters, const char *name, const char *otherwise)
{
	const char *text = json_string_value(json_object_get(parameters, name));

	return text ? text : otherwise;
}

json_int_t varlink_int(const json_t *parameters, const char *name, json_int_t otherwise)
{
	const json_t *value = json_object_get(parameters, name);

	return json_is_integer(value) ? json_integer_value(value) : otherwise;
}

bool varlink_switch(const json_t *parameters, const char *name)
{
	return json_is_true(json_object_get(parameters, name));
}

/* -- replies -------------------------------------------------------------------------- */

json_t *varlink_string(const char *text, size_t length)
{
	json_t *value = json_stringn(text, length);
	char *safe = value ? NULL : malloc(length ? length : 1);

	if (!safe)
		return value;
	for (size_t i = 0; i < length; i++)
		safe[i] = (unsigned char)text[i] < 0x80 && text[i] ? text[i] : '?';
	value = json_stringn(safe, length);
	free(safe);
	return value;
}

static void write_message(FILE *out, const json_t *message)
{
	json_dumpf(message, out, JSON_COMPACT);
	fputc('\0', out);
}

void varlink_write_reply(FILE *out, json_t *parameters, bool continues)
{
	json_t *message = json_object();

	json_object_set(message, "parameters", parameters);
	if (!parameters)
		json_object_set_new(message, "parameters", json_object());
	if (continues)
		json_object_set_new(message, "continues", json_true());
	write_message(out, message);
	json_decref(message);
}

void varlink_write_error(FILE *out, const char *error, const char *name, const char *value)
{
	json_t *message = json_object();
	json_t *parameters = json_object();

	if (name)
		json_object_set_new(parameters, name, varlink_string(value, strlen(value)));
	json_object_set_new(message, "error", json_string(error));
	json_object_set_new(message, "parameters", parameters);
	write_message(out, message);
	json_decref(message);
}

/* -- descriptions --------------------------------------------------------------------- */

static const char service_description[] =
	"# What every service can be asked.\n"
	"interface org.varlink.service\n"
	"\n"
	"# Who answers, and which interfaces there are\n"
	"method GetInfo() -> (\n"
	"  vendor: string,\n"
	"  product: string,\n"
	"  version: string,\n"
	"  url: string,\n"
	"  interfaces: []string\n"
	")\n"
	"\n"
	"# The description of an interface\n"
	"method GetInterfaceDescription(interface: string) -> (description: string)\n"
	"\n"
	"error InterfaceNotFound (interface: string)\n"
	"error MethodNotFound (method: string)\n"
	"error MethodNotImplemented (method: string)\n"
	"error InvalidParameter (parameter: string)\n"
	"error PermissionDenied ()\n"
	"error ExpectedMore ()\n";

char *varlink_description(const char *interface)
{
	char *text = NULL;
	size_t length = 0;

	if (strcmp(interface, VARLINK_SERVICE) == 0)
		return strdup(service_description);
	if (strcmp(interface, CONTROL_INTERFACE) != 0)
		return NULL;
	FILE *out = open_memstream(&text, &length);
	if (!out)
		return NULL;
	control_write_description(out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}
