#!/usr/bin/env bash
# Refuses invalid inputs before anything is installed or run. promoter itself checks the pipeline file and the ledger.
set -euo pipefail
# shellcheck source=.github/action/words.sh
source "$(dirname "$0")/words.sh"

one_line() { # each input is one line: a second line could be a workflow command
  local name
  for name in ${!IN_@}; do
    if [[ ${!name} == *[[:cntrl:]]* ]]; then
      refuse "$(input "$name"): contains a line break or a control character; write it on one line (in YAML, use >- instead of > or |)"
    fi
  done
}

input() { # IN_ON_PENDING -> on-pending
  local name=${1#IN_}
  name=${name,,}
  name=${name//_/-}
  printf '%s' "${name/#token/github-token}"
}

one_of() { # NAME WORD…
  local name=$1 word
  shift
  for word in "$@"; do
    if [[ ${!name} == "$word" ]]; then return; fi
  done
  local listed="${*:1:$#-1}"
  refuse "$(input "$name"): '${!name}' is not one of ${listed// /, } and ${!#}"
}

like() { # NAME PATTERN DESCRIPTION: the input is empty or matches the pattern
  if [[ -n ${!1} && ! ${!1} =~ ^$2$ ]]; then refuse "$(input "$1"): '${!1}' is not $3"; fi
}

only_for() { # NAME COMMAND…: an input that the command does not use is an error, and is not ignored
  local name=$1 command
  shift
  if [[ -z ${!name} || ${!name} == false ]]; then return; fi
  for command in "$@"; do
    if [[ $IN_COMMAND == "$command" ]]; then return; fi
  done
  refuse "$(input "$name"): the command $IN_COMMAND does not use it; remove it (it is for: $*)"
}

if [[ ${BASH_VERSINFO[0]} -lt 5 ]]; then refuse "this action needs bash 5 or newer, got $BASH_VERSION"; fi
one_line
one_of IN_COMMAND run promote plan build validate rollback status explain
one_of IN_ON_PENDING succeed fail
for name in IN_SUMMARY IN_ANNOTATIONS IN_REVIEWS IN_DEPLOYMENTS; do one_of "$name" true false; done
like IN_ENVIRONMENT '[a-z0-9][a-z0-9-]*' "the name of an environment: lowercase letters, digits and dashes"
like IN_RELEASE '[0-9a-f]{1,64}' "a release: an id or a prefix of it, in hex digits"
like IN_WAIT_LOCK '([0-9]+(us|ms|s|m|h))+' "a duration such as 10m or 1h30m"

only_for IN_ENVIRONMENT run promote plan rollback explain
only_for IN_RELEASE promote plan rollback explain
only_for IN_REASON rollback
only_for IN_WAIT_LOCK run promote rollback
only_for IN_REVIEWS promote
only_for IN_DEPLOYMENTS run promote rollback

case $IN_COMMAND in
  rollback | explain)
    if [[ -z $IN_ENVIRONMENT ]]; then refuse "environment: the command $IN_COMMAND requires it"; fi
    ;;
esac
if [[ -z $IN_PIPELINE ]]; then refuse "pipeline: is empty; write the name of the pipeline file"; fi
if [[ $IN_REVIEWS == true && -z $IN_ENVIRONMENT ]]; then
  refuse "environment: 'reviews' requires it; write the environment whose reviews are imported"
fi
for name in IN_REVIEWS IN_DEPLOYMENTS; do
  if [[ ${!name} == true && -z $IN_TOKEN ]]; then
    refuse "$(input "$name"): requires github-token, such as the token of the workflow: github.token"
  fi
done
if ! cd "$GITHUB_WORKSPACE" || [[ ! -d $IN_WORKING_DIRECTORY ]]; then
  refuse "working-directory: there is no directory '$IN_WORKING_DIRECTORY' in the workspace; check out the repository first"
fi
