#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Another configuration for a sensor that runs: nothing is lost, and a bad one changes nothing.

Numbered packets come in while SIGHUP is sent. Each packet is a flow of its own, told by its port, so
a packet that is lost, or is in two records, is found out by name.
"""

import collections
import json
import os
import signal
import socket
import stat
import struct
import subprocess
import tempfile
import threading
import time
import unittest

import lab

PORT_BASE = 20000  # packet_gun's first source port
PACKETS, PER_SECOND, LONG_FLOWS = 30000, 3000, 20
RELOADS = 10


class Messages:
    """IPFIX messages of one collector: records by source and destination port, and the sequence."""

    def __init__(self, datagrams):
        self.templates, self.next, self.sessions = {}, {}, collections.Counter()
        self.gaps, self.records = [], []
        for datagram in datagrams:
            self.feed(datagram)

    def feed(self, datagram):
        version, length, _, sequence, domain = struct.unpack_from("!HHIII", datagram)
        assert (version, length) == (10, len(datagram))
        expected = self.next.get(domain)
        if sequence == 0 and expected != 0:
            self.sessions[domain] += 1
        elif sequence != expected:
            self.gaps.append((domain, expected, sequence))
        count, at = 0, 16
        while at < length:
            set_id, set_length = struct.unpack_from("!HH", datagram, at)
            body = datagram[at + 4:at + set_length]
            if set_id in (2, 3):
                self.learn(domain, body, set_id == 3)
            else:
                count += self.read(domain, set_id, body)
            at += set_length
        self.next[domain] = sequence + count

    def learn(self, domain, body, is_options):
        at = 0
        while at + 4 <= len(body):
            template, fields = struct.unpack_from("!HH", body, at)
            at += 6 if is_options else 4
            row = []
            for _ in range(fields):
                element, octets = struct.unpack_from("!HH", body, at)
                at += 8 if element & 0x8000 else 4
                row.append((element, octets))
            self.templates[domain, template] = (is_options, row)

    def read(self, domain, set_id, body):
        is_options, row = self.templates[domain, set_id]
        octets = sum(octets for _, octets in row)
        count = len(body) // octets
        for place in range(count):
            values, at = {}, place * octets
            for element, size in row:
                values[element] = int.from_bytes(body[at:at + size], "big")
                at += size
            if not is_options:
                self.records.append((values.get(7), values.get(11), values[2]))
        return count

    def to(self, port):
        """(source port, packets) of the records with this destination port."""
        return [(source, packets) for source, destination, packets in self.records if destination == port]


class Manager:
    """Hears what a service manager is told, for the time of a with block."""

    def __init__(self, path):
        """.kept: the names of sockets that are kept, and the ports that they are connected to."""
        self.path, self.words, self.kept = str(path), [], {}

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        os.chmod(self.path, 0o666)
        threading.Thread(target=self.listen, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.socket.shutdown(socket.SHUT_RD)
        self.socket.close()

    def listen(self):
        """Descriptors that come along to be kept are closed."""
        while True:
            try:
                data, fds, _, _ = socket.recv_fds(self.socket, 4096, 8)
            except OSError:
                return
            if not data:
                return
            words = data.decode().splitlines()
            name = next((word[7:] for word in words if word.startswith("FDNAME=")), None)
            if "FDSTOREREMOVE=1" in words:
                self.kept.pop(name, None)
            for fd in fds:
                self.keep(name, fd)
            self.words += words

    def keep(self, name, fd):
        with socket.socket(fileno=fd) if stat.S_ISSOCK(os.fstat(fd).st_mode) else os.fdopen(fd) as held:
            is_udp = isinstance(held, socket.socket) and held.family == socket.AF_INET
            self.kept[name] = held.getpeername()[1] if is_udp else 0

    def wait_for(self, text):
        return lab.wait_for(text, lambda: next((word for word in list(self.words) if text in word), None), 10)


class Reload(unittest.TestCase):
    lanes = 1

    def write(self, room, text):
        """As editors do: another file in its place."""
        path, new = room.folder / "x.conf", room.folder / "x.conf.new"
        new.write_text(text)
        os.chmod(new, 0o644)
        new.rename(path)
        return str(path)

    def start(self, room, text, *options, **more):
        return room.sensor("--lanes", self.lanes, *options, config=self.write(room, text), **more)

    def hang_up(self, sensor):
        """SIGHUP; the line that the log has about it."""
        before = len(sensor.log().splitlines())
        sensor.process.send_signal(signal.SIGHUP)

        def line():
            new = [text for text in sensor.log().splitlines()[before:] if "configuration" in text]
            return new and new[-1]
        return lab.wait_for("an answer to SIGHUP", line, 20)

    def reload(self, room, sensor, text):
        self.write(room, text)
        line = self.hang_up(sensor)
        self.assertIn("configuration reloaded: ", line)
        return line

    def gun(self, room, *options):
        return subprocess.Popen(
            ["ip", "netns", "exec", room.far, str(lab.Sensor.build / "tests/packet_gun"), "-i", lab.LINK,
             *(str(option) for option in options)], stdout=subprocess.PIPE)

    def sent_by(self, gun):
        reply = json.loads(gun.communicate(timeout=120)[0])
        return reply["sent"]

    # -- nothing is lost ------------------------------------------------------------------------

    def test_reloads_lose_no_packet_and_no_record(self):
        with lab.Lab() as room:
            stays, comes = (lab.Sink(room, room.near) for _ in range(2))
            always = "collector = 127.0.0.1:%d\n" % stays.port
            one = always + "timeout = udp=1\nfilter = udp\nflush-delay = 200\n"
            other = ("collector = 127.0.0.1:%d\n" % comes.port + always +
                     "timeout = udp=2\ntimeout = maxlife=3\nfilter = udp and host 192.0.2.1\n"
                     "\tand (dst port 9 or vlan)\n"
                     "template-refresh = 2\nexport-rate = 100000\n")
            sensor = self.start(room, one)

            guns = [self.gun(room, "-n", PACKETS, "-r", PER_SECOND, "-F", PACKETS),
                    self.gun(room, "-n", PACKETS // 2, "-r", PER_SECOND // 2, "-F", LONG_FLOWS, "-s", "192.0.2.1",
                             "-d", "192.0.2.9")]
            for number in range(RELOADS):
                line = self.reload(room, sensor, one if number % 2 else other)
                for name in ("filter", "timeout", "collector", "export-rate"):
                    self.assertIn(name, line)
                time.sleep(0.4)
            sent = [self.sent_by(gun) for gun in guns]
            lab.wait_for("all packets", lambda: sensor.processed() >= sum(sent), 20)
            text = sensor.statistics()["text"]
            self.assertEqual(sensor.stop(), 0, sensor.log())

            self.assertRegex(text, r"Packets dropped by libpcap: 0\n")
            first, second = (Messages(datagrams) for datagrams in lab.close_all([stays, comes]))
            self.check_numbers(first, sent)
            self.assertEqual(first.gaps, [])
            self.assertEqual(set(first.sessions.values()), {1}, "the collector that stays has one session")
            self.assertEqual(second.gaps, [])
            self.assertGreater(len(second.records), 0)
            ours = collections.Counter(first.records)
            self.assertEqual(collections.Counter(second.records) - ours, {}, "records that the first one has not")

    def check_numbers(self, messages, sent):
        """Both guns send to port 9, from the same ports; the second one's flows are the long ones."""
        packets = collections.Counter()
        records = collections.Counter()
        for source, count in messages.to(9):
            packets[source] += count
            records[source] += 1
        long_packets = {PORT_BASE + place: sent[1] // LONG_FLOWS + 1 for place in range(LONG_FLOWS)}
        for place in range(sent[0]):
            port = PORT_BASE + place
            self.assertEqual(packets[port], long_packets.get(port, 1), "packets from port %d" % port)
            if port not in long_packets:
                self.assertEqual(records[port], 1, "records of port %d" % port)
        self.assertEqual(sum(packets.values()), sum(sent))

    def test_sampling_changes_between_flows(self):
        """No record has counted both ways: the packets of each sampling are in records of their own."""
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            always = "collector = 127.0.0.1:%d\nfilter = udp dst port 9\n" % sink.port
            sensor = self.start(room, always)
            self.sent_by(self.gun(room, "-n", 100))
            lab.wait_for("100 packets", lambda: sensor.processed() >= 100, 10)
            self.assertEqual(len(sensor.flows()), 1)

            self.assertIn("sampling", self.reload(room, sensor, always + "sampling = 10\n"))

            self.assertEqual(sensor.flows(), [])
            self.sent_by(self.gun(room, "-n", 100))
            lab.wait_for("10 packets", lambda: sensor.flows() and sensor.flows()[0]["packets0"] == "10", 10)
            self.assertEqual(sensor.stop(), 0)
            messages = Messages(sink.close())
            self.assertEqual([packets for _, packets in messages.to(9)], [100, 10])
            self.assertEqual(messages.gaps, [])

    def test_other_messages_begin_new_sessions(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            always = "collector = 127.0.0.1:%d\nfilter = udp dst port 9\n" % sink.port
            sensor = self.start(room, always)
            self.sent_by(self.gun(room, "-n", 100))
            lab.wait_for("100 packets", lambda: sensor.processed() >= 100, 10)
            sensor.ctl("expire-all")
            self.sent_by(self.gun(room, "-n", 50))
            lab.wait_for("150 packets", lambda: sensor.processed() >= 150, 10)

            line = self.reload(room, sensor, always + "export-version = 5\n")

            self.assertIn("export-version", line)
            self.assertEqual(sensor.stop(), 0)
            datagrams = sink.close()
            versions = [struct.unpack_from("!H", datagram)[0] for datagram in datagrams]
            self.assertEqual(versions, sorted(versions, reverse=True))
            old = Messages(datagram for datagram in datagrams if datagram[1] == 10)
            new = lab.netflow5(datagram for datagram in datagrams if datagram[1] == 5)
            self.assertEqual(sum(packets for _, packets in old.to(9)), 100)
            self.assertEqual([row[2] for _, rows in new for row in rows], [50])
            self.assertEqual(new[0][0], 0)

    def test_filter_with_tags_can_be_compiled_when_the_rights_are_gone(self):
        with lab.Lab() as room:
            sensor = self.start(room, "filter = udp dst port 9\n")
            self.reload(room, sensor, "filter = vlan 5 and udp\n")
            self.sent_by(self.gun(room, "-n", 60, "-v", 5))
            self.sent_by(self.gun(room, "-n", 100, "-v", 6))
            self.sent_by(self.gun(room, "-n", 100))
            lab.wait_for("60 packets", lambda: sensor.processed() >= 60, 10)
            self.reload(room, sensor, "filter =\n")
            room.send_udp(20)
            lab.wait_for("80 packets", lambda: sensor.processed() >= 80, 10)
            time.sleep(0.3)
            self.assertEqual(sensor.processed(), 80)
            self.assertEqual(sensor.stop(), 0)

    def test_filter_holds_when_the_interface_is_made_anew(self):
        with lab.Lab() as room:
            sensor = self.start(room, "filter = udp dst port 9\n")
            self.reload(room, sensor, "filter = udp dst port 10\n")
            room.remove_link()
            room.make_link()
            lab.wait_for("the interface", lambda: "capturing again" in sensor.log(), 10)
            self.sent_by(self.gun(room, "-n", 100))
            self.sent_by(self.gun(room, "-n", 40, "-P", 10))
            lab.wait_for("40 packets", lambda: sensor.processed() >= 40, 10)
            time.sleep(0.3)
            self.assertEqual(sensor.processed(), 40)
            self.assertEqual(sensor.stop(), 0)

    def test_own_export_to_a_new_collector_is_not_metered(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.far, lab.FAR4)
            sensor = self.start(room, "timeout = udp=1\n", "--print", "json")
            self.reload(room, sensor, "timeout = udp=1\ncollector = %s:%d\n" % (lab.FAR4, sink.port))
            for place in range(3):
                room.send_udp(20, source_port=6000 + place)
                lab.wait_for("export", lambda: len(sink.datagrams) > place, 10)
            self.reload(room, sensor, "timeout = udp=1\n")
            room.send_udp(20, source_port=7000)
            lab.wait_for("100 packets", lambda: sensor.processed() >= 80, 10)
            self.assertEqual(sensor.stop(), 0)
            rows = [json.loads(line) for line in sensor.printed().splitlines() if line.startswith("{")]
            self.assertEqual({row["dst_port"] for row in rows}, {7000})
            sink.close()

    def test_connections_come_and_go(self):
        """Over TCP; what waits for a collector that goes is sent to it."""
        with lab.Lab() as room, room.socket(room.near, kind=socket.SOCK_STREAM) as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen(8)
            listener.settimeout(10)
            line = "collector = tcp:127.0.0.1:%d\n" % listener.getsockname()[1]
            sensor = self.start(room, "filter = udp dst port 9\n")
            self.reload(room, sensor, "filter = udp dst port 9\n" + line)
            streams = [listener.accept()[0] for _ in range(self.lanes)]
            self.sent_by(self.gun(room, "-n", 100, "-F", 100))
            lab.wait_for("100 packets", lambda: sensor.processed() >= 100, 10)
            sensor.ctl("expire-all")

            self.reload(room, sensor, "filter = udp dst port 9\n")

            records = []
            for stream in streams:
                stream.settimeout(10)
                data = b"".join(iter(lambda: stream.recv(65536), b""))
                datagrams = []
                while data:
                    length = struct.unpack_from("!H", data, 2)[0]
                    datagrams.append(data[:length])
                    data = data[length:]
                messages = Messages(datagrams)
                self.assertEqual(messages.gaps, [])
                records += messages.to(9)
                stream.close()
            self.assertEqual(sorted(records), [(PORT_BASE + place, 1) for place in range(100)])
            self.assertEqual(sensor.stop(), 0)

    # -- what is refused ------------------------------------------------------------------------

    def test_bad_configuration_is_refused_and_changes_nothing(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            good = "collector = 127.0.0.1:%d\ntimeout = udp=600\n" % sink.port
            sensor = self.start(room, good)
            path = room.folder / "x.conf"
            bad = (
                ("filter = h\u00f6st a\n", "x.conf:1: filter 'h??st a': "),
                ("timeout = udp=5\nsamplin = 3\n", "x.conf:2: samplin: no option has that name"),
                ("timeout = udp=5\n\nfilter = tcp prot 80\n", "x.conf:3: filter 'tcp prot 80': "),
                ("collector = 127.0.0.1:1\ncollector = nosuch.invalid:4739\n", "x.conf:2: nosuch.invalid:4739: "),
                ("max-flows = 5\nblock-count = 3\nsampling = 2\n", "block-count, max-flows: to change takes a restart"),
                ("timeout = udp=5\nexport-address = 192.0.2.77\ncollector = 127.0.0.1:9\n", "192.0.2.77"),
            )
            for text, reason in bad:
                self.write(room, text)
                line = self.hang_up(sensor)
                self.assertIn("configuration not reloaded, all is as before: ", line)
                self.assertIn(reason, line)
            path.unlink()
            self.assertIn("x.conf: No such file or directory", self.hang_up(sensor))
            path.mkdir()
            self.assertIn("x.conf: Is a directory", self.hang_up(sensor))
            path.rmdir()

            self.assertIn("           UDP timeout: 600s", sensor.ctl("timeouts").stdout.splitlines())
            room.send_udp(20)
            lab.wait_for("20 packets", lambda: sensor.processed() == 20, 10)
            self.assertIn("nothing has changed", self.reload(room, sensor, good))
            self.assertEqual(sensor.stop(), 0)
            messages = Messages(sink.close())
            self.assertEqual(messages.to(7000), [(6000, 20)])
            self.assertEqual((messages.gaps, set(messages.sessions.values())), ([], {1}))

    def test_no_descriptor_is_leaked(self):
        with lab.Lab() as room:
            sinks = [lab.Sink(room, room.near) for _ in range(3)]
            lines = ["collector = 127.0.0.1:%d\n" % sink.port for sink in sinks]
            sensor = self.start(room, lines[0])

            def descriptors():
                return len(os.listdir("/proc/%d/fd" % sensor.process.pid))
            self.reload(room, sensor, "".join(lines))
            full = descriptors()
            self.reload(room, sensor, lines[0])
            single = descriptors()
            self.assertEqual(full - single, 2 * self.lanes)
            for _ in range(5):
                self.reload(room, sensor, "".join(lines))
                self.write(room, "".join(lines) + "collector = nosuch.invalid:1\n")
                self.assertIn("not reloaded", self.hang_up(sensor))
                self.assertEqual(descriptors(), full)
                self.reload(room, sensor, lines[0])
                self.assertEqual(descriptors(), single)
            self.assertEqual(sensor.stop(), 0)
            lab.close_all(sinks)

    def test_filter_of_libpcap_takes_a_restart(self):
        """It would let nothing in for a moment."""
        with lab.Lab() as room:
            sensor = self.start(room, "filter = udp\n", "--source", "pcap")
            self.write(room, "filter = tcp\n")
            self.assertIn("filter: takes a restart with --source pcap", self.hang_up(sensor))
            self.reload(room, sensor, "filter = udp\ntimeout = udp=5\n")
            self.assertEqual(sensor.stop(), 0)

    # -- who asks, who is told ------------------------------------------------------------------

    def test_service_manager_is_told(self):
        with lab.Lab() as room, Manager(room.folder / "notify") as manager:
            sensor = self.start(room, "", wrap=("env", "NOTIFY_SOCKET=" + manager.path, "WATCHDOG_USEC=9000000"))
            manager.wait_for("READY=1")
            before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
            del manager.words[:]

            self.reload(room, sensor, "timeout = udp=77\n")

            manager.wait_for("STATUS=configuration reloaded: timeout")
            words = list(manager.words)
            stamp = [word for word in words if word.startswith("MONOTONIC_USEC=")]
            self.assertGreaterEqual(int(stamp[0].split("=")[1]), before)
            self.assertLess(words.index("RELOADING=1"), words.index("READY=1"))
            patience = [word for word in words if word.startswith("WATCHDOG_USEC=")]
            self.assertEqual(patience, ["WATCHDOG_USEC=180000000", "WATCHDOG_USEC=9000000"][:len(patience)])
            manager.wait_for("WATCHDOG_USEC=9000000")
            del manager.words[:]

            self.write(room, "nonsense\n")
            self.hang_up(sensor)
            manager.wait_for("READY=1")
            status = manager.wait_for("active flows")
            self.assertIn("configuration not reloaded: ", status)
            self.assertIn("x.conf:1: ", status)
            self.reload(room, sensor, "")
            self.assertEqual(sensor.stop(), 0)

    def test_daemon_finds_its_file_again(self):
        """Which is named by a relative path, and the daemon goes to another folder."""
        with lab.Lab() as room:
            self.write(room, "timeout = udp=100\n")
            sensor = room.sensor(is_daemon=True, wrap=("env", "-C", str(room.folder)), config="x.conf")
            self.write(room, "timeout = udp=200\n")
            with open(sensor.pid_file) as file:
                os.kill(int(file.read()), signal.SIGHUP)
            lab.wait_for("200 s", lambda: "UDP timeout: 200s" in sensor.ctl("timeouts").stdout, 10)
            sensor.ctl("shutdown")

    def test_signals_in_a_row_are_all_heard(self):
        with lab.Lab() as room:
            sensor = self.start(room, "timeout = udp=1\n")
            for number in range(2, 30):
                self.write(room, "timeout = udp=%d\n" % number)
                sensor.process.send_signal(signal.SIGHUP)
            lab.wait_for("the last one", lambda: "UDP timeout: 29s" in sensor.ctl("timeouts").stdout, 10)
            sensor.process.send_signal(signal.SIGHUP)
            self.assertEqual(sensor.stop(), 0)


class TwoLanes(Reload):
    lanes = 2


class Kept(Reload):
    """What the next process needs is kept by a service manager, and goes along."""

    lanes = 2

    def start(self, room, text, *options, **more):
        more.setdefault("wrap", ("env", "NOTIFY_SOCKET=" + self.manager.path, "FDSTORE=512"))
        return super().start(room, text, *options, **more)

    def run(self, result=None):
        with tempfile.TemporaryDirectory(prefix="ringflow-manager-") as folder:
            os.chmod(folder, 0o755)
            with Manager(os.path.join(folder, "notify")) as self.manager:
                return super().run(result)

    def test_connections_come_and_go(self):
        """The next process could not go on with them."""
        with lab.Lab() as room:
            sensor = self.start(room, "")
            self.write(room, "collector = tcp:127.0.0.1:9\n")
            self.assertIn("takes a restart", self.hang_up(sensor))
            self.assertEqual(sensor.stop(), 0)

    def test_sockets_that_are_kept_are_those_of_the_row(self):
        with lab.Lab() as room:
            sinks = [lab.Sink(room, room.near) for _ in range(3)]
            lines = ["collector = 127.0.0.1:%d\n" % sink.port for sink in sinks]
            sensor = self.start(room, lines[0] + lines[1])
            names = {"udp-%d-%d" % (lane, place) for lane in range(self.lanes) for place in range(2)}
            lab.wait_for("sockets", lambda: names <= set(self.manager.kept), 10)

            self.reload(room, sensor, lines[2] + lines[1] + lines[0])
            names |= {"udp-%d-2" % lane for lane in range(self.lanes)}
            lab.wait_for("sockets of three", lambda: names <= set(self.manager.kept), 10)
            for lane in range(self.lanes):
                ports = [self.manager.kept["udp-%d-%d" % (lane, place)] for place in range(3)]
                self.assertEqual(ports, [sinks[2].port, sinks[1].port, sinks[0].port])

            self.reload(room, sensor, lines[1])
            lab.wait_for("one socket", lambda: [name for name in self.manager.kept if name.startswith("udp")] ==
                         ["udp-%d-0" % lane for lane in range(self.lanes)], 10)
            self.assertEqual(self.manager.kept["udp-0-0"], sinks[1].port)
            self.assertEqual(sensor.stop(), 0)
            lab.close_all(sinks)


if __name__ == "__main__":
    lab.main(__doc__)
