# Sourced by the runs of the tests from outside: installs what a lock file names, unless that very file was installed last.
# shellcheck shell=bash

# Of npm, into this folder. No package's own scripts run: none is needed, and they could do anything. More options are passed on.
install_from_npm() {
  cmp -s package-lock.json node_modules/.installed && return
  npm ci --ignore-scripts --no-audit --no-fund "$@"
  cp package-lock.json node_modules/.installed
}

# Of PyPI, what a folder's requirements.txt names, into .venv beside it.
install_from_pypi() {
  cmp -s "$1/requirements.txt" "$1/.venv/.installed" && return
  python3 -m venv --clear "$1/.venv"
  "$1/.venv/bin/pip" install --quiet --disable-pip-version-check --require-hashes --requirement "$1/requirements.txt"
  cp "$1/requirements.txt" "$1/.venv/.installed"
}
