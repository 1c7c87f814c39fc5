/* SPDX-License-Identifier: BSD-2-Clause */
#include "export/outbox.h"

#include <errno.h>

struct outbox outbox_over(struct transport *transport, uint8_t *bytes, uint32_t message_bytes)
{
	return (struct outbox){
		.transport = transport,
		.message_bytes = message_bytes,
		.gather = gather_over(bytes, gather_bytes_for(message_bytes)),
	};
}

uint8_t *outbox_place(struct outbox *outbox)
{
	return gather_place(&outbox->gather);
}

/* -- fates ---------------------------------------------------------------------------- */

static void count_lost(
	struct outbox *outbox, unsigned message_count, unsigned flow_count, int error)
{
	outbox_note(&outbox->stats.last_failed_ns, outbox->now_ns);
	outbox_note(&outbox->stats.last_error, (uint64_t)error);
	outbox_count(&outbox->stats.failed_messages, message_count);
	outbox_count(&outbox->stats.failed_records, flow_count);
}

/* Word came that something did not arrive, because nobody listens there. What, is not said; it
 * is taken for what was submitted last, and templates for gone with it. */
static void count_earlier_lost(struct outbox *outbox)
{
	count_lost(outbox, outbox->last_message_count, outbox->last_flow_count, ECONNREFUSED);
	outbox->last_message_count = outbox->last_flow_count = 0;
	outbox->has_lost_templates = true;
}

static void count_result(struct outbox *outbox, const struct gathered *messages,
	unsigned message_count, size_t bytes, int result)
{
	unsigned flow_count = 0;
	bool has_templates = false;
	for (unsigned i = 0; i < message_count; i++) {
		flow_count += messages[i].flow_count;
		has_templates |= messages[i].has_templates;
	}
	if (result > 0)
		count_earlier_lost(outbox);
	if (result < 0) {
		count_lost(outbox, message_count, flow_count, -result);
		outbox->has_lost_templates |= has_templates;
		return;
	}
	outbox_note(&outbox->stats.last_sent_ns, outbox->now_ns);
	outbox_count(&outbox->stats.messages, message_count);
	outbox_count(&outbox->stats.octets, bytes);
	outbox_count(&outbox->stats.records, flow_count);
	outbox->last_message_count = message_count;
	outbox->last_flow_count = flow_count;
	for (unsigned i = 0; i < message_count && outbox->transport->has_sessions; i++)
		sent_marks_add(&outbox->marks, messages[i].length, messages[i].flow_count);
}

/* See what a session has taken with it. */
static void settle_session(struct outbox *outbox)
{
	struct transport *transport = outbox->transport;
	struct sent_mark lost;

	if (!transport->has_sessions)
		return;
	if (transport->lost_octets > 0) {
		lost = sent_marks_take_back(&outbox->marks, transport->lost_octets);
		count_lost(outbox, lost.message_count, lost.flow_count,
			transport->sessions.last_error ? transport->sessions.last_error
						       : EPIPE);
		transport->lost_octets = 0;
	}
	outbox->stats.sessions = transport->sessions;
}

/* -- sending -------------------------------------------------------------------------- */

static bool is_no_room(int result)
{
	return result == -EAGAIN || result == -EWOULDBLOCK || result == -ENOBUFS;
}

/* Submit message .first, which lies at *at, with those that can go with it, and move *at behind
 * them; returns how many that were, 0 when there was no room for them. Where runs turn out to
 * be refused it goes alone. */
static unsigned send_run(struct outbox *outbox, unsigned first, size_t *at)
{
	struct gather *gather = &outbox->gather;
	const struct gathered *messages = gather_messages(gather) + first;
	const uint8_t *from = gather->bytes + *at;
	int result = TRANSPORT_ONE_BY_ONE;
	size_t bytes;
	unsigned count = gather_run(gather, first, &bytes);
	if (count > 1 && outbox->transport->takes_runs)
		result = transport_submit_run(
			outbox->transport, from, bytes, messages[0].length);
	if (result == TRANSPORT_ONE_BY_ONE) {
		count = 1;
		bytes = messages[0].length;
		result = transport_submit(outbox->transport, from, bytes);
	}
	if (is_no_room(result))
		return 0;
	count_result(outbox, messages, count, bytes, result);
	*at += bytes;
	return count;
}

static void send_all(struct outbox *outbox)
{
	struct gather *gather = &outbox->gather;
	size_t at = gather->start;
	unsigned sent = 0, count = 1;
	while (sent < gather->count && count > 0) {
		count = send_run(outbox, sent, &at);
		sent += count;
	}
	gather_drop(gather, sent, at - gather->start);
	outbox->is_held = gather->count > 0;
	if (outbox->is_held)
		outbox_count(&outbox->stats.postponed_sends, 1);
	settle_session(outbox);
}

void outbox_send_ahead(struct outbox *outbox, struct gathered message)
{
	int result = transport_submit(outbox->transport, outbox_place(outbox), message.length);

	settle_session(outbox);
	count_result(outbox, &message, 1, message.length, result);
}

uint8_t *outbox_first(struct outbox *outbox)
{
	const struct gather *gather = &outbox->gather;

	return gather->count > 0 ? gather->bytes + gather->start : NULL;
}

uint8_t *outbox_next(struct outbox *outbox, unsigned *index, uint8_t *message)
{
	struct gather *gather = &outbox->gather;

	message += gather_messages(gather)[*index].length;
	return ++*index < gather->count ? message : NULL;
}

void outbox_tick(struct outbox *outbox, uint64_t now_ns)
{
	transport_tick(outbox->transport, now_ns);
	settle_session(outbox);
}

void outbox_send(struct outbox *outbox)
{
	if (!outbox->is_kept)
		send_all(outbox);
}

bool outbox_release(struct outbox *outbox)
{
	unsigned before = outbox->gather.count;

	if (before > 0)
		send_all(outbox);
	return outbox->gather.count != before;
}

void outbox_send_due(struct outbox *outbox, uint64_t now_ns)
{
	if (outbox->gather.count != 0 && (outbox->is_held || outbox->gather.due_ns <= now_ns))
		outbox_send(outbox);
}

static void lose_run(struct outbox *outbox)
{
	struct gather *gather = &outbox->gather;
	size_t bytes;
	unsigned count = gather_run(gather, 0, &bytes);
	count_result(outbox, gather_messages(gather), count, bytes, -EAGAIN);
	gather_drop(gather, count, bytes);
}

/* Seldom, and so early that the same memory is used again and again. What is kept is moved
 * where nothing of it lies, so that it is at its old place, too, until that is known. */
static bool is_time_to_compact(const struct outbox *outbox)
{
	const struct gather *gather = &outbox->gather;

	return gather->start > (outbox->is_kept ? gather->capacity / 2 : GATHER_BYTES);
}

void outbox_add(struct outbox *outbox, struct gathered message, uint64_t due_ns)
{
	struct gather *gather = &outbox->gather;
	if (gather->count == 0)
		gather->due_ns = due_ns;
	gather_add(gather, message);
	if (!outbox->transport->takes_runs || gather_is_full(gather, outbox->message_bytes))
		outbox_send(outbox);
	if (is_time_to_compact(outbox))
		gather_compact(gather);
	if (!gather_has_room(gather, outbox->message_bytes) && outbox->is_kept)
		send_all(outbox);
	while (!gather_has_room(gather, outbox->message_bytes)) {
		if (gather->start == 0)
			lose_run(outbox);
		gather_compact(gather);
	}
}

void outbox_give_up(struct outbox *outbox)
{
	while (outbox->gather.count > 0)
		lose_run(outbox);
	outbox->is_held = false;
}

void outbox_ask(struct outbox *outbox)
{
	if (transport_poll(outbox->transport) > 0)
		count_earlier_lost(outbox);
	settle_session(outbox);
}
