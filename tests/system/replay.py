#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Capture files from the command line: exit statuses, standard input, several files, texts.

    replay.py [--build DIR]      needs no rights
"""

import argparse
import csv
import io
import json
import os
import pathlib
import re
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
FIXTURES = ROOT / "pcap-fixtures"


class Replay(unittest.TestCase):
    build = ROOT / "build"

    def run_sensor(self, *options, program=None, stdin=None):
        return subprocess.run([str(program or self.build / "sensor/ringflowd"), *map(str, options)],
                              input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                              capture_output=True, timeout=60)

    def records(self, *options, **more):
        done = self.run_sensor(*options, "--print", "json", **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]

    def totals(self, *options, **more):
        rows = self.records(*options, **more)
        return len(rows), sum(row["packets"] for row in rows), sum(row["bytes"] for row in rows)

    # -- exit statuses ------------------------------------------------------------------------

    def test_good_capture_ends_with_0(self):
        done = self.run_sensor("-r", FIXTURES / "link-ethernet.pcap")
        self.assertEqual((done.returncode, done.stderr), (0, b""))

    def test_missing_file_ends_with_1_and_is_named(self):
        done = self.run_sensor("-r", "/nonexistent/file.pcap")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"/nonexistent/file.pcap", done.stderr)

    def test_file_that_is_no_capture_ends_with_1_and_is_named(self):
        done = self.run_sensor("-r", FIXTURES / "make.py")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"make.py", done.stderr)

    def test_unknown_link_type_ends_with_1_and_is_named(self):
        done = self.run_sensor("-r", FIXTURES / "link-unknown.pcap")
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"147", done.stderr)

    def test_wrong_option_ends_with_2_and_is_named(self):
        for options in (["--nonsense"], ["-r", "x", "-v", "6"], ["-r", "x", "-t", "udp=soon"],
                        ["-r", "x", "-n", "nowhere"], ["-r", "x", "-T", "all"], []):
            done = self.run_sensor(*options)
            self.assertEqual(done.returncode, 2, options)
            self.assertNotEqual(done.stderr, b"", options)

    def test_bad_filter_ends_with_1_or_2_and_says_why(self):
        done = self.run_sensor("-r", FIXTURES / "link-ethernet.pcap", "no", "such", "words")
        self.assertIn(done.returncode, (1, 2))
        self.assertNotEqual(done.stderr, b"")

    def test_long_bad_filter_does_not_hide_why(self):
        done = self.run_sensor("-r", FIXTURES / "link-ethernet.pcap", *["port 1 or"] * 9999, "nonsense")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, rb"filter .port 1 .*: [a-z ]+\n$")

    def test_a_collector_over_tcp_gets_everything_or_is_named(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(1)
            listener.settimeout(20)
            target = "tcp:127.0.0.1:%d" % listener.getsockname()[1]
            got = []

            def collect():
                with listener.accept()[0] as connection:
                    while data := connection.recv(65536):
                        got.append(data)

            reader = threading.Thread(target=collect, daemon=True)
            reader.start()
            done = self.run_sensor("-r", FIXTURES / "many-flows.pcap", "-n", target)
            reader.join(20)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        stream, at, lengths = b"".join(got), 0, []
        while at < len(stream):
            version, length = struct.unpack_from("!HH", stream, at)
            self.assertEqual(version, 10)
            lengths.append(length)
            at += length
        self.assertEqual(at, len(stream))
        self.assertIn(b"in %d packets" % len(lengths), done.stdout)
        done = self.run_sensor("-r", FIXTURES / "many-flows.pcap", "-n", target)
        self.assertEqual(done.returncode, 1)
        self.assertIn(target[4:].encode() + b": connect: Connection refused", done.stderr)

    # -- IPFIX files --------------------------------------------------------------------------

    def read(self, *options, **more):
        return subprocess.run([str(self.build / "sensor/ringflowread"), *map(str, options)],
                              capture_output=True, timeout=60, **more)

    def test_files_are_read_as_they_were_printed(self):
        """Every fixture with flows, both ways; IPFIX by default tells no TTL and no flow id."""
        columns = ("time_flow_start_ns bytes packets src_addr dst_addr etype proto src_port dst_port in_if out_if "
                   "src_mac dst_mac vlan_id ip_tos tcp_flags icmp_type icmp_code flow_direction flow_end_reason").split()

        def rows_of(text):
            rows = list(csv.DictReader(io.StringIO(text.decode())))
            return sorted(tuple(row[name] for name in columns) for row in rows)

        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "flows"
            for fixture in ("many-flows.pcap", "families.pcap", "icmp-echo.pcap", "link-vlan.pcap", "protocols.pcap"):
                done = self.run_sensor("-r", FIXTURES / fixture, "--print", "csv", "-n", "file:%s" % path, "-A", "nano")
                self.assertEqual(done.returncode, 0, done.stderr)
                read = self.read("-f", "csv", path)
                self.assertEqual((read.returncode, read.stderr), (0, b""))
                near = [row[1:] for row in rows_of(done.stdout)]
                self.assertGreater(len(near), 0)
                self.assertEqual(sorted(row[1:] for row in rows_of(read.stdout)), sorted(near), fixture)
                lines = [json.loads(line) for line in self.read("-f", "json", path).stdout.splitlines()]
                flows = [line for line in lines if line["type"] == "IPFIX"]
                self.assertEqual(len(flows), len(near))
                self.assertEqual(sorted(line["bytes"] for line in flows), sorted(int(row[0]) for row in near))

    def test_a_damaged_file_is_read_up_to_the_damage(self):
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "flows"
            self.run_sensor("-r", FIXTURES / "many-flows.pcap", "-n", "file:%s" % path)
            whole = path.read_bytes()
            lines = len(self.read(path).stdout.splitlines())
            for cut in (5000, len(whole) - 1):
                done = self.read("-", input=whole[:cut])
                self.assertEqual(done.returncode, 4)
                self.assertIn(b"-: damaged at offset %d: the file ends within a message" % cut, done.stderr)
                self.assertIn(len(done.stdout.splitlines()), range(30, lines))
            done = self.read("-", input=whole + b"nonsense, and more of it")
            self.assertEqual((done.returncode, len(done.stdout.splitlines())), (4, lines))
            self.assertIn(b"offset %d: this is no IPFIX message" % len(whole), done.stderr)
            self.assertEqual(self.read(path, folder + "/missing").returncode, 1)
            self.assertEqual(self.read("-f", "xml", path).returncode, 2)
            self.assertEqual(self.read().returncode, 2)

    def test_damage_ends_with_4_and_says_where(self):
        done = self.run_sensor("-r", FIXTURES / "cut-record.pcap", "--print", "json")
        rows = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]
        self.assertEqual(done.returncode, 4)
        self.assertEqual(sum(row["packets"] for row in rows), 9)
        self.assertRegex(done.stderr.decode(), r"cut-record\.pcap.*packet 10\b")

    def test_help_and_version_end_with_0(self):
        for option in ("--help", "--version"):
            done = self.run_sensor(option)
            self.assertEqual((done.returncode, done.stderr), (0, b""))
            self.assertIn(b"ringflowd", done.stdout)

    # -- input --------------------------------------------------------------------------------

    def test_standard_input(self):
        for name in ("link-ethernet.pcap", "file.pcapng", "file.pcap.zst", "file-be.pcap"):
            data = (FIXTURES / name).read_bytes()
            self.assertEqual(self.totals("-r", "-", stdin=data), (4, 10, 1546), name)

    def test_several_files_are_one_capture(self):
        files = ["-r", FIXTURES / "link-ethernet.pcap", "-r", FIXTURES / "file.pcap.gz", "-r",
                 FIXTURES / "file-ns.pcapng"]
        rows = self.records(*files)
        self.assertEqual((sum(row["packets"] for row in rows), sum(row["bytes"] for row in rows)),
                         (30, 3 * 1546))

    def test_damage_in_the_first_file_does_not_hide_the_second(self):
        done = self.run_sensor("-r", FIXTURES / "cut-record.pcap", "-r", FIXTURES / "link-ethernet.pcap",
                               "--print", "json")
        rows = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]
        self.assertEqual(done.returncode, 4)
        self.assertIn(sum(row["packets"] for row in rows), (9, 19))

    def test_words_after_the_options_are_a_filter(self):
        self.assertEqual(self.totals("-r", FIXTURES / "link-ethernet.pcap", "tcp", "or", "icmp"), (2, 8, 1340))

    def test_sigterm_ends_the_wait_for_a_pipe(self):
        data = (FIXTURES / "link-ethernet.pcap").read_bytes()
        for more in (b"", data[24:37], data[24:45]):    # nothing, half a header, half a packet
            process = subprocess.Popen(
                [str(self.build / "sensor/ringflowd"), "-r", "-", "--print", "json"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdin.write(data + more)
            process.stdin.flush()
            time.sleep(0.5)
            process.terminate()
            self.assertEqual(process.wait(10), 0, more)
            rows = [json.loads(line) for line in process.stdout]
            self.assertEqual(sum(row["packets"] for row in rows), 10)
            for stream in (process.stdin, process.stdout, process.stderr):
                stream.close()

    # -- output -------------------------------------------------------------------------------

    def test_statistics_have_the_incumbents_layout(self):
        text = self.run_sensor("-r", FIXTURES / "demo.pcap", "-v", "9", "-n", "127.0.0.1:9").stdout.decode()
        for pattern in (
                r"^Number of active flows: 0$", r"^Packets processed: 258$", r"^Fragments: 0$",
                r"^Ignored packets: 1 \(1 non-IP, 0 too short\)$", r"^Flows expired: \d+ \(0 forced\)$",
                r"^Flows exported: \d+ \(\d+ records\) in \d+ packets \(\d+ failures\)$",
                r"^Expired flow statistics:  minimum       average       maximum$",
                r"^  Flow bytes:        [ \d]{12}  [ \d]{12}  [ \d]{12}$",
                r"^  Flow packets:      [ \d]{12}  [ \d]{12}  [ \d]{12}$",
                r"^  Duration:          [ \d.]{12}s [ \d.]{12}s [ \d.]{12}s$",
                r"^Expired flow reasons:$",
                r"^       tcp = [ \d]{9}   tcp\.rst = [ \d]{9}   tcp\.fin = [ \d]{9}$",
                r"^       udp = [ \d]{9}      icmp = [ \d]{9}   general = [ \d]{9}$",
                r"^   maxlife = [ \d]{9}$", r"^over 2 GiB = [ \d]{9}$", r"^  maxflows = [ \d]{9}$",
                r"^   flushed = [ \d]{9}$",
                r"^Per-protocol statistics:     Octets      Packets   Avg Life    Max Life$",
                r"^            tcp \(6\): [ \d]{14} [ \d]{12}   [ \d.]{8}s [ \d.]{10}s$"):
            self.assertTrue(re.search(pattern, text, re.M), "%s\nnot in\n%s" % (pattern, text))

    def test_json_can_be_piped_into_a_program(self):
        out = self.run_sensor("-r", FIXTURES / "demo.pcap", "--print", "json").stdout.decode()
        self.assertEqual(sum(json.loads(line)["packets"] for line in out.splitlines()), 258)

    def test_csv_has_a_column_for_each_field(self):
        out = self.run_sensor("-r", FIXTURES / "demo.pcap", "--print", "csv").stdout.decode().splitlines()
        names = out[0].split(",")
        rows = [dict(zip(names, line.split(","))) for line in out[1:] if line.count(",") == len(names) - 1]
        self.assertEqual(sum(int(row["packets"]) for row in rows), 258)

    def test_closed_output_is_no_crash(self):
        process = subprocess.Popen([str(self.build / "sensor/ringflowd"), "-r", str(FIXTURES / "demo.pcap"),
                                    "--print", "json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        process.stdout.close()
        self.assertGreaterEqual(process.wait(20), 0)
        process.stderr.close()

    def test_closed_standard_descriptors_are_not_taken_for_others(self):
        for redirections in (">&-", "<&- >&-", "<&- >&- 2>&-"):
            for printing in ([], ["--print", "json"]):
                command = [str(self.build / "sensor/ringflowd"), "-r", str(FIXTURES / "demo.pcap"),
                           "-n", "127.0.0.1:9", *printing]
                done = subprocess.run(["sh", "-c", 'exec "$@" ' + redirections, "sh", *command],
                                      stderr=subprocess.PIPE, timeout=20)
                self.assertEqual(done.returncode, 1, (redirections, printing, done.stderr))

    def test_output_that_takes_no_more_ends_with_1_and_is_named(self):
        for printing, words in (([], b"statistics"), (["--print", "json"], b"11 flows")):
            with open("/dev/full", "wb") as full:
                done = subprocess.run([str(self.build / "sensor/ringflowd"), "-r",
                                       str(FIXTURES / "demo.pcap"), *printing],
                                      stdout=full, stderr=subprocess.PIPE, timeout=20)
            self.assertEqual(done.returncode, 1)
            self.assertIn(words, done.stderr)

    def test_called_softflowd_it_exports_netflow_5(self):
        with tempfile.TemporaryDirectory() as folder, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            os.symlink(self.build / "sensor/ringflowd", folder + "/softflowd")
            sink.bind(("127.0.0.1", 0))
            sink.settimeout(2)
            collector = "127.0.0.1:%d" % sink.getsockname()[1]
            done = self.run_sensor("-r", FIXTURES / "link-ethernet.pcap", "-n", collector,
                                   program=folder + "/softflowd")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(struct.unpack_from("!HH", sink.recv(65536)), (5, 2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    Replay.build = pathlib.Path(arguments.build).resolve()
    unittest.main(argv=[sys.argv[0], "-v", *arguments.cases])


if __name__ == "__main__":
    main()
