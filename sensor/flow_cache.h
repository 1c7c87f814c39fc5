/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flow cache: packet_meta in, flow_record out. One cache belongs to one lane; nothing in it
 * is shared, locked or allocated per packet.
 *
 * Time is the lane clock: the newest packet stamp (or the source's clock when idle). The cache
 * keeps the clock from going back, so an out-of-order stamp can neither revive nor delay a
 * flow; first and last times of a record are still the earliest and latest stamps seen.
 *
 * All expiry is exact in packet time. A packet that arrives at or after a flow's deadline
 * closes the old record first; every record that is due before a packet is handed out before
 * that packet is counted. (.is_paced lets the handing out lag, never the counting.)
 *
 * A record closed by the maximum lifetime does not end its flow. The entry waits, without an
 * open record, until the flow's idle deadline; a packet before that begins the next record of
 * the same flow, with its id and direction. When none comes the entry goes without a word:
 * there is nothing to report. Such entries are not active flows, but they take room.
 */
#ifndef SENSOR_FLOW_CACHE_H
#define SENSOR_FLOW_CACHE_H

#include <stddef.h>
#include <stdio.h>

#include "export/flow_record.h"
#include "sensor/end_reason.h"
#include "sensor/meta.h"

enum track_level {
	TRACK_IP,
	TRACK_PROTO,
	TRACK_PORT,
	TRACK_FULL,
	TRACK_VLAN,
	TRACK_ETHER,
	TRACK_LEVEL_COUNT
};

/* softflowd's timeouts, in nanoseconds. 0 switches a rule off and the next one applies; without
 * a general timeout, which a new cache must have, nothing is left and the flow does not go
 * idle. */
struct flow_timeouts {
	uint64_t general_ns;
	uint64_t tcp_ns;
	uint64_t tcp_rst_ns;
	uint64_t tcp_fin_ns;
	uint64_t udp_ns;
	uint64_t icmp_ns;
	uint64_t maximum_life_ns;
	uint64_t expiry_interval_ns; /* rounds idle deadlines up; <= 1 s: does not */
};

/* Where finished records go. Called on the lane's thread; .record is borrowed for the call.
 * now_ns: the packet time at which the record closed (its deadline when it expired). It never
 * goes back from one call to the next. */
struct flow_sink {
	void (*record)(void *user, const struct flow_record *record, uint64_t now_ns);
	void *user;
};

struct flow_memory;
struct flow_cache_saved;

struct flow_cache_config {
	enum track_level level;
	uint32_t maximum_flows;
	struct flow_timeouts timeouts;
	uint64_t hash_key[2];           /* random in service; fixed in tests */
	uint32_t default_ingress_if;    /* of packets whose interface is not known */
	bool is_default_ingress_forced; /* the user gave it (-i N:): of all packets */
	/* For live service: flow_cache_meter() closes no record that is due but that of the
	 * flow at hand. The others wait for flow_cache_advance(), at the pace of whoever calls
	 * it, and may be handed out out of order. Which packet is in which record is the same
	 * either way. */
	bool is_paced;
	struct flow_sink sink;
	/* Where the flows are kept so that another process can go on with them, borrowed
	 * (flow_table.h); NULL: nowhere. And what it goes on with; NULL: with nothing. */
	const struct flow_memory *memory;
	const struct flow_cache_saved *saved;
};

/* Minimum, sum and maximum over expired flows. */
struct flow_range {
	uint64_t minimum, sum, maximum;
};

struct flow_protocol_stats {
	uint64_t flows, octets, packets, duration_ns_sum, duration_ns_maximum;
};

/* What softflowd's "Expired flow statistics" are made of. */
struct flow_cache_stats {
	uint64_t metered_pkts; /* wire packets put into flows */
	uint64_t metered_octets;
	uint64_t fragments;     /* metered frames that were fragments */
	uint64_t active_flows;  /* with an open record */
	uint64_t created_flows; /* flow ids ever given */
	uint64_t expired_flows; /* records handed to the sink */
	uint64_t expired_pkts;  /* wire packets in those records */
	uint64_t expired_octets;
	uint64_t forced_flows;  /* of these, closed for lack of room */
	uint64_t deleted_flows; /* thrown away by delete-all, with the next */
	uint64_t deleted_pkts;
	struct flow_range octets, packets, duration_ns; /* per expired flow, both directions */
	uint64_t expired_by_reason[END_REASON_COUNT];
	struct flow_protocol_stats by_protocol[256];
};

/* What a cache knows besides its flows, as plain memory. */
struct flow_cache_saved {
	uint64_t clock_ns, closed_ns;
	uint32_t touched, paths_touched; /* entries, paths (flow_table_adopt()) */
	struct flow_cache_stats stats;
};

struct flow_cache;

/* 0, -ENOMEM or -EINVAL. With .saved: 0, or -EAGAIN as flow_table_adopt(). */
int flow_cache_new(const struct flow_cache_config *config, struct flow_cache **ret_cache);
void flow_cache_free(struct flow_cache *cache); /* NULL is fine; open flows are forgotten */

/* Count .count packets, in order. */
void flow_cache_meter(
	struct flow_cache *cache, const struct packet_meta *metas, unsigned count);

/*
 * Move the clock to now_ns and close what is due, at most .budget records.
 * Returns true when everything that was due is closed.
 */
bool flow_cache_advance(struct flow_cache *cache, uint64_t now_ns, size_t budget);

/* Make ready for new flows, a little in a call: for when there is nothing else to do. True when
 * there is more to do. */
bool flow_cache_prepare(struct flow_cache *cache);

/* The clock: the newest time the cache has seen, 0 before the first. */
uint64_t flow_cache_clock_ns(const struct flow_cache *cache);

/* When flow_cache_advance() will have something to do next, as far as is known now; UINT64_MAX
 * when the cache is empty. May be too early, is never too late. */
uint64_t flow_cache_next_due_ns(const struct flow_cache *cache);

/* Close open flows, about in the order in which they began, at most .budget; returns how many.
 * All at once they close by IP version and ICMP first. 0: the cache is empty. Those that were
 * due already close for that reason. */
size_t flow_cache_expire_all(struct flow_cache *cache, size_t budget);

/* Forget open flows, no records, at most .budget; returns how many. 0: the cache is empty. */
size_t flow_cache_delete_all(struct flow_cache *cache, size_t budget);

/* New timeouts apply to open flows at once. */
void flow_cache_set_timeouts(struct flow_cache *cache, const struct flow_timeouts *timeouts);

/* Write what .saved of another cache's configuration has to be. .to holds what was written two
 * calls before, or anything. */
void flow_cache_save(struct flow_cache *cache, struct flow_cache_saved *to);

const struct flow_cache_stats *flow_cache_stats(const struct flow_cache *cache);

/* One open flow as dump-flows shows it. */
struct flow_snapshot {
	struct flow_record record; /* .end_reason is 0; MPLS labels are left out */
	uint64_t deadline_ns;      /* when it will be closed if no packet comes */
};

/*
 * Copy open flows to .out, at most .capacity, beginning at *cursor (0 first); *cursor moves on.
 * Returns how many; flow_cache_snapshot_ended() says whether more may come, also after 0: a
 * call looks at a bounded part of the table. Flows that come or go between two calls may or may
 * not be seen; none is seen twice.
 */
size_t flow_cache_snapshot(const struct flow_cache *cache, uint64_t *cursor,
	struct flow_snapshot *out, size_t capacity);
bool flow_cache_snapshot_ended(const struct flow_cache *cache, uint64_t cursor);

#endif
