#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Several lanes on a live link: what they give is what one lane gives.

Sensors with one lane and with more look at the same frames, which come in from far and go out
from near. Nobody is at home at the addresses, so nobody answers.
"""

import fcntl
import json
import os
import re
import socket
import struct
import time
import unittest

import lab
import peers  # noqa: F401  finds wire and network
import network
import wire

LANES = (1, 2, 4)
HOSTS = 12
QUIET = ("-t", "udp=600", "-t", "tcp=600", "-t", "icmp=600", "-t", "general=600", "-t", "maxlife=600",
         "-t", "tcp.fin=600", "-t", "tcp.rst=600")
TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x400454CA, 1, 0x1000


def hosts4(place):
    return "192.0.2.%d" % (1 + place), "198.51.100.%d" % (1 + 7 * place % 251)


def hosts6(place):
    return "2001:db8:1::%x" % (1 + place), "2001:db8:2::%x" % (1 + 7 * place)


def both(hosts, protocol, there, back, **fields):
    """One packet in each direction."""
    a, b = hosts
    return [network.ip(a, b, protocol, there, **fields)], [network.ip(b, a, protocol, back, **fields)]


# Each gives the packets from far and those from near, for one pair of hosts.


def tcp(hosts, number):
    there, back = both(hosts, wire.TCP, wire.tcp(40000, 80, wire.SYN), wire.tcp(80, 40000, wire.SYN | wire.ACK))
    more = both(hosts, wire.TCP, wire.tcp(40000, 80, wire.ACK, b"question"), wire.tcp(80, 40000, wire.ACK, b"answer"))
    return there + more[0], back + more[1]


def udp(hosts, number):
    return both(hosts, wire.UDP, wire.udp(5000, 53, b"q"), wire.udp(53, 5000, b"an answer"))


def echo(hosts, number):
    if ":" in hosts[0]:
        return both(hosts, wire.ICMPV6, wire.icmpv6(128), wire.icmpv6(129))
    return both(hosts, wire.ICMP, wire.icmp(8), wire.icmp(0))


def errors(hosts, number):
    """Of another conversation; they belong to the two hosts that exchange them."""
    if ":" in hosts[0]:
        inner = network.ip("2001:db8:9::1", "2001:db8:9::2", wire.UDP, wire.udp(1, 2))
        return both(hosts, wire.ICMPV6, wire.icmpv6(2, data=inner), wire.icmpv6(1, 4, data=inner))
    inner = network.ip("203.0.113.1", "203.0.113.2", wire.UDP, wire.udp(1, 2))
    return both(hosts, wire.ICMP, wire.icmp(3, 3, data=inner), wire.icmp(11, data=inner))


def fragments(hosts, number):
    """There in order; back with the last one first."""
    pieces = network.pieces6 if ":" in hosts[0] else network.pieces4
    there = pieces(number, wire.udp(6000, 7000, b"f" * 1000), [400, 400], *hosts)
    back = pieces(number + 100, wire.udp(7000, 6000, b"g" * 700), [400], *reversed(hosts))
    return there, list(reversed(back))


def gre(hosts, number):
    """Many conversations inside, one tunnel outside."""
    inner = [network.ip("10.0.%d.1" % i, "10.0.%d.2" % i, wire.UDP, wire.udp(i, 9)) for i in range(4)]
    packets = [struct.pack("!HH", 0, packet.ethertype) + packet for packet in inner]
    there, back = zip(*(both(hosts, 47, packet, packet) for packet in packets))
    return sum(there, []), sum(back, [])


def ipip(hosts, number):
    inner = [network.ip("10.0.%d.1" % i, "10.0.%d.2" % i, wire.UDP, wire.udp(i, 9)) for i in range(4)]
    there, back = zip(*(both(hosts, 4, packet, packet) for packet in inner))
    return sum(there, []), sum(back, [])


def vxlan(hosts, number):
    inner = wire.ethernet(network.ip("10.1.0.1", "10.1.0.2", wire.UDP, wire.udp(1, 2)))
    data = struct.pack("!II", 0x08000000, 42 << 8) + inner
    return both(hosts, wire.UDP, wire.udp(50000, 4789, data), wire.udp(4789, 50000, data))


def authenticated(hosts, number):
    headers = [wire.options_header(wire.HOP_BY_HOP), wire.routing_header(), wire.authentication_header()]
    return both(hosts, wire.UDP, wire.udp(1000, 2000, b"x"), wire.udp(2000, 1000, b"y"), headers=headers)


def on_link(wrap_there=lambda packet: packet, wrap_back=None):
    wrap_back = wrap_back or wrap_there
    return lambda packet, is_back: wire.ethernet(
        (wrap_back if is_back else wrap_there)(packet), source="02:00:00:00:00:%02x" % (1 + is_back),
        destination="02:00:00:00:00:%02x" % (2 - is_back))


def tags(*tpids):
    def wrap(packet):
        for place, tpid in enumerate(reversed(tpids)):
            packet = wire.vlan(100 + place, packet, tpid=tpid)
        return packet
    return wrap


def snap(packet, is_back):
    return wire.ethernet_snap(packet, source="02:00:00:00:00:%02x" % (1 + is_back),
                              destination="02:00:00:00:00:%02x" % (2 - is_back))


def labels(count):
    return lambda packet: wire.mpls(list(range(16, 16 + count)), packet)


# How packets are wrapped; some differ by direction. The names are those of subtests.
LINKS = {
    "plain": on_link(),
    "one tag": on_link(tags(0x8100)),
    "a tag of 802.1ad": on_link(tags(0x88a8)),
    "two tags": on_link(tags(0x88a8, 0x8100)),
    "two tags of 802.1Q": on_link(tags(0x8100, 0x8100)),
    "three tags": on_link(tags(0x88a8, 0x8100, 0x8100)),
    "an old tag": on_link(tags(0x9100, 0x8100)),
    "twelve tags": on_link(tags(*[0x8100] * 12)),
    "a tag one way": on_link(tags(0x8100), lambda packet: packet),
    "labels": on_link(labels(1)),
    "three labels": on_link(labels(3)),
    "twenty labels": on_link(labels(20)),
    "labels one way": on_link(labels(2), lambda packet: packet),
    "labels in a tag": on_link(lambda packet: tags(0x8100)(labels(2)(packet))),
    "pppoe": on_link(wire.pppoe),
    "pppoe in a tag": on_link(lambda packet: tags(0x8100)(wire.pppoe(packet))),
    "snap": snap,
}
KINDS = (tcp, udp, echo, errors, fragments)
TUNNELS = (gre, ipip, vxlan)


def conversations():
    """(wrapping, packets from far, packets from near) of every kind, with hosts of their own."""
    for place, link in enumerate(LINKS.values()):
        for number in range(HOSTS):
            for hosts in (hosts4, hosts6):
                kind = KINDS[(place + number) % len(KINDS)]
                yield link, *kind(hosts(number), 1 + number)
    for number in range(HOSTS):
        for kind in TUNNELS:
            yield LINKS["plain"], *kind(hosts4(40 + number), number)
        yield LINKS["plain"], *fragments(hosts4(60 + number % 30), 200 + number)
        yield LINKS["plain"], *fragments(hosts6(60 + number), 200 + number)
        yield LINKS["plain"], *authenticated(hosts6(80 + number), number)


def strange_frames():
    """What is in no flow."""
    head = bytes.fromhex("020000000002" "020000000001")
    arp = struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, head[:6], b"\x0a\0\0\1", b"\0" * 6, b"\x0a\0\0\2")
    return [head + struct.pack("!H", 0x0806) + arp, head + struct.pack("!H", 0x0800) + b"\x45\0\0",
            head + struct.pack("!H", 0x86DD) + b"\x60" * 30, head + struct.pack("!H", 0x8847) + b"\0\x01\0\x40" * 50,
            head + struct.pack("!H", 40) + b"\x42\x42\x03" + b"\0" * 37, head + struct.pack("!HH", 0x8100, 5)]


def exchange(room, rounds):
    """Send them from both ends, by turns, so that each answer follows its question."""
    count = 0
    with room.socket(room.far, socket.AF_PACKET, socket.SOCK_RAW) as far, \
            room.socket(room.near, socket.AF_PACKET, socket.SOCK_RAW) as near:
        far.bind((lab.LINK, 0))
        near.bind((lab.LINK, 0))
        for link, there, back in rounds:
            for packet in there:
                far.send(link(packet, False))
            for packet in back:
                near.send(link(packet, True))
            count += len(there) + len(back)
            time.sleep(0.001)
    return count


def lane_of(flow_id, lanes):
    """Flow ids are given in turns of one for each lane."""
    turn, place = divmod(flow_id - 1, lanes)
    return (place - (turn + 1)) % lanes


class Seen:
    """What a sensor printed when it was stopped."""

    def __init__(self, sensor, lanes):
        rows = [json.loads(line) for line in sensor.printed().splitlines() if line.startswith("{")]
        self.lanes = sorted({lane_of(row["flow_id"], lanes) for row in rows})
        by_flow = {}
        for row in rows:
            by_flow.setdefault(row["flow_id"], []).append(row)
        self.keys = []
        for pair in by_flow.values():
            row = pair[0]
            ends = sorted([(row["src_addr"], row["src_port"]), (row["dst_addr"], row["dst_port"])])
            kinds = sorted((one["icmp_type"], one["icmp_code"]) for one in pair)
            self.keys.append((row["proto"], *ends, *kinds))
        for row in rows:  # each socket stamps a frame anew
            for name in ("flow_id", "time_flow_start_ns", "time_flow_end_ns"):
                del row[name]
        self.records = sorted(json.dumps(row, sort_keys=True) for row in rows)


class Lanes(unittest.TestCase):
    def sensors(self, room, *options, counts=LANES, **more):
        return {count: room.sensor("--lanes", count, "--print", "json", *QUIET, *options, **more)
                for count in counts}

    def wait_for_packets(self, sensors, count):
        for lanes, sensor in sensors.items():
            lab.wait_for("%d packets in %d lanes" % (count, lanes),
                         lambda: seen_frames(sensor) >= count, 10)

    def stop(self, sensors):
        for sensor in sensors.values():
            self.assertEqual(sensor.stop(), 0, sensor.log())
        return {lanes: Seen(sensor, lanes) for lanes, sensor in sensors.items()}

    def assert_as_one(self, seen):
        """Same records, no flow in two lanes, and work for every lane."""
        for lanes, mine in seen.items():
            self.assertEqual(mine.records, seen[1].records, "%d lanes" % lanes)
            self.assertEqual(len(mine.keys), len(set(mine.keys)), "a flow is in two records")
            self.assertEqual(mine.lanes, list(range(lanes)))

    # -- what lanes see -------------------------------------------------------------------------

    def test_every_kind_of_flow_is_in_one_lane(self):
        with lab.Lab() as room:
            sensors = self.sensors(room)
            rounds = list(conversations())
            count = exchange(room, rounds)
            room.send_frames(strange_frames())
            self.wait_for_packets(sensors, count + len(strange_frames()))
            self.assert_as_one(self.stop(sensors))

    def test_a_flow_stays_in_its_lane_over_all_its_links(self):
        """The same hosts by every encapsulation: the lane is found at any depth."""
        with lab.Lab() as room:
            sensors = self.sensors(room)
            rounds = [(link, *udp(hosts(number), number)) for link in LINKS.values()
                      for number in range(HOSTS) for hosts in (hosts4, hosts6)]
            self.wait_for_packets(sensors, exchange(room, rounds))
            seen = self.stop(sensors)
            self.assert_as_one(seen)
            self.assertEqual(len(seen[1].keys), 2 * HOSTS)

    def test_super_packets_of_a_connection_are_in_one_lane(self):
        """Segments that the hosts have not cut yet, in memory of their own."""
        with lab.Lab() as room:
            sensors = self.sensors(room, "tcp")
            listener = room.socket(room.near, kind=socket.SOCK_STREAM)
            listener.bind((lab.NEAR4, 0))
            listener.listen(8)
            for number in range(8):
                with room.socket(room.far, kind=socket.SOCK_STREAM) as sender:
                    sender.bind(("", 20000 + number))
                    sender.connect(listener.getsockname())
                    receiver = listener.accept()[0]
                    sender.sendall(bytes(200_000))
                    sender.shutdown(socket.SHUT_WR)
                    while receiver.recv(1 << 20):
                        pass
                    receiver.close()
            listener.close()
            time.sleep(0.5)
            seen = self.stop(sensors)
            for mine in seen.values():
                self.assertEqual(len(mine.keys), 8)
                self.assertEqual(mine.records, seen[1].records)

    def test_raw_ip_is_shared_out(self):
        with lab.Lab() as room:
            room.at(room.near, "ip", "tuntap", "add", "dev", "tun0", "mode", "tun")
            room.at(room.near, "ip", "link", "set", "tun0", "up")
            tun = open_tun(room, "tun0")
            sensors = self.sensors(room, interface="tun0")
            packets = [packet for number in range(HOSTS) for hosts in (hosts4, hosts6)
                       for kind in (udp, fragments) for way in kind(hosts(number), number) for packet in way]
            for packet in packets:
                os.write(tun, packet)
            self.wait_for_packets(sensors, len(packets))
            os.close(tun)
            self.assert_as_one(self.stop(sensors))

    def test_loopback_is_shared_out_and_counted_once(self):
        with lab.Lab() as room:
            sensors = self.sensors(room, "udp", interface="lo")
            count = 0
            for number in range(1, 60):
                with room.socket(room.near) as a, room.socket(room.near) as b:
                    a.bind(("127.0.0.%d" % number, 5000))
                    b.bind(("127.0.1.%d" % number, 6000))
                    a.sendto(b"question", b.getsockname())
                    b.sendto(b"answer", a.getsockname())
                    count += 2
            self.wait_for_packets(sensors, count)
            self.assert_as_one(self.stop(sensors))

    # -- links that come and go -----------------------------------------------------------------

    def come_back(self, room, sensors, change):
        """Until every socket of every sensor is bound to what is there now."""
        change()
        index = int(room.at(room.near, "cat", "/sys/class/net/%s/ifindex" % lab.LINK).stdout)
        wanted = sum(sensors)
        lab.wait_for("%d sockets" % wanted, lambda: bound_sockets(room, index) == wanted, 10)

    def agree_after(self, change):
        with lab.Lab() as room:
            sensors = self.sensors(room)
            rounds = list(conversations())
            before = [(link, *udp(hosts4(number), 1)) for number in range(HOSTS) for link in [LINKS["plain"]]]
            count = exchange(room, before)
            self.wait_for_packets(sensors, count)
            for sensor in sensors.values():
                sensor.ctl("expire-all")
            for _ in range(2):
                self.come_back(room, sensors, lambda: change(room))
                count += exchange(room, rounds)
                self.wait_for_packets(sensors, count)
                for sensor in sensors.values():
                    sensor.ctl("expire-all")
            seen = self.stop(sensors)
            for lanes, mine in seen.items():
                self.assertEqual(mine.records, seen[1].records, "%d lanes" % lanes)
                self.assertEqual(mine.lanes, list(range(lanes)))
            log = sensors[4].log()
            self.assertEqual(log.count("capturing again"), 2, log)

    def test_lanes_agree_after_the_interface_was_made_anew(self):
        def change(room):
            room.remove_link()
            time.sleep(0.5)
            room.make_link()
        self.agree_after(change)

    def test_lanes_agree_after_the_interface_was_down(self):
        def change(room):
            room.set_link("down")
            time.sleep(0.5)
            room.set_link("up")
            lab.wait_for("both ends running", room.is_link_up, 5)
            time.sleep(0.5)
        self.agree_after(change)

    def test_the_spare_filter_fits_into_what_old_kernels_grant(self):
        with lab.Lab() as room:
            had = room.at(room.near, "sysctl", "-n", "net.core.optmem_max", check=False)
            if had.returncode:
                self.skipTest("net.core.optmem_max is not per namespace here")
            room.at(room.near, "sysctl", "-qw", "net.core.optmem_max=20480")
            sensors = self.sensors(room, "udp", "or", "tcp", "port", "80", counts=(4,))
            self.come_back(room, sensors, lambda: (room.remove_link(), room.make_link()))
            rounds = [(LINKS["plain"], *udp(hosts4(number), 1)) for number in range(HOSTS)]
            self.wait_for_packets(sensors, exchange(room, rounds))
            self.stop(sensors)

    # -- one program all the same ---------------------------------------------------------------

    def test_statistics_are_those_of_one_lane(self):
        with lab.Lab() as room:
            sensors = self.sensors(room)
            count = exchange(room, list(conversations()))
            room.send_frames(strange_frames())
            self.wait_for_packets(sensors, count + len(strange_frames()))
            for word in (None, "expire-all"):
                answers = [sensor.ctl(word).stdout.split(": ", 1)[1] if word else ""
                           for sensor in sensors.values()]
                self.assertEqual(len(set(answers)), 1, answers)
                texts = [plain(sensor.statistics()["text"]) for sensor in sensors.values()]
                self.assertIn("Packets processed", texts[0])
                for text in texts[1:]:
                    self.assertEqual(text, texts[0])
            self.stop(sensors)

    def test_a_dump_has_the_flows_of_all_lanes(self):
        with lab.Lab() as room:
            sensors = self.sensors(room)
            rounds = [(LINKS["plain"], *udp(("192.0.2.%d" % (1 + i % 200), "198.51.100.%d" % (1 + i // 200)), 1))
                      for i in range(1000)]
            self.wait_for_packets(sensors, exchange(room, rounds))
            dumps = [sorted(tuple(sorted(flow.items())) for flow in sensor.flows())
                     for sensor in sensors.values()]
            self.assertEqual(len(dumps[0]), 1000)
            for dump in dumps[1:]:
                self.assertEqual(dump, dumps[0])
            for sensor in sensors.values():
                self.assertIn("Deleted 1000 flows", sensor.ctl("delete-all").stdout)
                self.assertEqual(sensor.flows(), [])
            self.stop(sensors)

    def test_gathering_stops_and_starts_in_all_lanes(self):
        rounds = [(LINKS["plain"], *udp(hosts4(number), 1)) for number in range(HOSTS)]
        with lab.Lab() as room:
            sensors = self.sensors(room)
            for sensor in sensors.values():
                sensor.ctl("stop-gather")
            count = exchange(room, rounds)
            self.wait_for_packets(sensors, count)
            for sensor in sensors.values():
                self.assertEqual(sensor.processed(), 0)
                sensor.ctl("start-gather")
            self.wait_for_packets(sensors, count + exchange(room, rounds))
            self.assertEqual([sensor.processed() for sensor in sensors.values()], [count] * len(LANES))
            self.stop(sensors)

    def test_each_lane_exports_under_its_own_number(self):
        """NetFlow v5: the engine is the lane, and each counts for itself."""
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            sensor = room.sensor("--lanes", 4, "-v", "5", "-n", "127.0.0.1:%d" % sink.port, *QUIET)
            rounds = [(LINKS["plain"], *udp(hosts4(number), 1)) for number in range(100)]
            count = exchange(room, rounds)
            self.wait_for_packets({4: sensor}, count)
            self.assertEqual(sensor.stop(), 0)
            datagrams = sink.close()
            expected, records = {}, 0
            for datagram, (sequence, rows) in zip(datagrams, lab.netflow5(datagrams)):
                engine = datagram[21]
                self.assertEqual(sequence, expected.get(engine, 0))
                expected[engine] = sequence + len(rows)
                records += len(rows)
            self.assertEqual(sorted(expected), [0, 1, 2, 3])
            self.assertEqual(records, 2 * len(rounds))

    def test_domains_follow_each_other(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            sensor = room.sensor("--lanes", 3, "--domain", 4294967293, "-n", "127.0.0.1:%d" % sink.port, *QUIET)
            rounds = [(LINKS["plain"], *udp(hosts4(number), 1)) for number in range(100)]
            self.wait_for_packets({3: sensor}, exchange(room, rounds))
            self.assertEqual(sensor.stop(), 0)
            domains = {struct.unpack_from("!I", datagram, 12)[0] for datagram in sink.close()}
            self.assertEqual(domains, {4294967293, 4294967294, 4294967295})

    def test_no_lane_meters_what_another_exports(self):
        with lab.Lab() as room, room.socket(room.far) as sink:
            sink.bind((lab.FAR4, 4739))
            sensor = room.sensor("--lanes", 4, "--print", "json", "-n", lab.FAR4 + ":4739", *QUIET)
            rounds = [(LINKS["plain"], *udp(hosts4(number), 1)) for number in range(100)]
            self.wait_for_packets({4: sensor}, exchange(room, rounds))
            sensor.ctl("expire-all")
            lab.wait_for("messages of all lanes", lambda: re.search(
                r"own-export: +([4-9]|\d\d)", sensor.statistics()["text"]), 5)
            self.assertEqual(sensor.stop(), 0)
            self.assertEqual(len(Seen(sensor, 4).keys), len(rounds))

    def test_a_source_that_cannot_share_is_one_lane_and_says_so(self):
        with lab.Lab() as room:
            sensor = room.sensor("--lanes", 4, "--source", "pcap", "--print", "json", *QUIET)
            rounds = [(LINKS["plain"], *udp(hosts4(number), 1)) for number in range(HOSTS)]
            self.wait_for_packets({1: sensor}, exchange(room, rounds))
            self.assertIn("one lane", sensor.log())
            self.assertEqual(sensor.stop(), 0)
            self.assertEqual(len(Seen(sensor, 1).keys), HOSTS)


def seen_frames(sensor):
    """Processed, ignored and not gathered."""
    numbers = sensor.statistics()
    paused = re.search(r"^ *not-gathered: +(\d+)", numbers["text"], re.M)
    return numbers["Packets processed"] + numbers["Ignored packets"] + (int(paused.group(1)) if paused else 0)


def plain(text):
    """Without what differs by lane or by moment: the pid, the start, messages and templates."""
    lines = [line for line in text.splitlines() if "Accumulated statistics" not in line]
    return "\n".join(lines)


def bound_sockets(room, index):
    rows = room.at(room.near, "cat", "/proc/net/packet").stdout.splitlines()[1:]
    return sum(1 for row in rows if row.split()[4] == str(index) and row.split()[5] == "1")


def open_tun(room, name):
    tun = lab.in_namespace(room.near, lambda: os.open("/dev/net/tun", os.O_RDWR))
    request = struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI)
    lab.in_namespace(room.near, lambda: fcntl.ioctl(tun, TUNSETIFF, request))
    return tun


if __name__ == "__main__":
    lab.main(__doc__)
