#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""IPFIX over TCP and into files from a live sensor: connections that break, collectors that misbehave, crashes.

    sessions.py [--build DIR] [--source SOURCE]      needs root
"""

import json
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import lab

sys.path.insert(0, str(lab.ROOT / "pcap-fixtures"))
import capture  # noqa: E402

SOURCE_PORT = 7  # sourceTransportPort
PACKETS = 2


class Stream:
    """The messages of one connection, checked as they are taken apart."""

    def __init__(self):
        self.bytes = b""
        self.messages, self.sequence, self.gap = 0, 0, 0
        self.templates, self.options, self.ports, self.packets = {}, set(), [], 0
        self.is_ending = False

    def feed(self, data):
        self.bytes += data
        while len(self.bytes) >= 16:
            version, length = struct.unpack_from("!HH", self.bytes)
            assert version == 10 and length >= 16, (version, length)
            if len(self.bytes) < length:
                return
            self.message(self.bytes[:length])
            self.bytes = self.bytes[length:]

    def message(self, message):
        sequence = struct.unpack_from("!I", message, 8)[0]
        self.gap += sequence - self.sequence
        self.sequence = sequence
        at = 16
        while at < len(message):
            set_id, length = struct.unpack_from("!HH", message, at)
            self.take_set(set_id, message[at + 4:at + length])
            at += length
        self.messages += 1

    def take_set(self, set_id, body):
        if set_id in (2, 3):
            self.take_templates(body, set_id == 3)
            return
        assert set_id in self.templates, "data of a template that this connection has not seen"
        fields, at = self.templates[set_id], 0
        size = sum(octets for _, octets in fields)
        while at + size <= len(body):
            values, place = {}, at
            for element, octets in fields:
                values[element] = int.from_bytes(body[place:place + octets], "big")
                place += octets
            at += size
            self.sequence += 1
            if set_id not in self.options:
                self.ports.append(values.get(SOURCE_PORT))
                self.packets += values[PACKETS]

    def take_templates(self, body, is_options):
        at = 0
        while at + 4 <= len(body):
            identity, count = struct.unpack_from("!HH", body, at)
            at += 6 if is_options else 4
            fields = []
            for _ in range(count):
                element, octets = struct.unpack_from("!HH", body, at)
                at += 8 if element & 0x8000 else 4
                fields.append((element, octets))
            self.templates[identity] = fields
            if is_options:
                self.options.add(identity)


class Peer:
    """A collector over TCP in a namespace; each connection is a Stream."""

    def __init__(self, room, name, address, reads=True):
        self.socket = room.socket(name, socket.AF_INET, socket.SOCK_STREAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        self.socket.bind((address, 0))
        self.socket.listen(8)
        self.socket.settimeout(0.1)
        self.target = "%s:%d" % self.socket.getsockname()
        self.streams, self.connections, self.is_open, self.reads = [], [], True, reads
        self.error = None
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while self.is_open:
            try:
                connection = self.socket.accept()[0]
            except socket.timeout:
                continue
            except OSError:
                return
            self.connections.append(connection)
            self.streams.append(Stream())
            if self.reads:
                threading.Thread(target=self.read, args=(connection, self.streams[-1]), daemon=True).start()

    def read(self, connection, stream):
        """Whoever wants the connection closed sets .is_ending: only who reads can close it at once."""
        connection.settimeout(0.05)
        try:
            while not stream.is_ending:
                try:
                    data = connection.recv(65536)
                except socket.timeout:
                    continue
                if not data:
                    break
                stream.feed(data)
            connection.close()
        except OSError:
            return
        except AssertionError as error:
            self.error = error

    def hang_up(self):
        """Close the newest connection."""
        self.streams[-1].is_ending = True
        if not self.reads:
            self.connections[-1].close()

    def reset(self):
        self.connections[-1].setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.hang_up()

    def ports(self):
        return sorted(port for stream in self.streams for port in stream.ports)

    def packets(self):
        return sum(stream.packets for stream in self.streams)

    def close(self):
        time.sleep(0.3)
        self.is_open = False
        self.thread.join(2)
        self.socket.close()
        for connection in self.connections:
            connection.close()
        if self.error:
            raise self.error


class Sessions(unittest.TestCase):
    def send_flows(self, room, sensor, first_port, count):
        """That many flows of two packets each, exported at once."""
        before = sensor.processed()
        for place in range(count):
            room.send_udp(2, source_port=first_port + place)
        lab.wait_for("packets", lambda: sensor.processed() >= before + 2 * count, 5)
        sensor.ctl("expire-all")

    def begun(self, peer, sensor, count):
        lab.wait_for("session %d: %s" % (count, sensor.log()),
                     lambda: len(peer.streams) >= count and peer.streams[count - 1].messages, 20)

    def test_every_record_once_over_reconnects(self):
        for end in ("hang_up", "reset"):
            with lab.Lab() as room:
                peer = Peer(room, room.far, lab.FAR4)
                sensor = room.sensor("--lanes", "1", "--reconnect", "1", "-n", "tcp:" + peer.target)
                self.begun(peer, sensor, 1)
                for turn in range(3):
                    self.send_flows(room, sensor, 10000 + 100 * turn, 40)
                    lab.wait_for("records", lambda: len(peer.ports()) >= 40 * (turn + 1), 20)
                    if turn < 2:
                        getattr(peer, end)()
                        self.begun(peer, sensor, turn + 2)

                self.assertEqual(sensor.stop(), 0)

                peer.close()
                wanted = [10000 + 100 * turn + place for turn in range(3) for place in range(40)]
                self.assertEqual(peer.ports(), wanted, end)
                self.assertEqual(peer.packets(), 240)
                self.assertEqual(len(peer.streams), 3)
                for stream in peer.streams:
                    self.assertEqual(stream.gap, 0, "the sequence does not begin with 0 or has a gap")
                    self.assertEqual(stream.bytes, b"", "the stream ends within a message")

    def test_records_wait_for_a_collector_that_is_late(self):
        with lab.Lab() as room:
            peer = Peer(room, room.far, lab.FAR4)
            peer.is_open = False
            peer.thread.join(2)
            peer.socket.close()
            sensor = room.sensor("--lanes", "1", "--reconnect", "1", "--reconnect-most", "1", "-n",
                                 "tcp:" + peer.target)
            self.send_flows(room, sensor, 10000, 50)
            host, port = peer.target.split(":")
            late = room.socket(room.far, socket.AF_INET, socket.SOCK_STREAM)
            late.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            late.bind((host, int(port)))
            late.listen(1)
            late.settimeout(20)
            connection = late.accept()[0]
            self.addCleanup(connection.close)
            stream = Stream()
            reader = threading.Thread(target=peer.read, args=(connection, stream), daemon=True)
            reader.start()
            lab.wait_for("records", lambda: len(stream.ports) >= 50, 10)

            self.assertRegex(sensor.ctl("statistics").stdout, "Flows exported: 50")
            self.assertEqual(sensor.stop(), 0)

            reader.join(5)
            late.close()
            self.assertEqual(sorted(stream.ports), list(range(10000, 10050)))
            self.assertEqual(stream.gap, 0)
            self.assertIsNone(peer.error)

    def test_own_connection_is_not_metered(self):
        with lab.Lab() as room:
            peer = Peer(room, room.far, lab.FAR4)
            sensor = room.sensor("--lanes", "1", "--reconnect", "1", "-n", "tcp:" + peer.target, "-t",
                                 "udp=1s", "-t", "tcp=1s", "-t", "expint=0", "--print", "json")
            self.begun(peer, sensor, 1)
            for place in range(3):
                self.send_flows(room, sensor, 6000 + place, 1)
                lab.wait_for("export", lambda: len(peer.ports()) > place, 20)
                if place == 1:
                    peer.hang_up()
                    self.begun(peer, sensor, 2)
            time.sleep(1.5)

            self.assertEqual(sensor.stop(), 0)

            peer.close()
            records = [json.loads(line) for line in sensor.printed().splitlines() if line.startswith("{")]
            self.assertEqual({(row["proto"], row["src_port"]) for row in records},
                             {("UDP", 6000), ("UDP", 6001), ("UDP", 6002)})
            self.assertEqual(peer.ports(), [6000, 6001, 6002])

    def test_collectors_that_misbehave_are_nobody_elses_business(self):
        """One never reads, one resets each connection, one talks, one is not there; one is good, and one is
        reached over UDP."""
        with lab.Lab() as room:
            deaf = Peer(room, room.near, "127.0.0.1", reads=False)
            good = Peer(room, room.near, "127.0.0.1")
            talker = Peer(room, room.near, "127.0.0.1", reads=False)
            resetter = Peer(room, room.near, "127.0.0.1", reads=False)
            sink = lab.Sink(room, room.near)
            with room.socket(room.near, kind=socket.SOCK_STREAM) as placeholder:
                placeholder.bind(("127.0.0.1", 0))
                closed = placeholder.getsockname()[1]
            targets = ["tcp:" + peer.target for peer in (deaf, good, talker, resetter)]
            targets += ["tcp:127.0.0.1:%d" % closed, "udp:127.0.0.1:%d" % sink.port]
            sensor = room.sensor("--lanes", "1", "--reconnect", "1", "--export-rate", "0", "-t", "udp=1",
                                 "-t", "expint=0", "-n", ",".join(targets))
            self.begun(good, sensor, 1)
            lab.wait_for("all", lambda: deaf.connections and talker.connections and resetter.connections, 10)
            count, end = 0, time.monotonic() + 4
            with room.socket(room.far) as sender:
                while time.monotonic() < end:
                    for _ in range(200):
                        sender.sendto(b"x" * 20, (lab.NEAR4, 10000 + count % 50000))
                        count += 1
                    try:
                        talker.connections[0].send(b"GET / HTTP/1.0\r\n\r\n", socket.MSG_DONTWAIT)
                    except BlockingIOError:
                        pass
                    if len(resetter.connections) and resetter.connections[-1].fileno() >= 0:
                        resetter.reset()
                    time.sleep(0.01)
            lab.wait_for("packets", lambda: sensor.processed() >= count, 20)
            begin = time.monotonic()

            self.assertEqual(sensor.stop(timeout=30), 0)

            self.assertLess(time.monotonic() - begin, 25)
            good.close()
            self.assertEqual(good.packets() >= count, True, (good.packets(), count, sensor.log()))
            self.assertEqual([stream.gap for stream in good.streams], [0])
            udp = Stream()
            for datagram in sink.close():
                udp.feed(datagram)
            self.assertEqual(udp.packets, good.packets())
            for peer in (deaf, talker, resetter):
                peer.close()

    def test_files_hold_every_record_once(self):
        """By size and time, in a folder that the sandbox lets through; a crash leaves what can be read."""
        with lab.Lab() as room:
            folder = room.folder / "files"
            folder.mkdir()
            folder.chmod(0o777)
            room.folder.chmod(0o755)
            sensor = room.sensor("--lanes", "1", "-n", "file:%s/flows" % folder, "--rotate-time", "2")
            for turn in range(3):
                self.send_flows(room, sensor, 10000 + 100 * turn, 40)
                time.sleep(1)
            self.assertEqual(sensor.stop(), 0)
            paths = sorted(folder.iterdir())
            streams = []
            for path in paths:
                streams.append(Stream())
                streams[-1].feed(path.read_bytes())
            self.assertEqual({path.suffix for path in paths}, {".ipfix"})
            self.assertGreater(len(paths), 1)
            self.assertEqual(sorted(port for stream in streams for port in stream.ports),
                             [10000 + 100 * turn + place for turn in range(3) for place in range(40)])
            self.assertEqual({(stream.gap, stream.bytes) for stream in streams}, {(0, b"")})

            sensor = room.sensor("--lanes", "1", "-n", "file:%s/crash" % folder)
            self.send_flows(room, sensor, 20000, 40)
            part = folder / "crash.part"
            lab.wait_for("writing", lambda: part.exists() and part.stat().st_size > 3000, 10)
            sensor.process.kill()
            sensor.process.wait(5)
            stream = Stream()
            stream.feed(part.read_bytes())
            self.assertEqual((sorted(stream.ports), stream.gap, stream.bytes), (list(range(20000, 20040)), 0, b""))

    @unittest.skipUnless(shutil.which("tshark"), "tshark is not installed")
    def test_tshark_decodes_the_connection(self):
        with lab.Lab() as room:
            watch = room.socket(room.far, socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
            watch.bind((lab.LINK, 3))
            watch.settimeout(0.2)
            self.addCleanup(watch.close)
            peer = Peer(room, room.far, lab.FAR4)
            sensor = room.sensor("--lanes", "1", "-n", "tcp:" + peer.target)
            self.begun(peer, sensor, 1)
            self.send_flows(room, sensor, 10000, 60)
            lab.wait_for("records", lambda: len(peer.ports()) >= 60, 20)
            self.assertEqual(sensor.stop(), 0)
            peer.close()
            packets = []
            while True:
                try:
                    at_ns = 1_800_000_000 * capture.NS_PER_S + len(packets) * 1000
                    packets.append(capture.Packet(at_ns, watch.recv(65536)))
                except socket.timeout:
                    break
            path = room.folder / "tcp.pcap"
            path.write_bytes(capture.pcap(packets, 1))
            done = subprocess.run(
                ["tshark", "-r", str(path), "-d", "tcp.port==%s,cflow" % peer.target.split(":")[1], "-o",
                 "cflow.tcp_reassembly:TRUE", "-Y", "cflow", "-T", "json"],
                capture_output=True, text=True, timeout=60)
            if done.returncode != 0:  # an older one has no such preference
                done = subprocess.run(
                    ["tshark", "-r", str(path), "-d", "tcp.port==%s,cflow" % peer.target.split(":")[1], "-Y",
                     "cflow", "-T", "json"], capture_output=True, text=True, timeout=60, check=True)
            ports = [int(word.split('"')[3]) for word in done.stdout.split("\n") if '"cflow.srcport"' in word]
            self.assertEqual(sorted(ports), list(range(10000, 10060)))
            self.assertNotIn("_ws.malformed", done.stdout)


if __name__ == "__main__":
    lab.main(__doc__)
