/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ringflowd: parse, open what needs rights, drop them, run the lanes, serve the operator,
 * unwind. Everything opened is in struct sensor, so the unwinding is one function.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "sensor/control.h"
#include "sensor/lanes.h"
#include "sensor/lookout.h"
#include "sensor/privilege.h"
#include "sensor/process.h"
#include "sensor/reload.h"
#include "systemd/listen.h"
#include "systemd/notify.h"
#include "systemd/watchdog.h"

#define EXIT_USAGE 2
#define EXIT_DAMAGED 4 /* everything before the damage was exported */

#define NS_PER_S 1000000000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_US 1000ULL
#define FINISH_PATIENCE_NS (10 * NS_PER_S) /* for what the ring still holds */
/* timeout(1) and terminals signal a process and its group: the second of two signals that come
 * together is no word of impatience. */
#define SAME_WORD_NS NS_PER_S
#define CONTROL_FD_NAME "control"        /* FileDescriptorName= of the control socket's unit */
#define RELOAD_PATIENCE_USEC "180000000" /* of the watchdog while names are resolved */
#define HOLDBACKS 3 /* more retire timeouts than a packet may wait in the kernel */

struct sensor {
	struct config config;
	struct log log;
	struct loop loop;
	struct lane_desk desk;
	struct lanes lanes;
	struct control *control;
	struct config_input input; /* to be read again */
	char folder[PATH_MAX];     /* where relative paths begin */
	struct reload *reload;
	struct notify notify;
	struct listen_fds handed; /* by the service manager */
	struct handover handover;
	struct watchdog watchdog;
	struct loop_watch signals, patience, watchdog_look;
	struct lane_order finish; /* to end */
	struct lookout lookout;
	bool is_finishing;
	bool is_leaving;             /* all as it is to the next process */
	uint64_t finishing_since_ns; /* the loop's time */
	struct privilege_report rights;
	int signal_fd, daemon_fd, pid_fd;
	int stop_fds[2]; /* closing [1] ends the wait for a capture file that is a pipe */
	char error[CONFIG_ERROR_BYTES];
};

static bool is_given(const char *path)
{
	return path && strcmp(path, "none") != 0;
}

static int complain(struct sensor *sensor, int status)
{
	log_line(&sensor->log, LOG_ERR, "%s", sensor->error);
	return status;
}

/* -- what the service manager keeps ------------------------------------------------------ */

static int take_handed(void *user, const char *name)
{
	struct sensor *sensor = user;

	return listen_claim(&sensor->handed, name);
}

static bool store_fd(void *user, const char *name, int fd)
{
	const struct sensor *sensor = user;

	return notify_store(&sensor->notify, name, fd);
}

static bool forget_fd(void *user, const char *name)
{
	const struct sensor *sensor = user;

	return notify_forget(&sensor->notify, name);
}

static void meet_manager(struct sensor *sensor)
{
	notify_open(&sensor->notify);
	watchdog_read(&sensor->watchdog);
	sensor->handover = (struct handover){
		.take = take_handed,
		.store = store_fd,
		.forget = forget_fd,
		.can_store = sensor->notify.fd >= 0 && sensor->config.is_foreground,
		.user = sensor,
	};
	sensor->lanes.handover = &sensor->handover;
}

/* -- opening -------------------------------------------------------------------------- */

static int open_sources(struct sensor *sensor)
{
	const struct config *config = &sensor->config;
	unsigned wanted;

	if (config->file_count > 0 && pipe2(sensor->stop_fds, O_CLOEXEC) < 0) {
		snprintf(sensor->error, sizeof(sensor->error), "starting: %s", strerror(errno));
		return -errno;
	}
	notify_extend_timeout(&sensor->notify, lanes_opening_us(config));
	int rc = lanes_open_sources(
		&sensor->lanes, config, sensor->stop_fds[0], &wanted, sensor->error);
	if (rc == 0 && sensor->lanes.count < wanted)
		log_line(&sensor->log, config->lanes > 0 ? LOG_NOTICE : LOG_DEBUG,
			"one lane: the packets of this source and kind of link cannot be "
			"shared out");
	if (rc == 0)
		lookout_wait(&sensor->lookout, sensor->lanes.sources[0]);
	return rc;
}

/* The background, the pid file and the control socket, in the order in which a second instance
 * is noticed before it takes anything from the first. */
static int open_service(struct sensor *sensor)
{
	const struct config *config = &sensor->config;

	if (config->file_count > 0)
		return 0;
	if (!config->is_foreground) {
		sensor->daemon_fd = process_daemonise();
		if (sensor->daemon_fd < 0) {
			snprintf(sensor->error, sizeof(sensor->error),
				"going to the background: %s", strerror(-sensor->daemon_fd));
			return sensor->daemon_fd;
		}
		if (is_given(config->pid_file))
			sensor->pid_fd = process_pid_file(config->pid_file);
		if (is_given(config->pid_file) && sensor->pid_fd < 0) {
			snprintf(sensor->error, sizeof(sensor->error), "pid file %s: %s",
				config->pid_file,
				sensor->pid_fd == -EAGAIN ? "another instance holds it"
							  : strerror(-sensor->pid_fd));
			return sensor->pid_fd;
		}
	}
	struct control_listen listen = {
		.fd = listen_claim(&sensor->handed, CONTROL_FD_NAME),
		.path = config->control_path,
		.mode = config->control_mode,
		.group = config->control_group,
	};
	if (listen.fd < 0 && !is_given(config->control_path))
		return 0;
	return control_open(&listen, &sensor->control, sensor->error);
}

/* -- running -------------------------------------------------------------------------- */

static uint64_t unix_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void finish_answered(struct lane_order *order)
{
	(void)order; /* the lanes say so again when they have ended */
}

/* A lane is still metering what its ring held: it is too much, or the clock was set back. */
static void patience_ended(struct loop_watch *watch, short revents)
{
	struct sensor *sensor = watch->user;

	(void)revents;
	loop_remove(&sensor->loop, watch);
	log_line(&sensor->log, LOG_WARNING, "leaving with packets unread in the ring");
	sensor->finish.request.now_ns = 0;
	lane_desk_place(&sensor->desk, &sensor->finish);
}

/* Wait for the lanes to meter what their rings hold, instead of looking at them. */
static void await_the_rings(struct sensor *sensor)
{
	lookout_stop(&sensor->lookout);
	sensor->patience = (struct loop_watch){ .fd = -1,
		.deadline_ns = sensor->finishing_since_ns + FINISH_PATIENCE_NS +
			       HOLDBACKS * sensor->config.retire_timeout_ms * NS_PER_MS,
		.ready = patience_ended,
		.user = sensor };
	/* It has the place of the watch that was removed. */
	loop_add(&sensor->loop, &sensor->patience);
}

static void close_stop(struct sensor *sensor, unsigned end)
{
	if (sensor->stop_fds[end] >= 0)
		close(sensor->stop_fds[end]);
	sensor->stop_fds[end] = -1;
}

/* Leave all as it is to the next process. */
static void hand_over(struct sensor *sensor)
{
	sensor->is_finishing = sensor->is_leaving = true;
	notify_send(&sensor->notify, "STOPPING=1\nSTATUS=leaving all to the next process");
	sensor->finish.request.verb = LANE_LEAVE;
	sensor->finish.answered = finish_answered;
	lane_desk_place(&sensor->desk, &sensor->finish);
	sensor->finishing_since_ns = loop_now_ns();
}

static void shut_down(void *user)
{
	struct sensor *sensor = user;

	if (sensor->is_finishing)
		return;
	sensor->is_finishing = true;
	notify_send(&sensor->notify, "STOPPING=1\nSTATUS=exporting open flows");
	reload_stop(sensor->reload);
	sensor->finish.request.verb = LANE_FINISH;
	sensor->finish.request.now_ns = unix_now_ns();
	sensor->finish.answered = finish_answered;
	lane_desk_place(&sensor->desk, &sensor->finish);
	close_stop(sensor, 1);
	sensor->finishing_since_ns = loop_now_ns();
	if (sensor->config.file_count == 0)
		await_the_rings(sensor);
}

static void signals_ready(struct loop_watch *watch, short revents)
{
	struct sensor *sensor = watch->user;
	char number;

	(void)revents;
	while (read(watch->fd, &number, 1) == 1) {
		if (number == SIGHUP) {
			reload_now(sensor->reload);
		} else if (number == SIGUSR2 && sensor->lanes.is_kept &&
			   !sensor->is_finishing) {
			hand_over(sensor);
		} else if (!sensor->is_finishing) {
			shut_down(sensor);
		} else if (loop_now_ns() - sensor->finishing_since_ns >= SAME_WORD_NS) {
			log_line(&sensor->log, LOG_ERR,
				"told twice: leaving, open flows are lost");
			_exit(EXIT_FAILURE);
		}
	}
}

/* A name server that does not answer keeps the main thread for longer than the watchdog waits,
 * and nothing else: the lanes go on. */
static void set_watchdog(struct sensor *sensor, const char *microseconds)
{
	char text[64];

	if (!getenv("WATCHDOG_USEC"))
		return;
	snprintf(text, sizeof(text), "WATCHDOG=1\nWATCHDOG_USEC=%.20s", microseconds);
	notify_send(&sensor->notify, text);
}

/* The service manager wants to know that what it sees from now on is about this reload. */
static void reload_begins(void *user)
{
	struct sensor *sensor = user;
	char text[64];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%llu",
		(unsigned long long)(loop_now_ns() / NS_PER_US));
	notify_send(&sensor->notify, text);
	set_watchdog(sensor, RELOAD_PATIENCE_USEC);
}

static void reload_ended(void *user, int outcome, const char *sentence)
{
	struct sensor *sensor = user;
	char text[CONFIG_ERROR_BYTES + 64];

	snprintf(text, sizeof(text), "READY=1\nSTATUS=configuration %s: %s",
		outcome < 0 ? "not reloaded" : "reloaded", sentence);
	notify_send(&sensor->notify, text);
	set_watchdog(sensor, getenv("WATCHDOG_USEC"));
}

static int open_reload(struct sensor *sensor)
{
	struct reload_config config = {
		.config = &sensor->config,
		.input = &sensor->input,
		.lanes = &sensor->lanes,
		.desk = &sensor->desk,
		.log = &sensor->log,
		.begins = reload_begins,
		.ended = reload_ended,
		.user = sensor,
	};

	return reload_new(&config, &sensor->reload);
}

static void lane_noticed(void *user)
{
	struct sensor *sensor = user;

	if (lanes_have_ended(&sensor->lanes))
		loop_stop(&sensor->loop);
	else if (lanes_have_failed(&sensor->lanes))
		shut_down(sensor);
}

/* Every second, with how it is going. */
static void tell_status(void *user, const char *line)
{
	struct sensor *sensor = user;
	const char *refusal = reload_refusal(sensor->reload);
	char status[STATUS_LINE_BYTES + CONFIG_ERROR_BYTES + 64];

	snprintf(status, sizeof(status), "STATUS=%s%s%s", line,
		refusal[0] ? "; configuration not reloaded: " : "", refusal);
	if (!sensor->is_finishing)
		notify_send(&sensor->notify, status);
}

static void prepare_lookout(struct sensor *sensor)
{
	sensor->lookout = (struct lookout){
		.config = &sensor->config,
		.log = &sensor->log,
		.desk = &sensor->desk,
		.loop = &sensor->loop,
		.tell = tell_status,
		.user = sensor,
	};
}

/* A lane that stands still keeps the word from being given, and the service manager ends us. */
static void watchdog_ready(struct loop_watch *watch, short revents)
{
	struct sensor *sensor = watch->user;
	uint64_t progress[CONFIG_LANES_MAX];

	(void)revents;
	watch->deadline_ns = loop_now_ns() + watchdog_look_ns(&sensor->watchdog);
	for (unsigned i = 0; i < sensor->lanes.count; i++)
		progress[i] = lane_has_ended(sensor->lanes.lanes[i])
				      ? WATCHDOG_ENDED
				      : lane_progress(sensor->lanes.lanes[i]);
	if (watchdog_has_moved(&sensor->watchdog, progress, sensor->lanes.count))
		notify_send(&sensor->notify, "WATCHDOG=1");
}

static int watch_everything(struct sensor *sensor)
{
	bool is_live = sensor->config.file_count == 0;
	struct control_context context = {
		.config = &sensor->config,
		.desk = &sensor->desk,
		.loop = &sensor->loop,
		.log = &sensor->log,
		.reload = sensor->reload,
		.sight = &sensor->lookout.sight,
		.rights = &sensor->rights,
		.start_ns = loop_now_ns(),
		.shut_down = shut_down,
		.user = sensor,
	};
	int rc;

	sensor->desk.noticed = lane_noticed;
	sensor->desk.user = sensor;
	sensor->signals = (struct loop_watch){ .fd = sensor->signal_fd,
		.events = POLLIN,
		.deadline_ns = UINT64_MAX,
		.ready = signals_ready,
		.user = sensor };
	rc = loop_add(&sensor->loop, &sensor->signals);
	if (rc == 0 && is_live)
		rc = lookout_start(&sensor->lookout, sensor->lanes.count);
	sensor->watchdog_look = (struct loop_watch){
		.fd = -1, .deadline_ns = loop_now_ns(), .ready = watchdog_ready, .user = sensor
	};
	if (rc == 0 && sensor->watchdog.interval_ns > 0)
		rc = loop_add(&sensor->loop, &sensor->watchdog_look);
	if (rc == 0 && sensor->control)
		rc = control_serve(sensor->control, &context);
	return rc;
}

/* -- the end -------------------------------------------------------------------------- */

static int join_lanes(struct sensor *sensor)
{
	const char *error;
	int outcome = lanes_join(&sensor->lanes, &error);

	if (outcome == 0)
		return EXIT_SUCCESS;
	log_line(&sensor->log, LOG_ERR, "%s", error);
	return outcome == SOURCE_DAMAGED ? EXIT_DAMAGED : EXIT_FAILURE;
}

static void write_clocks(FILE *out)
{
	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
	fprintf(out, "CPU time: %ld.%06lds user, %ld.%06lds system\n",
		(long)used.ru_utime.tv_sec, (long)used.ru_utime.tv_usec,
		(long)used.ru_stime.tv_sec, (long)used.ru_stime.tv_usec);
}

/* Nothing is lost in silence. A replay waits for its readers, so there it is a failure. */
static int say_losses(struct sensor *sensor, const struct sensor_stats *stats, int status)
{
	bool is_live = sensor->config.file_count == 0;

	if (is_live)
		lookout_log_ring(&sensor->lookout, &stats->ring);
	if (is_live && stats->exported.failed_records > 0)
		log_line(&sensor->log, LOG_WARNING,
			"%llu records did not reach their collector, in all",
			(unsigned long long)stats->exported.failed_records);
	if (stats->lost_prints == 0)
		return status;
	log_line(&sensor->log, LOG_ERR, "%llu flows were not printed: %s",
		(unsigned long long)stats->lost_prints,
		is_live ? "the reader was too slow or went away"
			: "standard output takes no more");
	return is_live || status != EXIT_SUCCESS ? status : EXIT_FAILURE;
}

/* Check the books and, after a replay, print them. */
static int report(struct sensor *sensor, int status)
{
	const struct config *config = &sensor->config;
	FILE *out = config->print == PRINT_NONE ? stdout : stderr;
	struct sensor_stats books, *stats = &books;

	lanes_close_books(&sensor->lanes, stats); /* the flows stand above the statistics */
	status = say_losses(sensor, stats, status);
	if (config->file_count > 0) {
		stats_text_write(stats, out);
		if (config->personality == PERSONALITY_RINGFLOW) {
			stats_text_write_drops(stats, out);
			stats_text_write_notes(stats, out);
		}
	}
	if (config->shows_clocks)
		write_clocks(out);
	if (stats_check(stats, 0, stderr) < 0)
		status = EXIT_FAILURE;
	if (fflush(out) != 0 || ferror(out)) {
		log_line(&sensor->log, LOG_ERR, "the statistics cannot be written: %s",
			strerror(errno));
		status = EXIT_FAILURE;
	}
	return status;
}

static void close_everything(struct sensor *sensor)
{
	lanes_free(&sensor->lanes);
	lookout_close(&sensor->lookout);
	control_free(sensor->control);
	reload_free(sensor->reload);
	lane_desk_close(&sensor->desk);
	close_stop(sensor, 0);
	close_stop(sensor, 1);
	if (sensor->pid_fd >= 0) {
		process_pid_file_end(sensor->config.pid_file, sensor->pid_fd);
	}
	notify_close(&sensor->notify);
	listen_close(&sensor->handed);
	config_clear(&sensor->config);
}

static int open_everything(struct sensor *sensor)
{
	int rc = open_sources(sensor);

	if (rc == 0)
		rc = lanes_open_transports(&sensor->lanes, &sensor->config, sensor->error);
	if (rc == 0)
		rc = open_service(sensor);
	return rc;
}

/* All that needs rights is open: they go, before there is a second thread. */
static int drop_rights(struct sensor *sensor)
{
	bool keeps_net_raw = strcmp(source_name(sensor->lanes.sources[0]), "pcap") == 0;
	int rc = privilege_drop(&sensor->config, keeps_net_raw, &sensor->rights, sensor->error);

	return rc < 0 ? rc : privilege_check(&sensor->rights, sensor->error);
}

static void say_rights(struct sensor *sensor)
{
	char text[PRIVILEGE_TEXT_BYTES];
	int level = sensor->config.file_count == 0 ? LOG_INFO : LOG_DEBUG;

	log_line(&sensor->log, level, "rights: %s", privilege_describe(&sensor->rights, text));
	if (sensor->rights.gap)
		log_line(&sensor->log, sensor->rights.is_gap_asked_for ? LOG_WARNING : level,
			"less than the usual protection: %s", sensor->rights.gap);
}

/* When one does not start, or not without rights, the others are told to end: they are waited
 * for later. */
static int start_lanes(struct sensor *sensor)
{
	int rc = lanes_start(&sensor->lanes);

	if (rc < 0)
		snprintf(sensor->error, sizeof(sensor->error), "starting: %s", strerror(-rc));
	else
		rc = privilege_check(&sensor->rights, sensor->error);
	if (rc < 0) {
		sensor->finish.request.verb = LANE_FINISH;
		sensor->finish.request.now_ns = 0;
		sensor->finish.answered = finish_answered;
		lane_desk_place(&sensor->desk, &sensor->finish);
	}
	return rc;
}

static void log_found(struct sensor *sensor)
{
	const struct lanes *lanes = &sensor->lanes;
	uint64_t flows = 0, outage_ms = 0;

	if (lanes->has_unread)
		log_line(&sensor->log, LOG_ERR,
			"what the process before has left cannot be read: its open flows are "
			"lost, and so are packets that waited in its rings");
	else if (lanes->is_translated)
		log_line(&sensor->log, LOG_NOTICE,
			"another version has left a table with %llu flows: all were exported",
			(unsigned long long)lanes->found.flows);
	if (lanes->found.unreadable_flows > 0 || lanes->found.lost_messages > 0)
		log_line(&sensor->log, LOG_ERR,
			"of what another version has left, %llu flows and %llu messages that "
			"waited to be sent cannot be read: they are lost",
			(unsigned long long)lanes->found.unreadable_flows,
			(unsigned long long)lanes->found.lost_messages);
	if (!lanes->is_resumed && !lanes->is_moved)
		return;
	for (unsigned i = 0; i < lanes->count; i++)
		lane_found(lanes->lanes[i], &flows, &outage_ms);
	log_line(&sensor->log, LOG_NOTICE,
		"going on where the process before had stopped, %llu ms ago, with %llu flows%s",
		(unsigned long long)outage_ms, (unsigned long long)flows,
		lanes->is_moved ? ", moved to other lanes" : "");
}

static int run(struct sensor *sensor)
{
	int rc = drop_rights(sensor);

	if (rc == 0)
		rc = lanes_make(&sensor->lanes, &sensor->config, sensor->desk.notice_fds[1],
			sensor->error);
	if (rc < 0)
		return complain(sensor, EXIT_FAILURE);
	log_found(sensor);
	rc = lane_desk_seat(&sensor->desk, sensor->lanes.lanes, sensor->lanes.count);
	if (rc == 0)
		rc = open_reload(sensor);
	/* Until here a signal ends us at once: nothing was metered yet, and opening may wait.
	 */
	if (rc == 0)
		rc = sensor->signal_fd = process_signals();
	if (rc >= 0)
		rc = watch_everything(sensor);
	if (rc < 0)
		snprintf(sensor->error, sizeof(sensor->error), "starting: %s", strerror(-rc));
	else
		rc = start_lanes(sensor);
	if (rc < 0)
		return complain(sensor, EXIT_FAILURE);
	say_rights(sensor);
	if (sensor->daemon_fd >= 0) {
		int level = sensor->log.level;
		log_open(&sensor->log, sensor->config.program, true, false);
		log_set_level(&sensor->log, level);
	}
	process_ready(sensor->daemon_fd);
	notify_tell(&sensor->notify, "READY=1");
	rc = loop_run(&sensor->loop);
	if (rc < 0)
		log_line(&sensor->log, LOG_ERR, "waiting for events: %s", strerror(-rc));
	int status = join_lanes(sensor);
	if (sensor->is_leaving)
		return status;
	lanes_forget(&sensor->lanes, &sensor->config);
	return report(sensor, status);
}

int main(int argc, char **argv)
{
	static struct sensor sensor = { .signal_fd = -1,
		.daemon_fd = -1,
		.pid_fd = -1,
		.stop_fds = { -1, -1 },
		.notify.fd = -1 };
	int rc, status;

	process_fill_standard();
	sensor.input = (struct config_input){ argc, argv, config_folder,
		getcwd(sensor.folder, sizeof(sensor.folder)) };
	rc = config_parse(&sensor.config, &sensor.input, stdout, sensor.error);

	log_open(&sensor.log, sensor.config.program, false, false);
	if (rc == 0)
		log_set_level(&sensor.log, (int)sensor.config.log_level);
	if (rc != 0) {
		status = rc == CONFIG_HELP ? EXIT_SUCCESS : complain(&sensor, EXIT_USAGE);
		config_clear(&sensor.config);
		return status;
	}
	for (size_t i = 0; i < sensor.config.note_count; i++)
		log_line(&sensor.log, LOG_NOTICE, "%s", sensor.config.notes[i]);
	rc = 0;
	if (!sensor.config.is_foreground)
		process_close_inherited();
	else
		rc = listen_read(&sensor.handed);
	meet_manager(&sensor);
	prepare_lookout(&sensor);
	if (rc == 0)
		rc = lane_desk_open(&sensor.desk, &sensor.loop);
	if (rc < 0)
		snprintf(sensor.error, sizeof(sensor.error), "starting: %s", strerror(-rc));
	else
		rc = open_everything(&sensor);
	status = rc < 0 ? complain(&sensor, EXIT_FAILURE) : run(&sensor);
	close_everything(&sensor);
	return status;
}
