/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/template.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "export/element.h"
#include "export/flow_trait.h"

const struct template_preset_info template_presets[PRESET_COUNT] = {
#define PRESET(word, bits, text) \
	[PRESET_##word] = { .name = #word, .traits = bits, .sentence = text },
#include "export/template_preset.def"
#undef PRESET
};

static const struct {
	const char *name, *reason;
} unfilled[] = {
#define UNFILLED(element, reason) { #element, reason },
#include "export/element_unfilled.def"
#undef UNFILLED
};

#define UNFILLED_COUNT (sizeof(unfilled) / sizeof(unfilled[0]))
#define NAME_BYTES 64 /* IANA's names are shorter */

static_assert(ELEMENT_COUNT <= UINT8_MAX, "a template keeps elements in an octet each");

/* -- names ---------------------------------------------------------------------------- */

static enum element find_element(const char *name)
{
	for (unsigned element = 0; element < ELEMENT_COUNT; element++)
		if (strcasecmp(element_infos[element].name, name) == 0)
			return (enum element)element;
	return ELEMENT_COUNT;
}

__attribute__((format(printf, 2, 3))) static int fail(
	char error[static TEMPLATE_ERROR_BYTES], const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(error, TEMPLATE_ERROR_BYTES, format, arguments);
	va_end(arguments);
	return -EINVAL;
}

static int fail_unknown(const char *name, char error[static TEMPLATE_ERROR_BYTES])
{
	for (size_t i = 0; i < UNFILLED_COUNT; i++)
		if (strcasecmp(unfilled[i].name, name) == 0)
			return fail(error, "%s cannot be filled: %s", unfilled[i].name,
				unfilled[i].reason);
	return fail(
		error, "%s is no element that can be exported; --elements lists them", name);
}

static bool has_element(const struct export_template *template, enum element element)
{
	return memchr(template->elements, element, template->element_count) != NULL;
}

static int add_name(struct export_template *template, const char *name,
	char error[static TEMPLATE_ERROR_BYTES])
{
	enum element element = find_element(name);
	if (name[0] == 0)
		return fail(error, "a name is empty");
	if (element == ELEMENT_COUNT)
		return fail_unknown(name, error);
	const struct element_info *info = &element_infos[element];
	if (info->needs & NEVER)
		return fail(error, "%s tells of the exporter, in options data, not of a flow",
			info->name);
	if (has_element(template, element))
		return fail(error, "%s is named twice", info->name);
	if (template->element_count == TEMPLATE_ELEMENTS_MAX)
		return fail(error, "more than %d elements", TEMPLATE_ELEMENTS_MAX);
	template->elements[template->element_count++] = (uint8_t)element;
	return 0;
}

static int find_preset(const char *name)
{
	for (int preset = 0; preset < PRESET_COUNT; preset++)
		if (strcasecmp(template_presets[preset].name, name) == 0)
			return preset;
	return -1;
}

/* -- public --------------------------------------------------------------------------- */

int template_parse(const char *text, struct export_template *ret_template,
	char error[static TEMPLATE_ERROR_BYTES])
{
	struct export_template template = { 0 };
	int preset = find_preset(text);
	if (preset >= 0) {
		*ret_template = (struct export_template){ .preset = (uint8_t)preset };
		return 0;
	}
	for (bool is_last = false; !is_last;) {
		char name[NAME_BYTES];
		size_t length = strcspn(text, ",");
		is_last = text[length] == 0;
		snprintf(name, sizeof(name), "%.*s", (int)length, text);
		int rc = add_name(&template, name, error);
		if (rc < 0)
			return rc;
		text += length + 1;
	}
	*ret_template = template;
	return 0;
}

int template_print(const struct export_template *template, char *out, size_t size)
{
	size_t length = 0;
	if (template->element_count == 0)
		return snprintf(out, size, "%s", template_presets[template->preset].name);
	for (unsigned i = 0; i < template->element_count; i++)
		length += (size_t)snprintf(length < size ? out + length : NULL,
			length < size ? size - length : 0, "%s%s", i > 0 ? "," : "",
			element_infos[template->elements[i]].name);
	return (int)length;
}
