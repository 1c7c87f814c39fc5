/* SPDX-License-Identifier: BSD-2-Clause */
/* What every Varlink service answers: who it is, and what it can be asked
 * (org.varlink.service). */
#ifndef SENSOR_CONTROL_SERVICE_H
#define SENSOR_CONTROL_SERVICE_H

#include "sensor/config.h"
#include "sensor/varlink.h"

/* The word of a method of our own interface; NULL for others, which control_service_answer()
 * answers. */
const struct control_word *control_service_find(const char *method);

/* Write the reply to a call of org.varlink.service, or the error for a method or an interface
 * that does not exist. */
void control_service_answer(
	const struct varlink_call *request, const struct config *config, FILE *out);

#endif
