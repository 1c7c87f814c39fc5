/* SPDX-License-Identifier: BSD-2-Clause */
#include "sensor/random.h"

#include <errno.h>
#include <unistd.h>

int random_fill(void *out, size_t length)
{
	return getentropy(out, length) == 0 ? 0 : -errno;
}
