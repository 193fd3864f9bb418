#!/bin/sh
# Installs one list of pinned packages into .venv, which it makes first where there is none:
#
#     sh setup/install.sh LIST
#
# Needs no root, no home and nothing but a Python of 3.11 or newer with its own pip. What fails is said in one sentence.
set -eu

list=$1
venv=.venv
log=$venv/install.log

stop() {
    printf '%s\n' "$1" >&2
    exit 1
}

# A version manager leaves commands that exist and do not run, so each candidate is tried, not only looked up.
runs() { "$1" -c "$2" >/dev/null 2>&1; }

choose_python() {
    incomplete=
    for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python}; do
        runs "$candidate" 'import sys; sys.exit(sys.version_info < (3, 11))' || continue
        if runs "$candidate" 'import venv, ensurepip'; then
            python=$candidate
            return
        fi
        incomplete=$candidate
    done
    [ -z "$incomplete" ] ||
        stop "$incomplete has no venv module with pip, which Waypost installs into: install it first (Debian and Ubuntu: apt install python3-venv)."
    stop "Waypost needs Python 3.11 or newer, and none of ${PYTHON:-python3, python3.14, python3.13, python3.12, python3.11} is one: install it, or name one with make PYTHON=/path/to/python3."
}

make_venv() {
    choose_python
    rm -rf "$venv"
    said=$("$python" -m venv "$venv" 2>&1) || stop "$python could not make the folder .venv here: $said"
}

# The last line in which pip says what was wrong, without its prefix.
reason() { sed -n 's/^ERROR: //p' "$log" | tail -n 1; }

explain() {
    if grep -qiE 'NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|Temporary failure|ProxyError|SSLError|unreachable' "$log"; then
        package=$(sed -n 's/^ERROR: No matching distribution found for \([^ ]*\).*/\1/p' "$log" | tail -n 1)
        stop "No network: ${package:-a package} of $list could not be fetched from the Python package registry; go online once and say make again (details: $log)."
    fi
    stop "$list could not be installed: $(reason) (details: $log)."
}

# A folder that was moved, or whose Python was removed, is made anew.
runs "$venv/bin/python" 'import pip' || make_venv
echo "Installing $list into $venv ..."
# Two tries for each file: enough for a hiccup, and an answer within a minute where there is no network.
"$venv/bin/python" -m pip install --disable-pip-version-check --no-input --retries 2 --require-hashes \
    -r "$list" >"$log" 2>&1 || explain
