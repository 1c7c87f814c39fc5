/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The versions as rows, and their headers.
 *
 * NetFlow headers tell one instant twice, as Unix time and as milliseconds since boot; readers
 * subtract the two to learn when boot was. So both are made from the same millisecond, and boot
 * comes out the same in every message. v9 has whole seconds only: it tells the next full one.
 */
#include "export/dialect.h"

#define NS_PER_MS UINT64_C(1000000)
#define NS_PER_S UINT64_C(1000000000)

static void put_v1_header(struct wire *out, const struct message_head *head)
{
	uint64_t now_ms = head->now_ns / NS_PER_MS;
	wire_be16(out, EXPORT_NETFLOW_1);
	wire_be16(out, (uint16_t)head->record_count);
	wire_be32(out, (uint32_t)(now_ms - head->boot_ms));
	wire_be32(out, (uint32_t)(now_ms / 1000));
	wire_be32(out, (uint32_t)(now_ms % 1000 * NS_PER_MS));
}

static void put_v5_header(struct wire *out, const struct message_head *head)
{
	uint64_t now_ms = head->now_ns / NS_PER_MS;
	wire_be16(out, EXPORT_NETFLOW_5);
	wire_be16(out, (uint16_t)head->record_count);
	wire_be32(out, (uint32_t)(now_ms - head->boot_ms));
	wire_be32(out, (uint32_t)(now_ms / 1000));
	wire_be32(out, (uint32_t)(now_ms % 1000 * NS_PER_MS));
	wire_be32(out, head->sequence);
	wire_u8(out, head->engine_type);
	wire_u8(out, head->engine_id);
	wire_be16(out, head->sampling);
}

static void put_v9_header(struct wire *out, const struct message_head *head)
{
	uint64_t now_s = head->now_ns / NS_PER_S + (head->now_ns % NS_PER_S != 0);
	wire_be16(out, EXPORT_NETFLOW_9);
	wire_be16(out, (uint16_t)head->record_count);
	wire_be32(out, (uint32_t)(now_s * 1000 - head->boot_ms));
	wire_be32(out, (uint32_t)now_s);
	wire_be32(out, head->sequence);
	wire_be32(out, head->domain);
}

static void put_ipfix_header(struct wire *out, const struct message_head *head)
{
	wire_be16(out, EXPORT_IPFIX);
	wire_be16(out, (uint16_t)head->length);
	wire_be32(out, (uint32_t)(head->now_ns / NS_PER_S));
	wire_be32(out, head->sequence);
	wire_be32(out, head->domain);
}

static const struct dialect dialects[] = {
	{
		.version = EXPORT_NETFLOW_1,
		.header_bytes = 16,
		.most_records = 24,
		.most_counted = UINT32_MAX,
		.sequence_unit = SEQUENCE_NONE,
		.put_header = put_v1_header,
	},
	{
		.version = EXPORT_NETFLOW_5,
		.header_bytes = 24,
		.most_records = 30,
		.most_counted = UINT32_MAX,
		.sequence_unit = SEQUENCE_RECORDS,
		.put_header = put_v5_header,
	},
	{
		.version = EXPORT_NETFLOW_9,
		.header_bytes = 20,
		.has_sets = true,
		.pads_sets = true,
		.template_set_id = 0,
		.options_set_id = 1,
		.carries_ipv6 = true,
		.most_counted = UINT64_MAX,
		.sequence_unit = SEQUENCE_MESSAGES,
		.put_header = put_v9_header,
	},
	{
		.version = EXPORT_IPFIX,
		.header_bytes = 16,
		.has_sets = true,
		.template_set_id = 2,
		.options_set_id = 3,
		.carries_ipv6 = true,
		.carries_biflow = true,
		.most_counted = UINT64_MAX,
		.sequence_unit = SEQUENCE_RECORDS,
		.put_header = put_ipfix_header,
	},
};

const struct dialect *dialect_find(enum export_version version)
{
	for (size_t i = 0; i < sizeof(dialects) / sizeof(dialects[0]); i++)
		if (dialects[i].version == version)
			return &dialects[i];
	return NULL;
}
