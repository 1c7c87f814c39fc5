/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An exporter that another process goes on with: what it knows as plain memory, beside the
 * octets of its messages, which lie where they outlive the process.
 *
 *	exporter_save()       what is in .to is true of the messages as they are now
 *	...                   that is made known to the next process (sensor/undo.h)
 *	exporter_release()    sends
 *
 * Between two saves messages are only added behind those that are there, so what was saved
 * stays true of the octets until the next save. A process that is killed after it sent and
 * before it saved has the next one send the same octets once more, under the same sequence
 * number.
 */
#ifndef EXPORT_EXPORTER_KEEP_H
#define EXPORT_EXPORTER_KEEP_H

#include "export/exporter.h"
#include "export/gather.h"

/* What the longest pass of a lane may add. */
#define EXPORTER_KEPT_BYTES (8u << 20)
#define EXPORTER_KEPT_MESSAGES 4096

struct exporter_saved {
	uint32_t is_used;
	uint32_t is_closed;     /* what waits is to be sent, and nothing to be added to it */
	uint32_t message_count; /* finished, waiting */
	char destination[128];  /* the transport's name */
	/* As it was made; its pointers are NULL. */
	struct exporter_config config;

	uint64_t boot_ms, clock_ns;
	uint64_t flush_due_ns, template_due_ns, templates_ns, doubt_end_ns;
	uint32_t has_clock, wants_templates, has_lost_templates;
	uint32_t messages_since_templates, sequence;
	uint32_t last_message_count, last_flow_count;
	struct exporter_stats stats;

	uint64_t message_bytes; /* the largest */
	uint64_t start, length; /* of the waiting messages, in the octets */
	/* The message behind them that is being filled. */
	uint32_t is_begun, set_id;
	uint64_t begun_bytes, set_mark;
	uint32_t template_count, options_count, flow_count;

	struct gathered messages[EXPORTER_KEPT_MESSAGES];
};

/* Does what was saved go on under this configuration, to this destination? */
bool exporter_fits(const struct exporter_saved *saved, const struct exporter_config *config,
	const char *destination);

void exporter_save(struct exporter *exporter, struct exporter_saved *to);

/*
 * Send what another process has left, the message that it was filling included, whatever its
 * configuration was. Waits for room in the socket, for a second at the most. 0, or a negative
 * errno when what was saved makes no sense. .transport stays the caller's. *ret_sequence,
 * unless NULL: the number of the message that would follow.
 */
int exporter_send_saved(const struct exporter_saved *saved, uint8_t *bytes,
	struct transport *transport, uint32_t *ret_sequence);

/* One that has sent nothing yet takes up the numbers of another one of its version, which told
 * the same collector from the same socket. */
void exporter_follow(struct exporter *exporter, uint32_t sequence);

/* Other .bytes from here on, of one that exporter_is_empty(). */
void exporter_move(struct exporter *exporter, uint8_t *bytes);

/* For exporter_new_kept(). 0; -ENOMEM; -EBADMSG when what was saved makes no sense. */
int exporter_keep_in(
	struct exporter *exporter, uint8_t *bytes, const struct exporter_saved *saved);

#endif
