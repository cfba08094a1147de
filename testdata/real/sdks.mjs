// Handlers as their owners have them, each verified by its provider's own SDK.
//
//   secret   what hooktape knows: of a key pair the private key
//   app      a handler for Node's http that reads, judges and answers, or else
//   accepts  whether the SDK believes {body, headers, url}: false or a throw is
//            a 401, an object is answered as JSON, all else is a 200
//   body     what is sent to be caught; there is a plum in what the SDK signs
//   signs    its headers at a time in seconds, by the SDK where that can sign;
//            [headers, body] where the body is changed by it
//   clock    the SDK refuses what is a day old
//   patient  and believes what is of tomorrow, which hooktape does not
//   sample   the headers of a sample of ours, where there is none in the catalog
//   spares   what may be done to a body in transit without its being noticed,
//            for the SDK does not sign it
import crypto from 'node:crypto'
import adyenHMAC from '@adyen/api-library/lib/src/utils/hmacValidator.js'
import { Signature as HubSpot } from '@hubspot/api-client'
import { middleware as line } from '@line/bot-sdk'
import { LinearWebhookClient as Linear } from '@linear/sdk/webhooks'
import Mux from '@mux/mux-node'
import { Webhooks as GitHub, createNodeMiddleware } from '@octokit/webhooks'
import { Paddle } from '@paddle/paddle-node-sdk'
import sendgrid from '@sendgrid/eventwebhook'
import { assertValidSignature as sanity } from '@sanity/webhook'
import '@shopify/shopify-api/adapters/node'
import { ApiVersion, shopifyApi } from '@shopify/shopify-api'
import bolt from '@slack/bolt'
import box from 'box-node-sdk'
import coinbase from 'coinbase-commerce-node'
import { verifyKey } from 'discord-interactions'
import * as goCardless from 'gocardless-nodejs/webhooks'
import { Bot, webhookCallback } from 'grammy'
import Pusher from 'pusher'
import razorpay from 'razorpay'
import { WebhooksHelper as Square } from 'square'
import { Webhook as Standard } from 'standardwebhooks'
import Stripe from 'stripe'
import { Webhook as Svix } from 'svix'
import twilio from 'twilio'

// Keys are the same each time, so that whoever starts hooktape has them too.
const seed = (name) => crypto.createHash('sha256').update(`of a test: ${name}`).digest()
const whsec = (name) => 'whsec_' + seed(name).toString('base64')
const text = (name) => 'obviously-fake-' + seed(name).toString('hex')
const mac = (secret, message, encoding, hash = 'sha256') => crypto.createHmac(hash, secret).update(message).digest(encoding)

const ed = crypto.createPrivateKey({ key: Buffer.concat([Buffer.from('302e020100300506032b657004220420', 'hex'), seed('discord')]), format: 'der', type: 'pkcs8' })
const edPublic = Buffer.from(crypto.createPublicKey(ed).export({ format: 'jwk' }).x, 'base64url')
const point = crypto.createECDH('prime256v1')
point.setPrivateKey(seed('sendgrid'))
const ec = crypto.createPrivateKey({ format: 'jwk', key: {
  kty: 'EC', crv: 'P-256', d: point.getPrivateKey('base64url'),
  x: point.getPublicKey().subarray(1, 33).toString('base64url'), y: point.getPublicKey().subarray(33).toString('base64url') } })
const ecPublic = crypto.createPublicKey(ec).export({ type: 'spki', format: 'der' }).toString('base64')

const json = { 'Content-Type': 'application/json' }
const order = { id: 'evt_1', type: 'order.paid', created: 1795300000, data: { jars: 2, note: 'Fig & plum jam, 4.50 €', paid: true } }

// By the scheme of Standard Webhooks, with the headers of one family.
const standard = (name, Webhook, family, body) => {
  const secret = whsec(name)
  return {
    secret, clock: true, body: JSON.stringify(body),
    accepts: ({ body, headers }) => new Webhook(secret).verify(body, headers),
    signs: (body, at) => ({ ...json, [`${family}-id`]: 'msg_1', [`${family}-timestamp`]: at,
      [`${family}-signature`]: new Webhook(secret).sign('msg_1', new Date(at * 1000), body) }),
  }
}

const stripe = new Stripe('sk_test_none')
const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const github = new GitHub({ secret: text('github'), log: quiet })
const receiver = new bolt.HTTPReceiver({ signingSecret: text('slack'), logLevel: bolt.LogLevel.ERROR })
const slack = new bolt.App({ receiver, authorize: async () => ({ botToken: 'none', botId: 'B1', botUserId: 'U1' }) })
slack.use(async ({ ack, next }) => { await ack?.(); await next() })
slack.error(async () => {})
const shopify = shopifyApi({ apiKey: 'none', apiSecretKey: text('shopify'), hostName: 'larder.example.com', apiVersion: ApiVersion.July25,
  isEmbeddedApp: true, logger: { level: 0 } })
const linear = new Linear(text('linear')).createHandler()
const forLine = line({ channelSecret: text('line') })
const paddle = new Paddle('none')
const adyen = new adyenHMAC.default()
const adyenKey = seed('adyen').toString('hex').toUpperCase()
const mux = new Mux({ tokenId: 'none', tokenSecret: 'none' })
const pusher = new Pusher({ appId: '1', key: 'plum', secret: text('pusher'), cluster: 'eu' })
const bot = new Bot('1:none', { botInfo: { id: 1, is_bot: true, first_name: 'none', username: 'none_bot' } })
const receivesMail = new sendgrid.EventWebhook()

export const sdks = {
  stripe: {
    secret: whsec('stripe'), clock: true, body: JSON.stringify(order),
    accepts: ({ body, headers }) => stripe.webhooks.constructEvent(body, headers['stripe-signature'], sdks.stripe.secret),
    signs: (body, at) => ({ ...json, 'Stripe-Signature': stripe.webhooks.generateTestHeaderString({ payload: body, secret: sdks.stripe.secret, timestamp: at }) }),
  },
  github: {
    secret: text('github'), body: JSON.stringify({ zen: 'No plum is an island.', hook_id: 1 }),
    app: createNodeMiddleware(github, { path: '/github', log: quiet }),
    signs: async (body) => ({ ...json, 'X-GitHub-Event': 'ping', 'X-GitHub-Delivery': crypto.randomUUID(), 'X-Hub-Signature-256': await github.sign(body) }),
  },
  'standard-webhooks': standard('standard-webhooks', Standard, 'webhook', order),
  svix: standard('svix', Svix, 'svix', order),
  clerk: standard('clerk', Svix, 'svix', { object: 'event', type: 'user.created', instance_id: 'ins_1', data: { id: 'user_plum' } }),
  resend: standard('resend', Svix, 'svix', { type: 'email.bounced', created_at: '2026-11-22T09:11:40Z', data: { email_id: 'plum' } }),
  slack: {
    secret: text('slack'), clock: true, patient: true, // its documentation is not
    body: JSON.stringify({ type: 'event_callback', team_id: 'T1', event_id: 'Ev1', event: { type: 'reaction_added', user: 'U1', reaction: 'plum' } }),
    app: (req, res) => { req.url = '/slack/events'; receiver.requestListener(req, res) },
    signs: (body, at) => ({ ...json, 'X-Slack-Request-Timestamp': at, 'X-Slack-Signature': 'v0=' + mac(sdks.slack.secret, `v0:${at}:${body}`, 'hex') }),
  },
  shopify: {
    secret: text('shopify'), body: JSON.stringify(order),
    accepts: async ({ body, req, res }) => (await shopify.webhooks.validate({ rawBody: body, rawRequest: req, rawResponse: res })).valid,
    signs: (body) => ({ ...json, 'X-Shopify-Topic': 'orders/paid', 'X-Shopify-API-Version': '2025-07', 'X-Shopify-Shop-Domain': 'larder-example.myshopify.com',
      'X-Shopify-Webhook-Id': crypto.randomUUID(), 'X-Shopify-Hmac-Sha256': mac(sdks.shopify.secret, body, 'base64') }),
  },
  square: {
    secret: text('square'), body: JSON.stringify(order),
    accepts: ({ body, headers, url }) => Square.verifySignature({ requestBody: body, signatureKey: sdks.square.secret, notificationUrl: url,
      signatureHeader: headers['x-square-hmacsha256-signature'] }),
    signs: (body, at, url) => ({ ...json, 'x-square-hmacsha256-signature': mac(sdks.square.secret, url + body, 'base64') }),
  },
  twilio: {
    secret: text('twilio'), body: 'Body=Two+plums+%26+a+lid&From=%2B15005550006&To=%2B15005550010', spares: ['rewritten'],
    accepts: ({ body, headers, url }) => url.includes('bodySHA256')
      ? twilio.validateRequestWithBody(sdks.twilio.secret, headers['x-twilio-signature'], url, body)
      : twilio.validateRequest(sdks.twilio.secret, headers['x-twilio-signature'], url, Object.fromEntries(new URLSearchParams(body))),
    signs: (body, at, url) => ({ 'Content-Type': 'application/x-www-form-urlencoded',
      'X-Twilio-Signature': twilio.getExpectedTwilioSignature(sdks.twilio.secret, url, Object.fromEntries(new URLSearchParams(body))) }),
  },
  sendgrid: {
    secret: ec.export({ type: 'pkcs8', format: 'der' }).toString('base64'),
    body: JSON.stringify([{ email: 'ada@example.com', event: 'open', sg_event_id: 'plum', timestamp: 1795300000 }]) + '\r\n', // as SendGrid ends them
    accepts: ({ body, headers }) => receivesMail.verifySignature(receivesMail.convertPublicKeyToECDSA(ecPublic), body,
      headers['x-twilio-email-event-webhook-signature'], headers['x-twilio-email-event-webhook-timestamp']),
    signs: (body, at) => ({ ...json, 'X-Twilio-Email-Event-Webhook-Timestamp': at,
      'X-Twilio-Email-Event-Webhook-Signature': crypto.sign('sha256', Buffer.from(at + body), ec).toString('base64') }),
  },
  discord: {
    secret: seed('discord').toString('hex') + edPublic.toString('hex'), body: JSON.stringify({ type: 2, id: '1', data: { name: 'plum' } }),
    async accepts({ body, headers }) {
      if (!await verifyKey(body, headers['x-signature-ed25519'], headers['x-signature-timestamp'], edPublic.toString('hex'))) return false
      const { type, event } = JSON.parse(body)
      return type === 0 || event ? { status: 204 } : { type: type === 1 ? 1 : 5 }
    },
    signs: (body, at) => ({ ...json, 'X-Signature-Timestamp': at, 'X-Signature-Ed25519': crypto.sign(null, Buffer.from(at + body), ed).toString('hex') }),
  },
  linear: {
    secret: text('linear'), clock: true,
    body: JSON.stringify({ action: 'create', type: 'Issue', data: { title: 'No plum' }, webhookTimestamp: 0 }),
    app: linear,
    signs(body, at) {
      body = body.replace(/("webhookTimestamp":)\d+/, `$1${at * 1000}`)
      return [{ ...json, 'Linear-Event': 'Issue', 'Linear-Delivery': crypto.randomUUID(), 'Linear-Signature': mac(sdks.linear.secret, body, 'hex') }, body]
    },
  },
  paddle: {
    secret: 'pdl_ntfset_' + text('paddle'), clock: true,
    body: JSON.stringify({ event_id: 'evt_1', event_type: 'jar.sealed', occurred_at: '2026-11-22T09:11:40Z', data: { fruit: 'plum' } }),
    accepts: ({ body, headers }) => paddle.webhooks.unmarshal(body, sdks.paddle.secret, headers['paddle-signature'] ?? ''),
    signs: (body, at) => ({ ...json, 'Paddle-Signature': `ts=${at};h1=` + mac(sdks.paddle.secret, `${at}:${body}`, 'hex') }),
  },
  adyen: {
    secret: adyenKey, spares: ['rewritten', 'newline'],
    body: JSON.stringify({ live: 'false', notificationItems: [{ NotificationRequestItem: { additionalData: {}, amount: { value: 450, currency: 'EUR' },
      eventCode: 'AUTHORISATION', merchantAccountCode: 'LarderECOM', merchantReference: 'plum:1', pspReference: 'P1', success: 'true' } }] }),
    accepts: ({ body }) => JSON.parse(body).notificationItems.every(({ NotificationRequestItem: item }) => adyen.validateHMAC(item, adyenKey)),
    signs(body) {
      const all = JSON.parse(body)
      for (const { NotificationRequestItem: item } of all.notificationItems) item.additionalData.hmacSignature = adyen.calculateHmac(item, adyenKey)
      return [json, JSON.stringify(all)]
    },
  },
  hubspot: {
    secret: text('hubspot'), clock: true,
    body: JSON.stringify([{ eventId: 1, subscriptionType: 'contact.creation', source: 'plum', objectId: 2, occurredAt: 1795300000000 }]),
    accepts: ({ body, headers, url }) => HubSpot.isValid({ method: 'POST', signatureVersion: 'v3', clientSecret: sdks.hubspot.secret, url,
      requestBody: body, signature: headers['x-hubspot-signature-v3'], timestamp: headers['x-hubspot-request-timestamp'] }),
    signs: (body, at, url) => ({ ...json, 'X-HubSpot-Request-Timestamp': at * 1000,
      'X-HubSpot-Signature-v3': HubSpot.getSignature('POST', 'v3', { url, requestBody: body, timestamp: at * 1000, clientSecret: sdks.hubspot.secret }) }),
  },
  line: {
    secret: text('line'), body: JSON.stringify({ destination: 'plum', events: [] }),
    app: (req, res) => forLine(req, res, (err) => res.writeHead(err ? 401 : 200).end()),
    signs: (body) => ({ ...json, 'X-Line-Signature': mac(sdks.line.secret, body, 'base64') }),
  },
  mux: {
    secret: text('mux'), clock: true, sample: {},
    body: JSON.stringify({ type: 'video.asset.ready', id: '1', data: { playback: 'plum' } }),
    accepts: ({ body, headers }) => mux.webhooks.verifySignature(body, headers, sdks.mux.secret),
    signs: (body, at) => ({ ...json, 'Mux-Signature': `t=${at},v1=` + mac(sdks.mux.secret, `${at}.${body}`, 'hex') }),
  },
  razorpay: {
    secret: text('razorpay'), sample: {}, body: JSON.stringify({ entity: 'event', event: 'payment.captured', contains: ['plum'] }),
    accepts: ({ body, headers }) => razorpay.validateWebhookSignature(body, headers['x-razorpay-signature'], sdks.razorpay.secret),
    signs: (body) => ({ ...json, 'X-Razorpay-Signature': mac(sdks.razorpay.secret, body, 'hex') }),
  },
  gocardless: {
    secret: text('gocardless'), sample: {},
    body: JSON.stringify({ events: [{ id: 'EV1', resource_type: 'payments', action: 'confirmed', details: { cause: 'plum' } }], meta: { webhook_id: 'WB1' } }),
    accepts: ({ body, headers }) => goCardless.parse(body, sdks.gocardless.secret, headers['webhook-signature']),
    signs: (body) => ({ ...json, 'Webhook-Signature': mac(sdks.gocardless.secret, body, 'hex') }),
  },
  'coinbase-commerce': {
    secret: text('coinbase'), sample: {}, body: JSON.stringify({ id: 1, event: { id: 'c1', type: 'charge:confirmed', data: { name: 'plum' } } }),
    accepts: ({ body, headers }) => coinbase.Webhook.verifyEventBody(body, headers['x-cc-webhook-signature'], sdks['coinbase-commerce'].secret),
    signs: (body) => ({ ...json, 'X-CC-Webhook-Signature': mac(sdks['coinbase-commerce'].secret, body, 'hex') }),
  },
  sanity: {
    secret: text('sanity'), sample: { 'sanity-operation': 'create' }, body: JSON.stringify({ _id: 'plum', _type: 'jar' }),
    accepts: ({ body, headers }) => sanity(body, headers['sanity-webhook-signature'], sdks.sanity.secret),
    signs: (body, at) => ({ ...json, 'sanity-operation': 'create', 'idempotency-key': '1',
      'sanity-webhook-signature': `t=${at * 1000},v1=` + mac(sdks.sanity.secret, `${at * 1000}.${body}`, 'base64url') }),
  },
  box: {
    secret: text('box'), clock: true, sample: { 'BOX-DELIVERY-ID': '{{uuid}}' },
    body: JSON.stringify({ type: 'webhook_event', id: '1', trigger: 'FILE.UPLOADED', source: { name: 'plum' } }),
    accepts: ({ body, headers }) => box.validateWebhookMessage(body, headers, sdks.box.secret, null),
    signs(body, at) {
      const stamp = new Date(at * 1000).toISOString()
      return { ...json, 'BOX-DELIVERY-ID': crypto.randomUUID(), 'BOX-DELIVERY-TIMESTAMP': stamp, 'BOX-SIGNATURE-VERSION': '1',
        'BOX-SIGNATURE-ALGORITHM': 'HmacSHA256', 'BOX-SIGNATURE-PRIMARY': mac(sdks.box.secret, body + stamp, 'base64') }
    },
  },
  pusher: {
    secret: text('pusher'), sample: { 'X-Pusher-Key': 'plum' }, body: JSON.stringify({ time_ms: 1795300000000, events: [{ name: 'channel_occupied', channel: 'plum' }] }),
    accepts: ({ body, headers }) => pusher.webhook({ headers, rawBody: body }).isValid(),
    signs: (body) => ({ ...json, 'X-Pusher-Key': 'plum', 'X-Pusher-Signature': mac(sdks.pusher.secret, body, 'hex') }),
  },
  telegram: { // which does not sign the body
    secret: text('telegram'), spares: ['newline', 'rewritten', 'another'], body: JSON.stringify({ update_id: 1, message: { message_id: 1, date: 1795300000,
      chat: { id: 1, type: 'private', first_name: 'Ada' }, text: 'plum' } }),
    app: webhookCallback(bot, 'http', { secretToken: text('telegram') }),
    signs: () => ({ ...json, 'X-Telegram-Bot-Api-Secret-Token': sdks.telegram.secret }),
  },
  // Without an SDK, for its challenge: as its documentation has it.
  zoom: {
    secret: text('zoom'),
    body: JSON.stringify({ event: 'meeting.started', event_ts: 1795300000000, payload: { object: { id: 'plum' } } }),
    accepts({ body, headers }) {
      if (headers['x-zm-signature'] !== 'v0=' + mac(sdks.zoom.secret, `v0:${headers['x-zm-request-timestamp']}:${body}`, 'hex')) return false
      const { event, payload: { plainToken } } = JSON.parse(body)
      return event !== 'endpoint.url_validation' || { plainToken, encryptedToken: mac(sdks.zoom.secret, plainToken, 'hex') }
    },
    signs: (body, at) => ({ ...json, 'x-zm-request-timestamp': at, 'x-zm-signature': 'v0=' + mac(sdks.zoom.secret, `v0:${at}:${body}`, 'hex') }),
  },
}
