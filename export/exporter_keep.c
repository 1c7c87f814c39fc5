/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/exporter_keep.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "export/exporter_inside.h"

#define ROOM_TRIES 100
#define ROOM_WAIT_MS 10

static bool has_same_fields(const struct export_fields *a, const struct export_fields *b)
{
	return a->has_protocol == b->has_protocol && a->has_ports == b->has_ports &&
	       a->has_vlan == b->has_vlan && a->has_mac == b->has_mac &&
	       a->mpls_labels == b->mpls_labels;
}

/* All that a message half filled, and a session half told, depend on. Times of waiting do not
 * matter. */
bool exporter_fits(const struct exporter_saved *saved, const struct exporter_config *config,
	const char *destination)
{
	const struct exporter_config *was = &saved->config;

	return saved->is_used && !saved->is_closed && was->version == config->version &&
	       was->time == config->time && was->biflow == config->biflow &&
	       has_same_fields(&was->fields, &config->fields) &&
	       memcmp(&was->template, &config->template, sizeof(was->template)) == 0 &&
	       was->domain == config->domain && was->engine_type == config->engine_type &&
	       was->engine_id == config->engine_id &&
	       was->sampling_interval == config->sampling_interval &&
	       was->message_bytes == config->message_bytes &&
	       strncmp(saved->destination, destination, sizeof(saved->destination)) == 0;
}

static void save_message(const struct message *message, struct exporter_saved *to)
{
	to->is_begun = message->is_begun;
	to->set_id = message->set_id;
	to->begun_bytes = message->out.length;
	to->set_mark = message->set_mark;
	to->template_count = message->template_count;
	to->options_count = message->options_count;
	to->flow_count = message->flow_count;
}

void exporter_save(struct exporter *exporter, struct exporter_saved *to)
{
	struct outbox *outbox = &exporter->outbox;
	struct gather *gather = &outbox->gather;

	to->is_used = 1;
	to->is_closed = 0;
	memcpy(to->destination, exporter->transport->name, sizeof(to->destination));
	to->config = exporter->config;
	to->boot_ms = exporter->boot_ms;
	to->clock_ns = exporter->clock_ns;
	to->flush_due_ns = exporter->flush_due_ns;
	to->template_due_ns = exporter->template_due_ns;
	to->templates_ns = exporter->templates_ns;
	to->doubt_end_ns = exporter->doubt_end_ns;
	to->has_clock = exporter->has_clock;
	to->wants_templates = exporter->wants_templates;
	to->messages_since_templates = exporter->messages_since_templates;
	to->sequence = exporter->sequence;
	to->has_lost_templates = outbox->has_lost_templates;
	to->last_message_count = outbox->last_message_count;
	to->last_flow_count = outbox->last_flow_count;
	to->stats = outbox->stats;
	to->start = gather->start;
	to->length = gather->length;
	to->message_count = gather->count;
	to->message_bytes = outbox->message_bytes;
	memcpy(to->messages, gather_messages(gather), gather->count * sizeof(to->messages[0]));
	save_message(&exporter->message, to);
}

static bool is_sound(const struct exporter_saved *saved)
{
	uint64_t bytes = 0;

	if (saved->message_count > EXPORTER_KEPT_MESSAGES || saved->start > saved->length ||
		saved->length > EXPORTER_KEPT_BYTES || saved->message_bytes > UINT16_MAX)
		return false;
	for (uint32_t i = 0; i < saved->message_count; i++)
		bytes += saved->messages[i].length;
	if (bytes != saved->length - saved->start)
		return false;
	return !saved->is_begun ||
	       (saved->begun_bytes <= saved->message_bytes &&
		       saved->set_mark <= saved->begun_bytes &&
		       saved->message_bytes <= EXPORTER_KEPT_BYTES - saved->length);
}

static void load_message(struct message *message, const struct exporter_saved *saved)
{
	message->is_begun = saved->is_begun;
	message->set_id = saved->set_id;
	message->out.length = saved->begun_bytes;
	message->set_mark = saved->set_mark;
	message->template_count = saved->template_count;
	message->options_count = saved->options_count;
	message->flow_count = saved->flow_count;
}

static void load(struct exporter *exporter, const struct exporter_saved *saved)
{
	struct outbox *outbox = &exporter->outbox;
	struct gather *gather = &outbox->gather;

	exporter->boot_ms = saved->boot_ms;
	exporter->facts.boot_ns = saved->boot_ms * 1000000;
	exporter->clock_ns = saved->clock_ns;
	exporter->flush_due_ns = saved->flush_due_ns;
	exporter->template_due_ns = saved->template_due_ns;
	exporter->templates_ns = saved->templates_ns;
	exporter->doubt_end_ns = saved->doubt_end_ns;
	exporter->has_clock = saved->has_clock;
	exporter->wants_templates = saved->wants_templates;
	exporter->messages_since_templates = saved->messages_since_templates;
	exporter->sequence = saved->sequence;
	outbox->has_lost_templates = saved->has_lost_templates;
	outbox->last_message_count = saved->last_message_count;
	outbox->last_flow_count = saved->last_flow_count;
	outbox->stats = saved->stats;
	gather->start = saved->start;
	gather->length = saved->length;
	gather->count = saved->message_count;
	memcpy(gather->larger, saved->messages,
		saved->message_count * sizeof(saved->messages[0]));
	/* The message at hand was begun for this size, and there is no harm in it. */
	outbox->message_bytes = saved->message_bytes;
	exporter->message = message_of(exporter->dialect, saved->message_bytes);
	load_message(&exporter->message, saved);
	exporter->message.out.bytes = gather->bytes + gather->length;
}

int exporter_keep_in(
	struct exporter *exporter, uint8_t *bytes, const struct exporter_saved *saved)
{
	if (saved && !is_sound(saved))
		return -EBADMSG;
	exporter->larger = calloc(EXPORTER_KEPT_MESSAGES, sizeof(*exporter->larger));
	if (!exporter->larger)
		return -ENOMEM;
	exporter->outbox.is_kept = true;
	exporter->outbox.gather = gather_over_larger(
		bytes, EXPORTER_KEPT_BYTES, exporter->larger, EXPORTER_KEPT_MESSAGES);
	if (saved)
		load(exporter, saved);
	return 0;
}

void exporter_move(struct exporter *exporter, uint8_t *bytes)
{
	exporter->outbox.gather = gather_over_larger(
		bytes, EXPORTER_KEPT_BYTES, exporter->larger, EXPORTER_KEPT_MESSAGES);
}

void exporter_follow(struct exporter *exporter, uint32_t sequence)
{
	exporter->sequence = sequence;
}

int exporter_send_saved(const struct exporter_saved *saved, uint8_t *bytes,
	struct transport *transport, uint32_t *ret_sequence)
{
	struct exporter_config config = saved->config;
	struct exporter *exporter;

	config.interface_name = config.interface_description = "";
	int result = exporter_new_kept(&config, transport, bytes, saved, &exporter);
	if (result < 0)
		return result;
	exporter->template_due_ns = UINT64_MAX;
	exporter_flush(exporter, saved->clock_ns);
	exporter_release(exporter);
	for (unsigned i = 0; exporter_is_held(exporter) && i < ROOM_TRIES; i++) {
		poll(NULL, 0, ROOM_WAIT_MS);
		exporter_release(exporter);
	}
	if (ret_sequence)
		*ret_sequence = exporter->sequence;
	free(exporter->larger);
	free(exporter);
	return 0;
}
