/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Building a layout appends rows; writing a record walks them, or leaves it to code that was
 * compiled from the same plan (flow_encode.c).
 */
#include "export/layout.h"

#include <assert.h>

#include "export/element_put.h"

/* -- building ------------------------------------------------------------------------- */

static void append_row(
	struct layout *layout, unsigned element, unsigned octets, bool is_reverse)
{
	assert(layout->row_count < LAYOUT_ROWS_MAX);
	layout->rows[layout->row_count++] = (struct layout_row){
		.element = (uint8_t)element,
		.octets = (uint8_t)octets,
		.is_reverse = is_reverse,
	};
	layout->record_bytes = (uint16_t)(layout->record_bytes + octets);
}

static void append_element(
	struct layout *layout, enum element element, unsigned octets, bool is_reverse)
{
	assert(layout->owner == OWNER_FLOW || elements[element].at.owner == OWNER_FACTS);
	append_row(layout, element, octets, is_reverse);
}

struct layout layout_make(uint16_t id, enum element_owner owner)
{
	return (struct layout){ .id = id, .owner = owner, .encode = layout_encode_rows };
}

void layout_add(struct layout *layout, enum element element)
{
	append_element(layout, element, elements[element].octets, false);
}

void layout_add_reverse(struct layout *layout, enum element element)
{
	append_element(layout, element, elements[element].octets, true);
}

void layout_add_scope(struct layout *layout, enum element element)
{
	assert(layout->row_count == layout->scope_count);
	layout->scope_count++;
	layout_add(layout, element);
}

void layout_add_narrow(struct layout *layout, enum element element, unsigned octets)
{
	append_element(layout, element, octets, false);
}

void layout_add_zeros(struct layout *layout, unsigned octets)
{
	append_row(layout, ELEMENT_COUNT, octets, false);
}

bool layout_is_in_v9(enum element element)
{
	return elements[element].v9_id != 0;
}

enum element_owner layout_element_owner(enum element element)
{
	return (enum element_owner)elements[element].at.owner;
}

/* -- templates ------------------------------------------------------------------------ */

/* The enterprise that the field is of; 0: IANA's own. */
static uint32_t row_enterprise(const struct layout *layout, const struct layout_row *row)
{
	if (row->is_reverse)
		return LAYOUT_REVERSE_PEN;
	return elements[row->element].ipfix_id & ELEMENT_ENTERPRISE ? layout->enterprise : 0;
}

size_t layout_template_bytes(const struct layout *layout)
{
	size_t bytes = layout->scope_count ? 6 : 4;
	for (unsigned i = 0; i < layout->row_count; i++)
		bytes += row_enterprise(layout, &layout->rows[i]) ? 8 : 4;
	return bytes;
}

/* Scopes of v9's options data are types, not elements (RFC 3954 6.1). */
static uint16_t v9_scope_type(unsigned element)
{
	enum { SCOPE_SYSTEM = 1, SCOPE_INTERFACE = 2 };
	return element == ELEMENT_scopeInterface ? SCOPE_INTERFACE : SCOPE_SYSTEM;
}

/* Field specifier: id and length; with the enterprise bit, the number as well (RFC 7011 3.2).
 */
static void put_field(struct wire *out, const struct layout *layout, unsigned at, bool is_ipfix)
{
	const struct layout_row *field = &layout->rows[at];
	const struct element_row *element = &elements[field->element];
	uint16_t id = is_ipfix ? element->ipfix_id : element->v9_id;
	if (!is_ipfix && at < layout->scope_count)
		id = v9_scope_type(field->element);
	uint32_t enterprise = row_enterprise(layout, field);
	wire_be16(out, enterprise ? id | ELEMENT_ENTERPRISE : id);
	wire_be16(out, field->octets);
	if (enterprise)
		wire_be32(out, enterprise);
}

/*
 *	template (both)   id, field count
 *	options, IPFIX    id, field count, scope field count
 *	options, v9       id, octets of the scope's specifiers, octets of the others'
 */
void layout_put_template(struct wire *out, const struct layout *layout, bool is_ipfix)
{
	unsigned option_count = layout->row_count - layout->scope_count;
	wire_be16(out, layout->id);
	if (layout->scope_count == 0 || is_ipfix)
		wire_be16(out, layout->row_count);
	if (layout->scope_count != 0 && is_ipfix)
		wire_be16(out, layout->scope_count);
	if (layout->scope_count != 0 && !is_ipfix) {
		wire_be16(out, (uint16_t)(layout->scope_count * 4));
		wire_be16(out, (uint16_t)(option_count * 4));
	}
	for (unsigned i = 0; i < layout->row_count; i++)
		put_field(out, layout, i, is_ipfix);
}

/* -- records ------------------------------------------------------------------------- */

unsigned layout_encode_rows(
	uint8_t *to, const struct layout *layout, const struct layout_source *source)
{
	unsigned saturated = 0;
	for (unsigned i = 0; i < layout->row_count; i++) {
		struct layout_row row = layout->rows[i];
		if (row.element == ELEMENT_COUNT)
			memset(to, 0, row.octets);
		else
			element_put(to, row, layout->is_spanning, source, &saturated);
		to += row.octets;
	}
	return saturated;
}
