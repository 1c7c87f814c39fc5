/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ringflowd: parse, open what needs rights, drop them, run the lane, serve the operator,
 * unwind. Everything opened is in struct sensor, so the unwinding is one function.
 */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "sensor/control.h"
#include "sensor/domain.h"
#include "sensor/privilege.h"
#include "sensor/process.h"
#include "systemd/notify.h"

#define EXIT_USAGE 2
#define EXIT_DAMAGED 4 /* everything before the damage was exported */

#define NS_PER_S 1000000000ULL
#define HOUSEKEEPING_NS NS_PER_S
#define NS_PER_MS 1000000ULL
#define FINISH_PATIENCE_NS (10 * NS_PER_S) /* for what the ring still holds */
/* timeout(1) and terminals signal a process and its group: the second of two signals that come
 * together is no word of impatience. */
#define SAME_WORD_NS NS_PER_S
#define HOLDBACKS 3 /* more retire timeouts than a packet may wait in the kernel */
#define REPLAY_INTERFACE \
	1 /* ifIndex of records without an interface: some collectors refuse 0 */
#define LIVE_SNAP_BYTES \
	256 /* every header that the decoder looks at, with room for tunnels of tags */

struct sensor {
	struct config config;
	struct log log;
	struct loop loop;
	struct lane_desk desk;
	struct source *source;
	struct transport *transports[CONFIG_DESTINATIONS_MAX];
	size_t transport_count;
	struct print_sink *print;
	struct lane *lane;
	struct control *control;
	struct notify notify;
	struct loop_watch signals, housekeeping;
	struct lane_order finish, look; /* to end; to look at the link once a second */
	struct ring_stats seen_ring;    /* as of the last look, to log what changed */
	bool is_finishing, is_looking;
	uint64_t finishing_since_ns; /* the loop's time */
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

/* -- opening -------------------------------------------------------------------------- */

/* libpcap's buffer is as large as the ring would be. */
static uint32_t ring_bytes(const struct config *config)
{
	uint64_t bytes = (uint64_t)config->block_bytes * config->block_count;

	return bytes > INT32_MAX ? INT32_MAX : (uint32_t)bytes;
}

static int open_source(struct sensor *sensor)
{
	const struct config *config = &sensor->config;
	bool is_replay = config->file_count > 0;

	if (is_replay && pipe2(sensor->stop_fds, O_CLOEXEC) < 0) {
		snprintf(sensor->error, sizeof(sensor->error), "starting: %s", strerror(errno));
		return -errno;
	}
	struct source_config source = {
		.kind = is_replay ? "file" : config->source_kind,
		.interface = config->interface,
		.files = (const char *const *)config->files,
		.file_count = config->file_count,
		.filter = config->filter,
		.snap_bytes =
			config->snap_bytes || is_replay ? config->snap_bytes : LIVE_SNAP_BYTES,
		.block_bytes = config->block_bytes,
		.block_count = config->block_count,
		.retire_timeout_ms = config->retire_timeout_ms,
		.buffer_bytes =
			config->buffer_bytes ? config->buffer_bytes : ring_bytes(config),
		.is_promiscuous = !config->no_promiscuous,
		.stop_fd = sensor->stop_fds[0],
	};

	return source_open(&source, &sensor->source, sensor->error);
}

static int open_transports(struct sensor *sensor)
{
	const struct config *config = &sensor->config;

	for (size_t i = 0; i < config->destination_count; i++) {
		struct transport_config transport = {
			.host = config->destinations[i].host,
			.port = config->destinations[i].port,
			.device = config->export_device,
			.source_address = config->export_source,
			.hop_limit = config->hop_limit,
			.may_wait = config->file_count > 0,
		};
		int rc = transport_udp_open(&transport, &sensor->transports[i], sensor->error);
		if (rc < 0)
			return rc;
		sensor->transport_count++;
	}
	return 0;
}

static int open_print(struct sensor *sensor, uint32_t domain)
{
	const struct config *config = &sensor->config;
	struct print_config print = {
		.format = config->print,
		.sampling_interval = config->sampling_interval,
		.domain = domain,
	};

	if (config->print == PRINT_NONE)
		return 0;
	int rc = print_sink_new(&print, STDOUT_FILENO, config->file_count > 0, &sensor->print);
	if (rc < 0)
		snprintf(sensor->error, sizeof(sensor->error), "printing: %s", strerror(-rc));
	return rc;
}

static int open_lane(struct sensor *sensor)
{
	const struct config *config = &sensor->config;
	uint32_t domain =
		config->has_domain ? config->domain : domain_default(config->interface);
	struct lane_config lane = {
		.config = config,
		.source = sensor->source,
		.transports = sensor->transports,
		.transport_count = sensor->transport_count,
		.domain = domain,
		.if_index = config->has_if_index ? config->if_index
			    : config->interface  ? if_nametoindex(config->interface)
						 : REPLAY_INTERFACE,
		.notice_fd = sensor->desk.notice_fds[1],
	};
	int rc = open_print(sensor, domain);

	if (rc < 0)
		return rc;
	lane.print = sensor->print;
	rc = lane_new(&lane, &sensor->lane, sensor->error);
	if (rc < 0)
		return rc;
	sensor->source = NULL;
	sensor->transport_count = 0;
	sensor->desk.lane = sensor->lane;
	return 0;
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
	if (!is_given(config->control_path))
		return 0;
	return control_open(config->control_path, &sensor->control, sensor->error);
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
	(void)order; /* the lane says so again when it has ended */
}

/* The lane is still metering what the ring held: it is too much, or the clock was set back. */
static void patience_ended(struct loop_watch *watch, short revents)
{
	struct sensor *sensor = watch->user;

	(void)revents;
	loop_remove(&sensor->loop, watch);
	log_line(&sensor->log, LOG_WARNING, "leaving with packets unread in the ring");
	sensor->finish.request.now_ns = 0;
	lane_desk_place(&sensor->desk, &sensor->finish);
}

static void close_stop(struct sensor *sensor, unsigned end)
{
	if (sensor->stop_fds[end] >= 0)
		close(sensor->stop_fds[end]);
	sensor->stop_fds[end] = -1;
}

static void shut_down(void *user)
{
	struct sensor *sensor = user;

	if (sensor->is_finishing)
		return;
	sensor->is_finishing = true;
	notify_send(&sensor->notify, "STOPPING=1\nSTATUS=exporting open flows");
	sensor->finish.request.verb = LANE_FINISH;
	sensor->finish.request.now_ns = unix_now_ns();
	sensor->finish.answered = finish_answered;
	lane_desk_place(&sensor->desk, &sensor->finish);
	close_stop(sensor, 1);
	sensor->finishing_since_ns = loop_now_ns();
	sensor->housekeeping.deadline_ns =
		sensor->finishing_since_ns + FINISH_PATIENCE_NS +
		HOLDBACKS * sensor->config.retire_timeout_ms * NS_PER_MS;
	sensor->housekeeping.ready = patience_ended;
}

static void signals_ready(struct loop_watch *watch, short revents)
{
	struct sensor *sensor = watch->user;
	char number;

	(void)revents;
	while (read(watch->fd, &number, 1) == 1) {
		if (number == SIGHUP) {
			log_line(&sensor->log, LOG_NOTICE,
				"SIGHUP ignored: restart to change the configuration");
		} else if (!sensor->is_finishing) {
			shut_down(sensor);
		} else if (loop_now_ns() - sensor->finishing_since_ns >= SAME_WORD_NS) {
			log_line(&sensor->log, LOG_ERR,
				"told twice: leaving, open flows are lost");
			_exit(EXIT_FAILURE);
		}
	}
}

static void lane_noticed(void *user)
{
	struct sensor *sensor = user;

	if (lane_has_ended(sensor->lane))
		loop_stop(&sensor->loop);
}

/* Say what happened to the link and the ring since the last look, once each. */
static void log_ring_events(struct sensor *sensor, const struct ring_stats *now)
{
	const struct ring_stats *before = &sensor->seen_ring;
	const char *interface = sensor->config.interface;

	if (now->link_losses > before->link_losses)
		log_line(&sensor->log, LOG_WARNING, "%s: the interface went down or away",
			interface);
	if (now->link_returns > before->link_returns)
		log_line(&sensor->log, LOG_NOTICE, "%s: the interface is back, capturing again",
			interface);
	if (now->dropped_pkts > before->dropped_pkts)
		log_line(&sensor->log, LOG_WARNING,
			"%s: the kernel dropped %llu packets, %llu in all", interface,
			(unsigned long long)(now->dropped_pkts - before->dropped_pkts),
			(unsigned long long)now->dropped_pkts);
	sensor->seen_ring = *now;
}

static void look_answered(struct lane_order *order)
{
	struct sensor *sensor = order->user;
	const struct sensor_stats *stats = &order->request.stats;
	char status[256];

	sensor->is_looking = false;
	log_ring_events(sensor, &stats->ring);
	snprintf(status, sizeof(status),
		"STATUS=%llu active flows, %llu packets, %llu dropped by the kernel",
		(unsigned long long)stats->cache.active_flows,
		(unsigned long long)stats->seen_pkts,
		(unsigned long long)stats->ring.dropped_pkts);
	notify_send(&sensor->notify, status);
}

static void housekeeping_ready(struct loop_watch *watch, short revents)
{
	struct sensor *sensor = watch->user;

	(void)revents;
	watch->deadline_ns = loop_now_ns() + HOUSEKEEPING_NS;
	if (sensor->is_looking)
		return;
	sensor->is_looking = true;
	sensor->look.request.verb = LANE_STATS;
	sensor->look.answered = look_answered;
	sensor->look.user = sensor;
	lane_desk_place(&sensor->desk, &sensor->look);
}

static int watch_everything(struct sensor *sensor)
{
	bool is_live = sensor->config.file_count == 0;
	struct control_context context = {
		.config = &sensor->config,
		.desk = &sensor->desk,
		.loop = &sensor->loop,
		.log = &sensor->log,
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
	sensor->housekeeping = (struct loop_watch){ .fd = -1,
		.deadline_ns = loop_now_ns() + HOUSEKEEPING_NS,
		.ready = housekeeping_ready,
		.user = sensor };
	rc = loop_add(&sensor->loop, &sensor->signals);
	if (rc == 0 && is_live)
		rc = loop_add(&sensor->loop, &sensor->housekeeping);
	if (rc == 0 && sensor->control)
		rc = control_serve(sensor->control, &context);
	return rc;
}

/* -- the end -------------------------------------------------------------------------- */

static int outcome_status(struct sensor *sensor, int outcome)
{
	if (outcome == 0)
		return EXIT_SUCCESS;
	log_line(&sensor->log, LOG_ERR, "%s", lane_source_error(sensor->lane));
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
		log_ring_events(sensor, &stats->ring);
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
	struct sensor_stats *stats = &sensor->look.request.stats;

	print_sink_close(sensor->print); /* drains: the flows stand above the statistics */
	lane_stats(sensor->lane, stats);
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
	lane_free(sensor->lane);
	print_sink_free(sensor->print);
	control_free(sensor->control);
	lane_desk_close(&sensor->desk);
	source_close(sensor->source);
	close_stop(sensor, 0);
	close_stop(sensor, 1);
	for (size_t i = 0; i < sensor->transport_count; i++)
		transport_close(sensor->transports[i]);
	if (sensor->pid_fd >= 0) {
		unlink(sensor->config.pid_file);
		close(sensor->pid_fd);
	}
	notify_close(&sensor->notify);
	config_clear(&sensor->config);
}

static int open_everything(struct sensor *sensor)
{
	int rc = open_source(sensor);

	if (rc == 0)
		rc = open_transports(sensor);
	if (rc == 0)
		rc = open_service(sensor);
	return rc;
}

static int run(struct sensor *sensor)
{
	bool keeps_net_raw = strcmp(source_name(sensor->source), "pcap") == 0;
	int rc;

	notify_open(&sensor->notify);
	rc = open_lane(sensor);
	if (rc < 0)
		return complain(sensor, EXIT_FAILURE);
	rc = privilege_drop(keeps_net_raw);
	/* Until here a signal ends us at once: nothing was metered yet, and opening may wait.
	 */
	if (rc == 0)
		rc = sensor->signal_fd = process_signals();
	if (rc >= 0)
		rc = watch_everything(sensor);
	if (rc == 0)
		rc = lane_start(sensor->lane);
	if (rc < 0) {
		snprintf(sensor->error, sizeof(sensor->error), "starting: %s", strerror(-rc));
		return complain(sensor, EXIT_FAILURE);
	}
	if (sensor->daemon_fd >= 0) {
		int level = sensor->log.level;
		log_open(&sensor->log, sensor->config.program, true, level == LOG_DEBUG);
	}
	process_ready(sensor->daemon_fd);
	notify_send(&sensor->notify, "READY=1");
	rc = loop_run(&sensor->loop);
	if (rc < 0)
		log_line(&sensor->log, LOG_ERR, "waiting for events: %s", strerror(-rc));
	return report(sensor, outcome_status(sensor, lane_join(sensor->lane)));
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
	rc = config_parse(&sensor.config, argc, argv, stdout, sensor.error);

	log_open(&sensor.log, sensor.config.program, false, sensor.config.is_verbose);
	if (rc != 0) {
		status = rc == CONFIG_HELP ? EXIT_SUCCESS : complain(&sensor, EXIT_USAGE);
		config_clear(&sensor.config);
		return status;
	}
	for (size_t i = 0; i < sensor.config.note_count; i++)
		log_line(&sensor.log, LOG_NOTICE, "%s", sensor.config.notes[i]);
	if (!sensor.config.is_foreground)
		process_close_inherited();
	rc = lane_desk_open(&sensor.desk, &sensor.loop);
	if (rc < 0)
		snprintf(sensor.error, sizeof(sensor.error), "starting: %s", strerror(-rc));
	else
		rc = open_everything(&sensor);
	status = rc < 0 ? complain(&sensor, EXIT_FAILURE) : run(&sensor);
	close_everything(&sensor);
	return status;
}
