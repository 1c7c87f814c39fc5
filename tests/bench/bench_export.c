/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a record costs on its way out: bench_export [FLOWS]. First from exporter_add() to a
 * transport that throws away, per version and form; then as text; then to a UDP socket on
 * loopback that a thread empties, where the time is that of the sending thread, user and
 * system, encoding included.
 */
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

#include "export/exporter.h"
#include "export/print.h"
#include "tests/bench/bench.h"

#define RECORDS 256 /* made once, used again and again: they stay in the cache */
#define FLOWS_PER_PASS 4096

static void say(const char *what, const char *name, double ns)
{
	char line[64];

	snprintf(line, sizeof(line), "%s_%s_ns", what, name);
	bench_say(line, ns);
}

/* -- records -------------------------------------------------------------------------- */

static struct flow_side made_side(unsigned i)
{
	return (struct flow_side){
		.packets = 1 + i % 50,
		.octets = 700 * (1 + i % 50),
		.first_ns = BENCH_START_NS + i * 1000003u,
		.last_ns = BENCH_START_NS + i * 1000003u + 7654321u,
		.ingress_if = 3,
		.tcp_flags = 0x1b,
		.min_ttl = 60,
		.max_ttl = 60,
		.source_mac = { 2, 0, 0, 0, 0, 1 },
		.destination_mac = { 2, 0, 0, 0, 0, 2 },
	};
}

static struct flow_record *make_records(unsigned ip_version, bool is_answered)
{
	static struct flow_record records[RECORDS];

	for (unsigned i = 0; i < RECORDS; i++) {
		struct flow_record *record = &records[i];
		*record = (struct flow_record){
			.flow_id = i + 1,
			.port = { (uint16_t)(40000 + i), 443 },
			.ip_version = (uint8_t)ip_version,
			.protocol = 6,
			.end_reason = FLOW_END_IDLE,
			.is_initiator_known = true,
		};
		memcpy(record->address[0], "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
		memcpy(record->address[1], "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\2", 16);
		record->address[0][3] = (uint8_t)i;
		record->side[0] = made_side(i);
		if (is_answered)
			record->side[1] = made_side(i + 7);
	}
	return records;
}

/* -- cases ---------------------------------------------------------------------------- */

struct row {
	const char *name;
	enum export_version version;
	enum export_time time;
	enum export_biflow biflow;
	unsigned ip_version;
	bool is_answered;     /* both directions */
	const char *template; /* NULL: the default */
};

/* The default's elements one by one, and fewer. */
#define NAMED \
	"sourceIPv4Address,destinationIPv4Address,flowStartMilliseconds,flowEndMilliseconds," \
	"octetDeltaCount,packetDeltaCount,sourceTransportPort,destinationTransportPort," \
	"ingressInterface,egressInterface,protocolIdentifier,ipClassOfService,tcpControlBits," \
	"flowEndReason,flowDirection,vlanId,sourceMacAddress,destinationMacAddress,ipVersion," \
	"sourceIPv6Address"
#define NAMED_FEW \
	"protocolIdentifier,sourceIPv4Address,destinationIPv4Address,sourceTransportPort," \
	"destinationTransportPort,octetDeltaCount,packetDeltaCount,flowEndMilliseconds," \
	"sourceIPv6Address"

/* clang-format off */
static const struct row rows[] = {
	{ "v5_ipv4",             EXPORT_NETFLOW_5, EXPORT_TIME_UPTIME,       0, 4, true },
	{ "v9_ipv4",             EXPORT_NETFLOW_9, EXPORT_TIME_UPTIME,       0, 4, true },
	{ "v9_ipv6",             EXPORT_NETFLOW_9, EXPORT_TIME_UPTIME,       0, 6, true },
	{ "ipfix_ipv4",          EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, 0, 4, true },
	{ "ipfix_ipv4_one_way", EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, 0, 4, false },
	{ "ipfix_ipv6",          EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, 0, 6, true },
	{ "ipfix_ipv4_nanoseconds",      EXPORT_IPFIX,     EXPORT_TIME_NANOSECONDS,  0, 4, true },
	{ "biflow_minimal_ipv4",      EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, EXPORT_BIFLOW_MINIMAL, 4, true },
	{ "biflow_full_ipv4",         EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, EXPORT_BIFLOW_FULL,    4, true },
	{ "biflow_full_ipv6",   EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, EXPORT_BIFLOW_FULL,    6, true },
	{ "nfdump_ipv4",        EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, 0, 4, true, "nfdump" },
	{ "full_ipv4",          EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, 0, 4, true, "full" },
	{ "named_ipv4",         EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, 0, 4, true, NAMED },
	{ "named_few_ipv4",     EXPORT_IPFIX,     EXPORT_TIME_MILLISECONDS, 0, 4, true, NAMED_FEW },
};
/* clang-format on */

#define ROWS (sizeof(rows) / sizeof(rows[0]))

static struct exporter *make_exporter(const struct row *row, struct transport *transport)
{
	struct exporter_config config = {
		.version = row->version,
		.time = row->time,
		.biflow = row->biflow,
		.fields = { .has_protocol = true,
			.has_ports = true,
			.has_vlan = true,
			.has_mac = true },
		.sampling_interval = 1,
		.boot_ns = BENCH_START_NS - BENCH_NS_PER_S,
		.template_refresh_s = 60,
		.flush_delay_ms = 1000,
		.gather_delay_ms = 1000,
		.message_bytes = 1400,
		.interface_name = "eth0",
		.interface_description = "",
		.process_id = 1,
	};
	char error[TEMPLATE_ERROR_BYTES];
	struct exporter *exporter;

	if (row->template && template_parse(row->template, &config.template, error) < 0)
		exit(1);
	if (exporter_new(&config, transport, &exporter) < 0)
		exit(1);
	return exporter;
}

/* As a lane does: some records, then the clock. */
static double ns_per_record(
	struct exporter *exporter, const struct flow_record *records, uint64_t flows)
{
	uint64_t begin_ns = bench_cpu_ns();

	for (uint64_t i = 0; i < flows; i++) {
		exporter_add(exporter, &records[i % RECORDS], BENCH_START_NS);
		if (i % FLOWS_PER_PASS == 0)
			exporter_advance(exporter, BENCH_START_NS);
	}
	exporter_flush(exporter, BENCH_START_NS);
	return (double)(bench_cpu_ns() - begin_ns) / (double)exporter_stats(exporter)->records;
}

/* -- encoding ------------------------------------------------------------------------- */

static int drop_message(struct transport *transport, const uint8_t *bytes, size_t length)
{
	return 0;
}

static void close_nothing(struct transport *transport)
{
}

static void bench_encoding(const struct row *row, uint64_t flows)
{
	static const struct transport_ops ops = {
		.submit = drop_message,
		.close = close_nothing,
	};
	struct transport nowhere = { .ops = &ops };
	struct exporter *exporter = make_exporter(row, &nowhere);

	say("encode", row->name,
		ns_per_record(
			exporter, make_records(row->ip_version, row->is_answered), flows));
	exporter_free(exporter);
}

static void bench_text(const char *name, enum print_format format, uint64_t flows)
{
	const struct print_config config = { .format = format, .sampling_interval = 1 };
	const struct flow_record *records = make_records(4, false);
	char text[PRINT_BYTES_MAX];
	uint64_t begin_ns = bench_cpu_ns();

	for (uint64_t i = 0; i < flows; i++)
		print_record(&config, &records[i % RECORDS], text);
	say("print", name, (double)(bench_cpu_ns() - begin_ns) / (double)flows);
}

/* -- sending -------------------------------------------------------------------------- */

static void *drain(void *user)
{
	static char bytes[65536];
	const int *fd = user;

	while (recv(*fd, bytes, sizeof(bytes), 0) > 0)
		;
	return NULL;
}

static int listen_on_loopback(char port[8])
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t bytes = sizeof(at);
	int room = 1 << 23, fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (struct sockaddr *)&at, bytes) < 0 ||
		getsockname(fd, (struct sockaddr *)&at, &bytes) < 0)
		exit(1);
	snprintf(port, 8, "%u", ntohs(at.sin_port));
	return fd;
}

static void bench_sending(const struct row *row, uint64_t flows)
{
	char error[TRANSPORT_ERROR_BYTES], port[8];
	int fd = listen_on_loopback(port);
	const struct transport_config config = {
		.host = "127.0.0.1",
		.port = port,
		.hop_limit = -1,
		.may_wait = true,
	};
	struct transport *transport;
	pthread_t drainer;

	if (transport_udp_open(&config, &transport, error) < 0 ||
		pthread_create(&drainer, NULL, drain, &fd) != 0)
		exit(1);
	struct exporter *exporter = make_exporter(row, transport);
	say("send", row->name,
		ns_per_record(
			exporter, make_records(row->ip_version, row->is_answered), flows));
	exporter_free(exporter);
	shutdown(fd, SHUT_RDWR);
	pthread_join(drainer, NULL);
	close(fd);
}

int main(int argc, char **argv)
{
	uint64_t flows = argc > 1 ? strtoull(argv[1], NULL, 10) : 2000000;

	for (size_t i = 0; i < ROWS; i++)
		bench_encoding(&rows[i], flows);
	bench_text("table", PRINT_TABLE, flows / 4);
	bench_text("json", PRINT_JSON, flows / 4);
	bench_text("csv", PRINT_CSV, flows / 4);
	for (size_t i = 0; i < ROWS; i++)
		bench_sending(&rows[i], flows);
	return 0;
}
