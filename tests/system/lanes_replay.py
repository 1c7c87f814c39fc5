#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Capture files in several lanes: the same records, the same statistics, whatever their number.

    lanes_replay.py [--build DIR]      needs no rights
"""

import argparse
import collections
import json
import pathlib
import random
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

import peers
import capture
import network
import wire

FIXTURES = peers.ROOT / "pcap-fixtures"
LANES = (1, 2, 3, 8)
FLOW_ID = 148
START_S = 1_700_000_000


def captures():
    for line in (FIXTURES / "MANIFEST").read_text().splitlines():
        if line and not line.startswith("#") and line.split("\t")[1] != "147":
            yield FIXTURES / line.split("\t")[0]


# -- a capture with everything ------------------------------------------------------------------


def hosts(rng, version):
    a, b = rng.sample(range(1, 200), 2)
    if version == 4:
        return "10.0.0.%d" % a, "10.0.1.%d" % b
    return "2001:db8::%x" % a, "2001:db8:1::%x" % b


def exchange(rng, number):
    """The packets of some conversation, in both directions."""
    version = rng.choice((4, 6))
    a, b = hosts(rng, version)
    kind = rng.randrange(6)
    port = 1024 + number
    if kind == 0:
        flags = [wire.SYN, wire.SYN | wire.ACK, wire.ACK, wire.ACK, wire.FIN | wire.ACK, wire.FIN | wire.ACK]
        for place, flag in enumerate(flags):
            ends = (a, b) if place % 2 == 0 else (b, a)
            ports = (port, 80) if place % 2 == 0 else (80, port)
            yield network.ip(*ends, wire.TCP, wire.tcp(*ports, flag))
    elif kind == 1:
        pieces = network.pieces4 if version == 4 else network.pieces6
        datagram = pieces(number, wire.udp(port, 53, b"f" * 2000), [800, 800], a, b)
        if rng.random() < 0.5:
            rng.shuffle(datagram)
        if rng.random() < 0.3:
            datagram = datagram[1:]  # may be the first, which is then waited for in vain
        yield from datagram
    elif kind == 2:
        message = wire.icmp(8) if version == 4 else wire.icmpv6(128)
        yield network.ip(a, b, wire.ICMP if version == 4 else wire.ICMPV6, message)
    else:
        for place in range(rng.randrange(1, 12)):
            ends = (a, b) if rng.random() < 0.6 else (b, a)
            ports = (port, 53) if ends == (a, b) else (53, port)
            yield network.ip(*ends, wire.UDP, wire.udp(*ports, b"u" * place))


def frame(rng, packet):
    wrap = rng.random()
    if wrap < 0.2:
        packet = wire.vlan(rng.randrange(1, 9), packet)
    elif wrap < 0.3:
        packet = wire.mpls([rng.randrange(16, 99)], packet)
    return wire.ethernet(packet)


def mixture(count=4000, seed=7):
    """Conversations that overlap for half an hour; stamps that go back and leap ahead; frames of no flow
    among them, which move the clock as well."""
    rng = random.Random(seed)
    packets = []
    for number in range(count):
        at = rng.uniform(0, 1800)
        for packet in exchange(rng, number):
            packets.append((at, frame(rng, packet)))
            at += rng.choice((0.001, 0.1, 1, 20, 40))
    for _ in range(300):
        packets.append((rng.uniform(0, 1800), wire.mac(wire.MAC_B) + wire.mac(wire.MAC_A) + b"\x08\x06" + bytes(46)))
    packets.sort(key=lambda row: row[0])
    out = []
    for at, data in packets:
        shift = rng.choice((0, 0, 0, 0, -0.5, -5, -35, 3, 31)) if rng.random() < 0.2 else 0
        out.append((int((START_S + at + shift) * 1e6) * 1000, data))
    return out


def write_capture(path):
    packets = mixture()
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
        for stamp_ns, data in packets:
            file.write(struct.pack("<IIII", stamp_ns // 10**9, stamp_ns % 10**9 // 1000, len(data), len(data)))
            file.write(data)
    return len(packets)


# -- what was exported --------------------------------------------------------------------------


def records5(datagram):
    count, = struct.unpack_from("!H", datagram, 2)
    return [datagram[24 + 48 * place:72 + 48 * place] for place in range(count)]


class Reader:
    """Data records of v9 and IPFIX, as (element, octets) pairs, by the templates that came before."""

    def __init__(self):
        self.templates = {}

    def records(self, datagram):
        version, = struct.unpack_from("!H", datagram)
        at, domain_at, options = (20, 16, 1) if version == 9 else (16, 12, 3)
        domain, = struct.unpack_from("!I", datagram, domain_at)
        out = []
        while at + 4 <= len(datagram):
            kind, length = struct.unpack_from("!HH", datagram, at)
            body = datagram[at + 4:at + length]
            if kind == options - 1:
                self.learn(domain, body)
            elif kind >= 256 and (domain, kind) in self.templates:
                out += self.data(self.templates[domain, kind], body)
            at += length
        return out

    def learn(self, domain, body):
        at = 0
        while at + 4 <= len(body):
            kind, count = struct.unpack_from("!HH", body, at)
            at += 4
            fields = []
            for _ in range(count):
                element, length = struct.unpack_from("!HH", body, at)
                at += 4
                enterprise = 0
                if element & 0x8000:
                    enterprise, = struct.unpack_from("!I", body, at)
                    at += 4
                fields.append(((enterprise, element), length))
            self.templates[domain, kind] = fields

    @staticmethod
    def data(fields, body):
        size, at, out = sum(length for _, length in fields), 0, []
        while at + size <= len(body):
            row = []
            for (enterprise, element), length in fields:
                if element != FLOW_ID:
                    row.append((enterprise, element, body[at:at + length]))
                at += length
            out.append(tuple(row))
        return out


class LanesReplay(unittest.TestCase):
    build = peers.ROOT / "build"

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.mixture = pathlib.Path(cls.folder.name) / "mixture.pcap"
        cls.mixture_packets = write_capture(cls.mixture)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def run_sensor(self, lanes, name, *options):
        return subprocess.run([str(self.build / "sensor/ringflowd"), "-r", str(name), "--lanes", str(lanes),
                               "--domain", "7", *options], stdin=subprocess.DEVNULL, capture_output=True,
                              timeout=60)

    def printed(self, lanes, name, *options):
        """Sorted records without their numbers; exit status and statistics."""
        done = self.run_sensor(lanes, name, "--print", "json", *options)
        rows = [json.loads(line) for line in done.stdout.decode().splitlines() if line.startswith("{")]
        for row in rows:
            del row["flow_id"]
        return sorted(json.dumps(row, sort_keys=True) for row in rows), done.returncode, done.stderr.decode()

    def assert_same(self, name, *options):
        wanted = self.printed(1, name, *options)
        for lanes in LANES[1:]:
            found = self.printed(lanes, name, *options)
            self.assertEqual(found[0], wanted[0], (name, lanes, options))
            self.assertEqual(found[1:], wanted[1:], (name, lanes, options))
        return wanted

    # -- printed --------------------------------------------------------------------------------

    def test_every_fixture(self):
        for name in captures():
            with self.subTest(name.name):
                self.assert_same(name)

    def test_mixture(self):
        for options in ([], ["-s", "3"], ["-s", "100"], ["-T", "ip"], ["-T", "ether"], ["--fragments", "separate"],
                        ["-t", "expint=7", "-t", "maxlife=30"], ["-t", "maxlife=0"], ["udp", "or", "vlan"]):
            with self.subTest(" ".join(options)):
                records, status, text = self.assert_same(self.mixture, *options)
                self.assertEqual(status, 0)
                self.assertGreater(len(records), 100)

    def test_books_have_every_packet_once(self):
        for lanes in LANES:
            text = self.printed(lanes, self.mixture)[2]
            processed, = re.findall(r"^Packets processed: (\d+)$", text, re.M)
            ignored, = re.findall(r"^Ignored packets: (\d+)", text, re.M)
            self.assertEqual(int(processed) + int(ignored), self.mixture_packets)

    def test_flow_ids_are_unique(self):
        for lanes in LANES:
            done = self.run_sensor(lanes, self.mixture, "--print", "json", "-t", "maxlife=0")
            rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
            numbers = collections.Counter(row["flow_id"] for row in rows)
            self.assertLessEqual(max(numbers.values()), 2)  # its directions

    def test_several_files_and_a_damaged_one(self):
        names = ["-r", str(FIXTURES / "cut-record.pcap"), "-r", str(self.mixture)]
        self.assertEqual(self.assert_same(FIXTURES / "link-ethernet.pcap", *names)[1], 4)

    def test_standard_input(self):
        wanted = self.printed(1, self.mixture)[0]
        for lanes in LANES:
            done = subprocess.run([str(self.build / "sensor/ringflowd"), "-r", "-", "--lanes", str(lanes), "--domain",
                                   "7", "--print", "json"], input=self.mixture.read_bytes(), capture_output=True,
                                  timeout=60)
            rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
            for row in rows:
                del row["flow_id"]
            self.assertEqual(sorted(json.dumps(row, sort_keys=True) for row in rows), wanted)

    def test_missing_file_ends_with_1_in_any_number_of_lanes(self):
        for lanes in LANES:
            self.assertEqual(self.run_sensor(lanes, "/nonexistent.pcap").returncode, 1)

    def test_sigterm_ends_every_lane(self):
        data = self.mixture.read_bytes()
        for lanes in LANES:
            process = subprocess.Popen([str(self.build / "sensor/ringflowd"), "-r", "-", "--lanes", str(lanes)],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            process.stdin.write(data)
            process.stdin.flush()
            time.sleep(0.3)
            process.terminate()
            self.assertEqual(process.wait(10), 0, lanes)
            for stream in (process.stdin, process.stdout, process.stderr):
                stream.close()

    def test_forced_flows_are_counted(self):
        for lanes in LANES:
            text = self.printed(lanes, self.mixture, "-m", "5", "-t", "udp=1h")[2]
            forced, = re.findall(r"^Flows expired: \d+ \((\d+) forced\)$", text, re.M)
            self.assertGreater(int(forced), 0)

    # -- exported -------------------------------------------------------------------------------

    def exported(self, lanes, name, version, *options):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
            sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
            sink.bind(("127.0.0.1", 0))
            done = self.run_sensor(lanes, name, "-v", version, "-n", "127.0.0.1:%d" % sink.getsockname()[1], *options)
            self.assertEqual(done.returncode, 0, done.stderr)
            sink.setblocking(False)
            datagrams = []
            while True:
                try:
                    datagrams.append(sink.recv(65536))
                except BlockingIOError:
                    return datagrams

    def assert_same_export(self, name, version, *options):
        """Records are the same in sum; sequences have no gap in any lane."""
        wanted = None
        for lanes in LANES:
            reader, found, engines = Reader(), collections.Counter(), set()
            expected = {}
            for datagram in self.exported(lanes, name, version, *options):
                rows = records5(datagram) if version == "5" else reader.records(datagram)
                found.update(rows)
                if version == "5":
                    engine, sequence = datagram[21], struct.unpack_from("!I", datagram, 16)[0]
                    self.assertEqual(sequence, expected.get(engine, 0))
                    expected[engine] = sequence + len(rows)
                else:
                    engine, = struct.unpack_from("!I", datagram, 16 if version == "9" else 12)
                engines.add(engine)
            first = 0 if version == "5" else 7
            self.assertLessEqual(engines, set(range(first, first + lanes)))
            if wanted is None:
                wanted = found
                self.assertGreater(sum(found.values()), 0)
            self.assertEqual(found, wanted, (name, version, lanes))
            if sum(found.values()) > 100:
                self.assertEqual(len(engines), lanes)

    def test_mixture_in_every_version(self):
        for version in ("5", "9", "10"):
            with self.subTest(version):
                self.assert_same_export(self.mixture, version)
        self.assert_same_export(self.mixture, "10", "-b", "-x", "3", "-T", "ether")

    def test_demo_in_every_version(self):
        for version in ("5", "9", "10"):
            self.assert_same_export(FIXTURES / "demo.pcap", version)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(peers.ROOT / "build"))
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    LanesReplay.build = pathlib.Path(arguments.build).resolve()
    unittest.main(argv=[sys.argv[0], "-v", *arguments.cases])


if __name__ == "__main__":
    main()
