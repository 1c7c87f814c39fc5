/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line: what is taken, what is refused, what follows from it. */
#include <errno.h>

#include "tests/config_run.h"
#include "tests/unit.h"

#define S UINT64_C(1000000000)

/* -- every flag ----------------------------------------------------------------------- */

/* Short form, long twin, and a line of the dump that either leads to. */
/* clang-format off */
static const struct {
	const char *short_form, *long_form, *line;
} flag_rows[] = {
	{ "-6", "--track-v6", "track-v6 = yes" },
	{ "-d", "--foreground", "foreground = yes" },
	{ "-D", "--debug", "verbose = yes" },
	{ "-D", "--debug", "foreground = yes" },
	{ "-D -v 5", "--debug -v 5", "track-v6 = yes" },
	{ "-L 7", "--hop-limit 7", "hop-limit = 7" },
	{ "-T vlan", "--track VLAN", "track = vlan" },
	{ "-H 02:00:5e:00:00:Ff", "--mac 02-00-5e-00-00-ff", "mac = 02:00:5e:00:00:ff" },
	{ "-i 3:eth0", "--interface 3:eth0", "interface = 3:eth0" },
	{ "-t tcp=1h", "--timeout tcp=3600", "timeout = tcp=3600s" },
	{ "-n [2001:db8::1]:9995", "--collector [2001:db8::1]:9995",
	  "collector = [2001:db8::1]:9995" },
	{ "-m 77", "--max-flows 77", "max-flows = 77" },
	{ "-p /x.pid", "--pid-file /x.pid", "pid-file = /x.pid" },
	{ "-p none", "--pid-file none", "pid-file = none" },
	{ "-c /x.ctl", "--control /x.ctl", "control = /x.ctl" },
	{ "-c none", "--control none", "control = none" },
	{ "-v 9", "--export-version 9", "export-version = 9" },
	{ "-v ipfix", "--export-version IPFIX", "export-version = 10" },
	{ "-s 100", "--sampling 100", "sampling = 100" },
	{ "-s 0", "--sampling 0", "sampling = 1" },
	{ "-s 1", "--sampling 1", "sampling = 1" },
	{ "-P udp", "--transport UDP", "transport = udp" },
	{ "-A nano", "--time-format Nano", "time-format = nano" },
	{ "-B 8M", "--buffer-size 8388608", "buffer-size = 8388608" },
	{ "-b", "--bidirectional", "biflow = full" },
	{ "-b", "--biflow full", "biflow = full" },
	{ "-a", "--adjust-time", "track = full" },
	{ "-C 96", "--snap-length 96", "snap-length = 96" },
	{ "-l", "--load-balance", "load-balance = yes" },
	{ "-M", "--threads", "track = full" },
	{ "-N", "--no-promiscuous", "no-promiscuous = yes" },
	{ "-S eth9", "--export-device eth9", "export-device = eth9" },
	{ "-x 10", "--mpls-labels 10", "mpls-labels = 10" },
	{ "-I 2h", "--uptime-reset 7200", "uptime-reset = 7200" },
	{ "-g", "--clocks", "clocks = yes" },
	{ "-e 192.0.2.1", "--export-address 192.0.2.1", "export-address = 192.0.2.1" },
};
/* clang-format on */

static void config_takes_every_flag_and_its_long_twin(void **state)
{
	for (size_t i = 0; i < sizeof(flag_rows) / sizeof(flag_rows[0]); i++) {
		char line[256];

		snprintf(line, sizeof(line), "ringflowd -i eth0 %s", flag_rows[i].short_form);
		if (!has_line(dumped(line), flag_rows[i].line))
			fail_msg("%s: no \"%s\"", line, flag_rows[i].line);
		snprintf(line, sizeof(line), "ringflowd -i eth0 %s", flag_rows[i].long_form);
		if (!has_line(dumped(line), flag_rows[i].line))
			fail_msg("%s: no \"%s\"", line, flag_rows[i].line);
	}
}

static void config_tests_leave_no_option_out(void **state)
{
	static const char elsewhere[] = "rRfh"; /* have cases of their own */
	static const char softflowd[] =
		"6hdDL:T:H:i:r:f:t:n:m:p:c:v:s:P:A:B:baC:lR:MNS:x:I:ge:";

	for (const char *letter = softflowd; *letter; letter++) {
		bool has_row = *letter == ':' || strchr(elsewhere, *letter);

		for (size_t i = 0; i < sizeof(flag_rows) / sizeof(flag_rows[0]); i++)
			has_row |= flag_rows[i].short_form[1] == *letter;
		if (!has_row)
			fail_msg("no case for -%c", *letter);
	}
}

static void config_takes_the_options_that_have_no_letter(void **state)
{
	/* clang-format off */
	static const struct {
		const char *option, *line;
	} rows[] = {
		{ "--count frames", "count = frames" },
		{ "--fragments separate", "fragments = separate" },
		{ "--print json", "print = json" },
		{ "--domain 4294967295", "domain = 4294967295" },
		{ "--mtu 1500", "mtu = 1500" },
		{ "--template-refresh 5m", "template-refresh = 300" },
		{ "--template-refresh-messages 0", "template-refresh-messages = 0" },
		{ "--flush-delay 0", "flush-delay = 0" },
		{ "--block-size 64K", "block-size = 65536" },
		{ "--block-count 9", "block-count = 9" },
		{ "--retire-timeout 10", "retire-timeout = 10" },
		{ "--source pcap", "source = pcap" },
		{ "--biflow minimal", "biflow = minimal" },
		{ "--verbose", "verbose = yes" },
		{ "--lanes 64", "lanes = 64" },
		{ "--lanes AUTO", "lanes = auto" },
		{ "--lanes 4 --lanes auto", "lanes = auto" },
		{ "--export-rate 0", "export-rate = 0" },
		{ "--domain AUTO", "domain = auto" },
		{ "--filter tcp", "filter = tcp" },
		{ "--log-level error", "log-level = error" },
		{ "--verbose", "log-level = debug" },
		{ "--verbose --log-level notice", "log-level = notice" },
		{ "--verbose=no", "verbose = no" },
		{ "--load-balance=on", "load-balance = yes" },
		{ "-D", "log-level = debug" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[256];

		snprintf(line, sizeof(line), "ringflowd -i eth0 %s", rows[i].option);
		if (!has_line(dumped(line), rows[i].line))
			fail_msg("%s: no \"%s\"", line, rows[i].line);
	}
}

/* -- what is refused ------------------------------------------------------------------ */

static void config_refuses_wrong_values_and_names_them(void **state)
{
	/* The options, and the text that the error has to begin with. */
	/* clang-format off */
	static const struct {
		const char *options, *error;
	} rows[] = {
		{ "-f x", "-f: not an option" },
		{ "--lanes 0", "--lanes 0: neither auto nor in 1..64" },
		{ "--lanes 65", "--lanes 65: neither auto nor in 1..64" },
		{ "--lanes -1", "--lanes -1: neither auto nor in 1..64" },
		{ "--lanes 1x", "--lanes 1x: neither auto nor in 1..64" },
		{ "--domain 4294967295 --lanes 2", "--domain 4294967295 with --lanes 2: there are no" },
		{ "-Z", "-Z: not an option" },
		{ "--bogus", "--bogus: not an option" },
		{ "--bogus=3", "--bogus=3: not an option" },
		{ "--ma 3", "--ma: not an option, or short for several" },
		{ "--help=yes", "--help: takes no argument" },
		{ "--foreground=maybe", "--foreground maybe: not one of: yes no" },
		{ "--filter tcp udp", "filter udp: the filter is given twice, as 'tcp', too" },
		{ "--log-level loud", "--log-level loud: not one of: error warning notice info debug" },
		{ "--config=", "--config: is empty" },
		{ "-t", "-t: needs an argument: NAME=TIME" },
		{ "--collector", "--collector: needs an argument: [PROTOCOL:]HOST:PORT|file:PATH,..." },
		{ "-R 4739", "-R 4739: this build cannot receive PSAMP" },
		{ "--psamp-port 1", "--psamp-port 1: this build cannot receive PSAMP" },
		{ "-v psamp", "-v psamp: this build cannot send PSAMP" },
		{ "-v 9 -v psamp", "-v psamp: this build cannot send PSAMP" },
		{ "-v ntopng", "-v ntopng: this build cannot send to ntopng" },
		{ "-v 7", "-v 7: not one of: 1 5 9 10" },
		{ "-v 9x", "-v 9x: not one of: 1 5 9 10" },
		{ "-P tcp -v 9 -n a:1", "-v 9 over TCP or to a file, a:1: only IPFIX" },
		{ "-v 5 -n tcp:[::1]:1", "-v 5 over TCP or to a file, [::1]:1: only IPFIX" },
		{ "-n file:", "-n file:: the path is missing" },
		{ "-n file:x", "file:x: in the background a path has to begin with a slash" },
		{ "-n file:/x -v 9", "-v 9 over TCP or to a file, file:/x: only IPFIX" },
		{ "--rotate-size 63K", "--rotate-size 64512: less than 65536" },
		{ "--compress xz", "--compress xz: not one of: none gzip zstd" },
		{ "--reconnect 0", "--reconnect 0: it must be 1s or more" },
		{ "-P sctp", "-P sctp: this build cannot send over SCTP" },
		{ "-P dccp", "-P dccp: not one of: udp" },
		{ "-A fast", "-A fast: not one of: sec milli micro nano uptime" },
		{ "-T deep", "-T deep: not one of: ip proto port full vlan ether" },
		{ "-L 0", "-L 0: not in 1..255" },
		{ "-L 256", "-L 256: not in 1..255" },
		{ "-L x", "-L x: not in 1..255" },
		{ "-H 02:00:00:00:00", "-H 02:00:00:00:00: not a MAC address" },
		{ "-H 02:00:00:00:00:0g", "-H 02:00:00:00:00:0g: not a MAC address" },
		{ "-H 02:00:00:00-00:00", "-H 02:00:00:00-00:00: not a MAC address" },
		{ "-i 3:", "-i 3:: the name of the interface is missing" },
		{ "-i 4294967296:eth0",
		  "-i 4294967296:eth0: the interface index is too large" },
		{ "-i 99999999999999999999:eth0",
		  "-i 99999999999999999999:eth0: the interface" },
		{ "-i eth0 -i eth1", "-i eth1: one interface at a time, and eth0 was named" },
		{ "-t tcp",
		  "-t tcp: not NAME=TIME with one of the names: general tcp tcp.rst" },
		{ "-t TCP=5", "-t TCP=5: not NAME=TIME" },
		{ "-t tcp.syn=5", "-t tcp.syn=5: not NAME=TIME" },
		{ "-t =5", "-t =5: not NAME=TIME" },
		{ "-t tcp=5q", "-t tcp=5q: not a time like 90, 10m or 1h30m" },
		{ "-t tcp=", "-t tcp=: not a time" },
		{ "-t tcp=-5", "-t tcp=-5: not a time" },
		{ "-t tcp=1.5", "-t tcp=1.5: not a time" },
		{ "-t udp=99999999999", "-t udp=99999999999: longer than 68 years" },
		{ "-t general=0", "-t general=0: this timeout must be 1s or more" },
		{ "--timeout tcp=5q", "--timeout tcp=5q: not a time" },
		{ "-m 0", "-m 0: not in 1..268435456" },
		{ "-m many", "-m many: not a number" },
		{ "-m -1", "-m -1: not a number" },
		{ "-s -5", "-s -5: not a number" },
		{ "-s 4294967296", "-s 4294967296: not in 0..4294967295" },
		{ "-x 11", "-x 11: not in 0..10" },
		{ "-x 3x", "-x 3x: not a number" },
		{ "-B 4G", "-B 4G: not in 0..4294967295" },
		{ "-B 1T", "-B 1T: not a number of octets" },
		{ "-C x", "-C x: not a number" },
		{ "-I 1y", "-I 1y: not a time" },
		{ "-n localhost", "-n localhost: not HOST:PORT" },
		{ "-n :9995", "-n :9995: the host is missing" },
		{ "-n []:9995", "-n []:9995: the host is missing" },
		{ "-n a:", "-n a:: the port is missing or is not in 1..65535" },
		{ "-n a:0", "-n a:0: the port is missing" },
		{ "-n a:65536", "-n a:65536: the port is missing" },
		{ "-n a:99999999999999999999999", "-n a:99999999999999999999999: the port is" },
		{ "-n [::1:9995", "-n [::1:9995: not HOST:PORT" },
		{ "-n [::1]9995", "-n [::1]9995: not HOST:PORT" },
		{ "-n a:b:c", "-n a:b:c: not HOST:PORT" },
		{ "-n a:1,", "-n a:1,: not HOST:PORT" },
		{ "-n a:1,,b:2", "-n a:1,,b:2: not HOST:PORT" },
		{ "--count all", "--count all: not one of: wire frames" },
		{ "--fragments join", "--fragments join: not one of: follow separate" },
		{ "--print xml", "--print xml: not one of: table json csv" },
		{ "--biflow half", "--biflow half: not one of: off minimal full" },
		{ "--source dpdk", "--source dpdk: not one of: tpacket pcap" },
		{ "--domain x", "--domain x: neither auto nor in 0..4294967295" },
		{ "--domain 4294967296", "--domain 4294967296: neither auto nor in" },
		{ "--mtu 575", "--mtu 575: not in 576..65535" },
		{ "--mtu 65536", "--mtu 65536: not in 0..65535" },
		{ "--template-refresh-messages 256",
		  "--template-refresh-messages 256: not in 0..255" },
		{ "--flush-delay 60001", "--flush-delay 60001: not in 0..60000" },
		{ "--retire-timeout 0", "--retire-timeout 0: not in 1..10000" },
		{ "--block-size 2K", "--block-size 2K: not in 4096..1073741824" },
		{ "--block-size 5000", "--block-size 5000: not a power of two" },
		{ "--block-count 1", "--block-count 1: not in 2..65536" },
		{ "--block-size 1G --block-count 5",
		  "--block-size 1073741824 with --block-count 5: a ring of more than 4 GiB" },
		{ "-r x.pcap", "-i eth0 with -r x.pcap: packets come from an interface or" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[256];

		snprintf(line, sizeof(line), "ringflowd -i eth0 %s", rows[i].options);
		const struct run *result = run(line);
		if (result->rc >= 0)
			fail_msg("%s: accepted", line);
		if (strncmp(result->error, rows[i].error, strlen(rows[i].error)) != 0)
			fail_msg("%s: %s", line, result->error);
		assert_null(strchr(result->error, '\n'));
		assert_string_equal(result->config.program, "ringflowd");
	}
}

static void config_refuses_empty_values(void **state)
{
	static const char *const options[] = {
		"-i",
		"-r",
		"-p",
		"-c",
		"-n",
		"-S",
		"-e",
		"-m",
		"-t",
		"-T",
		"-v",
		"-I",
		"-H",
		"-L",
	};

	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		char option[8], empty[] = "", program[] = "ringflowd", interface[] = "-ieth0";
		char *argv[] = { program, interface, option, empty, NULL };
		struct run result;

		strcpy(option, options[i]);
		run_words(&result, 4, argv);
		if (result.rc >= 0)
			fail_msg("%s '': accepted", option);
		assert_memory_equal(result.error, option, 2);
	}
}

static void config_refuses_a_value_of_any_length(void **state)
{
	static char line[20000];
	size_t length = (size_t)snprintf(line, sizeof(line), "ringflowd -i eth0 -T ");

	memset(line + length, 'x', sizeof(line) - length - 1);
	assert_true(run(line)->rc < 0);
	assert_non_null(strstr(run(line)->error, "not one of: ip proto"));
}

static void config_errors_are_one_line(void **state)
{
	const struct run *result = run("ringflowd -i eth0 -T a\nb\033");

	assert_string_equal(
		result->error, "-T a?b?: not one of: ip proto port full vlan ether");
}

static void config_needs_packets(void **state)
{
	const struct run *result = run("ringflowd -n 192.0.2.1:4739");

	assert_int_equal(result->rc, -EINVAL);
	assert_string_equal(result->error,
		"no packets to meter: give an interface (-i) or a capture file (-r)");
}

static void config_refuses_a_live_source_for_files(void **state)
{
	assert_int_equal(run("ringflowd -r x --source tpacket")->rc, -EINVAL);
}

/* -- softflowd's command lines -------------------------------------------------------- */

static void config_takes_what_debian_gives(void **state)
{
	const struct config *config =
		accepted("/usr/sbin/softflowd -i eth0 -p /run/softflowd/default.pid "
			 "-c /run/softflowd/default.ctl -v 9 -n 192.0.2.1:2055,[::1]:9996");

	assert_string_equal(config->program, "softflowd");
	assert_string_equal(config->interface, "eth0");
	assert_string_equal(config->pid_file, "/run/softflowd/default.pid");
	assert_string_equal(config->control_path, "/run/softflowd/default.ctl");
	assert_int_equal(config->version, EXPORT_NETFLOW_9);
	assert_int_equal(config->destination_count, 2);
	assert_string_equal(config->destinations[1].host, "::1");
	assert_string_equal(config->destinations[1].port, "9996");
	assert_false(config->is_foreground);
	assert_int_equal(config->note_count, 0);
}

static void config_takes_what_openwrt_gives(void **state)
{
	const struct config *config = accepted(
		"softflowd -d -i br-lan -t tcp=1h -t tcp.fin=5m -m 8192 -n 192.0.2.1:2055 "
		"-p /var/run/softflowd.pid -c /var/run/softflowd.ctl -v 5 -L 64 -T full -s 100 "
		"-6 "
		"-b -e 192.0.2.9 -S eth1 -p /var/run/softflowd2.pid not port 22");

	assert_string_equal(config->pid_file, "/var/run/softflowd2.pid");
	assert_int_equal(config->sampling_interval, 100);
	assert_int_equal(config->hop_limit, 64);
	assert_true(config->track_v6);
	assert_int_equal(config->biflow, EXPORT_BIFLOW_OFF); /* v5 has none */
	assert_int_equal(config->note_count, 1);
	assert_string_equal(config->export_source, "192.0.2.9");
	assert_string_equal(config->export_device, "eth1");
	assert_int_equal(config->timeouts.tcp_fin_ns, 300 * S);
	assert_string_equal(config->filter, "not port 22");
}

static void config_takes_what_pfsense_gives(void **state)
{
	const struct config *config = accepted(
		"/usr/local/bin/softflowd -i 3:igb0.100 -n 192.0.2.1:9995 -m 65536 -L 8 -s 2 "
		"-v 9 "
		"-T vlan -A milli -t general=60 -t maxlife=300 -t expint=60 -t tcp=3600 "
		"-t tcp.rst=120 -t udp=300 -p /var/run/softflowd.igb0.pid "
		"-c /var/run/softflowd.igb0.ctl");

	assert_true(config->has_if_index);
	assert_int_equal(config->if_index, 3);
	assert_string_equal(config->interface, "igb0.100");
	assert_int_equal(config->time, EXPORT_TIME_MILLISECONDS);
	assert_int_equal(config->timeouts.maximum_life_ns, 300 * S);
	assert_int_equal(config->timeouts.expiry_interval_ns, 60 * S);
	assert_int_equal(config->level, TRACK_VLAN);
}

static void config_reads_an_index_only_from_digits(void **state)
{
	/* clang-format off */
	static const struct {
		const char *option, *interface;
		bool has_index;
		uint32_t index;
	} rows[] = {
		{ "-i 3:eth0", "eth0", true, 3 },
		{ "-i 0:eth0", "eth0", true, 0 },
		{ "-i 4294967295:eth0", "eth0", true, UINT32_MAX },
		{ "-i 3:eth0:1", "eth0:1", true, 3 },
		{ "-i eth0:1", "eth0:1", false, 0 },
		{ "-i eth0", "eth0", false, 0 },
		{ "-i 3com0", "3com0", false, 0 },
		{ "-i 12", "12", false, 0 },
		{ "-i any", "any", false, 0 },
		{ "-i 3:eth0 -i eth0", "eth0", false, 0 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "softflowd %s", rows[i].option);
		const struct config *config = accepted(line);
		assert_string_equal(config->interface, rows[i].interface);
		assert_int_equal(config->has_if_index, rows[i].has_index);
		assert_int_equal(config->if_index, rows[i].index);
	}
}

static void config_does_not_care_for_order(void **state)
{
	static const char *const lines[] = {
		"softflowd -D -i eth0 -n a:1 -v 9 -e 192.0.2.1 -P udp tcp port 80",
		"softflowd tcp -P udp port -e 192.0.2.1 80 -v 9 -n a:1 -i eth0 -D",
		"softflowd -v9 -ieth0 -na:1 -e192.0.2.1 -Pudp -D -- tcp port 80",
	};
	char first[16384];

	strcpy(first, dumped(lines[0]));
	assert_true(has_line(first, "filter = tcp port 80"));
	for (size_t i = 1; i < 2; i++)
		assert_string_equal(dumped(lines[i]), first);
	assert_string_equal(accepted(lines[2])->filter, "tcp port 80");
}

static void config_keeps_the_first_version_and_the_last_of_the_rest(void **state)
{
	const struct config *config =
		accepted("softflowd -i eth0 -v 9 -v 5 -p a -p b -m 1 -m 2");

	assert_int_equal(config->version, EXPORT_NETFLOW_9);
	assert_string_equal(config->pid_file, "b");
	assert_int_equal(config->maximum_flows, 2);
}

static void config_takes_a_bare_v6_collector(void **state)
{
	const struct config *config = accepted("softflowd -i eth0 -n 2001:db8::1:9995");

	assert_string_equal(config->destinations[0].host, "2001:db8::1");
	assert_string_equal(config->destinations[0].port, "9995");
}

static void config_tells_transports_apart(void **state)
{
	const struct config *config = accepted(
		"ringflowd -i eth0 -n tcp:h:1,udp:[::1]:2,h:3,tcp:4,tcp:2001:db8::1:5 -P tcp");
	static const struct {
		enum config_transport transport;
		const char *host, *port;
	} rows[] = {
		{ CONFIG_TRANSPORT_TCP, "h", "1" },
		{ CONFIG_TRANSPORT_UDP, "::1", "2" },
		{ CONFIG_TRANSPORT_TCP, "h", "3" },   /* as -P says, wherever that stands */
		{ CONFIG_TRANSPORT_TCP, "tcp", "4" }, /* a host of that name */
		{ CONFIG_TRANSPORT_TCP, "2001:db8::1", "5" },
	};

	assert_int_equal(config->destination_count, 5);
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(config->destinations[i].transport, rows[i].transport);
		assert_string_equal(config->destinations[i].host, rows[i].host);
		assert_string_equal(config->destinations[i].port, rows[i].port);
	}
	assert_true(has_line(
		dumped("ringflowd -i eth0 -n file:/a/b:4739"), "collector = file:/a/b:4739"));
	assert_string_equal(
		accepted("ringflowd -i eth0 -n file:7")->destinations[0].host, "file");
	assert_true(has_line(
		dumped("ringflowd -i eth0 -n tcp:[::1]:1"), "collector = tcp:[::1]:1"));
}

static void config_takes_64_collectors_and_no_more(void **state)
{
	char line[8192];
	size_t length = (size_t)snprintf(line, sizeof(line), "softflowd -i eth0 -n h0:1");

	for (int i = 1; i < 64; i++)
		length += (size_t)snprintf(line + length, sizeof(line) - length,
			i % 2 ? ",h%d:9995" : " -n h%d:name", i);
	const struct config *config = accepted(line);
	assert_int_equal(config->destination_count, 64);
	assert_string_equal(config->destinations[63].host, "h63");

	snprintf(line + length, sizeof(line) - length, " -n one:9995");
	assert_int_equal(run(line)->rc, -EINVAL);
	assert_string_equal(run(line)->error, "-n one:9995: more than 64 collectors");
}

static void config_reads_several_files_in_order(void **state)
{
	const struct config *config = accepted("ringflowd -r a.pcap --read b.pcap -r -");

	assert_int_equal(config->file_count, 3);
	assert_string_equal(config->files[0], "a.pcap");
	assert_string_equal(config->files[1], "b.pcap");
	assert_string_equal(config->files[2], "-");
	assert_null(config->interface);
}

static void config_bounds_the_number_of_files(void **state)
{
	static char line[32768];
	size_t length = (size_t)snprintf(line, sizeof(line), "ringflowd");

	for (int i = 0; i < CONFIG_FILES_MAX; i++)
		length += (size_t)snprintf(line + length, sizeof(line) - length, " -r%d", i);
	assert_int_equal(accepted(line)->file_count, CONFIG_FILES_MAX);
	snprintf(line + length, sizeof(line) - length, " -rx");
	assert_string_equal(run(line)->error, "-r x: more than 1024 capture files");
}

/* -- personalities -------------------------------------------------------------------- */

static void config_of_softflowd_has_its_defaults(void **state)
{
	const struct config *config = accepted("softflowd -i eth0");

	assert_int_equal(config->personality, PERSONALITY_SOFTFLOWD);
	assert_int_equal(config->version, EXPORT_NETFLOW_5);
	assert_int_equal(config->time, EXPORT_TIME_UPTIME);
	assert_int_equal(config->level, TRACK_FULL);
	assert_int_equal(config->maximum_flows, 8192);
	assert_int_equal(config->timeouts.tcp_ns, 3600 * S);
	assert_int_equal(config->timeouts.tcp_rst_ns, 120 * S);
	assert_int_equal(config->timeouts.tcp_fin_ns, 300 * S);
	assert_int_equal(config->timeouts.udp_ns, 300 * S);
	assert_int_equal(config->timeouts.icmp_ns, 300 * S);
	assert_int_equal(config->timeouts.general_ns, 3600 * S);
	assert_int_equal(config->timeouts.maximum_life_ns, 604800 * S);
	assert_int_equal(config->timeouts.expiry_interval_ns, 60 * S);
	assert_string_equal(config->pid_file, "/var/run/softflowd.pid");
	assert_string_equal(config->control_path, "/var/run/softflowd.ctl");
	assert_false(config->is_foreground);
	assert_false(config->track_v6);
	assert_int_equal(config->hop_limit, -1);
	assert_int_equal(config->sampling_interval, 1);
}

static void config_of_ringflowd_has_its_own(void **state)
{
	const struct config *config = accepted("./build/sensor/ringflowd -i eth0");

	assert_int_equal(config->personality, PERSONALITY_RINGFLOW);
	assert_string_equal(config->program, "ringflowd");
	assert_int_equal(config->version, EXPORT_IPFIX);
	assert_int_equal(config->time, EXPORT_TIME_MILLISECONDS);
	assert_int_equal(config->level, TRACK_FULL);
	assert_int_equal(config->maximum_flows, 1048576);
	assert_int_equal(config->timeouts.tcp_ns, 15 * S);
	assert_int_equal(config->timeouts.tcp_rst_ns, 5 * S);
	assert_int_equal(config->timeouts.tcp_fin_ns, 5 * S);
	assert_int_equal(config->timeouts.udp_ns, 15 * S);
	assert_int_equal(config->timeouts.icmp_ns, 15 * S);
	assert_int_equal(config->timeouts.general_ns, 15 * S);
	assert_int_equal(config->timeouts.maximum_life_ns, 60 * S);
	assert_int_equal(config->timeouts.expiry_interval_ns, 0);
	assert_string_equal(config->pid_file, "/run/ringflow.pid");
	assert_string_equal(config->control_path, "/run/ringflow.ctl");
	assert_int_equal(config->count, COUNT_WIRE);
	assert_int_equal(config->fragments, FRAGMENTS_FOLLOW);
	assert_int_equal(config->biflow, EXPORT_BIFLOW_OFF);
	assert_int_equal(config->message_bytes, 1400);
	assert_int_equal(config->known_path_message_bytes, 8952);
	assert_int_equal(config->template_refresh_s, 60);
	assert_int_equal(config->template_refresh_messages, 200);
	assert_int_equal(config->flush_delay_ms, 1000);
	assert_int_equal(config->retire_timeout_ms, 50);
	assert_int_equal(config->snap_bytes, 0);
	assert_false(config->has_domain);
	assert_true(config->track_v6);
	assert_null(config->filter);
}

/* -- conclusions ---------------------------------------------------------------------- */

static void config_of_replay_stays_in_the_foreground_without_socket(void **state)
{
	const struct config *config = accepted("softflowd -r x.pcap -c /x.ctl");

	assert_true(config->is_foreground);
	assert_null(config->control_path);
	assert_null(config->pid_file);
}

static void config_in_the_foreground_writes_the_pid_file_if_told(void **state)
{
	assert_null(accepted("ringflowd -i eth0 -d")->pid_file);
	assert_string_equal(accepted("ringflowd -i eth0 -d -p x.pid")->pid_file, "x.pid");
	assert_null(accepted("ringflowd -i eth0 -p none")->pid_file);
}

static void config_prints_in_the_foreground_and_tracks_v6(void **state)
{
	const struct config *config = accepted("softflowd -i eth0 --print table");

	assert_int_equal(config->print, PRINT_TABLE);
	assert_true(config->is_foreground);
	assert_true(config->track_v6);
}

static void config_tells_the_uptime_before_ipfix(void **state)
{
	assert_int_equal(accepted("ringflowd -i eth0 -v 9")->time, EXPORT_TIME_UPTIME);
	assert_int_equal(
		accepted("ringflowd -i eth0 -v 9 -A milli")->time, EXPORT_TIME_MILLISECONDS);
	assert_int_equal(accepted("ringflowd -i eth0 -A uptime")->time, EXPORT_TIME_UPTIME);
	assert_int_equal(accepted("softflowd -i eth0 -v 10")->time, EXPORT_TIME_MILLISECONDS);
	assert_int_equal(
		accepted("softflowd -i eth0 -v 10 -A uptime")->time, EXPORT_TIME_UPTIME);
}

static void config_notes_options_without_effect(void **state)
{
	/* clang-format off */
	static const struct {
		const char *options, *note;
	} rows[] = {
		{ "-v 5 -A milli", "-A: NetFlow v1 and v5" },
		{ "-v 9 -b", "-b, --biflow: only IPFIX" },
		{ "-v 1 -x 3", "-x: NetFlow v1 and v5" },
		{ "-M", "-M: lanes are made as needed" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[64];

		snprintf(line, sizeof(line), "ringflowd -i eth0 %s", rows[i].options);
		const struct config *config = accepted(line);
		assert_int_equal(config->note_count, 1);
		assert_memory_equal(config->notes[0], rows[i].note, strlen(rows[i].note));
	}
	assert_int_equal(accepted("ringflowd -r x -a")->note_count, 0);
}

static void config_keeps_no_more_notes_than_there_is_room_for(void **state)
{
	const struct config *config =
		accepted("ringflowd -i eth0 -M -M -M -M -M -M -M -M -M -M -M -M");

	assert_int_equal(config->note_count, CONFIG_NOTES_MAX);
}

static void config_fits_messages_to_the_mtu(void **state)
{
	/* clang-format off */
	static const struct {
		const char *options;
		uint32_t message_bytes;
	} rows[] = {
		{ "", 1400 },
		{ "--mtu 1500", 1452 },
		{ "--mtu 1500 -n 192.0.2.1:1", 1472 },
		{ "--mtu 1500 -n 192.0.2.1:1,[::1]:1", 1452 },
		{ "--mtu 1500 -n collector:1", 1452 },
		{ "--mtu 65535 -n 192.0.2.1:1", 65507 },
		{ "--mtu 576", 528 },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char line[128];

		snprintf(line, sizeof(line), "ringflowd -i eth0 -l %s", rows[i].options);
		if (!rows[i].options[0])
			line[strlen(line) - 1] = 0;
		assert_int_equal(accepted(line)->message_bytes, rows[i].message_bytes);
		assert_int_equal(accepted(line)->known_path_message_bytes,
			rows[i].options[0] ? 0 : 8952);
	}
}

static void config_makes_the_ring_as_large_as_the_buffer(void **state)
{
	assert_int_equal(accepted("ringflowd -i eth0 -B 8M")->block_count, 32);
	assert_int_equal(accepted("ringflowd -i eth0 -B 8388609")->block_count, 33);
	assert_int_equal(accepted("ringflowd -i eth0 -B 1")->block_count, 2);
	assert_int_equal(accepted("ringflowd -i eth0 -B 8M --block-count 3")->block_count, 3);
	assert_int_equal(accepted("ringflowd -i eth0 -B 0")->block_count, 256);
	assert_int_equal(accepted("ringflowd -i eth0 -B 4294967295")->block_count, 16384);
}

static const struct CMUnitTest tests[] = {
	cmocka_unit_test(config_takes_every_flag_and_its_long_twin),
	cmocka_unit_test(config_tests_leave_no_option_out),
	cmocka_unit_test(config_takes_the_options_that_have_no_letter),
	cmocka_unit_test(config_refuses_wrong_values_and_names_them),
	cmocka_unit_test(config_refuses_empty_values),
	cmocka_unit_test(config_refuses_a_value_of_any_length),
	cmocka_unit_test(config_errors_are_one_line),
	cmocka_unit_test(config_needs_packets),
	cmocka_unit_test(config_refuses_a_live_source_for_files),
	cmocka_unit_test(config_takes_what_debian_gives),
	cmocka_unit_test(config_takes_what_openwrt_gives),
	cmocka_unit_test(config_takes_what_pfsense_gives),
	cmocka_unit_test(config_reads_an_index_only_from_digits),
	cmocka_unit_test(config_does_not_care_for_order),
	cmocka_unit_test(config_keeps_the_first_version_and_the_last_of_the_rest),
	cmocka_unit_test(config_takes_a_bare_v6_collector),
	cmocka_unit_test(config_tells_transports_apart),
	cmocka_unit_test(config_takes_64_collectors_and_no_more),
	cmocka_unit_test(config_reads_several_files_in_order),
	cmocka_unit_test(config_bounds_the_number_of_files),
	cmocka_unit_test(config_of_softflowd_has_its_defaults),
	cmocka_unit_test(config_of_ringflowd_has_its_own),
	cmocka_unit_test(config_of_replay_stays_in_the_foreground_without_socket),
	cmocka_unit_test(config_in_the_foreground_writes_the_pid_file_if_told),
	cmocka_unit_test(config_prints_in_the_foreground_and_tracks_v6),
	cmocka_unit_test(config_tells_the_uptime_before_ipfix),
	cmocka_unit_test(config_notes_options_without_effect),
	cmocka_unit_test(config_keeps_no_more_notes_than_there_is_room_for),
	cmocka_unit_test(config_fits_messages_to_the_mtu),
	cmocka_unit_test(config_makes_the_ring_as_large_as_the_buffer),
};

UNIT_MAIN("config", tests)
