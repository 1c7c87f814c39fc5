#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Export from a live sensor: many collectors, load balancing, IPv6, multicast, itself left out."""

import json
import socket
import struct
import time
import unittest

import lab


def rows_of(datagrams):
    return [row for _, rows in lab.netflow5(datagrams) for row in rows]


class Export(unittest.TestCase):
    def send_flows(self, room, sensor, count):
        before = sensor.processed()
        for place in range(count):
            room.send_udp(2, source_port=10000 + place)
        lab.wait_for("packets", lambda: sensor.processed() >= before + 2 * count, 3)

    def test_sixty_four_collectors_get_everything(self):
        with lab.Lab() as room:
            sinks = [lab.Sink(room, room.near) for _ in range(64)]
            targets = ",".join("127.0.0.1:%d" % sink.port for sink in sinks)
            sensor = room.sensor("--lanes", "1", "-v", "5", "-n", targets)
            self.send_flows(room, sensor, 40)

            self.assertEqual(sensor.stop(), 0)

            for datagrams in lab.close_all(sinks):
                messages = lab.netflow5(datagrams)
                self.assertEqual(sum(len(rows) for _, rows in messages), 40)
                seen = messages[0][0]
                for sequence, rows in messages:
                    self.assertEqual(sequence, seen)
                    seen += len(rows)

    def test_sixty_five_collectors_are_refused(self):
        targets = ",".join("127.0.0.1:%d" % (20000 + place) for place in range(65))
        done = lab.run(lab.Sensor.build / "sensor/ringflowd", "-r", "/dev/null", "-n", targets, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("64", done.stderr)

    def test_load_balancing_splits_flows_not_sequences(self):
        with lab.Lab() as room:
            sinks = [lab.Sink(room, room.near) for _ in range(3)]
            targets = ",".join("127.0.0.1:%d" % sink.port for sink in sinks)
            sensor = room.sensor("--lanes", "1", "-v", "5", "-l", "-n", targets)
            self.send_flows(room, sensor, 120)

            self.assertEqual(sensor.stop(), 0)

            ports = []
            for sink in sinks:
                messages = lab.netflow5(sink.close())
                mine = [row[4] for _, rows in messages for row in rows]
                self.assertGreater(len(mine), 10, "a collector got hardly anything")
                sequence = messages[0][0]
                for found, rows in messages:
                    self.assertEqual(found, sequence)
                    sequence += len(rows)
                ports += mine
            self.assertEqual(sorted(ports), list(range(10000, 10120)))

    def test_records_leave_at_the_pace_that_is_given(self):
        """A thousand flows end within moments. At 250 a second that takes about four; three at least,
        however slow the machine is."""
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            sensor = room.sensor("--export-rate", "250", "-v", "5", "-n", "127.0.0.1:%d" % sink.port,
                                 "-t", "udp=1", "-t", "expint=0", "udp")
            with room.socket(room.far) as sender:
                for place in range(1000):
                    sender.sendto(b"x", (lab.NEAR4, 20000 + place))
            lab.wait_for("the first", lambda: sensor.statistics()["Flows expired"] > 0, 10)
            begin = time.monotonic()
            lab.wait_for("all", lambda: sensor.statistics()["Flows expired"] >= 1000, 30)
            self.assertGreater(time.monotonic() - begin, 3)
            text = sensor.statistics()["text"]
            self.assertRegex(text, r"Flows expired: 1000 \(0 forced\)")
            self.assertRegex(text, r"udp = +1000")
            self.assertEqual(sensor.stop(), 0)
            self.assertEqual(len(rows_of(sink.close())), 1000)

    def test_load_balanced_collectors_each_get_the_templates(self):
        with lab.Lab() as room:
            sinks = [lab.Sink(room, room.near) for _ in range(3)]
            targets = ",".join("127.0.0.1:%d" % sink.port for sink in sinks)
            sensor = room.sensor("--lanes", "1", "-v", "10", "-l", "-n", targets)
            self.send_flows(room, sensor, 60)

            self.assertEqual(sensor.stop(), 0)

            for sink in sinks:
                datagrams = sink.close()
                first_set = struct.unpack_from("!H", datagrams[0], 16)[0]
                self.assertIn(first_set, (2, 3), "the first message does not begin with templates")
                self.assertEqual(struct.unpack_from("!I", datagrams[0], 8)[0], 0)

    def test_collector_over_ipv6(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near, "::1", socket.AF_INET6)
            sensor = room.sensor("-v", "5", "-n", "[::1]:%d" % sink.port)
            self.send_flows(room, sensor, 10)

            self.assertEqual(sensor.stop(), 0)

            self.assertEqual(len(rows_of(sink.close())), 10)

    def multicast(self, family, group, target, options=()):
        """Near sends to a group on the link; far is a member and also sees the hop limit."""
        with lab.Lab(has_v6=family == socket.AF_INET6) as room:
            sink = lab.Sink(room, room.far, "", family)
            index = struct.pack("@I", int(room.at(room.far, "cat", "/sys/class/net/%s/ifindex" % lab.LINK).stdout))
            if family == socket.AF_INET:
                member = socket.inet_aton(group) + socket.inet_aton(lab.FAR4)
                sink.socket.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
                lab.run("ip", "-n", room.near, "route", "add", "multicast", "224.0.0.0/4", "dev", lab.LINK)
            else:
                member = socket.inet_pton(family, group) + index
                sink.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP, member)
            watch = room.socket(room.far, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            watch.bind((lab.LINK, 3))
            watch.settimeout(0.2)
            sensor = room.sensor("-v", "5", "-n", target % sink.port, *options)
            self.send_flows(room, sensor, 10)

            self.assertEqual(sensor.stop(), 0)

            metered = [row for row in rows_of(sink.close()) if row[5] == 7000]  # there is IGMP, too
            self.assertEqual(len(metered), 10)
            return self.hop_limits(watch, family, sink.port)

    def hop_limits(self, watch, family, port):
        limits = set()
        while True:
            try:
                packet = watch.recv(65536)
            except socket.timeout:
                watch.close()
                return limits
            at, limit = (20, 8) if family == socket.AF_INET else (40, 7)
            if packet[0] >> 4 == (4 if at == 20 else 6) and packet[at + 2 : at + 4] == struct.pack("!H", port):
                limits.add(packet[limit])

    def test_multicast_group_with_hop_limit(self):
        limits = self.multicast(socket.AF_INET, "239.1.2.3", "239.1.2.3:%d", ("-L", "7"))
        self.assertEqual(limits, {7})

    def test_ipv6_multicast_group_with_hop_limit(self):
        limits = self.multicast(socket.AF_INET6, "ff05::1:3", "[ff05::1:3]:%d", ("-L", "9"))
        self.assertEqual(limits, {9})

    def test_hop_limit_holds_for_unicast_too(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.far, lab.FAR4)
            watch = room.socket(room.far, socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(3))
            watch.bind((lab.LINK, 3))
            watch.settimeout(0.2)
            sensor = room.sensor("-v", "5", "-n", "%s:%d" % (lab.FAR4, sink.port), "-L", "5", "-e", lab.NEAR4,
                                 "-S", lab.LINK)
            self.send_flows(room, sensor, 3)

            self.assertEqual(sensor.stop(), 0)

            self.assertEqual(len(rows_of(sink.close())), 3)
            self.assertEqual(self.hop_limits(watch, socket.AF_INET, sink.port), {5})

    def test_own_export_is_not_metered(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.far, lab.FAR4)
            sensor = room.sensor("-v", "5", "-n", "%s:%d" % (lab.FAR4, sink.port), "-t", "udp=1s",
                                 "-t", "expint=0", "--print", "json")
            room.send_udp(20)
            lab.wait_for("first export", lambda: sink.datagrams, 5)
            room.send_udp(20, source_port=6001)
            lab.wait_for("second export", lambda: len(sink.datagrams) >= 2, 5)
            room.send_udp(20, source_port=6002)
            lab.wait_for("third export", lambda: len(sink.datagrams) >= 3, 5)

            self.assertEqual(sensor.stop(), 0)

            records = [json.loads(line) for line in sensor.printed().splitlines() if line.startswith("{")]
            self.assertEqual({row["src_port"] for row in records}, {6000, 6001, 6002})
            self.assertEqual(sum(row[2] for row in rows_of(sink.close())), 60)

    def test_refused_collector_does_not_stop_the_other(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            with room.socket(room.near) as placeholder:
                placeholder.bind(("127.0.0.1", 0))
                closed = placeholder.getsockname()[1]
            sensor = room.sensor("-v", "5", "-n", "127.0.0.1:%d,127.0.0.1:%d" % (closed, sink.port))
            for _ in range(3):
                self.send_flows(room, sensor, 40)
                sensor.ctl("expire-all")

            self.assertEqual(sensor.stop(), 0)

            self.assertEqual(len(rows_of(sink.close())), 120)


if __name__ == "__main__":
    lab.main(__doc__)
