#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A sensor that is killed, told to leave, started anew, while numbered packets come in: each of
them is in one exported record. The manager is our own (manager.py); restart.py has a real one.
"""

import os
import random
import signal
import time
import unittest

import foreign
import lab
import manager
import telling

PER_S = 20000
# A flow that is cut by its lifetime goes on; one that is idle ends: both happen all the time.
TIMES = ("-t", "udp=1", "-t", "general=1", "-t", "maxlife=2", "-t", "expint=0")
SECONDS = int(os.environ.get("RINGFLOW_SECONDS", "5"))  # of a stream


class Handover(unittest.TestCase):

    def run_stream(self, lanes, seconds, disturb, more=(), packets=4):
        with lab.Lab() as room:
            sink = telling.Sink(room, room.near)
            options = ["-n", "127.0.0.1:%d" % sink.port, "-v", 5, "--lanes", lanes, *TIMES, *more]
            with manager.Manager(room, *options) as keeper:
                keeper.start()
                stream = telling.Stream(room, seconds * PER_S, PER_S, packets)
                try:
                    disturb(keeper, stream)
                    stream.finish()
                finally:
                    stream.kill()
                self.assertEqual(keeper.kill(signal.SIGTERM), 0, keeper.text())
                lab.wait_for("an empty store", lambda: not keeper.store, 5)
                text = keeper.text()
            words, repeats = telling.audit(stream, sink)
            self.assertEqual(words, "", text)
            return keeper, repeats, text

    def kill_often(self, how, pause):
        def disturb(keeper, stream):
            while stream.is_running():
                time.sleep(pause())
                keeper.kill(how)
                keeper.start()
        return disturb

    def test_nothing_is_lost_when_nothing_happens(self):
        self.run_stream(1, 3, lambda *_: None)

    def test_killed_at_any_instant(self):
        for lanes in (1, 2):
            with self.subTest(lanes=lanes):
                keeper, _, _ = self.run_stream(
                    lanes, SECONDS, self.kill_often(signal.SIGKILL, lambda: random.uniform(0, 0.2)))
                self.assertGreater(keeper.starts, 5)

    def test_told_to_leave(self):
        for lanes in (1, 2):
            with self.subTest(lanes=lanes):
                keeper, repeats, _ = self.run_stream(
                    lanes, SECONDS, self.kill_often(signal.SIGUSR2, lambda: random.uniform(0, 0.3)))
                self.assertGreater(keeper.starts, 3)
                self.assertEqual(repeats, 0)

    def test_other_lanes_go_on(self):
        """More lanes, fewer, other rings, another table: flows move, and no packet is in two rings."""
        ways = (["--lanes", 2], ["--lanes", 1, "--block-size", "512K"], ["--lanes", 3, "-m", 200000],
                ["--lanes", 1])

        def disturb(keeper, stream):
            turn = 0
            while stream.is_running():
                time.sleep(random.uniform(0.2, 0.7))
                keeper.kill(random.choice((signal.SIGKILL, signal.SIGUSR2)))
                keeper.start(*ways[turn % len(ways)])
                turn += 1

        keeper, _, text = self.run_stream(1, 2 * SECONDS, disturb)
        self.assertGreater(keeper.starts, 4)
        self.assertIn("moved", text)

    def test_what_cannot_be_gone_on_with_is_exported(self):
        """Another idea of what a flow is."""
        ways = (["-T", "vlan"], ["-T", "full"])

        def disturb(keeper, stream):
            turn = 0
            while stream.is_running():
                time.sleep(random.uniform(0.3, 0.9))
                keeper.kill(signal.SIGKILL)
                keeper.start(*ways[turn % len(ways)])
                turn += 1

        self.run_stream(2, SECONDS, disturb)

    def test_a_table_of_another_version_is_exported(self):
        """It is read by name: flows, what waits for the collector, the place in the ring."""

        def disturb(keeper, stream):
            while stream.is_running():
                time.sleep(random.uniform(0.4, 0.9))
                keeper.kill(signal.SIGUSR2)
                self.entries += sum(foreign.rewrite(fds[0]) for name, fds in keeper.store.items()
                                    if "state-" in name)
                keeper.start()

        for lanes in (1, 2):
            with self.subTest(lanes=lanes):
                self.entries = 0
                keeper, _, text = self.run_stream(lanes, SECONDS, disturb)
                self.assertGreater(keeper.starts, 3)
                self.assertGreater(self.entries, 1000)
                self.assertEqual(text.count("another version has left a table"), keeper.starts - 1, text)
                self.assertNotIn("lost", text)


if __name__ == "__main__":
    lab.main(__doc__)
