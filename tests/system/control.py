#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The process around the lanes: daemon mode, the control socket and its twelve words."""

import os
import pathlib
import socket
import subprocess
import time
import unittest

import lab


def read(path):
    return pathlib.Path(path).read_text()


def is_alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return read("/proc/%d/stat" % pid).rsplit(")", 1)[1].split()[0] != "Z"


class Daemon(unittest.TestCase):
    def test_daemon_writes_its_pid_and_removes_its_files(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            sensor = room.sensor("-v", "5", "-n", "127.0.0.1:%d" % sink.port, is_daemon=True)
            pid = int(read(sensor.pid_file))
            self.assertTrue(is_alive(pid))
            room.send_udp(20)
            lab.wait_for("20 packets", lambda: sensor.processed() == 20, 3)

            os.kill(pid, 15)

            lab.wait_for("the end", lambda: not is_alive(pid), 10)
            self.assertFalse(os.path.exists(sensor.pid_file))
            self.assertFalse(os.path.exists(sensor.control))
            rows = [row for _, some in lab.netflow5(sink.close()) for row in some]
            self.assertEqual([row[2:4] for row in rows], [(20, 2000)])

    def test_second_daemon_is_refused_and_does_the_first_no_harm(self):
        with lab.Lab() as room:
            first = room.sensor(is_daemon=True)
            second = room.at(room.near, str(lab.Sensor.build / "sensor/ringflowd"), "-i", lab.LINK,
                             "-p", first.pid_file, "-c", first.control, check=False, timeout=10)

            self.assertEqual(second.returncode, 1)
            self.assertNotEqual(second.stderr, "")
            room.send_udp(20)
            lab.wait_for("20 packets", lambda: first.processed() == 20, 3)
            pid = int(read(first.pid_file))
            first.ctl("shutdown")
            lab.wait_for("the end", lambda: not is_alive(pid), 10)

    def test_file_that_is_no_socket_is_left_alone(self):
        with lab.Lab() as room:
            path = room.folder / "notes"
            path.write_text("keep me")
            done = room.at(room.near, str(lab.Sensor.build / "sensor/ringflowd"), "-d", "-i", lab.LINK,
                           "-c", str(path), check=False, timeout=10)
            self.assertEqual(done.returncode, 1)
            self.assertIn(str(path), done.stderr)
            self.assertEqual(path.read_text(), "keep me")

    def test_daemon_lets_go_of_inherited_descriptors(self):
        with lab.Lab() as room:
            lock = room.folder / "lock"
            command = 'exec 9>%s; exec "$@"' % lock
            pid_file, control = room.folder / "pid", room.folder / "control"
            room.at(room.near, "sh", "-c", command, "sh", str(lab.Sensor.build / "sensor/ringflowd"),
                    "-i", lab.LINK, "-p", str(pid_file), "-c", str(control))
            pid = int(read(pid_file))
            held = [os.readlink(entry) for entry in pathlib.Path("/proc/%d/fd" % pid).iterdir()]
            os.kill(pid, 15)
            lab.wait_for("the end", lambda: not is_alive(pid), 10)
            self.assertNotIn(str(lock), held)

    def test_names_of_the_incumbent_are_taken(self):
        with lab.Lab() as room:
            os.symlink(lab.Sensor.build / "sensor/ringflowd", room.folder / "softflowd")
            os.symlink(lab.Sensor.build / "sensor/ringflowctl", room.folder / "softflowctl")
            control, pid_file = str(room.folder / "ctl"), str(room.folder / "pid")
            room.at(room.near, str(room.folder / "softflowd"), "-i", "3:" + lab.LINK, "-p", pid_file,
                    "-p", pid_file, "-c", control, "-t", "maxlife=1h", "-v", "9", "-m", "8192",
                    timeout=10)
            pid = int(lab.wait_for("pid file", lambda: os.path.exists(pid_file) and read(pid_file), 5))
            try:
                room.send_udp(20)
                text = lab.run(room.folder / "softflowctl", "-c", control, "statistics").stdout
                self.assertTrue(text.startswith("softflowd[%d]: Accumulated statistics since" % pid), text)
            finally:
                os.kill(pid, 15)
                lab.wait_for("the end", lambda: not is_alive(pid), 10)


class Words(unittest.TestCase):
    """All twelve, in the layout that monitoring scripts read."""

    @classmethod
    def setUpClass(cls):
        cls.room = lab.Lab().__enter__()
        cls.sensor = cls.room.sensor("-t", "udp=300", "-t", "maxlife=1w")
        pid = cls.sensor.process.pid
        # "ip netns exec" became the sensor, so its pid is ours.
        cls.prefix = "ringflowd[%d]: " % pid

    @classmethod
    def tearDownClass(cls):
        cls.room.__exit__()

    def send(self, count=20, flows=1):
        before = self.sensor.processed()
        for place in range(flows):
            self.room.send_udp(count // flows, source_port=6000 + place)
        lab.wait_for("packets", lambda: self.sensor.processed() == before + count, 3)

    def words(self, word):
        done = self.sensor.ctl(word)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(done.stderr, "")
        return done.stdout

    def setUp(self):
        self.words("delete-all")

    def test_statistics(self):
        self.send()
        text = self.words("statistics")
        self.assertTrue(text.startswith(self.prefix + "Accumulated statistics since 20"), text)
        for line in ("Number of active flows: 1\n", "Fragments: 0\n", "Packets received by libpcap: ",
                     "Packets dropped by libpcap: 0\n", "Packets dropped by interface: "):
            self.assertIn("\n" + line, text)

    def test_dump_flows(self):
        self.send()
        text = self.words("dump-flows")
        lines = text.splitlines()
        self.assertEqual(lines[0], self.prefix + "Dumping flow data:")
        self.assertRegex(lines[1], r"^ACTIVE seq:\d+ \[10\.99\.0\.2\]:6000 <> \[10\.99\.0\.1\]:7000 "
                         r"proto:17 octets>:2000 packets>:20 octets<:0 packets<:0 start:")
        self.assertRegex(lines[2], r"^EXPIRY EVENT for flow \d+ in \d+ seconds$")
        self.assertEqual(lines[3], "")

    def test_timeouts(self):
        lines = self.words("timeouts").splitlines()
        self.assertEqual(lines[0], self.prefix + "Printing timeouts:")
        self.assertIn("           UDP timeout: 300s", lines)
        self.assertIn("      Maximum lifetime: 604800s", lines)
        self.assertEqual(len(lines), 9)

    def test_expire_all(self):
        self.send(20, flows=4)
        self.assertEqual(self.words("expire-all"), self.prefix + "Expired 4 flows.\n")
        self.assertEqual(self.sensor.flows(), [])

    def test_delete_all(self):
        self.send(20, flows=4)
        self.assertEqual(self.words("delete-all"), self.prefix + "Deleted 4 flows.\n")
        self.assertEqual(self.sensor.flows(), [])

    def test_send_template(self):
        self.assertEqual(self.words("send-template"),
                         self.prefix + "Template will be sent at next flow export\n")

    def test_debug(self):
        self.assertEqual(self.words("debug+"), self.prefix + "Debug level increased.\n")
        self.assertEqual(self.words("debug-"), self.prefix + "Debug level decreased.\n")

    def test_stop_and_start_gather(self):
        self.send()
        self.assertEqual(self.words("stop-gather"), self.prefix + "Data collection stopped.\n")
        before = self.sensor.flows()
        self.room.send_udp(20)
        time.sleep(0.3)
        self.assertEqual(self.sensor.flows(), before)
        self.assertRegex(self.words("statistics"), r"(?m)^ *not.gathered: +20  ")
        self.assertEqual(self.words("start-gather"), self.prefix + "Data collection resumed.\n")
        self.room.send_udp(20, source_port=6100)
        lab.wait_for("the new flow", lambda: [flow for flow in self.sensor.flows() if "6100" in
                     (flow["aport"], flow["bport"])], 3)

    def test_help_lists_all_words(self):
        text = self.words("help")
        self.assertTrue(text.startswith("Valid control words are:\n"), text)
        for word in ("debug+ debug- delete-all dump-flows exit expire-all shutdown start-gather "
                     "statistics stop-gather timeouts send-template").split():
            self.assertIn(word, text.split())

    def test_unknown_word_fails(self):
        done = self.sensor.ctl("nonsense", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn('Unknown control command "nonsense"', done.stdout + done.stderr)

    def test_no_daemon_fails(self):
        done = lab.run(lab.Sensor.build / "sensor/ringflowctl", "-c", "/nonexistent/socket",
                       "statistics", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("/nonexistent/socket", done.stderr)


class Clients(unittest.TestCase):
    def test_silent_clients_do_not_hold_up_capture(self):
        with lab.Lab() as room:
            sensor = room.sensor()
            silent = [socket.socket(socket.AF_UNIX) for _ in range(20)]
            for client in silent:
                client.connect(sensor.control)
            silent[0].send(b"stat")  # half a word

            room.send_udp(20)

            lab.wait_for("20 packets", lambda: sensor.processed() == 20, 2)
            for client in silent:
                client.close()
            self.assertEqual(sensor.stop(), 0)

    def test_client_too_many_is_told_so(self):
        with lab.Lab() as room:
            sensor = room.sensor()
            silent = [socket.socket(socket.AF_UNIX) for _ in range(32)]
            for client in silent:
                client.connect(sensor.control)
            for _ in range(20):
                done = sensor.ctl("statistics", check=False)
                self.assertEqual(done.returncode, 1)
                self.assertIn("Too many control connections", done.stderr)
            for client in silent:
                client.close()
            self.assertEqual(sensor.stop(), 0)

    def test_slow_reader_of_a_dump_gets_all_of_it(self):
        with lab.Lab() as room:
            sensor = room.sensor("-t", "udp=10m")
            for place in range(3000):
                room.send_udp(1, source_port=10000 + place)
            lab.wait_for("3000 packets", lambda: sensor.processed() == 3000, 5)
            dump = subprocess.Popen([str(lab.Sensor.build / "sensor/ringflowctl"), "-c",
                                     sensor.control, "dump-flows"], stdout=subprocess.PIPE)
            time.sleep(12)  # longer than the daemon waits for a client
            text = dump.communicate()[0].decode()
            self.assertEqual((text.count("ACTIVE seq:"), dump.returncode), (3000, 0))
            self.assertEqual(sensor.stop(), 0)

    def test_client_that_does_not_read_does_not_hold_up_capture(self):
        with lab.Lab() as room:
            sensor = room.sensor("-t", "udp=10m")
            for place in range(400):
                room.send_udp(1, source_port=10000 + place)
            lab.wait_for("400 packets", lambda: sensor.processed() == 400, 3)
            deaf = socket.socket(socket.AF_UNIX)
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
            deaf.connect(sensor.control)
            deaf.send(b"dump-flows\n")
            time.sleep(0.2)

            room.send_udp(20)

            lab.wait_for("20 more", lambda: sensor.processed() == 420, 2)
            deaf.close()
            self.assertEqual(len(sensor.flows()), 401)
            self.assertEqual(sensor.stop(), 0)


if __name__ == "__main__":
    lab.main(__doc__)
