#!/usr/bin/env bash
# The clients that other systems have published, unmodified, with hooktape in
# place of their servers: every operation, and every delivery verified as its
# system tells receivers to.
#
#   bash testdata/real/dialects.sh [NAME…]   skips, loudly, when a tool or npm is not to be had
#   REAL=required bash …/dialects.sh         fails instead
set -euo pipefail
play=dialects
. "$(dirname "$0")/stage.sh"
tools node npm
cp "$here"/dialects/* "$work"
cp -r "$here"/../../relay/api "$work"/modules   # the JavaScript modules that ship with hooktape
install --ignore-scripts @abtnode/client@1.16.48 @blocklet/server-js@1.17.12 @arkecosystem/client@0.1.25 \
  @wacht/backend@1.0.0-beta.20 standardwebhooks@1.1.1 ductape-sdk@1.0.19

export HOOKTAPE_STORE=$work/store XDG_CONFIG_HOME=$work/config NODE_ENV=test
unset WACHT_API_KEY   # nothing may fall back to a vendor's own address
for script in ${@:-$(cd "$here"/dialects && ls ./*.test.mjs | sed 's|./||; s|.test.mjs||')}; do
  node "$script.test.mjs" >"$script.out" 2>&1 || { cat "$script.out" >&2; fail "$script"; }
  tail -1 "$script.out"
done
echo "dialects: ok ($SECONDS s)"
