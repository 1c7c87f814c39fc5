# SPDX-License-Identifier: BSD-2-Clause
"""Numbered packets whose flows tell which of them were counted (packet_gun -K), sent at a pace, and
the audit of what collectors got.
"""

import collections
import json
import socket
import struct
import subprocess

import lab

FLOWS, BYTES = 4096, 64  # as in packet_gun.c


class Stream:
    """Packets on their way from far to near."""

    def __init__(self, room, count, per_second, packets=4):
        self.count, self.packets = count, packets
        place = "/proc/%s/root/run/netns/" % room.leader if hasattr(room, "leader") else "/run/netns/"
        self.process = subprocess.Popen(
            ["nsenter", "--net=" + place + room.far, str(lab.Sensor.build / "tests/packet_gun"), "-i", lab.LINK, "-n", str(count), "-r",
             str(per_second), "-K", str(packets)], stdout=subprocess.PIPE, text=True)

    def is_running(self):
        return self.process.poll() is None

    def finish(self, timeout=600):
        out, _ = self.process.communicate(timeout=timeout)
        assert self.process.returncode == 0 and json.loads(out)["sent"] == self.count, out

    def stop(self):
        """Send no more; .count is what was sent."""
        self.process.terminate()
        out, _ = self.process.communicate(timeout=30)
        self.count = json.loads(out)["sent"]

    def kill(self):
        if self.is_running():
            self.process.kill()
        self.process.wait(10)

    def expected(self):
        """flow: [packets, octets]"""
        flows = collections.defaultdict(lambda: [0, 0])
        for number in range(self.count):
            turn, place = divmod(number, FLOWS)
            flow = flows[turn // self.packets * FLOWS + place]
            flow[0] += 1
            flow[1] += BYTES + (1 << turn % self.packets)
        return flows


class Sink(lab.Sink):
    """Knows from which port each datagram came, too: that is what tells sessions apart."""

    def collect(self):
        self.ports = []
        while self.is_open:
            try:
                datagram, sender = self.socket.recvfrom(65536)
            except socket.timeout:
                continue
            except OSError:
                return
            self.datagrams.append(datagram)
            self.ports.append(sender[1])


def once(sink):
    """(port, datagram) of NetFlow 5 without those that came again. The same number of the same
    session must mean the same octets. Returns them with how many were left out."""
    seen, repeats = {}, 0
    for port, datagram in zip(sink.ports, sink.close()):
        number = port, datagram[21], struct.unpack_from("!I", datagram, 16)[0]
        before = seen.setdefault(number, datagram)
        if before is not datagram:
            assert before == datagram, "sequence %d of engine %d means two things" % number[1:]
            repeats += 1
    return [(number[0], datagram) for number, datagram in seen.items()], repeats


def gaps(pairs):
    """How many flows are missing by the sequence numbers, over all sessions."""
    sessions, missing = collections.defaultdict(list), 0
    for port, datagram in pairs:
        count = struct.unpack_from("!H", datagram, 2)[0]
        sessions[port, datagram[21]].append((struct.unpack_from("!I", datagram, 16)[0], count))
    for rows in sessions.values():
        rows.sort()
        missing += sum(later[0] - (earlier[0] + earlier[1]) for earlier, later in zip(rows, rows[1:]))
    return missing


def counted(datagrams):
    """flow: [packets, octets] over all records of numbered packets."""
    flows = collections.defaultdict(lambda: [0, 0])
    for _, rows in lab.netflow5(datagrams):
        for source, _, packets, octets, *_ in rows:
            words = [int(word) for word in source.split(".")]
            if words[0] == 10 and words[1] != 99:
                flow = flows[words[1] << 16 | words[2] << 8 | words[3]]
                flow[0] += packets
                flow[1] += octets
    return flows


def audit(stream, sink):
    """Nothing, or what is wrong in words; and how many datagrams came twice."""
    unique, repeats = once(sink)
    expected, found = stream.expected(), counted([datagram for _, datagram in unique])
    wrong = [(flow, expected.get(flow), found.get(flow)) for flow in set(expected) | set(found)
             if expected.get(flow) != found.get(flow)]
    lost = sum(want[0] for want in expected.values()) - sum(have[0] for have in found.values())
    words = ""
    if wrong or gaps(unique):
        words = "%d flows differ, %d packets fewer than sent, %d flows missing by number; e.g. %s" % (
            len(wrong), lost, gaps(unique), sorted(wrong)[:5])
    return words, repeats
