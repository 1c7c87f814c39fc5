/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The service manager's watchdog (sd_watchdog_enabled(3)), without its library: it wants a word
 * every so often, and ends the process when none comes. The word is given only when every
 * worker has moved since the last one, so a single one that stands still is noticed, however
 * well the others do.
 */
#ifndef SYSTEMD_WATCHDOG_H
#define SYSTEMD_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#define WATCHDOG_WORKERS_MAX 64
#define WATCHDOG_ENDED UINT64_MAX /* of a worker that has nothing more to do */

struct watchdog {
	uint64_t interval_ns; /* until a word is missed; 0: nobody waits for one */
	uint64_t seen[WATCHDOG_WORKERS_MAX];
};

/* Read WATCHDOG_USEC and WATCHDOG_PID. Nobody waits when they are missing, make no sense, or
 * are for another process. */
void watchdog_read(struct watchdog *ret_watchdog);

/* How often to look: several times in an interval, so that a look that comes late, or finds a
 * worker between two steps, is not the last one. Only with an interval. */
uint64_t watchdog_look_ns(const struct watchdog *watchdog);

/* Have all workers moved since the last time that this was true? progress: what each has
 * counted so far, or WATCHDOG_ENDED. count: at most WATCHDOG_WORKERS_MAX. */
bool watchdog_has_moved(struct watchdog *watchdog, const uint64_t *progress, unsigned count);

#endif
