/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a lane and its parts, its thread, and the end of both. */
#include "sensor/lane_inside.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/random.h"

#define HASH_KEY_TRIES 16

/* -- life ----------------------------------------------------------------------------- */

/* The parts of a lane whose memory outlives the process. */
struct kept_parts {
	struct flow_memory flows;
	struct fragment_memory fragments, held;
};

static struct kept_parts lane_kept_parts(const struct lane_state *state, bool is_begun)
{
	const struct undo *undo = &state->undo;

	return (struct kept_parts){
		.flows = {
			.entries = lane_state_region(state, LANE_REGION_ENTRIES),
			.labels = lane_state_region(state, LANE_REGION_LABELS),
			.stacks = lane_state_region(state, LANE_REGION_STACKS),
			.own_paths = lane_state_region(state, LANE_REGION_OWN_PATHS),
			.path_nodes = lane_state_region(state, LANE_REGION_PATHS),
			.undo = undo,
		},
		.fragments = {
			lane_state_region(state, LANE_REGION_FRAGMENTS), undo, is_begun,
		},
		.held = { lane_state_region(state, LANE_REGION_HELD), undo, is_begun },
	};
}

/* A hash key that keeps flows findable is a matter of luck, and mostly there is luck. */
static int lane_make_cache(struct lane *lane, struct flow_cache_config *config)
{
	int rc = -EAGAIN;

	for (unsigned tries = 0; rc == -EAGAIN && tries < HASH_KEY_TRIES; tries++) {
		rc = random_fill(config->hash_key, sizeof(config->hash_key));
		if (rc == 0)
			rc = flow_cache_new(config, &lane->cache);
	}
	return rc;
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
	struct kept_parts kept;

	if (from->state) {
		kept = lane_kept_parts(from->state, from->is_resumed && !from->is_moved);
		decoder_config.fragment_memory = &kept.fragments;
		hold_config.memory = &kept.held;
		cache_config.memory = &kept.flows;
		lane->collectors.kept_bytes =
			lane_state_region(from->state, LANE_REGION_MESSAGES);
	}
	if (from->is_resumed)
		cache_config.saved = &lane_state_saved(from->state)->cache;
	int rc = decoder_new(&decoder_config, &lane->decoder);
	if (rc == 0)
		rc = fragment_hold_new(&hold_config, &lane->hold);
	if (rc == 0)
		rc = lane_make_cache(lane, &cache_config);
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

/* The first configuration is taken as all that follow. */
static void lane_settle_in(struct lane *lane, const struct config *config)
{
	struct lane_change first;

	lane_change_fill(lane, config, &first);
	lane->settings = first.settings;
	lane->pace.pacer.records_per_s = first.records_per_s;
	lane->sampler = sampler_every(first.sampling_interval);
	lane->collectors.config = first.collectors.config;
	lane->collectors.is_balanced = first.collectors.is_balanced;
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
	lane->wake_fds[0] = lane->wake_fds[1] = -1;
	lane->is_live = source_is_live(config->source);
	lane->clock.is_steady = lane->is_live;
	lane->print = config->print;
	lane->own = config->own;
	lane->number = config->number;
	lane->count = config->count;
	lane->cpu = config->cpu;
	lane->sees_all = config->count > 1 && !lane->is_live;
	memcpy(lane->steering_key, config->keys->steering, sizeof(lane->steering_key));
	lane->pace.is_live = lane->is_live;
	lane->pace.maximum_flows = config->maximum_flows;
	lane->notice_fd = config->notice_fd;
	lane->from_ns = config->from_ns;
	lane->until_ns = config->until_ns;
	lane->is_finishing = config->until_ns > 0;
	lane->finish_ns = config->until_ns;
	lane->held_due_ns = UINT64_MAX;
	lane->domain = config->domain;
	lane->if_index = config->if_index;
	lane_settle_in(lane, config->config);
	int rc = lane_make_parts(lane, config);
	if (rc < 0) {
		lane_say_why(config, rc, error);
		lane_free(lane);
		return rc;
	}
	lane->source = config->source;
	lane->state = config->state;
	collectors_take(&lane->collectors, config->transports, config->transport_count);
	rc = config->is_resumed ? lane_keep_resume(lane) : 0;
	if (rc < 0) {
		lane_say_why(config, rc, error);
		lane_free(lane);
		return rc;
	}
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

uint64_t lane_progress(const struct lane *lane)
{
	return atomic_load_explicit(&lane->progress, memory_order_relaxed);
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

struct source *lane_source(const struct lane *lane)
{
	return lane->source;
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
	lane_state_free(lane->state);
	for (int i = 0; i < 2; i++)
		if (lane->wake_fds[i] >= 0)
			close(lane->wake_fds[i]);
	free(lane);
}
