# shellcheck shell=bash
# What the action's steps say to the runner. A value is only ever data in it: no line break, no percent code of its own.

escaped() {
  local text=$1
  text=${text//'%'/%25}
  text=${text//$'\r'/%0D}
  printf '%s' "${text//$'\n'/%0A}"
}

say() { # LEVEL TEXT: error, warning or notice; on the stream that promoter's own go to, so that they stay in order
  printf '::%s title=promoter::%s\n' "$1" "$(escaped "$2")" >&2
}

refuse() {
  say error "$1"
  exit 2
}

hand_on() { # NAME VALUE: an output of this step; the value is one line
  printf '%s=%s\n' "$1" "$2" >>"$GITHUB_OUTPUT"
}
