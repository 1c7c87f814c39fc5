/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/ipfix_flow.h"

#include <netinet/in.h>
#include <string.h>

#define NS_PER_S UINT64_C(1000000000)
#define NS_PER_MS UINT64_C(1000000)
#define NTP_UNIX_S UINT64_C(2208988800) /* 1900 to 1970 */

/* Where an element goes. Side values of reverse elements go to the other side. */
enum place {
	PLACE_NOWHERE,
	SIDE_OCTETS,
	SIDE_PACKETS,
	SIDE_TOS,
	SIDE_FLAGS,
	SIDE_IN_IF,
	SIDE_OUT_IF,
	SIDE_FLOW_LABEL,
	SIDE_VLAN,
	SIDE_ICMP,
	SIDE_MIN_TTL,
	SIDE_MAX_TTL,
	SIDE_EGRESS,
	SIDE_FIRST,
	SIDE_LAST,
	SIDE_SOURCE_MAC,
	SIDE_DESTINATION_MAC,
	SIDE_LABEL,
	FLOW_SOURCE,
	FLOW_DESTINATION,
	FLOW_SOURCE_PORT,
	FLOW_DESTINATION_PORT,
	FLOW_PROTOCOL,
	FLOW_REASON,
	FLOW_ID,
	FLOW_BIFLOW,
	FLOW_SAMPLING,
};

/* clang-format off */
static const struct {
	enum place place;
	enum ipfix_type type; /* of times and addresses */
} places[] = {
	[1] = { SIDE_OCTETS }, [2] = { SIDE_PACKETS }, [85] = { SIDE_OCTETS },
	[86] = { SIDE_PACKETS }, [4] = { FLOW_PROTOCOL }, [5] = { SIDE_TOS }, [6] = { SIDE_FLAGS },
	[7] = { FLOW_SOURCE_PORT }, [11] = { FLOW_DESTINATION_PORT },
	[8] = { FLOW_SOURCE, IPFIX_IPV4 }, [12] = { FLOW_DESTINATION, IPFIX_IPV4 },
	[27] = { FLOW_SOURCE, IPFIX_IPV6 }, [28] = { FLOW_DESTINATION, IPFIX_IPV6 },
	[10] = { SIDE_IN_IF }, [14] = { SIDE_OUT_IF }, [31] = { SIDE_FLOW_LABEL },
	[32] = { SIDE_ICMP }, [139] = { SIDE_ICMP }, [34] = { FLOW_SAMPLING },
	[52] = { SIDE_MIN_TTL }, [53] = { SIDE_MAX_TTL }, [56] = { SIDE_SOURCE_MAC },
	[58] = { SIDE_VLAN }, [61] = { SIDE_EGRESS }, [80] = { SIDE_DESTINATION_MAC },
	[70] = { SIDE_LABEL }, [71] = { SIDE_LABEL }, [72] = { SIDE_LABEL }, [73] = { SIDE_LABEL },
	[74] = { SIDE_LABEL }, [75] = { SIDE_LABEL }, [76] = { SIDE_LABEL }, [77] = { SIDE_LABEL },
	[78] = { SIDE_LABEL }, [79] = { SIDE_LABEL },
	[136] = { FLOW_REASON }, [148] = { FLOW_ID }, [239] = { FLOW_BIFLOW },
	[150] = { SIDE_FIRST, IPFIX_SECONDS }, [151] = { SIDE_LAST, IPFIX_SECONDS },
	[152] = { SIDE_FIRST, IPFIX_MILLISECONDS }, [153] = { SIDE_LAST, IPFIX_MILLISECONDS },
	[154] = { SIDE_FIRST, IPFIX_MICROSECONDS }, [155] = { SIDE_LAST, IPFIX_MICROSECONDS },
	[156] = { SIDE_FIRST, IPFIX_NANOSECONDS }, [157] = { SIDE_LAST, IPFIX_NANOSECONDS },
	[243] = { SIDE_VLAN },
};
/* clang-format on */

uint64_t ipfix_number(const struct ipfix_value *value)
{
	uint64_t number = 0;

	for (size_t i = 0; i < value->octets && i < 8; i++)
		number = number << 8 | value->bytes[i];
	return number;
}

uint64_t ipfix_time_ns(const struct ipfix_value *value, enum ipfix_type type)
{
	uint64_t number = ipfix_number(value);

	if (type == IPFIX_SECONDS)
		return number * NS_PER_S;
	if (type == IPFIX_MILLISECONDS)
		return number * NS_PER_MS;
	/* Seconds since 1900 and a binary fraction; the second era begins in 2036. */
	uint64_t seconds = number >> 32;
	uint64_t unix_s = seconds >= NTP_UNIX_S ? seconds - NTP_UNIX_S
						: seconds + (UINT64_C(1) << 32) - NTP_UNIX_S;
	return unix_s * NS_PER_S + ((number & UINT32_MAX) * NS_PER_S >> 32);
}

static void put_address(struct flow_record *record, unsigned end, enum ipfix_type type,
	const struct ipfix_value *value)
{
	size_t octets = type == IPFIX_IPV4 ? 4 : 16;

	if (value->octets != octets)
		return;
	record->ip_version = type == IPFIX_IPV4 ? 4 : 6;
	memset(record->address[end], 0, sizeof(record->address[end]));
	memcpy(record->address[end], value->bytes, octets);
}

static void put_mac(uint8_t mac[static 6], const struct ipfix_value *value)
{
	if (value->octets == 6)
		memcpy(mac, value->bytes, 6);
}

static void put_label(
	struct ipfix_flow *flow, struct flow_side *side, const struct ipfix_value *value)
{
	uint32_t label = (uint32_t)ipfix_number(value);

	if (label == 0 || side->mpls_count == FLOW_MPLS_MAX || side != flow->record.side)
		return;
	flow->labels[side->mpls_count++] = label;
	side->mpls = flow->labels;
}

static bool put_side(struct flow_side *side, enum place place, uint64_t number)
{
	switch (place) {
	case SIDE_OCTETS:
		side->octets = number;
		return true;
	case SIDE_PACKETS:
		side->packets = number;
		return true;
	case SIDE_TOS:
		side->tos = (uint8_t)number;
		return true;
	case SIDE_FLAGS:
		side->tcp_flags = (uint16_t)number;
		return true;
	case SIDE_IN_IF:
		side->ingress_if = (uint32_t)number;
		return true;
	case SIDE_OUT_IF:
		side->egress_if = (uint32_t)number;
		return true;
	case SIDE_FLOW_LABEL:
		side->flow_label = (uint32_t)number;
		return true;
	case SIDE_VLAN:
		side->vlan_id = (uint16_t)number;
		return true;
	case SIDE_ICMP:
		side->icmp_type_code = (uint16_t)number;
		return true;
	case SIDE_MIN_TTL:
		side->min_ttl = (uint8_t)number;
		return true;
	case SIDE_MAX_TTL:
		side->max_ttl = (uint8_t)number;
		return true;
	case SIDE_EGRESS:
		side->is_egress = number == 1;
		return true;
	default:
		return false;
	}
}

static void put_flow(struct ipfix_flow *flow, enum place place, enum ipfix_type type,
	const struct ipfix_value *value)
{
	struct flow_record *record = &flow->record;
	uint64_t number = ipfix_number(value);

	switch (place) {
	case FLOW_SOURCE:
		put_address(record, 0, type, value);
		break;
	case FLOW_DESTINATION:
		put_address(record, 1, type, value);
		break;
	case FLOW_SOURCE_PORT:
		record->port[0] = (uint16_t)number;
		break;
	case FLOW_DESTINATION_PORT:
		record->port[1] = (uint16_t)number;
		break;
	case FLOW_PROTOCOL:
		record->protocol = (uint8_t)number;
		break;
	case FLOW_REASON:
		record->end_reason = (uint8_t)number;
		break;
	case FLOW_ID:
		record->flow_id = number;
		break;
	case FLOW_BIFLOW:
		record->is_initiator_known = number != 0;
		break;
	case FLOW_SAMPLING:
		flow->sampling_interval = (uint32_t)number;
		break;
	default:
		break;
	}
}

static void put_value(struct ipfix_flow *flow, const struct ipfix_field *field,
	const struct ipfix_value *value)
{
	bool is_reverse = field->enterprise == IPFIX_REVERSE;

	if ((field->enterprise != 0 && !is_reverse) ||
		field->id >= sizeof(places) / sizeof(places[0]))
		return;
	enum place place = places[field->id].place;
	enum ipfix_type type = places[field->id].type;
	struct flow_side *side = &flow->record.side[is_reverse];

	if (place == SIDE_FIRST)
		side->first_ns = ipfix_time_ns(value, type);
	else if (place == SIDE_LAST)
		side->last_ns = ipfix_time_ns(value, type);
	else if (place == SIDE_SOURCE_MAC)
		put_mac(side->source_mac, value);
	else if (place == SIDE_DESTINATION_MAC)
		put_mac(side->destination_mac, value);
	else if (place == SIDE_LABEL)
		put_label(flow, side, value);
	else if (!put_side(side, place, ipfix_number(value)) && !is_reverse)
		put_flow(flow, place, type, value);
}

/* A reverse side without times of its own has those of the whole (RFC 5103). */
static void complete(struct flow_record *record)
{
	struct flow_side *there = &record->side[0], *back = &record->side[1];

	record->is_icmp =
		record->protocol == IPPROTO_ICMP || record->protocol == IPPROTO_ICMPV6;
	if (back->packets == 0)
		return;
	if (back->first_ns == 0)
		back->first_ns = there->first_ns;
	if (back->last_ns == 0)
		back->last_ns = there->last_ns;
}

bool ipfix_flow_read(const struct ipfix_record *record, struct ipfix_flow *ret_flow)
{
	const struct ipfix_template *template = record->template;
	const struct flow_side *side = ret_flow->record.side;

	*ret_flow =
		(struct ipfix_flow){ .record = { .ip_version = 4 }, .sampling_interval = 1 };
	if (template->scope_count > 0)
		return false;
	for (unsigned i = 0; i < template->count; i++)
		put_value(ret_flow, &template->fields[i], &record->values[i]);
	complete(&ret_flow->record);
	return (side[0].packets | side[0].octets | side[1].packets) != 0;
}
