#!/usr/bin/env bash
# Starts an engine and a registry for pipelines/hello on this machine, and writes their addresses to the outputs of the step.
set -euo pipefail
cd "$(dirname "$0")/.."
python3 -B lab/lab.py up
eval "$(python3 -B lab/lab.py env)"
cp "$PROMOTER_LAB_BUSYBOX/busybox" pipelines/hello/web/busybox
printf 'engine=%s\nregistry=%s\n' "$PROMOTER_LAB_ENGINE" "$PROMOTER_LAB_REGISTRY" >>"$GITHUB_OUTPUT"
