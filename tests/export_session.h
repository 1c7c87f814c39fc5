/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the exporter's tests begin and end with: an exporter that sends into memory, and a
 * reader that takes what was sent. Each test program has its own.
 */
#ifndef TESTS_EXPORT_SESSION_H
#define TESTS_EXPORT_SESSION_H

#include "export/exporter.h"
#include "export/transport_memory.h"
#include "tests/export_reader.h"
#include "tests/unit.h"

static struct transport_memory memory;
static struct reader reader;

/* As if the messages went out from .ends. */
static inline struct exporter *start_at(
	const struct exporter_config *config, const struct transport_endpoints *ends)
{
	struct exporter *exporter = NULL;
	transport_memory_init(&memory);
	memory.transport.endpoints = *ends;
	reader = (struct reader){ 0 };
	assert_int_equal(exporter_new(config, &memory.transport, &exporter), 0);
	return exporter;
}

static inline struct exporter *start(const struct exporter_config *config)
{
	static const struct transport_endpoints none;
	return start_at(config, &none);
}

static inline int forget(void **state)
{
	transport_memory_clear(&memory);
	return 0;
}

/* Let the reader take messages that it has not seen. */
static inline void read_all(void)
{
	for (size_t i = reader.message_count; i < memory.count; i++)
		reader_feed(&reader, memory.messages[i].bytes, memory.messages[i].length);
}

#endif
