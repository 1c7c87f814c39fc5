# SPDX-License-Identifier: BSD-2-Clause
"""A small laboratory: two network namespaces joined by a veth pair, and a sensor in one of them.

    near (the sensor's side)  veth0 10.99.0.1 fd99::1  <->  veth0 10.99.0.2 fd99::2  far

Names carry the process id, everything is removed on the way out, every wait has an end. The link
is silent: no router or neighbour solicitation, the other side's MAC is known from the start.
"""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SKIP = 77
NEAR4, FAR4 = "10.99.0.1", "10.99.0.2"
NEAR6, FAR6 = "fd99::1", "fd99::2"
NEAR_MAC, FAR_MAC = "02:00:5e:99:00:01", "02:00:5e:99:00:02"
LINK = "veth0"
SENSOR_USER = "nobody"  # whom a sensor becomes that root starts, where there is no "ringflow"
CLONE_NEWNET = 0x40000000


def run(*command, timeout=30, check=True, **more):
    return subprocess.run([str(word) for word in command], timeout=timeout, check=check, text=True,
                          capture_output=True, **more)


def require(*programs):
    """Leave with the skip status, loudly, where this machine cannot run the test."""
    reasons = ["%s is not installed" % program for program in programs if not shutil.which(program)]
    if os.geteuid() != 0:
        reasons.append("not root")
    elif not reasons:
        probe = "rf-probe-%d" % os.getpid()
        made = run("ip", "netns", "add", probe, check=False)
        used = run("ip", "netns", "exec", probe, "true", check=False)
        run("ip", "netns", "del", probe, check=False)
        if made.returncode or used.returncode:
            reasons.append("no network namespaces: %s%s" % (made.stderr.strip(), used.stderr.strip()))
    if reasons:
        print("SKIPPED: " + "; ".join(reasons), file=sys.stderr)
        sys.exit(SKIP)


def wait_for(what, condition, timeout_s):
    """The first true value of condition(), or a failure that names what did not come."""
    end = time.monotonic() + timeout_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("%s: not within %g s" % (what, timeout_s))
        time.sleep(0.02)


def in_namespace(name, action):
    """What the action gives in a network namespace (its name, or path); the thread comes back."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    other = os.open(os.path.join("/run/netns", name), os.O_RDONLY | os.O_CLOEXEC)
    try:
        if libc.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns " + name)
        try:
            return action()
        finally:
            if libc.setns(own, CLONE_NEWNET):
                os.abort()  # no way back: better no test than one in the wrong place
    finally:
        os.close(own)
        os.close(other)


class Lab:
    """The two namespaces, for the time of a with block."""

    count = 0

    def __init__(self, offloads=True, has_v6=False):
        """has_v6: an IPv6 link is not quite silent, its hosts report their groups."""
        Lab.count += 1
        self.near = "rf%d-%d-near" % (os.getpid(), Lab.count)
        self.far = "rf%d-%d-far" % (os.getpid(), Lab.count)
        self.offloads, self.has_v6 = offloads, has_v6
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="ringflow-lab-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, SENSOR_USER)
        self.sensors, self.listeners = [], {}

    def __enter__(self):
        try:
            for name in (self.near, self.far):
                run("ip", "netns", "add", name)
                self.silence(name)
            self.make_link()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for sensor in self.sensors:
            sensor.kill()
        for listener in self.listeners.values():
            listener.close()
        for name in (self.near, self.far):
            run("ip", "netns", "del", name, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def silence(self, name):
        self.at(name, "ip", "link", "set", "lo", "up")
        self.at(name, "sysctl", "-qw", "net.ipv6.conf.default.router_solicitations=0",
                "net.ipv6.conf.default.accept_dad=0", "net.ipv6.conf.default.addr_gen_mode=1",
                "net.ipv6.conf.default.disable_ipv6=%d" % (not self.has_v6))

    def make_link(self):
        """Also makes it again after remove_link()."""
        self.at(self.near, "ip", "link", "add", LINK, "address", NEAR_MAC, "type", "veth", "peer",
                "name", LINK, "address", FAR_MAC, "netns", self.far)
        ends = ((self.near, NEAR4, NEAR6, FAR4, FAR6, FAR_MAC), (self.far, FAR4, FAR6, NEAR4, NEAR6, NEAR_MAC))
        for name, own4, own6, peer4, peer6, peer_mac in ends:
            self.at(name, "ip", "link", "set", LINK, "multicast", "on", "up")
            self.at(name, "ip", "address", "add", own4 + "/24", "dev", LINK)
            self.at(name, "ip", "neighbour", "replace", peer4, "lladdr", peer_mac, "dev", LINK)
            if self.has_v6:
                self.at(name, "ip", "address", "add", own6 + "/64", "dev", LINK, "nodad")
                self.at(name, "ip", "neighbour", "replace", peer6, "lladdr", peer_mac, "dev", LINK)
            if not self.offloads:
                self.at(name, "ethtool", "-K", LINK, "tso", "off", "gso", "off", "gro", "off")
        wait_for("both ends running", self.is_link_up, 5)

    def is_link_up(self):
        states = [self.at(name, "cat", "/sys/class/net/%s/operstate" % LINK).stdout.strip()
                  for name in (self.near, self.far)]
        return states == ["up", "up"]

    def remove_link(self):
        self.at(self.near, "ip", "link", "del", LINK)

    def set_link(self, state):
        self.at(self.near, "ip", "link", "set", LINK, state)
        if state == "up":
            self.at(self.near, "ip", "neighbour", "replace", FAR4, "lladdr", FAR_MAC, "dev", LINK)

    def at(self, name, *command, **more):
        return run("ip", "netns", "exec", name, *command, **more)

    def counter(self, name, which):
        return int(self.at(name, "cat", "/sys/class/net/%s/statistics/%s" % (LINK, which)).stdout)

    def socket(self, name, family=socket.AF_INET, kind=socket.SOCK_DGRAM, protocol=0):
        """A socket that lives in a namespace."""
        return in_namespace(name, lambda: socket.socket(family, kind, protocol))

    def listen(self, target):
        """Somebody is at home there, so that packets are not answered with ICMP."""
        if target in self.listeners:
            return
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        self.listeners[target] = self.socket(self.near, family)
        self.listeners[target].bind(("", target[1]))

    def send_frames(self, frames, name=None):
        """Whole Ethernet frames from far to near, or from the end that is named."""
        with self.socket(name or self.far, socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind((LINK, 0))
            for frame in frames:
                sender.send(frame)

    def send_udp(self, count=20, pause_s=0.0, target=(NEAR4, 7000), source_port=6000, octets=72):
        """From far to near, numbered; returns how many octets the IP packets had in all."""
        family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET
        header = 48 if family == socket.AF_INET6 else 28
        self.listen(target)
        with self.socket(self.far, family) as sender:
            sender.bind(("", source_port))
            for number in range(count):
                sender.sendto(struct.pack("!I", number).ljust(octets, b"."), target)
                if pause_s:
                    time.sleep(pause_s)
        return count * (octets + header)

    def sensor(self, *options, kind=None, **more):
        """kind: a class of sensors, when it is not ringflowd."""
        made = (kind or Sensor)(self, options, **more)
        self.sensors.append(made)
        return made


class Sink:
    """Collects datagrams in a thread, so that no queue is too short."""

    def __init__(self, lab, name, address="127.0.0.1", family=socket.AF_INET, port=0):
        """port 0: any that is free."""
        self.socket = lab.socket(name, family)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        self.socket.bind((address, port))
        self.socket.settimeout(0.1)
        self.port = self.socket.getsockname()[1]
        self.datagrams = []
        self.is_open = True
        self.thread = threading.Thread(target=self.collect, daemon=True)
        self.thread.start()

    def collect(self):
        while self.is_open:
            try:
                self.datagrams.append(self.socket.recv(65536))
            except socket.timeout:
                continue
            except OSError:
                return

    def close(self):
        """All that had arrived when this was called."""
        return close_all([self])[0]


def close_all(sinks):
    """What each of them got; together, because each has to be waited for."""
    time.sleep(0.15)
    for sink in sinks:
        sink.is_open = False
    for sink in sinks:
        sink.thread.join(2)
        sink.socket.close()
    return [sink.datagrams for sink in sinks]


def netflow5(datagrams):
    """(sequence, [(source, destination, packets, octets, sport, dport, proto)]) per datagram."""
    out = []
    for datagram in datagrams:
        version, count = struct.unpack_from("!HH", datagram)
        assert version == 5 and len(datagram) == 24 + 48 * count, (version, count, len(datagram))
        sequence = struct.unpack_from("!I", datagram, 16)[0]
        rows = []
        for place in range(count):
            row = struct.unpack_from("!4s4s4sHHIIIIHHxBBBHHBBH", datagram, 24 + 48 * place)
            rows.append((socket.inet_ntoa(row[0]), socket.inet_ntoa(row[1]), row[5], row[6], row[9],
                         row[10], row[12]))
        out.append((sequence, rows))
    return out


class Sensor:
    """ringflowd in the near namespace, in the foreground unless is_daemon."""

    build = ROOT / "build"
    source = None
    count = 0

    def __init__(self, lab, options, interface=LINK, is_daemon=False, ready_s=10, wrap=(), config="none",
                 output=None, outside=()):
        """wrap: words in front of the program, outside: of what puts it into its namespace; output:
        where it prints to, a file of the laboratory when not given."""
        Sensor.count += 1
        self.lab = lab
        self.control = str(lab.folder / ("control.%d" % Sensor.count))
        self.pid_file = str(lab.folder / ("pid.%d" % Sensor.count))
        self.output = open(lab.folder / ("out.%d" % Sensor.count), "w+")
        self.errors = open(lab.folder / ("err.%d" % Sensor.count), "w+")
        command = [self.program(), "-i", interface, "-c", self.control]
        command += ["-p", self.pid_file] if is_daemon else ["-d", "-p", "none"]
        command += [*self.own_options(config), *(str(option) for option in options)]
        self.process = subprocess.Popen(
            [*outside, "ip", "netns", "exec", lab.near, *wrap, *command], stdin=subprocess.DEVNULL,
            stdout=self.output if output is None else output, stderr=self.errors)
        try:
            if is_daemon:
                assert self.process.wait(ready_s) == 0, self.log()
            wait_for("control socket", self.is_ready, ready_s)
        except BaseException:
            self.kill()
            raise

    @classmethod
    def has_ring(cls):
        """A build without AF_PACKET has no libcap-ng either."""
        return "tpacket" in run(cls.build / "sensor/ringflowd", "--version", "--verbose").stdout

    @classmethod
    def is_sanitized(cls):
        """A build with sanitizers: its memory is not what the program asks for."""
        return b"__asan_init" in pathlib.Path(cls.build / "sensor/ringflowd").read_bytes()

    def program(self):
        return str(self.build / "sensor/ringflowd")

    def client(self):
        return str(self.build / "sensor/ringflowctl")

    def own_options(self, config):
        """What other programs of the kind do not have."""
        return ["--config", config, *(["--source", self.source] if self.source else [])]

    def is_ready(self):
        if self.process.poll() not in (None, 0):
            raise AssertionError("sensor ended with %d: %s" % (self.process.returncode, self.log()))
        if not os.path.exists(self.control):
            return False
        return self.ctl("timeouts", check=False).returncode == 0

    def ctl(self, *words, check=True, timeout=30):
        return run(self.client(), "-c", self.control, *words, check=check, timeout=timeout)

    def statistics(self, timeout=10):
        """The numbers that the tests ask for, by the words in front of them."""
        text = self.ctl("statistics", timeout=timeout).stdout
        out = {name.strip(): int(number) for name, number in
               re.findall(r"^([A-Z][A-Za-z -]+): (\d+)", text, re.M)}
        out["text"] = text
        return out

    def processed(self):
        return self.statistics()["Packets processed"]

    def flows(self):
        """dump-flows as a list of dictionaries."""
        pattern = (r"\[(?P<a>[^]]+)\]:(?P<aport>\d+) <> \[(?P<b>[^]]+)\]:(?P<bport>\d+) "
                   r"proto:(?P<proto>\d+) octets>:(?P<octets0>\d+) packets>:(?P<packets0>\d+) "
                   r"octets<:(?P<octets1>\d+) packets<:(?P<packets1>\d+)")
        return [match.groupdict() for match in re.finditer(pattern, self.ctl("dump-flows").stdout)]

    def stop(self, how=signal.SIGTERM, timeout=15):
        """Ask for the end and return the exit status."""
        self.process.send_signal(how)
        return self.process.wait(timeout)

    def printed(self):
        self.output.flush()
        return pathlib.Path(self.output.name).read_text()

    def log(self):
        return pathlib.Path(self.errors.name).read_text()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(5)
        if os.path.exists(self.pid_file):
            try:
                os.kill(int(pathlib.Path(self.pid_file).read_text()), signal.SIGKILL)
            except (OSError, ValueError):
                pass
        self.output.close()
        self.errors.close()


def main(title):
    """What every test script ends with: unittest, with the build folder and the source named."""
    import argparse
    import unittest

    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--build", default=str(ROOT / "build"))
    parser.add_argument("--source", help="tpacket or pcap; the program's choice when not given")
    parser.add_argument("cases", nargs="*")
    arguments = parser.parse_args()
    Sensor.build = pathlib.Path(arguments.build).resolve()
    Sensor.source = arguments.source
    require("ip", "ethtool")
    unittest.main(argv=[sys.argv[0], "-v", *arguments.cases])
