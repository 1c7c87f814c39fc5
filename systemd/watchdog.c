/* SPDX-License-Identifier: BSD-2-Clause */
#include "systemd/watchdog.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LOOKS 5 /* in an interval */
#define NS_PER_US 1000U

static bool read_number(const char *name, uint64_t *ret_number)
{
	const char *text = getenv(name);
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	*ret_number = strtoull(text, &end, 10);
	return errno == 0 && *end == 0;
}

void watchdog_read(struct watchdog *ret_watchdog)
{
	uint64_t interval_us, pid;

	*ret_watchdog = (struct watchdog){ 0 };
	if (!read_number("WATCHDOG_USEC", &interval_us) || interval_us > UINT64_MAX / NS_PER_US)
		return;
	if (getenv("WATCHDOG_PID") &&
		(!read_number("WATCHDOG_PID", &pid) || pid != (uint64_t)getpid()))
		return;
	ret_watchdog->interval_ns = interval_us * NS_PER_US;
}

uint64_t watchdog_look_ns(const struct watchdog *watchdog)
{
	return watchdog->interval_ns / LOOKS;
}

bool watchdog_has_moved(struct watchdog *watchdog, const uint64_t *progress, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (progress[i] == watchdog->seen[i] && progress[i] != WATCHDOG_ENDED)
			return false;
	memcpy(watchdog->seen, progress, count * sizeof(*progress));
	return true;
}
