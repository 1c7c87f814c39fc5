#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A sensor at work for long: traffic without a pause, and at the same time clients of the control
socket, reloads, and a collector that goes away and comes back.

    tests/system/soak.py [--build DIR] [--seconds N] [--rate N] [--flows N]

Without --rate the highest rate without a loss is looked for first, and a fifth of it left free for
what else goes on. At the end every packet that was sent was metered, the kernel dropped none, and
the process has as much memory, as many descriptors and threads as when it had warmed up.
"""

import argparse
import json
import os
import pathlib
import re
import signal
import socket
import sys
import threading
import time

import lab

RATES = (1_000_000, 800_000, 600_000, 450_000, 300_000, 200_000, 100_000, 50_000, 20_000)
SEARCH_S = 2
SENDER_S = 60
FREE_SHARE = 0.8
CLIENTS_EVERY_S, RELOAD_EVERY_S, COLLECTOR_EVERY_S = 0.5, 2, 5
GROWTH_KIB = 1024
MESSAGE_RECORDS = 1500  # of one run of messages: what may wait in a collector that is closed
OPTIONS = ("-v", "5", "-m", "200000", "-t", "udp=2", "-t", "maxlife=5", "-t", "expint=0")


class Traffic(threading.Thread):
    """The sender, again and again, because it does not run for long."""

    def __init__(self, room, rate, flows, seconds):
        super().__init__(daemon=True)
        self.command = ["ip", "netns", "exec", room.far, str(lab.Sensor.build / "tests/bench/bench_sender"), "-i",
                        lab.LINK, "-F", str(flows), "-r", str(rate), "-t"]
        self.left_s, self.sent, self.problem = seconds, 0, None
        self.start()

    def run(self):
        try:
            while self.left_s > 0:
                part_s = min(self.left_s, SENDER_S)
                done = lab.run(*self.command, part_s, timeout=part_s + 60)
                self.sent += json.loads(done.stdout.splitlines()[-1])["sent"]
                self.left_s -= part_s
        except Exception as problem:  # told by finish(), in the thread that judges
            self.problem = problem

    def finish(self):
        self.join()
        if self.problem:
            raise self.problem
        return self.sent


def settled(sensor, count):
    """Wait until the ring is empty; (metered, dropped)."""
    end = time.monotonic() + 10
    while True:
        numbers = sensor.statistics()
        seen = numbers["Packets processed"], numbers["Packets dropped by libpcap"]
        if sum(seen) >= count or time.monotonic() > end:
            return seen
        time.sleep(0.1)


def lossless_rate(rate, flows):
    """What was sent a second when that was asked for; 0 when some of it was lost."""
    with lab.Lab() as room:
        sensor = room.sensor(*OPTIONS)
        sent = Traffic(room, rate, flows, SEARCH_S).finish()
        metered, dropped = settled(sensor, sent)
    print("  %d/s asked, %d/s sent, %d dropped" % (rate, sent / SEARCH_S, dropped), flush=True)
    return sent / SEARCH_S if dropped == 0 and metered == sent else 0


def find_rate(flows):
    print("looking for the highest rate without a loss", flush=True)
    for rate in RATES:
        sent = lossless_rate(rate, flows)
        if sent:
            return int(sent * FREE_SHARE)
    raise AssertionError("no rate is without a loss")


class Footprint:
    """What a process has of things that may leak; between clients, whose descriptors are no leak."""

    def __init__(self, pid):
        status = pathlib.Path("/proc/%d/status" % pid).read_text()
        self.kib = int(re.search(r"^RssAnon:\s+(\d+)", status, re.M).group(1))
        self.threads = int(re.search(r"^Threads:\s+(\d+)", status, re.M).group(1))
        self.descriptors = min(self.count_descriptors(pid) for _ in range(20))

    @staticmethod
    def count_descriptors(pid):
        time.sleep(0.05)
        return len(os.listdir("/proc/%d/fd" % pid))

    def __str__(self):
        return "%d KiB, %d threads, %d descriptors" % (self.kib, self.threads, self.descriptors)


class Disturber(threading.Thread):
    """Does one thing again and again until it is told to stop."""

    def __init__(self, every_s, action):
        super().__init__(daemon=True)
        self.every_s, self.action = every_s, action
        self.stopped, self.count, self.problem = threading.Event(), 0, None

    def run(self):
        while not self.stopped.wait(self.every_s):
            try:
                self.action()
                self.count += 1
            except Exception as problem:  # told by finish(), in the thread that judges
                self.problem = problem
                return

    def finish(self):
        self.stopped.set()
        self.join(30)
        if self.problem:
            raise self.problem


class Collector:
    """One that is closed and opened again under the same port, and counts NetFlow 5 records."""

    def __init__(self, room):
        self.room, self.records = room, 0
        self.sink = lab.Sink(room, room.near)

    def restart(self):
        self.take(self.sink.close())
        time.sleep(0.5)
        self.sink = lab.Sink(self.room, self.room.near, port=self.sink.port)

    def take(self, datagrams):
        self.records += sum(int.from_bytes(datagram[2:4], "big") for datagram in datagrams)


def ask(sensor):
    """Clients of every kind: one that asks, one that wants all flows, one that says nothing."""
    with socket.socket(socket.AF_UNIX) as silent:
        silent.connect(sensor.control)
        silent.send(b"stat")
        sensor.ctl("statistics")
        sensor.ctl("dump-flows", timeout=30)


def number_of(text, pattern):
    found = re.search(pattern, text)
    return int(found.group(1)) if found else 0


def soak(rate, flows, seconds):
    faults = []
    with lab.Lab() as room:
        collector = Collector(room)
        sensor = room.sensor(*OPTIONS, "-n", "127.0.0.1:%d" % collector.sink.port)
        pid = sensor.process.pid
        traffic = Traffic(room, rate, flows, seconds)
        disturbers = [Disturber(CLIENTS_EVERY_S, lambda: ask(sensor)),
                      Disturber(RELOAD_EVERY_S, lambda: os.kill(pid, signal.SIGHUP)),
                      Disturber(COLLECTOR_EVERY_S, collector.restart)]
        for disturber in disturbers:
            disturber.start()
        time.sleep(max(seconds / 4, 5))
        warm = Footprint(pid)
        sent = traffic.finish()
        for disturber in disturbers:
            disturber.finish()
        time.sleep(1)
        metered, dropped = settled(sensor, sent)
        cold = Footprint(pid)
        lab.wait_for("the flows to end", lambda: sensor.statistics()["Number of active flows"] == 0, 30)
        text = sensor.statistics()["text"]
        if sensor.stop(timeout=40) != 0:
            faults.append("the exit status is not 0: " + sensor.log())
        collector.take(collector.sink.close())
    records = number_of(text, r"\((\d+) records\)")
    lost = number_of(text, r"lost-records: +(\d+)")
    print("%d packets in %d s (%d/s), %d metered, %d dropped" % (sent, seconds, sent / seconds, metered, dropped))
    print("%d records sent, %d arrived, %d counted as lost" % (records, collector.records, lost))
    print("%d rounds of clients, %d reloads, %d restarts of the collector" % tuple(d.count for d in disturbers))
    print("warm: %s; at the end: %s" % (warm, cold))
    if dropped or metered != sent:
        faults.append("%d of %d packets were metered, %d dropped" % (metered, sent, dropped))
    silent = records - lost - collector.records
    if not 0 <= silent <= MESSAGE_RECORDS * (disturbers[2].count + 1):
        faults.append("%d records neither arrived nor were counted as lost" % silent)
    if cold.kib - warm.kib > GROWTH_KIB and not lab.Sensor.is_sanitized():
        faults.append("memory grew by %d KiB" % (cold.kib - warm.kib))
    if cold.descriptors > warm.descriptors or cold.threads > warm.threads:
        faults.append("descriptors or threads were left")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build", default=str(lab.ROOT / "build"))
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--rate", type=int, help="packets a second; default: found")
    parser.add_argument("--flows", type=int, default=10_000)
    arguments = parser.parse_args()
    lab.Sensor.build = pathlib.Path(arguments.build).resolve()
    lab.require("ip")
    rate = arguments.rate or find_rate(arguments.flows)
    faults = soak(rate, arguments.flows, arguments.seconds)
    for fault in faults:
        print("FAULT: " + fault)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
