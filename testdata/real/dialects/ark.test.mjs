// @arkecosystem/client 0.1.25, the last with webhooks, and receivers that
// believe a delivery as ARK tells them to.
import assert from 'node:assert/strict'
import Client from '@arkecosystem/client'
import { receive, start, until } from './stage.mjs'

let checks = 0
const check = (method, ...args) => { checks++; assert[method](...args) }
const webhooks = (api, authorization) => {
  const client = new Client(api, 2)
  if (authorization) client.http.setHeaders({ Authorization: authorization })
  return client.resource('webhooks')
}
const answer = (call) => call.then((r) => r, (e) => e.response)
const status = async (call) => (await answer(call)).status

const hooktape = await start()
const app = await receive()
const w = webhooks(hooktape.api)
const P = {
  event: 'block.forged', target: app.url + '/hook', enabled: true,
  conditions: [{ key: 'generatorPublicKey', condition: 'eq', value: 'test-generator' }, { key: 'fee', condition: 'gte', value: '123' }],
}
const emit = (type, data) => hooktape.cli('events', 'create', '--type', type, '--data', JSON.stringify(data))

// Every operation.
const none = await w.all()
check('equal', none.status, 200)
check('deepEqual', none.data, { meta: {
  count: 0, pageCount: 0, totalCount: 0, next: null, previous: null,
  self: '/api/webhooks?page=1&limit=100', first: '/api/webhooks?page=1&limit=100', last: null }, data: [] })
const made = await w.create(P)
check('equal', made.status, 201)
const { token, ...rest } = made.data.data
check('match', token, /^[0-9a-f]{64}$/)
check('deepEqual', { ...rest, id: 0 }, { ...P, id: 0 })
const got = await w.get(rest.id)
check('equal', got.status, 200)
check('deepEqual', got.data, { data: rest })
check('deepEqual', (await w.all()).data.data, [rest])
const updated = await w.update(rest.id, { ...P, event: 'block.applied' })
check('deepEqual', [updated.status, updated.data], [204, ''])
check('equal', (await w.get(rest.id)).data.data.event, 'block.applied')
await w.update(rest.id, P)

// Errors, as the client hands them on.
for (const [bad, message] of [
  [{}, '"event" is required'],
  [{ ...P, target: 'nope' }, '"target" must be a valid uri'],
  [{ ...P, event: '' }, '"event" is not allowed to be empty'],
  [{ event: 'e', target: 'https://a.test' }, '"conditions" is required'],
  [{ ...P, enabled: 'yes' }, '"enabled" must be a boolean'],
  [{ ...P, extra: 1 }, '"extra" is not allowed'],
  [{ ...P, conditions: [{ key: 'a' }] }, '"conditions[0].condition" is required'],
]) {
  const said = await answer(w.create(bad))
  check('deepEqual', [said.status, said.data], [422, { statusCode: 422, error: 'Unprocessable Entity', message }])
}
check('equal', await status(w.update(rest.id, { event: 'only' })), 422)
for (const call of [() => w.get('123'), () => w.update('123', P), () => w.delete('123')]) {
  const said = await answer(call())
  check('deepEqual', [said.status, said.data], [404, { statusCode: 404, error: 'Not Found', message: 'Not Found' }])
}

// A delivery: the receiver keeps the second half of the token, and believes who
// shows the first.
const data = { fee: '150', type: 3, generatorPublicKey: 'nobody', memo: 'Fig & plum, 4.50 €' }
await emit('block.forged', { ...data, fee: '9' }) // no condition holds
const before = Date.now()
await emit('block.forged', data)
const came = await app.next()
check('equal', came.method + ' ' + came.url, 'POST /hook')
check('equal', came.headers.authorization + token.slice(32), token)
check('equal', came.headers['content-type'], 'application/json')
const { timestamp, ...said } = JSON.parse(came.text)
check('deepEqual', said, { data, event: 'block.forged' })
check('ok', timestamp >= before && timestamp <= Date.now())

// Two of one target are two, each with its own token; one that is off gets
// nothing.
const twin = (await w.create({ ...P, conditions: [] })).data.data
const off = (await w.create({ ...P, enabled: 'false', conditions: [] })).data.data
check('equal', off.enabled, false)
await emit('block.forged', data)
const halves = [(await app.next()).headers.authorization, (await app.next()).headers.authorization]
check('deepEqual', halves.sort(), [token, twin.token].map((t) => t.slice(0, 32)).sort())

// It is an endpoint like any other, and others are webhooks.
const listed = (await hooktape.cli('endpoints', 'ls', '--json')).trim().split('\n').map((line) => JSON.parse(line))
check('deepEqual', listed.map((e) => [e.id, e.format, e.status]), [[rest.id, 'ark', 'enabled'], [twin.id, 'ark', 'enabled'], [off.id, 'ark', 'disabled']])
const other = JSON.parse(await hooktape.cli('endpoints', 'create', app.url + '/other', '--type', 'order.*', '--json'))
check('deepEqual', (await w.get(other.id)).data.data, { id: other.id, event: 'order.*', target: app.url + '/other', enabled: true, conditions: [] })

// What fails is tried once, and deleted ones get no more.
app.answer = () => ({ status: 500 })
await emit('block.forged', data)
await app.next()
await app.next()
const attempts = async () => (await hooktape.cli('attempts', 'ls', '--endpoint', rest.id, '--json')).trim().split('\n').map((line) => JSON.parse(line))
await until(async () => (await attempts())[0].status === 'failed', 'the failed attempt')
check('deepEqual', (await attempts()).map((a) => [a.number, a.status, a.response_status]), [[1, 'failed', 500], [1, 'succeeded', 200], [1, 'succeeded', 200]])
app.answer = () => ({})
for (const id of [rest.id, off.id]) check('equal', (await w.delete(id)).status, 204)
check('equal', await status(w.get(rest.id)), 404)
check('equal', await status(w.delete(rest.id)), 404)
await emit('block.forged', data)
check('equal', (await app.next()).headers.authorization, twin.token.slice(0, 32))
check('equal', app.got.length, 6)

// Pages, which the client itself does not ask for.
for (let i = 0; i < 4; i++) await w.create({ ...P, event: 'e' + i })
const page = (await w.http.get('webhooks', { page: 2, limit: 4 })).data
check('deepEqual', page.meta, {
  count: 2, pageCount: 2, totalCount: 6, next: null, previous: '/api/webhooks?page=1&limit=4',
  self: '/api/webhooks?page=2&limit=4', first: '/api/webhooks?page=1&limit=4', last: '/api/webhooks?page=2&limit=4' })
check('deepEqual', page.data.map((hook) => hook.event), ['e2', 'e3'])

// Once there is a token, it is asked for.
const secret = (await hooktape.cli('tokens', 'create', 'ark', '--scope', 'manage')).trim()
const refused = await answer(w.all())
check('deepEqual', [refused.status, refused.data], [401, { statusCode: 401, error: 'Unauthorized', message: 'Unauthorized' }])
for (const authorization of [secret, 'Bearer ' + secret]) check('equal', (await webhooks(hooktape.api, authorization).all()).data.meta.totalCount, 6)
await hooktape.stop()

// What the document says, and the whitelist.
const later = await start('--dialect', 'ark.update=200', '--dialect', 'ark.put=partial', '--dialect', 'ark.whitelist=192.0.2.*,127.0.0.1')
const v = webhooks(later.api)
const { id } = (await v.create(P)).data.data
check('deepEqual', (await v.update(id, { enabled: 'false' })).data, {})
check('deepEqual', (await v.get(id)).data.data, { ...P, id, enabled: false })
check('deepEqual', (await v.delete(id)).data, {})
await later.stop()
const shut = await start('--dialect', 'ark.whitelist=192.0.2.*')
const kept = await answer(webhooks(shut.api).all())
check('deepEqual', [kept.status, kept.data], [403, { statusCode: 403, error: 'Forbidden', message: 'Forbidden' }])
await shut.stop()
await app.close()

console.log(`ark: ok, ${checks} checks`)
