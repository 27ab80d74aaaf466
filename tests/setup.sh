# shellcheck shell=bash
# Sourced by conf/demo/run and tests/run: packages, and steps with a log.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
logs=$top/build/logs
mkdir -p "$logs"

say() {
	printf '%s\n' "$*"
}

# need_packages FOR...: installs those of tests/packages that are missing.
need_packages() {
	local name for missing=()
	while read -r name for; do
		[[ $name == \#* || -z $name || " $* " != *" $for "* ]] && continue
		# pkgconf provides pkg-config, and so on: what counts is that
		# somebody provides the name.
		dpkg-query -W -f '${Status} ${Provides}\n' "$name" 2>/dev/null |
			grep -q '^install ok installed' || missing+=("$name")
	done <"$top/tests/packages"
	[[ ${#missing[@]} == 0 ]] && return 0
	local as_root=()
	if [[ $(id -u) != 0 ]]; then
		if ! command -v sudo >/dev/null; then
			say "These packages are missing, and installing them needs root:"
			say "    apt-get install ${missing[*]}"
			return 1
		fi
		as_root=(sudo)
	fi
	say "Installing with apt-get: ${missing[*]}"
	if ! { "${as_root[@]}" apt-get update &&
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y \
			--no-install-recommends "${missing[@]}"; } >"$logs/packages.log" 2>&1; then
		tail -n 20 "$logs/packages.log"
		say "apt-get failed; all it said is in $logs/packages.log"
		return 1
	fi
}

# logged NAME COMMAND...: runs it into build/logs/NAME.log; shows the end of
# that when it fails.
logged() {
	local name=$1 status=0
	shift
	"$@" >"$logs/$name.log" 2>&1 || status=$?
	if [[ $status != 0 ]]; then
		tail -n 60 "$logs/$name.log"
		say "$name failed ($status); all of it is in $logs/$name.log"
	fi
	return "$status"
}

# build PRESET TARGET...: configures and builds; without targets, everything.
build() {
	local preset=$1
	shift
	(cd "$top" && logged "$preset-configure" cmake --preset "$preset" &&
		logged "$preset-build" cmake --build --preset "$preset" ${1:+--target "$@"} -- -k 0)
}
