#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""The control socket's calls, its new words, who may do what, and ringflowctl's exit statuses."""

import json
import os
import pathlib
import socket
import subprocess
import threading
import time
import unittest

import lab
import openmetrics
import varlink

STRANGER = 54321  # a user who is neither root nor the daemon's
SERVICE = "org.varlink.service."


def ctl(sensor, *words, as_stranger=False, control=None, timeout=20):
    user = {"user": STRANGER, "group": STRANGER, "extra_groups": []} if as_stranger else {}
    return lab.run(lab.Sensor.build / "sensor/ringflowctl", "-c", control or sensor.control, *words,
                   check=False, timeout=timeout, **user)


class OneSensor(unittest.TestCase):
    """One sensor for all cases of a class."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.room = lab.Lab().__enter__()
        cls.sink = lab.Sink(cls.room, cls.room.near)
        cls.sensor = cls.room.sensor("-t", "udp=300", "-t", "maxlife=1w", "--control-mode", "0666",
                                     "-n", "127.0.0.1:%d,127.0.0.1:9" % cls.sink.port, *cls.options)
        os.chmod(cls.room.folder, 0o755)

    @classmethod
    def tearDownClass(cls):
        cls.sink.close()
        cls.room.__exit__()

    def connect(self):
        return varlink.Connection(self.sensor.control)

    def send(self, count, **more):
        before = self.sensor.processed()
        self.room.send_udp(count, **more)
        lab.wait_for("packets", lambda: self.sensor.processed() == before + count, 5)

    def failure(self, method, parameters=None, **flags):
        with self.connect() as link, self.assertRaises(varlink.Failed) as caught:
            link.call(method, parameters, **flags)
        return caught.exception.error, caught.exception.parameters


class Wire(OneSensor):
    """Octet by octet."""

    def exchange(self, octets, count=1):
        with self.connect() as link:
            link.socket.sendall(octets)
            return [link.octets() for _ in range(count)]

    def test_service_says_who_it_is(self):
        self.assertEqual(
            self.exchange(b'{"method":"org.varlink.service.GetInfo"}\0'),
            [b'{"parameters":{"vendor":"ringflow","product":"ringflowd","version":"0.1.0","url":"",'
             b'"interfaces":["org.varlink.service","io.ringflow.Sensor"]}}'])

    def test_error_names_what_is_wrong(self):
        self.assertEqual(self.exchange(b'{"method":"io.ringflow.Sensor.Fly"}\0'),
                         [b'{"error":"org.varlink.service.MethodNotFound",'
                          b'"parameters":{"method":"io.ringflow.Sensor.Fly"}}'])

    def test_calls_may_come_in_pieces_and_together(self):
        call = b'{"method":"io.ringflow.Sensor.LogLevel","parameters":{}}\0'
        answer = b'{"parameters":{"level":"info"}}'
        self.assertEqual(self.exchange(call * 20, 20), [answer] * 20)
        with self.connect() as link:
            for place in range(len(call)):
                link.socket.sendall(call[place:place + 1])
            self.assertEqual(link.octets(), answer)

    def test_oneway_is_not_answered(self):
        oneway = b'{"method":"io.ringflow.Sensor.LogLevel","oneway":true}\0'
        wrong = b'{"method":"io.ringflow.Sensor.Fly","oneway":true}\0'
        self.assertEqual(self.exchange(oneway + wrong + b'{"method":"org.varlink.service.Fly"}\0'),
                         [b'{"error":"org.varlink.service.MethodNotFound",'
                          b'"parameters":{"method":"org.varlink.service.Fly"}}'])

    def test_what_is_no_call_is_refused_and_ends_the_connection(self):
        for octets in (b"{}\0", b"{\0", b'{"method":1}\0', b'{"method":"a.b","x":1}\0',
                       b'{"method":"a.b","method":"a.b"}\0', b'{"method":"\xff"}\0',
                       b'{"a":' * 1000 + b"\0", b"{" + b" " * 8200):
            answer, end = self.exchange(octets, 2)
            self.assertEqual(json.loads(answer)["error"], "io.ringflow.Sensor.BadRequest", octets)
            self.assertTrue(json.loads(answer)["parameters"]["reason"])
            self.assertIsNone(end)

    def test_hang_up_after_each_octet_does_no_harm(self):
        call = b'{"method":"io.ringflow.Sensor.Statistics"}\0'
        for length in range(len(call) + 1):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(self.sensor.control)
                client.sendall(call[:length])
        self.assertEqual(ctl(self.sensor, "status").returncode, 0)


class Methods(OneSensor):
    def test_every_reply_is_what_the_description_says(self):
        with self.connect() as link:
            text = link.call(SERVICE + "GetInterfaceDescription", {"interface": varlink.OURS})["description"]
            described = varlink.Description(text)
            shipped = (lab.Sensor.build / "man/io.ringflow.Sensor.varlink").read_text()
            self.assertEqual(text, shipped)
            varlink.Description(
                link.call(SERVICE + "GetInterfaceDescription", {"interface": SERVICE[:-1]})["description"])
            self.send(20)
            parameters = {"LogLevel": {"level": "info"}, "Run": {"word": "statistics"}, "Drops": {"all": True},
                          "Flows": {"limit": 5}}
            tried = 0
            for method, (_, gives) in described.methods.items():
                if method in ("Shutdown", "Reload"):
                    continue
                described.check_struct(link.call(method, parameters.get(method)), gives, method)
                tried += 1
            self.assertGreater(tried, 12)

    def test_service_errors(self):
        self.assertEqual(self.failure(SERVICE + "GetInterfaceDescription", {"interface": "a.b"}),
                         (SERVICE + "InterfaceNotFound", {"interface": "a.b"}))
        self.assertEqual(self.failure("a.b.C"), (SERVICE + "InterfaceNotFound", {"interface": "a.b"}))
        self.assertEqual(self.failure("Flows", {"limit": "all"}),
                         (SERVICE + "InvalidParameter", {"parameter": "limit"}))
        self.assertEqual(self.failure("Flows", {"colour": 1}),
                         (SERVICE + "InvalidParameter", {"parameter": "colour"}))
        self.assertEqual(self.failure("Flows", {"limit": 0}), (SERVICE + "ExpectedMore", {}))
        self.assertEqual(self.failure("Run", {"word": "dump-flows"}), (SERVICE + "ExpectedMore", {}))
        self.assertEqual(self.failure("Run", {"word": "status"})[0], SERVICE + "InvalidParameter")

    def test_flows_are_filtered_sorted_and_limited(self):
        for place in range(300):
            self.room.send_udp(1 + place % 10, source_port=20000 + place)
        lab.wait_for("flows", lambda: len(self.sensor.flows()) >= 300, 5)
        mine = "udp and src portrange 20000-20299"
        with self.connect() as link:
            parts = link.call("Flows", {"filter": mine, "limit": 0}, more=True)
            self.assertGreater(len(parts), 1)
            flows = [flow for part in parts for flow in part["flows"]]
            self.assertEqual(sorted(flow["initiator_port"] for flow in flows), list(range(20000, 20300)))
            self.assertEqual(parts[-1]["matched"], 300)
            self.assertTrue(all(flow["packets_sent"] == 1 + (flow["initiator_port"] - 20000) % 10 and
                                flow["octets_sent"] == 100 * flow["packets_sent"] for flow in flows))
            best = link.call("Flows", {"filter": mine, "sort": "packets", "limit": 31})
            self.assertEqual([flow["packets_sent"] for flow in best["flows"]], [10] * 30 + [9])
            self.assertEqual(best["matched"], 300)
            streamed = link.call("Flows", {"filter": mine, "sort": "octets", "limit": 300}, more=True)
            self.assertGreater(len(streamed), 1)
            self.assertEqual(sum(len(part["flows"]) for part in streamed), 300)
            self.assertEqual(len(link.call("Flows", {"filter": mine, "limit": 7})["flows"]), 7)
            self.assertEqual(link.call("Flows", {"filter": "src port 20005 or port https"})["flows"][0]
                             ["initiator_port"], 20005)
        for expression, reason in (("host example.com", "not looked up"), ("ip[8] < 5", "does not keep"),
                                   ("tcp and", "syntax error")):
            error, parameters = self.failure("Flows", {"filter": expression})
            self.assertEqual(error, varlink.OURS + ".Failed")
            self.assertIn(reason, parameters["reason"])

    def test_top_adds_up(self):
        for place in range(40):
            self.room.send_udp(1 + place // 10, source_port=30000 + place, target=(lab.NEAR4, 7100 + place % 4))
        lab.wait_for("flows", lambda: ctl(self.sensor, "flows", "src portrange 30000-30039").stdout.count("\n") == 41, 5)
        mine = {"filter": "src portrange 30000-30039"}
        with self.connect() as link:
            ports = link.call("Top", dict(mine, by="port", sort="packets"))
            self.assertEqual((ports["matched"], ports["packets"], ports["octets"], ports["uncertain"]),
                             (40, 100, 10000, 0))
            self.assertEqual(sorted((row["key"], row["flows"], row["packets"]) for row in ports["groups"]),
                             [("17/%d" % (7100 + n), 10, sum(1 + p // 10 for p in range(n, 40, 4)))
                              for n in range(4)])
            pairs = link.call("Top", dict(mine, by="pair"))["groups"]
            self.assertEqual([(row["key"], row["share"]) for row in pairs],
                             [("%s <> %s" % (lab.NEAR4, lab.FAR4), 1.0)])
            self.assertEqual(len(link.call("Top", dict(mine, limit=1))["groups"]), 1)
        self.assertEqual(self.failure("Top", {"by": "colour"}),
                         (SERVICE + "InvalidParameter", {"parameter": "by"}))

    def test_drops_have_their_sentence(self):
        arp = bytes.fromhex("ffffffffffff02005e9900020806") + bytes(46)
        self.room.send_frames([arp] * 3)

        def arps():
            with self.connect() as link:
                return [row for row in link.call("Drops")["drops"] if row["reason"] == "arp"]
        row = lab.wait_for("three frames", lambda: [row for row in arps() if row["frames"] >= 3], 5)[0]
        self.assertEqual(row["sentence"], "the frame carries ARP")

    def test_collectors_are_told_apart(self):
        self.send(20)
        ctl(self.sensor, "expire-all")
        self.send(20)
        ctl(self.sensor, "expire-all")

        def rows():
            with self.connect() as link:
                return link.call("Collectors")["collectors"]
        good, bad = lab.wait_for("the failure", lambda: rows() if rows()[1]["failed_messages"] else None, 5)
        self.assertEqual(good["address"], "127.0.0.1:%d" % self.sink.port)
        self.assertEqual((good["failed_messages"], good.get("last_error")), (0, None))
        self.assertGreaterEqual(good["records"], 2)
        self.assertEqual(bad["last_error"], "Connection refused")
        now_ns = time.time_ns()
        self.assertLess(abs(now_ns - good["last_sent_ns"]), 60e9)
        self.assertLess(good["template_age_ns"], 60e9)

    def test_status_is_fresh(self):
        with self.connect() as link:
            status = lab.wait_for("a look", lambda: (lambda s: s if s["lanes"] else None)
                                  (link.call("Status")["status"]), 5)
        self.assertEqual((status["program"], status["interface"]), ("ringflowd", lab.LINK))
        self.assertEqual(status["pid"], self.sensor.process.pid)
        self.assertLess(status["look_age_ns"], 5e9)
        self.assertEqual(status["rights"]["no_new_privileges"], lab.Sensor.has_ring())
        passes = [lane["passes"] for lane in status["lanes"]]
        time.sleep(0.5)
        with self.connect() as link:
            later = [lane["passes"] for lane in link.call("Status")["status"]["lanes"]]
        self.assertTrue(all(now > then for now, then in zip(later, passes)), (passes, later))

    def test_metrics_are_openmetrics_and_the_same_numbers(self):
        self.send(20)
        with self.connect() as link:
            values = openmetrics.read(link.call("Metrics")["text"])
            counters = link.call("Statistics")["counters"]
        here = ("interface", lab.LINK)
        for name, number in counters.items():
            found = {values.get(("ringflow_" + name + suffix, (here,))) for suffix in ("", "_total")}
            self.assertIn(float(number), found, name)
        address = "127.0.0.1:%d" % self.sink.port
        self.assertIn(("ringflow_collector_messages_total", (("collector", address), here)), values)
        self.assertEqual(values[("ringflow_build_info", (here, ("version", "0.1.0")))], 1)
        self.assertEqual(ctl(self.sensor, "metrics").stdout.splitlines()[-1], "# EOF")


class Rights(OneSensor):
    READS = ("help", "statistics", "dump-flows", "timeouts", "status", "flows", "top", "drops", "collectors",
             "metrics", "log-level")
    CHANGES = ("expire-all", "delete-all", "send-template", "stop-gather", "start-gather", "debug+", "debug-",
               "reload", "shutdown", "exit")

    def test_stranger_may_ask(self):
        for word in self.READS:
            done = ctl(self.sensor, word, as_stranger=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""), word)

    def test_stranger_may_change_nothing(self):
        for word in self.CHANGES:
            done = ctl(self.sensor, word, as_stranger=True)
            self.assertEqual((done.returncode, done.stdout), (1, ""), word)
            self.assertIn("not permitted", done.stderr.lower(), word)
        done = ctl(self.sensor, "log-level", "debug", as_stranger=True)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(ctl(self.sensor, "log-level").stdout, "log level: info\n")
        self.assertIsNone(self.sensor.process.poll())

    def test_line_of_a_stranger_is_refused_too(self):
        script = ("import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); "
                  "s.sendall(b'shutdown\\n'); print(s.recv(999).decode())")
        done = lab.run("python3", "-c", script, self.sensor.control, user=STRANGER, group=STRANGER,
                       extra_groups=[])
        self.assertIn('Not permitted: "shutdown"', done.stdout)
        self.assertIsNone(self.sensor.process.poll())

    def test_root_may_change_things(self):
        for word in ("log-level debug", "log-level info", "send-template", "stop-gather", "start-gather",
                     "expire-all", "delete-all"):
            self.assertEqual(ctl(self.sensor, *word.split()).returncode, 0, word)
        self.assertIn("control: expire-all, asked for by user 0, process ", self.sensor.log())

    def test_mode_and_group_keep_others_out(self):
        with lab.Lab() as room:
            sensor = room.sensor("--control-mode", "0660", "--control-group", "daemon")
            os.chmod(room.folder, 0o755)
            status = os.stat(sensor.control)
            self.assertEqual(status.st_mode & 0o777, 0o660)
            done = ctl(sensor, "status", as_stranger=True)
            self.assertEqual(done.returncode, 1)
            self.assertIn("the socket's group and mode say who may connect", done.stderr)
            group = status.st_gid
            self.assertNotEqual(group, 0)
            done = lab.run(lab.Sensor.build / "sensor/ringflowctl", "-c", sensor.control, "status", check=False,
                           user=STRANGER, group=group, extra_groups=[])
            self.assertEqual(done.returncode, 0, done.stderr)


class FakeDaemon:
    """Says what it is told to, to one client, and hangs up, or does not."""

    def __init__(self, folder, answer, hangs_up=True):
        self.path = str(pathlib.Path(folder) / "fake")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen()
        self.answer, self.hangs_up = answer, hangs_up
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        self.client, _ = self.listener.accept()
        self.client.recv(1 << 16)
        self.client.sendall(self.answer)
        if self.hangs_up:
            self.client.close()

    def close(self):
        self.thread.join(5)
        self.client.close()
        self.listener.close()
        os.unlink(self.path)


class ExitStatus(OneSensor):
    def told(self, answer, *words, hangs_up=True):
        fake = FakeDaemon(self.room.folder, answer, hangs_up)
        try:
            return ctl(None, *words, control=fake.path)
        finally:
            fake.close()

    def test_cut_dump_is_known_to_be_cut(self):
        whole = b'{"parameters":{"text":"one\\n"},"continues":true}\0{"parameters":{"text":"two\\n"}}\0'
        done = self.told(whole, "dump-flows")
        self.assertEqual((done.returncode, done.stdout), (0, "one\ntwo\n"))
        for length in range(1, len(whole)):
            done = self.told(whole[:length], "dump-flows")
            self.assertEqual(done.returncode, 1, length)
            self.assertIn("cut off", done.stderr)
            if length >= whole.index(b"\0"):
                self.assertIn(done.stdout, ("", "one\n"))
            if length > 70:
                break

    def test_daemon_that_says_nothing_is_given_up(self):
        done = self.told(b"", "-t", "1", "status", hangs_up=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("no reply in time", done.stderr)
        self.assertIn("hung up without a reply", self.told(b"", "status").stderr)

    def test_who_is_not_there_is_named(self):
        done = ctl(None, "status", control=str(self.room.folder / "nowhere"))
        self.assertEqual(done.returncode, 1)
        self.assertIn("there is no such socket", done.stderr)
        stale = str(self.room.folder / "stale")
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(stale)
        done = ctl(None, "status", control=stale)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nobody answers", done.stderr)

    def test_wrong_command_lines(self):
        for words in (("flows", "--limit", "x"), ("flows", "--colour"), ("flows", "--sort"), ("status", "now"),
                      ("flows", "--sort", "colour"), ("--json", "debug+"), ("log-level", "loud"),
                      ("-t", "0", "status"), (), ("--nonsense",)):
            self.assertEqual(ctl(self.sensor, *words).returncode, 2, words)
        self.assertEqual(ctl(self.sensor, "flows", "host", "example.com").returncode, 1)

    def test_json_is_one_object_a_line(self):
        self.send(20)
        for words in (("status",), ("statistics",), ("flows",), ("top",), ("collectors",), ("timeouts",),
                      ("flows", "--limit", "0"), ("log-level",)):
            done = ctl(self.sensor, *words, "--json")
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            for line in done.stdout.splitlines():
                self.assertIsInstance(json.loads(line), dict)

    def test_tables_are_aligned(self):
        self.send(20, source_port=6001)
        lines = ctl(self.sensor, "flows", "src port 6001").stdout.splitlines()
        self.assertEqual(lines[0].split()[:4], ["PROTO", "INITIATOR", "PORT", "RESPONDER"])
        self.assertEqual(lines[1].split()[:4], ["17", lab.FAR4, "6001", lab.NEAR4])
        self.assertEqual(lines[0].index("RESPONDER"), lines[1].index(lab.NEAR4))


class HandedOver(unittest.TestCase):
    def test_socket_of_the_service_manager_is_served_and_stays(self):
        with lab.Lab() as room:
            path = str(room.folder / "activated")
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen()
            wrap = ["sh", "-c", 'exec 3<&%d; LISTEN_FDS=1 LISTEN_FDNAMES=control LISTEN_PID=$$ exec "$@"'
                    % listener.fileno(), "sh"]
            os.set_inheritable(listener.fileno(), True)
            process = subprocess.Popen(
                ["ip", "netns", "exec", room.near, *wrap, str(lab.Sensor.build / "sensor/ringflowd"), "-d", "-p",
                 "none", "-i", lab.LINK, "-c", "none"], pass_fds=[listener.fileno()], stdin=subprocess.DEVNULL)
            try:
                # Whoever connects before the daemon is ready waits, and is answered.
                done = ctl(None, "status", control=path)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
            finally:
                process.terminate()
                self.assertEqual(process.wait(15), 0)
            listener.close()
            self.assertTrue(os.path.exists(path))


if __name__ == "__main__":
    lab.main(__doc__)
