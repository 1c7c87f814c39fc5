/* SPDX-License-Identifier: BSD-2-Clause */
/* The process around the sensor: signals as a descriptor, the background, the pid file. */
#ifndef SENSOR_PROCESS_H
#define SENSOR_PROCESS_H

#include <stddef.h>

/* Put something in the place of closed standard descriptors, before anything is opened: else a
 * socket would get such a number, and be written to as standard output. Using them still fails.
 */
void process_fill_standard(void);

/* Close whatever our parent left open, before anything is opened: a daemon would hold its locks
 * and pipes for ever. */
void process_close_inherited(void);

/* Make SIGTERM, SIGINT, SIGHUP and SIGUSR2 readable, one byte each, from the returned
 * descriptor, and ignore SIGPIPE. Negative errno on failure. Once per process. */
int process_signals(void);

/*
 * Go to the background. The parent stays until the child calls process_ready() and then exits
 * 0, or exits 1 when the child ends before that. Returns, in the child, the descriptor for
 * process_ready(), or a negative errno.
 */
int process_daemonise(void);

/* The service is up: let the parent go, and let go of the terminal. */
void process_ready(int daemon_fd);

/*
 * Write our pid to .path and hold a lock on it: a second instance with the same file is refused
 * (-EAGAIN). Returns the descriptor to keep open, or a negative errno.
 */
int process_pid_file(const char *path);

/* Take it away, or, where only root may, leave an empty one; and close the descriptor. */
void process_pid_file_end(const char *path, int fd);

/* The CPUs that the process may use, in order, at most .room. Returns how many were written;
 * 0 when the system does not tell. */
unsigned process_usable_cpus(int *ret_cpus, unsigned room);

#endif
