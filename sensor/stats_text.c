/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softflowd's layouts. Counts of packets are wire packets, as in the flows; what is ignored is
 * counted in frames. "Processed" are those that were IP and sampled, as there; fragments that
 * are held are among them, so that nothing seems to be missing meanwhile.
 */
#include "sensor/stats_text.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <time.h>

#include "sensor/flow_tally.h"

#define NS_PER_S 1000000000u
#define NS_PER_MS 1000000u

static uint64_t dropped_frames(const struct sensor_stats *stats, enum drop_class class)
{
	uint64_t frames = 0;

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		if (drop_reasons[i].class == class)
			frames += stats->dropped[i];
	return frames;
}

static double seconds(double time_ns)
{
	return time_ns / NS_PER_S;
}

static double average(uint64_t sum, uint64_t count)
{
	return count ? (double)sum / (double)count : 0;
}

/* "2026-11-23T02:58:36", of a time in UTC. */
static void format_second(uint64_t time_ns, char *text, size_t size)
{
	time_t second = (time_t)(time_ns / NS_PER_S);
	struct tm parts = { 0 };

	gmtime_r(&second, &parts);
	strftime(text, size, "%Y-%m-%dT%H:%M:%S", &parts);
}

/* -- statistics ----------------------------------------------------------------------- */

void stats_text_write_since(const struct sensor_stats *stats, FILE *out)
{
	char second[32];

	format_second(stats->start_ns, second, sizeof(second));
	fprintf(out, "Accumulated statistics since %s UTC:\n", second);
}

static void write_packets(const struct sensor_stats *stats, FILE *out)
{
	uint64_t non_ip = dropped_frames(stats, DROP_CLASS_NON_IP);
	uint64_t too_short = dropped_frames(stats, DROP_CLASS_TOO_SHORT);
	uint64_t non_sampled = dropped_frames(stats, DROP_CLASS_NON_SAMPLED);

	fprintf(out, "Number of active flows: %" PRIu64 "\n", stats->cache.active_flows);
	fprintf(out, "Packets processed: %" PRIu64 "\n",
		stats->cache.metered_pkts + stats->held_fragments + too_short);
	if (non_sampled > 0)
		fprintf(out, "Packets non-sampled: %" PRIu64 "\n", non_sampled);
	fprintf(out, "Fragments: %" PRIu64 "\n",
		stats->cache.fragments + stats->held_fragments);
	fprintf(out,
		"Ignored packets: %" PRIu64 " (%" PRIu64 " non-IP, %" PRIu64 " too short)\n",
		non_ip + too_short, non_ip, too_short);
}

static void write_export(const struct sensor_stats *stats, FILE *out)
{
	fprintf(out, "Flows expired: %" PRIu64 " (%" PRIu64 " forced)\n",
		stats->cache.expired_flows, stats->cache.forced_flows);
	fprintf(out,
		"Flows exported: %" PRIu64 " (%" PRIu64 " records) in %" PRIu64
		" packets (%" PRIu64 " failures)\n",
		stats->exported_flows, stats->exported.records, stats->exported.messages,
		stats->exported.failed_messages);
	if (!stats->has_ring)
		return;
	fprintf(out, "Packets received by libpcap: %" PRIu64 "\n", stats->ring.received_pkts);
	fprintf(out, "Packets dropped by libpcap: %" PRIu64 "\n", stats->ring.dropped_pkts);
	fprintf(out, "Packets dropped by interface: %" PRIu64 "\n",
		stats->ring.interface_dropped_pkts);
}

static void write_ranges(const struct flow_cache_stats *cache, FILE *out)
{
	uint64_t flows = cache->expired_flows;

	fprintf(out, "Expired flow statistics:  minimum       average       maximum\n");
	fprintf(out, "  Flow bytes:        %12.0f  %12.0f  %12.0f\n",
		(double)cache->octets.minimum, average(cache->octets.sum, flows),
		(double)cache->octets.maximum);
	fprintf(out, "  Flow packets:      %12.0f  %12.0f  %12.0f\n",
		(double)cache->packets.minimum, average(cache->packets.sum, flows),
		(double)cache->packets.maximum);
	fprintf(out, "  Duration:          %12.2fs %12.2fs %12.2fs\n\n",
		seconds((double)cache->duration_ns.minimum),
		seconds(average(cache->duration_ns.sum, flows)),
		seconds((double)cache->duration_ns.maximum));
}

/* Which reasons stand on which line of "Expired flow reasons". */
/* clang-format off */
static const struct {
	enum end_reason reason;
	const char *ending;
} reason_cells[] = {
	{ END_TCP,       "" }, { END_TCP_RST, "" }, { END_TCP_FIN, "\n" },
	{ END_UDP,       "" }, { END_ICMP,    "" }, { END_GENERAL, "\n" },
	{ END_MAXLIFE,   "\n" },
	{ END_OVERBYTES, "\n" },
	{ END_OVERFLOWS, "\n" },
	{ END_FLUSH,     "\n\n" },
};
/* clang-format on */
static_assert(sizeof(reason_cells) / sizeof(reason_cells[0]) == END_REASON_COUNT,
	"every reason is shown");

static void write_reasons(const struct flow_cache_stats *cache, FILE *out)
{
	fprintf(out, "Expired flow reasons:\n");
	for (unsigned i = 0; i < END_REASON_COUNT; i++) {
		enum end_reason reason = reason_cells[i].reason;

		fprintf(out, "%10s = %9" PRIu64 "%s", end_reasons[reason].name,
			cache->expired_by_reason[reason], reason_cells[i].ending);
	}
}

static void write_protocols(const struct flow_cache_stats *cache, FILE *out)
{
	fprintf(out,
		"Per-protocol statistics:     Octets      Packets   Avg Life    Max Life\n");
	for (int protocol = 0; protocol < 256; protocol++) {
		uint64_t flows = cache->by_protocol[protocol].flows;
		const struct protoent *entry = getprotobynumber(protocol);
		char name[64];

		if (flows == 0)
			continue;
		snprintf(name, sizeof(name), "%s (%d)", entry ? entry->p_name : "Unknown",
			protocol);
		fprintf(out, "  %17s: %14" PRIu64 " %12" PRIu64 "   %8.2fs %10.2fs\n", name,
			cache->by_protocol[protocol].octets,
			cache->by_protocol[protocol].packets,
			seconds(average(cache->by_protocol[protocol].duration_ns_sum, flows)),
			seconds((double)cache->by_protocol[protocol].duration_ns_maximum));
	}
}

void stats_text_write(const struct sensor_stats *stats, FILE *out)
{
	write_packets(stats, out);
	write_export(stats, out);
	fprintf(out, "\n");
	if (stats->cache.expired_flows == 0)
		return;
	write_ranges(&stats->cache, out);
	write_reasons(&stats->cache, out);
	write_protocols(&stats->cache, out);
}

void stats_text_write_drops(const struct sensor_stats *stats, FILE *out)
{
	for (unsigned i = 0; i < DROP_REASON_COUNT; i++) {
		if (i == DROP_NONE || stats->dropped[i] == 0)
			continue;
		fprintf(out, "%20s: %12" PRIu64 "  %s\n", drop_reasons[i].name,
			stats->dropped[i], drop_reasons[i].sentence);
	}
}

void stats_text_write_notes(const struct sensor_stats *stats, FILE *out)
{
	const struct {
		const char *name;
		uint64_t count;
		const char *sentence;
	} rows[] = {
		{ "lone-fragments", stats->lone_fragments,
			"later fragments in flows with ports 0: their first was not seen in "
			"time" },
		{ "unsupported-flows", stats->exported.unsupported_flows,
			"flows that were not exported: the version cannot carry IPv6" },
		{ "saturated-fields", stats->exported.saturated_fields,
			"values too large for their field, exported as the largest it holds" },
		{ "lost-records", stats->exported.failed_records,
			"records in messages that did not reach their collector" },
		{ "postponed-sends", stats->exported.postponed_sends,
			"times that messages waited because the socket had no room" },
		{ "clock-steps", stats->ring.clock_steps,
			"times that the host's clock was set" },
		{ "odd-stamps", stats->ring.odd_stamps,
			"packets stamped in the future, taken for the time of reading" },
		{ "clock-jumps", stats->clock_jumps,
			"times that stamps went back or forth by more than a minute" },
		{ "lost-sessions", stats->exported.sessions.lost,
			"connections to collectors that were lost" },
		{ "refused-sessions", stats->exported.sessions.refused,
			"attempts to connect to a collector that failed" },
		{ "received-octets", stats->exported.sessions.received_octets,
			"octets that collectors sent to us, where they have nothing to say" },
		{ "lost-prints", stats->lost_prints, "records that --print had no room for" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].count > 0)
			fprintf(out, "%20s: %12" PRIu64 "  %s\n", rows[i].name, rows[i].count,
				rows[i].sentence);
}

/* -- timeouts ------------------------------------------------------------------------- */

void stats_text_write_timeouts(const struct flow_timeouts *timeouts, FILE *out)
{
	const struct {
		const char *name;
		uint64_t timeout_ns;
	} rows[] = {
		{ "TCP timeout", timeouts->tcp_ns },
		{ "TCP post-RST timeout", timeouts->tcp_rst_ns },
		{ "TCP post-FIN timeout", timeouts->tcp_fin_ns },
		{ "UDP timeout", timeouts->udp_ns },
		{ "ICMP timeout", timeouts->icmp_ns },
		{ "General timeout", timeouts->general_ns },
		{ "Maximum lifetime", timeouts->maximum_life_ns },
		{ "Expiry interval", timeouts->expiry_interval_ns },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		fprintf(out, "%22s: %" PRIu64 "s\n", rows[i].name,
			rows[i].timeout_ns / NS_PER_S);
}

/* -- dump-flows ----------------------------------------------------------------------- */

/* "2026-11-23T02:58:38.061": milliseconds are cut, so they never reach 1000. */
static void write_millisecond(uint64_t time_ns, FILE *out)
{
	char second[32];

	format_second(time_ns, second, sizeof(second));
	fprintf(out, "%s.%03u", second, (unsigned)(time_ns % NS_PER_S / NS_PER_MS));
}

static void write_endpoint(const struct flow_record *record, unsigned slot, FILE *out)
{
	char address[INET6_ADDRSTRLEN] = "";
	unsigned port = record->port[slot];

	/* softflowd shows an ICMP message's type and code as the port it was sent to. */
	if (record->is_icmp && slot == 1)
		port = record->side[0].icmp_type_code;
	inet_ntop(record->ip_version == 4 ? AF_INET : AF_INET6, record->address[slot], address,
		sizeof(address));
	fprintf(out, "[%s]:%u", address, port);
}

static void write_mac(const struct flow_record *record, unsigned slot, FILE *out)
{
	bool has_sent = record->side[slot].packets > 0;
	const uint8_t *mac =
		has_sent ? record->side[slot].source_mac : record->side[!slot].destination_mac;

	fprintf(out, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2], mac[3], mac[4],
		mac[5]);
}

static void write_times(const struct flow_record *record, FILE *out)
{
	const struct flow_side *side = record->side;
	uint64_t first_ns = side[0].first_ns;

	if (side[0].packets == 0 || (side[1].packets > 0 && side[1].first_ns < first_ns))
		first_ns = side[1].first_ns;
	fprintf(out, " start:");
	write_millisecond(first_ns, out);
	fprintf(out, " finish:");
	write_millisecond(first_ns + flow_tally_duration_ns(record), out);
}

static void write_deadline(const struct flow_snapshot *flow, uint64_t now_ns, FILE *out)
{
	uint64_t due_s = flow->deadline_ns / NS_PER_S;
	uint64_t now_s = now_ns / NS_PER_S;

	fprintf(out, "EXPIRY EVENT for flow %" PRIu64, flow->record.flow_id);
	if (due_s <= now_s)
		fprintf(out, " now\n\n");
	else
		fprintf(out, " in %" PRIu64 " seconds\n\n", due_s - now_s);
}

void stats_text_write_flow(const struct flow_snapshot *flow, uint64_t now_ns, FILE *out)
{
	const struct flow_record *record = &flow->record;
	const struct flow_side *side = record->side;

	fprintf(out, "ACTIVE seq:%" PRIu64 " ", record->flow_id);
	write_endpoint(record, 0, out);
	fprintf(out, " <> ");
	write_endpoint(record, 1, out);
	fprintf(out,
		" proto:%u octets>:%" PRIu64 " packets>:%" PRIu64 " octets<:%" PRIu64
		" packets<:%" PRIu64,
		record->protocol, side[0].octets, side[0].packets, side[1].octets,
		side[1].packets);
	write_times(record, out);
	fprintf(out,
		" tcp>:%02x tcp<:%02x flowlabel>:%08x flowlabel<:%08x vlan>:%u vlan<:%u ether:",
		side[0].tcp_flags, side[1].tcp_flags, side[0].flow_label, side[1].flow_label,
		side[0].vlan_id, side[1].vlan_id);
	write_mac(record, 0, out);
	fprintf(out, " <> ");
	write_mac(record, 1, out);
	fprintf(out, "\n");
	write_deadline(flow, now_ns, out);
}

/* -- the books ------------------------------------------------------------------------ */

int stats_check(const struct sensor_stats *stats, uint64_t open_pkts, FILE *out)
{
	const struct flow_cache_stats *cache = &stats->cache;
	uint64_t dropped = 0;

	for (unsigned i = 0; i < DROP_REASON_COUNT; i++)
		dropped += stats->dropped[i];
	if (stats->seen_pkts != stats->metered_frames + stats->held_fragments + dropped) {
		fprintf(out,
			"of %" PRIu64 " frames seen %" PRIu64 " are in flows, %" PRIu64
			" are held and %" PRIu64
			" were dropped for a reason: the books do not balance\n",
			stats->seen_pkts, stats->metered_frames, stats->held_fragments,
			dropped);
		return -EBADMSG;
	}
	if (cache->metered_pkts != cache->expired_pkts + open_pkts + cache->deleted_pkts) {
		fprintf(out,
			"of %" PRIu64 " packets in flows %" PRIu64 " are in records, %" PRIu64
			" in open flows and %" PRIu64
			" were deleted: the books do not balance\n",
			cache->metered_pkts, cache->expired_pkts, open_pkts,
			cache->deleted_pkts);
		return -EBADMSG;
	}
	return 0;
}
