/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When messages are sent, and what is in them.
 *
 * Two things are due at a time: the message being filled, flush_delay after it was begun, and
 * the templates, template_refresh after they were last written. Moving the clock runs what is
 * due in the order in which it was due, with the clock standing at that time; so what is sent
 * depends on packet time alone, not on how often anybody looked.
 *
 * Templates also go into the next message when nobody can be expected to know them: at the
 * start, when asked, after so many messages, and when a message that held them was lost. After
 * a collector was away they are sent each second for a while.
 *
 * A session of the transport begins with templates, which then hold as long as it does; they
 * are not repeated, but options data are. What the session before has not taken goes with this
 * one, so it is numbered anew: the sequence begins with each session (RFC 7011 section 10.3.2,
 * 10.4.3).
 *
 * Where the transport can send several messages for little more than the price of one, those
 * that are finished are gathered until the caller ends its pass. Templates wait for nothing:
 * what is gathered goes before them, because their options tell what has been sent.
 */
#include "export/exporter.h"

#include <errno.h>
#include <stdlib.h>

#include "export/exporter_inside.h"
#include "export/exporter_keep.h"
#include "export/options_layouts.h"
#include "export/utf8.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)
#define NEVER_NS UINT64_MAX
/* What few records need: kept out of the way of the others. */
#define RARE __attribute__((noinline, cold))
#define DOUBT_NS (5 * NS_PER_S)
#define DOUBT_REFRESH_NS NS_PER_S
#define EXPORT_TIME_AT 4 /* in IPFIX's header */
#define SEQUENCE_AT 8
#define V5_SAMPLING_MODE (1U << 14) /* deterministic */
#define V5_SAMPLING_MAX 0x3fffU

static uint64_t later(uint64_t ns, uint64_t by_ns)
{
	return ns > NEVER_NS - by_ns ? NEVER_NS : ns + by_ns;
}

/* -- sending -------------------------------------------------------------------------- */

static uint32_t sequence_step(const struct exporter *exporter)
{
	const struct message *message = &exporter->message;
	switch (exporter->dialect->sequence_unit) {
	case SEQUENCE_NONE:
		return 0;
	case SEQUENCE_MESSAGES:
		return 1;
	case SEQUENCE_RECORDS:
		break;
	}
	return message->flow_count + message->options_count;
}

/* Whatever becomes of the message, its sequence numbers are used, so that a loss shows as a
 * gap. */
static void send_message(struct exporter *exporter)
{
	struct message *message = &exporter->message;
	struct message_head head = {
		.sequence = exporter->sequence,
		.domain = exporter->config.domain,
		.engine_type = exporter->config.engine_type,
		.engine_id = exporter->config.engine_id,
		.sampling = exporter->v5_sampling,
		.now_ns = exporter->clock_ns,
		.boot_ms = exporter->boot_ms,
	};
	message_finish(message, &head);
	exporter->flush_due_ns = NEVER_NS;
	exporter->sequence += sequence_step(exporter);
	exporter->messages_since_templates++;
	if (exporter->is_sampling_saturated)
		outbox_count(&exporter->outbox.stats.saturated_fields, 1);
	struct gathered gathered = {
		.length = (uint32_t)head.length,
		.flow_count = message->flow_count,
		.has_templates = message->template_count != 0,
	};
	if (exporter->is_opening)
		outbox_send_ahead(&exporter->outbox, gathered);
	else
		outbox_add(&exporter->outbox, gathered,
			later(exporter->clock_ns,
				exporter->config.gather_delay_ms * NS_PER_MS));
}

static void begin_message(struct exporter *exporter)
{
	message_begin(&exporter->message, outbox_place(&exporter->outbox));
	exporter->flush_due_ns =
		later(exporter->clock_ns, exporter->config.flush_delay_ms * NS_PER_MS);
}

/* -- templates and options ------------------------------------------------------------ */

/* Room in a message that may already hold something; exporter_new() saw to it that one record
 * or template always fits an empty one. */
static void make_room(struct exporter *exporter, uint16_t set_id, size_t bytes)
{
	if (message_enter(&exporter->message, set_id, bytes))
		return;
	send_message(exporter);
	begin_message(exporter);
	message_enter(&exporter->message, set_id, bytes);
}

static void put_template(struct exporter *exporter, const struct layout *layout)
{
	const struct dialect *dialect = exporter->dialect;
	uint16_t set_id =
		layout->scope_count ? dialect->options_set_id : dialect->template_set_id;
	make_room(exporter, set_id, layout_template_bytes(layout));
	layout_put_template(&exporter->message.out, layout, dialect->version == EXPORT_IPFIX);
	exporter->message.template_count++;
}

/* The template, where it is to be told, and then its records, so that every options template
 * has a set of its own: several in one are not read by all collectors. */
static void put_options(
	struct exporter *exporter, const struct layout *layout, bool tells_templates)
{
	if (tells_templates)
		put_template(exporter, layout);
	for (unsigned i = 0; i < options_record_count(layout); i++) {
		if (!options_fill(
			    &exporter->config, &exporter->layouts, layout, i, &exporter->facts))
			continue;
		struct layout_source source = { .facts = &exporter->facts };
		make_room(exporter, layout->id, layout->record_bytes);
		layout_put_record(&exporter->message.out, layout, &source);
		exporter->message.options_count++;
	}
}

/* Our end of the transport, which may have none. */
static void read_addresses(struct layout_facts *facts, const struct transport *transport)
{
	static const uint8_t v4_mapped[12] = { [10] = 0xff, [11] = 0xff };
	const struct transport_endpoints *ends = &transport->endpoints;
	if (ends->ip_version == 6) {
		memcpy(facts->exporter_v6, ends->local, 16);
	} else if (ends->ip_version == 4) {
		memcpy(facts->exporter_v4, ends->local, 4);
		memcpy(facts->exporter_v6, v4_mapped, 12);
		memcpy(facts->exporter_v6 + 12, ends->local, 4);
	}
}

static void read_stats(struct layout_facts *facts, const struct exporter_stats *stats)
{
	facts->exported_messages = stats->messages;
	facts->exported_records = stats->records;
	facts->exported_octets = stats->octets;
	facts->not_sent_flows = stats->failed_records;
}

static void read_ignored(struct exporter *exporter)
{
	const struct exporter_config *config = &exporter->config;
	if (config->ignored_packets)
		exporter->facts.ignored_packets = config->ignored_packets(config->ignored_user);
}

/* Kinds of flows whose records tell the same have one template. */
static bool is_repeated(const struct layout *layouts, unsigned index)
{
	for (unsigned i = 0; i < index; i++)
		if (layouts[i].row_count != 0 && layouts[i].id == layouts[index].id)
			return true;
	return false;
}

/* Templates and options data; once a session has begun, options data alone unless somebody
 * asked for all. */
static void put_templates(struct exporter *exporter)
{
	const struct dialect_layouts *layouts = &exporter->layouts;
	bool tells_templates = !exporter->transport->has_sessions || exporter->is_opening ||
			       exporter->wants_templates || exporter->outbox.has_lost_templates;
	exporter->wants_templates = exporter->outbox.has_lost_templates = false;
	exporter->messages_since_templates = 0;
	exporter->templates_ns = exporter->clock_ns;
	outbox_note(&exporter->outbox.stats.last_templates_ns, exporter->clock_ns);
	if (exporter->config.template_refresh_s != 0)
		exporter->template_due_ns = later(
			exporter->clock_ns, exporter->config.template_refresh_s * NS_PER_S);
	for (unsigned i = 0; i < FLOW_LAYOUT_COUNT && tells_templates; i++)
		if (layouts->flow[i].row_count != 0 && !is_repeated(layouts->flow, i))
			put_template(exporter, &layouts->flow[i]);
	read_stats(&exporter->facts, &exporter->outbox.stats);
	read_ignored(exporter);
	read_addresses(&exporter->facts, exporter->transport);
	for (unsigned i = 0; i < layouts->options_count; i++)
		put_options(exporter, &layouts->options[i], tells_templates);
}

/* Hosts send few words of loss a second, so after one any message may be lost, with or without
 * a word, until there was none for a while. */
static void doubt_templates(struct exporter *exporter)
{
	if (exporter->outbox.has_lost_templates)
		exporter->doubt_end_ns = later(exporter->clock_ns, DOUBT_NS);
	else if (exporter->clock_ns < exporter->doubt_end_ns &&
		 exporter->clock_ns >= later(exporter->templates_ns, DOUBT_REFRESH_NS))
		exporter->wants_templates = true;
}

static bool is_time_for_templates(const struct exporter *exporter)
{
	uint32_t most = exporter->config.template_refresh_messages;
	if (!exporter->dialect->has_sets)
		return false;
	if (exporter->wants_templates || exporter->outbox.has_lost_templates)
		return true;
	return !exporter->transport->has_sessions && most != 0 &&
	       exporter->messages_since_templates >= most;
}

/* -- sessions -------------------------------------------------------------------------- */

static uint32_t get_be32(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static void set_be32(uint8_t *at, uint32_t value)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

/* Write the templates ahead of what waits, and with no later time than that; returns the number
 * of data records that came with them. */
static uint32_t open_session(struct exporter *exporter, const uint8_t *first)
{
	uint64_t clock_ns = exporter->clock_ns;
	exporter->sequence = 0;
	exporter->is_opening = true;
	if (first)
		exporter->clock_ns = get_be32(first + EXPORT_TIME_AT) * NS_PER_S;
	begin_message(exporter);
	put_templates(exporter);
	send_message(exporter);
	exporter->clock_ns = clock_ns;
	exporter->is_opening = false;
	return exporter->sequence;
}

/* Until .wants_session is cleared the transport takes nothing, so what is being filled joins
 * those that wait. */
static void begin_session(struct exporter *exporter)
{
	struct outbox *outbox = &exporter->outbox;
	if (exporter->message.is_begun)
		send_message(exporter);
	exporter->transport->wants_session = false;
	uint32_t next = exporter->sequence;
	const uint8_t *first = outbox_first(outbox);
	uint32_t base = first ? get_be32(first + SEQUENCE_AT) : next;
	uint32_t move = open_session(exporter, first) - base;
	exporter->sequence = next + move;
	unsigned index = 0;
	for (uint8_t *at = outbox_first(outbox); at; at = outbox_next(outbox, &index, at))
		set_be32(at + SEQUENCE_AT, get_be32(at + SEQUENCE_AT) + move);
}

/* Let the transport move on, and begin what it wants begun. */
static void keep_session(struct exporter *exporter)
{
	outbox_tick(&exporter->outbox, exporter->clock_ns);
	if (exporter->transport->wants_session)
		begin_session(exporter);
}

/* Send all that is finished, also when the transport has to begin a session for it. */
static void send_finished(struct exporter *exporter)
{
	outbox_send(&exporter->outbox);
	while (exporter->transport->wants_session) {
		begin_session(exporter);
		outbox_send(&exporter->outbox);
	}
}

/* -- records -------------------------------------------------------------------------- */

/* At most two messages go out to make room: a full one, and one that templates have filled. */
RARE static void make_flow_room(struct exporter *exporter, const struct layout *layout)
{
	struct message *message = &exporter->message;
	if (message->is_begun) {
		if (message_enter(message, layout->id, layout->record_bytes))
			return;
		send_message(exporter);
	}
	if (exporter->outbox.gather.count == 0)
		outbox_ask(&exporter->outbox);
	if (exporter->transport->wants_session)
		begin_session(exporter);
	else if (!exporter->transport->has_sessions)
		doubt_templates(exporter);
	bool is_time = is_time_for_templates(exporter);
	if (is_time)
		outbox_send(&exporter->outbox);
	begin_message(exporter);
	if (is_time)
		put_templates(exporter);
	make_room(exporter, layout->id, layout->record_bytes);
}

static void put_flow(struct exporter *exporter, const struct layout *layout,
	const struct flow_record *record, unsigned direction)
{
	struct layout_source source = {
		.flow = record,
		.facts = &exporter->facts,
		.direction = direction,
		.boot_ms = exporter->boot_ms,
	};
	if (!message_continues(&exporter->message, layout->id, layout->record_bytes))
		make_flow_room(exporter, layout);
	layout_put_record(&exporter->message.out, layout, &source);
	exporter->message.flow_count++;
	if (source.saturated != 0)
		outbox_count(&exporter->outbox.stats.saturated_fields, source.saturated);
}

static bool is_seen(const struct flow_side *side)
{
	return (side->packets | side->octets) != 0;
}

static const struct layout *choose_layout(
	const struct exporter *exporter, const struct flow_record *record, unsigned traits)
{
	if (record->ip_version == 6)
		traits |= FLOW_LAYOUT_IPV6;
	if (record->is_icmp)
		traits |= exporter->icmp_trait;
	return &exporter->layouts.flow[traits];
}

/* Part .index of .count nearly equal parts that add up to .total. */
static uint64_t share(uint64_t total, uint64_t parts, uint64_t index)
{
	return total / parts + (index < total % parts);
}

static uint64_t parts_of(uint64_t total, uint64_t most)
{
	return total / most + (total % most != 0);
}

/* More than the counters of one record can tell: several records that add up. */
RARE static void put_split(struct exporter *exporter, const struct layout *layout,
	const struct flow_record *record, unsigned direction)
{
	uint64_t most = exporter->dialect->most_counted;
	struct flow_record part = *record;
	const struct flow_side *whole = &record->side[direction];
	uint64_t parts = parts_of(whole->octets, most);
	if (parts < parts_of(whole->packets, most))
		parts = parts_of(whole->packets, most);
	for (uint64_t i = 0; i < parts; i++) {
		part.side[direction].octets = share(whole->octets, parts, i);
		part.side[direction].packets = share(whole->packets, parts, i);
		put_flow(exporter, layout, &part, direction);
	}
}

static void put_uniflows(struct exporter *exporter, const struct flow_record *record)
{
	const struct layout *layout = choose_layout(exporter, record, 0);
	uint64_t most = exporter->dialect->most_counted;
	for (unsigned direction = 0; direction < 2; direction++) {
		const struct flow_side *side = &record->side[direction];
		if (!is_seen(side))
			continue;
		if (side->octets > most || side->packets > most)
			put_split(exporter, layout, record, direction);
		else
			put_flow(exporter, layout, record, direction);
	}
}

/* -- the clock ------------------------------------------------------------------------ */

RARE static void start_clock(struct exporter *exporter, uint64_t now_ns)
{
	exporter->has_clock = true;
	exporter->clock_ns = now_ns;
	if (exporter->dialect->has_sets && exporter->config.template_refresh_s != 0)
		exporter->template_due_ns =
			later(now_ns, exporter->config.template_refresh_s * NS_PER_S);
}

static bool is_flush_next(const struct exporter *exporter)
{
	return exporter->message.is_begun &&
	       exporter->flush_due_ns <= exporter->template_due_ns;
}

static uint64_t next_due_ns(const struct exporter *exporter)
{
	return is_flush_next(exporter) ? exporter->flush_due_ns : exporter->template_due_ns;
}

/* Send templates alone. After a jump of the clock over several times they were due, the last of
 * those stands for all. */
static void refresh_on_time(struct exporter *exporter, uint64_t now_ns)
{
	uint64_t interval_ns = exporter->config.template_refresh_s * NS_PER_S;
	if (exporter->message.is_begun)
		send_message(exporter);
	outbox_send(&exporter->outbox);
	exporter->clock_ns += (now_ns - exporter->clock_ns) / interval_ns * interval_ns;
	if (exporter->transport->has_sessions &&
		(!exporter->transport->is_open || exporter->transport->wants_session)) {
		exporter->template_due_ns = later(exporter->clock_ns, interval_ns);
		return; /* the next session begins with them */
	}
	begin_message(exporter);
	put_templates(exporter);
	send_message(exporter);
}

RARE static void run_due(struct exporter *exporter, uint64_t now_ns)
{
	for (;;) {
		uint64_t due_ns = next_due_ns(exporter);
		if (due_ns > now_ns || due_ns == NEVER_NS)
			return;
		if (due_ns > exporter->clock_ns)
			exporter->clock_ns = due_ns;
		exporter->outbox.now_ns = exporter->clock_ns;
		if (is_flush_next(exporter))
			send_message(exporter);
		else
			refresh_on_time(exporter, now_ns);
	}
}

/* -- public --------------------------------------------------------------------------- */

static bool is_config_sound(const struct exporter_config *config)
{
	char error[TEMPLATE_ERROR_BYTES];
	return dialect_find(config->version) && config->time <= EXPORT_TIME_NANOSECONDS &&
	       config->biflow <= EXPORT_BIFLOW_FULL && config->message_bytes <= UINT16_MAX &&
	       config->known_path_message_bytes <= UINT16_MAX &&
	       exporter_check_template(config, error) == 0;
}

static size_t most_size(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* The message that holds the longest thing there is. */
static size_t least_bytes(const struct dialect *dialect, const struct dialect_layouts *layouts)
{
	size_t longest = 0;
	for (unsigned i = 0; i < FLOW_LAYOUT_COUNT; i++) {
		const struct layout *layout = &layouts->flow[i];
		longest = most_size(longest, layout->record_bytes);
		if (dialect->has_sets && layout->row_count != 0)
			longest = most_size(longest, layout_template_bytes(layout));
	}
	for (unsigned i = 0; i < layouts->options_count; i++) {
		longest = most_size(longest, layouts->options[i].record_bytes);
		longest = most_size(longest, layout_template_bytes(&layouts->options[i]));
	}
	return message_bytes_for(dialect, longest);
}

static void read_facts(struct exporter *exporter)
{
	const struct exporter_config *config = &exporter->config;
	struct layout_facts *facts = &exporter->facts;
	facts->domain = config->domain;
	facts->process_id = config->process_id;
	facts->if_index = config->if_index;
	facts->observation_point = config->if_index;
	facts->sampling_interval = config->sampling_interval;
	facts->sampling_algorithm = 1;
	memcpy(facts->interface_name, config->interface_name,
		utf8_prefix_bytes(config->interface_name, sizeof(facts->interface_name)));
	memcpy(facts->interface_description, config->interface_description,
		utf8_prefix_bytes(
			config->interface_description, sizeof(facts->interface_description)));
}

static void set_boot(struct exporter *exporter, uint64_t boot_ns)
{
	exporter->boot_ms = boot_ns / NS_PER_MS;
	exporter->facts.boot_ns = exporter->boot_ms * NS_PER_MS;
}

static void read_v5_sampling(struct exporter *exporter)
{
	uint32_t interval = exporter->config.sampling_interval;
	if (exporter->config.version == EXPORT_NETFLOW_5 && interval > V5_SAMPLING_MAX) {
		interval = V5_SAMPLING_MAX;
		exporter->is_sampling_saturated = true;
	}
	exporter->v5_sampling = (uint16_t)(V5_SAMPLING_MODE | (interval & V5_SAMPLING_MAX));
}

size_t exporter_least_bytes(const struct exporter_config *config)
{
	struct dialect_layouts layouts;
	dialect_build_layouts(config, &layouts);
	return least_bytes(dialect_find(config->version), &layouts);
}

/* Larger messages are fewer, and each costs about as much. */
static uint32_t largest_message(
	const struct exporter_config *config, const struct transport *transport)
{
	uint32_t known_bytes = config->known_path_message_bytes;

	if (known_bytes > transport->path_bytes)
		known_bytes = transport->path_bytes;
	return known_bytes > config->message_bytes ? known_bytes : config->message_bytes;
}

/* .bytes NULL: the exporter has memory of its own. */
static int make(const struct exporter_config *config, struct transport *transport,
	uint8_t *bytes, struct exporter **ret_exporter)
{
	if (!is_config_sound(config) ||
		(transport->has_sessions && config->version != EXPORT_IPFIX))
		return -EINVAL;
	uint32_t message_bytes = largest_message(config, transport);
	size_t own_bytes = bytes ? 0 : gather_bytes_for(message_bytes);
	struct exporter *exporter = calloc(1, sizeof(*exporter) + own_bytes);
	if (!exporter)
		return -ENOMEM;
	exporter->config = *config;
	exporter->dialect = dialect_find(config->version);
	dialect_build_layouts(config, &exporter->layouts);
	if (message_bytes < least_bytes(exporter->dialect, &exporter->layouts)) {
		free(exporter);
		return -EMSGSIZE;
	}
	exporter->has_biflow = exporter->layouts.flow[FLOW_LAYOUT_BIFLOW].row_count != 0;
	if (exporter->layouts.flow[FLOW_LAYOUT_ICMP].row_count != 0)
		exporter->icmp_trait = FLOW_LAYOUT_ICMP;
	set_boot(exporter, config->boot_ns);
	exporter->flush_due_ns = exporter->template_due_ns = NEVER_NS;
	exporter->wants_templates = !transport->has_sessions;
	exporter->outbox = outbox_over(transport, exporter->bytes, message_bytes);
	exporter->message = message_of(exporter->dialect, message_bytes);
	read_facts(exporter);
	read_v5_sampling(exporter);
	exporter->config.interface_name = exporter->config.interface_description = NULL;
	exporter->transport = transport;
	*ret_exporter = exporter;
	return 0;
}

int exporter_new(const struct exporter_config *config, struct transport *transport,
	struct exporter **ret_exporter)
{
	return make(config, transport, NULL, ret_exporter);
}

int exporter_new_kept(const struct exporter_config *config, struct transport *transport,
	uint8_t *bytes, const struct exporter_saved *saved, struct exporter **ret_exporter)
{
	int result = make(config, transport, bytes, ret_exporter);
	if (result < 0)
		return result;
	result = exporter_keep_in(*ret_exporter, bytes, saved);
	if (result < 0) {
		free(*ret_exporter);
		*ret_exporter = NULL;
	}
	return result;
}

void exporter_free(struct exporter *exporter)
{
	if (!exporter)
		return;
	if (exporter->message.is_begun && !exporter->outbox.is_kept)
		send_message(exporter);
	keep_session(exporter);
	send_finished(exporter);
	free(exporter->larger);
	transport_close(exporter->transport);
	free(exporter);
}

static void move_clock(struct exporter *exporter, uint64_t now_ns)
{
	if (!exporter->has_clock)
		start_clock(exporter, now_ns);
	if (now_ns < exporter->clock_ns)
		now_ns = exporter->clock_ns;
	if (now_ns >= exporter->flush_due_ns || now_ns >= exporter->template_due_ns)
		run_due(exporter, now_ns);
	exporter->clock_ns = exporter->outbox.now_ns = now_ns;
}

void exporter_send_gathered(struct exporter *exporter)
{
	if (exporter->transport->has_sessions)
		keep_session(exporter);
	if (!exporter->outbox.is_kept)
		outbox_send_due(&exporter->outbox, exporter->clock_ns);
}

bool exporter_release(struct exporter *exporter)
{
	if (exporter->transport->has_sessions)
		keep_session(exporter);
	return outbox_release(&exporter->outbox);
}

bool exporter_is_empty(const struct exporter *exporter)
{
	return !exporter->message.is_begun && exporter->outbox.gather.count == 0;
}

bool exporter_is_held(const struct exporter *exporter)
{
	return exporter->outbox.is_held && !exporter->transport->is_away;
}

void exporter_give_up(struct exporter *exporter)
{
	outbox_give_up(&exporter->outbox);
}

void exporter_advance(struct exporter *exporter, uint64_t now_ns)
{
	move_clock(exporter, now_ns);
	exporter_send_gathered(exporter);
}

void exporter_add(struct exporter *exporter, const struct flow_record *record, uint64_t now_ns)
{
	const struct flow_side *side = record->side;
	move_clock(exporter, now_ns);
	if (record->ip_version == 6 && !exporter->dialect->carries_ipv6) {
		outbox_count(&exporter->outbox.stats.unsupported_flows, 1);
		outbox_count(&exporter->outbox.stats.unsupported_pkts,
			side[0].packets + side[1].packets);
		return;
	}
	outbox_count(&exporter->outbox.stats.flows, 1);
	if (exporter->has_biflow && is_seen(&side[0]) && is_seen(&side[1]))
		put_flow(exporter, choose_layout(exporter, record, FLOW_LAYOUT_BIFLOW), record,
			0);
	else
		put_uniflows(exporter, record);
}

void exporter_flush(struct exporter *exporter, uint64_t now_ns)
{
	move_clock(exporter, now_ns);
	if (exporter->message.is_begun)
		send_message(exporter);
	keep_session(exporter);
	send_finished(exporter);
	outbox_ask(&exporter->outbox);
}

void exporter_refresh_templates(struct exporter *exporter)
{
	exporter->wants_templates = true;
}

void exporter_set_boot(struct exporter *exporter, uint64_t boot_ns)
{
	if (exporter->message.is_begun)
		send_message(exporter);
	set_boot(exporter, boot_ns);
	exporter->wants_templates = true;
}

static void step(uint64_t *time_ns, int64_t step_ns)
{
	if (step_ns < 0 && *time_ns < (uint64_t)-step_ns)
		*time_ns = 0;
	else if (*time_ns != NEVER_NS)
		*time_ns += (uint64_t)step_ns;
}

void exporter_step_clock(struct exporter *exporter, int64_t step_ns)
{
	uint64_t boot_ns = exporter->facts.boot_ns;
	step(&boot_ns, step_ns);
	exporter_set_boot(exporter, boot_ns);
	if (!exporter->has_clock)
		return;
	step(&exporter->clock_ns, step_ns);
	step(&exporter->template_due_ns, step_ns);
	step(&exporter->templates_ns, step_ns);
	step(&exporter->doubt_end_ns, step_ns);
	step(&exporter->outbox.gather.due_ns, step_ns);
	exporter->transport->due_ns = 0; /* it looks again what time it is */
}

/* Due by .from_ns after something; due by .to_ns after the same. 0: never. */
static uint64_t move_due(uint64_t due_ns, uint64_t clock_ns, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t since_ns = due_ns == NEVER_NS ? clock_ns : due_ns - from_ns;

	return to_ns == 0 ? NEVER_NS : later(since_ns, to_ns);
}

static void resample(struct exporter *exporter, uint32_t interval)
{
	if (exporter->message.is_begun)
		send_message(exporter);
	exporter->config.sampling_interval = interval;
	exporter->facts.sampling_interval = interval;
	exporter->is_sampling_saturated = false;
	read_v5_sampling(exporter);
	exporter->wants_templates = true;
}

void exporter_set_terms(struct exporter *exporter, const struct exporter_config *config)
{
	struct exporter_config *own = &exporter->config;

	if (config->sampling_interval != own->sampling_interval)
		resample(exporter, config->sampling_interval);
	if (exporter->has_clock && exporter->dialect->has_sets)
		exporter->template_due_ns = move_due(exporter->template_due_ns,
			exporter->clock_ns, own->template_refresh_s * NS_PER_S,
			config->template_refresh_s * NS_PER_S);
	if (exporter->message.is_begun)
		exporter->flush_due_ns =
			later(exporter->flush_due_ns - own->flush_delay_ms * NS_PER_MS,
				config->flush_delay_ms * NS_PER_MS);
	own->template_refresh_s = config->template_refresh_s;
	own->template_refresh_messages = config->template_refresh_messages;
	own->flush_delay_ms = config->flush_delay_ms;
	own->gather_delay_ms = config->gather_delay_ms;
}

const struct exporter_stats *exporter_stats(const struct exporter *exporter)
{
	return &exporter->outbox.stats;
}

const struct transport *exporter_transport(const struct exporter *exporter)
{
	return exporter->transport;
}
