#!/usr/bin/env bash
# Finds a Python to run with. No output `program` means: one must be fetched.
set -euo pipefail
# shellcheck source=.github/action/words.sh
source "$(dirname "$0")/words.sh"

WANTED='import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))'
program=${IN_PYTHON:-python3}

if command -v -- "$program" >/dev/null && "$program" -I -c "$WANTED" 2>/dev/null; then
  hand_on program "$(command -v -- "$program")"
elif [[ -n $IN_PYTHON ]]; then
  refuse "python: '$IN_PYTHON' is no Python 3.11 or newer that can make a virtual environment"
elif [[ -n $IN_WHEEL ]]; then
  refuse "this runner's python3 is missing, older than 3.11, or comes without venv; install one (on Debian and Ubuntu also python3-venv), or name another in the input python"
fi
