#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# The rooms include each other in one direction only: ring/ and export/ include neither each other
# nor sensor/; systemd/ is included by main.c alone and includes no room. Every include names its
# room. Run from anywhere; prints each line that goes the wrong way.
set -euo pipefail
cd "$(dirname "$0")/.."

wrong=0

# forbid FILES PATTERN REASON: no line of the files may match.
forbid() {
	local files=$1 pattern=$2 reason=$3 found
	# shellcheck disable=SC2086
	found=$(grep -nE "$pattern" $files /dev/null || true)
	[ -z "$found" ] && return
	printf '%s:\n%s\n' "$reason" "$found"
	wrong=1
}

of() { find "$@" -name '*.[ch]' -o -name '*.def' | sort | tr '\n' ' '; }

include='^[[:space:]]*#[[:space:]]*include[[:space:]]*"'
forbid "$(of ring)" "$include(export|sensor|systemd)/" "ring/ gives packets and knows nobody"
forbid "$(of export)" "$include(ring|sensor|systemd)/" "export/ takes records and knows nobody"
forbid "$(of systemd)" "$include(ring|export|sensor)/" "systemd/ knows no room"
forbid "$(of sensor | sed 's#sensor/\(main\|opener\)\.c ##g')" "${include}systemd/" \
	"systemd/ is used by main.c and opener.c alone"
forbid "$(of ring export sensor systemd)" "$include[^/\"]*\"" "an include does not name its room"
forbid "$(of ring export sensor systemd)" "${include}tests/" "a room includes a test"

# This test must be able to fail: each pattern has to match the line it is meant for.
printf '#include "sensor/meta.h"\n' | grep -qE "$include(export|sensor|systemd)/"
printf '# include "packet.h"\n' | grep -qE "$include[^/\"]*\""

[ "$wrong" = 0 ] && echo "the rooms include each other in one direction"
exit "$wrong"
