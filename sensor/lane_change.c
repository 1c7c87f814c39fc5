/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Another configuration for a lane that runs. It takes two requests, each of which all lanes
 * answer before the next one is made:
 *
 *	filter   which is all that can fail
 *	change   everything else, between two batches, at once
 *
 * Before the change, over as many passes as it takes, what would not survive it is sent:
 * messages for collectors that go; and when another sampling interval comes, every open flow,
 * since no record may have counted with both.
 */
#include <string.h>
#include <unistd.h>

#include "sensor/lane_inside.h"
#include "sensor/loop.h"

/* So long a full socket is waited for; then what it does not take is counted as lost. */
#define PARTING_NS 2000000000ULL

/* -- from a configuration ------------------------------------------------------------- */

/* What came to this lane and should be in a flow, but is not: there was no room in the ring, or
 * it was cut or contradicts itself. */
static uint64_t lane_ignored_packets(const void *user)
{
	const struct lane *lane = user;
	struct ring_stats ring;
	uint64_t count = 0;

	source_stats(lane->source, &ring);
	for (size_t i = 0; i < DROP_REASON_COUNT; i++)
		if (drop_reasons[i].class == DROP_CLASS_TOO_SHORT)
			count += lane->dropped[i];
	return count + ring.dropped_pkts + ring.interface_dropped_pkts;
}

static struct exporter_config export_config(
	const struct lane *lane, const struct config *config)
{
	struct exporter_config exporter = config_exporter(config);

	exporter.domain = lane->domain + lane->number;
	exporter.engine_id = (uint8_t)lane->number;
	exporter.gather_delay_ms = lane->is_live ? 0 : config->flush_delay_ms;
	exporter.if_index = lane->if_index;
	exporter.process_id = lane->is_live ? (uint32_t)getpid() : 1;
	exporter.ignored_packets = lane_ignored_packets;
	exporter.ignored_user = lane;
	return exporter;
}

void lane_change_fill(
	const struct lane *lane, const struct config *config, struct lane_change *ret_change)
{
	*ret_change = (struct lane_change){
		.settings = {
			.maximum_life_ns = config->timeouts.maximum_life_ns,
			.reinitialise_s = config->reinitialise_s,
			.track_v6 = config->track_v6,
			.has_own_mac = config->has_own_mac,
		},
		.timeouts = config->timeouts,
		.sampling_interval = config->sampling_interval,
		.records_per_s = config->export_rate / lane->count +
				 (config->export_rate % lane->count != 0),
		.collectors = {
			.config = export_config(lane, config),
			.is_balanced = config->is_load_balanced,
		},
	};
	memcpy(ret_change->settings.own_mac, config->own_mac, sizeof(config->own_mac));
}

uint8_t *lane_kept_bytes(const struct lane *lane, size_t place)
{
	uint8_t *bytes = lane->collectors.kept_bytes;

	return bytes ? bytes + place * EXPORTER_KEPT_BYTES : NULL;
}

/* -- in the lane ---------------------------------------------------------------------- */

static bool is_patient(struct lane_change *change)
{
	uint64_t now_ns = loop_now_ns();

	if (change->since_ns == 0)
		change->since_ns = now_ns;
	return now_ns - change->since_ns < PARTING_NS;
}

/* End all flows, no faster than the sockets take the records; false when some are left. */
static bool end_flows(struct lane *lane)
{
	lane->pace.is_slowed = lane_pace_is_held(&lane->pace, lane->cache, &lane->collectors);
	if (lane->pace.is_slowed)
		return false;
	return flow_cache_expire_all(lane->cache, LANE_LOOK_RECORDS) == 0 ||
	       flow_cache_stats(lane->cache)->active_flows == 0;
}

static bool make_room(struct lane *lane, struct lane_change *change)
{
	uint64_t now_ns = lane_unix_ns(lane, flow_cache_clock_ns(lane->cache));
	bool is_resampled = lane->sampler.interval != change->sampling_interval;

	if (is_resampled && !end_flows(lane))
		return false;
	collectors_part(&lane->collectors, &change->collectors, now_ns);
	lane_keep_release(lane);
	if (collectors_are_parted(&lane->collectors, &change->collectors, !is_patient(change)))
		return true;
	lane->pace.is_slowed = true;
	return false;
}

bool lane_change_step(struct lane *lane, struct lane_change *change)
{
	uint64_t now_ns = flow_cache_clock_ns(lane->cache);
	bool moves_boot = lane->settings.reinitialise_s != change->settings.reinitialise_s;

	if (lane->is_finishing || lane->is_leaving)
		return true;
	if (!lane->has_begun || !make_room(lane, change))
		return false;
	lane->settings = change->settings;
	if (moves_boot)
		lane->boot_move_ns = lane_next_boot_move(lane, now_ns);
	if (lane->sampler.interval != change->sampling_interval)
		lane->sampler = sampler_every(change->sampling_interval);
	lane->pace.pacer.records_per_s = change->records_per_s;
	flow_cache_set_timeouts(lane->cache, &change->timeouts);
	collectors_change(&lane->collectors, &change->collectors);
	lane_keep_places(lane);
	change->is_taken = true;
	return true;
}
