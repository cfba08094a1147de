# What the plays in this directory share; they source it with their name in
# $play. It leaves them in a directory of their own with hooktape built in it.
# Whatever pids are in the array pids is ended with the play.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
work=$(mktemp -d)
pids=()
end() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$work"
}
trap end EXIT
fail() { echo "$play: FAIL: $*" >&2; exit 1; }
skip() {
  [ "${REAL:-}" = required ] && fail "$*"
  printf '\n!!! %s: SKIPPED: %s\n!!! Nothing was tested with real senders and receivers.\n\n' "$play" "$*" >&2
  exit 0
}
tools() { # TOOL…: skip unless all are installed
  local tool
  for tool; do command -v "$tool" >/dev/null || skip "$tool is not installed"; done
}
install() { # PACKAGE…: from npm, or skip
  echo '{"private":true}' >package.json
  npm install --silent --no-audit --no-fund "$@" >npm.log 2>&1 || skip "npm install failed: $(tail -1 npm.log)"
}
until_file() { # FILE: wait until it is there
  for _ in $(seq 300); do [ -s "$1" ] && return; sleep 0.1; done
  cat "$work"/*.err >&2
  fail "$1 did not appear"
}
until_lines() { # N FILE: wait until it has N lines
  for _ in $(seq 300); do [ "$(wc -l <"$2")" -ge "$1" ] && return; sleep 0.1; done
  tail -3 "$work/hooktape.out" >&2
  fail "$2 has $(wc -l <"$2") lines of $1"
}

tools go
(cd "$here/../.." && go build -o "$work/hooktape" .)
cp "$here"/*.mjs "$work"
cd "$work"
