/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pass of a lane:
 *
 *   batch = source_next()        views into the ring, no copies
 *   sample, decode               what is left are metas, what is not has a reason
 *   fragment_hold                those that came before their datagram's first wait for it
 *   flow_cache_meter()           one find-or-insert each
 *   source_release()             the block goes back to the kernel
 *   flow_cache_advance()         bounded work
 *   collectors_advance()         send what is due; never wait
 *   one step of a request        if the main thread has posted one
 *
 * The clock is packet time. While packets come the cache takes it from their stamps; when the
 * source is idle its own clock counts, which is late enough for every packet that the kernel
 * may still hold back: no flow is closed before its last packet was seen.
 */
#include "sensor/lane.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/collectors.h"
#include "sensor/fragment.h"
#include "sensor/fragment_hold.h"
#include "sensor/lane_end.h"
#include "sensor/lane_pace.h"
#include "sensor/random.h"
#include "sensor/sampler.h"
#include "sensor/steer.h"

/* A lane looks at its source and its clock at least this often, */
#define IDLE_POLL_MS 100
/* and so often when records wait for the pacer. */
#define PACED_POLL_MS 5

/* sysUptime starts this long before the first packet of a capture, about half of what its 32
 * bits of milliseconds hold: a capture whose stamps go back still has no flow that began before
 * it. */
#define REPLAY_UPTIME_NS (24 * 86400 * NS_PER_S)

/* On an interface the packets that wait in the ring when the lane starts are this old at most.
 */
#define LIVE_UPTIME_NS 10000000000ULL

#define NS_PER_MS 1000000ULL
#define NS_PER_S 1000000000ULL

/* What two lanes use is never in one line; two of 64 octets are fetched together. */
#define LINE_BYTES 128

struct lane {
	/* Written by the main thread. */
	_Alignas(LINE_BYTES) _Atomic(struct lane_request *) mailbox;

	_Alignas(LINE_BYTES) const struct config *config;
	struct source *source;
	struct decoder *decoder;
	struct fragment_hold *hold;
	struct flow_cache *cache;
	struct sampler sampler;
	struct lane_pace pace;
	const struct own_export *own;
	struct print_sink *print;

	struct collectors collectors;

	unsigned number, count;
	uint64_t steering_key[2];
	bool is_live, is_paused, has_begun;
	bool sees_all;     /* the packets of other lanes, too */
	bool is_busy;      /* the last batch held packets */
	bool is_finishing; /* told to end: meter what came before finish_ns, then end */
	uint64_t finish_ns;
	uint64_t clock_ns; /* the newest stamp so far, of any packet */
	uint64_t start_ns;
	uint64_t boot_move_ns; /* when sysUptime's zero is to be moved; UINT64_MAX: never */
	uint64_t seen_pkts, metered_frames, exported_flows;
	uint64_t dropped[DROP_REASON_COUNT];
	uint64_t held_due_ns; /* fragment_hold_due_ns(), for one look per packet */
	uint64_t release_ns;  /* the clock when held fragments are released */

	struct lane_request *request; /* taken from the mailbox, being worked on */
	int wake_fds[2];              /* the main thread writes to [1] to end a poll */
	int notice_fd;
	int cpu;
	pthread_t thread;
	bool is_started;
	atomic_bool has_ended;
	int outcome;

	struct packet_batch batch;
	struct packet_meta metas[PACKET_BATCH_MAX]; /* the queue: what the cache meters next */
	unsigned queued;
};

/* -- records -------------------------------------------------------------------------- */

/* The lanes number their flows in turns of one each, in an order that moves on from turn to
 * turn: so a number says nothing of the lane to those who share out flows by it. */
static uint64_t lane_flow_id(const struct lane *lane, uint64_t ordinal)
{
	return (ordinal - 1) * lane->count + (lane->number + ordinal) % lane->count + 1;
}

static void lane_export(struct lane *lane, const struct flow_record *record, uint64_t now_ns)
{
	lane->exported_flows++;
	if (lane->print)
		print_sink_record(lane->print, lane->number, record);
	collectors_add(&lane->collectors, record, now_ns);
}

static void lane_export_numbered(
	struct lane *lane, const struct flow_record *record, uint64_t now_ns)
{
	struct flow_record numbered = *record;

	numbered.flow_id = lane_flow_id(lane, record->flow_id);
	lane_export(lane, &numbered, now_ns);
}

static void lane_record(void *user, const struct flow_record *record, uint64_t now_ns)
{
	struct lane *lane = user;

	if (lane->count == 1)
		lane_export(lane, record, now_ns);
	else
		lane_export_numbered(lane, record, now_ns);
}

static uint64_t lane_next_boot_move(const struct lane *lane, uint64_t now_ns)
{
	uint64_t interval_s = lane->config->reinitialise_s;

	return interval_s ? now_ns + interval_s * NS_PER_S : UINT64_MAX;
}

/* softflowd's -I: let sysUptime begin again, early enough that the oldest open record still
 * began after it. */
static void lane_move_boot(struct lane *lane, uint64_t now_ns)
{
	uint64_t oldest_ns = lane->config->timeouts.maximum_life_ns;
	uint64_t before_ns =
		oldest_ns ? oldest_ns + FRAGMENT_WINDOW_NS : now_ns - lane->start_ns;

	lane->boot_move_ns = lane_next_boot_move(lane, now_ns);
	collectors_set_boot(&lane->collectors, now_ns > before_ns ? now_ns - before_ns : 0);
}

/* The exporters are made when the lane's clock is known: at the first packet of a capture file,
 * at once on a live interface. */
static int lane_begin(struct lane *lane, uint64_t now_ns)
{
	uint64_t before_ns = lane->is_live ? LIVE_UPTIME_NS : REPLAY_UPTIME_NS;
	uint64_t boot_ns = now_ns > before_ns ? now_ns - before_ns : 0;

	lane->has_begun = true;
	lane->start_ns = now_ns;
	lane->boot_move_ns = lane_next_boot_move(lane, now_ns);
	return collectors_begin(&lane->collectors, boot_ns);
}

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
	if (ret_meta->ip_version == 6 && !lane->config->track_v6)
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

static void lane_meter_queue(struct lane *lane)
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

static void lane_take_back(void *user, const struct packet_meta *meta)
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
static void lane_give_up_waiting(struct lane *lane, uint64_t now_ns)
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
	       sampler_selects_all(&lane->sampler) && lane->config->track_v6 &&
	       !lane->config->has_own_mac;
}

/* .only_decodes is known when this is compiled: a loop of its own leaves the questions out. */
__attribute__((always_inline)) static inline void lane_meter_packet(
	struct lane *lane, const struct packet *packet, bool only_decodes)
{
	const struct config *config = lane->config;
	struct packet_meta *meta = &lane->metas[lane->queued];
	enum drop_reason reason = only_decodes ? decoder_decode(lane->decoder, packet, meta)
					       : lane_judge(lane, packet, meta);

	if (packet->stamp_ns > lane->clock_ns)
		lane->clock_ns = packet->stamp_ns;
	if (reason != DROP_NONE) {
		lane_drop(lane, reason);
		return;
	}
	meta->clock_ns = lane->clock_ns;
	if (!only_decodes && config->has_own_mac)
		meta->is_outgoing =
			memcmp(meta->source_mac, config->own_mac, sizeof(config->own_mac)) == 0;
	bool is_rare = meta->is_fragment || meta->clock_ns > lane->held_due_ns;
	if (is_rare && lane_hold(lane))
		return;
	if (only_decodes)
		lane_queue(lane);
	else
		lane_settle(lane);
}

static void lane_meter_batch(struct lane *lane)
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

static void lane_keep_time(struct lane *lane)
{
	uint64_t now_ns = flow_cache_clock_ns(lane->cache);

	if (lane->clock_ns > now_ns)
		now_ns = lane->clock_ns;
	if (lane->batch.clock_ns > now_ns)
		now_ns = lane->batch.clock_ns;
	lane_give_up_waiting(lane, now_ns);
	lane_meter_queue(lane);
	bool is_done = lane_pace_expire(&lane->pace, lane->cache, &lane->collectors, now_ns);

	/* With records still due at earlier times the exporters' clock must not pass them. */
	if (is_done)
		collectors_advance(&lane->collectors, now_ns);
	else
		collectors_send_gathered(&lane->collectors);
	if (now_ns >= lane->boot_move_ns)
		lane_move_boot(lane, now_ns);
}

/* -- requests ------------------------------------------------------------------------- */

static void lane_notice(struct lane *lane)
{
	/* The pipe is non-blocking; when it is full there is a notice to be read already. */
	ssize_t n = write(lane->notice_fd, "", 1);
	(void)n;
}

static void lane_answer(struct lane *lane)
{
	struct lane_request *request = lane->request;

	request->now_ns = flow_cache_clock_ns(lane->cache);
	lane->request = NULL;
	atomic_store_explicit(&request->is_done, true, memory_order_release);
	lane_notice(lane);
}

void lane_stats(struct lane *lane, struct sensor_stats *ret_stats)
{
	*ret_stats = (struct sensor_stats){
		.start_ns = lane->start_ns,
		.seen_pkts = lane->seen_pkts,
		.metered_frames = lane->metered_frames,
		.has_ring = lane->is_live,
		.exported = collectors_stats(&lane->collectors),
		.exported_flows = lane->collectors.count ? lane->exported_flows : 0,
		.lost_prints = lane->print ? print_sink_lost(lane->print, lane->number) : 0,
		.cache = *flow_cache_stats(lane->cache),
	};
	if (!lane->sees_all || lane->number == 0) {
		ret_stats->held_fragments = fragment_hold_stats(lane->hold)->held;
		ret_stats->lone_fragments = fragment_hold_stats(lane->hold)->lone;
	}
	memcpy(ret_stats->dropped, lane->dropped, sizeof(ret_stats->dropped));
	source_stats(lane->source, &ret_stats->ring);
}

/* Close or forget at most a pass's worth of flows; done when none is left. On a link that is
 * never idle every pass begins new ones before this is called, so it looks after its step, too.
 */
static bool lane_empty_step(struct lane *lane, size_t (*step)(struct flow_cache *, size_t))
{
	size_t count = step(lane->cache, LANE_PASS_RECORDS);

	lane->request->count += count;
	return count == 0 || flow_cache_stats(lane->cache)->active_flows == 0;
}

static bool lane_snapshot(struct lane *lane, struct lane_request *request)
{
	request->count = flow_cache_snapshot(
		lane->cache, &request->cursor, request->flows, request->capacity);
	for (uint64_t i = 0; i < request->count; i++) {
		struct flow_record *record = &request->flows[i].record;

		record->flow_id = lane_flow_id(lane, record->flow_id);
	}
	return request->count > 0 || flow_cache_snapshot_ended(lane->cache, request->cursor);
}

/* One bounded step of the request at hand; true when it is answered. */
static bool lane_request_step(struct lane *lane)
{
	struct lane_request *request = lane->request;

	switch (request->verb) {
	case LANE_STATS:
		lane_stats(lane, &request->stats);
		return true;
	case LANE_SNAPSHOT:
		return lane_snapshot(lane, request);
	case LANE_EXPIRE_ALL:
		if (!lane_empty_step(lane, flow_cache_expire_all))
			return false;
		collectors_refresh_templates(&lane->collectors);
		collectors_flush(&lane->collectors, flow_cache_clock_ns(lane->cache));
		return true;
	case LANE_DELETE_ALL:
		return lane_empty_step(lane, flow_cache_delete_all);
	case LANE_SEND_TEMPLATES:
		collectors_refresh_templates(&lane->collectors);
		return true;
	case LANE_PAUSE:
	case LANE_RESUME:
		lane->is_paused = request->verb == LANE_PAUSE;
		return true;
	case LANE_FINISH:
		lane->is_finishing = true;
		lane->finish_ns = lane->is_live ? request->now_ns : 0;
		return true;
	}
	return true;
}

static void lane_serve(struct lane *lane)
{
	if (!lane->request && atomic_load_explicit(&lane->mailbox, memory_order_relaxed))
		lane->request =
			atomic_exchange_explicit(&lane->mailbox, NULL, memory_order_acquire);
	if (lane->request && lane_request_step(lane))
		lane_answer(lane);
}

void lane_post(struct lane *lane, struct lane_request *request)
{
	atomic_store_explicit(&request->is_done, false, memory_order_relaxed);
	atomic_store_explicit(&lane->mailbox, request, memory_order_release);
	ssize_t n = write(lane->wake_fds[1], "", 1);
	(void)n;
}

/* -- the loop ------------------------------------------------------------------------- */

static void lane_wait(struct lane *lane)
{
	struct pollfd fds[2] = {
		{ .fd = source_fd(lane->source), .events = POLLIN },
		{ .fd = lane->wake_fds[0], .events = POLLIN },
	};
	char scrap[64];

	if (poll(fds, 2, lane->pace.is_slowed ? PACED_POLL_MS : IDLE_POLL_MS) > 0 &&
		fds[1].revents)
		while (read(lane->wake_fds[0], scrap, sizeof(scrap)) > 0)
			;
}

/* Told to finish and everything that was sent before has been metered. */
static bool lane_is_drained(const struct lane *lane)
{
	if (!lane->is_finishing || !lane->is_live)
		return lane->is_finishing;
	if (lane->batch.count > 0)
		return lane->batch.packets[lane->batch.count - 1].stamp_ns > lane->finish_ns;
	return lane->batch.clock_ns > lane->finish_ns;
}

static bool lane_has_work(const struct lane *lane)
{
	if (lane->request || lane->is_busy)
		return true;
	return !lane->pace.is_slowed &&
	       flow_cache_next_due_ns(lane->cache) <= flow_cache_clock_ns(lane->cache);
}

/* One pass. 0 to go on, 1 at the end of the capture, or the source's outcome. */
static int lane_pass(struct lane *lane)
{
	int rc = source_next(lane->source, &lane->batch);

	if (rc < 0)
		return rc;
	if (!lane->has_begun && (lane->is_live || lane->batch.count > 0)) {
		uint64_t first_ns = lane->batch.count ? lane->batch.packets[0].stamp_ns
						      : lane->batch.clock_ns;
		int begun = lane_begin(lane, first_ns);
		if (begun < 0)
			return begun;
	}
	lane->is_busy = lane->batch.count > 0;
	if (lane->is_busy)
		lane_meter_batch(lane);
	bool is_drained = lane_is_drained(lane);
	source_release(lane->source, &lane->batch);
	if (lane->has_begun)
		lane_keep_time(lane);
	if (rc == SOURCE_DAMAGED)
		lane->outcome = SOURCE_DAMAGED;
	return lane->batch.is_end || is_drained;
}

static void lane_take_turn(void *user)
{
	lane_serve(user);
}

static void lane_close_books(struct lane *lane)
{
	struct lane_end end = { lane->cache, &lane->collectors, &lane->pace.pacer,
		lane_take_turn, lane };

	if (!lane->has_begun)
		return;
	while (fragment_hold_stats(lane->hold)->held > 0)
		fragment_hold_give_up(lane->hold);
	lane_meter_queue(lane);
	if (lane->is_live) {
		lane_end_run(&end);
		return;
	}
	flow_cache_expire_all(lane->cache, SIZE_MAX);
	collectors_flush(&lane->collectors, flow_cache_clock_ns(lane->cache));
}

/* So that its memory and its interrupts stay near. Where that cannot be, it runs all the same.
 */
static void lane_pin(const struct lane *lane)
{
	size_t bytes = CPU_ALLOC_SIZE((size_t)lane->cpu + 1);
	cpu_set_t *set = lane->cpu >= 0 ? CPU_ALLOC((size_t)lane->cpu + 1) : NULL;

	if (!set)
		return;
	CPU_ZERO_S(bytes, set);
	CPU_SET_S((size_t)lane->cpu, bytes, set);
	pthread_setaffinity_np(pthread_self(), bytes, set);
	CPU_FREE(set);
}

static void *lane_main(void *user)
{
	struct lane *lane = user;

	lane_pin(lane);
	for (;;) {
		int rc = lane_pass(lane);
		if (rc != 0) {
			if (rc < 0)
				lane->outcome = rc;
			break;
		}
		lane_serve(lane);
		if (lane->is_live && !lane_has_work(lane))
			lane_wait(lane);
	}
	source_leave(lane->source);
	lane_close_books(lane);
	atomic_store_explicit(&lane->has_ended, true, memory_order_release);
	lane_notice(lane);
	return NULL;
}

/* -- life ----------------------------------------------------------------------------- */

static void lane_fill_export_config(struct lane *lane, const struct lane_config *from)
{
	const struct config *config = from->config;

	lane->collectors.is_balanced = config->is_load_balanced;
	lane->collectors.config = (struct exporter_config){
		.version = config->version,
		.time = config->time,
		.biflow = config->biflow,
		.fields = {
			.has_protocol = config->level > TRACK_IP,
			.has_ports = config->level >= TRACK_PORT,
			.has_vlan = true,
			.has_mac = true,
			.mpls_labels = config->mpls_labels,
		},
		.domain = from->domain + from->number,
		.engine_id = (uint8_t)from->number,
		.sampling_interval = config->sampling_interval,
		.template_refresh_s = config->template_refresh_s,
		.template_refresh_messages = config->template_refresh_messages,
		.flush_delay_ms = config->flush_delay_ms,
		.gather_delay_ms = lane->is_live ? 0 : config->flush_delay_ms,
		.message_bytes = config->message_bytes,
		.if_index = from->if_index,
		.interface_name = config->interface ? config->interface : "",
		.interface_description = "",
		.process_id = lane->is_live ? (uint32_t)getpid() : 1,
	};
}

static int lane_make_parts(struct lane *lane, const struct lane_config *from)
{
	const struct config *config = from->config;
	struct decoder_config decoder_config = {
		.link_type = source_link_type(from->source),
		.count = config->count,
		.fragments = config->fragments,
		.hash_key = { from->keys->fragments[0], from->keys->fragments[1] },
	};
	struct flow_cache_config cache_config = {
		.level = config->level,
		.maximum_flows = from->maximum_flows,
		.timeouts = config->timeouts,
		.default_ingress_if = from->if_index,
		.is_default_ingress_forced = config->has_if_index,
		.is_paced = lane->is_live,
		.sink = { .record = lane_record, .user = lane },
	};
	struct fragment_hold_config hold_config = {
		.hash_key = { from->keys->held[0], from->keys->held[1] },
		.release = lane_take_back,
		.user = lane,
	};
	int rc = random_fill(cache_config.hash_key, sizeof(cache_config.hash_key));

	if (rc == 0)
		rc = decoder_new(&decoder_config, &lane->decoder);
	if (rc == 0)
		rc = fragment_hold_new(&hold_config, &lane->hold);
	if (rc == 0)
		rc = flow_cache_new(&cache_config, &lane->cache);
	if (rc == 0 && pipe2(lane->wake_fds, O_CLOEXEC | O_NONBLOCK) < 0)
		rc = -errno;
	return rc;
}

static void lane_say_why(
	const struct lane_config *from, int rc, char error[static CONFIG_ERROR_BYTES])
{
	if (rc == -EPROTONOSUPPORT)
		snprintf(error, CONFIG_ERROR_BYTES, "link type %d is not supported",
			source_link_type(from->source));
	else
		snprintf(error, CONFIG_ERROR_BYTES, "setting up for %u flows: %s",
			from->maximum_flows, strerror(-rc));
}

int lane_new(const struct lane_config *config, struct lane **ret_lane,
	char error[static CONFIG_ERROR_BYTES])
{
	struct lane *lane = aligned_alloc(LINE_BYTES, sizeof(*lane));

	if (!lane) {
		snprintf(error, CONFIG_ERROR_BYTES, "%s", strerror(ENOMEM));
		return -ENOMEM;
	}
	memset(lane, 0, sizeof(*lane));
	lane->config = config->config;
	lane->wake_fds[0] = lane->wake_fds[1] = -1;
	lane->is_live = source_is_live(config->source);
	lane->print = config->print;
	lane->own = config->own;
	lane->number = config->number;
	lane->count = config->count;
	lane->cpu = config->cpu;
	lane->sees_all = config->count > 1 && !lane->is_live;
	memcpy(lane->steering_key, config->keys->steering, sizeof(lane->steering_key));
	lane->pace.is_live = lane->is_live;
	lane->pace.maximum_flows = config->maximum_flows;
	lane->pace.pacer.records_per_s = config->config->export_rate / config->count +
					 (config->config->export_rate % config->count != 0);
	lane->notice_fd = config->notice_fd;
	lane->held_due_ns = UINT64_MAX;
	lane->sampler = sampler_every(config->config->sampling_interval);
	lane_fill_export_config(lane, config);
	int rc = lane_make_parts(lane, config);
	if (rc < 0) {
		lane_say_why(config, rc, error);
		lane_free(lane);
		return rc;
	}
	lane->source = config->source;
	collectors_take(&lane->collectors, config->transports, config->transport_count);
	*ret_lane = lane;
	return 0;
}

int lane_start(struct lane *lane)
{
	sigset_t all, before;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	int rc = -pthread_create(&lane->thread, NULL, lane_main, lane);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	lane->is_started = rc == 0;
	return rc;
}

bool lane_has_ended(const struct lane *lane)
{
	return atomic_load_explicit(&lane->has_ended, memory_order_acquire);
}

int lane_outcome(const struct lane *lane)
{
	return lane->outcome;
}

int lane_join(struct lane *lane)
{
	if (lane->is_started)
		pthread_join(lane->thread, NULL);
	lane->is_started = false;
	return lane->outcome;
}

const char *lane_source_error(const struct lane *lane)
{
	return source_error(lane->source);
}

void lane_free(struct lane *lane)
{
	if (!lane)
		return;
	lane_join(lane);
	collectors_close(&lane->collectors);
	flow_cache_free(lane->cache);
	fragment_hold_free(lane->hold);
	decoder_free(lane->decoder);
	source_close(lane->source);
	for (int i = 0; i < 2; i++)
		if (lane->wake_fds[i] >= 0)
			close(lane->wake_fds[i]);
	free(lane);
}
