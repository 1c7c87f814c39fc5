#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# Judge the sensor by an independent truth: every capture of the shared folder and every fixture,
# flow by flow, and the export linted. Fragments are separate flows there, as in softflowd. Messages are
# as long as those to another host.
#
#   tests/oracle.sh SHARED VERSION [SENSOR [OPTION...]]
set -euo pipefail
shared=$(cd "$1" && pwd)
version=$2
cd "$(dirname "$0")/.."
sensor=${3:-build/sensor/ringflowd}
options=("${@:4}")

list=$(mktemp) out=$(mktemp) made=$(mktemp -d)
trap 'rm -rf "$list" "$out" "$made"' EXIT
find "$shared/pcaps" -type f ! -name '*.md' | sort > "$list"
if [ -f "$shared/oracle/synth.py" ]; then
	python3 "$shared/oracle/synth.py" "$made" > /dev/null
	find "$made" -name '*.pcap*' | sort >> "$list"
fi
# A file cut within its own header is no capture, which the oracle calls a failure.
find "$PWD/pcap-fixtures" -name '*.pcap' ! -name cut-header.pcap -o -name '*.pcapng' | sort >> "$list"
status=0
python3 "$shared/oracle/compare.py" --batch "$list" --jobs 2 --out "$out" --version "$version" -- \
	"$sensor" -r '{pcap}' -n '127.0.0.1:{port}' -v '{version}' --fragments separate -T full --mtu 1500 \
	"${options[@]}" || status=$?
wc -l < "$out" | sed 's/$/ captures judged/'
exit "$status"
