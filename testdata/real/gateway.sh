#!/usr/bin/env bash
# Registered endpoints as their owners have them: receivers in Node that verify
# with npm's standardwebhooks, as Blocklet Server does and as ARK's users do.
# Some hundred events are made at once with the command and over HTTP; each
# receiver must get what it subscribed to, verified by its secret and by no
# other, through rotations too. Then endpoints fail, are disabled and come back,
# and everybody who counts attempts must count the same.
#
#   bash testdata/real/gateway.sh         skips, loudly, when a tool or npm is not to be had
#   REAL=required bash …/gateway.sh       fails instead
set -euo pipefail
play=gateway
. "$(dirname "$0")/stage.sh"
tools node npm curl
install standardwebhooks@1

export HOOKTAPE_STORE=$work/store
node receiver.mjs receiver.url 2>receiver.err & pids+=($!)
./hooktape listen --json --ingest 127.0.0.1:0 --api 127.0.0.1:0 --ready-file ready >hooktape.out 2>hooktape.err & hooktape=$!
pids+=($hooktape)
until_file receiver.url
until_file ready
to=$(cat receiver.url)
of() { # PATH…: members of the JSON on standard input
  node -p 'const v = JSON.parse(fs.readFileSync(0)); process.argv.slice(1).map((p) => p.split(".").reduce((v, name) => v[name], v)).join(" ")' "$@"
}
api=$(of api <ready)/api/v1

receiver() { # NAME FORMAT KEY SECRET: it verifies by that secret, which is called KEY
  mkdir -p "secrets/$1/$2"
  touch "$1.log"
  printf %s "$4" >"secrets/$1/$2/$3"
}
endpoint() { # NAME FORMAT FLAGS…: registers its receiver; its id is in NAME.id
  local name=$1 format=$2
  shift 2
  ./hooktape endpoints create "$to/$name" --format "$format" --json "$@" >made 2>note || fail "endpoints create: $(cat note)"
  of id <made >"$name.id"
  receiver "$name" "$format" own "$(of secret <made)"
}
wrong() { # NAME FORMAT: a secret by which nothing may verify
  local secret
  secret=$(node -p 'crypto.randomBytes(32).toString(process.argv[1])' "$([ "$2" = standard ] && echo base64 || echo hex)")
  receiver "$1" "$2" wrong "$secret"
}
got() { # NAME WANT…: the newest line of its log is by these keys, joined with +
  local by
  by=$(tail -1 "$1.log" | cut -d' ' -f3)
  [ "$by" = "$2" ] || fail "$1 verified by $by, want $2"
}
emit() { # TYPE N: over HTTP
  curl -sS --fail-with-body --max-time 30 -o /dev/null "$api/apps/default/events" -H "Idempotency-Key: $1-$2" \
    --data "{\"event_type\":\"$1\",\"data\":{\"n\":$2,\"price\":1.50,\"text\":\"<é> & \\u2028\",\"2\":1,\"1\":2}}"
}
create() { # TYPE N: with the command
  ./hooktape events create --type "$1" --data "{\"n\":$2,\"price\":1.50,\"text\":\"<é> & \\u2028\",\"2\":1,\"1\":2}" >/dev/null
}
export -f emit create
export api

endpoint own standard --type 'order.*' --filter 'body.n:>=100'
endpoint rows standard --type order.paid --condition 'n gte 200'
endpoint rules standard --rules '{"n":{"$lt":50}}'
endpoint blocklet blocklet --type order.paid
endpoint ark ark --type order.paid
endpoint all standard
rm secrets/all/standard/own # its owner knows the app's secret only
receiver all standard app "$(./hooktape apps rotate-secret default --overlap 0s --json 2>note | of signing_secret)"
for name in own rows rules all; do wrong $name standard; done
wrong blocklet blocklet
wrong ark ark

# 300 events: 60 by the command, four at a time; 240 over HTTP, eight at a time
# and in no order, 40 of them twice, as by a client that tries again.
{ seq 1 240; seq 1 6 240; } | shuf | xargs -P 8 -I N bash -c 'kinds=(order.paid order.void user.made); emit ${kinds[N % 3]} N' & over_http=$!
seq 241 300 | xargs -P 4 -I N bash -c 'kinds=(order.paid order.void user.made); create ${kinds[N % 3]} N'
wait $over_http || fail "an event was not taken"

# Who wants what, said once more in other words.
want() { seq 1 300 | awk "{ paid = \$1 % 3 == 0; order = \$1 % 3 <= 1 } $1" | sort; }
sees() { # NAME CONDITION: it got those once each, by one key alone
  want "$2" >want
  until_lines "$(wc -l <want)" "$1.log"
  cut -d' ' -f4 "$1.log" | sort | diff want - >diff || { head diff >&2; fail "$1 did not get what it subscribed to"; }
}
sees own 'order && $1 >= 100'
sees rows 'paid && $1 >= 200'
sees rules '$1 < 50'
sees blocklet paid
sees ark paid
sees all 1
for name in own rows rules blocklet ark; do
  [ "$(cut -d' ' -f2,3 $name.log | sort -u)" = "1 own" ] || fail "$name: $(cut -d' ' -f2,3 $name.log | sort | uniq -c)"
done
[ "$(cut -d' ' -f2,3 all.log | sort -u)" = "1 app" ] || fail "all: $(cut -d' ' -f2,3 all.log | sort | uniq -c)"

# Rotation with an overlap: both secrets verify. Without: the new one alone.
rotate() { # NAME KEY OVERLAP: the endpoint's new secret is called KEY
  receiver "$1" standard "$2" "$(./hooktape endpoints rotate-secret "$(cat "$1.id")" --overlap "$3" --json 2>note | of secret)"
}
next() { # NAME N WANT: what it gets next verifies by these keys
  local before
  before=$(wc -l <"$1.log")
  emit order.paid "$2"
  until_lines $((before + 1)) "$1.log"
  got "$1" "$3"
}
rotate own second 1h
next own 301 own+second
rotate own third 0s
next own 302 third
receiver all standard later "$(./hooktape apps rotate-secret default --overlap 1h --json 2>note | of signing_secret)"
next all 303 app+later
receiver all standard last "$(curl -sS --fail "$api/apps/default/rotate-secret" --data '{"overlap_seconds":0}' | of signing_secret)"
next all 304 last

# An endpoint that fails is tried again, given up, disabled, and comes back.
mkdir status
until_status() { # NAME STATUS
  for _ in $(seq 300); do
    curl -sS --fail "$api/endpoints/$(cat "$1.id")" >endpoint.json
    [ "$(of status <endpoint.json)" = "$2" ] && return
    sleep 0.1
  done
  fail "$1 is not $2: $(cat endpoint.json)"
}
settled() { # wait until nothing is pending
  for _ in $(seq 300); do [ "$(curl -sS --fail "$api/status" | of pending)" = 0 ] && return; sleep 0.1; done
  fail "something stays pending: $(./hooktape attempts ls --status pending)"
}
counts() { # NAME SUCCEEDED FAILED: all who count agree
  local id status n ls http from
  id=$(cat "$1.id")
  [ "$(wc -l <"$1.log")" = $(($2 + $3)) ] || fail "$1 got $(wc -l <"$1.log") requests, want $(($2 + $3))"
  while read -r status n; do
    ls=$(./hooktape attempts ls --endpoint "$id" --status "$status" --json | wc -l)
    http=$(curl -sS --fail "$api/endpoints/$id/attempts?limit=500&status=$status" | of data.length)
    [ "$ls $http" = "$n $n" ] || fail "$1: attempts ls counts $ls $status, the API $http, want $n"
  done <<<"succeeded $2
failed $3
pending 0
skipped 0"
  curl -sS --fail "$api/endpoints/$id" >endpoint.json
  [ "$(of health.succeeded health.failed health.pending <endpoint.json)" = "$2 $3 0" ] || fail "$1: $(cat endpoint.json)"
  ./hooktape stats --endpoint "$id" --json >stats.json
  curl -sS --fail "$api/endpoints/$id/stats" >stats.http.json
  for from in stats.json stats.http.json; do
    [ "$(of attempts succeeded failed <$from)" = "$(($2 + $3)) $2 $3" ] || fail "$1: stats $(cat $from)"
  done
}
curl -sS --fail "$api/endpoints" --data '{"url":"'"$to"'/failing","subscriptions":[{"type":"fail.*"}],
  "retry":{"waits_ms":[200,300],"jitter":-1,"disable_after_exhausted":3}}' >made
of id <made >failing.id
receiver failing standard own "$(of secret <made)"
echo 500 >status/failing
for n in 401 402 403; do emit fail.now $n; done
until_status failing disabled
[[ $(of disabled_by disabled_reason <endpoint.json) = "system 3 deliveries"* ]] || fail "$(cat endpoint.json)"
counts failing 0 9
[ "$(cut -d' ' -f2-4 failing.log | sort | xargs)" = "$(for try in 1 2 3; do for n in 401 402 403; do echo $try own $n; done; done | xargs)" ] ||
  fail "failing got $(cat failing.log)"
[ "$(of exhausted <stats.json)" = 3 ] || fail "$(cat stats.json)"
emit fail.now 404 # which is not for who is disabled
rm status/failing
./hooktape endpoints reactivate "$(cat failing.id)" >/dev/null
emit fail.now 405
settled
[ "$(tail -1 failing.log | cut -d' ' -f2-4)" = "1 own 405" ] || fail "enabled again, failing got $(tail -1 failing.log)"
counts failing 1 9

# One that is gone is disabled at once.
endpoint gone standard --type leave
echo 410 >status/gone
emit leave 501
until_status gone disabled
[[ $(of disabled_reason <endpoint.json) = *410* ]] || fail "$(cat endpoint.json)"
emit leave 502
settled
[ "$(wc -l <all.log)" = 311 ] || fail "all got $(wc -l <all.log) requests, want 311"
counts gone 0 1

# All together: what receivers saw is what was counted.
requests=$(cat ./*.log | grep -c '^evt_')
./hooktape stats --json >stats.json
[ "$(of events attempts <stats.json)" = "311 $requests" ] || fail "$(cat stats.json)"
kill -INT $hooktape
code=0; wait $hooktape || code=$?
[ $code = 130 ] || fail "hooktape ended with $code: $(cat hooktape.err)"
echo "gateway: ok: $requests requests about 311 events, verified by standardwebhooks, Blocklet's way and ARK's ($SECONDS s)"
