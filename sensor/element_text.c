/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/element_text.h"

#include <stdbool.h>

#include "export/element.h"
#include "export/flow_trait.h"
#include "export/template.h"
#include "sensor/config_row.h"

/* What a template must be for, or be asked for, to have an element. */
static const struct {
	uint32_t trait;
	const char *words;
} traits[] = {
	{ IPV4, "IPv4" },
	{ IPV6, "IPv6" },
	{ PORTS, "ports" },
	{ ICMP, "ICMP" },
	{ TUPLE, "-T port" },
	{ UPTIME, "-A uptime" },
	{ SECONDS, "-A sec" },
	{ MILLI, "-A milli" },
	{ MICRO, "-A micro" },
	{ NANO, "-A nano" },
	{ LABELS, "-x" },
	{ FULL, "--biflow full" },
	{ NEVER, "options data" },
};

#define TRAIT_COUNT (sizeof(traits) / sizeof(traits[0]))
#define TEXT_BYTES 64

static const char *describe_needs(const struct element_info *info, char text[TEXT_BYTES])
{
	size_t length = 0;

	text[0] = 0;
	for (size_t i = 0; i < TRAIT_COUNT && length < TEXT_BYTES; i++)
		if (info->needs & traits[i].trait)
			length += (size_t)snprintf(text + length, TEXT_BYTES - length, "%s%s",
				length > 0 ? ", " : "", traits[i].words);
	return length > 0 ? text : "all";
}

static bool is_for_flows(const struct element_info *info)
{
	return !(info->needs & NEVER);
}

/* The presets that have it, if all else is given. */
static const char *describe_presets(const struct element_info *info, char text[TEXT_BYTES])
{
	uint32_t needs = info->needs & (OTHERS | WIDE | NAMED | NEVER);
	size_t length = 0;

	for (unsigned i = 0; i < PRESET_COUNT && length < TEXT_BYTES; i++)
		if ((template_presets[i].traits & needs) == needs)
			length += (size_t)snprintf(text + length, TEXT_BYTES - length, "%s%s",
				length > 0 ? "," : "", template_presets[i].name);
	return length > 0 ? text : "-";
}

/* The element as a scope of options data has a row of its own, and is no other element. */
static bool is_listed(unsigned element)
{
	for (unsigned i = 0; i < element; i++)
		if (element_infos[i].ipfix_id == element_infos[element].ipfix_id)
			return false;
	return true;
}

/* A private element has its number in the enterprise of --enterprise. */
static const char *describe_ipfix(const struct element_info *info, char text[TEXT_BYTES])
{
	bool is_private = info->ipfix_id & ELEMENT_ENTERPRISE;

	snprintf(text, TEXT_BYTES, is_private ? "private %u" : "%u",
		info->ipfix_id & ~ELEMENT_ENTERPRISE);
	return text;
}

static const char *describe_v9(const struct element_info *info, char text[TEXT_BYTES])
{
	if (info->v9_id == 0)
		return "-";
	snprintf(text, TEXT_BYTES, "%u", info->v9_id);
	return text;
}

/* -- columns -------------------------------------------------------------------------- */

#define COLUMNS(number) "%-28s %9s %4s %6" number "  %-20s  %-21s  %-19s  %-12s  %s\n"

static void write_line(const struct element_info *info, FILE *out)
{
	char ipfix[TEXT_BYTES], needs[TEXT_BYTES], presets[TEXT_BYTES], v9[TEXT_BYTES];

	fprintf(out, COLUMNS("u"), info->name, describe_ipfix(info, ipfix),
		describe_v9(info, v9), info->octets, info->type,
		info->json[0] ? info->json : "-", describe_presets(info, presets),
		describe_needs(info, needs), info->sentence);
}

void element_write_table(FILE *out)
{
	fprintf(out, COLUMNS("s"), "Element", "IPFIX", "v9", "Octets", "Type", "JSON",
		"Presets", "For", "Meaning");
	for (unsigned i = 0; i < ELEMENT_COUNT; i++)
		if (is_listed(i))
			write_line(&element_infos[i], out);
}

/* -- the manual ----------------------------------------------------------------------- */

/* Names have underscores, which scdoc would take for its own. */
static void write_plain(const char *text, FILE *out)
{
	for (; *text; text++) {
		if (*text == '_' || *text == '*')
			fputc('\\', out);
		fputc(*text, out);
	}
}

static void write_entry(const struct element_info *info, FILE *out)
{
	char ipfix[TEXT_BYTES], needs[TEXT_BYTES], presets[TEXT_BYTES], v9[TEXT_BYTES];

	fprintf(out, "*%s*\n\tIPFIX %s, v9 %s, %u octet%s, %s", info->name,
		describe_ipfix(info, ipfix), describe_v9(info, v9), info->octets,
		info->octets == 1 ? "" : "s", info->type);
	if (info->json[0]) {
		fputs(", printed as _", out);
		write_plain(info->json, out);
		fputc('_', out);
	}
	if (is_for_flows(info))
		fprintf(out, ". Presets: %s. For: %s", describe_presets(info, presets),
			describe_needs(info, needs));
	fprintf(out, ".++\n");
	write_plain(info->sentence, out);
	fputs(".\n\n", out);
}

static void write_entries(bool for_flows, FILE *out)
{
	for (unsigned i = 0; i < ELEMENT_COUNT; i++)
		if (is_listed(i) && is_for_flows(&element_infos[i]) == for_flows)
			write_entry(&element_infos[i], out);
}

void element_write_preset_manual(FILE *out)
{
	for (unsigned i = 0; i < PRESET_COUNT; i++)
		fprintf(out, "*%s*\n\t%s.\n\n", template_presets[i].name,
			template_presets[i].sentence);
}

void element_write_options_data_manual(FILE *out)
{
	for (size_t i = 0; i < OPTIONS_SET_COUNT; i++)
		fprintf(out, "*%s*%s\n\t%s.\n\n", options_set_rows[i].word,
			options_set_rows[i].is_default ? " (default)" : "",
			options_set_rows[i].sentence);
}

void element_write_flow_manual(FILE *out)
{
	write_entries(true, out);
}

void element_write_options_manual(FILE *out)
{
	write_entries(false, out);
}
