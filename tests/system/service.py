#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ringflow as a service, under a real systemd in a nest."""

import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

import lab
import nest
import tracer

UNIT = "ringflow@%s.service" % lab.LINK
SOCKET = "ringflow@%s.socket" % lab.LINK
CONTROL = "/run/ringflow/%s.ctl" % lab.LINK
CONFIGURATION = "/etc/ringflow/interfaces/%s.conf" % lab.LINK
NET_RAW = 1 << 13
WARNING, INFO = "4", "6"  # as the journal has them


def exported(sink):
    """(source port, packets) of every record that a NetFlow 5 collector got."""
    return [(row[4], row[2]) for _, rows in lab.netflow5(sink.close()) for row in rows]


def configure(room, sink=None, **more):
    """Writes the configuration of the interface; names may have underscores for dashes."""
    lines = ["export-version = 5"]
    if sink:
        lines.append("collector = 127.0.0.1:%d" % sink.port)
    lines += ["%s = %s" % (name.replace("_", "-"), value) for name, value in more.items()]
    room.write(CONFIGURATION, "\n".join(lines) + "\n")


def drop_in(room, unit, *lines):
    room.write("/etc/systemd/system/%s.d/test.conf" % unit, "[Service]\n" + "\n".join(lines) + "\n")
    room.systemctl("daemon-reload")


def status_text(room, unit=UNIT):
    return room.show(unit, "StatusText")["StatusText"]


class Service(unittest.TestCase):
    """The ordinary unit."""

    def test_is_ready_when_it_captures_and_exports_when_stopped(self):
        with nest.Nest() as room:
            sink = lab.Sink(room, room.near)
            configure(room, sink)

            room.systemctl("start", UNIT)  # returns when the unit says READY
            room.send_udp(30)

            self.assertEqual(room.show(UNIT, "ActiveState", "SubState"),
                             {"ActiveState": "active", "SubState": "running"})
            lab.wait_for("30 packets in the status", lambda: " 30 packets" in status_text(room), 20)
            room.systemctl("stop", UNIT)
            self.assertEqual(room.show(UNIT, "Result")["Result"], "success")
            self.assertEqual(exported(sink), [(6000, 30)])

    def test_the_status_has_rates(self):
        with nest.Nest() as room:
            room.systemctl("start", UNIT)
            seen = []

            def has_rates():
                room.send_udp(50)
                seen.append(status_text(room))
                return re.match(r"[1-9]\d* packets/s, \d+ new flows/s, 0 drops/s; ", seen[-1])
            lab.wait_for("rates: %s" % seen, has_rates, 20)

    def test_no_thread_has_rights(self):
        with nest.Nest() as room:
            configure(room, lanes=2)
            room.systemctl("start", UNIT)

            threads = room.thread_statuses(UNIT)
            self.assertEqual(len(threads), 3)
            for status in threads:
                for name in ("CapPrm", "CapEff", "CapAmb"):
                    self.assertEqual(int(status[name], 16), 0, name)
                self.assertIn(int(status["CapBnd"], 16), (0, NET_RAW))
                self.assertEqual(status["NoNewPrivs"], "1")
            said = [text for text in room.messages(UNIT) if text.startswith("rights: ")]
            self.assertEqual(len(said), 1)
            self.assertIn("rights: user ringflow, no capabilities, no new privileges", said[0])
            self.assertIn("3 threads checked", said[0])

    def test_the_control_socket_comes_and_goes_with_the_service(self):
        with nest.Nest() as room:
            room.systemctl("start", UNIT)

            self.assertEqual(room.show(SOCKET, "ActiveState")["ActiveState"], "active")
            listed = room.command("stat", "-c", "%a %U %G", CONTROL).stdout.split()
            self.assertEqual(listed, ["660", "root", "ringflow"])
            self.assertIn("Number of active flows", self.ask(room, "statistics").stdout)
            room.systemctl("stop", UNIT)
            lab.wait_for("no socket", lambda: not room.path(CONTROL).exists(), 10)
            self.assertNotEqual(self.ask(room, "statistics").returncode, 0)
            self.assertEqual(room.show(UNIT, "ActiveState")["ActiveState"], "inactive")

    def ask(self, room, word):
        return room.command(room.installed("sbin/ringflowctl"), "-c", CONTROL, word, check=False)

    def test_a_lane_that_stands_still_is_noticed(self):
        with nest.Nest() as room:
            configure(room, lanes=2)
            drop_in(room, UNIT, "WatchdogSec=2")
            room.systemctl("start", UNIT)
            time.sleep(3)  # longer than the watchdog waits: nothing happens while all is well
            first = room.main_pid(UNIT)
            self.assertEqual(room.show(UNIT, "NRestarts")["NRestarts"], "0")

            with tracer.Tracer(room.threads(UNIT)[1]):  # a lane; the main thread goes on
                lab.wait_for("the watchdog in the journal",
                             lambda: any("Watchdog timeout" in text for text in room.messages(UNIT)), 30)

            lab.wait_for("another process", lambda: room.main_pid(UNIT) not in (0, first), 30)
            lab.wait_for("active again", lambda: room.show(UNIT, "SubState")["SubState"] == "running", 30)
            self.assertEqual(room.show(UNIT, "NRestarts")["NRestarts"], "1")

    def test_another_number_of_lanes_needs_no_more_than_a_restart(self):
        with nest.Nest() as room:
            sink = lab.Sink(room, room.near)
            for lanes in (1, 3, 2):
                configure(room, sink, lanes=lanes)
                room.systemctl("restart", UNIT)
                self.assertEqual(len(room.threads(UNIT)), 1 + lanes)
                room.send_udp(20, source_port=6000 + lanes)
                lab.wait_for("metered", lambda: not re.search(r" 0 packets,", status_text(room)) and
                             "packets," in status_text(room), 20)
                self.ask(room, "expire-all")
            room.systemctl("stop", UNIT)

            self.assertEqual(sorted(exported(sink)), [(6001, 20), (6002, 20), (6003, 20)])

    def test_the_journal_has_priorities(self):
        with nest.Nest() as room:
            room.systemctl("start", UNIT)
            room.remove_link()

            def priorities():
                return {entry["PRIORITY"] for entry in room.journal(UNIT)
                        if "the interface went down or away" in entry["MESSAGE"]}
            lab.wait_for("the loss in the journal", priorities, 20)
            self.assertEqual(priorities(), {WARNING})
            self.assertEqual({entry["PRIORITY"] for entry in room.journal(UNIT)
                              if entry["MESSAGE"].startswith("rights: ")}, {INFO})

    def test_the_target_stops_all_instances(self):
        with nest.Nest() as room:
            room.systemctl("enable", "--now", UNIT)

            self.assertEqual(room.show("ringflow.target", "ActiveState")["ActiveState"], "inactive")
            room.systemctl("start", "ringflow.target")
            self.assertEqual(room.systemctl("is-enabled", "ringflow.target").stdout.strip(), "enabled")
            room.systemctl("stop", "ringflow.target")
            lab.wait_for("the service stopped",
                         lambda: room.show(UNIT, "ActiveState")["ActiveState"] == "inactive", 30)

    def test_records_go_where_the_unit_lets_them(self):
        with nest.Nest() as room:
            room.at(room.near, "ip", "address", "add", "203.0.113.1/32", "dev", "lo")
            sink = lab.Sink(room, room.near, address="203.0.113.1")
            configure(room, collector="203.0.113.1:%d" % sink.port)
            room.systemctl("start", UNIT)
            room.send_udp(30)
            room.systemctl("stop", UNIT)
            self.assertEqual(sink.datagrams, [])

            drop_in(room, UNIT, "IPAddressAllow=203.0.113.1")
            room.systemctl("start", UNIT)
            room.send_udp(31)
            room.systemctl("stop", UNIT)

            self.assertEqual(exported(sink), [(6000, 31)])


SEALED = "ringflow-sealed@%s.service" % lab.LINK


class Sealed(unittest.TestCase):
    """The unit without capabilities and network: its sockets are handed in."""

    def test_it_exports_what_it_captures(self):
        with nest.Nest() as room:
            sink = lab.Sink(room, room.near)
            configure(room, sink, lanes=2)
            room.systemctl("start", SEALED)
            for port in range(6000, 6010):
                room.send_udp(3, source_port=port)

            lab.wait_for("30 packets", lambda: " 30 packets" in status_text(room, SEALED), 20)
            asked = room.command(room.installed("sbin/ringflowctl"), "-c", CONTROL, "statistics")
            self.assertIn("Packets processed: 30", asked.stdout)
            room.systemctl("stop", SEALED)
            self.assertEqual(room.show(SEALED, "Result")["Result"], "success")
            self.assertEqual(sorted(exported(sink)), [(port, 3) for port in range(6000, 6010)])

    def test_no_thread_has_rights_or_a_network(self):
        with nest.Nest() as room:
            configure(room, lanes=2)
            room.systemctl("start", SEALED)

            threads = room.thread_statuses(SEALED)
            self.assertEqual(len(threads), 3)
            for status in threads:
                for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                    self.assertEqual(int(status[name], 16), 0, name)
                self.assertEqual(status["NoNewPrivs"], "1")
            (process,) = room.processes(SEALED)
            networks = [os.readlink("/proc/%s/ns/net" % which) for which in (process, room.leader)]
            self.assertNotEqual(*networks)
            lines = pathlib.Path("/proc/%d/net/dev" % process).read_text().splitlines()
            self.assertEqual([line.split(":")[0].strip() for line in lines[2:]], ["lo"])

    def test_a_restart_goes_on_with_the_sockets_that_are_there(self):
        with nest.Nest() as room:
            sink = lab.Sink(room, room.near)
            configure(room, sink)
            room.systemctl("start", SEALED)
            room.send_udp(20, source_port=6001)
            room.systemctl("restart", SEALED)
            room.send_udp(20, source_port=6002)
            lab.wait_for("20 packets", lambda: re.search("[24]0 packets,", status_text(room, SEALED)), 20)
            room.systemctl("stop", SEALED)

            self.assertEqual(sorted(exported(sink)), [(6001, 20), (6002, 20)])

    def test_an_interface_that_is_made_anew_is_captured_again(self):
        with nest.Nest() as room:
            configure(room, lanes=2)
            room.systemctl("start", SEALED)
            for again in range(3):
                room.remove_link()
                lab.wait_for("the loss", lambda: sum("went down" in text for text in room.messages(SEALED)) > again, 20)
                room.make_link()
                lab.wait_for("the return", lambda: sum("is back" in text for text in room.messages(SEALED)) > again, 20)
                room.send_udp(10)
                lab.wait_for("packets of round %d" % again,
                             lambda: " %d packets," % (10 * (again + 1)) in status_text(room, SEALED), 20)


class Opener(unittest.TestCase):
    """What opens the sockets says why it does not."""

    def run_it(self, *words):
        return lab.run(nest.Nest.build / "sensor/ringflow-opener", *words, check=False)

    def test_its_own_command_line_is_checked(self):
        for words in ((), ("open", "ringflowd"), ("exec",)):
            self.assertEqual(self.run_it(*words).returncode, 2, words)
            self.assertIn("usage: ringflow-opener", self.run_it(*words).stderr)

    def test_the_sensors_command_line_is_checked_first(self):
        done = self.run_it("exec", "ringflowd", "-i", "veth0", "--lanes", "nought")

        self.assertEqual(done.returncode, 2)
        self.assertIn("ringflow-opener: --lanes nought", done.stderr)

    def test_what_cannot_be_handed_on_is_refused(self):
        with nest.Nest() as room:
            self.refuse(room)

    def refuse(self, room):
        for words, reason in (
                (("-r", "x.pcap"), "capture files need no opener"),
                (("-i", "lo", "--source", "pcap"), "cannot be handed on"),
                (("-i", "lo", "-P", "tcp", "-n", "127.0.0.1:9"), "only UDP can be handed to a sensor without a")):
            done = room.command(room.installed("libexec/ringflow-opener"), "store", "ringflowd", "--config",
                                "none", *words, check=False)

            self.assertNotEqual(done.returncode, 0)
            self.assertIn(reason, done.stderr)

    def test_a_program_that_is_not_there_is_named(self):
        done = self.run_it("exec", "/there/is/no/sensor", "--config", "none", "-i", "lo", "--lanes", "1")

        self.assertEqual(done.returncode, 1)
        self.assertIn("/there/is/no/sensor: No such file", done.stderr)


class Softflowd(unittest.TestCase):
    """The unit that takes the place of Debian's, on Debian's own file."""

    def test_debians_configuration_is_read_unchanged(self):
        with nest.Nest() as room:
            sink = lab.Sink(room, room.near)
            room.write("/etc/softflowd/lan.conf", DEBIAN.replace("interface=''", "interface='%s'" % lab.LINK)
                       .replace("options=''", 'options="-n 127.0.0.1:%d -v 5"' % sink.port))

            room.systemctl("start", "softflowd@lan.service")
            room.send_udp(30)
            lab.wait_for("30 packets", lambda: " 30 packets" in status_text(room, "softflowd@lan.service"), 20)
            said = room.command(room.installed("sbin/softflowctl"), "-c", "/run/softflowd/lan.ctl", "expire-all")
            self.assertRegex(said.stdout, r"softflowd\[\d+\]: Expired 1 flows\.")
            room.systemctl("stop", "softflowd@lan.service")

            self.assertEqual(exported(sink), [(6000, 30)])
            self.assertEqual(room.show("softflowd@lan.service", "Result")["Result"], "success")


# /etc/softflowd/default.conf of Debian's package.
DEBIAN = """
#
# configuration for a single softflowd instance
#

# The interface softflowd listens on. You may also use "any" to listen
# on all interfaces. Mandatory.
interface=''

# Further options for softflowd, see "man softflowd" for details.
# options="-n 127.0.0.1:9995"
options=''
"""


class Words(unittest.TestCase):
    """What is said to a service manager, which is the test itself here."""

    def test_the_order_of_words(self):
        with lab.Lab() as room, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            path = str(room.folder / "notify")
            manager.bind(path)
            os.chmod(path, 0o666)
            words = []
            listener = threading.Thread(target=self.listen, args=(manager, words), daemon=True)
            listener.start()  # at once: those who store descriptors wait until they are heard
            sensor = room.sensor("--block-count", "4", wrap=(
                "env", "NOTIFY_SOCKET=" + path, "WATCHDOG_USEC=1000000"))
            for word in ("READY=1", "STATUS=", "WATCHDOG=1"):
                lab.wait_for(word, lambda: any(heard.startswith(word) for heard in list(words)), 20)

            self.assertRegex(words[0], "^EXTEND_TIMEOUT_USEC=", "before anything that may take long")
            self.assertGreater(int(words[0].split("=")[1]), 60000000)
            self.assertLess(words.index("READY=1"), words.index("WATCHDOG=1"))
            self.assertEqual(sensor.stop(), 0)
            lab.wait_for("STOPPING=1", lambda: any(heard.startswith("STOPPING=1") for heard in list(words)), 20)

    def listen(self, manager, words):
        manager.settimeout(30)
        try:
            while True:
                words.append(manager.recv(4096).decode())
        except OSError:
            pass


class Exposure(unittest.TestCase):
    """The units' scores by systemd-analyze, gated."""

    limits = {"ringflow@.service": 1.5, "ringflow-sealed@.service": 0.5}

    def test_each_unit_is_within_its_limit(self):
        for unit, limit in self.limits.items():
            with self.subTest(unit):
                done = lab.run("systemd-analyze", "security", "--offline=yes", "--no-pager",
                               "--threshold=%d" % round(limit * 10), nest.Nest.build / "systemd" / unit, check=False)

                self.assertIn("Overall exposure level", done.stdout, done.stderr)
                self.assertEqual(done.returncode, 0, done.stdout[-200:] + done.stderr)

    def test_a_unit_beyond_its_limit_fails(self):
        unit = nest.Nest.build / "systemd" / "softflowd@.service"

        done = lab.run("systemd-analyze", "security", "--offline=yes", "--no-pager", "--threshold=1", unit, check=False)

        self.assertEqual(done.returncode, 1)


class Nests(unittest.TestCase):
    """The nest itself: what the other tests stand on."""

    def test_two_nests_live_side_by_side(self):
        with nest.Nest() as one, nest.Nest() as other:
            one.systemctl("start", UNIT)

            self.assertEqual(one.show(UNIT, "ActiveState")["ActiveState"], "active")
            self.assertEqual(other.show(UNIT, "ActiveState")["ActiveState"], "inactive")

    def test_nothing_is_left_of_a_test_that_was_killed(self):
        code = ("import sys; sys.path.insert(0, %r); import nest; nest.Nest.build = %r\n"
                "room = nest.Nest(); room.__enter__()\n"
                "print(room.cgroup, room.folder, room.leader, flush=True); sys.stdin.read()")
        with subprocess.Popen([sys.executable, "-c", code % (str(nest.HERE), str(nest.Nest.build))],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            cgroup, folder, leader = process.stdout.readline().split()

            process.send_signal(signal.SIGKILL)

        lab.wait_for("cgroup gone", lambda: not os.path.exists(cgroup), 30)
        lab.wait_for("folder gone", lambda: not os.path.exists(folder), 30)
        self.assertFalse(pathlib.Path("/proc/%s/root/run/systemd" % leader).exists())

    def test_the_hosts_settings_cannot_be_written(self):
        with nest.Nest() as room:
            for path in ("/proc/sys/kernel/panic", "/sys/kernel/mm/transparent_hugepage/enabled"):
                tried = room.command("sh", "-c", "cat %s >> %s" % (path, path), check=False)

                self.assertIn("Read-only file system", tried.stderr, path)


if __name__ == "__main__":
    nest.main(__doc__)
