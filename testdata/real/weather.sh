#!/usr/bin/env bash
# A relay, its senders and a listener, each on a machine of its own as far as
# the network is concerned: three namespaces at a bridge. Under load cables are
# pulled, and both programs are killed, for half a minute; packets are then
# really lost, and nobody is told. In the end whatever the relay acknowledged
# must be at the relay, at the listener and at the app.
#
#   bash testdata/real/weather.sh         skips, loudly, where namespaces cannot be made
#   REAL=required bash …/weather.sh       fails instead
#   SECONDS_OF_WEATHER=300 bash …         for longer
set -euo pipefail
play=weather
. "$(dirname "$0")/stage.sh"
tools ip
for_seconds=${SECONDS_OF_WEATHER:-30}

# The namespaces are named after this process: others may run beside it.
net=ht$$
pull_down() {
  for ns in relay sender listener; do ip netns del "$net-$ns" 2>/dev/null || true; done
  ip link del "$net" 2>/dev/null || true
}
trap 'end; pull_down' EXIT
ip link add "$net" type bridge 2>/dev/null && ip link set "$net" up || skip "no bridge can be made (that needs root)"
n=0
for ns in relay sender listener; do
  n=$((n + 1))
  ip netns add "$net-$ns" 2>/dev/null || skip "no network namespace can be made"
  ip link add "$net-$n" type veth peer name eth0 netns "$net-$ns" || skip "no veth pair can be made"
  ip link set "$net-$n" master "$net" up
  ip -n "$net-$ns" addr add "10.213.7.$n/24" dev eth0
  ip -n "$net-$ns" link set eth0 up
  ip -n "$net-$ns" link set lo up
done
in_ns() { # NAME CMD…: runs CMD in place of the subshell it is called in
  local ns=$1
  shift
  HOME=$work/home XDG_CONFIG_HOME=$work/home XDG_DATA_HOME=$work/home NO_PROXY='*' exec ip netns exec "$net-$ns" "$@"
}
slowest=0 # to come back, in ms
pull() { # N: the cable of the relay (1) or the listener (3), for longer than it takes to notice
  local back
  ip link set "$net-$1" down
  sleep 3
  back=$(grep -c '"type":"reconnected"' listener.out || true)
  ip link set "$net-$1" up
  local began=${EPOCHREALTIME/./}
  for _ in $(seq 1000); do
    [ "$(grep -c '"type":"reconnected"' listener.out || true)" -gt "$back" ] && break
    sleep 0.01
  done
  local took=$(((${EPOCHREALTIME/./} - began) / 1000))
  slowest=$((took > slowest ? took : slowest))
}
kill9() { # PID…
  kill -9 "$@"
  { wait "$@"; } 2>/dev/null || true
}

(cd "$here/../.." && go build -o "$work/storm" testdata/real/storm.go)
(in_ns listener ./storm app 127.0.0.1:3000 app.log) 2>app.err & pids+=($!)
mkdir home
relay() {
  rm -f relay.ready
  (in_ns relay ./hooktape relay --listen 10.213.7.1:8080 --store relay --heartbeat 1s --json --ready-file relay.ready >>relay.out 2>>relay.err) & relay=$!
  pids+=($relay)
  until_file relay.ready
}
listener() {
  (in_ns listener ./hooktape listen 3000 --relay http://10.213.7.1:8080 --token "$token" --store listener --heartbeat 1s --backoff 100ms \
    --json --api 127.0.0.1:0 >>listener.out 2>>listener.err) & listener=$!
  pids+=($listener)
}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

relay
token=$(member token <relay.ready)
to=$(member ingest <relay.ready)
[ -n "$token" ] || fail "no token in $(cat relay.ready)"
listener
(in_ns sender ./storm send "$to/storm" sent.log stop) 2>sender.err & sender=$!
pids+=($sender)

calm() { sleep "$(awk -v seed=$RANDOM 'BEGIN { srand(seed); print 0.5 + 1.5 * rand() }')"; }
round=0
until [ "$SECONDS" -ge "$for_seconds" ]; do
  calm
  case $((round % 6)) in
  0) echo "the listener's cable is pulled" && pull 3 ;;
  1) echo "the relay is killed" && kill9 $relay && calm && relay ;;
  2) echo "the listener is killed" && kill9 $listener && calm && listener ;;
  3) echo "the relay's cable is pulled" && pull 1 ;;
  4) echo "both are killed" && kill9 $relay $listener && calm && relay && listener ;;
  5) echo "the relay is told to end" && kill -TERM $relay && { wait $relay || true; } && relay ;;
  esac
  round=$((round + 1))
done
touch stop
wait $sender || fail "the sender: $(cat sender.err)"

# Stubs of webhooks that broke off are not acknowledged and not delivered.
ids() { "./hooktape" events ls --store "$1" --filter '!is:refused' --json 2>>ls.err | member id | sort; }
awk '$2 != "" { print $2 }' sent.log | sort >acked
for _ in $(seq 600); do # until all has come
  cut -d' ' -f1 app.log | sort -u >came
  [ -z "$(comm -23 acked came)" ] && break
  sleep 0.1
done
ids relay >at.relay
for _ in $(seq 100); do
  ids listener >at.listener
  cut -d' ' -f1 app.log | sort >arrived
  sort -u arrived >came
  [ -z "$(comm -23 at.relay at.listener)" ] && [ -z "$(comm -23 at.relay came)" ] && break
  sleep 0.1
done
count() { wc -l | tr -d ' '; }
sort -u acked at.relay >due
sort -u at.listener >kept
lost=$({ comm -23 acked at.relay; comm -23 due kept; comm -23 due came; } | sort -u | count)
kept_twice=$(($(wc -l <at.listener) - $(wc -l <kept)))
# First arrivals of what was acknowledged, in each sender's order.
overtaken=$(awk 'NR == FNR { if ($2 != "") { split($1, w, "."); sender[$2] = w[1]; n[$2] = w[2] } next }
  ($1 in n) && !seen[$1]++ { s = sender[$1]; if (n[$1] + 0 < top[s] + 0) late++; else top[s] = n[$1] } END { print late + 0 }' sent.log app.log)
cat <<END

weather: $round blows in $SECONDS s
  sent                  $(wc -l <sent.log)
  acknowledged          $(wc -l <acked)
  kept at the relay     $(wc -l <at.relay)
  kept at the listener  $(wc -l <at.listener)
  arrived at the app    $(wc -l <came)
  lost                  $lost
  kept twice            $kept_twice
  duplicated at the app $(($(wc -l <arrived) - $(wc -l <came)))
  out of order          $overtaken
  gaps, outages         $(grep -c '"type":"gap"' listener.out), $(grep -c '"type":"disconnected"' listener.out)
  back with the cable   within $slowest ms
END
[ "$(wc -l <acked)" -ge 100 ] || fail "hardly anything was acknowledged: $(tail -n 3 relay.err sender.err)"
[ "$lost $kept_twice $overtaken" = "0 0 0" ] && echo "weather: ok" && exit
for id in $(comm -23 due came | head -3); do # what became of it, and what the listener does instead
  "./hooktape" attempts ls --store listener --event "$id" --json
done
kill -QUIT $listener && { wait $listener || true; }
for log in relay.err sender.err listener.err; do tail -n 300 $log; done
fail "see above"
