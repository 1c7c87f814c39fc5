/* SPDX-License-Identifier: BSD-2-Clause */
/* A host without Landlock. */
#include "sensor/sandbox.h"

int sandbox_landlock(bool is_live, const struct sandbox_path *more, size_t count)
{
	(void)is_live;
	(void)more;
	(void)count;
	return 0;
}
