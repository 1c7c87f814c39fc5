#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Capture on a live link: nothing is late, nothing is lost, nothing is counted twice."""

import json
import os
import signal
import socket
import struct
import threading
import time
import unittest

import lab
import peers  # noqa: F401  finds wire and network
import network
import wire

# Offsets into struct tcp_info (linux/tcp.h): segments out and in, and octets sent.
TCP_INFO_SEGS_OUT, TCP_INFO_SEGS_IN = 136, 140
TCP_INFO_BYTES_SENT = 200
TRANSFER_BYTES = 100_000_000
SYN_OCTETS, SEGMENT_HEADER_OCTETS = 60, 52  # IPv4 and TCP headers; time stamps in each


def printed_records(sensor):
    return [json.loads(line) for line in sensor.printed().splitlines() if line.startswith("{")]


def sums(records, **wanted):
    """Packets and octets of the records whose fields are as wanted."""
    mine = [row for row in records if all(row[name] == value for name, value in wanted.items())]
    return sum(row["packets"] for row in mine), sum(row["bytes"] for row in mine)


class Transfer:
    """One TCP connection from far to near: data, then silence, both ends still open."""

    def __init__(self, room, octets):
        self.octets = octets
        listener = room.socket(room.near, kind=socket.SOCK_STREAM)
        listener.bind((lab.NEAR4, 0))
        listener.listen(1)
        self.port = listener.getsockname()[1]
        self.sender = room.socket(room.far, kind=socket.SOCK_STREAM)
        self.sender.connect((lab.NEAR4, self.port))
        self.receiver = listener.accept()[0]
        listener.close()

    def run(self):
        drain = threading.Thread(target=self.drain)
        drain.start()
        block = bytes(1 << 20)
        left = self.octets
        while left:
            left -= self.sender.send(block[:min(left, len(block))])
        drain.join(60)
        assert not drain.is_alive(), "the transfer did not end"
        time.sleep(0.3)  # a delayed acknowledgement may still be on its way

    def drain(self):
        left = self.octets
        while left:
            left -= len(self.receiver.recv(min(left, 1 << 20)))

    def sender_info(self):
        return self.sender.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)

    def close(self):
        self.sender.close()
        self.receiver.close()


def info32(info, offset):
    return struct.unpack_from("=I", info, offset)[0]


class Capture(unittest.TestCase):
    def test_quiet_link_is_seen_within_two_seconds(self):
        with lab.Lab() as room:
            sensor = room.sensor()
            begin = time.monotonic()

            room.send_udp(20)

            lab.wait_for("20 packets", lambda: sensor.processed() == 20, 2)
            self.assertLess(time.monotonic() - begin, 2)
            self.assertEqual(sensor.stop(), 0)

    def test_fragments_wait_for_their_first_on_a_link_that_falls_silent(self):
        """A whole datagram backwards, then the end of one whose first is lost."""
        whole, lost = (network.pieces4(ident, wire.udp(6000 + ident, 7000, b"f" * 2000), [1480],
                                       lab.FAR4, lab.NEAR4) for ident in (1, 2))
        with lab.Lab() as room:
            sensor = room.sensor("-t", "udp=60")
            room.send_frames([wire.ethernet(packet) for packet in (whole[1], whole[0], lost[1])])

            lab.wait_for("all three", lambda: sensor.processed() == 3, 2)
            self.assertEqual(sensor.statistics()["Fragments"], 3)
            flow, = sensor.flows()
            self.assertEqual((flow["aport"], flow["packets0"]), ("6001", "2"))

            lab.wait_for("the end of the wait", lambda: len(sensor.flows()) == 2, 32)
            lone, = (flow for flow in sensor.flows() if flow["aport"] == "0")
            self.assertEqual((lone["bport"], lone["packets0"]), ("0", "1"))
            self.assertEqual(sensor.processed(), 3)
            self.assertEqual(sensor.stop(), 0)

    def test_hundred_thousand_numbered_packets_are_counted_exactly(self):
        count, ports = 100_000, 100
        with lab.Lab() as room:
            sensor = room.sensor("--print", "json", "-m", "1000")
            for port in range(7000, 7000 + ports):
                room.listen((lab.NEAR4, port))
            with room.socket(room.far) as sender:
                sender.bind(("", 6000))
                for number in range(count):
                    sender.sendto(struct.pack("!I", number) + b"." * 28,
                                  (lab.NEAR4, 7000 + number % ports))
            lab.wait_for("all packets", lambda: sensor.processed() >= count, 10)
            self.assertEqual(sensor.statistics().get("Packets dropped by libpcap"), 0)

            self.assertEqual(sensor.stop(), 0)

            records = printed_records(sensor)
            for port in range(7000, 7000 + ports):
                self.assertEqual(sums(records, dst_port=port, src_port=6000),
                                 (count // ports, count // ports * 60), port)

    def transfer(self, room, sensor, octets):
        """Run a transfer; packets and octets each way as the sensor's flow has them."""
        transfer = Transfer(room, octets)
        transfer.run()
        info = transfer.sender_info()

        def counted():
            mine = [flow for flow in sensor.flows()
                    if str(transfer.port) in (flow["aport"], flow["bport"])]
            if not mine:
                return None
            assert len(mine) == 1, "one conversation in %d flows" % len(mine)
            flow = mine[0]
            # The initiator stands first, who is far and sends the data.
            order = ("1", "0") if flow["a"] == lab.NEAR4 else ("0", "1")
            return [(int(flow["packets" + side]), int(flow["octets" + side])) for side in order]

        wanted = info32(info, TCP_INFO_SEGS_OUT)
        lab.wait_for("the flow", counted, 5)
        end = time.monotonic() + 3
        while counted()[0][0] < wanted and time.monotonic() < end:
            time.sleep(0.05)
        data, acknowledgements = counted()
        sent = struct.unpack_from("=Q", info, TCP_INFO_BYTES_SENT)[0]
        self.assertEqual(data[0], wanted)
        self.assertEqual(data[1], sent + SEGMENT_HEADER_OCTETS * (wanted - 1) + SYN_OCTETS)
        self.assertEqual(acknowledgements[0], info32(info, TCP_INFO_SEGS_IN))
        self.assertEqual(sensor.statistics().get("Packets dropped by libpcap"), 0)
        self.addCleanup(transfer.close)  # its last packets are not of interest
        return data, acknowledgements

    def test_offloaded_transfer_gives_the_senders_segments(self):
        if lab.Sensor.source == "pcap":
            self.skipTest("libpcap does not say how a frame was cut: right to the segment only as"
                          " long as all were full, which TCP does not promise")
        with lab.Lab() as room:
            sensor = room.sensor("-t", "maxlife=10m", "-t", "general=10m", "-t", "tcp=10m")

            (packets, _), _ = self.transfer(room, sensor, TRANSFER_BYTES)

            # Offload was really on: far fewer frames than segments passed the interface.
            self.assertLess(room.counter(room.near, "rx_packets"), packets / 4)
            self.assertEqual(sensor.stop(), 0)

    def test_plain_transfer_gives_the_interfaces_octets(self):
        with lab.Lab(offloads=False) as room:
            sensor = room.sensor("-t", "maxlife=10m", "-t", "general=10m", "-t", "tcp=10m")
            names = ("rx_packets", "rx_bytes", "tx_packets", "tx_bytes")
            before = [room.counter(room.near, name) for name in names]

            data, acknowledgements = self.transfer(room, sensor, 20_000_000)

            after = [room.counter(room.near, name) for name in names]
            received, received_octets, sent, sent_octets = [b - a for a, b in zip(before, after)]
            self.assertEqual(data, (received, received_octets - 14 * received))
            self.assertEqual(acknowledgements, (sent, sent_octets - 14 * sent))
            self.assertEqual(sensor.stop(), 0)

    def test_counting_frames_takes_super_packets_as_they_are(self):
        with lab.Lab() as room:
            sensor = room.sensor("--count", "frames", "-t", "maxlife=10m", "-t", "tcp=10m")
            transfer = Transfer(room, 10_000_000)
            transfer.run()
            self.addCleanup(transfer.close)
            frames = room.counter(room.near, "rx_packets")

            lab.wait_for("%d frames" % frames, lambda: [
                flow for flow in sensor.flows() if flow["packets0"] == str(frames)], 5)

            self.assertEqual(len(sensor.flows()), 1)

    def test_every_packet_is_metered_or_reported_as_dropped(self):
        count = 20_000
        small = ("-B", "256K") if lab.Sensor.source == "pcap" else ("--block-size", "64K", "--block-count", "4")
        with lab.Lab() as room:
            sensor = room.sensor(*small, "--print", "json")

            sensor.process.send_signal(signal.SIGSTOP)
            room.send_udp(count)
            sensor.process.send_signal(signal.SIGCONT)

            def accounted():
                numbers = sensor.statistics()
                return numbers["Packets processed"] + numbers["Packets dropped by libpcap"] >= count
            lab.wait_for("all packets accounted for", accounted, 5)
            numbers = sensor.statistics()
            self.assertGreater(numbers["Packets dropped by libpcap"], 0, "the ring was large enough")
            self.assertEqual(numbers["Packets processed"] + numbers["Packets dropped by libpcap"], count)
            self.assertEqual(numbers["Packets received by libpcap"], count)
            self.assertEqual(sensor.stop(), 0)
            self.assertEqual(sums(printed_records(sensor))[0], numbers["Packets processed"])

    def test_loopback_packets_are_counted_once(self):
        with lab.Lab() as room:
            sensor = room.sensor("--print", "json", interface="lo")
            with room.socket(room.near) as receiver, room.socket(room.near) as sender:
                receiver.bind(("127.0.0.1", 0))
                for _ in range(50):
                    sender.sendto(b"x" * 72, receiver.getsockname())
                lab.wait_for("50 packets", lambda: sensor.processed() >= 50, 3)
                time.sleep(0.2)

                self.assertEqual(sensor.stop(), 0)
                port = receiver.getsockname()[1]
            self.assertEqual(sums(printed_records(sensor), dst_port=port), (50, 5000))

    def test_filter_runs_and_drops_are_not_losses(self):
        with lab.Lab() as room:
            sensor = room.sensor("--print", "json", "udp", "port", "7001")
            room.send_udp(30, target=(lab.NEAR4, 7000))
            room.send_udp(30, target=(lab.NEAR4, 7001))
            lab.wait_for("30 packets", lambda: sensor.processed() >= 30, 3)

            self.assertEqual(sensor.stop(), 0)

            self.assertEqual(sums(printed_records(sensor)), (30, 3000))

    def test_vlan_tag_that_the_kernel_took_off_is_seen(self):
        with lab.Lab() as room:
            sensor = room.sensor("--print", "json", "-T", "vlan")
            packet = wire.ipv4(lab.FAR4, lab.NEAR4, wire.UDP, wire.udp(6000, 7000, b"." * 72))
            room.send_frames([wire.ethernet(wire.vlan(77, packet), lab.FAR_MAC, lab.NEAR_MAC)] * 20)
            lab.wait_for("20 packets", lambda: sensor.processed() >= 20, 3)

            self.assertEqual(sensor.stop(), 0)

            self.assertEqual(sums(printed_records(sensor), dst_port=7000, vlan_id=77), (20, 2000))


class Interface(unittest.TestCase):
    """An interface that goes away is waited for; the log says so once."""

    def test_flap_is_survived(self):
        with lab.Lab() as room:
            sensor = room.sensor()
            room.send_udp(20)
            lab.wait_for("before", lambda: sensor.processed() == 20, 3)

            room.set_link("down")
            lab.wait_for("the loss in the log", lambda: "went down" in sensor.log(), 3)
            room.set_link("up")
            lab.wait_for("link", room.is_link_up, 5)
            time.sleep(1)
            room.send_udp(20)

            lab.wait_for("after", lambda: sensor.processed() >= 40, 3)
            lab.wait_for("the return in the log", lambda: "is back" in sensor.log(), 3)
            said = [line for line in sensor.log().splitlines() if "the interface" in line]
            self.assertEqual(len(said), 2, "said once each: " + sensor.log())
            self.assertEqual(sensor.stop(), 0)

    def test_interface_made_again_is_bound_within_a_second(self):
        with lab.Lab() as room:
            sensor = room.sensor("--print", "json")
            room.send_udp(20)
            lab.wait_for("before", lambda: sensor.processed() == 20, 3)

            room.remove_link()
            time.sleep(0.7)
            self.assertIsNone(sensor.process.poll(), sensor.log())
            room.make_link()
            time.sleep(1.0)
            room.send_udp(20, source_port=6001)

            lab.wait_for("after", lambda: sensor.processed() >= 40, 3)
            self.assertEqual(sensor.stop(), 0)
            self.assertEqual(sums(printed_records(sensor), src_port=6001), (20, 2000))

    def test_interface_that_does_not_exist_is_refused_by_name(self):
        with lab.Lab() as room:
            done = room.at(room.near, str(lab.Sensor.build / "sensor/ringflowd"), "-d", "-p", "none",
                           "-c", "none", "-i", "nosuch0", "--if-absent", "exit", check=False, timeout=10)

            self.assertEqual(done.returncode, 1)
            self.assertIn("nosuch0", done.stderr)


class Ending(unittest.TestCase):
    """Whoever asks for the end, every open flow is exported first."""

    def ending(self, finish):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            sensor = room.sensor("-v", "5", "-n", "127.0.0.1:%d" % sink.port)
            for place in range(50):
                room.send_udp(2, source_port=6000 + place)
            lab.wait_for("100 packets", lambda: sensor.processed() == 100, 3)

            status = finish(sensor)

            rows = [row for _, some in lab.netflow5(sink.close()) for row in some]
            self.assertEqual(status, 0)
            self.assertEqual(len(rows), 50)
            self.assertEqual(sum(row[2] for row in rows), 100)
            self.assertFalse(os.path.exists(sensor.control), "control socket left behind")

    def test_sigterm_exports_everything(self):
        self.ending(lambda sensor: sensor.stop())

    def test_sigint_exports_everything(self):
        self.ending(lambda sensor: sensor.stop(signal.SIGINT))

    def test_sigterm_sent_to_process_and_group_exports_everything(self):
        def twice(sensor):
            sensor.process.send_signal(signal.SIGTERM)
            time.sleep(0.01)
            return sensor.stop()

        self.ending(twice)

    def test_word_shutdown_exports_everything(self):
        self.ending(lambda sensor: (sensor.ctl("shutdown"), sensor.process.wait(10))[1])

    def test_word_exit_exports_everything(self):
        self.ending(lambda sensor: (sensor.ctl("exit"), sensor.process.wait(10))[1])

    def test_packets_that_came_just_before_the_end_are_counted(self):
        with lab.Lab() as room:
            sensor = room.sensor("--print", "json")
            room.send_udp(20)

            self.assertEqual(sensor.stop(), 0)

            self.assertEqual(sums(printed_records(sensor)), (20, 2000))

    def test_idle_flows_leave_while_nothing_happens(self):
        with lab.Lab() as room:
            sink = lab.Sink(room, room.near)
            sensor = room.sensor("-v", "5", "-n", "127.0.0.1:%d" % sink.port, "-t", "udp=1s",
                                 "-t", "expint=0")
            room.send_udp(20)

            lab.wait_for("the record", lambda: sink.datagrams, 5)

            rows = [row for _, some in lab.netflow5(sink.close()) for row in some]
            self.assertEqual([row[2:4] for row in rows], [(20, 2000)])
            self.assertIsNone(sensor.process.poll())


if __name__ == "__main__":
    lab.main(__doc__)
