/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/lookout.h"

#include <syslog.h>

#define INTERVAL_NS UINT64_C(1000000000)

/* The interface is not there, or down. */
static bool is_waiting(const struct ring_stats *ring)
{
	return ring->link_losses > ring->link_returns;
}

void lookout_wait(struct lookout *lookout, struct source *source)
{
	source_stats(source, &lookout->seen_ring);
	if (is_waiting(&lookout->seen_ring))
		log_line(lookout->log, LOG_NOTICE, "%s; waiting for it", source_error(source));
}

void lookout_log_ring(struct lookout *lookout, const struct ring_stats *now)
{
	const struct ring_stats *before = &lookout->seen_ring;
	const struct log *log = lookout->log;
	const char *interface = lookout->config->interface;

	if (now->link_losses > before->link_losses)
		log_line(log, LOG_WARNING, "%s: the interface went down or away", interface);
	if (now->link_returns > before->link_returns)
		log_line(log, LOG_NOTICE, "%s: the interface is back, capturing again",
			interface);
	if (now->clock_steps > before->clock_steps)
		log_line(log, LOG_NOTICE,
			"the host's clock was set; flows go on as if it had not been");
	if (now->dropped_pkts > before->dropped_pkts)
		log_line(log, LOG_WARNING, "%s: the kernel dropped %llu packets, %llu in all",
			interface,
			(unsigned long long)(now->dropped_pkts - before->dropped_pkts),
			(unsigned long long)now->dropped_pkts);
	lookout->seen_ring = *now;
}

static void look_answered(struct lane_order *order)
{
	struct lookout *lookout = order->user;
	const struct sensor_stats *stats = &order->request.stats;
	uint64_t now_ns = loop_now_ns();
	char line[STATUS_LINE_BYTES];

	lookout->is_looking = false;
	sight_take(&lookout->sight, lookout->desk, stats, now_ns);
	lookout_log_ring(lookout, &stats->ring);
	collector_watch_tell(&lookout->collectors, lookout->config, lookout->log);
	status_line_write(&lookout->status, stats, now_ns, line);
	lookout->tell(lookout->user, line);
}

static void look(struct loop_watch *watch, short revents)
{
	struct lookout *lookout = watch->user;

	(void)revents;
	watch->deadline_ns = loop_now_ns() + INTERVAL_NS;
	if (lookout->is_looking)
		return;
	lookout->is_looking = true;
	lookout->order.request.verb = LANE_STATS;
	lookout->order.request.exporters = lookout->collectors.exporters;
	lookout->order.answered = look_answered;
	lookout->order.user = lookout;
	lane_desk_place(lookout->desk, &lookout->order);
}

int lookout_start(struct lookout *lookout, unsigned lanes)
{
	int rc = collector_watch_open(&lookout->collectors, lanes);

	lookout->watch = (struct loop_watch){
		.fd = -1, .deadline_ns = loop_now_ns(), .ready = look, .user = lookout
	};
	return rc < 0 ? rc : loop_add(lookout->loop, &lookout->watch);
}

void lookout_stop(struct lookout *lookout)
{
	loop_remove(lookout->loop, &lookout->watch);
}

void lookout_close(struct lookout *lookout)
{
	collector_watch_close(&lookout->collectors);
}
