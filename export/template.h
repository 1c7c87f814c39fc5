/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the records of flows shall tell: a preset, or elements by name, in the order in which
 * the template has them. A template is for all flows: of its elements a record has those that
 * its kind of flow can have (IPv4 or IPv6, ports or ICMP types).
 */
#ifndef EXPORT_TEMPLATE_H
#define EXPORT_TEMPLATE_H

#include <stddef.h>
#include <stdint.h>

#define TEMPLATE_ELEMENTS_MAX 96
#define TEMPLATE_ERROR_BYTES 256

enum template_preset {
#define PRESET(name, ...) PRESET_##name,
#include "export/template_preset.def"
#undef PRESET
	PRESET_COUNT
};

struct export_template {
	uint8_t preset; /* enum template_preset; counts when no element is named */
	uint8_t element_count;
	uint8_t elements[TEMPLATE_ELEMENTS_MAX]; /* enum element */
};

struct template_preset_info {
	const char *name;
	uint32_t traits; /* bits of enum flow_trait that it adds to what is configured */
	const char *sentence;
};

extern const struct template_preset_info template_presets[PRESET_COUNT];

/* Read the name of a preset, or names of elements with commas between them. 0, or -EINVAL with
 * the name and the reason in .error. */
int template_parse(const char *text, struct export_template *ret_template,
	char error[static TEMPLATE_ERROR_BYTES]);

/* The opposite; returns what snprintf() does. */
int template_print(const struct export_template *template, char *out, size_t size);

#endif
