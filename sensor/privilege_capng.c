/* SPDX-License-Identifier: BSD-2-Clause */
/* Capabilities are per thread: this runs before the lanes are started, and they inherit it. */
#include "sensor/privilege.h"

#include <cap-ng.h>
#include <errno.h>
#include <sys/prctl.h>

int privilege_drop(bool keeps_net_raw)
{
	if (capng_get_caps_process() != 0)
		return -EPERM;
	bool has_net_raw = capng_have_capability(CAPNG_EFFECTIVE, CAP_NET_RAW) == 1;
	/* Without CAP_SETPCAP the bounding set cannot be cut. It does not matter then, since
	 * no_new_privs keeps anybody from using it. */
	bool may_cut = capng_have_capability(CAPNG_EFFECTIVE, CAP_SETPCAP) == 1;

	capng_clear(CAPNG_SELECT_BOTH);
	if (keeps_net_raw && has_net_raw &&
		capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_NET_RAW, -1) !=
			0)
		return -EPERM;
	if (capng_apply(may_cut ? CAPNG_SELECT_BOTH : CAPNG_SELECT_CAPS) != 0)
		return -EPERM;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? 0 : -errno;
}
