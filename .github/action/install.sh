#!/usr/bin/env bash
# Installs the exact versions of requirements/run.txt, each file held to its hash there, from wheels that are at hand.
# Made beside its place and moved there whole: several runners of one machine may do so at once.
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

# what the runner's pip is told elsewhere (an index, more links) is not asked here
export PIP_CONFIG_FILE=/dev/null PIP_NO_INDEX=1
unset PIP_FIND_LINKS PIP_CONSTRAINT
if ! "$python" "${PIP[@]}" "${FROM_HERE[@]}" --require-hashes --requirement "$LOCK"; then
  say error "promoter's dependencies cannot be installed from $WHEELS; make the directory anew with the same Python on the same kind of machine: make wheelhouse"
  exit 1
fi
if [[ -n $WHEEL ]]; then "$python" "${PIP[@]}" "${FROM_HERE[@]}" "$WHEEL"; fi

touch "$made/ready"
chmod 755 "$made" # mktemp made it for this user alone; the tools of a machine are for all its runners
if [[ -e $VENV/ready ]] && "$VENV/bin/python" -I -c '' 2>/dev/null; then exit 0; fi # another runner was first
rm -rf "$VENV"
mv -T "$made" "$VENV" 2>/dev/null || [[ -e $VENV/ready ]]
