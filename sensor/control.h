/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The control socket, served by the main thread: softflowctl's words, a line each, and calls in
 * the Varlink wire format, which begin with "{". What a client asks of a lane goes over the
 * desk, so one that is slow, silent or gone costs the lanes nothing: it has bounded buffers and
 * a deadline for each progress, and there is a bounded number of them.
 */
#ifndef SENSOR_CONTROL_H
#define SENSOR_CONTROL_H

#include "sensor/control_socket.h"
#include "sensor/lane_desk.h"
#include "sensor/log.h"
#include "sensor/privilege.h"
#include "sensor/reload.h"
#include "sensor/sight.h"

struct control;

/* What the words may act on; all borrowed for the control's life. */
struct control_context {
	const struct config *config;
	struct lane_desk *desk;
	struct loop *loop;
	struct log *log;
	struct reload *reload;
	const struct sight *sight; /* the last look at the lanes */
	uint64_t start_ns;         /* the loop's time when all began */
	const struct privilege_report *rights;
	void (*shut_down)(void *user); /* asked to end: export all and exit */
	void *user;
};

/* Listen: control_socket_open(). 0 or a negative errno with a sentence in .error. */
int control_open(const struct control_listen *listen, struct control **ret_control,
	char error[static CONFIG_ERROR_BYTES]);

/* Begin to serve. 0 or a negative errno. */
int control_serve(struct control *control, const struct control_context *context);

/* Close the clients, the socket, and remove what is ours. NULL is fine. Only when no lane runs.
 */
void control_free(struct control *control);

#endif
