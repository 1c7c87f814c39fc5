/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sends a set of made-up flows to a collector, through the real exporter and UDP transport, and
 * prints what a collector must have got: one line per direction,
 *
 *	source destination protocol sport dport packets octets tos flags first_ms last_ms
 *
 * where ICMP has 0 and type * 256 + code for ports. Usage:
 *
 *	export_probe HOST PORT VERSION [name=value]...
 *
 * with the names time (0 to 4, enum export_time), biflow (0 to 2), preset (0 to 2, enum
 * template_preset), template (element names), options (bits
 * of 1 << enum options_set), sampling, labels, bytes,
 *rounds (how often the set is sent, 10 s apart), refresh (messages between templates), ports
 *(0: none).
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "export/exporter.h"

#define BOOT_NS UINT64_C(1700000000000000000) /* 2023-11-14 22:13:20 */
#define MS UINT64_C(1000000)

struct made_flow {
	const char *from, *to;
	uint8_t protocol;
	uint16_t port[2];
	uint64_t packets[2], octets[2];
	uint8_t tos[2];
	uint16_t flags[2];
	uint16_t icmp[2];
	uint32_t first_ms[2], last_ms[2]; /* after boot */
	uint8_t end_reason;
};

/* clang-format off */
static const struct made_flow made_flows[] = {
	{ "192.0.2.1", "198.51.100.1", 6, { 49152, 443 }, { 10, 8 }, { 1500, 9000 },
	  { 0x10, 0xb8 }, { 0x1b, 0x13 }, { 0, 0 }, { 1001, 1012 }, { 2503, 2604 },
	  FLOW_END_DETECTED },
	{ "192.0.2.2", "198.51.100.2", 17, { 5353, 53 }, { 1, 1 }, { 60, 300 },
	  { 0, 0 }, { 0, 0 }, { 0, 0 }, { 1100, 1150 }, { 1100, 1150 }, FLOW_END_IDLE },
	{ "192.0.2.3", "198.51.100.3", 132, { 2905, 2906 }, { 3, 0 }, { 300, 0 },
	  { 4, 0 }, { 0, 0 }, { 0, 0 }, { 1200, 0 }, { 1900, 0 }, FLOW_END_IDLE },
	{ "192.0.2.4", "198.51.100.4", 6, { 40000, 80 }, { 4000000, 2000000 },
	  { 5000000000, 80000000 }, { 0, 0 }, { 0x18, 0x10 }, { 0, 0 }, { 100, 101 },
	  { 3000, 2999 }, FLOW_END_ACTIVE },
	{ "192.0.2.5", "198.51.100.5", 1, { 0, 0 }, { 2, 2 }, { 168, 168 },
	  { 0, 0 }, { 0, 0 }, { 0x0800, 0 }, { 1300, 1301 }, { 2300, 2301 }, FLOW_END_IDLE },
	{ "198.51.100.6", "192.0.2.6", 1, { 0, 0 }, { 1, 0 }, { 56, 0 },
	  { 0xc0, 0 }, { 0, 0 }, { 0x0303, 0 }, { 1400, 0 }, { 1400, 0 }, FLOW_END_FORCED },
	{ "192.0.2.7", "198.51.100.7", 47, { 0, 0 }, { 7, 0 }, { 700, 0 },
	  { 0, 0 }, { 0, 0 }, { 0, 0 }, { 1500, 0 }, { 1999, 0 }, FLOW_END_RESOURCES },
	{ "2001:db8::1", "2001:db8:1::1", 6, { 50000, 22 }, { 20, 18 }, { 3000, 4000 },
	  { 0x20, 0 }, { 0x1a, 0x12 }, { 0, 0 }, { 1600, 1601 }, { 2700, 2701 },
	  FLOW_END_IDLE },
	{ "2001:db8::2", "2001:db8:1::2", 58, { 0, 0 }, { 1, 1 }, { 104, 104 },
	  { 0, 0 }, { 0, 0 }, { 0x8000, 0x8100 }, { 1700, 1701 }, { 1700, 1701 },
	  FLOW_END_IDLE },
};
/* clang-format on */

#define MADE_COUNT (sizeof(made_flows) / sizeof(made_flows[0]))

struct probe {
	struct exporter_config config;
	unsigned rounds;
};

/* -- flows ---------------------------------------------------------------------------- */

static void make_side(struct flow_side *side, const struct made_flow *made, unsigned direction,
	uint64_t base_ns)
{
	static const uint8_t mac[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
	static const uint32_t label = 1000 << 4 | 1;
	if (made->packets[direction] == 0)
		return;
	side->packets = made->packets[direction];
	side->octets = made->octets[direction];
	side->first_ns = base_ns + made->first_ms[direction] * MS + 999;
	side->last_ns = base_ns + made->last_ms[direction] * MS + 999;
	side->ingress_if = direction == 0 ? 3 : 4;
	side->egress_if = direction == 0 ? 4 : 3;
	side->tcp_flags = made->flags[direction];
	side->vlan_id = 42;
	side->icmp_type_code = made->icmp[direction];
	side->tos = made->tos[direction];
	memcpy(side->source_mac, mac[direction], 6);
	memcpy(side->destination_mac, mac[!direction], 6);
	side->mpls_count = 1;
	side->mpls = &label;
}

static struct flow_record make_record(const struct made_flow *made, uint64_t base_ns)
{
	bool is_v6 = strchr(made->from, ':') != NULL;
	struct flow_record record = {
		.port = { made->port[0], made->port[1] },
		.ip_version = is_v6 ? 6 : 4,
		.protocol = made->protocol,
		.end_reason = made->end_reason,
		.is_icmp = made->protocol == (is_v6 ? 58 : 1),
		.is_initiator_known = made->protocol == 6,
	};
	inet_pton(is_v6 ? AF_INET6 : AF_INET, made->from, record.address[0]);
	inet_pton(is_v6 ? AF_INET6 : AF_INET, made->to, record.address[1]);
	for (unsigned direction = 0; direction < 2; direction++)
		make_side(&record.side[direction], made, direction, base_ns);
	return record;
}

static void print_side(
	const struct made_flow *made, const struct flow_record *record, unsigned direction)
{
	const struct flow_side *side = &record->side[direction];
	unsigned sport = record->is_icmp ? 0 : record->port[direction];
	unsigned dport = record->is_icmp ? side->icmp_type_code : record->port[!direction];
	if (side->packets == 0)
		return;
	printf("%s %s %u %u %u %llu %llu %u %u %llu %llu\n", direction ? made->to : made->from,
		direction ? made->from : made->to, record->protocol, sport, dport,
		(unsigned long long)side->packets, (unsigned long long)side->octets, side->tos,
		side->tcp_flags, (unsigned long long)(side->first_ns / MS),
		(unsigned long long)(side->last_ns / MS));
}

static void send_round(
	struct exporter *exporter, const struct exporter_config *config, unsigned round)
{
	uint64_t base_ns = BOOT_NS + round * 10000 * MS;
	for (size_t i = 0; i < MADE_COUNT; i++) {
		struct flow_record record = make_record(&made_flows[i], base_ns);
		exporter_add(exporter, &record, base_ns + 3456 * MS);
		if (record.ip_version == 6 && config->version <= EXPORT_NETFLOW_5)
			continue;
		print_side(&made_flows[i], &record, 0);
		print_side(&made_flows[i], &record, 1);
	}
	exporter_advance(exporter, base_ns + 9999 * MS);
}

/* -- command line --------------------------------------------------------------------- */

static struct probe default_probe(unsigned version)
{
	return (struct probe){
		.rounds = 1,
		.config = {
			.version = (enum export_version)version,
			.time = version == 10 ? EXPORT_TIME_MILLISECONDS : EXPORT_TIME_UPTIME,
			.fields = {
				.has_protocol = true,
				.has_ports = true,
				.has_vlan = true,
				.has_mac = true,
			},
			.enterprise = 32473,
			.domain = 4711,
			.sampling_interval = 1,
			.boot_ns = BOOT_NS,
			.template_refresh_s = 60,
			.flush_delay_ms = 1000,
			.message_bytes = 1400,
			.if_index = 3,
			.interface_name = "probe0",
			.interface_description = "made-up flows",
			.process_id = 1,
		},
	};
}

static int set_option(struct probe *probe, const char *name, unsigned value)
{
	struct exporter_config *config = &probe->config;
	if (strcmp(name, "time") == 0)
		config->time = (enum export_time)value;
	else if (strcmp(name, "biflow") == 0)
		config->biflow = (enum export_biflow)value;
	else if (strcmp(name, "sampling") == 0)
		config->sampling_interval = value;
	else if (strcmp(name, "labels") == 0)
		config->fields.mpls_labels = value;
	else if (strcmp(name, "bytes") == 0)
		config->message_bytes = value;
	else if (strcmp(name, "preset") == 0)
		config->template.preset = (uint8_t)value;
	else if (strcmp(name, "options") == 0)
		config->options_changed = value ^ OPTIONS_SET_DEFAULT;
	else if (strcmp(name, "refresh") == 0)
		config->template_refresh_messages = value;
	else if (strcmp(name, "ports") == 0)
		config->fields.has_ports = value != 0;
	else if (strcmp(name, "rounds") == 0)
		probe->rounds = value;
	else
		return -1;
	return 0;
}

static int read_options(struct probe *probe, int argc, char **argv)
{
	for (int i = 0; i < argc; i++) {
		char name[16], error[TEMPLATE_ERROR_BYTES];
		unsigned value;
		if (strncmp(argv[i], "template=", 9) == 0) {
			if (template_parse(argv[i] + 9, &probe->config.template, error) == 0)
				continue;
			fprintf(stderr, "export_probe: %s\n", error);
			return -1;
		}
		if (sscanf(argv[i], "%15[a-z]=%u", name, &value) != 2 ||
			set_option(probe, name, value) < 0) {
			fprintf(stderr, "export_probe: %s?\n", argv[i]);
			return -1;
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct transport *transport = NULL;
	struct exporter *exporter = NULL;
	char error[TRANSPORT_ERROR_BYTES];
	if (argc < 4) {
		fprintf(stderr, "usage: export_probe HOST PORT VERSION [name=value]...\n");
		return 2;
	}
	struct probe probe = default_probe((unsigned)atoi(argv[3]));
	struct transport_config to = {
		.host = argv[1],
		.port = argv[2],
		.hop_limit = -1,
		.may_wait = true,
	};
	if (read_options(&probe, argc - 4, argv + 4) < 0)
		return 2;
	if (transport_udp_open(&to, &transport, error) < 0) {
		fprintf(stderr, "export_probe: %s\n", error);
		return 1;
	}
	if (exporter_new(&probe.config, transport, &exporter) < 0) {
		fprintf(stderr, "export_probe: cannot export so\n");
		transport_close(transport);
		return 1;
	}
	for (unsigned round = 0; round < probe.rounds; round++)
		send_round(exporter, &probe.config, round);
	exporter_flush(exporter, 0);
	bool has_failed = exporter_stats(exporter)->failed_messages != 0;
	exporter_free(exporter);
	return has_failed;
}
