/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new configuration for a sensor that runs: read again, checked whole, then put in force or
 * refused. Whoever asks, a signal or a client of the control socket, places an order and is
 * told how it ended. Belongs to the main thread.
 */
#ifndef SENSOR_RELOAD_H
#define SENSOR_RELOAD_H

#include "sensor/config.h"

struct reload;

struct reload_order {
	int outcome; /* answered: 0, or a negative errno: all is as before */
	char sentence[CONFIG_ERROR_BYTES]; /* answered: what was changed, or why nothing was */
	void (*answered)(struct reload_order *order);
	void *user;
	struct reload_order *next;
};

/* 0 or -ENOMEM. */
int reload_new(struct reload **ret_reload);

/* NULL is fine. Orders that wait are forgotten. */
void reload_free(struct reload *reload);

/*
 * Ask for a reload. The order stays the caller's, but must live until .answered was called,
 * which may happen before this returns, or until it was withdrawn. An order that is placed
 * while another one is being worked on gets a reload of its own. One that is placed twice is
 * answered once.
 */
void reload_place(struct reload *reload, struct reload_order *order);

/* Do not answer this order any more; the reload itself goes on. */
void reload_withdraw(struct reload *reload, struct reload_order *order);

#endif
