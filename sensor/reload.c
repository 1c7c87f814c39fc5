/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The way of a reload:
 *
 *	make the plan      may be refused; nothing was touched
 *	filter             all lanes attach the new one, if there is; when one cannot, all go
 *	                   back to the old one, and it is refused
 *	change             all lanes go on as the plan says
 *	clean up           what the lanes gave back is closed, the configuration is in force
 *
 * Sockets that were closed stay known as our own for a while: their last messages may still be
 * in a ring.
 */
#include "sensor/reload.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/reload_plan.h"

#define KNOWN_NS 10000000000ULL /* of closed sockets: more than a ring can hold back */

struct reload {
	struct reload_config config;
	struct reload_order *waiting, *served; /* borrowed from whoever placed them */
	bool is_asked;                         /* without an order */
	bool is_busy, is_stopped;
	struct lane_order order; /* to the lanes */
	struct reload_plan plan;
	struct transport_endpoints *gone; /* sockets that were closed */
	size_t gone_count;
	struct loop_watch forgetting; /* when nobody has to know them any more */
	int outcome;                  /* of the reload at hand, or the last one */
	char sentence[CONFIG_ERROR_BYTES];
};

static void reload_start(struct reload *reload);

/* -- the end of a reload -------------------------------------------------------------- */

static void log_outcome(const struct reload *reload)
{
	if (reload->outcome < 0)
		log_line(reload->config.log, LOG_ERR,
			"configuration not reloaded, all is as before: %s", reload->sentence);
	else
		log_line(reload->config.log, LOG_NOTICE, "configuration reloaded: %s",
			reload->sentence);
}

static void answer_orders(struct reload *reload)
{
	while (reload->served) {
		struct reload_order *order = reload->served;

		reload->served = order->next;
		order->outcome = reload->outcome;
		memcpy(order->sentence, reload->sentence, sizeof(order->sentence));
		order->answered(order);
	}
}

/* It has words of files in it, and goes to logs and into JSON. */
static void clean_sentence(struct reload *reload)
{
	for (char *at = reload->sentence; *at; at++)
		if (*at < ' ' || *at > '~')
			*at = '?';
}

/* .sentence is set. */
static void reload_finish(struct reload *reload, int outcome)
{
	const struct reload_config *config = &reload->config;

	clean_sentence(reload);
	reload->outcome = outcome;
	reload_plan_free(&reload->plan);
	log_outcome(reload);
	if (config->ended)
		config->ended(config->user, outcome, reload->sentence);
	answer_orders(reload);
	reload->is_busy = false;
	if (reload->waiting || reload->is_asked)
		reload_start(reload);
}

/* -- sockets that the next process gets ----------------------------------------------- */

static bool is_moved(const struct collectors_change *change, size_t place)
{
	return place >= change->count || change->places[place].added ||
	       change->places[place].kept != place;
}

/* Before the lanes change: whoever comes between then and store_moved() opens new ones. */
static void unstore_moved(const struct reload *reload)
{
	for (unsigned i = 0; i < reload->plan.lane_count; i++)
		for (size_t j = 0; j < reload->config.config->destination_count; j++)
			if (is_moved(&reload->plan.lanes[i].collectors, j))
				lanes_store_collector(reload->config.lanes, i, j, -1);
}

static void store_moved(const struct reload *reload)
{
	for (unsigned i = 0; i < reload->plan.lane_count; i++) {
		const struct collectors_change *change = &reload->plan.lanes[i].collectors;

		for (size_t j = 0; reload->plan.lanes[i].is_taken && j < change->count; j++)
			if (is_moved(change, j))
				lanes_store_collector(reload->config.lanes, i, j,
					transport_fd(exporter_transport(change->row[j])));
	}
}

/* -- in force ------------------------------------------------------------------------- */

static void forget_gone(struct loop_watch *watch, short revents)
{
	struct reload *reload = watch->user;

	(void)revents;
	loop_remove(reload->config.desk->loop, watch);
	for (size_t i = 0; i < reload->gone_count; i++)
		own_export_forget(&reload->config.lanes->own, &reload->gone[i]);
	reload->gone_count = 0;
}

/* Without memory for it the socket stays known for good. */
static void note_gone_one(struct reload *reload, const struct exporter *exporter)
{
	struct transport_endpoints *gone =
		reallocarray(reload->gone, reload->gone_count + 1, sizeof(*gone));

	if (!gone)
		return;
	reload->gone = gone;
	gone[reload->gone_count++] = exporter_transport(exporter)->endpoints;
}

static void note_gone(struct reload *reload)
{
	for (unsigned i = 0; i < reload->plan.lane_count; i++) {
		const struct collectors_change *change = &reload->plan.lanes[i].collectors;

		for (size_t j = 0; j < change->removed_count; j++)
			note_gone_one(reload, change->removed[j]);
	}
	loop_remove(reload->config.desk->loop, &reload->forgetting);
	reload->forgetting = (struct loop_watch){
		.fd = -1,
		.deadline_ns = loop_now_ns() + KNOWN_NS,
		.ready = forget_gone,
		.user = reload,
	};
	if (reload->gone_count > 0)
		loop_add(reload->config.desk->loop, &reload->forgetting);
}

/* The source has borrowed the interface's name, which is the same. */
static void exchange_config(struct reload *reload)
{
	struct config *running = reload->config.config;
	struct config before = *running;
	char *interface = running->interface;

	*running = reload->plan.config;
	reload->plan.config = before;
	reload->plan.config.interface = running->interface;
	running->interface = interface;
}

static bool is_taken(const struct reload_plan *plan)
{
	for (unsigned i = 0; i < plan->lane_count; i++)
		if (plan->lanes[i].is_taken)
			return true;
	return false;
}

static void change_answered(struct lane_order *order)
{
	struct reload *reload = order->user;

	if (!is_taken(&reload->plan)) {
		snprintf(reload->sentence, sizeof(reload->sentence), "the sensor is ending");
		reload_finish(reload, -ESHUTDOWN);
		return;
	}
	store_moved(reload);
	note_gone(reload);
	exchange_config(reload);
	log_set_level(reload->config.log, (int)reload->config.config->log_level);
	snprintf(reload->sentence, sizeof(reload->sentence), "%.400s",
		reload->plan.changes.names);
	reload_finish(reload, 0);
}

/* -- asking the lanes ----------------------------------------------------------------- */

static void ask_lanes(
	struct reload *reload, enum lane_verb verb, void (*answered)(struct lane_order *order))
{
	reload->order = (struct lane_order){
		.request = { .verb = verb, .changes = reload->plan.lanes },
		.answered = answered,
		.user = reload,
	};
	lane_desk_place(reload->config.desk, &reload->order);
}

static void change_lanes(struct reload *reload)
{
	unstore_moved(reload);
	ask_lanes(reload, LANE_CHANGE, change_answered);
}

static void back_answered(struct lane_order *order)
{
	struct reload *reload = order->user;

	reload_finish(reload, reload->outcome);
}

static void go_back(struct reload *reload, int outcome)
{
	reload->outcome = outcome;
	snprintf(reload->sentence, sizeof(reload->sentence),
		"filter: the kernel does not take it: %s", strerror(-outcome));
	for (unsigned i = 0; i < reload->plan.lane_count; i++)
		reload->plan.lanes[i].filter = reload->plan.back;
	ask_lanes(reload, LANE_FILTER, back_answered);
}

static void filter_answered(struct lane_order *order)
{
	struct reload *reload = order->user;
	int outcome = 0;

	for (unsigned i = 0; i < reload->plan.lane_count; i++)
		if (reload->plan.lanes[i].outcome < 0)
			outcome = reload->plan.lanes[i].outcome;
	if (outcome < 0)
		go_back(reload, outcome);
	else
		change_lanes(reload);
}

/* -- the beginning -------------------------------------------------------------------- */

static void reload_start(struct reload *reload)
{
	const struct reload_config *config = &reload->config;
	struct reload_base base = {
		.config = config->config,
		.input = config->input,
		.lanes = config->lanes,
	};

	reload->is_busy = true;
	reload->is_asked = false;
	reload->served = reload->waiting;
	reload->waiting = NULL;
	if (config->begins)
		config->begins(config->user);
	int rc = reload->is_stopped ? -ESHUTDOWN
				    : reload_plan_make(&base, &reload->plan, reload->sentence);
	if (reload->is_stopped)
		snprintf(reload->sentence, sizeof(reload->sentence), "the sensor is ending");
	if (rc < 0) {
		reload_finish(reload, rc);
	} else if (reload->plan.changes.names[0] == '\0') {
		snprintf(reload->sentence, sizeof(reload->sentence), "nothing has changed");
		reload_finish(reload, 0);
	} else if (reload->plan.filter) {
		ask_lanes(reload, LANE_FILTER, filter_answered);
	} else {
		change_lanes(reload);
	}
}

/* -- public --------------------------------------------------------------------------- */

int reload_new(const struct reload_config *config, struct reload **ret_reload)
{
	struct reload *reload = calloc(1, sizeof(*reload));

	if (!reload)
		return -ENOMEM;
	reload->config = *config;
	*ret_reload = reload;
	return 0;
}

void reload_free(struct reload *reload)
{
	if (!reload)
		return;
	reload_plan_free(&reload->plan);
	loop_remove(reload->config.desk->loop, &reload->forgetting);
	free(reload->gone);
	free(reload);
}

static bool is_among(const struct reload_order *orders, const struct reload_order *order)
{
	while (orders && orders != order)
		orders = orders->next;
	return orders != NULL;
}

/* One that is served already cannot wait as well: it is asked again for nobody. */
void reload_place(struct reload *reload, struct reload_order *order)
{
	if (is_among(reload->served, order)) {
		reload_now(reload);
		return;
	}
	if (!is_among(reload->waiting, order)) {
		order->next = reload->waiting;
		reload->waiting = order;
	}
	if (!reload->is_busy)
		reload_start(reload);
}

static void take_out(struct reload_order **at, const struct reload_order *order)
{
	while (*at && *at != order)
		at = &(*at)->next;
	if (*at)
		*at = order->next;
}

void reload_withdraw(struct reload *reload, struct reload_order *order)
{
	take_out(&reload->waiting, order);
	take_out(&reload->served, order);
}

void reload_now(struct reload *reload)
{
	reload->is_asked = true;
	if (!reload->is_busy)
		reload_start(reload);
}

void reload_stop(struct reload *reload)
{
	reload->is_stopped = true;
}

const char *reload_refusal(const struct reload *reload)
{
	return reload->outcome < 0 ? reload->sentence : "";
}
