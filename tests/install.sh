#!/bin/bash
# SPDX-License-Identifier: BSD-2-Clause
# install.sh BUILD FILE...: `meson install` into an empty folder puts exactly these files there, as
# a package is made; programs can be run, the rest can be read by everybody, links lead somewhere.
set -euo pipefail
build=$1
shift

root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
(umask 077 && meson install -C "$build" --no-rebuild --quiet --destdir "$root")

wrong=0
complain() {
	printf '%s\n' "$*"
	wrong=1
}

expected=$(printf '%s\n' "$@" | sort)
found=$(cd "$root" && find . ! -type d | sed 's/^\.//' | sort)
if ! difference=$(diff <(printf '%s\n' "$expected") <(printf '%s\n' "$found")); then
	complain "expected (<) and installed (>):" "$difference"
fi

while read -r file; do
	[ -e "$root$file" ] || complain "$file leads nowhere"
	mode=$(stat -L -c %a "$root$file")
	case $file in
	*/bin/* | */sbin/* | */libexec/*) [ "$mode" = 755 ] || complain "$file has mode $mode" ;;
	*) [ "$mode" = 644 ] || complain "$file has mode $mode" ;;
	esac
done <<<"$found"

left=$(grep -rlE '@[a-z_]+@' "$root" --include='*.service' --include='*.socket' || true)
[ -z "$left" ] || complain "a place was not filled in: $left"
for unit in $(find "$root" -name '*.service'); do
	grep -ohE '(Exec[A-Za-z]*=\+?|exec |store )/[^ ]+' "$unit" | grep -oE '/.*' | sort -u |
		while read -r program; do
			case $program in /bin/*) continue ;; esac
			[ -x "$root$program" ] || { echo "${unit##*/} runs $program, which is not installed"; exit 1; }
		done || wrong=1
done

[ "$wrong" = 0 ] && echo "$# files"
exit "$wrong"
