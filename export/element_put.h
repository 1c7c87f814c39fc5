/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of element.def, and how a value becomes octets: element_put() takes a row and is
 * always inlined. Where the compiler knows the row, what is left of it is a load and a store;
 * where it does not, the same code is a small interpreter. So there is one way to write each
 * kind of value.
 */
#ifndef EXPORT_ELEMENT_PUT_H
#define EXPORT_ELEMENT_PUT_H

#include "export/community_id.h"
#include "export/layout.h"

#define ALWAYS_INLINE static inline __attribute__((always_inline))

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_US UINT64_C(1000)
#define US_PER_S UINT64_C(1000000)
#define NTP_EPOCH_S UINT64_C(2208988800) /* 1900 to 1970 */

/* -- table ---------------------------------------------------------------------------- */

struct element_place {
	uint8_t owner;
	uint8_t bytes; /* size of the member */
	uint16_t member[2];
	uint8_t item; /* which of those that the member points to */
};

struct element_row {
	uint16_t ipfix_id, v9_id;
	uint8_t octets;
	uint8_t kind;
	struct element_place at;
};

#define BYTES_OF(type, member) sizeof(((type *)0)->member)

/* owner, size, offset for direction 0, offset for direction 1 */
#define SIDE(m) \
	OWNER_FLOW, BYTES_OF(struct flow_side, m), \
	{ \
		offsetof(struct flow_record, side[0].m), \
			offsetof(struct flow_record, side[1].m) \
	}
#define STACK(n) SIDE(mpls), n
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
#define ELEMENT(name, ipfix_id, v9_id, octets, type, kind, where, ...) \
	[ELEMENT_##name] = { ipfix_id, v9_id, octets, KIND_##kind, { where } },
#include "export/element.def"
#undef ELEMENT
};

#undef SIDE
#undef STACK
#undef FROM
#undef TO
#undef RECORD
#undef FACTS

static_assert(sizeof(elements) / sizeof(elements[0]) == ELEMENT_COUNT, "one row per element");

/* -- values --------------------------------------------------------------------------- */

/* The member's value, whatever its size. */
ALWAYS_INLINE uint64_t element_load(const uint8_t *at, unsigned bytes)
{
	uint16_t two;
	uint32_t four;
	uint64_t eight;
	switch (bytes) {
	case 1:
		return *at;
	case 2:
		memcpy(&two, at, sizeof(two));
		return two;
	case 4:
		memcpy(&four, at, sizeof(four));
		return four;
	default:
		memcpy(&eight, at, sizeof(eight));
		return eight;
	}
}

ALWAYS_INLINE void element_store(uint8_t *to, uint64_t value, unsigned octets)
{
	switch (octets) {
	case 1:
		*to = (uint8_t)value;
		break;
	case 2:
		wire_store_be16(to, (uint16_t)value);
		break;
	case 3:
		to[0] = (uint8_t)(value >> 16);
		wire_store_be16(to + 1, (uint16_t)value);
		break;
	case 4:
		wire_store_be32(to, (uint32_t)value);
		break;
	default:
		wire_store_be64(to, value);
	}
}

static inline uint64_t ntp_time(uint64_t ns, uint64_t fraction)
{
	return (uint32_t)(ns / NS_PER_S + NTP_EPOCH_S) * (UINT64_C(1) << 32) | fraction;
}

/* The least fraction not below the microsecond that has its low 11 bits zero. The step of such
 * fractions is 0.48 us, so readers that cut and readers that round both get the microsecond. */
static inline uint64_t ntp_micro(uint64_t ns)
{
	uint64_t us = ns / NS_PER_US % US_PER_S;
	uint64_t fraction = ((us << 32) + US_PER_S - 1) / US_PER_S;
	return ntp_time(ns, (fraction + 0x7ff) & ~UINT64_C(0x7ff));
}

/* Likewise: fractions are 0.23 ns apart. */
static inline uint64_t ntp_nano(uint64_t ns)
{
	return ntp_time(ns, ((ns % NS_PER_S << 32) + NS_PER_S - 1) / NS_PER_S);
}

/* .at is a side's .mpls. */
static inline uint32_t element_label(const uint8_t *at, unsigned item)
{
	struct flow_side side;
	memcpy(&side, at - offsetof(struct flow_side, mpls), sizeof(side));
	return item < side.mpls_count ? side.mpls[item] : 0;
}

/* A time of the record: its direction's, or the earliest and latest of both directions. */
ALWAYS_INLINE uint64_t element_time(const uint8_t *at, const struct element_row *element,
	const struct layout_source *source, bool is_spanning)
{
	const struct flow_record *record = source->flow;
	uint64_t ns = element_load(at, 8);
	if (!is_spanning)
		return ns;
	if (element->at.member[0] == offsetof(struct flow_record, side[0].first_ns)) {
		uint64_t other_ns = record->side[!source->direction].first_ns;
		return other_ns < ns ? other_ns : ns;
	}
	uint64_t other_ns = record->side[!source->direction].last_ns;
	return other_ns > ns ? other_ns : ns;
}

/* How long it was from the first packet to the last, in milliseconds; .at is a side's
 * .first_ns. */
ALWAYS_INLINE uint64_t element_duration(
	const uint8_t *at, const struct layout_source *source, bool is_spanning)
{
	const int step =
		offsetof(struct flow_side, last_ns) - offsetof(struct flow_side, first_ns);
	uint64_t first_ns =
		element_time(at, &elements[ELEMENT_flowStartNanoseconds], source, is_spanning);
	uint64_t last_ns = element_time(
		at + step, &elements[ELEMENT_flowEndNanoseconds], source, is_spanning);
	return last_ns > first_ns ? (last_ns - first_ns) / NS_PER_MS : 0;
}

/* -- writing -------------------------------------------------------------------------- */

/* What is to be sent for a value that may not fit; *saturated grows when it does not. */
ALWAYS_INLINE uint64_t element_fit(
	uint64_t value, unsigned source_bytes, unsigned octets, unsigned *saturated)
{
	uint64_t most = octets >= 8 ? UINT64_MAX : (UINT64_C(1) << octets * 8) - 1;
	if (octets >= source_bytes || value <= most)
		return value;
	++*saturated;
	return most;
}

/* Write a row's element to .to, which has room for it. */
ALWAYS_INLINE void element_put(uint8_t *to, struct layout_row row, bool is_spanning,
	const struct layout_source *source, unsigned *saturated)
{
	const struct element_row *element = &elements[row.element];
	bool is_reverse = row.is_reverse;
	unsigned octets = row.octets;
	/* Both directions' places are a fixed distance apart. */
	int step = element->at.member[!is_reverse] - element->at.member[is_reverse];
	const void *owner = element->at.owner == OWNER_FACTS ? (const void *)source->facts
							     : (const void *)source->flow;
	const uint8_t *at = (const uint8_t *)owner + element->at.member[is_reverse] +
			    (int)source->direction * step;
	uint64_t value;
	switch ((enum element_kind)element->kind) {
	case KIND_BYTES:
		memcpy(to, at, octets);
		return;
	case KIND_COMMUNITY:
		community_id_write(to, source->flow, source->direction);
		return;
	case KIND_UINT:
		value = element_load(at, element->at.bytes);
		value = element_fit(value, element->at.bytes, octets, saturated);
		break;
	case KIND_DURATION:
		value = element_duration(at, source, is_spanning);
		value = element_fit(value, 8, octets, saturated);
		break;
	case KIND_HIGH_OCTET:
		value = element_load(at, 2) >> 8;
		break;
	case KIND_LOW_OCTET:
	case KIND_FLAGS:
		value = element_load(at, 2) & 0xff;
		break;
	case KIND_LABEL:
		value = element_label(at, element->at.item);
		break;
	case KIND_UPTIME:
		value = element_time(at, element, source, is_spanning) / NS_PER_MS;
		value -= source->boot_ms;
		break;
	case KIND_SECONDS:
		value = element_time(at, element, source, is_spanning) / NS_PER_S;
		break;
	case KIND_MILLI:
		value = element_time(at, element, source, is_spanning) / NS_PER_MS;
		break;
	case KIND_MICRO:
		value = ntp_micro(element_time(at, element, source, is_spanning));
		break;
	case KIND_NANO:
	default:
		value = ntp_nano(element_time(at, element, source, is_spanning));
		break;
	}
	element_store(to, value, octets);
}

#endif
