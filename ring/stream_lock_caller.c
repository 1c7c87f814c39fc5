/* SPDX-License-Identifier: BSD-2-Clause */
/* C libraries that leave the locking of a stream to the caller (glibc, musl). */
#include "ring/stream_lock.h"

#include <stdio_ext.h>

void stream_lock_by_caller(FILE *stream)
{
	__fsetlocking(stream, FSETLOCKING_BYCALLER);
}
