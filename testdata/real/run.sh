#!/usr/bin/env bash
# Real senders and real receivers around the real program: every example
# payload of npm's @octokit/webhooks-examples (some 330), signed as GitHub
# signs, sent by Node, Python and curl (HTTP/1.1 and HTTP/2), forwarded to an
# Express app and to a Go app that both verify the signature over the raw body.
# All must arrive once, verified, in order, and with the bytes that were sent.
#
#   bash testdata/real/run.sh         skips, loudly, when a tool or npm is not to be had
#   REAL=required bash …/run.sh       fails instead
set -euo pipefail
play=real
. "$(dirname "$0")/stage.sh"
tools node npm python3 curl
curl --version | grep -q HTTP2 || skip "this curl does not speak HTTP/2"

export SECRET="It's a Secret to Everybody"
go build -o app "$here/app.go"
install @octokit/webhooks-examples@7 express@5

# payloads/N holds a body, webhooks a line for each: N event delivery signature sha256
node payloads.mjs
count=$(wc -l <webhooks)
[ "$count" -ge 300 ] || fail "only $count payloads"

# The apps write a line for each request they got and verified: delivery event sha256
touch node.log go.log
node app.mjs node.port >node.log 2>node.err & pids+=($!)
./app go.port >go.log 2>go.err & pids+=($!)
until_file node.port
until_file go.port
./hooktape listen "$(cat node.port)/github" "http://$(cat go.port)/github" --store store --json \
  --ingest 127.0.0.1:0 --api 127.0.0.1:0 --ready-file ready >hooktape.out 2>hooktape.err & hooktape=$!
pids+=($hooktape)
until_file ready
ingest=$(node -p 'JSON.parse(fs.readFileSync("ready")).ingest')
api=$(node -p 'JSON.parse(fs.readFileSync("ready")).api')

with_curl() { # FROM TO FLAGS…
  local from=$1 to=$2 n event delivery signature sha
  shift 2
  sed -n "$((from + 1)),${to}p" webhooks | while read -r n event delivery signature sha; do
    curl -sS --fail --max-time 30 -o answer "$@" "$ingest/in/github/hooks" --data-binary "@payloads/$n" \
      -A "GitHub-Hookshot/0000000" -H "Content-Type: application/json" -H "X-GitHub-Event: $event" \
      -H "X-GitHub-Delivery: $delivery" -H "X-Hub-Signature-256: $signature"
  done
}
third=$((count / 3)) sixth=$((count / 6))
node send.mjs "$ingest" 0 $third
python3 "$here/send.py" "$ingest" $third $((2 * third))
with_curl $((2 * third)) $((2 * third + sixth)) --http1.1
with_curl $((2 * third + sixth)) "$count" --http2-prior-knowledge

until_lines "$count" node.log
until_lines "$count" go.log
awk '{print $3, $2, $5}' webhooks >want
for app in node go; do
  diff want $app.log >diff || { head diff >&2; fail "the $app app did not get what was sent, verified and in order"; }
done
node check.mjs "$api" || fail "what is kept is not what was sent"
./hooktape events ls --store store --json --filter 'provider:github is:ok' | wc -l | grep -qx "$count" || fail "not all deliveries are ok"
kill -INT $hooktape
code=0; wait $hooktape || code=$?
[ $code = 130 ] || fail "hooktape ended with $code: $(cat hooktape.err)"
echo "real: ok: $count webhooks from Node, Python, curl and curl over HTTP/2 to Express and Go: verified, in order, byte for byte ($SECONDS s)"
