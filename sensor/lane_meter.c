/* SPDX-License-Identifier: BSD-2-Clause */
/* From a batch of packets to the flow cache. */
#include "sensor/lane_inside.h"

#include <string.h>

#include "sensor/steer.h"

/* -- packets -------------------------------------------------------------------------- */

/* Why this packet is in no flow, or DROP_NONE with *ret_meta filled. */
static enum drop_reason lane_judge(
	struct lane *lane, const struct packet *packet, struct packet_meta *ret_meta)
{
	if (lane->is_paused)
		return DROP_NOT_GATHERED;
	if (!sampler_selects(&lane->sampler))
		return DROP_NOT_SAMPLED;
	enum drop_reason reason = decoder_decode(lane->decoder, packet, ret_meta);
	if (reason != DROP_NONE)
		return reason;
	if (ret_meta->ip_version == 6 && !lane->settings.track_v6)
		return DROP_V6_NOT_TRACKED;
	return DROP_NONE;
}

/* Is a packet of a capture file another lane's? */
static bool lane_is_others(const struct lane *lane, const struct packet_meta *meta)
{
	return lane->sees_all &&
	       steer_lane(lane->steering_key, meta, lane->count) != lane->number;
}

/* Where all lanes see a packet that is in no flow, one of them counts it. */
static void lane_drop(struct lane *lane, enum drop_reason reason)
{
	if (lane->sees_all && lane->number != 0)
		return;
	lane->dropped[reason]++;
	lane->seen_pkts += lane->sees_all;
}

void lane_meter_queue(struct lane *lane)
{
	flow_cache_meter(lane->cache, lane->metas, lane->queued);
	lane->queued = 0;
}

/* The meta behind the queue joins it. There is always room for one more. */
static inline void lane_queue(struct lane *lane)
{
	lane->metered_frames++;
	if (++lane->queued == PACKET_BATCH_MAX)
		lane_meter_queue(lane);
}

/* The ports of the meta behind the queue are final: it joins the queue, unless it is another
 * lane's or our own export. */
static inline void lane_settle(struct lane *lane)
{
	const struct packet_meta *meta = &lane->metas[lane->queued];

	if (lane_is_others(lane, meta))
		return;
	if (lane->is_live && own_export_is(lane->own, meta)) {
		lane_drop(lane, DROP_OWN_EXPORT);
		return;
	}
	lane->seen_pkts += lane->sees_all;
	lane_queue(lane);
}

/* -- fragments before their first ----------------------------------------------------- */

void lane_take_back(void *user, const struct packet_meta *meta)
{
	struct lane *lane = user;

	lane->metas[lane->queued] = *meta;
	lane->metas[lane->queued].clock_ns = lane->release_ns;
	lane_settle(lane);
}

/* Move the cache's clock without a packet for it. */
static void lane_pass_time(struct lane *lane, uint64_t now_ns)
{
	lane_meter_queue(lane);
	flow_cache_advance(lane->cache, now_ns, lane->is_live ? 0 : SIZE_MAX);
}

/* Meter those whose first did not come, each at the moment when its wait ended. */
void lane_give_up_waiting(struct lane *lane, uint64_t now_ns)
{
	while (fragment_hold_due_ns(lane->hold) < now_ns) {
		lane->release_ns = fragment_hold_due_ns(lane->hold);
		lane_pass_time(lane, lane->release_ns);
		fragment_hold_give_up(lane->hold);
	}
	lane->held_due_ns = fragment_hold_due_ns(lane->hold);
}

/* Do what the time and the kind of the meta behind the queue ask for; true when it is held. Its
 * place may be needed by others, which were on the wire before it. */
static bool lane_hold(struct lane *lane)
{
	struct packet_meta meta = lane->metas[lane->queued];

	lane_give_up_waiting(lane, meta.clock_ns);
	lane->release_ns = meta.clock_ns;
	if (meta.awaits_first) {
		lane_pass_time(lane, meta.clock_ns);
		fragment_hold_add(lane->hold, &meta, flow_cache_clock_ns(lane->cache));
	} else if (meta.begins_datagram) {
		fragment_hold_join(lane->hold, &meta);
	}
	lane->held_due_ns = fragment_hold_due_ns(lane->hold);
	lane->metas[lane->queued] = meta;
	return meta.awaits_first;
}

/* -- batches -------------------------------------------------------------------------- */

/* Does nothing but the decoder decide what becomes of a packet? */
static bool lane_only_decodes(const struct lane *lane)
{
	return !lane->is_live && !lane->sees_all && !lane->is_paused &&
	       sampler_selects_all(&lane->sampler) && lane->settings.track_v6 &&
	       !lane->settings.has_own_mac;
}

/* .only_decodes is known when this is compiled: a loop of its own leaves the questions out. */
__attribute__((always_inline)) static inline void lane_meter_packet(
	struct lane *lane, const struct packet *packet, bool only_decodes)
{
	const struct lane_settings *settings = &lane->settings;

	lane_clock_see(&lane->clock, packet->stamp_ns);
	struct packet_meta *meta = &lane->metas[lane->queued];
	enum drop_reason reason = only_decodes ? decoder_decode(lane->decoder, packet, meta)
					       : lane_judge(lane, packet, meta);

	if (reason != DROP_NONE) {
		lane_drop(lane, reason);
		return;
	}
	meta->clock_ns = lane->clock.now_ns;
	if (!only_decodes && settings->has_own_mac)
		meta->is_outgoing = memcmp(meta->source_mac, settings->own_mac,
					    sizeof(settings->own_mac)) == 0;
	bool is_rare = meta->is_fragment || meta->clock_ns > lane->held_due_ns;
	if (is_rare && lane_hold(lane))
		return;
	if (only_decodes)
		lane_queue(lane);
	else
		lane_settle(lane);
}

void lane_meter_batch(struct lane *lane)
{
	const struct packet *packets = lane->batch.packets;

	if (lane_only_decodes(lane))
		for (unsigned i = 0; i < lane->batch.count; i++)
			lane_meter_packet(lane, &packets[i], true);
	else
		for (unsigned i = 0; i < lane->batch.count; i++)
			lane_meter_packet(lane, &packets[i], false);
	if (!lane->sees_all)
		lane->seen_pkts += lane->batch.count;
	lane_meter_queue(lane);
}
