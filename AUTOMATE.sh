#!/usr/bin/env bash
# Everything from a fresh machine to a result, in one command:
#   ./AUTOMATE.sh                       composes a demo song and processes it
#   ./AUTOMATE.sh SONG [options]        processes SONG (options: see `stembridge process --help`)
#   ./AUTOMATE.sh SONG --studio         the same with Demucs, which is installed first (1.5 GB more)
#   ./AUTOMATE.sh test                  sets up for development and runs every check and test
#   ./AUTOMATE.sh test all              the same, slow tests too
# A song that is called "test" is ./AUTOMATE.sh ./test
set -euo pipefail

started_in=$PWD
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
venv="$here/.venv"
oldest_minor=11      # Python 3.11
needed_mb=1600       # the environment (about 900 MB), what pip unpacks beside it, and a demo
export OMP_WAIT_POLICY=passive PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=

say() { printf '%s\n' "$*" >&2; }
stop() { say ""; say "stembridge: $*"; exit 1; }

is_new_enough() {
    "$1" -c "import sys; sys.exit(sys.version_info < (3, $oldest_minor))" 2>/dev/null
}

find_python() {
    local name
    for name in ${STEMBRIDGE_PYTHON:-} python3.13 python3.12 python3.11 python3 python; do
        if command -v "$name" >/dev/null 2>&1 && is_new_enough "$name"; then
            command -v "$name"
            return
        fi
    done
    stop "Python 3.$oldest_minor or newer was not found (found: $(python3 --version 2>&1 || echo none)).
  macOS:          brew install python@3.12
  Debian, Ubuntu: sudo apt install python3 python3-venv
  Windows:        winget install Python.Python.3.12
Then run this again, or name one: STEMBRIDGE_PYTHON=/path/to/python3.12 ./AUTOMATE.sh"
}

expect_venv_module() {
    "$1" -c 'import venv, ensurepip' 2>/dev/null && return
    local version
    version=$("$1" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    stop "$1 comes without the module that makes virtual environments. Install it and run this again:
  sudo apt install python$version-venv"
}

expect_room() {
    local free_mb
    free_mb=$(df -Pm "$here" | awk 'NR == 2 { print $4 }')
    [ "$free_mb" -ge "$needed_mb" ] && return
    stop "$here has $free_mb MB free; the set-up needs $needed_mb MB.
Free some space (this shows what is large: du -xh --max-depth=2 \"$HOME\" | sort -h | tail), then run this again."
}

wanted_stamp() {  # changes when the set-up has to be done again
    cat "$here/pyproject.toml" "$here/.ci/constraints.txt" | cksum | tr ' ' '-'
}

is_installed() {  # a development set-up serves for use too
    [ -x "$venv/bin/stembridge" ] || return 1
    local found
    found=$(cat "$venv/.stembridge-stamp" 2>/dev/null) || return 1
    [ "$found" = "$(wanted_stamp)$1" ] || [ "$found" = "$(wanted_stamp)[dev]" ]
}

install() {  # "" for use, "[dev]" for development
    local python
    if is_installed "$1"; then return; fi
    expect_room
    if [ ! -x "$venv/bin/python" ]; then
        python=$(find_python)
        expect_venv_module "$python"
        say "Making the environment in $venv with $("$python" --version) ..."
        "$python" -m venv "$venv" || stop "The environment could not be made; remove $venv and run this again."
    fi
    say "Installing stembridge and what it needs (about 300 MB to download, a minute or two) ..."
    "$venv/bin/python" -m pip install --quiet --constraint "$here/.ci/constraints.txt" --editable "$here$1" ||
        stop "The installation failed; the lines above say why. Is the network there? Then run this again."
    printf '%s%s\n' "$(wanted_stamp)" "$1" >"$venv/.stembridge-stamp"
}

run_tests() {
    local which=("-m" "not slow")
    [ "${1:-}" = all ] && which=()
    install "[dev]"
    cd "$here"
    "$venv/bin/ruff" check .
    "$venv/bin/ruff" format --check .
    "$venv/bin/mypy"
    "$venv/bin/lint-imports"
    "$venv/bin/python" -m pytest ${which[@]+"${which[@]}"}
}

process_demo() {
    local folder="$started_in/stembridge-demo"
    "$venv/bin/stembridge" compose --demo --folder "$folder"
    exec "$venv/bin/stembridge" process "$folder/Night Drive.wav" "$@"
}

case "${1:-}" in
    test)
        shift
        run_tests "$@"
        ;;
    -h | --help)
        sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"
        ;;
    "" | -*)
        install ""
        process_demo "$@"
        ;;
    *)
        install ""
        cd "$started_in"
        exec "$venv/bin/stembridge" process "$@"
        ;;
esac
