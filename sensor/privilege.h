/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What needs rights is opened first; then the rights go. Implemented by privilege_capng.c with
 * libcap-ng, or by privilege_none.c on hosts that have no capabilities.
 */
#ifndef SENSOR_PRIVILEGE_H
#define SENSOR_PRIVILEGE_H

#include <stdbool.h>

/*
 * Give up every capability, for good, and forbid new ones. keeps_net_raw: the source must be
 * able to open its interface again (libpcap does, the ring does not). 0 or a negative errno.
 */
int privilege_drop(bool keeps_net_raw);

#endif
