# SPDX-License-Identifier: BSD-2-Clause
# Sourced by ./try, ./check and .ci/run: install what is missing, and build.

# packages SECTION...: the names that packages.txt has under these headings.
packages() {
	local wanted=" $* " section='' line
	while IFS= read -r line; do
		line=${line%%#*}
		line=${line//[[:space:]]/}
		case $line in
		'') ;;
		'['*']') section=${line:1:-1} ;;
		*) [[ $wanted == *" $section "* ]] && printf '%s\n' "$line" ;;
		esac
	done < packages.txt
	return 0
}

# install_packages SECTION...: does nothing, and needs no rights, when all are there.
install_packages() {
	local missing=() name sudo=''
	for name in $(packages "$@"); do
		[ "$(dpkg-query -W -f '${Status}' "$name" 2>/dev/null)" = 'install ok installed' ] ||
			missing+=("$name")
	done
	[ "${#missing[@]}" = 0 ] && return
	[ "$(id -u)" = 0 ] || sudo=sudo
	echo "installing ${missing[*]}"
	$sudo apt-get -qq update
	$sudo env DEBIAN_FRONTEND=noninteractive apt-get -qq install --yes --no-install-recommends \
		"${missing[@]}" > /dev/null
}

# build FOLDER [MESON OPTION...]: configure and compile; quiet unless it fails. An old folder is
# configured again, because packages may have come since.
build() {
	local folder=$1 log again=()
	shift
	log=$(mktemp)
	[ -f "$folder/build.ninja" ] && again=(--reconfigure)
	if ! { meson setup "${again[@]}" "$folder" "$@" && ninja -C "$folder"; } > "$log" 2>&1; then
		cat "$log"
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}
