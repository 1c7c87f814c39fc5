/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Elements to octets. Building a layout resolves each element into a row with its offsets and a
 * step, which is the kind and the two sizes in one number; so writing a record is one bounds
 * check and one switch per field.
 */
#include "export/layout.h"

#include <assert.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)
#define NTP_EPOCH_S UINT64_C(2208988800) /* 1900 to 1970 */

enum step {
	STEP_ZERO,
	STEP_BYTES,
	STEP_BYTES_4,
	STEP_BYTES_6,
	STEP_BYTES_16,
	STEP_8,
	STEP_16,
	STEP_32,
	STEP_64,
	STEP_32_AS_16,
	STEP_64_AS_32,
	STEP_FLAGS,
	STEP_LABEL,
	STEP_UPTIME,
	STEP_SECONDS,
	STEP_MILLI,
	STEP_MICRO,
	STEP_NANO,
};

/* -- tables --------------------------------------------------------------------------- */

struct element_row {
	uint16_t ipfix_id, v9_id;
	uint8_t octets;
	uint8_t kind;
	uint8_t owner;
	uint8_t source_bytes; /* size of the member */
	uint16_t member[2];
	uint8_t item; /* which of those that the member points to */
};

#define BYTES_OF(type, member) sizeof(((type *)0)->member)

/* owner, size, offset for direction 0, offset for direction 1 */
#define SIDE(m) \
	OWNER_FLOW, BYTES_OF(struct flow_side, m), \
	{ \
		offsetof(struct flow_record, side[0].m), \
			offsetof(struct flow_record, side[1].m) \
	}
#define LABEL(n) SIDE(mpls), n
#define FROM(m) \
	OWNER_FLOW, BYTES_OF(struct flow_record, m[0]), \
	{ \
		offsetof(struct flow_record, m[0]), offsetof(struct flow_record, m[1]) \
	}
#define TO(m) \
	OWNER_FLOW, BYTES_OF(struct flow_record, m[0]), \
	{ \
		offsetof(struct flow_record, m[1]), offsetof(struct flow_record, m[0]) \
	}
#define RECORD(m) \
	OWNER_FLOW, BYTES_OF(struct flow_record, m), \
	{ \
		offsetof(struct flow_record, m), offsetof(struct flow_record, m) \
	}
#define FACTS(m) \
	OWNER_FACTS, BYTES_OF(struct layout_facts, m), \
	{ \
		offsetof(struct layout_facts, m), offsetof(struct layout_facts, m) \
	}

static const struct element_row elements[] = {
#define ELEMENT(name, ipfix_id, v9_id, octets, kind, ...) \
	[ELEMENT_##name] = { ipfix_id, v9_id, octets, KIND_##kind, __VA_ARGS__ },
#include "export/element.def"
#undef ELEMENT
};

static_assert(sizeof(elements) / sizeof(elements[0]) == ELEMENT_COUNT, "one row per element");

struct step_row {
	uint8_t kind, source_bytes, octets;
	uint8_t step;
};

/* clang-format off */
static const struct step_row steps[] = {
	{ KIND_UINT,    1, 1, STEP_8 },
	{ KIND_UINT,    2, 2, STEP_16 },
	{ KIND_UINT,    4, 4, STEP_32 },
	{ KIND_UINT,    8, 8, STEP_64 },
	{ KIND_UINT,    4, 2, STEP_32_AS_16 },
	{ KIND_UINT,    8, 4, STEP_64_AS_32 },
	{ KIND_FLAGS,   2, 1, STEP_FLAGS },
	{ KIND_LABEL,   8, 3, STEP_LABEL },
	{ KIND_UPTIME,  8, 4, STEP_UPTIME },
	{ KIND_SECONDS, 8, 4, STEP_SECONDS },
	{ KIND_MILLI,   8, 8, STEP_MILLI },
	{ KIND_MICRO,   8, 8, STEP_MICRO },
	{ KIND_NANO,    8, 8, STEP_NANO },
	{ KIND_BYTES,   6, 6, STEP_BYTES_6 },
	{ KIND_BYTES,  16, 4, STEP_BYTES_4 },
	{ KIND_BYTES,  16, 16, STEP_BYTES_16 },
	{ KIND_BYTES,  32, 32, STEP_BYTES },
};
/* clang-format on */

/* -- building ------------------------------------------------------------------------- */

static uint8_t find_step(const struct element_row *element, unsigned octets)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		const struct step_row *row = &steps[i];
		if (row->kind == element->kind && row->octets == octets &&
			row->source_bytes == element->source_bytes)
			return row->step;
	}
	assert(!"element.def has a row that no step can write");
	return STEP_ZERO;
}

static struct layout_row *append_row(struct layout *layout, unsigned octets)
{
	assert(layout->row_count < LAYOUT_ROWS_MAX);
	struct layout_row *row = &layout->rows[layout->row_count++];
	row->offset = layout->record_bytes;
	row->octets = (uint8_t)octets;
	layout->record_bytes = (uint16_t)(layout->record_bytes + octets);
	return row;
}

static void append_element(
	struct layout *layout, enum element element, unsigned octets, bool is_reverse)
{
	const struct element_row *from = &elements[element];
	assert(from->owner == layout->owner);
	layout->fields[layout->row_count] = (struct layout_field){
		.element = (uint8_t)element,
		.is_reverse = is_reverse,
	};
	struct layout_row *row = append_row(layout, octets);
	row->step = find_step(from, octets);
	row->item = from->item;
	row->member[0] = from->member[is_reverse];
	row->member[1] = from->member[!is_reverse];
}

struct layout layout_make(uint16_t id, enum element_owner owner)
{
	return (struct layout){ .id = id, .owner = owner };
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
	append_row(layout, octets)->step = STEP_ZERO;
}

bool layout_is_in_v9(enum element element)
{
	return elements[element].v9_id != 0;
}

enum element_owner layout_element_owner(enum element element)
{
	return (enum element_owner)elements[element].owner;
}

/* -- templates ------------------------------------------------------------------------ */

size_t layout_template_bytes(const struct layout *layout)
{
	size_t bytes = layout->scope_count ? 6 : 4;
	for (unsigned i = 0; i < layout->row_count; i++)
		bytes += layout->fields[i].is_reverse ? 8 : 4;
	return bytes;
}

/* Field specifier: id and length; with the enterprise bit, the number as well (RFC 7011 3.2).
 */
static void put_field(struct wire *out, const struct layout *layout, unsigned at, bool is_ipfix)
{
	const struct layout_field *field = &layout->fields[at];
	const struct element_row *element = &elements[field->element];
	uint16_t id = is_ipfix ? element->ipfix_id : element->v9_id;
	wire_be16(out, field->is_reverse ? id | 0x8000 : id);
	wire_be16(out, layout->rows[at].octets);
	if (field->is_reverse)
		wire_be32(out, LAYOUT_REVERSE_PEN);
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

/* -- records -------------------------------------------------------------------------- */

static inline uint16_t load_16(const uint8_t *at)
{
	uint16_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint32_t load_32(const uint8_t *at)
{
	uint32_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t load_64(const uint8_t *at)
{
	uint64_t value;
	memcpy(&value, at, sizeof(value));
	return value;
}

static inline uint64_t saturate(uint64_t value, uint64_t most, struct layout_source *source)
{
	if (value <= most)
		return value;
	source->saturated++;
	return most;
}

static uint64_t ntp_time(uint64_t ns, uint64_t fraction)
{
	return (uint32_t)(ns / NS_PER_S + NTP_EPOCH_S) * (UINT64_C(1) << 32) | fraction;
}

/* The least fraction not below the microsecond that has its low 11 bits zero. The step of such
 * fractions is 0.48 us, so readers that cut and readers that round both get the microsecond. */
static uint64_t ntp_micro(uint64_t ns)
{
	uint64_t us = ns / NS_PER_US % US_PER_S;
	uint64_t fraction = ((us << 32) + US_PER_S - 1) / US_PER_S;
	return ntp_time(ns, (fraction + 0x7ff) & ~UINT64_C(0x7ff));
}

/* Likewise: fractions are 0.23 ns apart. */
static uint64_t ntp_nano(uint64_t ns)
{
	return ntp_time(ns, ((ns % NS_PER_S << 32) + NS_PER_S - 1) / NS_PER_S);
}

/* .at is a side's .mpls. */
static void put_label(uint8_t *to, const uint8_t *at, unsigned item)
{
	const struct flow_side *side =
		(const struct flow_side *)(at - offsetof(struct flow_side, mpls));
	uint32_t label = item < side->mpls_count ? side->mpls[item] : 0;
	to[0] = (uint8_t)(label >> 16);
	to[1] = (uint8_t)(label >> 8);
	to[2] = (uint8_t)label;
}

/* .to has room for the row's octets. */
static inline void put_row(
	const struct layout_row *row, uint8_t *to, struct layout_source *source)
{
	const uint8_t *at = (const uint8_t *)source->owner + row->member[source->direction];
	switch ((enum step)row->step) {
	case STEP_ZERO:
		memset(to, 0, row->octets);
		break;
	case STEP_BYTES:
		memcpy(to, at, row->octets);
		break;
	case STEP_BYTES_4:
		memcpy(to, at, 4);
		break;
	case STEP_BYTES_6:
		memcpy(to, at, 6);
		break;
	case STEP_BYTES_16:
		memcpy(to, at, 16);
		break;
	case STEP_8:
	case STEP_FLAGS:
		*to = row->step == STEP_8 ? *at : (uint8_t)load_16(at);
		break;
	case STEP_16:
		wire_store_be16(to, load_16(at));
		break;
	case STEP_32:
		wire_store_be32(to, load_32(at));
		break;
	case STEP_64:
		wire_store_be64(to, load_64(at));
		break;
	case STEP_32_AS_16:
		wire_store_be16(to, (uint16_t)saturate(load_32(at), UINT16_MAX, source));
		break;
	case STEP_64_AS_32:
		wire_store_be32(to, (uint32_t)saturate(load_64(at), UINT32_MAX, source));
		break;
	case STEP_LABEL:
		put_label(to, at, row->item);
		break;
	case STEP_UPTIME:
		wire_store_be32(to, (uint32_t)(load_64(at) / NS_PER_MS - source->boot_ms));
		break;
	case STEP_SECONDS:
		wire_store_be32(to, (uint32_t)(load_64(at) / NS_PER_S));
		break;
	case STEP_MILLI:
		wire_store_be64(to, load_64(at) / NS_PER_MS);
		break;
	case STEP_MICRO:
		wire_store_be64(to, ntp_micro(load_64(at)));
		break;
	case STEP_NANO:
		wire_store_be64(to, ntp_nano(load_64(at)));
		break;
	}
}

void layout_put_record(
	struct wire *out, const struct layout *layout, struct layout_source *source)
{
	uint8_t *to = wire_take(out, layout->record_bytes);
	if (!to)
		return;
	for (unsigned i = 0; i < layout->row_count; i++)
		put_row(&layout->rows[i], to + layout->rows[i].offset, source);
}
