# SPDX-License-Identifier: BSD-2-Clause
"""The faults of faults.py: each function provokes one with a subject and says what it saw.

A case returns an Outcome: whether the promise was kept, and a few words for the table. None: it
cannot be said here.
"""

import collections
import contextlib
import os
import pathlib
import re
import signal
import socket
import struct
import subprocess
import tempfile
import time

import lab
import peers  # noqa: F401  finds wire and network
import wire

Outcome = collections.namedtuple("Outcome", "is_kept text")
NOBODY = "10.99.0.77"  # behind the near end, where nobody answers
LONG = ("-t", "udp=600", "-t", "maxlife=600")
FIXTURES = lab.ROOT / "pcap-fixtures"
UDP_AT = 14 + 20


class Ringflowd:
    """The sensor of this build."""

    name = "ringflowd"
    kind = lab.Sensor

    def sensor(self, room, *options, **more):
        return room.sensor(*options, kind=self.kind, **more)

    def command(self):
        return str(lab.Sensor.build / "sensor/ringflowd")

    def is_ours(self):
        return True


class SoftflowdSensor(lab.Sensor):
    source = None

    def program(self):
        return "softflowd"

    def client(self):
        return "softflowctl"

    def own_options(self, config):
        return []


class Softflowd(Ringflowd):
    """Debian's softflowd."""

    name = "softflowd"
    kind = SoftflowdSensor

    def command(self):
        return "softflowd"

    def is_ours(self):
        return False


SANITIZED = Outcome(None, "this is a build with sanitizers, which have a use for memory of their own")


def measures_memory(case):
    """Of ours, only without sanitizers."""
    def run(subject):
        return SANITIZED if subject.is_ours() and lab.Sensor.is_sanitized() else case(subject)

    return run


# -- traffic ----------------------------------------------------------------------------------------


def datagram_frame(data=b"." * 18):
    packet = wire.ipv4(lab.FAR4, NOBODY, wire.UDP, wire.udp(1, 2, data))
    return bytearray(wire.ethernet(packet, lab.FAR_MAC, lab.NEAR_MAC))


def send_flows(room, count, first=0):
    """One packet for each of so many flows, to nobody."""
    frame = datagram_frame()
    with room.socket(room.far, socket.AF_PACKET, socket.SOCK_RAW) as sender:
        sender.bind((lab.LINK, 0))
        for number in range(first, first + count):
            struct.pack_into("!HH", frame, UDP_AT, 1024 + number // 50000, 1024 + number % 50000)
            sender.send(frame)
    return count


def metered(sensor):
    return sensor.statistics()["Packets processed"]


def answers(sensor):
    """Does it live, and answer on its control socket?"""
    with contextlib.suppress(subprocess.SubprocessError):
        return is_alive(sensor) and sensor.ctl("timeouts", check=False, timeout=3).returncode == 0
    return False


def is_alive(sensor):
    return sensor.process.poll() is None


def seen_within(sensor, count, timeout_s):
    """Seconds until so many packets were metered, or None."""
    begin = time.monotonic()
    try:
        lab.wait_for("packets", lambda: metered(sensor) >= count, timeout_s)
    except (AssertionError, subprocess.SubprocessError, KeyError):
        return None
    return time.monotonic() - begin


def flow_rows(datagrams):
    return [row for _, rows in lab.netflow5(datagrams) for row in rows]


def number_of(sensor, pattern):
    found = re.search(pattern, sensor.ctl("statistics").stdout)
    return int(found.group(1)) if found else 0


def state_of(pid):
    try:
        return re.search(r"^State:\s+(\S)", pathlib.Path("/proc/%d/status" % pid).read_text(), re.M).group(1)
    except OSError:
        return "X"


def resident_kib(pid):
    return int(re.search(r"^RssAnon:\s+(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text(), re.M).group(1))


@contextlib.contextmanager
def slow_link(room, rate):
    """What near sends leaves at that rate; what waits fills the socket that it came from."""
    room.at(room.near, "tc", "qdisc", "add", "dev", lab.LINK, "root", "tbf", "rate", rate, "burst", "32k",
            "limit", "16m")
    yield
    room.at(room.near, "tc", "qdisc", "del", "dev", lab.LINK, "root", check=False)


def record_count(datagrams):
    return sum(struct.unpack_from("!H", datagram, 2)[0] for datagram in datagrams)


def all_of(sink, count):
    """What comes until so many records are there, or for as long as the link may take."""
    with contextlib.suppress(AssertionError):
        lab.wait_for("the records", lambda: record_count(sink.datagrams) >= count, 10)
    return sink.close()


# -- the end ----------------------------------------------------------------------------------------


def sigterm(subject, count=50_000):
    with lab.Lab() as room:
        sink = lab.Sink(room, room.near)
        sensor = subject.sensor(room, "-v", "5", "-m", "200000", "-n", "127.0.0.1:%d" % sink.port, *LONG,
                                is_daemon=True)
        pid = int(pathlib.Path(sensor.pid_file).read_text())
        send_flows(room, count)
        seen_within(sensor, count, 10)
        begin = time.monotonic()
        os.kill(pid, signal.SIGTERM)
        lab.wait_for("the end", lambda: state_of(pid) in "ZX", 40)
        took = time.monotonic() - begin
        rows = [row for row in flow_rows(sink.close()) if row[6] == wire.UDP]
    return Outcome(len(rows) == count and took < 30, "{:,} exported, {:.1f} s".format(len(rows), took))


def sigterm_full_socket(subject, count=100_000):
    with lab.Lab() as room, slow_link(room, "20mbit"):
        sink = lab.Sink(room, room.far, lab.FAR4)
        sensor = subject.sensor(room, "-v", "5", "-m", "200000", "--export-rate", "0", "--print", "csv", "-n",
                                "%s:%d" % (lab.FAR4, sink.port), *LONG)
        send_flows(room, count)
        seen_within(sensor, count, 10)
        begin = time.monotonic()
        status = sensor.stop(timeout=40)
        took = time.monotonic() - begin
        rows = flow_rows(all_of(sink, count))
    return Outcome(status == 0 and len(rows) == count, "{:,} of {:,} arrived, {:.1f} s".format(
        len(rows), count, took))


def sigterm_stuck_reader(subject, count=40_000):
    with lab.Lab() as room:
        stuck, writer = os.pipe()
        try:
            sensor = subject.sensor(room, "--print", "json", *LONG, output=writer)
            send_flows(room, count)
            seen_within(sensor, count, 10)
            begin = time.monotonic()
            status = sensor.stop(timeout=40)
            took = time.monotonic() - begin
            lost = re.search(r"(\d+) flows were not printed", sensor.log())
        finally:
            os.close(stuck)
            os.close(writer)
    lost = int(lost.group(1)) if lost else 0
    return Outcome(status == 0 and took < 30 and 0 < lost <= count,
                   "{:.1f} s, {:,} counted".format(took, lost))


def sighup(subject, count=20_000):
    with lab.Lab() as room:
        sensor = subject.sensor(room, "-m", "100000", *LONG)
        for part in range(4):
            send_flows(room, count // 4, part * (count // 4))
            time.sleep(0.2)
            sensor.process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        if not is_alive(sensor):
            return Outcome(False, "dies, all flows lost")
        seen_within(sensor, count, 5)
        active = number_of(sensor, r"Number of active flows: (\d+)")
    return Outcome(active == count, "{:,} of {:,} flows still open".format(active, count))


# -- the ring ---------------------------------------------------------------------------------------


def quiet_link(subject):
    with lab.Lab() as room:
        sensor = subject.sensor(room)
        room.send_udp(20)
        took = seen_within(sensor, 20, 4)
    return Outcome(took is not None, "seen after {:.1f} s".format(took) if took is not None else
                   "not seen within 4 s")


def ring_overrun(subject, count=60_000):
    small = ("--block-size", "64K", "--block-count", "4") if subject.is_ours() and \
        lab.Sensor.source != "pcap" else ("-B", "262144")
    with lab.Lab() as room:
        sensor = subject.sensor(room, *small, "-m", "100000", *LONG)
        sensor.process.send_signal(signal.SIGSTOP)
        send_flows(room, count)
        sensor.process.send_signal(signal.SIGCONT)
        dropped = "Packets dropped by libpcap"
        with contextlib.suppress(AssertionError):
            lab.wait_for("all", lambda: metered(sensor) + sensor.statistics()[dropped] >= count, 5)
        numbers = sensor.statistics()
        text = "{:,} = {:,} + {:,}".format(count, numbers["Packets processed"], numbers[dropped])
        is_said = not subject.is_ours() or lab.wait_for("the log", lambda: "dropped" in sensor.log(), 3)
        missing = count - numbers["Packets processed"] - numbers[dropped]
        if missing:
            text += ", {:,} unaccounted".format(missing)
    return Outcome(missing == 0 and numbers[dropped] > 0 and is_said, text)


def link_comes_back(subject, change, interface=lab.LINK, before=None):
    """Packets before and after .change; how soon the link is captured again."""
    with lab.Lab() as room:
        if before:
            before(room)
        sensor = subject.sensor(room, "-m", "20000", *LONG, interface=interface)
        if not before:
            send_flows(room, 2000)
            seen_within(sensor, 2000, 3)
        was = metered(sensor)
        change(room, sensor)
        begin = time.monotonic()
        seen = None
        while time.monotonic() - begin < 4 and is_alive(sensor) and (seen or 0) - was < 100:
            send_flows(room, 2000)  # enough for one that waits until a block is full
            with contextlib.suppress(subprocess.SubprocessError, AssertionError, KeyError):
                seen = sensor.statistics(timeout=2)["Packets processed"]
        took = time.monotonic() - begin
        if not is_alive(sensor):
            return Outcome(False, "exits with status %d" % sensor.process.returncode)
        is_back = (seen or 0) - was >= 100
        log = sensor.log()
    words = ("is back", "went down", "waiting")
    is_said = max(log.count(word) for word in words) <= 1
    return Outcome(is_back and took < 2.5 and is_said,
                   "captured after {:.1f} s".format(took) if is_back else "not captured within 4 s")


def link_down(subject):
    def change(room, sensor):
        room.set_link("down")
        time.sleep(1.2)
        room.set_link("up")
        lab.wait_for("link", room.is_link_up, 5)

    return link_comes_back(subject, change)


def link_recreated(subject):
    def change(room, sensor):
        room.remove_link()
        time.sleep(1.2)
        room.make_link()

    return link_comes_back(subject, change)


def link_renamed(subject):
    """The kernel renames what is up; the far end sends on."""
    def change(room, sensor):
        lab.run("ip", "-n", room.near, "link", "set", lab.LINK, "name", "renamed0")
        time.sleep(0.5)

    return link_comes_back(subject, change)


def refuses_or(subject, action):
    """The action's outcome, or that the program ended at once, and with which status."""
    try:
        return action()
    except AssertionError as problem:
        found = re.search(r"sensor ended with (\d+)", str(problem))
        if not found:
            raise
        return Outcome(False, "exits with status " + found.group(1))


def link_absent(subject):
    return refuses_or(subject, lambda: link_comes_back(
        subject, lambda room, sensor: (time.sleep(0.5), room.make_link()), before=lambda room: room.remove_link()))


def link_is_down(subject):
    def change(room, sensor):
        time.sleep(0.5)
        room.set_link("up")
        lab.wait_for("link", room.is_link_up, 5)

    return refuses_or(subject, lambda: link_comes_back(subject, change, before=lambda room: room.set_link("down")))


def jumbo(subject, count=400):
    octets = 8000
    small = ("--block-size", "4096", "--block-count", "512") if subject.is_ours() and \
        lab.Sensor.source != "pcap" else ()
    with lab.Lab(offloads=False) as room:
        for name in (room.near, room.far):
            lab.run("ip", "-n", name, "link", "set", lab.LINK, "mtu", "9000")
        sensor = subject.sensor(room, *small, *LONG)
        sent = room.send_udp(count, octets=octets)
        seen_within(sensor, count, 3)
        flows = [flow for flow in sensor.flows() if "7000" in (flow["aport"], flow["bport"])]
        seen = sum(int(flow["octets0"]) + int(flow["octets1"]) for flow in flows)
        packets = sum(int(flow["packets0"]) + int(flow["packets1"]) for flow in flows)
    return Outcome(seen == sent, "{:,.0f} of {:,} octets a packet".format(seen / max(packets, 1), sent // count))


# -- export -----------------------------------------------------------------------------------------


def round_of_flows(room, sensor, first):
    """A hundred flows, exported at once."""
    before = metered(sensor)
    send_flows(room, 100, first)
    seen_within(sensor, before + 100, 3)
    sensor.ctl("expire-all")


def collector_down(subject):
    with lab.Lab() as room:
        sink = lab.Sink(room, room.near)
        sensor = subject.sensor(room, "-v", "9", "-m", "20000", "-n", "127.0.0.1:%d" % sink.port, *LONG)
        if not subject.is_ours():
            send_flows(room, 3000, 10_000)  # its capture sleeps until a block is full
        round_of_flows(room, sensor, 0)
        sink.close()
        for number in range(1, 4):
            round_of_flows(room, sensor, 100 * number)
            time.sleep(0.4)
        lost = number_of(sensor, r"lost-records: +(\d+)") or number_of(sensor, r"\((\d+) failures\)")
        again = lab.Sink(room, room.near, port=sink.port)
        for number in range(4, 14):
            round_of_flows(room, sensor, 100 * number)
            time.sleep(0.5)
        is_alive_still = is_alive(sensor)
        log = sensor.log()
        sensor.stop()
        back = again.close()
    first_set = struct.unpack_from("!H", back[0], 20)[0] if back else None
    text = "%d of 300 lost records counted, %s" % (
        lost, "templates first" if first_set == 0 else "no templates")
    is_said = log.count("do not arrive") == 1 and log.count("arrive again, 300 records were lost") == 1
    return Outcome(is_alive_still and lost == 300 and first_set == 0 and is_said, text)


def socket_full(subject, count=100_000):
    with lab.Lab() as room, slow_link(room, "8mbit"):
        sink = lab.Sink(room, room.far, lab.FAR4)
        sensor = subject.sensor(room, "-v", "5", "-m", "200000", "--export-rate", "0", "-n",
                                "%s:%d" % (lab.FAR4, sink.port), "-t", "udp=2", "-t", "expint=0")
        send_flows(room, count)
        lab.wait_for("all expired", lambda: sensor.statistics()["Flows expired"] >= count, 40)
        waits = number_of(sensor, r"postponed-sends: +(\d+)")
        lost = number_of(sensor, r"\((\d+) failures\)")
        sensor.stop(timeout=40)
        rows = flow_rows(all_of(sink, count))
    return Outcome(len(rows) == count and waits > 0 and lost == 0,
                   "{:,} of {:,} arrived after {:,} waits".format(len(rows), count, waits))


def full_disk(subject, count=3000):
    with lab.Lab() as room:
        disk = room.folder / "disk"
        disk.mkdir()
        lab.run("mount", "-t", "tmpfs", "-o", "size=64k", "none", disk)
        try:
            with open(disk / "flows", "w") as output:
                sensor = subject.sensor(room, "--print", "json", *LONG, output=output)
                send_flows(room, count)
                seen_within(sensor, count, 5)
                sensor.ctl("expire-all")
                send_flows(room, 100, count)
                seen_within(sensor, count + 100, 5)
                lost = lab.wait_for("the count", lambda: number_of(sensor, r"lost-prints: +(\d+)"), 5)
                total = metered(sensor)
                status = sensor.stop()
                whole = (disk / "flows").read_text().count("\n")
                said = re.search(r"(\d+) flows were not printed", sensor.log())
        finally:
            lab.run("umount", disk)
    said = int(said.group(1)) if said else 0
    return Outcome(total == count + 100 and status == 0 and lost > 0 and whole + said == total,
                   "{:,} printed, {:,} counted".format(whole, said))


# -- control ----------------------------------------------------------------------------------------


def connected(sensor):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(3)
    client.connect(sensor.control)
    return client


def silent_client(subject, count=20_000):
    with lab.Lab() as room:
        sensor = subject.sensor(room, "-m", "100000", *LONG)
        before = metered(sensor)
        silent = [connected(sensor) for _ in range(10)]
        time.sleep(0.2)
        send_flows(room, count)
        took = seen_within(sensor, before + count, 5)
        for client in silent:
            client.close()
    return Outcome(took is not None, "all {:,} packets metered".format(count) if took is not None else
                   "capture and control stop")


def control_flood(subject, clients=2000, count=20_000):
    """So many connections at once, all silent; none may be held for long."""
    with lab.Lab() as room:
        sensor = subject.sensor(room, "-m", "100000", *LONG)
        before = metered(sensor)
        held = []
        for _ in range(clients):
            client = socket.socket(socket.AF_UNIX)
            client.setblocking(False)
            held.append(client)
            with contextlib.suppress(OSError):
                client.connect(sensor.control)
        send_flows(room, count)
        for client in held:
            client.close()
        took = seen_within(sensor, before + count, 5)
    return Outcome(took is not None, "all {:,} packets metered".format(count) if took is not None else
                   "capture and control stop")


def early_hangup(subject):
    with lab.Lab() as room:
        sensor = subject.sensor(room)
        for _ in range(20):
            with contextlib.suppress(OSError), connected(sensor) as client:
                client.send(b"statistics\n")
            time.sleep(0.01)
        time.sleep(0.3)
        works = answers(sensor)
        text = "answers on" if works else "stuck" if is_alive(sensor) else "dies"
    return Outcome(works, text)


def control_garbage(subject):
    words = (b"\n", b"nonsense\n", b"\x00\xff\xfe\n", b"x" * 5000 + b"\n", b"statistics extra words\n", b"GET / HTTP/1.0\r\n\r\n")
    with lab.Lab() as room:
        sensor = subject.sensor(room)
        told = 0
        for word in words:
            with contextlib.suppress(OSError), connected(sensor) as client:
                client.sendall(word)
                client.shutdown(socket.SHUT_WR)
                told += bool(client.recv(4096).strip())
        works = answers(sensor)
    return Outcome(works and told == len(words), "%d of %d answered" % (told, len(words)) +
                   ("" if works else ", then none"))


# -- time -------------------------------------------------------------------------------------------


def replayed(subject, capture, *options):
    """(exit status, [(packets, first, last, source port)]) of a capture file, from NetFlow 5."""
    with lab.Lab() as room:
        sink = lab.Sink(room, room.near)
        done = room.at(room.near, subject.command(), "-r", capture, "-v", "5", "-n",
                       "127.0.0.1:%d" % sink.port, *options, check=False, timeout=20)
        rows = []
        for datagram in sink.close():
            for place in range(struct.unpack_from("!H", datagram, 2)[0]):
                packets, _, first, last, sport = struct.unpack_from("!IIIIH", datagram, 24 + 48 * place + 16)
                rows.append((packets, first, last, sport))
    return done.returncode, rows


def negative(rows):
    return sum(last < first for _, first, last, _ in rows)


def clock_set_back(subject):
    _, rows = replayed(subject, FIXTURES / "time-set-back.pcap", "-t", "udp=15", "-t", "maxlife=300", "-t",
                       "expint=0")
    idle = [packets for packets, _, _, sport in rows if sport == 1000]
    return Outcome(sorted(idle) == [1, 4] and negative(rows) == 0, "%d of 2 ended, %d negative" % (
        len(idle), negative(rows)))


def stamp_from_future(subject):
    _, rows = replayed(subject, FIXTURES / "time-future.pcap", "-t", "udp=15", "-t", "maxlife=300", "-t",
                       "expint=0")
    idle = [packets for packets, _, _, sport in rows if sport == 1000]
    return Outcome(sum(idle) == 5 and idle[-1:] == [1] and negative(rows) == 0, "idle flow " + (
        "ended" if idle[-1:] == [1] else "went on"))


def stamps_out_of_order(subject):
    _, rows = replayed(subject, FIXTURES / "time-back.pcap")
    longest = max((last - first for _, first, last, _ in rows), default=0)
    return Outcome(len(rows) == 1 and longest == 3500, "{:,} of 3,500 ms, {} negative".format(longest, negative(rows)))


# -- room -------------------------------------------------------------------------------------------


def table_full(subject, count=20_000, room_for=1000):
    with lab.Lab() as room:
        sensor = subject.sensor(room, "-m", str(room_for), *LONG)
        pid = sensor.process.pid
        send_flows(room, 2000)
        seen_within(sensor, 2000, 3)
        before = resident_kib(pid)
        send_flows(room, count - 2000, 2000)
        seen_within(sensor, count, 5)
        time.sleep(0.3)
        forced = number_of(sensor, r"\((\d+) forced\)")
        active = number_of(sensor, r"Number of active flows: (\d+)")
        total = metered(sensor)
        grown = resident_kib(pid) - before
    return Outcome(total == count and forced == count - active and active <= room_for and (
        grown < 2048 or lab.Sensor.is_sanitized()),
                   "{:,} forced, {:+,} KiB".format(forced, grown))


def address_space_kib(pid):
    return int(re.search(r"^VmSize:\s+(\d+)", pathlib.Path("/proc/%d/status" % pid).read_text(), re.M).group(1))


@measures_memory
def memory_limit(subject, count=50_000):
    """As much as it has when it starts, and a mebibyte."""
    options = ("-m", "60000", *LONG)
    with lab.Lab() as room:
        first = subject.sensor(room, *options)
        limit = (address_space_kib(first.process.pid) << 10) + (1 << 20)
        first.kill()
        sensor = subject.sensor(room, *options, wrap=("prlimit", "--as=%d" % limit))
        send_flows(room, count)
        time.sleep(1)
        if not is_alive(sensor):
            return Outcome(False, "exits with status %d, all flows lost" % sensor.process.wait())
        took = seen_within(sensor, count, 5)
        seen = metered(sensor)
    return Outcome(took is not None, "{:,} of {:,} metered".format(seen, count))


@measures_memory
def memory_at_start(subject):
    with lab.Lab() as room:
        done = room.at(room.near, "prlimit", "--as=50000000", subject.command(), "-d", "-i", lab.LINK, "-p",
                       str(room.folder / "p"), "-c", str(room.folder / "c"), "-m", "2000000", check=False,
                       timeout=10)
    words = done.stderr.strip().splitlines()
    return Outcome(done.returncode == 1 and len(words) == 1 and "memory" in words[0],
                   "exit status %d, %d line" % (done.returncode, len(words)))


@measures_memory
def memory_cgroup(subject, count=200_000):
    group = pathlib.Path("/sys/fs/cgroup/memory/ringflow-%d" % os.getpid())
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(64 << 20))
    except OSError:
        with contextlib.suppress(OSError):
            group.rmdir()
        return Outcome(None, "no memory cgroup here")
    try:
        with lab.Lab() as room:
            outside = ("sh", "-c", 'echo $$ > %s/cgroup.procs && exec "$@"' % group, "sh")
            sensor = subject.sensor(room, "-m", "250000", *LONG, outside=outside)
            for part in range(4):
                send_flows(room, count // 4, part * (count // 4))
                seen_within(sensor, (part + 1) * (count // 4), 5)
            used = int((group / "memory.max_usage_in_bytes").read_text()) >> 20
            alive = is_alive(sensor)
            seen = metered(sensor) if alive else 0
        text = "{:,} metered, {} MiB used".format(seen, used) if alive else "killed"
        return Outcome(alive and seen == count, text)
    finally:
        lab.wait_for("the group to be empty", lambda: not (group / "cgroup.procs").read_text(), 5)
        group.rmdir()


# -- input ------------------------------------------------------------------------------------------


def malformed(subject):
    frame = wire.ethernet(b"", lab.FAR_MAC, lab.NEAR_MAC, ethertype=wire.ETHERTYPE_MPLS) + b"\x00\x01\x00\x40" * 300
    with lab.Lab() as room:
        sensor = subject.sensor(room, *LONG)
        room.send_frames([frame])
        send_flows(room, 2000)
        try:
            took = seen_within(sensor, 2000, 4)
            ignored = number_of(sensor, r"Ignored packets: (\d+)") if took is not None else 0
        except (AssertionError, subprocess.SubprocessError):
            took = None
    return Outcome(took is not None and ignored == 1, "%d counted, capture goes on" % ignored if took is not None
                   else "hangs for good")


def truncated_capture(subject):
    status, rows = replayed(subject, FIXTURES / "cut-record.pcap")
    packets = sum(row[0] for row in rows)
    return Outcome(status == 4 and packets > 0, "%d packets exported, exit status %d" % (packets, status))


@measures_memory
def privileges(subject):
    if subject.is_ours() and not lab.Sensor.has_ring():
        return Outcome(None, "a build for libpcap alone has no libcap-ng, and needs a right to open interfaces again")
    with lab.Lab() as room:
        sensor = subject.sensor(room)
        status = pathlib.Path("/proc/%d/status" % sensor.process.pid).read_text()
        found = {name: int(re.search(r"^%s:\s+(\S+)" % name, status, re.M).group(1), base)
                 for name, base in (("CapEff", 16), ("NoNewPrivs", 10), ("Seccomp", 10))}
    parts = ("capabilities" if found["CapEff"] else "no capabilities",
             "no new privileges" if found["NoNewPrivs"] else "may gain privileges",
             "seccomp" if found["Seccomp"] else "no seccomp")
    return Outcome(found == {"CapEff": 0, "NoNewPrivs": 1, "Seccomp": 2}, ", ".join(parts))


def stale_files(subject):
    """The pid file names a process that lives, and is another; nobody answers on the socket."""
    with lab.Lab() as room, subprocess.Popen(["sleep", "60"]) as other:
        number = lab.Sensor.count + 1
        (room.folder / ("pid.%d" % number)).write_text("%d\n" % other.pid)
        with socket.socket(socket.AF_UNIX) as stale:
            stale.bind(str(room.folder / ("control.%d" % number)))
        try:
            sensor = subject.sensor(room, is_daemon=True, ready_s=4)
            works = sensor.ctl("timeouts", check=False).returncode == 0
            os.kill(int(pathlib.Path(sensor.pid_file).read_text()), signal.SIGTERM)
        except (AssertionError, subprocess.SubprocessError):
            works = False
        other.kill()
    return Outcome(works, "starts" if works else "does not start")
