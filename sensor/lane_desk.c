/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lane_desk.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

static void desk_lend_next(struct lane_desk *desk)
{
	if (desk->in_hand || !desk->first || !desk->lane)
		return;
	desk->in_hand = desk->first;
	desk->first = desk->first->next;
	if (!desk->first)
		desk->last = &desk->first;
	lane_post(desk->lane, &desk->in_hand->request);
}

static void desk_take_answer(struct lane_desk *desk)
{
	struct lane_order *order = desk->in_hand;

	if (!order || !atomic_load_explicit(&order->request.is_done, memory_order_acquire))
		return;
	desk->in_hand = NULL;
	order->answered(order);
	desk_lend_next(desk);
}

static void desk_ready(struct loop_watch *watch, short revents)
{
	struct lane_desk *desk = watch->user;
	char scrap[64];

	(void)revents;
	while (read(desk->notice_fds[0], scrap, sizeof(scrap)) > 0)
		;
	desk_take_answer(desk);
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

void lane_desk_close(struct lane_desk *desk)
{
	if (!desk->loop)
		return;
	loop_remove(desk->loop, &desk->watch);
	for (int i = 0; i < 2; i++)
		if (desk->notice_fds[i] >= 0)
			close(desk->notice_fds[i]);
	desk->loop = NULL;
}

void lane_desk_place(struct lane_desk *desk, struct lane_order *order)
{
	order->next = NULL;
	*desk->last = order;
	desk->last = &order->next;
	desk_lend_next(desk);
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
