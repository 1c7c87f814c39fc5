/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The observation domain id when none is configured. Some collectors key their template caches
 * by it alone, so two sensors must differ, and one sensor must stay the same over restarts.
 */
#ifndef SENSOR_DOMAIN_H
#define SENSOR_DOMAIN_H

#include <stdint.h>

/* From the machine id and the interface's name; a constant for NULL (replay). Never 0. */
uint32_t domain_default(const char *interface);

#endif
