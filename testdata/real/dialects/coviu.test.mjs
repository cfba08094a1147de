// Coviu's webhooks for plugins: registrations as its document writes them, fired
// through the api that plugins have, with hooktape in place of its service.
import assert from 'node:assert/strict'
import http from 'node:http'
import { createHash } from 'node:crypto'
import { connect } from './modules/coviu/coviu.mjs'
import { receive, start, until } from './stage.mjs'

let checks = 0
const check = {}
for (const name of ['equal', 'deepEqual', 'match', 'ok', 'rejects']) {
  check[name] = async (...args) => { await assert[name](...args); checks++ }
}

const tape = await start('--log-level', 'debug')
const target = await receive()
const other = await receive()

// Secrets that must be seen nowhere, by which parts of a URL and headers are told
// from what may be.
const secrets = ['SECRET-PATH', 'SECRET-QUERY', 'SECRET-TOKEN', 'SECRET-HEADER', 'SECRET-AWAY']
const seen = []   // all that a caller is told
const spy = async (...args) => {
  const res = await fetch(...args)
  seen.push(await res.clone().text(), JSON.stringify([...res.headers]))
  return res
}

await tape.cli('apps', 'create', 'clinic')
await tape.cli('apps', 'create', 'other')
const token = async (scope, app) => JSON.parse(await tape.cli('tokens', 'create', '--name', `${scope}-${app}`, '--scope', scope, '--app', app, '--json')).token
const [manage, ingest, read, foreign] = [await token('manage', 'clinic'), await token('ingest', 'clinic'), await token('read', 'clinic'), await token('ingest', 'other')]

// What whoever runs the platform does.
const admin = async (method, path, body, as = manage) => {
  const res = await fetch(`${tape.api}/coviu/v1/plugins/clinic/${path}`, { method, headers: { Authorization: `Bearer ${as}` }, body: body && JSON.stringify(body) })
  return { status: res.status, type: res.headers.get('content-type'), ...await res.json() }
}

// The document's two examples, with the receiver in place of their hosts.
const random = { id: 'get-randomapi', url: `${target.url}/api/v1/randomApi?key=SECRET-QUERY`, method: 'GET', headers: {}, queryParams: ['pageNum'] }
const jpeg = { id: 'send-jpeg', url: `${target.url}/SECRET-PATH/post`, headers: { 'Content-Type': 'image/jpeg' }, payload_encoding: 'base64' }
await check.equal((await admin('POST', 'webhooks', random)).status, 201)
await check.equal((await admin('PUT', 'webhooks/send-jpeg', jpeg)).status, 201)
await check.equal((await admin('POST', 'webhooks', random)).code, 'conflict')
const shown = await admin('GET', 'webhooks')
await check.deepEqual(shown.webhooks.map((w) => [w.id, w.method, w.queryParams, w.payload_encoding]), [['get-randomapi', 'GET', ['pageNum'], undefined], ['send-jpeg', 'POST', [], 'base64']])
await check.equal(shown.webhooks[1].headers['Content-Type'], 'image/jpeg')

const api = connect({ url: tape.api, plugin: 'clinic', token: ingest, fetch: spy })

// Success, by the example that reads.
target.answer = () => ({ headers: { 'Content-Type': 'application/json' }, body: '{"value":4}' })
let result = await api.webhooks.trigger('get-randomapi', null, {}, { pageNum: 3 })
await check.deepEqual(Object.keys(result).sort(), ['data', 'error', 'referenceId', 'status'])
await check.deepEqual([result.status, result.data, result.error], [200, { value: 4 }, false])
await check.match(result.referenceId, /^evt_\w{26}$/)
await check.deepEqual([target.got[0].method, target.got[0].url, target.got[0].raw.length], ['GET', '/api/v1/randomApi?key=SECRET-QUERY&pageNum=3', 0])
await check.equal((await api.webhooks.trigger('get-randomapi')).status, 200)   // the id alone
await check.equal(target.got[1].url, '/api/v1/randomApi?key=SECRET-QUERY')

// Bytes arrive as they are.
const picture = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, 0xe0]), Buffer.from(Array.from({ length: 65536 }, (_, i) => (i * 7919) & 0xff)), Buffer.from([0xff, 0xd9])])
result = await api.webhooks.trigger('send-jpeg', picture.toString('base64'))
await check.equal(result.error, false)
await check.ok(target.got[2].raw.equals(picture))
await check.deepEqual([target.got[2].method, target.got[2].headers['content-type'], target.got[2].headers['content-length']], ['POST', 'image/jpeg', String(picture.length)])
const jpegId = result.referenceId
target.answer = () => ({ headers: { 'Content-Type': 'image/jpeg' }, body: picture })
await check.deepEqual((await api.webhooks.trigger('send-jpeg', '')).data, { body: picture.toString('base64'), base64: true })

// What the endpoint does is no rejection: it fails, or cannot be contacted.
const guarded = {
  id: 'send', url: `${target.url}/SECRET-PATH/send?key=SECRET-QUERY`, method: 'POST',
  headers: { Authorization: 'Bearer SECRET-TOKEN', 'X-Key': 'SECRET-HEADER', header: '' }, queryParams: ['page'],
}
await admin('POST', 'webhooks', guarded)
target.answer = (req) => ({ status: 503, body: JSON.stringify({ detail: 'maintenance', url: target.url + req.url, headers: req.headers, args: { key: 'SECRET-QUERY' } }) })   // as an echo does
result = await api.webhooks.trigger('send', { key: 'value' }, { header: 'headerValue' }, null)
await check.deepEqual([result.status, result.data.detail, result.error], [503, 'maintenance', true])
await check.deepEqual([target.got[4].text, target.got[4].headers.authorization, target.got[4].headers['x-key'], target.got[4].headers.header, target.got[4].headers['content-type']],
  ['{"key":"value"}', 'Bearer SECRET-TOKEN', 'SECRET-HEADER', 'headerValue', 'application/json'])
await api.webhooks.trigger('send', 'as it is', { authorization: 'Bearer mine' })
await check.deepEqual([target.got[5].text, target.got[5].headers.authorization], ['as it is', 'Bearer SECRET-TOKEN'])
await admin('PUT', 'webhooks/away', { ...guarded, id: 'away', url: 'http://127.0.0.1:9/SECRET-AWAY' })
result = await api.webhooks.trigger('away', { key: 'value' })
await check.deepEqual([result.status, result.data, result.error], [0, {}, true])
await check.match(result.referenceId, /^evt_/)
await admin('PUT', 'webhooks/nameless', { ...guarded, id: 'nameless', url: 'http://nobody.invalid/SECRET-AWAY' })
await check.deepEqual([(await api.webhooks.trigger('nameless', {})).status], [0])

// Rejections.
const rejects = (code, ...args) => check.rejects(api.webhooks.trigger(...args), (err) => {
  seen.push(err.stack, JSON.stringify(err))
  return err instanceof Error && err.code === code && err.message !== ''
})
const sent = target.got.length
await rejects('unknown_webhook', 'sned', {})
await rejects('unknown_webhook', 'a/b?c', {})
await rejects('invalid_request', 'send', [1])
await rejects('invalid_request', 'send', 4)
await rejects('invalid_request', 'send', {}, { 'X-Other': 'v' })
await rejects('invalid_request', 'send', {}, { Host: 'v' })
await rejects('invalid_request', 'send', {}, {}, { pages: 1 })
await rejects('invalid_request', 'send', {}, {}, { page: [1] })
await rejects('invalid_request', 'send-jpeg', 'no base64!')
await rejects('invalid_request', 'send-jpeg', { a: 1 })
await rejects('invalid_request', 'get-randomapi', { a: 1 })
await check.equal(target.got.length, sent)
await check.rejects(connect({ url: 'http://127.0.0.1:9', plugin: 'clinic' }).webhooks.trigger('send', {}), { code: 'internal' })
const broken = http.createServer((req, res) => res.writeHead(500, { 'Content-Type': 'application/json' }).end('{"code":"internal","message":"it broke"}'))
await new Promise((listening) => broken.listen(0, '127.0.0.1', listening))
await check.rejects(connect({ url: `http://127.0.0.1:${broken.address().port}`, plugin: 'clinic' }).webhooks.trigger('send', {}), { code: 'internal', message: 'it broke' })
broken.close()
const as = (token, plugin = 'clinic') => connect({ url: tape.api, plugin, token, fetch: spy }).webhooks
await check.rejects(as(undefined).trigger('send', {}), { code: 'unauthorized' })
await check.rejects(as(read).trigger('send', {}), { code: 'forbidden' })
await check.rejects(as(foreign).trigger('send', {}), { code: 'unknown_webhook', message: 'there is no webhook "send": not found' })
await check.rejects(as(ingest, 'nobody').trigger('send', {}), { code: 'unknown_webhook', message: 'there is no webhook "send": not found' })
for (const [method, path] of [['GET', 'webhooks'], ['GET', 'webhooks/send'], ['PUT', 'webhooks/send'], ['DELETE', 'webhooks/send'], ['GET', 'audits']]) {
  const res = await admin(method, path, method === 'PUT' ? guarded : undefined, ingest)
  seen.push(JSON.stringify(res))
  await check.deepEqual([res.status, res.code, res.type], [403, 'forbidden', 'application/json'])
}

// Registrations that cannot be.
for (const [change, about] of [
  [{ url: 'ftp://x/' }, /^url: /], [{ url: undefined }, /^url: /], [{ method: 'TRACE' }, /^method: /], [{ headers: { Host: 'x' } }, /^headers\.Host: /],
  [{ headers: { 'Transfer-Encoding': '' } }, /^headers\.Transfer-Encoding: /], [{ headers: { 'X-A': 1 } }, /headers/], [{ queryParams: ['a', 'a'] }, /^queryParams\[1\]: /],
  [{ payload_encoding: 'hex' }, /^payload_encoding: /], [{ next: [{ id: 'none' }] }, /^next\[0\]\.id: there is no/], [{ queryparam: [] }, /queryparam: .*did you mean "queryParams"/],
]) {
  const res = await admin('POST', 'webhooks', { ...guarded, id: 'bad', ...change })
  await check.deepEqual([res.status, res.code], [422, 'invalid_request'])
  await check.match(res.message, about)
}

// A redirect to another host gets none of what the registration has.
target.answer = () => ({ status: 307, headers: { Location: `${other.url}/moved` } })
other.answer = () => ({ body: '{"moved":true}' })
result = await api.webhooks.trigger('send', { key: 'value' }, { header: 'mine' })
await check.deepEqual([result.status, result.data], [200, { moved: true }])
const moved = await other.next()
await check.deepEqual([moved.url, moved.text, moved.headers.authorization, moved.headers['x-key'], moved.headers.header], ['/moved', '{"key":"value"}', undefined, undefined, undefined])
target.answer = () => ({ status: 302, headers: { Location: 'http://nobody.invalid/SECRET-AWAY' }, body: '<a href="http://nobody.invalid/SECRET-AWAY">there</a>' })
await check.deepEqual((await api.webhooks.trigger('send', {})).data, {})

// Chains, of which the plugin sees the first alone.
const step = (id, next, more) => admin('PUT', `webhooks/${id}`, { id, url: `${target.url}/SECRET-PATH/${id}`, method: 'POST', next, ...more })
for (const id of ['won', 'lost', 'always']) await step(id, [], { hidden: true })
await step('after-won', [], { hidden: true })
await step('won', [{ id: 'after-won' }], { hidden: true })
const all = [{ id: 'won', when: 'success', map: { order: '/data/order', from: '/sent/key', note: 'paid' } }, { id: 'lost', when: 'failure', map: { status: '/status' } }, { id: 'always', when: 'always' }]
await step('good', all)
await step('bad', all)
await rejects('unknown_webhook', 'won', {})
await check.match((await step('after-won', [{ id: 'good' }])).message, /comes back to where it was/)
await check.equal((await admin('DELETE', 'webhooks/won')).code, 'conflict')
const led = async (id, expected) => {
  const before = target.got.length
  target.answer = (req) => ({ status: req.url.endsWith('/bad') ? 500 : 200, body: '{"order":7}' })
  const { referenceId, ...result } = await api.webhooks.trigger(id, { key: 'value' })
  await check.deepEqual(result, { status: id === 'bad' ? 500 : 200, data: { order: 7 }, error: id === 'bad' })
  await until(() => target.got.length === before + Object.keys(expected).length, `the chain of ${id}`)
  await check.deepEqual(Object.fromEntries(target.got.slice(before).map((r) => [r.url.split('/').pop(), JSON.parse(r.text)])), expected)
  return referenceId
}
const good = await led('good', { good: { key: 'value' }, won: { order: 7, from: 'value', note: 'paid' }, 'after-won': { order: 7 }, always: { order: 7 } })
await led('bad', { bad: { key: 'value' }, lost: { status: 500 }, always: { order: 7 } })

// Audits: all of it, with neither URLs nor secrets.
await until(async () => (await admin('GET', 'audits?limit=100', undefined, read)).audits.every((a) => a.state !== 'pending'), 'the end of all')
const audits = (await admin('GET', 'audits?limit=100', undefined, read)).audits
const sums = (b) => createHash('sha256').update(b).digest('hex')
await check.deepEqual(audits.map((a) => a.time), audits.map((a) => a.time).sort().reverse())
const ofJpeg = audits.find((a) => a.referenceId === jpegId)
await check.deepEqual([ofJpeg.id, ofJpeg.caller, ofJpeg.parent, ofJpeg.method, ofJpeg.status, ofJpeg.error, ofJpeg.requestSize, ofJpeg.requestSha256, ofJpeg.responseSize, ofJpeg.responseSha256],
  ['send-jpeg', 'token:ingest-clinic', null, 'POST', 200, false, picture.length, sums(picture), 11, sums('{"value":4}')])
await check.ok(ofJpeg.duration_ms > 0)
const ofAway = audits.find((a) => a.id === 'away')
await check.deepEqual([ofAway.status, ofAway.error, ofAway.reason, ofAway.responseSha256], [0, true, 'refused', null])
const ofWon = audits.find((a) => a.id === 'won')
await check.deepEqual([ofWon.parent, ofWon.caller], [good, 'token:ingest-clinic'])
await check.equal(audits.find((a) => a.id === 'after-won').parent, ofWon.referenceId)
let paged = [], next = ''
do {
  const page = await admin('GET', `audits?limit=7&cursor=${next}`, undefined, read)
  paged.push(...page.audits)
  next = page.next
} while (next)
await check.deepEqual(paged, audits)

// Everywhere that a caller, and whoever may read, can look.
const readable = async (...words) => tape.cli(...words, '--relay', tape.api, '--token', read)
for (const id of audits.map((a) => a.referenceId)) seen.push(await readable('events', 'get', id, '--json'))
const attempts = (await readable('attempts', 'ls', '--json', '--last', '0')).trim().split('\n')
await check.equal(attempts.length, audits.length)
seen.push(...attempts, await readable('events', 'ls', '--json'), JSON.stringify(audits))
for (const a of attempts) seen.push(await readable('attempts', 'get', JSON.parse(a).id, '--json'))
seen.push((await readable('triggers', 'ls', '--json')).replaceAll(/http:\/\/[^/]+\/•+/g, 'a host'))   // which who may read may know
await check.match(attempts.at(-1), /"url":"trigger:get-randomapi"/)
seen.push(tape.log())
const told = seen.join('\n')
for (const word of [...secrets, 'nobody.invalid', new URL(other.url).host, new URL(target.url).host]) await check.ok(!told.includes(word), `${word} is seen in …${told.slice(Math.max(0, told.indexOf(word) - 300), told.indexOf(word) + 100)}…`)

// A registration that is written as it is read stays as it was; what is not
// there any more cannot be fired.
const asRead = await admin('GET', 'webhooks/send')
await check.equal(asRead.headers.header, '')
const { status: _, type: __, ...same } = asRead
await check.equal((await admin('PUT', 'webhooks/send', same)).status, 200)
target.answer = () => ({ body: 'fine' })
await check.deepEqual((await api.webhooks.trigger('send', {})).data, { body: 'fine' })
await check.deepEqual([target.got.at(-1).url, target.got.at(-1).headers.authorization], ['/SECRET-PATH/send?key=SECRET-QUERY', 'Bearer SECRET-TOKEN'])
await admin('PUT', 'webhooks/send', { url: `${target.url}/plain`, headers: {} })
await api.webhooks.trigger('send', {})
await check.deepEqual([target.got.at(-1).url, target.got.at(-1).headers.authorization, target.got.at(-1).headers['x-key']], ['/plain', undefined, undefined])
await check.equal((await admin('DELETE', 'webhooks/send')).status, 200)
await rejects('unknown_webhook', 'send', {})
await check.deepEqual([(await admin('GET', 'nothing')).code, (await admin('PATCH', 'webhooks/x')).code], ['not_found', 'not_found'])

await tape.stop()
await target.close()
await other.close()
console.log(`coviu: ok, ${checks} checks`)
