#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Clients of the control socket that are many, slow or gone, while packets flow: none of these costs
a packet, and what the daemon keeps for them is bounded.
"""

import json
import os
import pathlib
import resource
import socket
import subprocess
import time
import unittest

import lab
import varlink

STRANGER = 54321
CLIENTS = 2000
RATE = 20000  # packets a second, far below what a busy machine can bear
# A million flows: so many sources with so many ports each. With RINGFLOW_SOURCES=100 there are four.
SOURCES, PORTS = int(os.environ.get("RINGFLOW_SOURCES", "25")), 40000


class Gun:
    """Numbered packets from the far end, as a process."""

    def __init__(self, room, count, rate=RATE, flows=100, source="192.0.2.1"):
        self.count = count
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", room.far, str(lab.Sensor.build / "tests/packet_gun"), "-i", lab.LINK, "-n",
             str(count), "-r", str(rate), "-F", str(flows), "-s", source, "-d", lab.NEAR4],
            stdout=subprocess.PIPE, text=True)

    def wait(self, timeout_s=120):
        out = self.process.communicate(timeout=timeout_s)[0]
        assert self.process.returncode == 0
        return json.loads(out)["sent"]

    def is_firing(self):
        return self.process.poll() is None


def memory_kib(sensor):
    text = pathlib.Path("/proc/%d/status" % sensor.process.pid).read_text()
    return int(text.split("VmRSS:")[1].split()[0])


def descriptors(sensor):
    return len(os.listdir("/proc/%d/fd" % sensor.process.pid))


class Load(unittest.TestCase):
    def assert_none_lost(self, sensor, sent):
        lab.wait_for("%d packets" % sent, lambda: sensor.statistics()["Packets processed"] >= sent, 30)
        counts = sensor.statistics()
        self.assertEqual(counts["Packets processed"], sent)
        self.assertEqual(counts["Packets dropped by libpcap"], 0)

    def make_sensor(self, room, *options):
        sensor = room.sensor("-t", "udp=1h", "-t", "maxlife=1w", "--control-mode", "0666", *options)
        os.chmod(room.folder, 0o755)
        lab.wait_for("the first look", lambda: "LANE" in sensor.ctl("status").stdout, 5)
        return sensor


class Crowd(Load):
    """Two thousand at once, of a user who may not take the places that are kept."""

    SCRIPT = """
import os, resource, socket, sys
path, count = sys.argv[1], int(sys.argv[2])
clients = []
for _ in range(count):
    client = socket.socket(socket.AF_UNIX)
    client.connect(path)  # waits while the backlog is full
    clients.append(client)
refused = 0
print("connected", flush=True)
for client in clients:
    client.setblocking(False)
    try:
        refused += client.recv(100).startswith(b"Too many control connections")
    except BlockingIOError:
        pass
print(refused, flush=True)
sys.stdin.read(1)
"""

    def test_two_thousand_clients_cost_no_packet_and_no_descriptor(self):
        with lab.Lab() as room:
            sensor = self.make_sensor(room)
            before = descriptors(sensor)
            limit = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit[0], CLIENTS + 100), limit[1]))
            gun = Gun(room, 8 * RATE)
            crowd = subprocess.Popen(["python3", "-c", self.SCRIPT, sensor.control, str(CLIENTS)], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=STRANGER,
                                     group=STRANGER, extra_groups=[])
            try:
                self.assertEqual(crowd.stdout.readline(), "connected\n")
                # Those who may change things find a place.
                for word in ("status", "expire-all", "statistics"):
                    self.assertEqual(sensor.ctl(word).returncode, 0)
                self.assertLessEqual(descriptors(sensor), before + 32)
                refused = int(crowd.stdout.readline())
                self.assertGreaterEqual(refused, CLIENTS - 3 * 28)
                self.assert_none_lost(sensor, gun.wait())
                crowd.communicate("x", timeout=20)
            finally:
                crowd.kill()
                crowd.wait()
                resource.setrlimit(resource.RLIMIT_NOFILE, limit)
            lab.wait_for("all descriptors", lambda: descriptors(sensor) == before, 15)
            self.assertEqual(sensor.stop(), 0)

    def test_silent_clients_are_hung_up_on(self):
        with lab.Lab() as room:
            sensor = self.make_sensor(room)
            before = descriptors(sensor)
            gun = Gun(room, 13 * RATE)
            silent = [socket.socket(socket.AF_UNIX) for _ in range(28)]
            for place, client in enumerate(silent):
                client.settimeout(30)
                client.connect(sensor.control)
                client.send((b"stat", b'{"method":', b"")[place % 3])
            for client in silent:
                self.assertEqual(client.recv(10), b"")  # the daemon's patience ends
                client.close()
            self.assertEqual(descriptors(sensor), before)
            self.assert_none_lost(sensor, gun.wait())

    def test_clients_that_hang_up_early_do_no_harm(self):
        with lab.Lab() as room:
            sensor = self.make_sensor(room)
            before = descriptors(sensor)
            gun = Gun(room, 4 * RATE)
            words = (b"dump-flows\n", b"statistics\n", b"", b"top\n",
                     b'{"method":"io.ringflow.Sensor.Flows","parameters":{"limit":0},"more":true}\0')
            tries = 0
            while gun.is_firing():
                with socket.socket(socket.AF_UNIX) as client:
                    client.connect(sensor.control)
                    try:
                        client.send(words[tries % len(words)])
                    except BrokenPipeError:
                        pass
                tries += 1
                time.sleep(0.005)
            self.assertGreater(tries, 50)
            self.assert_none_lost(sensor, gun.wait())
            lab.wait_for("all descriptors", lambda: descriptors(sensor) == before, 15)
            self.assertEqual(sensor.stop(), 0)


class Million(Load):
    """A million flows are open."""

    def fill(self, room, sensor):
        sent = 0
        for place in range(SOURCES):
            sent += Gun(room, PORTS, rate=100000, flows=PORTS, source="198.51.100.%d" % place).wait()
        lab.wait_for("all of it", lambda: sensor.processed() == sent, 60)
        return sent

    def test_one_octet_a_second_costs_no_packet_and_no_memory(self):
        with lab.Lab() as room:
            # A lane may get more than its share of the sources.
            sensor = self.make_sensor(room, "-m", str(2 * SOURCES * PORTS))
            sent = self.fill(room, sensor)
            flows = SOURCES * PORTS
            before_kib, before = memory_kib(sensor), descriptors(sensor)
            gun = Gun(room, 14 * RATE, flows=PORTS, source="198.51.100.0")
            slow = []
            for octets in (b"dump-flows\n",
                           b'{"method":"io.ringflow.Sensor.Flows","parameters":{"limit":0},"more":true}\0',
                           b'{"method":"io.ringflow.Sensor.Run","parameters":{"word":"dump-flows"},"more":true}\0'):
                client = socket.socket(socket.AF_UNIX)
                client.settimeout(20)
                client.connect(sensor.control)
                client.sendall(octets)
                slow.append(client)
            most_kib = 0
            for _ in range(12):
                for client in slow:
                    client.recv(1)
                most_kib = max(most_kib, memory_kib(sensor))
                time.sleep(1)
            self.assertLess(most_kib - before_kib, 8192)
            # What they take frees no buffer, which is no progress: they were hung up on, and what they
            # have is a part of it.
            lab.wait_for("hung up on", lambda: descriptors(sensor) == before, 60)
            for client in slow:
                received = 0
                while True:
                    more = client.recv(1 << 16)
                    if not more:
                        break
                    received += len(more)
                self.assertLess(received, 1 << 22)
                client.close()
            self.assert_none_lost(sensor, sent + gun.wait())

            with self.subTest("whoever reads gets all of it, and packets flow meanwhile"):
                gun = Gun(room, 10 * RATE, flows=PORTS, source="198.51.100.1")
                with varlink.Connection(sensor.control) as link:
                    link.send(varlink.OURS + ".Flows", {"limit": 0}, more=True)
                    ids = [flow["id"] for part in link.replies() for flow in part["flows"]]
                self.assertEqual((len(ids), len(set(ids))), (flows, flows))
                best = json.loads(sensor.ctl("flows", "--json", "--sort", "packets", "--limit", "1").stdout)
                self.assertEqual((best["seen"], best["matched"]), (flows, flows))
                top = json.loads(sensor.ctl("top", "--json", "--by", "initiator", "--sort", "flows",
                                            "--limit", "100").stdout)
                self.assertEqual([row["flows"] for row in top["groups"]], [PORTS] * SOURCES)
                self.assert_none_lost(sensor, sent + 14 * RATE + gun.wait())
            self.assertEqual(sensor.stop(timeout=60), 0)


if __name__ == "__main__":
    lab.main(__doc__)
