/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/export_samples.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

static void set_addresses(
	struct flow_record *record, int family, const char *from, const char *to)
{
	int results = inet_pton(family, from, record->address[0]);
	results += inet_pton(family, to, record->address[1]);
	assert(results == 2);
	record->ip_version = family == AF_INET6 ? 6 : 4;
}

static void set_macs(struct flow_record *record)
{
	static const uint8_t mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
	for (unsigned i = 0; i < 2; i++) {
		memcpy(record->side[i].source_mac, mac[i], 6);
		memcpy(record->side[i].destination_mac, mac[!i], 6);
	}
}

struct flow_record sample_tcp(void)
{
	struct flow_record record = {
		.flow_id = 1,
		.port = { 49152, 443 },
		.protocol = 6,
		.end_reason = FLOW_END_DETECTED,
		.is_initiator_known = true,
		.side = {
			{
				.packets = 5,
				.octets = 1000,
				.first_ns = SAMPLE_BOOT_NS + 1000 * MS + 123456,
				.last_ns = SAMPLE_BOOT_NS + 2500 * MS,
				.ingress_if = 3,
				.egress_if = 7,
				.tcp_flags = 0x11b,
				.vlan_id = 42,
				.tos = 0x10,
				.min_ttl = 64,
				.max_ttl = 64,
			},
			{
				.packets = 4,
				.octets = 8000,
				.first_ns = SAMPLE_BOOT_NS + 1010 * MS,
				.last_ns = SAMPLE_BOOT_NS + 2600 * MS,
				.ingress_if = 7,
				.egress_if = 3,
				.tcp_flags = 0x13,
				.vlan_id = 43,
				.tos = 0xb8,
				.is_egress = true,
			},
		},
	};
	set_addresses(&record, AF_INET, "192.0.2.1", "198.51.100.2");
	set_macs(&record);
	return record;
}

struct flow_record sample_icmp(void)
{
	struct flow_record record = sample_tcp();
	record.protocol = 1;
	record.is_icmp = true;
	record.is_initiator_known = false;
	record.end_reason = FLOW_END_IDLE;
	memset(record.port, 0, sizeof(record.port));
	for (unsigned i = 0; i < 2; i++) {
		record.side[i].packets = 1;
		record.side[i].octets = 84;
		record.side[i].tcp_flags = 0;
	}
	record.side[0].icmp_type_code = 8 << 8;
	record.side[1].icmp_type_code = 0;
	return record;
}

struct flow_record sample_udp6(void)
{
	struct flow_record record = sample_tcp();
	set_addresses(&record, AF_INET6, "2001:db8::1", "2001:db8::2");
	record.protocol = 17;
	record.port[0] = 53;
	record.port[1] = 5353;
	record.end_reason = FLOW_END_ACTIVE;
	record.side[0].tcp_flags = 0;
	record.side[0].flow_label = 0x12345;
	memset(&record.side[1], 0, sizeof(record.side[1]));
	return record;
}

struct flow_record sample_icmp6(void)
{
	struct flow_record record = sample_udp6();
	record.protocol = 58;
	record.is_icmp = true;
	memset(record.port, 0, sizeof(record.port));
	record.side[0].icmp_type_code = 128 << 8;
	return record;
}

struct exporter_config sample_config(enum export_version version)
{
	bool is_ipfix = version == EXPORT_IPFIX;
	return (struct exporter_config){
		.version = version,
		.time = is_ipfix ? EXPORT_TIME_MILLISECONDS : EXPORT_TIME_UPTIME,
		.fields = {
			.has_protocol = true,
			.has_ports = true,
			.has_vlan = true,
			.has_mac = true,
		},
		.enterprise = 32473,
		.domain = 0x01020304,
		.engine_type = 1,
		.engine_id = 2,
		.sampling_interval = 1,
		.boot_ns = SAMPLE_BOOT_NS,
		.template_refresh_s = 60,
		.flush_delay_ms = 1000,
		.message_bytes = 1400,
		.if_index = 3,
		.interface_name = "eth0",
		.interface_description = "uplink",
		.process_id = 77,
	};
}
