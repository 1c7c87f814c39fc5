#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""ringflow as a service, under a real systemd in a nest."""

import pathlib
import os
import signal
import subprocess
import sys
import unittest

import lab
import nest

UNIT = "ringflow@%s.service" % lab.LINK


def exported(sink):
    """(source port, packets) of every record that a NetFlow 5 collector got."""
    return [(row[4], row[2]) for _, rows in lab.netflow5(sink.close()) for row in rows]


class Service(unittest.TestCase):
    """The ordinary unit."""

    def test_starts_says_it_is_ready_and_exports_when_stopped(self):
        with nest.Nest() as room:
            sink = lab.Sink(room, room.near)
            room.write("/etc/ringflow/veth0.conf", "options=-n 127.0.0.1:%d -v 5\n" % sink.port)

            room.systemctl("start", UNIT)  # returns when the unit says READY

            self.assertEqual(room.show(UNIT, "ActiveState", "SubState"),
                             {"ActiveState": "active", "SubState": "running"})
            room.send_udp(30)
            lab.wait_for("30 packets in the status", lambda: "30 packets" in
                         room.show(UNIT, "StatusText")["StatusText"], 20)
            room.systemctl("stop", UNIT)
            self.assertEqual(room.show(UNIT, "Result")["Result"], "success")
            self.assertEqual(exported(sink), [(6000, 30)])


class Nests(unittest.TestCase):
    """The nest itself: what the other tests stand on."""

    def test_two_nests_live_side_by_side(self):
        with nest.Nest() as one, nest.Nest() as other:
            one.systemctl("start", UNIT)

            self.assertEqual(one.show(UNIT, "ActiveState")["ActiveState"], "active")
            self.assertEqual(other.show(UNIT, "ActiveState")["ActiveState"], "inactive")

    def test_nothing_is_left_of_a_test_that_was_killed(self):
        code = ("import sys; sys.path.insert(0, %r); import nest; nest.Nest.build = %r\n"
                "room = nest.Nest(); room.__enter__()\n"
                "print(room.cgroup, room.folder, room.leader, flush=True); sys.stdin.read()")
        with subprocess.Popen([sys.executable, "-c", code % (str(nest.HERE), str(nest.Nest.build))],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            cgroup, folder, leader = process.stdout.readline().split()

            process.send_signal(signal.SIGKILL)

        lab.wait_for("cgroup gone", lambda: not os.path.exists(cgroup), 30)
        lab.wait_for("folder gone", lambda: not os.path.exists(folder), 30)
        self.assertFalse(pathlib.Path("/proc/%s/root/run/systemd" % leader).exists())

    def test_the_hosts_settings_cannot_be_written(self):
        with nest.Nest() as room:
            for path in ("/proc/sys/kernel/panic", "/sys/kernel/mm/transparent_hugepage/enabled"):
                tried = room.command("sh", "-c", "cat %s >> %s" % (path, path), check=False)

                self.assertIn("Read-only file system", tried.stderr, path)


if __name__ == "__main__":
    nest.main(__doc__)
