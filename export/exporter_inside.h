/* SPDX-License-Identifier: BSD-2-Clause */
/* The inside of an exporter. Included by exporter.c and exporter_keep.c alone. */
#ifndef EXPORT_EXPORTER_INSIDE_H
#define EXPORT_EXPORTER_INSIDE_H

#include "export/exporter.h"
#include "export/message.h"
#include "export/outbox.h"

struct exporter {
	struct exporter_config config;
	const struct dialect *dialect;
	struct dialect_layouts layouts;
	unsigned icmp_trait; /* FLOW_LAYOUT_ICMP, or 0 when there are no such layouts */
	bool has_biflow;
	struct layout_facts facts;
	struct transport *transport; /* owned */
	uint64_t boot_ms;
	uint16_t v5_sampling;
	bool is_sampling_saturated;

	uint64_t clock_ns;
	bool has_clock;
	uint64_t flush_due_ns;    /* NEVER_NS while no message is begun */
	uint64_t template_due_ns; /* NEVER_NS without a time */

	bool wants_templates; /* in the next message */
	uint32_t messages_since_templates;
	uint64_t templates_ns; /* when they were last written */
	uint64_t doubt_end_ns; /* until then the collector may not know them */
	uint32_t sequence;
	bool is_opening; /* what is written now is the beginning of a session */

	struct outbox outbox;    /* messages that are finished */
	struct message message;  /* the one being filled, behind them */
	struct gathered *larger; /* of one that is kept; owned */
	uint8_t bytes[];         /* gather_bytes_for(config.message_bytes); kept: none */
};

#endif
