/* SPDX-License-Identifier: BSD-2-Clause */
/* Streams that one thread at a time uses. */
#ifndef RING_STREAM_LOCK_H
#define RING_STREAM_LOCK_H

#include <stdio.h>

/* The caller answers for it that no two threads use .stream at once: where the C library can do
 * without, it then takes no lock for each read. */
void stream_lock_by_caller(FILE *stream);

#endif
