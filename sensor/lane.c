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
#include "sensor/lane_inside.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "sensor/fragment.h"
#include "sensor/lane_end.h"

/* A lane looks at its source and its clock at least this often, */
#define IDLE_POLL_MS 100
/* and so often when records wait for the pacer. */
#define PACED_POLL_MS 5

/* sysUptime starts this long before the first packet of a capture, about half of what its 32
 * bits of milliseconds hold: a capture whose stamps go back still has no flow that began before
 * it. */
#define REPLAY_UPTIME_NS (24 * 86400 * NS_PER_S)

#define NS_PER_S 1000000000ULL

/* A block of the ring waits at most ten seconds for more packets. */
#define CUT_IS_OVER_NS (30 * NS_PER_S)

/* -- the clock ------------------------------------------------------------------------ */

/* softflowd's -I: let sysUptime begin again, early enough that the oldest open record still
 * began after it. */
static void lane_move_boot(struct lane *lane, uint64_t now_ns)
{
	uint64_t oldest_ns = lane->settings.maximum_life_ns;
	uint64_t before_ns =
		oldest_ns ? oldest_ns + FRAGMENT_WINDOW_NS : now_ns - lane->start_ns;

	lane->boot_move_ns = lane_next_boot_move(lane, now_ns);
	collectors_set_boot(&lane->collectors,
		lane_unix_ns(lane, now_ns > before_ns ? now_ns - before_ns : 0));
}

/* The exporters are made when the lane's clock is known: at the first packet of a capture file,
 * at once on a live interface. */
static int lane_begin(struct lane *lane, uint64_t now_ns)
{
	uint64_t before_ns = lane->is_live ? LANE_UPTIME_NS : REPLAY_UPTIME_NS;
	uint64_t boot_ns = now_ns > before_ns ? now_ns - before_ns : 0;

	lane->has_begun = true;
	lane->start_ns = now_ns;
	lane->boot_move_ns = lane_next_boot_move(lane, now_ns);
	return collectors_begin(&lane->collectors, lane_unix_ns(lane, boot_ns));
}

/* The times in records are told in the new time, too. */
void lane_set_step(struct lane *lane, int64_t step_ns)
{
	int64_t change_ns = step_ns - lane->step_ns;

	if (change_ns == 0)
		return;
	collectors_step_clock(&lane->collectors, change_ns);
	lane->step_ns = step_ns;
}

static void lane_keep_time(struct lane *lane)
{
	uint64_t now_ns = flow_cache_clock_ns(lane->cache);

	if (lane->clock.now_ns > now_ns)
		now_ns = lane->clock.now_ns;
	if (lane->batch.clock_ns > now_ns)
		now_ns = lane->batch.clock_ns;
	lane_give_up_waiting(lane, now_ns);
	lane_meter_queue(lane);
	bool is_done = lane_pace_expire(&lane->pace, lane->cache, &lane->collectors, now_ns);

	/* With records still due at earlier times the exporters' clock must not pass them. */
	if (is_done)
		collectors_advance(&lane->collectors, lane_unix_ns(lane, now_ns));
	else
		collectors_send_gathered(&lane->collectors);
	if (now_ns >= lane->boot_move_ns)
		lane_move_boot(lane, now_ns);
	lane_keep_release(lane);
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
	if (lane->is_busy)
		return true;
	if (lane->request)
		return !lane->pace.is_slowed;
	return !lane->pace.is_slowed &&
	       flow_cache_next_due_ns(lane->cache) <= flow_cache_clock_ns(lane->cache);
}

/* Show that the lane goes on: lane_progress(). It is the only one who writes. */
static void lane_step(struct lane *lane)
{
	uint64_t progress = atomic_load_explicit(&lane->progress, memory_order_relaxed);

	atomic_store_explicit(&lane->progress, progress + 1, memory_order_relaxed);
}

/* Leave out packets that are other lanes'. */
static void lane_cut_batch(struct lane *lane)
{
	struct packet_batch *batch = &lane->batch;
	unsigned kept = 0;

	for (unsigned i = 0; i < batch->count; i++) {
		uint64_t stamp_ns = batch->packets[i].stamp_ns;

		if (stamp_ns >= lane->from_ns &&
			(lane->until_ns == 0 || stamp_ns < lane->until_ns))
			batch->packets[kept++] = batch->packets[i];
	}
	batch->count = kept;
	/* Long after it no packet from before is left in the kernel. */
	if (batch->clock_ns > lane->from_ns + CUT_IS_OVER_NS)
		lane->from_ns = 0;
}

/* One pass. 0 to go on, 1 at the end of the capture, or the source's outcome. */
static int lane_pass(struct lane *lane)
{
	int rc = source_next(lane->source, &lane->batch);

	if (rc < 0)
		return rc;
	if (lane->is_live)
		lane_set_step(lane, lane->batch.step_ns);
	if (!lane->has_begun && (lane->is_live || lane->batch.count > 0)) {
		uint64_t first_ns = lane->batch.count ? lane->batch.packets[0].stamp_ns
						      : lane->batch.clock_ns;
		int begun = lane_begin(lane, first_ns);
		if (begun < 0)
			return begun;
	}
	lane->is_busy = lane->batch.count > 0;
	bool is_drained = lane_is_drained(lane);
	if (lane->from_ns | lane->until_ns)
		lane_cut_batch(lane);
	if (lane->batch.count > 0)
		lane_meter_batch(lane);
	lane_keep_commit(lane);
	source_release(lane->source, &lane->batch);
	if (lane->has_begun)
		lane_keep_time(lane);
	if (rc == SOURCE_DAMAGED)
		lane->outcome = SOURCE_DAMAGED;
	return lane->batch.is_end || is_drained;
}

static void lane_take_turn(void *user)
{
	lane_step(user);
	lane_serve(user);
	lane_keep_release(user);
}

/* Nobody waits for their first fragments any more. */
static void lane_release_held(struct lane *lane)
{
	while (fragment_hold_stats(lane->hold)->held > 0)
		fragment_hold_give_up(lane->hold);
	lane_meter_queue(lane);
	lane_keep_commit(lane);
}

void lane_close_books(struct lane *lane)
{
	struct lane_end end = { lane->cache, &lane->collectors, &lane->pace.pacer,
		lane->step_ns, lane_take_turn, lane };

	if (!lane->has_begun)
		return;
	lane_release_held(lane);
	if (lane->is_live) {
		lane_end_run(&end);
		return;
	}
	flow_cache_expire_all(lane->cache, SIZE_MAX);
	collectors_flush(
		&lane->collectors, lane_unix_ns(lane, flow_cache_clock_ns(lane->cache)));
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

void *lane_main(void *user)
{
	struct lane *lane = user;

	lane_pin(lane);
	for (;;) {
		lane_step(lane);
		int rc = lane_pass(lane);
		if (rc != 0) {
			if (rc < 0)
				lane->outcome = rc;
			break;
		}
		if (lane_serve(lane))
			lane_keep_release(lane);
		if (lane->is_leaving)
			break;
		if (!lane->is_live || lane_has_work(lane))
			continue;
		flow_cache_prepare(lane->cache);
		lane_wait(lane);
	}
	source_leave(lane->source);
	if (lane->until_ns > 0)
		lane_release_held(lane);
	else if (!lane->is_leaving)
		lane_close_books(lane);
	atomic_store_explicit(&lane->has_ended, true, memory_order_release);
	lane_notice(lane);
	return NULL;
}
