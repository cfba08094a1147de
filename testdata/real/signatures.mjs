// Puts hooktape between senders of webhooks and the handlers of sdks.mjs, and
// holds what it does and says against what the providers' SDKs say.
//
//   node signatures.mjs secrets     writes hooktape.yaml, stripe.secret and github.secret
//   node signatures.mjs             the checks, with hooktape listening by ./ready
import assert from 'node:assert'
import crypto from 'node:crypto'
import { execFile } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import twilio from 'twilio'
import { sdks } from './sdks.mjs'

if (process.argv[2] === 'secrets') {
  const secrets = Object.fromEntries(Object.entries(sdks).map(([name, { secret }]) => [name, secret]))
  for (const name of ['stripe', 'github']) { // told in other ways
    fs.writeFileSync(`${name}.secret`, secrets[name])
    delete secrets[name]
  }
  fs.writeFileSync('hooktape.yaml', JSON.stringify({ secrets })) // JSON is YAML
  process.exit()
}

process.on('uncaughtException', (err) => {
  console.error(`signatures: FAIL: ${err.code === 'ERR_ASSERTION' ? err.message : err.stack}`)
  process.exit(1)
})

// What the handlers answered since somebody asked: "stripe 200".
const seen = []
const answers = () => seen.splice(0).join(', ')
const ready = JSON.parse(fs.readFileSync('ready'))

// /NAME is a handler that goes by the URL that it was called at, /public/NAME
// by the one that its provider knows; /silent/NAME believes everything.
const server = http.createServer(async (req, res) => {
  let [, where, name] = /^(?:\/(public|silent))?\/([^/?]+)/.exec(req.url) ?? []
  const { end } = res
  res.end = (...last) => { // before hooktape can have the answer
    seen.push(`${name} ${res.statusCode}`)
    return end.apply(res, last)
  }
  if (where === 'silent') return res.end()
  if (!sdks[name]) return res.writeHead(404).end()
  const at = where ? ready.ingest : `http://${req.headers.host}`
  if (where) req.url = req.url.slice('/public'.length)
  const url = at + req.url
  const { app, accepts } = sdks[name]
  if (app) return app(req, res)
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  let said
  try {
    said = await accepts({ body: Buffer.concat(chunks).toString(), headers: req.headers, url, req, res })
  } catch { said = false }
  if (said === false) return res.writeHead(401).end('not by this SDK')
  if (said?.status) return res.writeHead(said.status, { 'Content-Type': 'application/json' }).end()
  res.writeHead(200, { 'Content-Type': 'application/json' }).end(typeof said === 'object' ? JSON.stringify(said) : '{}')
})
await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
const to = `http://127.0.0.1:${server.address().port}`

// hooktape runs a command: how it ended, its records and what it told people.
function hooktape(...args) {
  return new Promise((ended) => execFile('./hooktape', [...args, '--json'], { timeout: 60e3 }, (err, stdout, stderr) =>
    ended({ code: err ? err.code ?? err.signal : 0, stderr, records: stdout.trim().split('\n').filter(Boolean).map((line) => JSON.parse(line)) })))
}

const now = () => Math.floor(Date.now() / 1000)
let checks = 0
function check(what, got, want) {
  checks++
  assert.deepEqual(got, want, `${what}: got ${JSON.stringify(got)}, want ${JSON.stringify(want)}`)
}
async function sends(what, code, status, ...args) {
  const ran = await hooktape(...args)
  check(`${what}: hooktape ${args.join(' ')}\n${ran.stderr}`, [ran.code, answers()], [code, status])
  return ran
}

// catches has hooktape listen catch a webhook.
async function catches(name, headers, body, path = '') {
  const res = await fetch(`${ready.ingest}/${name}${path}`, { method: 'POST', headers, body })
  check(`${name} is taken`, res.status, 202)
  return (await res.json()).id
}
async function signed(name, at = now()) {
  const { body, signs } = sdks[name]
  const made = await signs(body, at, `${ready.ingest}/${name}`)
  return Array.isArray(made) ? made : [made, body]
}
async function verdict(what, id, want, ...flags) {
  const { code, stderr, records: [v = { detail: stderr }] } = await hooktape('events', 'verify', id, ...flags)
  check(`${what}: ${v.detail}`, [v.verdict, v.cause ?? '', code], [...want, want[0] === 'valid' ? 0 : 3])
}

// All samples of a provider are believed, one that is forged or unsigned is not.
const types = (await hooktape('types', 'ls')).records.map((t) => t.tag)
const challenges = ['slack:url_verification', 'zoom:endpoint.url_validation', 'discord:PING', 'discord:webhook-ping']
const believed = (tag) => tag === 'discord:APPLICATION_AUTHORIZED' ? 'discord 204' : tag.split(':')[0] + ' 200'
async function triggers(name) {
  const tags = types.filter((tag) => tag.startsWith(`${name}:`) && !challenges.includes(tag))
  const { sample, body } = sdks[name]
  if (sample) {
    tags.push(`${name}:plum`)
    check(`a sample of ${name}`, (await hooktape('types', 'create', tags[0], '--sample', JSON.stringify({ headers: sample, body: JSON.parse(body) }))).code, 0)
  }
  assert(tags.length > 0, `no samples for ${name}`)
  for (const tag of tags) {
    const { records } = await sends(tag, 0, believed(tag), 'trigger', tag, '--to', `${to}/${name}`)
    check(`${tag} is signed`, records[0].event.signature.verdict, 'valid')
  }
  for (const how of ['--forged', '--unsigned']) {
    const ran = await hooktape('trigger', tags[0], '--to', `${to}/${name}`, how)
    const answer = answers()
    assert.match(answer, /^\S+ 40[01]$/, `${tags[0]} ${how} is answered ${answer}`)
    check(`${tags[0]} ${how}`, [ran.code, ran.records.at(-1).attempt.status], [1, 'failed'])
  }
  return tags.length
}

// What somebody does to a body on its way.
const spoilt = {
  newline: ['trailing_newline', (body) => body + '\n'],
  rewritten: ['body_reserialised', (body) => body[0] === '{' || body[0] === '[' ? JSON.stringify(JSON.parse(body), null, 2) : body.replaceAll('+', '%20')],
  another: ['no_match', (body) => body.replace('plum', 'fig')],
}
async function judges(name) {
  const [headers, body] = await signed(name)
  const id = await catches(name, headers, body)
  await verdict(`${name}, as it was sent`, id, ['valid', ''])
  await verdict(`${name}, with the secret given`, id, ['valid', ''], '--secret', sdks[name].secret)
  for (const as of ['original', 'retry', 'new']) await sends(`${name} again`, 0, `${name} 200`, 'replay', id, '--to', `${to}/public`, '--as', as)
  for (const [how, [cause, spoil]] of Object.entries(spoilt)) {
    const spared = sdks[name].spares?.includes(how)
    const id = await catches(name, headers, spoil(body))
    await verdict(`${name}, ${how}`, id, spared ? ['valid', ''] : ['invalid', cause])
    const ran = await hooktape('replay', id, '--to', `${to}/public`, '--as', 'original')
    const answer = answers()
    assert.match(answer, spared ? /^\S+ 200$/ : /^\S+ 40[01]$/, `${name}, ${how}, is answered ${answer}`)
    check(`${name}, ${how}, again`, ran.code, spared ? 0 : 1)
    if (!spared) assert.match(ran.stderr, /invalid/, 'and nobody is told beforehand')
  }
}

// A capture of yesterday.
async function ages(name) {
  const at = now() - 86400
  const id = await catches(name, ...await signed(name, at))
  await verdict(`${name} of yesterday`, id, ['stale', 'stale'])
  await verdict(`${name} of yesterday, then`, id, ['valid', ''], '--at', new Date(at * 1000).toISOString())
  const ran = await hooktape('replay', id, '--to', `${to}/public`, '--as', 'original')
  const answer = answers()
  assert.match(answer, /^\S+ 40[01]$/, `${name} of yesterday is answered ${answer}`)
  check(`${name} of yesterday, as it was`, ran.code, 1)
  assert.match(ran.stderr, /stale by now: made 1 d\b/, 'hooktape replay does not say so beforehand')
  for (const as of [[], ['--as', 'retry'], ['--as', 'new'], ['--resign']]) {
    await sends(`${name} of yesterday, today`, 0, `${name} 200`, 'replay', id, '--to', `${to}/public`, ...as)
  }
}

// A capture of tomorrow is believed by an SDK, or is not, as hooktape says.
async function hurries(name) {
  const id = await catches(name, ...await signed(name, now() + 86400))
  const { records: [v] } = await hooktape('events', 'verify', id)
  const ran = await hooktape('replay', id, '--to', `${to}/public`, '--as', 'original')
  const answer = answers()
  if (sdks[name].patient) return check(`${name} of tomorrow`, [v.cause, answer], ['future', `${name} 200`])
  check(`${name} of tomorrow`, [v.cause ?? '', ran.code], /200$/.test(answer) ? ['', 0] : ['future', 1])
}

// Mistakes that senders make, by what hooktape is to call them.
const hmac = (secret, message, encoding, hash = 'sha256') => crypto.createHmac(hash, secret).update(message).digest(encoding)
const github = (signature) => ({ 'X-GitHub-Event': 'ping', 'X-GitHub-Delivery': '1', 'X-Hub-Signature-256': `sha256=${signature}` })
const mistakes = {
  blank_in_secret: ['github', (body, secret) => github(hmac(secret + '\n', body, 'hex'))],
  wrong_secret: ['github', (body) => github(hmac('', body, 'hex'))],
  encoding: ['github', (body, secret) => github(hmac(secret, body, 'hex').toUpperCase())],
  other_scheme: ['github', (body, secret) => github(hmac(secret, body, 'hex', 'sha512'))],
  body_charset: ['github', (body, secret) => github(hmac(secret, Buffer.from(body, 'latin1'), 'hex')), '{"zen":"Plum purée"}'],
  key_encoding: ['standard-webhooks', (body, secret, at) => ({ 'webhook-id': '1', 'webhook-timestamp': at, 'webhook-signature': 'v1,' + hmac(secret, `1.${at}.${body}`, 'base64') })],
  malformed: ['stripe', (body, secret, at) => ({ 'Stripe-Signature': `t=${at},v2=` + hmac(secret, `${at}.${body}`, 'hex') })],
  missing: ['slack', (body, secret, at) => ({ 'X-Slack-Signature': 'v0=' + hmac(secret, `v0:${at}:${body}`, 'hex') })],
  other_timestamp: ['hubspot', (body, secret, at, url) => ({ 'X-HubSpot-Request-Timestamp': at * 1000, 'X-HubSpot-Signature-v3': hmac(secret, `POST${url}${body}${at}`, 'base64') })],
  wrong_url: ['square', (body, secret, at, url) => ({ 'x-square-hmacsha256-signature': hmac(secret, url.replace('http:', 'https:') + body, 'base64') })],
}
async function blames(cause) {
  const [name, signs, body = sdks[name].body] = mistakes[cause]
  const headers = { 'Content-Type': 'application/json', ...signs(body, sdks[name].secret, now(), `${ready.ingest}/${name}`) }
  const id = await catches(name, headers, body)
  await verdict(`${cause} of ${name}`, id, ['invalid', cause])
  const ran = await hooktape('replay', id, '--to', `${to}/public`, '--as', 'original')
  const answer = answers()
  assert.match(answer, /^\S+ 40[01]$/, `${cause} of ${name} is answered ${answer}`)
  check(`${cause} of ${name}, again`, ran.code, 1)
}

// Challenges: from who answers as the provider wants, and from who does not.
async function asks(tag) {
  const [name, kind] = tag.split(':')
  const [right, silent] = kind === 'webhook-ping' ? [204, 0] : [200, 3] // to the last, nothing is the answer
  await sends(tag, 0, `${name} ${right}`, 'trigger', tag, '--to', `${to}/${name}`)
  await sends(`${tag}, not answered`, silent, `${name} 200`, 'trigger', tag, '--to', `${to}/silent/${name}`)
  await sends(`${tag}, nobody there`, 3, `nowhere 404`, 'trigger', tag, '--to', `${to}/nowhere`)
  if (name === 'zoom') return // which does not try that
  await sends(`${tag}, forged and refused`, 0, `${name} 401`, 'trigger', tag, '--to', `${to}/${name}`, '--forged')
  await sends(`${tag}, forged and believed`, 3, `${name} 200`, 'trigger', tag, '--to', `${to}/silent/${name}`, '--forged')
}

// Ways to say where to send, and with which secret.
async function ways() {
  const port = server.address().port
  for (const where of [`127.0.0.1:${port}/twilio`, `localhost:${port}/twilio?line=1`, `${to}/twilio?line=1`, `${to}/twilio/`]) {
    await sends(`to ${where}`, 0, 'twilio 200', 'trigger', 'twilio:received', '--to', where)
    await sends(`to ${where}, past the store`, 0, 'twilio 200', 'trigger', 'twilio:received', '--to', where, '--no-store')
  }
  const pays = ['trigger', 'square:payment.created', '--to', `${to}/public/square`, '--url']
  await sends('another URL', 1, 'square 401', ...pays, 'https://larder.example.com/square')
  await sends('the URL that the handler knows', 0, 'square 200', ...pays, `${ready.ingest}/square`)
  for (const past of [[], ['--no-store']]) {
    const push = ['trigger', 'github:push', '--to', `${to}/github`, ...past, '--secret']
    await sends('the right secret', 0, 'github 200', ...push, '@github.secret')
    await sends('another secret', 1, 'github 400', ...push, 'obviously-fake')
  }

  // JSON of Twilio's is signed by its digest in the URL.
  const body = '{"jars": 2}'
  const path = `?bodySHA256=${twilio.getExpectedBodyHash(body)}`
  const headers = { 'Content-Type': 'application/json', 'X-Twilio-Signature': twilio.getExpectedTwilioSignature(sdks.twilio.secret, `${ready.ingest}/twilio${path}`, {}) }
  const id = await catches('twilio', headers, body, path)
  await verdict('JSON of Twilio', id, ['valid', ''])
  await sends('JSON of Twilio', 0, 'twilio 200', 'replay', id, '--to', `${to}/public`)
  const spoilt = await catches('twilio', headers, body + '\n', path)
  await verdict('JSON of Twilio with a line end', spoilt, ['invalid', 'trailing_newline'])
  await sends('JSON of Twilio with a line end', 1, 'twilio 401', 'replay', spoilt, '--to', `${to}/public`, '--as', 'original')
}

for (const name of Object.keys(sdks)) {
  const n = await triggers(name)
  await judges(name)
  if (sdks[name].clock) {
    await ages(name)
    await hurries(name)
  }
  console.log(`signatures: ${name}: ${n} samples believed; forged, unsigned and spoilt ones refused${sdks[name].clock ? '; one of yesterday renewed' : ''}`)
}
for (const cause of Object.keys(mistakes)) await blames(cause)
console.log(`signatures: mistakes told: ${Object.keys(mistakes).join(', ')}`)
for (const tag of challenges) await asks(tag)
console.log(`signatures: challenges judged: ${challenges.join(', ')}`)
await ways()
server.close()
console.log(`${checks} checks`)
