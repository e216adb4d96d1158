#!/usr/bin/env bash
# Finds a Python. Without the output `program`, the next step downloads one.
set -euo pipefail
# shellcheck source=.github/action/words.sh
source "$(dirname "$0")/words.sh"

WANTED='import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))'
program=${IN_PYTHON:-python3}

if command -v -- "$program" >/dev/null && "$program" -I -c "$WANTED" 2>/dev/null; then
  hand_on program "$(command -v -- "$program")"
elif [[ -n $IN_PYTHON ]]; then
  refuse "python: '$IN_PYTHON' is not Python 3.11 or newer with the module venv"
elif [[ -n $IN_WHEEL ]]; then
  refuse "python3 on this runner is missing, older than 3.11, or without the module venv; install it (on Debian and Ubuntu also python3-venv), or set the input python"
fi
