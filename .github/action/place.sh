#!/usr/bin/env bash
# Outputs the paths of the virtual environment and the wheels for this lock file, Python and machine, and what is missing there.
set -euo pipefail
# shellcheck source=.github/action/words.sh
source "$(dirname "$0")/words.sh"

LOCK=$GITHUB_ACTION_PATH/requirements/run.txt
MACHINE='import platform, sys, sysconfig
print(sys.implementation.cache_tag, sysconfig.get_platform(), platform.libc_ver()[0] or "any", sep="-")'

sum() { "$PYTHON" -I -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read()).hexdigest())'; }

find_wheel() { # sets `wheel` to the wheel of promoter at the path of the input, if there is one
  local found
  if [[ -d $1 ]]; then found=("$1"/promoter-*.whl); else found=("$1"); fi
  if [[ ${#found[@]} -gt 1 ]]; then refuse "wheel: there is more than one wheel of promoter in '$1'; keep only one"; fi
  if [[ ! -e ${found[0]} ]]; then return; fi
  case ${found[0]##*/} in
    promoter-"$version"-*.whl) wheel=${found[0]} ;;
    *) refuse "wheel: ${found[0]##*/} is not promoter $version, the version of this action; build it from the same commit: make wheelhouse" ;;
  esac
}

version=$(sed -n 's/^__version__ = "\(.*\)"$/\1/p' "$GITHUB_ACTION_PATH/promoter/__init__.py")
key=promoter-$("$PYTHON" -I -c "$MACHINE")-$(sum <"$LOCK")
wheels=$RUNNER_TEMP/$key
wheel='' cache=true

if [[ -n $IN_WHEEL ]]; then
  cd "$GITHUB_WORKSPACE"
  if [[ ! -e $IN_WHEEL ]]; then refuse "wheel: there is no '$IN_WHEEL' in the workspace"; fi
  given=$(cd "$(dirname -- "$IN_WHEEL")" && pwd)/$(basename -- "$IN_WHEEL")
  find_wheel "$given"
  cache=false wheels=$given
  if [[ ! -d $wheels ]]; then wheels=${wheels%/*}; fi
fi

base=${RUNNER_TOOL_CACHE:-$RUNNER_TEMP}
if [[ ! -w $base ]]; then base=$RUNNER_TEMP; fi
venv=$base/promoter/${key#promoter-}-$({ "$PYTHON" -I -c 'import sys; print(sys.executable)'; cat -- "${wheel:-/dev/null}"; } | sum | cut -c1-12)
ready=false
if [[ -e $venv/ready ]] && "$venv/bin/python" -I -c '' 2>/dev/null; then ready=true cache=false; fi

hand_on key "$key"
hand_on wheels "$wheels"
hand_on wheel "$wheel"
hand_on venv "$venv"
hand_on ready "$ready"
hand_on cache "$cache"
