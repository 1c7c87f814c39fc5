#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-2-Clause
"""Run ringflowd over a capture and be its collector: count the IPFIX that really arrives.

    demo_collector.py RINGFLOWD CAPTURE
"""

import socket
import struct
import subprocess
import sys

HEADER_BYTES, IPFIX, TEMPLATE_SET, OPTIONS_TEMPLATE_SET = 16, 10, 2, 3


def sets(message):
    """(id, length) of each set of an IPFIX message."""
    at = HEADER_BYTES
    while at + 4 <= len(message):
        kind, length = struct.unpack_from("!HH", message, at)
        if length < 4:
            return
        yield kind, length
        at += length


def main():
    sensor, capture = sys.argv[1:]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8 << 20)
        sink.bind(("127.0.0.1", 0))
        collector = "127.0.0.1:%d" % sink.getsockname()[1]
        command = [sensor, "-r", capture, "-v", "10", "-n", collector, "--print", "table"]
        print("$ " + " ".join(command), flush=True)
        status = subprocess.run(command).returncode
        sink.setblocking(False)
        messages = []
        while True:
            try:
                messages.append(sink.recv(65536))
            except BlockingIOError:
                break
    if any(struct.unpack_from("!HH", message) != (IPFIX, len(message)) for message in messages):
        print("what arrived is not IPFIX", file=sys.stderr)
        return 1
    kinds = [kind for message in messages for kind, _ in sets(message)]
    templates = sum(kind in (TEMPLATE_SET, OPTIONS_TEMPLATE_SET) for kind in kinds)
    print("\nA collector on %s received %d IPFIX messages, %d octets: %d template sets, %d data sets." % (
        collector, len(messages), sum(map(len, messages)), templates, len(kinds) - templates))
    return status if messages else 1


if __name__ == "__main__":
    sys.exit(main())
