/* SPDX-License-Identifier: BSD-2-Clause */
/* Configuration files: what they set, which are read, and that errors name file and line. */
#include <errno.h>
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sensor/config_row.h"
#include "tests/config_run.h"
#include "tests/unit.h"

#define NOBODY 65534

/* Every case has a folder of its own. */
static char folder[64];

static int make_folder(void **state)
{
	strcpy(folder, "/tmp/ringflow-config-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	return remove(path);
}

static int remove_folder(void **state)
{
	return nftw(folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* The path of a file in the folder; overwritten by the next call. */
static const char *path_of(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static void write_octets(const char *name, const char *octets, size_t count)
{
	FILE *out = fopen(path_of(name), "w");

	assert_non_null(out);
	assert_int_equal(fwrite(octets, 1, count, out), count);
	assert_int_equal(fclose(out), 0);
}

static void write_text(const char *name, const char *text)
{
	write_octets(name, text, strlen(text));
}

static void make_subfolder(const char *name)
{
	assert_int_equal(mkdir(path_of(name), 0700), 0);
}

/* What becomes of "ringflowd -i eth0 --config FILE" with this text in the file. */
static const struct run *run_text(const char *text)
{
	char line[600];

	write_text("x.conf", text);
	snprintf(line, sizeof(line), "ringflowd -i eth0 --config %s", path_of("x.conf"));
	return run(line);
}

static const struct config *config_of(const char *text)
{
	const struct run *result = run_text(text);

	if (result->rc != 0)
		fail_msg("%s", result->error);
	return &result->config;
}

/* The error has to be "FOLDER/x.conf:" and .error. */
static void assert_refused(const struct run *result, const char *error)
{
	char whole[600];

	snprintf(whole, sizeof(whole), "%s%s", path_of("x.conf:"), error);
	if (result->rc >= 0)
		fail_msg("accepted, instead of: %s", whole);
	assert_string_equal(result->error, whole);
	assert_null(strchr(result->error, '\n'));
}

/* The configuration with the default files of the folder. */
static const struct config *config_in_folder(const char *line)
{
	const struct run *result = run_in(folder, line);

	if (result->rc != 0)
		fail_msg("%s: %s", line, result->error);
	return &result->config;
}

/* -- what files say ------------------------------------------------------------------- */

static void file_gives_values_to_options(void **state)
{
	const struct config *config = config_of("# the office\n"
						"; and the lab\n"
						"\n"
						"collector = 192.0.2.1:4739\n"
						"collector=192.0.2.2:2055,[::1]:9995\n"
						"timeout = udp=20s\n"
						"timeout = tcp=1h30m\n"
						"max-flows : 77\n"
						"load-balance = yes\r\n"
						"no-promiscuous = on\n"
						"track-v6 = no\n"
						"export-version = 9\n"
						"filter = tcp port 80\n"
						"sampling = 10");

	assert_int_equal(config->destination_count, 3);
	assert_string_equal(config->destinations[2].host, "::1");
	assert_int_equal(config->timeouts.udp_ns, 20 * S);
	assert_int_equal(config->timeouts.tcp_ns, 5400 * S);
	assert_int_equal(config->timeouts.icmp_ns, 15 * S);
	assert_int_equal(config->maximum_flows, 77);
	assert_true(config->is_load_balanced);
	assert_true(config->no_promiscuous);
	assert_int_equal(config->version, EXPORT_NETFLOW_9);
	assert_string_equal(config->filter, "tcp port 80");
	assert_int_equal(config->sampling_interval, 10);
	assert_int_equal(config->source_count, 1);
}

static void file_knows_where_a_value_stands(void **state)
{
	const struct config *config = config_of("collector = a:1\n\n"
						"filter = tcp\n\tor udp\n"
						"collector = b:1\n");
	char text[600], place[600];

	snprintf(place, sizeof(place), "%s", path_of("x.conf:5: "));
	assert_string_equal(
		config_place_text(config, config->destinations[1].place, text, sizeof(text)),
		place);
	assert_int_equal(config->filter_place.line, 3);
	config_place_text(config, (struct config_place){ 0 }, text, sizeof(text));
	assert_string_equal(text, "");
}

static void indented_lines_go_on_with_a_value(void **state)
{
	const struct config *config = config_of("filter = host a\n"
						"  or host b\n"
						"# among them\n"
						"\n"
						"\tor host c\n"
						"sampling = 2\n");

	assert_string_equal(config->filter, "host a or host b or host c");
	assert_int_equal(config->sampling_interval, 2);
}

static void first_line_may_be_indented(void **state)
{
	assert_int_equal(config_of("  sampling = 2\n")->sampling_interval, 2);
}

static void later_line_counts_in_a_file(void **state)
{
	const struct config *config = config_of("export-version = 5\nexport-version = 9\n"
						"interface = eth1\ninterface = eth0\n"
						"load-balance = yes\nload-balance = no\n");

	assert_int_equal(config->version, EXPORT_NETFLOW_9);
	assert_false(config->is_load_balanced);
}

static void file_may_start_with_a_byte_order_mark(void **state)
{
	assert_int_equal(config_of("\xef\xbb\xbfsampling = 3\n")->sampling_interval, 3);
}

static void empty_file_is_good(void **state)
{
	assert_int_equal(config_of("")->source_count, 1);
	assert_int_equal(run("ringflowd -i eth0 --config /dev/null")->rc, 0);
}

/* -- the command line wins ------------------------------------------------------------ */

static void command_line_wins_over_the_file(void **state)
{
	char line[600];

	write_text("x.conf", "collector = a:1\ncollector = b:2\nexport-version = 5\n"
			     "interface = eth1\nfilter = tcp\nload-balance = yes\n"
			     "timeout = udp=5\ntimeout = tcp=5\nlog-level = debug\n");
	snprintf(line, sizeof(line),
		"ringflowd -i eth0 --config %s -n c:3 -n d:4 -v 9 -t udp=7 --load-balance=no "
		"--verbose=no udp",
		path_of("x.conf"));
	const struct config *config = accepted(line);

	assert_int_equal(config->destination_count, 2);
	assert_string_equal(config->destinations[0].host, "c");
	assert_int_equal(config->destinations[0].place.source, 0);
	assert_int_equal(config->version, EXPORT_NETFLOW_9);
	assert_string_equal(config->interface, "eth0");
	assert_string_equal(config->filter, "udp");
	assert_false(config->is_load_balanced);
	assert_int_equal(config->timeouts.udp_ns, 7 * S);
	assert_int_equal(config->timeouts.tcp_ns, 5 * S);
	assert_int_equal(config->log_level, 6);
}

static void none_takes_collectors_back(void **state)
{
	char line[600];

	assert_int_equal(config_of("collector = a:1\ncollector = none\ncollector = b:1\n")
				 ->destination_count,
		1);
	snprintf(
		line, sizeof(line), "ringflowd -i eth0 --config %s -n none", path_of("x.conf"));
	assert_int_equal(accepted(line)->destination_count, 0);
}

static void files_that_are_named_are_read_in_order(void **state)
{
	char line[1200], first[600];

	write_text("a.conf", "sampling = 2\nmax-flows = 5\ncollector = a:1\n");
	write_text("b.conf", "sampling = 3\ncollector = b:1\n");
	snprintf(first, sizeof(first), "%s", path_of("a.conf"));
	snprintf(line, sizeof(line), "softflowd -i eth0 --config %s --config %s", first,
		path_of("b.conf"));
	const struct config *config = accepted(line);

	assert_int_equal(config->sampling_interval, 3);
	assert_int_equal(config->maximum_flows, 5);
	assert_int_equal(config->destination_count, 2);
	assert_string_equal(config->sources[1], path_of("b.conf"));
}

/* -- files that are read unasked ------------------------------------------------------- */

static void fill_folder(void)
{
	make_subfolder("ringflow.conf.d");
	make_subfolder("interfaces");
	write_text("ringflow.conf", "sampling = 2\nmax-flows = 2\nmtu = 1002\nblock-count = 2\n"
				    "collector = a:1\n");
	write_text("ringflow.conf.d/10-b.conf", "max-flows = 4\nmtu = 1004\nblock-count = 4\n");
	write_text("ringflow.conf.d/10-a.conf", "max-flows = 3\nmtu = 1003\nblock-count = 3\n"
						"collector = b:1\n");
	write_text("ringflow.conf.d/.hidden.conf", "nonsense\n");
	write_text("ringflow.conf.d/20-c.conf~", "nonsense\n");
	write_text("interfaces/eth0.conf", "mtu = 1005\nblock-count = 5\n");
	write_text("interfaces/eth1.conf", "mtu = 1006\n");
}

static void default_files_are_read_in_order(void **state)
{
	fill_folder();
	const struct config *config = config_in_folder("ringflowd -i 3:eth0 --block-count 6");

	assert_int_equal(config->sampling_interval, 2);
	assert_int_equal(config->maximum_flows, 4);
	assert_int_equal(config->mtu_bytes, 1005);
	assert_int_equal(config->block_count, 6);
	assert_int_equal(config->destination_count, 2);
	assert_int_equal(config->source_count, 4);
}

static void interface_that_a_file_names_has_its_file(void **state)
{
	fill_folder();
	write_text("ringflow.conf.d/99.conf", "interface = eth1\n");

	assert_int_equal(config_in_folder("ringflowd")->mtu_bytes, 1006);
	assert_int_equal(config_in_folder("ringflowd -i eth0")->mtu_bytes, 1005);
}

static void file_of_an_interface_is_for_it_alone(void **state)
{
	fill_folder();
	write_text("interfaces/eth0.conf", "mtu = 1005\ninterface = eth1\n");
	const struct run *result = run_in(folder, "ringflowd -i eth0");
	char error[600];

	assert_int_equal(result->rc, -EINVAL);
	snprintf(error, sizeof(error), "%s%s", path_of("interfaces/eth0.conf"),
		":2: interface eth1: this file is read for eth0 alone");
	assert_string_equal(result->error, error);
	write_text("interfaces/eth0.conf", "interface = 7:eth0\n");
	assert_int_equal(config_in_folder("ringflowd -i eth0")->mtu_bytes, 1004);
}

static void default_files_need_not_be_there(void **state)
{
	assert_int_equal(config_in_folder("ringflowd -i eth0")->source_count, 0);
	assert_int_equal(config_in_folder("ringflowd -i ../x")->source_count, 0);
}

static void default_files_are_not_for_everybody(void **state)
{
	static const char *const lines[] = {
		"softflowd -i eth0",
		"ringflowd -i eth0 --config none",
		"ringflowd -i eth0 --config /dev/null",
		"ringflowd -r x.pcap",
	};

	make_subfolder("ringflow.conf.d");
	write_text("ringflow.conf", "max-flows = 9\n");
	write_text("ringflow.conf.d/a.conf", "nonsense\n");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_not_equal(config_in_folder(lines[i])->maximum_flows, 9);
	assert_int_equal(run_in(folder, "ringflowd --help")->rc, CONFIG_HELP);
	assert_int_equal(run_in(folder, "ringflowd --version")->rc, CONFIG_HELP);
	assert_int_equal(run_in(folder, "ringflowd -i eth0")->rc, -EINVAL);
}

static void replay_reads_the_file_that_is_named(void **state)
{
	char line[600];

	write_text("x.conf", "read = a.pcap\nread = b.pcap\nsampling = 5\n");
	snprintf(line, sizeof(line), "ringflowd --config %s", path_of("x.conf"));
	const struct config *config = accepted(line);

	assert_int_equal(config->file_count, 2);
	assert_int_equal(config->sampling_interval, 5);
	snprintf(line, sizeof(line), "ringflowd -r c.pcap --config %s", path_of("x.conf"));
	assert_int_equal(accepted(line)->file_count, 1);
}

static void broken_default_file_is_named(void **state)
{
	char error[600];

	make_subfolder("ringflow.conf.d");
	write_text("ringflow.conf.d/a.conf", "sampling = many\n");
	snprintf(error, sizeof(error), "%s%s", path_of("ringflow.conf.d/a.conf"),
		":1: sampling many: not a number");
	assert_string_equal(run_in(folder, "ringflowd -i eth0")->error, error);
}

static void relative_paths_begin_where_they_did(void **state)
{
	char program[] = "ringflowd", interface[] = "-ieth0", option[] = "--config=x.conf";
	char *argv[] = { program, interface, option, NULL };
	struct config_input input = { .argc = 3, .argv = argv };
	struct config config;
	char error[CONFIG_ERROR_BYTES];

	write_text("x.conf", "sampling = 4\n");
	input.base = folder;
	assert_int_equal(config_parse(&config, &input, stdout, error), 0);
	assert_int_equal(config.sampling_interval, 4);
	assert_string_equal(config.sources[0], path_of("x.conf"));
	config_clear(&config);
}

/* -- what is refused ------------------------------------------------------------------ */

static void every_error_has_its_line(void **state)
{
	/* clang-format off */
	static const struct {
		const char *text, *error;
	} rows[] = {
		{ "sampling = 5\nsamplin = 5\n", "2: samplin: no option has that name" },
		{ "n = a:1\n", "1: n: no option has that name" },
		{ "-n = a:1\n", "1: -n: no option has that name" },
		{ "sampling\n", "1: neither NAME = VALUE nor a comment" },
		{ "\n\nsampling 5\nmax-flows = x\n", "3: neither NAME = VALUE nor a comment" },
		{ "= 5\n", "1: : no option has that name" },
		{ "sampling = 5\n\n# x\nmax-flows = many", "4: max-flows many: not a number" },
		{ "max-flows =\n", "1: max-flows: not a number" },
		{ "max-flows = 0\n", "1: max-flows 0: not in 1..268435456" },
		{ "max-flows = 5\n 6\n", "1: max-flows 5 6: not a number" },
		{ "max-flows = 5\n sampling = 6\nsampling = x", "1: max-flows 5 sampling = 6: not a number" },
		{ "timeout = udp\n", "1: timeout udp: not NAME=TIME with one of the names: general tcp tcp.rst "
		  "tcp.fin udp icmp maxlife expint" },
		{ "timeout = udp=5\ntimeout = tcp=5q\n",
		  "2: timeout tcp=5q: not a time like 90, 10m or 1h30m (units: s m h d w)" },
		{ "collector = a:1\ncollector = b\n", "2: collector b: not HOST:PORT; an IPv6 address stands in brackets, "
		  "[2001:db8::1]:4739" },
		{ "load-balance = maybe\n", "1: load-balance maybe: not one of: yes no" },
		{ "load-balance =\n", "1: load-balance: not one of: yes no" },
		{ "track = deep\n", "1: track deep: not one of: ip proto port full vlan ether" },
		{ "psamp-port = 1\n", "1: psamp-port 1: this build cannot receive PSAMP" },
		{ "help = yes\n", "1: help: only on the command line" },
		{ "dump-config = yes\n", "1: dump-config: only on the command line" },
		{ "debug = yes\n", "1: debug: only on the command line" },
		{ "bidirectional = no\n", "1: bidirectional: only on the command line" },
		{ "config = other.conf\n", "1: config other.conf: a file cannot lead to another one" },
		{ "sampling = 5 ; five\n", "1: a semicolon behind a space: comments have lines of their own" },
		{ "[collector one]\n", "1: [collector one]: no section has that name" },
		{ "sampling = 2\n[x]\nsampling = x\n", "2: [x]: no section has that name" },
		{ "sampling = x\n[x]\n", "1: sampling x: not a number" },
		{ "[open\n", "1: [open: no section has that name" },
		{ "sampling = 2\nmax-flows = 3\x01\n", "2: octet 0x01 is no text" },
		{ "block-size = 5000\n", "1: --block-size 5000: not a power of two" },
		{ "\nblock-size = 1G\nblock-count = 5\n",
		  "2: --block-size 1073741824 with --block-count 5: a ring of more than 4 GiB" },
		{ "\nread = x\n", "2: -i eth0 with -r x: packets come from an interface or from capture files, "
		  "not from both" },
		{ "mtu = 500\n", "1: --mtu 500: not in 576..65535" },
	};
	/* clang-format on */

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_refused(run_text(rows[i].text), rows[i].error);
}

static void octets_that_are_no_text_are_refused(void **state)
{
	char line[600];

	write_octets("x.conf", "sampling = 5\0max-flows = 3\n", 27);
	snprintf(line, sizeof(line), "ringflowd -i eth0 --config %s", path_of("x.conf"));
	assert_refused(run(line), "1: octet 0x00 is no text");
	write_octets("x.conf",
		"sampling = 5\n\x7f"
		"ELF\2\1\1",
		21);
	assert_refused(run(line), "2: octet 0x7f is no text");
	assert_int_equal(run("ringflowd -i eth0 --config /dev/zero")->rc, -EINVAL);
}

static void long_lines_are_refused_not_cut(void **state)
{
	static char text[6000];
	size_t length = (size_t)sprintf(text, "sampling = 2\nexport-device = ");

	memset(text + length, 'x', 4000);
	strcpy(text + length + 4000, "\nsampling = 3\n");
	const struct run *result = run_text(text);

	assert_int_equal(result->rc, -EINVAL);
	assert_non_null(strstr(result->error, "x.conf:2: more than "));
	assert_non_null(
		strstr(result->error, " octets; an indented line goes on with a value"));
}

static void long_comments_are_refused_too(void **state)
{
	static char text[6000];

	memset(text, '#', 5000);
	assert_non_null(strstr(run_text(text)->error, "x.conf:1: more than "));
}

static void long_values_are_bounded(void **state)
{
	static char text[40000];
	size_t length = (size_t)sprintf(text, "filter = tcp\n");

	for (int i = 0; i < 900; i++)
		length += (size_t)sprintf(text + length, " or host 192.0.2.100\n");
	const struct run *result = run_text(text);

	assert_int_equal(result->rc, -EINVAL);
	assert_non_null(strstr(result->error, ": a value of more than 16383 octets"));
}

static void huge_files_are_refused(void **state)
{
	size_t count = 3 << 20;
	char *text = malloc(count), line[600];

	memset(text, '\n', count);
	for (size_t i = 0; i < count; i += 2)
		text[i] = '#';
	write_octets("x.conf", text, count);
	free(text);
	snprintf(line, sizeof(line), "ringflowd -i eth0 --config %s", path_of("x.conf"));
	const struct run *result = run(line);

	assert_int_equal(result->rc, -EFBIG);
	assert_non_null(
		strstr(result->error, ": more than 1048576 octets are no configuration"));
}

static void what_is_no_file_is_refused(void **state)
{
	char line[600], error[600];

	snprintf(line, sizeof(line), "ringflowd -i eth0 --config %s", folder);
	snprintf(error, sizeof(error), "%s: Is a directory", folder);
	assert_string_equal(run(line)->error, error);

	assert_int_equal(mkfifo(path_of("fifo"), 0600), 0);
	snprintf(line, sizeof(line), "ringflowd -i eth0 --config %s", path_of("fifo"));
	snprintf(error, sizeof(error), "%s: neither a file nor a character device",
		path_of("fifo"));
	assert_string_equal(run(line)->error, error);

	snprintf(line, sizeof(line), "ringflowd -i eth0 --config %s", path_of("nothing"));
	snprintf(error, sizeof(error), "%s: No such file or directory", path_of("nothing"));
	assert_string_equal(run(line)->error, error);
}

static void default_file_that_cannot_be_read_is_no_missing_one(void **state)
{
	char error[600];

	make_subfolder("ringflow.conf");
	snprintf(error, sizeof(error), "%s: Is a directory", path_of("ringflow.conf"));
	assert_string_equal(run_in(folder, "ringflowd -i eth0")->error, error);
}

static void file_without_rights_is_refused(void **state)
{
	bool is_root = geteuid() == 0;
	char error[600];

	write_text("ringflow.conf", "sampling = 2\n");
	assert_int_equal(chmod(folder, 0755), 0);
	assert_int_equal(chmod(path_of("ringflow.conf"), 0), 0);
	snprintf(error, sizeof(error), "%s: Permission denied", path_of("ringflow.conf"));
	if (is_root && seteuid(NOBODY) < 0)
		skip(); /* root may read everything, and cannot be anybody else here */
	const struct run *result = run_in(folder, "ringflowd -i eth0");
	if (is_root)
		assert_int_equal(seteuid(0), 0);
	assert_string_equal(result->error, error);
}

/* A file that is cut anywhere is read up to there or refused; nothing else happens. */
static void cut_files_are_read_or_refused(void **state)
{
	static const char text[] = "collector = 192.0.2.1:4739\nfilter = tcp\n\tor udp\n"
				   "timeout = udp=20s\nmax-flows = 77\n";
	char cut[sizeof(text)];

	for (size_t length = 0; length < sizeof(text); length++) {
		memcpy(cut, text, length);
		cut[length] = '\0';
		const struct run *result = run_text(cut);

		if (result->rc == 0)
			assert_int_equal(result->config.source_count, 1);
		else
			assert_non_null(strstr(result->error, "x.conf:"));
	}
}

static void too_many_files_are_refused(void **state)
{
	make_subfolder("ringflow.conf.d");
	for (int i = 0; i <= CONFIG_SOURCES_MAX; i++) {
		char name[64];

		snprintf(name, sizeof(name), "ringflow.conf.d/%04d.conf", i);
		write_text(name, "sampling = 2\n");
	}
	const struct run *result = run_in(folder, "ringflowd -i eth0");

	assert_int_equal(result->rc, -E2BIG);
	assert_non_null(strstr(result->error, "0256.conf: too many configuration files"));
}

/* -- back and forth ------------------------------------------------------------------- */

/* The dump of a command line, read as a file, has the same dump. */
static void assert_comes_back(const char *words)
{
	static char first[16384];
	char line[700];

	snprintf(line, sizeof(line), "ringflowd %s", words);
	strcpy(first, dumped(line));
	write_text("x.conf", first);
	snprintf(line, sizeof(line), "ringflowd --config %s", path_of("x.conf"));
	assert_string_equal(dumped(line), first);
}

static void dump_is_a_file_again(void **state)
{
	assert_comes_back("-i eth0");
	assert_comes_back("-i 3:eth0 -n a:1,[::1]:2 -v 9 -T ether -s 5 -e ::1 -L 9 -l -d "
			  "-H 02:00:00:00:00:01 -x 2 -t udp=1d --mtu 1400 -B 3M -p /x.pid");
	assert_comes_back(
		"-i eth0 -D -b -c none --domain 7 --lanes 3 --source pcap -S eth9 -I 2h "
		"--print json --log-level error");
	assert_comes_back("-i eth0 -n none -v 5 -6 not port 22");
	assert_comes_back("-r a.pcap -r b.pcap --lanes 2 tcp");
}

static void dump_cuts_long_filters_into_lines(void **state)
{
	char words[600] = "-i eth0 host 192.0.2.1";

	for (int i = 2; i < 20; i++)
		sprintf(words + strlen(words), " or host 192.0.2.%d", i);
	assert_comes_back(words);
	for (const char *at = dumped("ringflowd -i eth0"), *end; (end = strchr(at, '\n'));
		at = end + 1)
		assert_true(end - at < 120);
}

static void dump_and_check_look_into_files(void **state)
{
	char whole[600];

	write_text("ringflow.conf", "sampling = 6\n");
	const struct run *result = run_in(folder, "ringflowd -i eth0 --dump-config");

	assert_int_equal(result->rc, CONFIG_HELP);
	assert_true(has_line(result->out, "sampling = 6"));
	result = run_in(folder, "ringflowd -i eth0 --check-config");
	snprintf(whole, sizeof(whole),
		"ringflowd: %s is good\nringflowd: the command line is good\n",
		path_of("ringflow.conf"));
	assert_string_equal(result->out, whole);
	write_text("ringflow.conf", "sampling = x\n");
	assert_int_equal(run_in(folder, "ringflowd -i eth0 --check-config")->rc, -EINVAL);
	assert_int_equal(run_in(folder, "ringflowd -i eth0 --dump-config")->rc, -EINVAL);
}

/* -- two of them ---------------------------------------------------------------------- */

static void parse_line(const char *line, struct config *ret_config)
{
	char copy[256], error[CONFIG_ERROR_BYTES], *argv[32], *rest = copy;
	struct config_input input = { .argv = argv };

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *word; (word = strsep(&rest, " "));)
		argv[input.argc++] = word;
	argv[input.argc] = NULL;
	assert_int_equal(config_parse(ret_config, &input, stdout, error), 0);
}

static struct config_changes compared(const char *before, const char *after)
{
	struct config first, second;
	struct config_changes changes;

	parse_line(before, &first);
	parse_line(after, &second);
	assert_int_equal(config_compare(&first, &second, &changes), 0);
	config_clear(&first);
	config_clear(&second);
	return changes;
}

static void the_same_has_no_changes(void **state)
{
	struct config_changes changes = compared("ringflowd -i eth0 -n a:1 -t udp=60 tcp",
		"ringflowd --collector a:1 --timeout udp=1m -i eth0 --filter tcp");

	assert_string_equal(changes.names, "");
	assert_string_equal(changes.restart, "");
	assert_false(changes.starts_sessions);
}

static void changes_are_named_in_the_order_of_the_table(void **state)
{
	struct config_changes changes = compared("ringflowd -i eth0 -n a:1",
		"ringflowd -i eth0 -n a:1 -n b:1 -t udp=5 --log-level debug udp");

	assert_string_equal(changes.names, "filter, timeout, collector, log-level");
	assert_string_equal(changes.restart, "");
	assert_false(changes.starts_sessions);
}

static void what_takes_a_restart_is_told_apart(void **state)
{
	struct config_changes changes = compared("ringflowd -i eth0",
		"ringflowd -i eth0 -t udp=5 -m 5 --block-count 4 --mtu 1500");

	assert_string_equal(changes.names, "block-count, timeout, max-flows, mtu");
	assert_string_equal(changes.restart, "block-count, max-flows");
	assert_true(changes.starts_sessions);
}

/* What follows from other options is a change, too: IPv6 is not metered for NetFlow 5. */
static void conclusions_are_compared(void **state)
{
	struct config_changes changes =
		compared("ringflowd -i eth0 -v 9", "ringflowd -i eth0 -v 5");

	assert_string_equal(changes.names, "track-v6, export-version");
	assert_true(changes.starts_sessions);
}

#define FACT(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

static const struct CMUnitTest tests[] = {
	FACT(file_gives_values_to_options),
	FACT(file_knows_where_a_value_stands),
	FACT(indented_lines_go_on_with_a_value),
	FACT(first_line_may_be_indented),
	FACT(later_line_counts_in_a_file),
	FACT(file_may_start_with_a_byte_order_mark),
	FACT(empty_file_is_good),
	FACT(command_line_wins_over_the_file),
	FACT(none_takes_collectors_back),
	FACT(files_that_are_named_are_read_in_order),
	FACT(default_files_are_read_in_order),
	FACT(interface_that_a_file_names_has_its_file),
	FACT(file_of_an_interface_is_for_it_alone),
	FACT(default_files_need_not_be_there),
	FACT(default_files_are_not_for_everybody),
	FACT(replay_reads_the_file_that_is_named),
	FACT(broken_default_file_is_named),
	FACT(relative_paths_begin_where_they_did),
	FACT(every_error_has_its_line),
	FACT(octets_that_are_no_text_are_refused),
	FACT(long_lines_are_refused_not_cut),
	FACT(long_comments_are_refused_too),
	FACT(long_values_are_bounded),
	FACT(huge_files_are_refused),
	FACT(what_is_no_file_is_refused),
	FACT(default_file_that_cannot_be_read_is_no_missing_one),
	FACT(file_without_rights_is_refused),
	FACT(cut_files_are_read_or_refused),
	FACT(too_many_files_are_refused),
	FACT(dump_is_a_file_again),
	FACT(dump_cuts_long_filters_into_lines),
	FACT(dump_and_check_look_into_files),
	FACT(the_same_has_no_changes),
	FACT(changes_are_named_in_the_order_of_the_table),
	FACT(what_takes_a_restart_is_told_apart),
	FACT(conclusions_are_compared),
};

UNIT_MAIN("config_file", tests)
