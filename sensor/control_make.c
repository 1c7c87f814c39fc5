/* SPDX-License-Identifier: BSD-2-Clause */
/* Above the rows stands what their expressions call. */
#include "sensor/control_make.h"

#include <arpa/inet.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "sensor/flow_pick.h"
#include "sensor/varlink.h"

#define OCTETS_PER_KIB 1024

/* -- values --------------------------------------------------------------------------- */

/* JSON's integers are signed here: what does not fit is the largest. */
static json_t *int_value(uint64_t number)
{
	return json_integer(number > INT64_MAX ? INT64_MAX : (json_int_t)number);
}

static void put_INT(json_t *object, const char *name, uint64_t number)
{
	json_object_set_new_nocheck(object, name, int_value(number));
}

static void put_INT_MAYBE(json_t *object, const char *name, uint64_t number)
{
	if (number != UINT64_MAX)
		put_INT(object, name, number);
}

static void put_TIME(json_t *object, const char *name, uint64_t time_ns)
{
	if (time_ns != 0)
		put_INT(object, name, time_ns);
}

#define put_SPAN put_INT
#define put_SPAN_MAYBE put_INT_MAYBE

static void put_REAL(json_t *object, const char *name, double number)
{
	json_object_set_new_nocheck(object, name, json_real(number));
}

#define put_SHARE put_REAL

static void put_BOOL(json_t *object, const char *name, bool is_true)
{
	json_object_set_new_nocheck(object, name, json_boolean(is_true));
}

static void put_TEXT(json_t *object, const char *name, const char *text)
{
	json_object_set_new_nocheck(object, name, varlink_string(text, strlen(text)));
}

static void put_TEXT_MAYBE(json_t *object, const char *name, const char *text)
{
	if (text)
		put_TEXT(object, name, text);
}

static void put_OBJECT(json_t *object, const char *name, json_t *value)
{
	json_object_set_new_nocheck(object, name, value);
}

#define put_LIST put_OBJECT

/* -- of flows ------------------------------------------------------------------------- */

struct short_text {
	char text[INET6_ADDRSTRLEN];
};

static struct short_text address_text(const struct flow_record *record, unsigned slot)
{
	struct short_text out = { "" };

	inet_ntop(record->ip_version == 4 ? AF_INET : AF_INET6, record->address[slot], out.text,
		sizeof(out.text));
	return out;
}

static struct short_text mac_text(const struct flow_record *record, unsigned slot)
{
	bool has_sent = record->side[slot].packets > 0;
	const uint8_t *mac =
		has_sent ? record->side[slot].source_mac : record->side[!slot].destination_mac;
	struct short_text out;

	snprintf(out.text, sizeof(out.text), "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1],
		mac[2], mac[3], mac[4], mac[5]);
	return out;
}

/* The direction that was seen, the initiator's when both were. */
static const struct flow_side *seen_side(const struct flow_record *record)
{
	return &record->side[record->side[0].packets == 0];
}

static uint64_t icmp_part(const struct flow_record *record, unsigned shift)
{
	if (!record->is_icmp)
		return UINT64_MAX;
	return seen_side(record)->icmp_type_code >> shift & 0xff;
}

static uint64_t flow_vlan(const struct flow_record *record)
{
	return seen_side(record)->vlan_id;
}

static uint64_t flow_interface(const struct flow_record *record)
{
	return seen_side(record)->ingress_if;
}

/* -- of the status -------------------------------------------------------------------- */

static uint64_t peak_octets(void)
{
	struct rusage used = { 0 };

	getrusage(RUSAGE_SELF, &used);
	return (uint64_t)used.ru_maxrss * OCTETS_PER_KIB;
}

static uint64_t ring_octets(const struct control_context *context)
{
	const struct config *config = context->config;
	uint64_t blocks = (uint64_t)config->block_bytes * config->block_count;

	return (config->buffer_bytes ? config->buffer_bytes : blocks) *
	       context->desk->lane_count;
}

static uint64_t uptime_ns(const struct control_context *context)
{
	return loop_now_ns() - context->start_ns;
}

static uint64_t look_age_ns(const struct control_context *context)
{
	return loop_now_ns() -
	       (context->sight->taken_ns ? context->sight->taken_ns : context->start_ns);
}

static const char *error_text(uint64_t error)
{
	return error ? strerrordesc_np((int)error) : NULL;
}

static json_t *status_rates(const struct control_context *context)
{
	struct sight_rates rates = sight_rates(context->sight);

	return control_make_rates(&rates);
}

static json_t *status_lanes(const struct control_context *context)
{
	json_t *lanes = json_array();

	for (unsigned i = 0; i < context->sight->lane_count; i++) {
		struct lane_view view = {
			.number = i,
			.seen = &context->sight->lanes[i],
			.passes = lane_progress(context->desk->lanes[i]),
			.is_busy = lane_desk_is_out(context->desk, i),
		};
		json_array_append_new(lanes, control_make_lane(&view));
	}
	return lanes;
}

/* -- shapes --------------------------------------------------------------------------- */

/* clang-format off */
#define SHAPE(symbol, type, object_type, sentence) \
	json_t *control_make_##symbol(const object_type *it) \
	{ \
		json_t *object = json_object(); \
		(void)it;
#define FIELD(name, kind, of, title, expression, sentence) \
		put_##kind(object, #name, expression);
#define END_SHAPE(symbol) \
		return object; \
	}
#include "sensor/control_shape.def"
/* clang-format on */
