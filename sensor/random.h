/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys that an attacker cannot know. */
#ifndef SENSOR_RANDOM_H
#define SENSOR_RANDOM_H

#include <stddef.h>

/* Fill .out with at most 256 random octets from the kernel; 0 or a negative errno. */
int random_fill(void *out, size_t length);

#endif
