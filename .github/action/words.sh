# shellcheck shell=bash
# Workflow commands and outputs. Line breaks and percent signs in values are escaped, so that a value cannot be a command.

escaped() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}

say() { # LEVEL TEXT: error, warning or notice; on stderr like those of promoter, so that the order is kept
  printf '::%s title=promoter::%s\n' "$1" "$(escaped "$2")" >&2
}

refuse() {
  say error "$1"
  exit 2
}

hand_on() { # NAME VALUE: sets an output of this step; the value is one line
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}
