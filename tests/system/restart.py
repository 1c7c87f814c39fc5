#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The service is killed, restarted, reloaded and hung under a real systemd while numbered packets
come in: each packet is in one exported record. RINGFLOW_FULL=1 takes the numbers of the promise in
the README (a few minutes), else there are fewer of each.
"""

import os
import random
import signal
import time
import unittest

import lab
import nest
import telling

UNIT = "ringflow@%s.service" % lab.LINK
PER_S = 20000
FULL = os.environ.get("RINGFLOW_FULL")
KILLS, RESTARTS, RELOADS, HANGS = (30, 10, 10, 2) if FULL else (6, 3, 2, 1)
# A flow that is cut by its lifetime goes on; one that is idle ends: both happen all the time.
CONFIGURATION = """collector = 127.0.0.1:%d
export-version = 5
lanes = %d
timeout = udp=1
timeout = general=1
timeout = maxlife=%d
timeout = expint=0
block-size = 128K
block-count = 256
"""
# (A block is handed over when it is full or 50 ms old, so at this rate many small ones last longer
# than few large ones: the watchdog takes two seconds to notice.)
DROP_IN = "[Service]\nWatchdogSec=2\nTimeoutAbortSec=5\n"


class Restart(unittest.TestCase):

    def wait_for_another(self, room, pid):
        """Another process is ready, with all that the one before had."""
        def is_there():
            state = room.show(UNIT, "MainPID", "SubState")
            return state["SubState"] == "running" and int(state["MainPID"]) not in (0, pid)
        lab.wait_for("another process", is_there, 30)

    def kill(self, room):
        pid = room.main_pid(UNIT)
        room.systemctl("kill", "--signal=KILL", "--kill-who=main", UNIT)
        self.wait_for_another(room, pid)

    def restart(self, room):
        pid = room.main_pid(UNIT)
        room.systemctl("restart", UNIT)
        self.wait_for_another(room, pid)

    def reload(self, room):
        """To another maximum life, and back the next time."""
        self.life = 5 - self.life
        self.configure(room)
        room.systemctl("reload", UNIT)

    def configure(self, room):
        room.write("/etc/ringflow/interfaces/veth0.conf", CONFIGURATION % (*self.settings, self.life))

    def hang(self, room):
        pid = room.main_pid(UNIT)
        room.systemctl("kill", "--signal=STOP", "--kill-who=main", UNIT)
        self.wait_for_another(room, pid)

    def run_all(self, lanes):
        todo = [self.kill] * KILLS + [self.restart] * RESTARTS + [self.reload] * RELOADS + [self.hang] * HANGS
        random.shuffle(todo)
        with nest.Nest() as room:
            sink = telling.Sink(room, room.near)
            self.settings, self.life = (sink.port, lanes), 2
            self.configure(room)
            room.write("/etc/systemd/system/ringflow@.service.d/test.conf", DROP_IN)
            room.systemctl("daemon-reload")
            room.systemctl("start", UNIT)
            # Longer than all that is to be done takes; it is ended when that is done.
            stream = telling.Stream(room, 10_000_000, PER_S)
            try:
                for action in todo:
                    time.sleep(random.uniform(0, 0.6))
                    action(room)
                time.sleep(1)
                stream.stop()
                time.sleep(1)
            finally:
                stream.kill()
            said = [text for text in room.messages(UNIT) if text]
            room.systemctl("stop", UNIT)
            words, repeats = telling.audit(stream, sink)
            print("%d lanes: %d packets, %d things done, %d datagrams twice" % (
                lanes, stream.count, len(todo), repeats))
            self.assertEqual(words, "", "\n".join(said[-200:]))

    def test_one_lane(self):
        self.run_all(1)

    def test_two_lanes(self):
        self.run_all(2)


if __name__ == "__main__":
    nest.main(__doc__)
