#!/usr/bin/env bash
# Make the virtual environment; on a Debian without its venv module, root gets it installed.
set -eu
python=$1 venv=$2
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
  echo "ParkCarbon needs Python 3.11 or newer; found: $("$python" --version 2>&1)" >&2; exit 1; }
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "── installing python3-venv"; apt-get update -qq; apt-get install -y -qq python3-venv >/dev/null
  else
    echo "Python's venv module is missing: install it (Debian: apt-get install python3-venv) and try again." >&2; exit 1
  fi
fi
"$python" -m venv "$venv"
