#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""What the sensor may still do once it is at work: read from /proc for each of its threads, and
tried out."""

import errno
import os
import pathlib
import pwd
import signal
import subprocess
import time
import unittest

import lab
import tracer

NET_RAW = 1 << 13
SETS = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def statuses(pid):
    """/proc/PID/task/TID/status of every thread, by name; the main thread first."""
    out = []
    for folder in sorted(pathlib.Path("/proc/%d/task" % pid).iterdir(), key=lambda path: int(path.name)):
        lines = (folder / "status").read_text().splitlines()
        out.append({name: value.strip() for name, value in (line.split(":", 1) for line in lines)})
    return out


def user_of(status):
    return pwd.getpwuid(int(status["Uid"].split()[0])).pw_name


def is_sanitized(sensor):
    return "this is a build with sanitizers" in sensor.log()


def source():
    return lab.Sensor.source or "tpacket"


def kept():
    """libpcap opens its interface again."""
    return NET_RAW if source() == "pcap" else 0


class Privileges(unittest.TestCase):
    def check_threads(self, sensor, pid=None, capabilities=0, user=None):
        found = statuses(pid or sensor.process.pid)
        for status in found:
            for name in SETS:
                wanted = capabilities if name in ("CapPrm", "CapEff") else 0
                self.assertEqual(int(status[name], 16), wanted, (name, status))
            self.assertEqual(status["NoNewPrivs"], "1")
            if not is_sanitized(sensor):
                self.assertEqual(status["Seccomp"], "2")
            self.assertEqual(user_of(status), user or self.own_user())
            self.assertEqual(status["Groups"], str(pwd.getpwnam(user or self.own_user()).pw_gid))
        return found

    def own_user(self):
        try:
            return pwd.getpwnam("ringflow").pw_name
        except KeyError:
            return "nobody"

    def test_no_thread_has_rights(self):
        with lab.Lab() as room:
            sensor = room.sensor("--lanes", "2", "--print", "json")
            room.send_udp(20)
            lab.wait_for("packets", lambda: sensor.processed() == 20, 5)

            expected = 4 if source() == "tpacket" else 3  # main, printing, a lane or two
            self.assertEqual(len(self.check_threads(sensor, capabilities=kept())), expected)
            self.assertIn("%d threads checked" % expected, sensor.log())
            self.assertEqual(sensor.stop(), 0)

    def test_a_daemon_has_none_either_and_leaves_no_pid(self):
        with lab.Lab() as room:
            sensor = room.sensor(is_daemon=True)
            pid = int(pathlib.Path(sensor.pid_file).read_text())

            self.check_threads(sensor, pid, capabilities=kept())
            self.assertIn("Valid control words", sensor.ctl("help", check=False).stdout)
            os.kill(pid, signal.SIGTERM)
            lab.wait_for("the pid file gone", lambda: not os.path.exists(sensor.pid_file), 10)

    def test_where_the_pid_file_cannot_be_removed_it_is_left_empty(self):
        with lab.Lab() as room:
            os.chown(room.folder, 0, 0)
            room.folder.chmod(0o755)
            sensor = room.sensor(is_daemon=True)
            os.kill(int(pathlib.Path(sensor.pid_file).read_text()), signal.SIGTERM)

            lab.wait_for("an empty pid file", lambda: os.path.getsize(sensor.pid_file) == 0, 10)

    def test_the_user_is_the_one_that_was_asked_for(self):
        with lab.Lab() as room:
            os.chown(room.folder, pwd.getpwnam("daemon").pw_uid, 0)
            sensor = room.sensor("--user", "daemon")

            self.check_threads(sensor, user="daemon", capabilities=kept())
            self.assertIn("rights: user daemon", sensor.log())

    def test_root_may_stay_root_without_capabilities(self):
        with lab.Lab() as room:
            sensor = room.sensor("--user", "root")

            status = statuses(sensor.process.pid)[0]
            self.assertEqual(user_of(status), "root")
            self.assertEqual(int(status["CapEff"], 16), kept())
            self.assertEqual(int(status["CapBnd"], 16), 0)

    def test_an_unknown_user_is_refused(self):
        with lab.Lab() as room:
            with self.assertRaises(AssertionError) as caught:
                room.sensor("--user", "no-such-user")

            self.assertIn("--user no-such-user: no such user", str(caught.exception))

    def test_without_the_right_to_change_it_the_user_stays(self):
        few = ("setpriv", "--bounding-set=-setuid,-setgid")
        with lab.Lab() as room:
            sensor = room.sensor(wrap=few)

            self.assertEqual(user_of(statuses(sensor.process.pid)[0]), "root")
            self.assertEqual(int(statuses(sensor.process.pid)[0]["CapEff"], 16), kept())
            with self.assertRaises(AssertionError) as caught:
                room.sensor("--user", "daemon", wrap=few)
            self.assertIn("needs CAP_SETUID and CAP_SETGID", str(caught.exception))

    def test_parts_that_are_switched_off_are_a_warning(self):
        with lab.Lab() as room:
            sensor = room.sensor("--sandbox", "none")

            self.assertEqual(statuses(sensor.process.pid)[0]["Seccomp"], "0")
            self.assertIn("less than the usual protection: --sandbox leaves", sensor.log())
            self.assertIn("any path, any system call", sensor.log())

    def test_a_capture_file_is_read_without_rights(self):
        with lab.Lab() as room:
            pipe = room.folder / "pipe"
            os.mkfifo(pipe)
            with subprocess.Popen(
                    [str(lab.Sensor.build / "sensor/ringflowd"), "-r", str(pipe), "--lanes", "2", "--print",
                     "csv"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
                with open(pipe, "wb") as writer:
                    writer.write((lab.ROOT / "pcap-fixtures/demo.pcap").read_bytes()[:24])
                    writer.flush()
                    lab.wait_for("all threads", lambda: len(statuses(process.pid)) == 5, 10)
                    found = statuses(process.pid)
                output, errors = process.communicate(timeout=20)
            self.assertEqual(process.returncode, 0, errors)
            for status in found:
                self.assertEqual([int(status[name], 16) for name in SETS], [0] * len(SETS))
                self.assertEqual(status["NoNewPrivs"], "1")
                self.assertEqual(user_of(status), "root")

    def each_thread(self, name):
        """What each thread of a sensor of its own gets from this system call."""
        if not tracer.can_call:
            self.skipTest("calls cannot be injected on this kind of processor")
        for place in range(2):
            with lab.Lab() as room:
                sensor = room.sensor()
                if is_sanitized(sensor):
                    self.skipTest("this is a build with sanitizers")
                thread = sorted(int(name) for name in os.listdir("/proc/%d/task" % sensor.process.pid))[place]
                with tracer.Tracer(thread) as held:
                    result = held.call(name)
                yield sensor, result

    def test_an_intruders_call_ends_the_process_from_any_thread(self):
        for sensor, result in self.each_thread("execve"):
            self.assertEqual(result, signal.SIGSYS)
            sensor.process.wait(10)

    def test_another_call_is_refused_and_the_sensor_goes_on(self):
        for sensor, result in self.each_thread("acct"):
            self.assertEqual(result, -errno.ENOSYS)
            time.sleep(0.3)
            self.assertIn("Packets processed", sensor.statistics())
            self.assertEqual(sensor.stop(), 0)

    def test_an_interface_may_be_made_anew_again_and_again(self):
        with lab.Lab() as room:
            sensor = room.sensor("--lanes", "2", "--print", "json")
            for again in range(5):
                room.remove_link()
                lab.wait_for("loss %d in the log" % (again + 1), lambda: sensor.log().count("went down") > again, 5)
                room.make_link()
                lab.wait_for("return %d in the log" % (again + 1), lambda: sensor.log().count("is back") > again, 5)
                for port in range(6000, 6020):  # over both lanes
                    room.send_udp(3, source_port=port)
                lab.wait_for("packets of round %d" % again,
                             lambda: sensor.processed() == 60 * (again + 1), 5)
            self.assertEqual(sensor.stop(), 0, sensor.log())


if __name__ == "__main__":
    lab.main(__doc__)
