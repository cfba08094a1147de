// Both names under which Blocklet Server's client is published, unmodified,
// with hooktape in the server's place.
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import { createRequire } from 'node:module'
import { receive, start, until } from './stage.mjs'

const require = createRequire(import.meta.url)
let checks = 0
const ok = (what, why) => { assert.ok(what, why); checks++ }
const equal = (got, want, why) => { assert.deepEqual(got, want, why); checks++ }
const fails = async (promise, want) => { await assert.rejects(promise, want); checks++ }

// verify is how its server tells receivers to check what they are sent.
function verify({ headers, text }, secret) {
  const [t, v1] = headers['x-webhook-signature'].split(',').map((part) => part.split('=')[1])
  ok(Math.abs(Date.now() / 1000 - Number(t)) < 300, 'the signature is stale')
  const want = crypto.createHmac('sha256', secret).update(`${t}.${JSON.stringify(JSON.parse(text))}`).digest('hex')
  ok(crypto.timingSafeEqual(Buffer.from(v1), Buffer.from(want)), 'the signature is wrong')
}

async function operations(hooktape, name, path, team) {
  const slug = team.replace('did:abt:', '').toLowerCase()
  const Client = require(name)
  const client = new Client(hooktape.api + path, 'hooktape/1')
  const receiver = await receive()
  const enabledEvents = [{ type: 'user.created', source: team }, { type: 'user.updated', source: team }]
  const create = (input) => client.createWebhookEndpoint({ input: { teamDid: team, input: { enabledEvents, ...input } } })
  const attempts = (input, paging = { page: 1, pageSize: 10 }) => client.getWebhookAttempts({ input: { teamDid: team, input, paging } })
  const emit = async (type, data, source = team) =>
    JSON.parse(await hooktape.cli('events', 'create', '--app', slug, '--type', type, '--source', source, '--data', JSON.stringify(data), '--json'))

  // Nobody has heard of the team yet.
  equal((await client.getWebhookEndpoints({ input: { teamDid: team } })), { list: [], paging: { total: 0, pageCount: 0, page: 1, pageSize: 10 } })
  equal((await attempts({})).paging, { total: 0, pageCount: 0, page: 1, pageSize: 10 })

  // Create.
  const description = 'say "hi" \\ ok, <b> & ä'
  const { data: made } = await create({ apiVersion: '1.0', url: receiver.url + '/hook', description })
  ok(made.id.startsWith('wh_'))
  equal([made.status, made.url, made.description, made.apiVersion, made.metadata], ['enabled', receiver.url + '/hook', description, '1.0', {}])
  equal(made.enabledEvents, enabledEvents.map(({ type, source }) => ({ source, type })))
  ok(Number.isInteger(made.createdAt) && Math.abs(Date.now() - made.createdAt) < 60_000)
  const regenerates = typeof client.regenerateWebhookEndpointSecret === 'function' // of the newer client, which asks for secrets
  if (regenerates) ok(/^[0-9a-f]{64}$/.test(made.secret))

  // What is refused, in its server's words.
  await fails(create({ url: receiver.url + '/hook' }), /webhook endpoint with same url already exist/)
  await fails(client.createWebhookEndpoint({ input: { teamDid: team, input: { url: receiver.url + '/b' } } }), /"enabledEvents" is required/)
  await fails(create({ url: receiver.url + '/c', status: 'nope' }), /"status" must be one of \[enabled, disabled\]/)
  await fails(create({ url: 'ftp://nowhere' }), /Invalid parameter: internal/)
  await fails(create({}), /Invalid parameter: internal/)
  await fails(create({ url: receiver.url + '/d', description: null }), /"description" must be a string/)
  await fails(create({ url: receiver.url + '/d', enabledEvents: [{ type: 'a' }] }), /"enabledEvents\[0\].source" is required/)
  await fails(create({ url: receiver.url + '/d', description: 'x'.repeat(513) }), /"description" length must be less than or equal to 512 characters long/)
  // The way its document calls, of which these clients send nothing.
  await fails(client.createWebhookEndpoint({ teamDid: team, input: { url: receiver.url } }), /Missing required parameters.*input: \{ teamDid/)
  await fails(client.getWebhookEndpoint({ teamDid: team, id: made.id }), /Missing required parameters/)
  await fails(client.getWebhookEndpoints({ teamDid: team }), /Missing required parameter: did/)
  await fails(client.getWebhookAttempts({ teamDid: team, input: {} }), /Missing required parameter: teamDid/)

  // What the clients make of what they are given.
  const { data: odd } = await create({ url: receiver.url + '/odd', description: 'l1\n  l2 "q" \\ e', metadata: '{a: 1, b: "x", c: [true]}', enabledEvents: [] })
  equal([odd.description, odd.metadata, odd.enabledEvents], ['l1\nl2 \\"q\\" \\\\ e', { a: 1, b: 'x', c: [true] }, []])
  if (!regenerates) {
    await fails(create({ url: receiver.url + '/e', metadata: { a: 1 } }), /"metadata" must be of type object/)
    equal((await create({ url: receiver.url + '/quoted', enabledEvents: [], metadata: JSON.stringify({ a: { b: 2 } }) })).data.metadata, { a: { b: 2 } })
  }
  const tabbed = await create({ url: receiver.url + '/tab', description: 'a\tb', enabledEvents: [], createdAt: 1678886400000 })
  equal(tabbed.data.description, 'a\tb')

  // Update, get, list.
  const { data: changed } = await client.updateWebhookEndpoint({ input: { teamDid: team, id: made.id, data: { description: 'changed' } } })
  equal([changed.description, changed.url, changed.apiVersion], ['changed', made.url, '1.0'])
  const { data: got } = await client.getWebhookEndpoint({ input: { teamDid: team, id: made.id } })
  equal([got.description, got.createUser.did, got.createUser.fullName, got.updateUser.avatar], ['changed', 'local', '', ''])
  if (regenerates) ok(got.secret.startsWith('****'))
  const endpoints = (page, pageSize) => client.getWebhookEndpoints({ input: { teamDid: team, paging: { page, pageSize } } })
  const all = await endpoints(1, 100)
  equal(all.list.at(-1).id, made.id)
  equal((await endpoints(2, 1)).list.map((e) => e.id), [all.list[1].id])
  equal((await endpoints(9, 2)).list, [])
  equal((await endpoints(1, 2)).paging, { total: all.list.length, pageSize: 2, pageCount: Math.ceil(all.list.length / 2), page: 1 })
  equal((await endpoints(1, 1000)).paging.pageSize, 100)
  for (const id of ['missing', 'wh_01JZZZZZZZZZZZZZZZZZZZZZZZ']) {
    await fails(client.updateWebhookEndpoint({ input: { teamDid: team, id, data: { description: 'x' } } }), /webhook endpoint not found/)
    await fails(client.getWebhookEndpoint({ input: { teamDid: team, id } }), /webhook endpoint not found/)
    await fails(client.deleteWebhookEndpoint({ input: { teamDid: team, id } }), /webhook endpoint not found/)
  }
  await fails(client.getWebhookEndpoint({ input: { teamDid: 'another', id: made.id } }), /webhook endpoint not found/)
  const batch = await client.doBatchQuery({
    getWebhookEndpoint: { input: { teamDid: team, id: made.id } }, getWebhookEndpoints: { input: { teamDid: team } },
    getWebhookAttempts: { input: { teamDid: team, input: { webhookId: made.id } } },
  })
  equal([batch.getWebhookEndpoint.data.id, batch.getWebhookEndpoints.paging.total, batch.getWebhookAttempts.list], [made.id, all.list.length, []])
  equal((await client.doRawQuery(`{ getWebhookEndpoint(teamDid: "${team}", id: "${made.id}") { data { id } } }`)).getWebhookEndpoint.data.id, made.id)
  await fails(client.doRawQuery('{ getWebhookEndpoints { nodeInfo } }'), /Schema Compatibility Error/)
  equal(JSON.parse(await hooktape.cli('endpoints', 'get', made.id, '--json')).format, 'blocklet')

  // A delivery, and the attempt at it.
  const data = { object_type: 'User', object_id: 'u_1', object: { id: 'u_1', total: 12.5, sign: '<>&\u2028' }, previous_attributes: {} }
  const event = await emit('user.created', data)
  const sent = await receiver.next()
  equal(JSON.parse(sent.text), { ...data, $eventName: 'user.created', $sender: { did: team, name: slug } })
  equal([sent.method, sent.headers['content-type'], sent.headers.accept], ['POST', 'application/json', 'application/json, text/plain, */*'])
  if (regenerates) verify(sent, made.secret)
  await emit('user.deleted', data) // nobody asked for this one,
  await emit('user.created', data, 'another') // nor for this
  const { list: [first], paging } = await until(async () => {
    const page = await attempts({ webhookId: made.id })
    return page.list[0]?.status === 'succeeded' && page
  }, 'the attempt')
  equal(paging, { total: 1, pageSize: 10, pageCount: 1, page: 1 })
  equal([first.eventId, first.webhookId, first.responseStatus, first.responseBody, first.retryCount, first.triggeredBy, first.triggeredFrom],
    [event.id, made.id, 200, {}, 0, 'system', 'automation'])
  ok(first.updatedAt >= first.createdAt)
  equal([first.endpoint.id, first.endpoint.url], [made.id, made.url])
  if (regenerates) ok(first.endpoint.secret.startsWith('****'))
  equal([first.event.id, first.event.type, first.event.source, first.event.objectType, first.event.objectId, first.event.pendingWebhooks, first.event.apiVersion],
    [event.id, 'user.created', team, 'User', 'u_1', 0, '2025-02-27'])
  equal([first.event.data, first.event.request, first.event.metadata], [data, JSON.parse(sent.text), {}])
  equal((await attempts({ eventId: event.id, webhookId: '' })).list[0].id, first.id)
  equal((await attempts({ eventId: 'evt_none' })).list, [])

  // A failure, and a retry by hand.
  receiver.answer = () => ({ status: 503, body: '{"later":true}' })
  const failing = await emit('user.updated', data)
  await receiver.next()
  const failed = await until(async () => (await attempts({ eventId: failing.id })).list.find((a) => a.status === 'failed'), 'the failure')
  equal([failed.responseStatus, failed.responseBody], [503, { later: true }])
  ok((await attempts({ eventId: failing.id })).list[0].status === 'pending', 'its next attempt waits')
  equal((await client.getWebhookEndpoint({ input: { teamDid: team, id: made.id } })).data.metadata, { consecutiveFailures: 1 })
  receiver.answer = () => ({ body: 'fine' })
  const retry = (more) => client.retryWebhookAttempt({ input: { teamDid: team, eventId: failing.id, webhookId: made.id, attemptId: failed.id, ...more } })
  const { data: again } = await retry()
  equal([again.status, again.responseStatus, again.responseBody, again.triggeredBy, again.triggeredFrom, again.eventId, again.webhookId],
    ['pending', 0, {}, 'user', failed.id, failing.id, made.id])
  ok(again.id !== failed.id && again.retryCount > failed.retryCount)
  await receiver.next()
  const done = await until(async () => (await attempts({ eventId: failing.id })).list.find((a) => a.id === again.id && a.status !== 'pending'), 'the retry')
  equal([done.status, done.responseStatus, done.responseBody, done.triggeredFrom], ['succeeded', 200, 'fine', failed.id])
  await until(async () => (await client.getWebhookEndpoint({ input: { teamDid: team, id: made.id } })).data.metadata.consecutiveFailures === 0)
  await client.retryWebhookAttempt({ teamDid: team, input: { teamDid: team, eventId: failing.id, webhookId: made.id, attemptId: done.id } }) // as its document has it
  await receiver.next()
  await fails(retry({ attemptId: 'att_none' }), /webhook attempt not found/)
  await fails(retry({ eventId: event.id }), /webhook attempt not found/)
  await fails(retry({ webhookId: 'wh_none' }), /webhook attempt not found/)

  // A new secret.
  if (regenerates) {
    const { secret: next } = await client.regenerateWebhookEndpointSecret({ input: { teamDid: team, id: made.id } })
    ok(/^[0-9a-f]{64}$/.test(next) && next !== made.secret)
    await emit('user.created', {})
    verify(await receiver.next(), next)
    await fails(client.regenerateWebhookEndpointSecret({ input: { teamDid: team, id: 'none' } }), /webhook endpoint not found/)
  }

  // An event as a component publishes it.
  const publish = () => fetch(hooktape.api + '/.well-known/service/api/send-to-event-bus', {
    method: 'POST', headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ apiVersion: '1.0.0', data: { sender: { appDid: team, token: 'x.y.z' }, channel: 'eventbus', event: {
      id: `n_${slug}`, source: team, type: 'user.created', time: new Date().toISOString(), spec_version: '1.0.0',
      object_type: 'User', object_id: 'u_2', data: { type: 'application/json', object: { id: 'u_2' } } } } }),
  })
  const [one, two] = [await (await publish()).json(), await (await publish()).json()]
  equal(one, two, 'published once')
  equal(JSON.parse((await receiver.next()).text), { type: 'application/json', object: { id: 'u_2' }, $eventName: 'user.created', $sender: { did: team.replace('did:abt:', ''), name: slug } })
  const published = (await attempts({ eventId: one.id })).list[0].event
  equal([published.objectType, published.objectId], ['User', 'u_2'])

  // Fifty failures in a row disable.
  receiver.answer = () => ({ status: 500 })
  for (let i = 0; i < 50; i++) await emit('user.created', { i })
  const { data: disabled } = await until(async () => {
    const got = await client.getWebhookEndpoint({ input: { teamDid: team, id: made.id } })
    return got.data.status === 'disabled' && got
  }, 'disabling')
  ok(disabled.metadata.consecutiveFailures >= 50)
  await fails(retry(), /webhook endpoint disabled/)
  const { data: enabled } = await client.updateWebhookEndpoint({ input: { teamDid: team, id: made.id, data: { status: 'enabled' } } })
  equal([enabled.status, enabled.metadata], ['enabled', { consecutiveFailures: 0 }])
  const second = await attempts({ webhookId: made.id }, { page: 2, pageSize: 20 })
  equal([second.list.length, second.paging.page, second.paging.pageCount], [20, 2, Math.ceil(second.paging.total / 20)])

  // Delete. Its attempts stay.
  const { data: gone } = await client.deleteWebhookEndpoint({ input: { teamDid: team, id: made.id } })
  equal([gone.id, gone.status, gone.enabledEvents], [made.id, 'deleted', []])
  await fails(client.deleteWebhookEndpoint({ input: { teamDid: team, id: made.id } }), /webhook endpoint not found/)
  const left = await attempts({ eventId: event.id })
  equal([left.list.length, left.list[0].endpoint, left.list[0].event.id], [1, null, event.id])
  await receiver.close()
}

const hooktape = await start()
await operations(hooktape, '@abtnode/client', '/api/gql', 'zNKtCNqYWLYWYW3gWRA1vnRykfCBZYHZvzKr')
await operations(hooktape, '@blocklet/server-js', '', 'did:abt:zNKxVGF19f56e9qB4L9zF8Wz3t3V7t7P')

// The arguments of its document, by whoever writes queries.
const ask = async (query, variables) => (await fetch(hooktape.api + '/api/gql', { method: 'POST', body: JSON.stringify({ query, variables }) })).json()
const flat = await ask(`mutation ($in: RequestCreateWebhookEndpointInput) { createWebhookEndpoint(teamDid: "T", input: $in) { code data { id enabledEvents { type } } } }`,
  { in: { url: 'http://127.0.0.1:9/', enabledEvents: [{ type: 'user.created', source: 'T' }] } })
equal([flat.data.createWebhookEndpoint.code, flat.data.createWebhookEndpoint.data.enabledEvents], ['ok', [{ type: 'user.created' }]])
const { id } = flat.data.createWebhookEndpoint.data
equal((await ask(`mutation { updateWebhookEndpoint(teamDid: "did:abt:T", id: "${id}", data: { description: "new" }) { data { description } } }`)).data.updateWebhookEndpoint.data.description, 'new')
equal((await ask(`{ getWebhookEndpoint(teamDid: "T", id: "${id}") { data { id } } getWebhookAttempts(teamDid: "T", input: { webhookId: "${id}" }, paging: { page: 1, pageSize: 5 }) { paging { total pageSize } } }`)).data,
  { getWebhookEndpoint: { data: { id } }, getWebhookAttempts: { paging: { total: 0, pageSize: 5 } } })

// A token, as the clients send it.
const { token } = JSON.parse(await hooktape.cli('tokens', 'create', 'reader', '--scope', 'read', '--json'))
for (const name of ['@abtnode/client', '@blocklet/server-js']) {
  const client = new (require(name))(hooktape.api + '/.well-known/service/api/gql')
  await fails(client.getWebhookEndpoints({ input: { teamDid: 'T' } }), /not allowed/)
  client.setAuthAccessKey({ accessKeyId: 'key', accessKeySecret: token, type: 'sha256' }) // nothing is kept that could check it
  await fails(client.getWebhookEndpoints({ input: { teamDid: 'T' } }), /not allowed/)
  client.setAuthToken(() => token)
  equal((await client.getWebhookEndpoints({ input: { teamDid: 'T' } })).list.length, 1)
  await fails(client.deleteWebhookEndpoint({ input: { teamDid: 'T', id } }), /no permission/)
}
await hooktape.stop()
console.log(`blocklet: ok, ${checks} checks`)
