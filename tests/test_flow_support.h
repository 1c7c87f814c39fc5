/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * For the tests of the flow cache: packets in one line, and a sink that keeps what it gets.
 * Times in packets are seconds as doubles only where they are whole; S() and NS() say so.
 */
#ifndef TESTS_TEST_FLOW_SUPPORT_H
#define TESTS_TEST_FLOW_SUPPORT_H

#include <stdlib.h>
#include <string.h>

#include "sensor/flow_cache.h"
#include "tests/unit.h"

#define S(seconds) ((uint64_t)(seconds)*1000000000u)
#define T0_S 1700000040u /* a multiple of 60 */

enum { ICMP = 1, TCP = 6, UDP = 17, GRE = 47, ICMPV6 = 58 };
enum { HOST_A = 1, HOST_B = 2, HOST_C = 3 }; /* 10.0.0.x, or 2001:db8::x */

struct kept_record {
	struct flow_record record;
	uint32_t mpls[2][FLOW_MPLS_MAX]; /* copies of what the record borrowed */
	uint64_t now_ns;
};

struct kept {
	struct kept_record *records;
	size_t count, room;
};

static inline void keep_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
	struct kept *kept = user;

	if (kept->count == kept->room) {
		kept->room = kept->room ? 2 * kept->room : 16;
		kept->records = realloc(kept->records, kept->room * sizeof(*kept->records));
		assert_non_null(kept->records);
	}
	struct kept_record *copy = &kept->records[kept->count++];

	*copy = (struct kept_record){ .record = *record, .now_ns = now_ns };
	for (unsigned side = 0; side < 2; side++)
		for (unsigned i = 0; i < record->side[side].mpls_count; i++)
			copy->mpls[side][i] = record->side[side].mpls[i];
}

struct fixture {
	struct flow_cache *cache;
	struct kept kept;
};

static inline struct flow_cache_config default_config(void)
{
	return (struct flow_cache_config){
		.level = TRACK_FULL,
		.maximum_flows = 1000,
		.timeouts = {
			.general_ns = S(3600),
			.tcp_ns = S(3600),
			.tcp_rst_ns = S(120),
			.tcp_fin_ns = S(300),
			.udp_ns = S(300),
			.icmp_ns = S(300),
			.maximum_life_ns = S(604800),
			.expiry_interval_ns = 0,
		},
		.hash_key = { 0x0123456789abcdef, 0xfedcba9876543210 },
	};
}

static inline void begin(struct fixture *fixture, struct flow_cache_config config)
{
	*fixture = (struct fixture){ 0 };
	config.sink = (struct flow_sink){ keep_record, &fixture->kept };
	assert_int_equal(flow_cache_new(&config, &fixture->cache), 0);
}

static inline void end(struct fixture *fixture)
{
	flow_cache_free(fixture->cache);
	free(fixture->kept.records);
}

static inline void set_address(uint8_t address[16], unsigned version, unsigned host)
{
	static const uint8_t prefix[2][16] = { { 10 }, { 0x20, 0x01, 0x0d, 0xb8 } };

	memcpy(address, prefix[version == 6], 16);
	address[version == 6 ? 14 : 2] = (uint8_t)(host >> 8);
	address[version == 6 ? 15 : 3] = (uint8_t)host;
}

/* An IPv4 packet of 100 octets at T0. Change the rest by field. */
static inline struct packet_meta packet(
	unsigned protocol, unsigned from, unsigned from_port, unsigned to, unsigned to_port)
{
	struct packet_meta meta = {
		.stamp_ns = S(T0_S),
		.octets = 100,
		.packets = 1,
		.ip_version = 4,
		.protocol = (uint8_t)protocol,
		.source_port = (uint16_t)from_port,
		.destination_port = (uint16_t)to_port,
		.ttl = 64,
		.is_icmp = protocol == ICMP,
		.source_mac = { 2, 0, 0, 0, 0, (uint8_t)from },
		.destination_mac = { 2, 0, 0, 0, 0, (uint8_t)to },
	};

	set_address(meta.source, 4, from);
	set_address(meta.destination, 4, to);
	return meta;
}

static inline struct packet_meta packet_v6(
	unsigned protocol, unsigned from, unsigned from_port, unsigned to, unsigned to_port)
{
	struct packet_meta meta = packet(protocol, from, from_port, to, to_port);

	meta.ip_version = 6;
	meta.is_icmp = protocol == ICMPV6;
	set_address(meta.source, 6, from);
	set_address(meta.destination, 6, to);
	return meta;
}

static inline struct packet_meta with_flags(struct packet_meta meta, unsigned tcp_flags)
{
	meta.tcp_flags = (uint16_t)tcp_flags;
	return meta;
}

static inline struct packet_meta at_ns(struct packet_meta meta, uint64_t stamp_ns)
{
	meta.stamp_ns = stamp_ns;
	return meta;
}

/* So many seconds after T0. */
static inline struct packet_meta at_s(struct packet_meta meta, uint64_t after_s)
{
	return at_ns(meta, S(T0_S + after_s));
}

static inline void meter(struct fixture *fixture, struct packet_meta meta)
{
	flow_cache_meter(fixture->cache, &meta, 1);
}

static inline void flush(struct fixture *fixture)
{
	while (flow_cache_expire_all(fixture->cache, SIZE_MAX) > 0)
		;
}

static inline const struct flow_record *record_at(struct fixture *fixture, size_t index)
{
	struct kept_record *kept = &fixture->kept.records[index];

	assert_true(index < fixture->kept.count);
	for (unsigned i = 0; i < 2; i++)
		if (kept->record.side[i].mpls_count > 0)
			kept->record.side[i].mpls = kept->mpls[i];
	return &kept->record;
}

/* The one record that there is by now. */
static inline const struct flow_record *only_record(struct fixture *fixture)
{
	assert_int_equal(fixture->kept.count, 1);
	return record_at(fixture, 0);
}

static inline uint64_t closed_at_ns(struct fixture *fixture, size_t index)
{
	assert_true(index < fixture->kept.count);
	return fixture->kept.records[index].now_ns;
}

/* The last octet of a record's address: which host it is. */
static inline unsigned host_of(const struct flow_record *record, unsigned slot)
{
	return record->address[slot][record->ip_version == 6 ? 15 : 3];
}

static inline const struct flow_cache_stats *stats_of(const struct fixture *fixture)
{
	return flow_cache_stats(fixture->cache);
}

#endif
