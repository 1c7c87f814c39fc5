/* SPDX-License-Identifier: BSD-2-Clause */
/* A build without libcap-ng keeps the rights that it was started with. */
#include "sensor/privilege.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

int privilege_give_up(const char *user, bool is_asked_for, bool keeps_net_raw,
	struct privilege_report *report, char error[static PRIVILEGE_ERROR_BYTES])
{
	(void)keeps_net_raw;
	if (is_asked_for) {
		snprintf(error, PRIVILEGE_ERROR_BYTES,
			"--user %s: this build cannot change the user", user);
		return -ENOTSUP;
	}
	report->uid = geteuid();
	snprintf(report->user, sizeof(report->user), "%lu", (unsigned long)report->uid);
	return 0;
}
