# SPDX-License-Identifier: BSD-2-Clause
"""A real systemd as the first process of namespaces of its own, with ringflow installed in it.

    nest: systemd, ringflow@veth0.service...   veth0 10.99.0.1  <->  veth0 10.99.0.2   far

It is a Lab whose near side is the machine that systemd runs: what sends, listens and makes links
there does so here. `meson install` puts the files where a package would. The root file system is
a throw-away copy, nothing is written to the host, and several nests run side by side.

A janitor, a process that outlives the test, reads from a pipe that the test alone writes to. When
that ends, by close() or because the test was killed, it ends everything in the nest's cgroup and
removes the cgroup and the folder.
"""

import atexit
import ctypes
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

import lab

HERE = pathlib.Path(__file__).resolve().parent
PROGRAMS = ("ip", "systemctl", "unshare", "nsenter", "setpriv", "pgrep", "tar", "meson")
SYSTEMD = "/lib/systemd/systemd"
PR_SET_PDEATHSIG = 1
START_S = 60  # of a loaded machine

JANITOR = """
read -r _
echo 1 > "$1/cgroup.kill" || kill -KILL $(cat "$1/cgroup.procs")
for _ in $(seq 500); do
	grep -q '^populated 0' "$1/cgroup.events" && break
	sleep 0.02
done
find "$1" -depth -type d -exec rmdir {} +
rm -rf "$2"
"""

numbers = itertools.count(1)


def cgroup2():
    """Where the unified hierarchy is mounted, or None."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        words = line.split()
        if words[2] == "cgroup2":
            return pathlib.Path(words[1])
    return None


def die_with_parent():
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def reasons_against():
    """Why no systemd can be started here, a phrase each."""
    reasons = ["%s is not installed" % program for program in PROGRAMS if not shutil.which(program)]
    if not os.path.exists(SYSTEMD):
        reasons.append("systemd is not installed")
    if os.geteuid() != 0:
        return reasons + ["not root"]
    if not cgroup2():
        return reasons + ["no unified cgroup hierarchy is mounted"]
    probe = cgroup2() / ("rf-probe-%d" % os.getpid())
    try:
        probe.mkdir()
        probe.rmdir()
    except OSError as error:
        reasons.append("no cgroup can be made: %s" % error)
    if not reasons:
        overlay = ("mount -t tmpfs tmpfs /mnt && mkdir /mnt/u /mnt/w /mnt/r && mount -t overlay overlay "
                   "-o lowerdir=/,upperdir=/mnt/u,workdir=/mnt/w /mnt/r && mount -t proc proc /mnt/r/proc "
                   "&& mount -t sysfs sysfs /mnt/r/sys")
        tried = lab.run("unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork",
                        "--propagation", "private", "sh", "-c", overlay, check=False)
        if tried.returncode:
            reasons.append("no namespaces with a root of their own: " + tried.stderr.strip())
    return reasons


def require():
    """Leave with the skip status, loudly, where this machine cannot run systemd in a nest."""
    reasons = reasons_against()
    if reasons:
        print("SKIPPED: " + "; ".join(reasons), file=sys.stderr)
        sys.exit(lab.SKIP)


class Nest(lab.Lab):
    """For the time of a with block. Names for at(), socket() and Sink: .near and .far."""

    near, far = "near", "far"
    build = lab.ROOT / "build"

    def __init__(self, offloads=True, has_v6=False):
        self.offloads, self.has_v6 = offloads, has_v6
        self.sensors, self.listeners = [], {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringflow-nest-"))
        self.cgroup = cgroup2() / ("ringflow-nest-%d-%d" % (os.getpid(), next(numbers)))
        self.first, self.leader, self.janitor = None, None, None

    # -- life -------------------------------------------------------------------------------

    def __enter__(self):
        try:
            self.start_janitor()
            tree = self.folder / "tree"
            lab.run("meson", "install", "-C", self.build, "--no-rebuild", "--quiet", "--destdir", tree)
            self.start(tree)
            self.command("ip", "netns", "add", self.far)
            for name in (self.near, self.far):
                self.silence(name)
            self.make_link()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start_janitor(self):
        read_end, self.pipe = os.pipe()
        self.janitor = subprocess.Popen(
            ["sh", "-c", JANITOR, "janitor", str(self.cgroup), str(self.folder)], stdin=read_end,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
        os.close(read_end)
        atexit.register(self.__exit__)

    def start(self, tree):
        root = self.folder / "mounts"
        root.mkdir()
        self.cgroup.mkdir()
        command = ["sh", "-c", 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"', "sh", str(self.cgroup),
                   "unshare", "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup", "--fork",
                   "--kill-child=SIGKILL", "--propagation", "private",
                   str(HERE / "nest_init.sh"), str(root), str(tree)]
        with open(self.folder / "log", "w") as log:
            self.first = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          start_new_session=True, preexec_fn=die_with_parent)
        lab.wait_for("systemd in its nest", self.is_listening, START_S)
        state = self.systemctl("is-system-running", "--wait", check=False, timeout=START_S).stdout.strip()
        if state not in ("running", "degraded"):
            raise AssertionError("systemd in its nest is %s: %s" % (state, self.log()))

    def is_listening(self):
        if self.first.poll() is not None:
            raise AssertionError("systemd ended with %d: %s" % (self.first.returncode, self.log()))
        if not self.leader:
            self.leader = lab.run("pgrep", "-P", self.first.pid, check=False).stdout.strip()
        return self.leader and os.path.exists("/proc/%s/root/run/systemd/private" % self.leader)

    def log(self):
        return (self.folder / "log").read_text()

    def __exit__(self, *_):
        atexit.unregister(self.__exit__)
        for listener in self.listeners.values():
            listener.close()
        if self.janitor:
            os.close(self.pipe)
            if self.first:
                self.first.wait(30)
            self.janitor.wait(30)
            self.janitor = None

    # -- what a Lab does through `ip netns`, here by way of the nest -----------------------------

    def at(self, name, *command, **more):
        prefix = () if name == self.near else ("ip", "netns", "exec", name)
        return self.command(*prefix, *command, **more)

    def socket(self, name, family=socket.AF_INET, kind=socket.SOCK_DGRAM, protocol=0):
        place = "ns/net" if name == self.near else "root/run/netns/" + name
        return lab.in_namespace("/proc/%s/%s" % (self.leader, place),
                                lambda: socket.socket(family, kind, protocol))

    # -- the machine in the nest ------------------------------------------------------------------

    def path(self, inside):
        """A file of the nest as the test can open it."""
        return pathlib.Path("/proc/%s/root%s" % (self.leader, inside))

    def write(self, inside, text, mode=0o644):
        path = self.path(inside)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)

    def command(self, *words, **more):
        """Run something in the nest as root; the result is subprocess's."""
        return lab.run("nsenter", "-t", self.leader, "-a", *words, **more)

    def systemctl(self, *words, check=True, **more):
        done = self.command("systemctl", *words, check=False, **more)
        if check and done.returncode:
            journal = self.command("journalctl", "--no-pager", "--lines=40", check=False).stdout
            raise AssertionError("systemctl %s: %s%s" % (" ".join(words), done.stderr, journal))
        return done

    def show(self, unit, *names):
        """Properties of a unit, by name."""
        text = self.systemctl("show", unit, *["--property=" + name for name in names]).stdout
        return dict(line.split("=", 1) for line in text.splitlines())

    def main_pid(self, unit):
        return int(self.show(unit, "MainPID")["MainPID"])

    def processes(self, unit):
        """The processes of a unit, as the host numbers them."""
        files = self.cgroup.glob("**/%s/cgroup.procs" % unit)
        return sorted(int(line) for file in files for line in file.read_text().split())

    def threads(self, unit):
        """The threads of a unit's only process, as the host numbers them; the main thread first."""
        (process,) = self.processes(unit)
        return sorted(int(name) for name in os.listdir("/proc/%d/task" % process))

    def thread_statuses(self, unit):
        """/proc/PID/task/TID/status of each of them, by name."""
        out = []
        for thread in self.threads(unit):
            lines = pathlib.Path("/proc/%d/status" % thread).read_text().splitlines()
            out.append({name: value.strip() for name, value in (line.split(":", 1) for line in lines)})
        return out

    def installed(self, name):
        """Where a program of the installation is in the nest: "sbin/ringflowd"."""
        (found,) = (self.folder / "tree").glob("**/" + name)
        return "/" + str(found.relative_to(self.folder / "tree"))

    def journal(self, unit):
        """What a unit said and what was said about it: journal entries as dictionaries."""
        text = self.command("journalctl", "--unit", unit, "--output=json", "--all").stdout
        return [json.loads(line) for line in text.splitlines()]

    def messages(self, unit):
        return [entry.get("MESSAGE") for entry in self.journal(unit)]


def main(title):
    """What a test script in the nest ends with; as lab.main()."""
    import argparse
    import unittest

    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--build", default=str(lab.ROOT / "build"))
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    Nest.build = lab.Sensor.build = pathlib.Path(arguments.build).resolve()
    require()
    unittest.main(argv=[sys.argv[0], "-v", *arguments.cases])
