/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A new configuration for a sensor that runs: read again, checked whole, then put in force or
 * refused. Whoever asks, a signal or a client of the control socket, places an order and is
 * told how it ended. Belongs to the main thread.
 *
 * One rule: either all of it is in force afterwards, or nothing has changed. A configuration
 * that would take a restart, because it wants another interface or ring, is refused as one with
 * an error is.
 */
#ifndef SENSOR_RELOAD_H
#define SENSOR_RELOAD_H

#include "sensor/lane_desk.h"
#include "sensor/log.h"

struct reload;
struct lanes;

struct reload_order {
	int outcome; /* answered: 0, or a negative errno: all is as before */
	char sentence[CONFIG_ERROR_BYTES]; /* answered: what was changed, or why nothing was */
	void (*answered)(struct reload_order *order);
	void *user;
	struct reload_order *next;
};

/* All borrowed for the reload's life. */
struct reload_config {
	struct config *config; /* in force; what is in it is exchanged */
	const struct config_input *input;
	struct lanes *lanes;
	struct lane_desk *desk;
	struct log *log; /* a line about each reload; its level is the configuration's */
	/* A reload begins, and is over: for the service manager. May be NULL. */
	void (*begins)(void *user);
	void (*ended)(void *user, int outcome, const char *sentence);
	void *user;
};

/* 0 or -ENOMEM. */
int reload_new(const struct reload_config *config, struct reload **ret_reload);

/* NULL is fine. Only when no lane runs any more. Orders that wait are forgotten. */
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

/* Ask for a reload; the log says how it ended. */
void reload_now(struct reload *reload);

/* The sensor is ending: refuse whatever is asked from now on. */
void reload_stop(struct reload *reload);

/* Why the last reload was refused; "" when it was not. Valid until the next one. */
const char *reload_refusal(const struct reload *reload);

#endif
