#!/usr/bin/env bash
# Installs the exact versions of requirements/run.txt from wheels on this machine, and checks the hash of each file.
# The environment is created under another name and then renamed, because several runners of one machine may do this at once.
set -euo pipefail
# shellcheck source=.github/action/words.sh
source "$(dirname "$0")/words.sh"

: "${PYTHON:?}" "${VENV:?}" "${WHEELS:?}" # given by action.yml
LOCK=$GITHUB_ACTION_PATH/requirements/run.txt
PIP=(-I -m pip --quiet --disable-pip-version-check --no-input)
FROM_HERE=(install -f "$WHEELS" --no-deps --no-compile)

mkdir -p "$(dirname "$VENV")"
made=$(mktemp -d "$VENV.XXXXXX")
trap 'rm -rf "$made"' EXIT
"$PYTHON" -I -m venv "$made"
python=$made/bin/python

if [[ $FETCH == true && ! -d $WHEELS ]]; then
  fetched=$(mktemp -d "$WHEELS.XXXXXX")
  "$python" "${PIP[@]}" download --require-hashes --only-binary :all: --requirement "$LOCK" --dest "$fetched"
  mv -T "$fetched" "$WHEELS"
fi

# ignore pip's configuration on the runner, such as an index or more links
export PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1
unset PIP_FIND_LINKS PIP_CONSTRAINT
if ! "$python" "${PIP[@]}" "${FROM_HERE[@]}" --require-hashes --requirement "$LOCK"; then
  say error "promoter's dependencies cannot be installed from $WHEELS; create the directory again with the same Python on the same kind of machine: make wheelhouse"
  exit 1
fi
if [[ -n $WHEEL ]]; then "$python" "${PIP[@]}" "${FROM_HERE[@]}" "$WHEEL"; fi

touch "$made/ready"
chmod 755 "$made" # mktemp creates it for this user only; all runners of the machine use it
if [[ -e $VENV/ready ]] && "$VENV/bin/python" -I -c '' 2>/dev/null; then exit 0; fi # another runner was first
rm -rf "$VENV"
mv -T "$made" "$VENV" 2>/dev/null || [[ -e $VENV/ready ]]
