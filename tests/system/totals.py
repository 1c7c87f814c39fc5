#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""A live capture through stock collectors: the totals they store are what was sent."""

import shutil
import sys
import unittest

import lab
import peers


class Totals(unittest.TestCase):
    def totals(self, kind, version, family=4):
        """40 flows of 50 packets; sums by key as the collector has them."""
        with lab.Lab(has_v6=family == 6) as room:
            collector = kind(room.folder / "collector", ("ip", "netns", "exec", room.near))
            try:
                sensor = room.sensor("-v", version, "-n", "127.0.0.1:%d" % collector.port, "-t", "udp=1s",
                                     "-t", "expint=0")
                target = (lab.NEAR4 if family == 4 else lab.NEAR6, 7000)
                source = lab.FAR4 if family == 4 else lab.FAR6
                wanted = {}
                for place in range(40):
                    octets = room.send_udp(50, target=target, source_port=10000 + place, octets=100 + place)
                    wanted[(source, target[0], 17, 10000 + place, 7000)] = (50, octets)
                lab.wait_for("2000 packets", lambda: sensor.processed() >= 2000, 5)
                self.assertEqual(sensor.stop(), 0)
                found = {}
                for flow in collector.finish():
                    packets, octets = found.get(flow[:5], (0, 0))
                    found[flow[:5]] = (packets + flow.packets, octets + flow.octets)
            finally:
                collector.kill()
        self.assertEqual({key: value for key, value in found.items() if key[2] == 17}, wanted)

    def test_nfcapd_v1(self):
        self.totals(peers.Nfcapd, "1")

    def test_nfcapd_v5(self):
        self.totals(peers.Nfcapd, "5")

    def test_nfcapd_v9(self):
        self.totals(peers.Nfcapd, "9", 6)

    def test_nfcapd_v10(self):
        self.totals(peers.Nfcapd, "10")

    def test_nfacctd_v5(self):
        self.totals(peers.Nfacctd, "5")

    def test_nfacctd_v9(self):
        self.totals(peers.Nfacctd, "9")

    def test_nfacctd_v10(self):
        self.totals(peers.Nfacctd, "10", 6)


if __name__ == "__main__":
    missing = [name for name in ("nfcapd", "nfdump", "nfacctd") if not shutil.which(name)]
    if missing:
        print("SKIPPED: %s not installed" % ", ".join(missing), file=sys.stderr)
        sys.exit(lab.SKIP)
    lab.main(__doc__)
