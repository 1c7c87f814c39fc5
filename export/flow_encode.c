/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plans as straight-line code. encode_plan() is every row of element.def, one behind the
 * other, then every reverse one, each with the question whether the layout has its traits. It
 * is inlined into variants for which some of the answers are known, so what is left of the
 * usual records is a load and a store per field and a handful of questions, which the processor
 * predicts.
 */
#include "export/flow_plan.h"

#include "export/element_put.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

/* -- templates ------------------------------------------------------------------------ */

ALWAYS_INLINE bool is_wanted(unsigned traits, unsigned needs, const struct element_row *element)
{
	if (element->v9_id == 0 && traits & NETFLOW)
		return false;
	return (traits & needs) == needs;
}

ALWAYS_INLINE unsigned encode_plan(
	uint8_t *to, const struct layout_source *in, const unsigned traits)
{
	const struct layout_source source = *in;
	const bool is_spanning = flow_plan_is_spanning(traits);
	unsigned saturated = 0;

#define ROW(name, needs, is_reverse) \
	if (is_wanted(traits, needs, &elements[ELEMENT_##name])) { \
		const unsigned octets = elements[ELEMENT_##name].octets; \
		const struct layout_row row = { ELEMENT_##name, octets, is_reverse }; \
		element_put(to, row, is_spanning, &source, &saturated); \
		to += octets; \
	}
#define ELEMENT(name, ipfix, v9, length, type, kind, where, needs, ...) ROW(name, needs, false)
#include "export/element.def"
#undef ELEMENT
#define ELEMENT(name, ipfix, v9, length, type, kind, where, needs, reverse, ...) \
	ROW(name, (needs) | (reverse), true)
#include "export/element.def"
#undef ELEMENT
#undef ROW
	return saturated;
}

/* The traits that a variant knows, and what they are in it. */
#define KNOWN (IPV4 | IPV6 | TIMES | LABELS | MINIMAL | FULL | WIDE | NAMED | NEVER)

/* clang-format off */
#define VARIANTS(ROW) \
	ROW(uniflow_v4_milli,  KNOWN, IPV4 | MILLI) \
	ROW(uniflow_v6_milli,  KNOWN, IPV6 | MILLI) \
	ROW(uniflow_v4_uptime, KNOWN, IPV4 | UPTIME) \
	ROW(uniflow_v6_uptime, KNOWN, IPV6 | UPTIME) \
	ROW(minimal_v4_milli,  KNOWN, IPV4 | MILLI | MINIMAL) \
	ROW(minimal_v6_milli,  KNOWN, IPV6 | MILLI | MINIMAL) \
	ROW(full_v4_milli,     KNOWN, IPV4 | MILLI | MINIMAL | FULL) \
	ROW(full_v6_milli,     KNOWN, IPV6 | MILLI | MINIMAL | FULL) \
	ROW(any,               NAMED | NEVER, 0)
/* clang-format on */

#define FUNCTION(name, known, value) \
	static unsigned encode_##name( \
		uint8_t *to, const struct layout *layout, const struct layout_source *source) \
	{ \
		return encode_plan(to, source, (layout->traits & ~(known)) | (value)); \
	}
VARIANTS(FUNCTION)
#undef FUNCTION

static const struct variant {
	unsigned known, value;
	layout_encode *encode;
} variants[] = {
#define VARIANT(name, known, value) { known, value, encode_##name },
	VARIANTS(VARIANT)
#undef VARIANT
};

layout_encode *flow_encode_find(unsigned traits)
{
	for (size_t i = 0; i < COUNT_OF(variants); i++)
		if ((traits & variants[i].known) == variants[i].value)
			return variants[i].encode;
	return NULL;
}

/* -- templates of named elements ------------------------------------------------------ */

/* A function per element, for records whose elements are known only when the program runs. */
typedef unsigned encode_element(
	uint8_t *to, const struct layout_source *source, bool is_spanning, bool is_reverse);

#define ELEMENT(name, ipfix, v9, length, ...) \
	static unsigned encode_##name(uint8_t *to, const struct layout_source *source, \
		bool is_spanning, bool is_reverse) \
	{ \
		const struct layout_row row = { ELEMENT_##name, length, is_reverse }; \
		unsigned saturated = 0; \
		element_put(to, row, is_spanning, source, &saturated); \
		return saturated; \
	}
#include "export/element.def"
#undef ELEMENT

static encode_element *const encode_elements[] = {
#define ELEMENT(name, ...) [ELEMENT_##name] = encode_##name,
#include "export/element.def"
#undef ELEMENT
};

unsigned flow_encode_named(
	uint8_t *to, const struct layout *layout, const struct layout_source *source)
{
	unsigned saturated = 0;
	for (unsigned i = 0; i < layout->row_count; i++) {
		const struct layout_row *row = &layout->rows[i];
		saturated += encode_elements[row->element](
			to, source, layout->is_spanning, row->is_reverse);
		to += row->octets;
	}
	return saturated;
}

/* -- fixed records -------------------------------------------------------------------- */

ALWAYS_INLINE void put_fixed(uint8_t *to, enum element element, unsigned octets,
	const struct layout_source *source, unsigned *saturated)
{
	const struct layout_row row = { (uint8_t)element, (uint8_t)octets, false };
	if (element == ELEMENT_COUNT)
		memset(to, 0, octets);
	else
		element_put(to, row, false, source, saturated);
}

ALWAYS_INLINE unsigned encode_v1(uint8_t *to, const struct layout_source *in, bool is_icmp)
{
	const struct layout_source source = *in;
	unsigned saturated = 0;

#define ROW(name, octets) \
	put_fixed(to, flow_plan_fixed(ELEMENT_##name, is_icmp), octets, &source, &saturated); \
	to += (octets);
#define RESERVED(octets, what) \
	put_fixed(to, ELEMENT_COUNT, octets, &source, &saturated); \
	to += (octets);
#include "export/v1_plan.def"
	return saturated;
}

ALWAYS_INLINE unsigned encode_v5(uint8_t *to, const struct layout_source *in, bool is_icmp)
{
	const struct layout_source source = *in;
	unsigned saturated = 0;

#include "export/v5_plan.def"
#undef ROW
#undef RESERVED
	return saturated;
}

static unsigned encode_v1_ports(
	uint8_t *to, const struct layout *layout, const struct layout_source *source)
{
	return encode_v1(to, source, false);
}

static unsigned encode_v1_icmp(
	uint8_t *to, const struct layout *layout, const struct layout_source *source)
{
	return encode_v1(to, source, true);
}

static unsigned encode_v5_ports(
	uint8_t *to, const struct layout *layout, const struct layout_source *source)
{
	return encode_v5(to, source, false);
}

static unsigned encode_v5_icmp(
	uint8_t *to, const struct layout *layout, const struct layout_source *source)
{
	return encode_v5(to, source, true);
}

layout_encode *flow_encode_fixed(bool is_v1, bool is_icmp)
{
	if (is_v1)
		return is_icmp ? encode_v1_icmp : encode_v1_ports;
	return is_icmp ? encode_v5_icmp : encode_v5_ports;
}
