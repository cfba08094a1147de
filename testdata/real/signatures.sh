#!/usr/bin/env bash
# What hooktape signs and judges, held against the providers' own SDKs: handlers
# that verify with them are sent every sample, signed, forged and unsigned, and
# what they were sent is caught, spoilt, kept for a day and sent again.
# Whatever the SDK says, hooktape must have said.
#
#   bash testdata/real/signatures.sh         skips, loudly, when a tool or npm is not to be had
#   REAL=required bash …/signatures.sh       fails instead
set -euo pipefail
play=signatures
. "$(dirname "$0")/stage.sh"
tools node npm
install stripe@22.6.2 @octokit/webhooks@13.9.1 standardwebhooks@1.1.1 svix@1.99.1 @slack/bolt@4.7.3 @shopify/shopify-api@11.14.1 \
  square@43.2.1 twilio@5.13.1 @sendgrid/eventwebhook@8.0.0 discord-interactions@4.4.0 @linear/sdk@60.0.1 \
  @paddle/paddle-node-sdk@3.10.0 @adyen/api-library@30.1.0 @hubspot/api-client@13.5.0 @line/bot-sdk@10.8.0 \
  @mux/mux-node@15.3.0 razorpay@2.9.8 gocardless-nodejs@10.1.2 coinbase-commerce-node@1.0.4 @sanity/webhook@4.0.4 \
  pusher@5.3.4 box-node-sdk@3.8.2 grammy@1.46.0

export HOOKTAPE_STORE=$work/store XDG_CONFIG_HOME=$work/config
node signatures.mjs secrets
HOOKTAPE_SECRET_STRIPE=$(cat stripe.secret) ./hooktape listen --json --ingest 127.0.0.1:0 --api 127.0.0.1:0 \
  --ready-file ready >hooktape.out 2>hooktape.err & hooktape=$!
pids+=($hooktape)
until_file ready
./hooktape apps update default --secret github=@github.secret >/dev/null
node signatures.mjs >checks || { cat checks hooktape.err >&2; fail "what hooktape says is not what the SDKs say"; }
head -n -1 checks
kill -INT $hooktape
code=0; wait $hooktape || code=$?
[ $code = 130 ] || fail "hooktape ended with $code: $(cat hooktape.err)"
echo "signatures: ok: $(tail -1 checks) against 23 SDKs ($SECONDS s)"
