#!/usr/bin/env bash
# Runs one command of promoter and sets the result of the step. The step succeeds if the command succeeded, or waits at a gate,
# and never without a digest. check.sh has checked the inputs. promoter writes the outputs; this script adds the missing ones.
set -euo pipefail
# shellcheck source=.github/action/words.sh
source "$(dirname "$0")/words.sh"

# the code at the commit of this action, or the installed wheel; nothing is imported from the workspace
START='import sys
code = sys.argv.pop(1)
if code:
    sys.path.insert(0, code)
from promoter.__main__ import main
main()'
ONE_LINE='import json, sys; print(json.dumps(json.load(sys.stdin), ensure_ascii=False))'

environment_of() { # sets the variables that promoter reads, and hides those of this script
  export PROMOTER_SUMMARY=$IN_SUMMARY PROMOTER_ANNOTATIONS=$IN_ANNOTATIONS
  if [[ -n $IN_LEDGER ]]; then export PROMOTER_LEDGER=$IN_LEDGER; fi
  if [[ -n $IN_ACTOR ]]; then export PROMOTER_ACTOR=$IN_ACTOR GITHUB_ACTOR=$IN_ACTOR; fi # the workflow sets the actor
  if [[ $IN_DEPLOYMENTS == true ]]; then export PROMOTER_DEPLOYMENTS=true; fi
  if [[ -n $IN_TOKEN ]]; then export GITHUB_TOKEN=$IN_TOKEN; fi
  export -n "${!IN_@}" PYTHON
}

argv_of() { # sets the array `argv` to the command line
  local environment=() release=()
  argv=("$IN_COMMAND" "--file=$IN_PIPELINE")
  case $IN_COMMAND in
    run | promote | plan)
      if [[ -n $IN_ENVIRONMENT ]]; then argv+=("--to=$IN_ENVIRONMENT"); fi
      ;;
    rollback)
      if [[ -n $IN_RELEASE ]]; then argv+=("--to=$IN_RELEASE"); fi
      ;;
  esac
  case $IN_COMMAND in rollback | explain) environment=("$IN_ENVIRONMENT") ;; esac
  case $IN_COMMAND in promote | plan | explain) if [[ -n $IN_RELEASE ]]; then release=("$IN_RELEASE"); fi ;; esac
  if [[ -n $IN_REASON ]]; then argv+=("--reason=$IN_REASON"); fi
  if [[ -n $IN_WAIT_LOCK ]]; then argv+=("--wait-lock=$IN_WAIT_LOCK"); fi
  if [[ $IN_REVIEWS == true ]]; then argv+=(--reviews); fi
  argv+=("${environment[@]}" "${release[@]}")
}

run_it() { # if the job is cancelled, sends SIGTERM to promoter once and waits until it ends, as long as the runner permits
  "$PYTHON" -I -c "$START" "$code_at" "${argv[@]}" </dev/null & # without a shell around it, so that it receives the signal
  local child=$!
  trap 'trap "" HUP INT TERM; kill -TERM "$child" 2>/dev/null || true' HUP INT TERM
  code=0
  wait "$child" || code=$?
  while kill -0 "$child" 2>/dev/null; do
    code=0
    wait "$child" || code=$?
  done
}

output() { # prints the last value of this output
  local name=$1 line value='' key mark
  while IFS= read -r line; do
    key=${line%%=*}
    case $line in
      [a-z]*'<<'*)
        key=${line%%<<*} mark=${line#*<<} line=''
        local text='' break=''
        while IFS= read -r line && [[ $line != "$mark" ]]; do text+=$break$line break=$'\n'; done
        if [[ $key == "$name" ]]; then value=$text; fi
        ;;
      *=*) if [[ $key == "$name" ]]; then value=${line#*=}; fi ;;
    esac
  done <"$GITHUB_OUTPUT"
  printf '%s' "$value"
}

read_only() { # runs another command for the record, without reports to the runner
  PROMOTER_CI=none "$PYTHON" -I -c "$START" "$code_at" "$@" 2>/dev/null
}

complete_outputs() { # adds the outputs that the command did not write
  local words=([0]=complete [3]=pending [4]=refused [5]=locked [6]=rolled_back)
  if [[ -z $(output status) ]]; then hand_on status "${words[code]:-failed}"; fi
  if [[ -n $(output result) ]]; then return; fi
  local result=''
  case $IN_COMMAND in status | explain | validate) result=$(read_only "${argv[@]}" --json | "$PYTHON" -I -c "$ONE_LINE") || true ;; esac
  if [[ -z $result ]]; then
    printf -v result '{"decision": "%s", "reason_code": null, "error": {"message": "exit code %d", "hint": null}}' "$(output status)" "$code"
  fi
  hand_on result "$result"
}

keep_evidence() { # writes the record of this run, also if it failed
  if [[ -z $IN_EVIDENCE ]]; then return; fi
  local place=$IN_EVIDENCE
  if [[ $place != /* ]]; then place=$GITHUB_WORKSPACE/$place; fi
  if ! mkdir -p -- "$place" || ! output result >"$place/result.json"; then
    say warning "evidence: cannot be written to '$place'"
    return
  fi
  if [[ $IN_SUMMARY == true ]]; then cat -- "$GITHUB_STEP_SUMMARY" >"$place/summary.md"; fi
  if ! read_only "--file=$IN_PIPELINE" ledger export >"$place/ledger.jsonl"; then
    rm -f -- "$place/ledger.jsonl"
    say warning "evidence: the ledger cannot be read, so ledger.jsonl is missing"
  fi
}

has_digest() {
  case $IN_COMMAND in run | promote | build) [[ $(output digest) =~ ^sha256:[0-9a-f]{64}$ ]] ;; esac
}

verdict() {
  case $code in
    0 | 3)
      if ! has_digest; then
        hand_on status failed
        say error "$IN_COMMAND ended with exit code $code and reported no digest, so there is no proof of what runs; the step fails"
        exit 1
      fi
      ;;
  esac
  if [[ $code == 3 && $IN_ON_PENDING == succeed ]]; then
    say notice "waiting at a closed gate ($(output reason-code)) without using a runner; when it is open, continue with command: promote"
    exit 0
  fi
  if [[ $code == 3 ]]; then say error "waiting at a closed gate ($(output reason-code)), and on-pending is fail"; fi
  exit "$code"
}

code_at=$GITHUB_ACTION_PATH
if [[ -n $IN_WHEEL ]] && "$PYTHON" -I -c 'import promoter' 2>/dev/null; then code_at=''; fi
cd "$GITHUB_WORKSPACE" && cd -- "$IN_WORKING_DIRECTORY"
environment_of
argv_of
run_it
complete_outputs
keep_evidence
verdict
