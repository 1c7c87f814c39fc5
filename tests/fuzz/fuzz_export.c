/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any records through the exporter, under any settings and at any times. An input is
 *
 *	version 1, time form 1, biflow 1, fields 1, labels 1, message octets 2, refresh s 1,
 *	refresh messages 1, flush delay ms 2, sampling 4, boot ms 8, preset 1, named elements 1
 *and their numbers, refusals and runs 1, then operations: what 1, time 8, and for a record 400
 *octets, the first as they lie in memory
 *
 * Besides what sanitizers see, every message must be framed right to its last octet, and every
 *side of every flow must be in one.
 */
#include <stdlib.h>

#include "export/dialect.h"
#include "sensor/cursor.h"

#define MS UINT64_C(1000000)
#define COUNTER_MASK ((UINT64_C(1) << 38) - 1) /* else v5 makes billions of records of one */
#define OPERATIONS_MAX 512
#define RECORD_OCTETS 400 /* in the input, whatever the record needs of them */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct checker {
	struct transport transport;
	size_t message_bytes;
	uint64_t messages, octets;
	uint8_t refuse; /* one message in this many; 0: none */
};

enum operation {
	OPERATION_ADD,
	OPERATION_ADVANCE,
	OPERATION_FLUSH,
	OPERATION_REFRESH,
	OPERATION_COUNT,
};

static void demand(bool fact)
{
	if (!fact)
		abort();
}

/* -- messages ------------------------------------------------------------------------- */

static void check_fixed(const uint8_t *bytes, size_t length, size_t header_bytes, unsigned most)
{
	unsigned count = (unsigned)bytes[2] << 8 | bytes[3];
	demand(count >= 1 && count <= most);
	demand(length == header_bytes + count * (size_t)48);
}

static void check_sets(struct cursor in, size_t header_bytes, bool is_padded)
{
	unsigned sets = 0;
	cursor_skip(&in, header_bytes);
	for (; in.left; sets++) {
		unsigned id = cursor_be16(&in);
		size_t bytes = cursor_be16(&in);
		demand(id < 4 || id >= 256);
		demand(bytes > 4 && (!is_padded || bytes % 4 == 0));
		cursor_skip(&in, bytes - 4);
		demand(!in.failed);
	}
	demand(sets > 0);
}

static void check_message(const uint8_t *bytes, size_t length)
{
	demand(length >= 16 + 4 + 1 && bytes[0] == 0); /* a set of one octet */
	switch (bytes[1]) {
	case 1:
		check_fixed(bytes, length, 16, 24);
		break;
	case 5:
		check_fixed(bytes, length, 24, 30);
		break;
	case 9:
		check_sets(cursor_over(bytes, length), 20, true);
		break;
	default:
		demand(bytes[1] == 10 && length == ((size_t)bytes[2] << 8 | bytes[3]));
		check_sets(cursor_over(bytes, length), 16, false);
	}
}

static int checker_submit(struct transport *transport, const uint8_t *bytes, size_t length)
{
	struct checker *checker = (struct checker *)transport;
	demand(length <= checker->message_bytes);
	check_message(bytes, length);
	checker->messages++;
	checker->octets += length;
	if (checker->refuse && checker->messages % checker->refuse == 0)
		return checker->messages & 1 ? -11 : TRANSPORT_EARLIER_LOST;
	return 0;
}

/* A run is judged message by message. */
static int checker_submit_run(
	struct transport *transport, const uint8_t *bytes, size_t length, size_t message_bytes)
{
	int result = 0;
	demand(length > message_bytes && length <= 64 * message_bytes && length <= 65507);
	for (size_t at = 0; at < length; at += message_bytes) {
		size_t left = length - at;
		result = checker_submit(
			transport, bytes + at, left < message_bytes ? left : message_bytes);
	}
	return result;
}

static void checker_close(struct transport *transport)
{
}

static const struct transport_ops checker_ops = {
	.submit = checker_submit,
	.submit_run = checker_submit_run,
	.close = checker_close,
};

/* -- input ---------------------------------------------------------------------------- */

static uint64_t read_64(struct cursor *in)
{
	uint64_t high = cursor_be32(in);
	return high << 32 | cursor_be32(in);
}

/* Also what no name stands for, and more than there is room for. */
static struct export_template read_template(struct cursor *in)
{
	struct export_template template = { .preset = cursor_u8(in) % (PRESET_COUNT + 1) };
	template.element_count = cursor_u8(in);
	for (unsigned i = 0; i < template.element_count; i++) {
		uint8_t element = cursor_u8(in);
		if (i < TEMPLATE_ELEMENTS_MAX)
			template.elements[i] = element;
	}
	return template;
}

static struct exporter_config read_config(struct cursor *in)
{
	static const enum export_version versions[] = { EXPORT_NETFLOW_1, EXPORT_NETFLOW_5,
		EXPORT_NETFLOW_9, EXPORT_IPFIX };
	struct exporter_config config = {
		.version = versions[cursor_u8(in) & 3],
		.time = (enum export_time)(cursor_u8(in) % 5),
		.biflow = (enum export_biflow)(cursor_u8(in) % 3),
		.enterprise = 32473,
		.interface_name = "\xc3\xa9th0",
		.interface_description = "a description that is longer than its field is \xff",
	};
	uint8_t fields = cursor_u8(in);
	config.fields = (struct export_fields){
		.has_protocol = true,
		.has_ports = fields & 1,
		.has_vlan = fields & 2,
		.has_mac = fields & 4,
		.mpls_labels = cursor_u8(in) % 13,
	};
	config.message_bytes = cursor_be16(in);
	config.template_refresh_s = cursor_u8(in);
	config.template_refresh_messages = cursor_u8(in);
	config.flush_delay_ms = cursor_be16(in);
	config.sampling_interval = cursor_be32(in);
	config.boot_ns = read_64(in) * MS;
	config.options_changed = (uint32_t)(config.boot_ns >> 7); /* whatever is there */
	config.template = read_template(in);
	return config;
}

/* The octets as they lie in memory, but for what no caller may pass. */
static struct flow_record read_record(struct cursor *in)
{
	static const uint32_t labels[FLOW_MPLS_MAX] = { 0xffffff, 1, 0x123456 };
	uint8_t octets[sizeof(struct flow_record)] = { 0 };
	struct flow_record record;
	static_assert(sizeof(octets) <= RECORD_OCTETS, "the input holds a record");
	cursor_copy(in, octets, in->left < sizeof(octets) ? in->left : sizeof(octets));
	cursor_skip(in, RECORD_OCTETS - sizeof(octets));
	octets[offsetof(struct flow_record, is_icmp)] &= 1;
	octets[offsetof(struct flow_record, is_initiator_known)] &= 1;
	octets[offsetof(struct flow_record, side[0].is_egress)] &= 1;
	octets[offsetof(struct flow_record, side[1].is_egress)] &= 1;
	memcpy(&record, octets, sizeof(record));
	for (unsigned i = 0; i < 2; i++) {
		record.side[i].mpls = labels;
		record.side[i].mpls_count %= FLOW_MPLS_MAX + 1;
		record.side[i].octets &= COUNTER_MASK;
		record.side[i].packets &= COUNTER_MASK;
	}
	return record;
}

/* Records in memory that ends where they end. */
static void check_records(const struct exporter_config *config, struct cursor in)
{
	const struct layout_facts facts = { .domain = 1 };
	struct flow_record record = read_record(&in);
	struct dialect_layouts layouts;
	dialect_build_layouts(config, &layouts);
	for (unsigned i = 0; i < FLOW_LAYOUT_COUNT; i++) {
		struct layout *layout = &layouts.flow[i];
		struct layout_source source = {
			.flow = &record, .facts = &facts, .direction = i & 1
		};
		if (layout->row_count == 0)
			continue;
		uint8_t *bytes = malloc(layout->record_bytes);
		demand(bytes);
		layout->encode(bytes, layout, &source);
		free(bytes);
	}
}

static void run_operation(struct exporter *exporter, struct cursor *in, uint64_t *flows)
{
	enum operation operation = (enum operation)(cursor_u8(in) % OPERATION_COUNT);
	uint64_t now_ns = read_64(in);
	struct flow_record record;
	switch (operation) {
	case OPERATION_ADD:
		record = read_record(in);
		exporter_add(exporter, &record, now_ns);
		*flows += 1;
		break;
	case OPERATION_ADVANCE:
		exporter_advance(exporter, now_ns);
		break;
	case OPERATION_FLUSH:
		exporter_flush(exporter, now_ns);
		break;
	default:
		exporter_refresh_templates(exporter);
		break;
	}
}

static void check_stats(
	const struct exporter *exporter, const struct checker *checker, uint64_t flows)
{
	const struct exporter_stats *stats = exporter_stats(exporter);
	demand(stats->flows + stats->unsupported_flows == flows);
	if (checker->refuse)
		return;
	demand(stats->messages == checker->messages && stats->octets == checker->octets);
	demand(stats->failed_messages == 0 && stats->failed_records == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor in = cursor_over(data, size);
	struct exporter_config config = read_config(&in);
	struct checker checker = {
		.transport.ops = &checker_ops,
		.message_bytes = config.message_bytes,
	};
	uint8_t fate = cursor_u8(&in);
	checker.refuse = fate % 8;
	checker.transport.takes_runs = fate & 8;
	struct exporter *exporter = NULL;
	uint64_t flows = 0;
	if (in.failed || exporter_new(&config, &checker.transport, &exporter) < 0)
		return 0;
	check_records(&config, in);
	for (unsigned i = 0; i < OPERATIONS_MAX && in.left; i++)
		run_operation(exporter, &in, &flows);
	exporter_flush(exporter, 0);
	check_stats(exporter, &checker, flows);
	exporter_free(exporter);
	return 0;
}
