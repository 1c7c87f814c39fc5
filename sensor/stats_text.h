/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * softflowd's texts, to the letter: statistics, timeouts, dump-flows. Monitoring plugins read
 * these by line prefix, so they only change if softflowd does.
 */
#ifndef SENSOR_STATS_TEXT_H
#define SENSOR_STATS_TEXT_H

#include <stdio.h>

#include "export/exporter.h"
#include "ring/packet.h"
#include "sensor/drop_reason.h"
#include "sensor/flow_cache.h"

/* Everything a statistics text is made from: a copy taken between two batches. */
struct sensor_stats {
	uint64_t start_ns;                   /* Unix time when metering began */
	uint64_t seen_pkts;                  /* frames the source handed over */
	uint64_t metered_frames;             /* of these, frames in flows */
	uint64_t held_fragments;             /* of these, frames that wait for their first */
	uint64_t dropped[DROP_REASON_COUNT]; /* of these, frames in no flow, by reason */
	bool has_ring;                       /* a live source: the ring lines are printed */
	struct ring_stats ring;
	struct exporter_stats exported; /* summed over the collectors; see flows below */
	uint64_t exported_flows;        /* flow records handed to the exporters, once each */
	uint64_t lost_prints;           /* records that --print had no room for */
	uint64_t clock_jumps;    /* times that the clock left stamps that went far back */
	uint64_t lone_fragments; /* later ones in flows with ports 0, their first not seen */
	uint64_t restarts;       /* processes that went on where the one before had stopped */
	uint64_t outage_ms;      /* how long nobody read the rings before this one did */
	struct flow_cache_stats cache;
};

/* Add a lane's statistics to those of others; *sum is all zero before the first. */
void stats_sum_add(struct sensor_stats *sum, const struct sensor_stats *one);

/* The line before the block in softflowctl's answer, after "softflowd[pid]: ". At the end of a
 * capture there is none. */
void stats_text_write_since(const struct sensor_stats *stats, FILE *out);

/* The statistics block, from "Number of active flows". */
void stats_text_write(const struct sensor_stats *stats, FILE *out);

/* The reasons that are not zero, a line each: name, count, sentence. */
void stats_text_write_drops(const struct sensor_stats *stats, FILE *out);

/* What else is not as one would expect, in the same columns, where there is any: fragments on
 * their own, flows and values that the export version cannot carry, records that were not
 * printed. */
void stats_text_write_notes(const struct sensor_stats *stats, FILE *out);

/* softflowctl timeouts, without its first line. */
void stats_text_write_timeouts(const struct flow_timeouts *timeouts, FILE *out);

/* softflowctl dump-flows: both lines and the empty one, of one flow. Slot 0 is the initiator,
 * and the MAC of each endpoint stands at its place. */
void stats_text_write_flow(const struct flow_snapshot *flow, uint64_t now_ns, FILE *out);

/*
 * The books: frames seen = frames in flows + frames held (none at exit) + frames dropped by
 * reason, and wire packets in flows = packets in records + packets in open flows (none at exit)
 * + packets deleted. 0, or -EBADMSG with a sentence written to .out.
 */
int stats_check(const struct sensor_stats *stats, uint64_t open_pkts, FILE *out);

#endif
