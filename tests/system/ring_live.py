#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The live sources by themselves, through ring_probe: what packet_gun and real sockets send on a
veth pair is handed over once, at once, and with what the kernel knows of it."""

import argparse
import json
import pathlib
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import lab

BUILD = lab.ROOT / "build"
SOURCE = "tpacket"
ETHERNET, RAW, SLL2 = 1, 101, 276
FRAME_OCTETS = 114  # of packet_gun's datagrams: 100 of IP behind an Ethernet header
TCP_INFO_SEGS_OUT = 136  # offset into struct tcp_info (linux/tcp.h)


class Probe:
    """ring_probe in a namespace; finish() gives its totals."""

    def __init__(self, name, *options, interface=lab.LINK, seconds=8):
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", name, str(BUILD / "tests/ring_probe"), "-k", SOURCE, "-i", interface,
             "-t", str(seconds), *map(str, options)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def wait_event(self, is_wanted):
        """Read on until a line is wanted; the probe's own time limit ends the wait."""
        for line in self.process.stdout:
            event = json.loads(line)
            if is_wanted(event):
                return event
        self.process.wait(5)
        raise AssertionError("the probe ended: " + self.process.stderr.read())

    def finish(self):
        end = self.wait_event(lambda event: event["event"] == "end")
        self.process.wait(5)
        return end

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        self.process.stdout.close()
        self.process.stderr.close()


def shoot(name, count, *options, interface=lab.LINK):
    return json.loads(lab.run("ip", "netns", "exec", name, BUILD / "tests/packet_gun", "-i", interface,
                              "-n", count, *options).stdout)


class RingLive(unittest.TestCase):
    def setUp(self):
        self.room = lab.Lab()
        self.room.__enter__()
        self.addCleanup(self.room.__exit__)

    def probe(self, *options, **more):
        made = Probe(self.room.near, *options, **more)
        self.addCleanup(made.close)
        made.wait_event(lambda event: event["event"] == "ready")
        return made

    def only(self, source):
        if SOURCE != source:
            self.skipTest("only with the source " + source)

    def test_twenty_packets_on_a_quiet_link_are_seen_within_200_ms(self):
        probe = self.probe("-n", 20, "-f", "udp port 9")
        shoot(self.room.far, 20)
        end = probe.finish()
        self.assertEqual((end["packets"], end["missing"], end["twice"]), (20, 0, 0))
        self.assertLess(end["latency_ms"], 200)
        self.assertEqual(end["clock_back"], 0)
        self.assertEqual(end["link_type"], ETHERNET)

    def test_a_hundred_thousand_numbered_packets_are_counted_exactly(self):
        probe = self.probe("-n", 100_000, "-f", "udp port 9", seconds=20)
        shoot(self.room.far, 100_000, "-r", 50_000)
        end = probe.finish()
        self.assertEqual((end["packets"], end["numbered"], end["missing"], end["twice"]),
                         (100_000, 100_000, 0, 0))
        self.assertEqual(end["wire_bytes"], 100_000 * FRAME_OCTETS)
        self.assertEqual((end["received"], end["dropped"]), (100_000, 0))

    def test_what_a_small_ring_drops_is_counted_exactly(self):
        self.only("tpacket")
        probe = self.probe("-b", 4096, "-c", 2, "-f", "udp port 9", seconds=3)
        probe.process.send_signal(signal.SIGSTOP)  # ip netns exec has become the probe
        shoot(self.room.far, 20_000)
        probe.process.send_signal(signal.SIGCONT)
        end = probe.finish()
        self.assertEqual(end["received"], 20_000)
        self.assertGreater(end["dropped"], 0)
        self.assertGreater(end["freezes"], 0)
        self.assertEqual(end["packets"] + end["dropped"], 20_000)

    def test_the_snap_length_is_applied_by_the_kernel(self):
        for options in (("-s", 60), ("-s", 60, "-f", "udp port 9")):
            probe = self.probe("-n", 100, *options)
            shoot(self.room.far, 100)
            end = probe.finish()
            self.assertEqual(end["captured_bytes"], 100 * 60)
            self.assertEqual(end["wire_bytes"], 100 * FRAME_OCTETS)

    def test_tags_come_back_with_their_octets(self):
        for vlan, tpid in ((5, 0x8100), (0xA007, 0x88A8)):
            probe = self.probe("-n", 10)
            shoot(self.room.far, 10, "-v", vlan, "-p", tpid)
            end = probe.finish()
            self.assertEqual(end["wire_bytes"], 10 * (FRAME_OCTETS + 4))
            self.assertEqual(end["numbered"], 10)
            if SOURCE == "tpacket":
                self.assertEqual((end["tagged"], end["tci"], end["tpid"]), (10, vlan, tpid))

    def count_filtered(self, expression):
        """Of 30 frames in VLAN 5, 20 in VLAN 6 and 10 without a tag."""
        probe = self.probe("-f", expression, seconds=2)
        shoot(self.room.far, 30, "-v", 5)
        shoot(self.room.far, 20, "-v", 6)
        shoot(self.room.far, 10)
        return probe.finish()["packets"]

    def test_filters_see_the_tags_that_the_kernel_took_off(self):
        self.assertEqual(self.count_filtered("vlan 5 and ip"), 30)
        self.assertEqual(self.count_filtered("vlan and udp port 9"), 50)
        # Outside of `vlan`, frames are judged as if they had no tag.
        self.assertEqual(self.count_filtered("ip and udp port 9"), 60)
        self.assertEqual(self.count_filtered("ip and tcp"), 0)
        self.assertEqual(self.count_filtered("udp port 9 and not vlan"), 10)

    def test_nothing_unfiltered_gets_in_at_the_start(self):
        gun = threading.Thread(target=shoot, args=(self.room.far, 60_000, "-r", 30_000))
        gun.start()
        time.sleep(0.2)
        end = self.probe("-f", "tcp", seconds=1).finish()
        gun.join()
        self.assertEqual(end["packets"], 0)
        if SOURCE == "tpacket":  # libpcap attaches its filter later, and counts until then
            self.assertEqual(end["received"], 0)

    def test_a_wrong_filter_is_refused_by_name(self):
        with self.assertRaisesRegex(AssertionError, "no such thing"):
            self.probe("-f", "no such thing")

    def test_a_link_that_goes_down_and_up_is_said_once_each(self):
        probe = self.probe("-f", "udp port 9", seconds=4)
        shoot(self.room.far, 10)
        self.room.set_link("down")
        lost = probe.wait_event(lambda event: event["event"] == "link")
        self.assertEqual((lost["losses"], lost["returns"]), (1, 0))
        self.assertEqual(lost["text"], "veth0: link lost")
        self.room.set_link("up")
        back = probe.wait_event(lambda event: event["event"] == "link")
        self.assertEqual((back["losses"], back["returns"]), (1, 1))
        self.assertEqual(back["text"], "veth0: capturing again")
        shoot(self.room.far, 10, "-f", 10)
        end = probe.finish()
        self.assertEqual((end["packets"], end["missing"], end["twice"]), (20, 0, 0))
        self.assertEqual((end["losses"], end["returns"], end["rebinds"]), (1, 1, 0))

    def promiscuity(self):
        text = lab.run("ip", "-n", self.room.near, "-j", "-d", "link", "show", lab.LINK).stdout
        return json.loads(text)[0]["promiscuity"]

    def test_a_link_that_is_deleted_and_made_again_is_captured_within_a_second(self):
        probe = self.probe("-f", "udp port 9", seconds=6)
        self.assertEqual(self.promiscuity(), 1)
        shoot(self.room.far, 10)
        self.room.remove_link()
        probe.wait_event(lambda event: event["event"] == "link" and event["losses"] == 1)
        time.sleep(0.5)
        self.room.make_link()
        made = time.monotonic()
        probe.wait_event(lambda event: event["event"] == "link" and event["returns"] == 1)
        self.assertLess(time.monotonic() - made, 1)
        self.assertEqual(self.promiscuity(), 1)
        shoot(self.room.far, 10, "-f", 10)
        end = probe.finish()
        self.assertEqual((end["packets"], end["missing"], end["twice"]), (20, 0, 0))
        self.assertEqual((end["losses"], end["returns"], end["rebinds"]), (1, 1, 1))

    def test_packets_from_just_before_a_loss_are_handed_over(self):
        probe = self.probe("-f", "udp port 9", "-o", 100, seconds=3)
        shoot(self.room.far, 50)
        self.room.remove_link()
        end = probe.finish()
        self.assertEqual((end["packets"], end["missing"], end["losses"]), (50, 0, 1))

    def test_a_link_that_is_down_at_the_start_is_waited_for(self):
        self.only("tpacket")
        self.room.set_link("down")
        probe = self.probe("-f", "udp port 9", seconds=3)
        time.sleep(0.3)
        self.room.set_link("up")
        probe.wait_event(lambda event: event["event"] == "link" and event["returns"] == 1)
        shoot(self.room.far, 10)
        self.assertEqual(probe.finish()["packets"], 10)

    def test_promiscuous_mode_is_left_off_when_asked(self):
        probe = self.probe("-N", seconds=1)
        self.assertEqual(self.promiscuity(), 0)
        probe.finish()

    def test_a_renamed_interface_is_captured_on(self):
        probe = self.probe("-f", "udp port 9", seconds=3)
        lab.run("ip", "-n", self.room.near, "link", "set", lab.LINK, "name", "other0")
        time.sleep(0.5)
        shoot(self.room.far, 10)
        end = probe.finish()
        self.assertEqual((end["packets"], end["losses"]), (10, 0))

    def test_loopback_packets_are_counted_once(self):
        probe = self.probe("-f", "udp port 7", interface="lo", seconds=2)
        with self.room.socket(self.room.near) as sender:
            for _ in range(50):
                sender.sendto(b"hello", ("127.0.0.1", 7))
        end = probe.finish()
        self.assertEqual(end["packets"], 50)
        if SOURCE == "tpacket":
            self.assertEqual((end["received"], end["duplicates"], end["outgoing"]), (100, 50, 0))

    def test_sent_packets_are_marked_as_outgoing(self):
        self.only("tpacket")
        probe = self.probe("-n", 10)
        shoot(self.room.near, 10)
        self.assertEqual(probe.finish()["outgoing"], 10)

    def test_a_tcp_transfer_with_offloads_has_its_segments(self):
        self.only("tpacket")
        listener = self.room.socket(self.room.near, kind=socket.SOCK_STREAM)
        listener.bind((lab.NEAR4, 0))
        listener.listen(1)
        port = listener.getsockname()[1]
        probe = self.probe("-f", "tcp dst port %d" % port, "-b", 1 << 20, "-c", 64, seconds=4)
        sender = self.room.socket(self.room.far, kind=socket.SOCK_STREAM)
        sender.connect((lab.NEAR4, port))
        receiver = listener.accept()[0]
        drain = threading.Thread(target=lambda: [None for _ in iter(lambda: receiver.recv(1 << 20), b"")])
        drain.start()
        sender.sendall(bytes(20_000_000))
        sender.shutdown(socket.SHUT_WR)
        drain.join(20)
        receiver.close()
        sender.recv(1)
        time.sleep(0.3)
        segments = struct.unpack_from("I", sender.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 232),
                                      TCP_INFO_SEGS_OUT)[0]
        end = probe.finish()
        sender.close()
        listener.close()
        self.assertEqual(end["dropped"], 0)
        self.assertGreater(end["super_packets"], 0)
        self.assertLess(end["packets"], segments)
        self.assertEqual(end["segments"], segments)

    def test_any_interface_is_seen_through_libpcap(self):
        self.only("pcap")
        probe = self.probe("-f", "udp port 9", interface="any", seconds=2)
        shoot(self.room.far, 10)
        shoot(self.room.near, 10, "-f", 10)
        end = probe.finish()
        self.assertEqual((end["packets"], end["numbered"], end["outgoing"]), (20, 20, 10))
        self.assertEqual(end["link_type"], SLL2)
        self.assertGreater(end["if_index"], 0)

    def test_any_interface_is_none_for_the_ring(self):
        self.only("tpacket")
        with self.assertRaisesRegex(AssertionError, "any: "):
            self.probe(interface="any")

    def test_a_tun_interface_gives_raw_ip(self):
        """IFF_TUN | IFF_NO_PI; a packet that is written to it is received from it."""
        script = ("import fcntl,os,struct,sys,time\n"
                  "fd=os.open('/dev/net/tun',os.O_RDWR)\n"
                  "fcntl.ioctl(fd,0x400454ca,struct.pack('16sH22x',b'tun7',0x1001))\n"
                  "os.system('ip link set tun7 up')\n"
                  "print('up',flush=True)\n"
                  "sys.stdin.readline()\n"
                  "ip=bytes.fromhex('4500001c000000004011000001020304050607080009000900080000')\n"
                  "[os.write(fd,ip) for _ in range(10)]\n"
                  "sys.stdin.readline()\n")
        if not pathlib.Path("/dev/net/tun").exists():
            self.skipTest("no /dev/net/tun")
        tun = subprocess.Popen(["ip", "netns", "exec", self.room.near, sys.executable, "-c", script],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.addCleanup(tun.communicate)
        self.assertEqual(tun.stdout.readline(), "up\n")
        probe = self.probe("-f", "udp port 9", interface="tun7", seconds=2)
        tun.stdin.write("\n")
        tun.stdin.flush()
        end = probe.finish()
        self.assertEqual((end["packets"], end["link_type"], end["wire_bytes"]), (10, RAW, 10 * 28))


def main():
    global BUILD, SOURCE
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default=str(BUILD))
    parser.add_argument("--source", default=SOURCE, choices=("tpacket", "pcap"))
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    BUILD, SOURCE = pathlib.Path(arguments.build).resolve(), arguments.source
    lab.require("ip", "ethtool")
    unittest.main(argv=[sys.argv[0], "-v", *arguments.cases])


if __name__ == "__main__":
    main()
