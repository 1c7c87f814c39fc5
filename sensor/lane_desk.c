/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An order in hand is out with one lane or with all of them. It is answered when no errand is
 * out any more.
 */
#include "sensor/lane_desk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* A lane that has ended gives no notice. */
static void desk_nudge(struct lane_desk *desk)
{
	ssize_t n = write(desk->notice_fds[1], "", 1);
	(void)n;
}

static void desk_send(struct lane_desk *desk, unsigned lane)
{
	const struct lane_request *asked = &desk->in_hand->request;
	struct lane_errand *errand = &desk->errands[lane];

	errand->request = (struct lane_request){
		.verb = asked->verb,
		.flows = asked->flows,
		.capacity = asked->capacity,
		.exporters = asked->exporters
				     ? asked->exporters + lane * CONFIG_DESTINATIONS_MAX
				     : NULL,
		.cursor = asked->cursor,
		.changes = asked->changes,
		.now_ns = asked->now_ns,
	};
	errand->is_out = true;
	lane_post(desk->lanes[lane], &errand->request);
	if (lane_has_ended(desk->lanes[lane]))
		desk_nudge(desk);
}

static void desk_send_in_hand(struct lane_desk *desk)
{
	struct lane_order *order = desk->in_hand;

	if (order->request.verb == LANE_SNAPSHOT) {
		desk_send(desk, order->lane);
		return;
	}
	for (unsigned i = 0; i < desk->lane_count; i++)
		desk_send(desk, i);
}

static void desk_lend_next(struct lane_desk *desk)
{
	if (desk->in_hand || !desk->first || !desk->lanes)
		return;
	desk->in_hand = desk->first;
	desk->first = desk->first->next;
	if (!desk->first)
		desk->last = &desk->first;
	desk_send_in_hand(desk);
}

/* Has the errand come back? A lane that ended has let go of it, done or not. */
static bool desk_is_back(struct lane_desk *desk, unsigned lane)
{
	struct lane_errand *errand = &desk->errands[lane];
	bool has_ended = lane_has_ended(desk->lanes[lane]);

	if (atomic_load_explicit(&errand->request.is_done, memory_order_acquire))
		return true;
	if (has_ended && errand->request.verb == LANE_STATS)
		lane_stats(desk->lanes[lane], &errand->request.stats);
	return has_ended;
}

static bool desk_waits(const struct lane_desk *desk)
{
	for (unsigned i = 0; i < desk->lane_count; i++)
		if (desk->errands[i].is_out)
			return true;
	return false;
}

/* A lane without more flows leaves the turn to the next one. True: the order goes on. */
static bool desk_next_turn(struct lane_desk *desk, const struct lane_request *answer)
{
	struct lane_order *order = desk->in_hand;

	order->request.cursor = answer->cursor;
	if (answer->count > 0 || order->lane + 1 == desk->lane_count)
		return false;
	order->lane++;
	order->request.cursor = 0;
	desk_send(desk, order->lane);
	return true;
}

static void desk_add_answer(struct lane_desk *desk, const struct lane_request *answer)
{
	struct lane_request *sum = &desk->in_hand->request;

	sum->count += answer->count;
	if (answer->now_ns > sum->now_ns)
		sum->now_ns = answer->now_ns;
	if (answer->verb == LANE_STATS)
		stats_sum_add(&sum->stats, &answer->stats);
}

/* All errands are back. */
static void desk_answer(struct lane_desk *desk)
{
	struct lane_order *order = desk->in_hand;

	if (order->request.verb == LANE_SNAPSHOT &&
		desk_next_turn(desk, &desk->errands[order->lane].request))
		return;
	bool is_shared = order->request.verb != LANE_SNAPSHOT;
	order->request.count = order->request.now_ns = 0;
	order->request.stats = (struct sensor_stats){ 0 };
	for (unsigned i = 0; i < desk->lane_count; i++)
		if (is_shared || i == order->lane)
			desk_add_answer(desk, &desk->errands[i].request);
	desk->in_hand = NULL;
	order->answered(order);
	desk_lend_next(desk);
}

static void desk_take_answers(struct lane_desk *desk)
{
	for (unsigned i = 0; i < desk->lane_count; i++)
		if (desk->errands[i].is_out && desk_is_back(desk, i))
			desk->errands[i].is_out = false;
	if (desk->in_hand && !desk_waits(desk))
		desk_answer(desk);
}

static void desk_ready(struct loop_watch *watch, short revents)
{
	struct lane_desk *desk = watch->user;
	char scrap[64];

	(void)revents;
	while (read(desk->notice_fds[0], scrap, sizeof(scrap)) > 0)
		;
	desk_take_answers(desk);
	if (desk->noticed)
		desk->noticed(desk->user);
}

int lane_desk_open(struct lane_desk *desk, struct loop *loop)
{
	*desk = (struct lane_desk){ .loop = loop, .last = &desk->first };
	if (pipe2(desk->notice_fds, O_CLOEXEC | O_NONBLOCK) < 0) {
		desk->notice_fds[0] = desk->notice_fds[1] = -1;
		return -errno;
	}
	desk->watch = (struct loop_watch){ .fd = desk->notice_fds[0],
		.events = POLLIN,
		.deadline_ns = UINT64_MAX,
		.ready = desk_ready,
		.user = desk };
	return loop_add(loop, &desk->watch);
}

int lane_desk_seat(struct lane_desk *desk, struct lane *const *lanes, unsigned count)
{
	desk->errands = calloc(count, sizeof(*desk->errands));
	if (!desk->errands)
		return -ENOMEM;
	desk->lanes = lanes;
	desk->lane_count = count;
	desk_lend_next(desk);
	return 0;
}

void lane_desk_close(struct lane_desk *desk)
{
	if (!desk->loop)
		return;
	loop_remove(desk->loop, &desk->watch);
	for (int i = 0; i < 2; i++)
		if (desk->notice_fds[i] >= 0)
			close(desk->notice_fds[i]);
	free(desk->errands);
	desk->errands = NULL;
	desk->loop = NULL;
}

void lane_desk_place(struct lane_desk *desk, struct lane_order *order)
{
	order->next = NULL;
	*desk->last = order;
	desk->last = &order->next;
	desk_lend_next(desk);
}

const struct lane_request *lane_desk_answer_of(const struct lane_desk *desk, unsigned lane)
{
	return &desk->errands[lane].request;
}

bool lane_desk_is_out(const struct lane_desk *desk, unsigned lane)
{
	return desk->errands[lane].is_out;
}

bool lane_desk_withdraw(struct lane_desk *desk, struct lane_order *order)
{
	if (desk->in_hand == order)
		return false;
	for (struct lane_order **at = &desk->first; *at; at = &(*at)->next)
		if (*at == order) {
			*at = order->next;
			if (!*at)
				desk->last = at;
			break;
		}
	return true;
}
