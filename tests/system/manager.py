# SPDX-License-Identifier: BSD-2-Clause
"""A service manager of a few lines: a notification socket, a store of descriptors by name, and a
sensor that gets them when it is started again. For what a real one does too slowly, or too well.
"""

import array
import os
import pathlib
import signal
import socket
import subprocess
import threading

import lab

FIRST_FD = 3


class Manager:
    """Runs ringflowd in a lab's near namespace. As a context manager it leaves nothing behind."""

    def __init__(self, room, *options, program=None):
        self.room, self.options = room, [str(option) for option in options]
        self.program = program or lab.Sensor.build / "sensor/ringflowd"
        self.path = str(room.folder / "notify")
        self.control = str(room.folder / "managed.ctl")
        self.store = {}  # name: list of descriptors
        self.is_ready = threading.Event()
        self.words = []
        self.starts = 0
        self.process = None
        self.log = open(room.folder / "managed.log", "w+")

    def __enter__(self):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.is_open = True
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()
        return self

    def __exit__(self, *_):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
        self.is_open = False
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", self.path)
        self.thread.join(5)
        self.socket.close()
        self.log.close()
        for name in list(self.store):
            self.forget(name)

    def listen(self):
        while self.is_open:
            words, fds, _, _ = socket.recv_fds(self.socket, 4096, 16)
            self.take(dict(word.split("=", 1) for word in words.decode().split("\n") if "=" in word), fds)

    def take(self, words, fds):
        self.words.append(words)
        if "READY" in words:
            self.is_ready.set()
        if "FDSTOREREMOVE" in words:
            self.forget(words["FDNAME"])
        if "FDSTORE" in words:
            assert words["FDPOLL"] == "0", words
            fds = self.keep(words["FDNAME"], fds)
        for fd in fds:
            os.close(fd)

    def keep(self, name, fds):
        """Those that are not kept: as in systemd a file is kept once, whatever it is called."""
        known = {self.identity(fd) for kept in self.store.values() for fd in kept}
        twice = [fd for fd in fds if self.identity(fd) in known]
        self.store.setdefault(name, []).extend(fd for fd in fds if fd not in twice)
        return twice

    @staticmethod
    def identity(fd):
        status = os.fstat(fd)
        return status.st_dev, status.st_ino

    def forget(self, name):
        for fd in self.store.pop(name, []):
            os.close(fd)

    # -- the sensor ---------------------------------------------------------------------------

    def start(self, *more, wrap=()):
        """Returns when it is ready."""
        names, fds = [], []
        for name, kept in self.store.items():
            names += [name] * len(kept)
            fds += kept

        def place():
            # First out of the way, then to where they belong.
            high = [os.dup(fd) if fd >= 0 else fd for fd in fds]
            spare = max(high + [FIRST_FD + len(fds)]) + 1
            for number, fd in enumerate(high):
                os.dup2(fd, spare + number)
            for number in range(len(fds)):
                os.dup2(spare + number, FIRST_FD + number)
            os.closerange(FIRST_FD + len(fds), spare + len(fds) + 1)

        environment = dict(os.environ, NOTIFY_SOCKET=self.path)
        if fds:
            environment.update(LISTEN_FDS=str(len(fds)), LISTEN_FDNAMES=":".join(names))
        command = ["ip", "netns", "exec", self.room.near, "sh", "-c", 'LISTEN_PID=$$ exec "$@"', "sh", *wrap,
                   str(self.program), "-d", "-p", "none", "-i", lab.LINK, "-c", self.control, "--config", "none",
                   *self.options, *[str(option) for option in more]]
        self.is_ready.clear()
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log,
                                        env=environment, close_fds=False, preexec_fn=place)
        self.starts += 1
        lab.wait_for("the sensor is ready", self.has_started, 20)

    def has_started(self):
        if self.process.poll() is not None:
            raise AssertionError("sensor ended with %d: %s" % (self.process.returncode, self.text()))
        return self.is_ready.is_set()

    def kill(self, how=signal.SIGKILL, timeout=20):
        """Returns how it ended."""
        self.process.send_signal(how)
        return self.process.wait(timeout)

    def text(self):
        return pathlib.Path(self.log.name).read_text()

    def ctl(self, word, check=True):
        return lab.run(lab.Sensor.build / "sensor/ringflowctl", "-c", self.control, word, check=check)
