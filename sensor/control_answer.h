/* SPDX-License-Identifier: BSD-2-Clause */
/* The answers to the words of control_word.def; each has its home in one of sensor/answer_*.c.
 */
#ifndef SENSOR_CONTROL_ANSWER_H
#define SENSOR_CONTROL_ANSWER_H

#include "sensor/control_call.h"

#define WORD(symbol, ...) extern const struct control_answer answer_##symbol;
#include "sensor/control_word.def"

#endif
