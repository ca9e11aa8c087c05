#!/bin/sh
# Installs exactly the packages of requirements.lock into .venv. Needs uv, or a python3
# that can create virtual environments, and Python 3.12 or newer.
set -eu
cd "$(dirname "$0")/.."

fail() {
    echo "make install: $*" >&2
    exit 1
}

# Runs the interpreter, because a version manager's shim on the PATH may not work.
is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 12))' >/dev/null 2>&1
}

find_python() {
    for candidate in python3.14 python3.13 python3.12 python3 \
        "${HOME:-/}"/.pyenv/versions/3.1[2-9]*/bin/python \
        /usr/bin/python3.1[2-9] /usr/local/bin/python3.1[2-9] \
        /opt/homebrew/bin/python3.1[2-9] /opt/python3.1[2-9]*/bin/python3; do
        if is_new_enough "$candidate"; then
            "$candidate" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    echo 3.12 # uv may find another interpreter, or download one.
}

install_uv() {
    for maker in "$1" python3 /usr/bin/python3; do
        rm -rf .uv
        if "$maker" -m venv .uv >/dev/null 2>&1 &&
            .uv/bin/python -m pip install --quiet --disable-pip-version-check uv; then
            return
        fi
    done
    rm -rf .uv
    fail "cannot install uv. Install it yourself, or install a python3 that can" \
        "create virtual environments (on Debian: apt install python3-venv), and" \
        "check that the package index can be reached"
}

find_uv() {
    if uv --version >/dev/null 2>&1; then
        uv=uv
        return
    fi
    .uv/bin/uv --version >/dev/null 2>&1 || install_uv "$1"
    uv=.uv/bin/uv
}

# Called a second time with the system's certificates, for networks with their own CA.
install_all() {
    "$uv" pip sync --quiet --require-hashes requirements.lock &&
        "$uv" pip install --quiet --no-deps -e .
}

python=$(find_python)
find_uv "$python"
if [ -e .venv/unfinished ] || ! is_new_enough .venv/bin/python; then
    "$uv" venv --quiet --clear --python "$python" .venv ||
        fail "no Python 3.12 or newer found. Install one and put it on the PATH"
fi
touch .venv/unfinished
export VIRTUAL_ENV="$PWD/.venv"
install_all 2>/dev/null ||
    UV_SYSTEM_CERTS=1 UV_NATIVE_TLS=1 install_all ||
    fail "cannot install the packages of requirements.lock"
mv .venv/unfinished .venv/installed
touch .venv/installed
