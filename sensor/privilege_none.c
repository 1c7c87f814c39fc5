/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/privilege.h"

int privilege_drop(bool keeps_net_raw)
{
	(void)keeps_net_raw;
	return 0;
}
