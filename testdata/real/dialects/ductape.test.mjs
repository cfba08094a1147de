// Ductape's document shows calls and no requests, and no client of its own can be
// had that makes them: so these are its examples, word for word, over the module
// that ships with hooktape. What it says of samples is held against its older
// client, which reads them too.
import assert from 'node:assert/strict'
import crypto from 'node:crypto'
import zlib from 'node:zlib'
import parser from 'ductape-sdk/dist/inputs/utils/inputs.utils.create.js'
import Ductape, { DuctapeError } from './modules/ductape/ductape.mjs'
import { start, receive, until } from './stage.mjs'

const handler = await receive()
const hooktape = await start(handler.url)
const ductape = new Ductape({ url: hooktape.api })
let checks = 0
const check = (got, want, what) => { checks++; assert.deepEqual(got, want, what) }
const refused = async (call, code, status, words) => {
  checks++
  await assert.rejects(call, (err) => {
    assert(err instanceof DuctapeError, String(err))
    assert.deepEqual([err.code, err.status], [code, status], err.message)
    assert.match(err.message, words)
    return true
  })
}

// The document's four examples.
{
  const event = await ductape.app.webhooks.events.create({
    name: "New Event",
    tag: "new-webhook:new-event",
    description: "Notify customer of great things",
    sample: {
      headers: {},
      query: {},
      body: {
        event: "new-transaction",
        transaction_id: "1229100110101-192920101",
        event_id: "119100101020201-1919010101"
      },
      params: {},
    }
  });
  const updatedEvent = await ductape.app.webhooks.events.update("new-webhook:new-event", {
    sample: {
      headers: {},
      query: {},
      body: {
        event: "new-transaction",
        transaction_id: "1229100110101-192920101",
        event_id: "119100101020201-1919010101",
        username: "Jane Jameson"
      },
      params: {},
    }
  });
  const events = await ductape.app.webhooks.events.fetchAll("new-webhook");
  check([event.name, event.tag, event.description], ['New Event', 'new-webhook:new-event', 'Notify customer of great things'])
  check(Object.keys(event.sample), ['headers', 'query', 'body', 'params'])
  check(event.sample.body.username, undefined)
  check(updatedEvent, { ...event, sample: { ...event.sample, body: { ...event.sample.body, username: 'Jane Jameson' } }, sample_data: updatedEvent.sample_data })
  check(events, [updatedEvent])
  {
    const event = await ductape.app.webhooks.events.fetch("new-webhook:new-event");
    check(event, updatedEvent)
  }

  // Its sample can be sent, and is an event like any other.
  await hooktape.cli('trigger', 'new-webhook:new-event')
  const sent = await handler.next()
  check([sent.method, sent.headers['content-type'], JSON.parse(sent.text)], ['POST', 'application/json', updatedEvent.sample.body])
}

// A sample is literal: what looks like a template is sent as it is.
{
  const sample = {
    headers: { 'X-Template': '{{url}}', 'X-Plain': 'a' },
    query: { page: [1, 2], q: '{{' },
    body: { '{{key}}': "{{uuid}} {{'{{'}} {{{", html: '<a href="?a&b">', nested: [{ at: null, n: 12.5, t: '{{now}}' }] },
    params: { id: 'x' },
  }
  const made = await ductape.app.webhooks.events.create({ name: 'Literal', tag: 'new-webhook:literal', description: 'Taken as it is', sample })
  check(made.sample, sample)
  await hooktape.cli('trigger', 'new-webhook:literal')
  const sent = await handler.next()
  check([sent.url, sent.headers['x-template'], JSON.parse(sent.text)], ['/?page=1&page=2&q=%7B%7B', '{{url}}', sample.body])
  const less = { headers: { 'X-Plain': 'b' }, query: {}, body: ['{{n}}'], params: {} }
  check((await ductape.app.webhooks.events.update('new-webhook:literal', { name: 'Less', sample: less })).sample, less)
  check((await ductape.app.webhooks.events.fetch('new-webhook:literal')).name, 'Less')
}

// The newer shape of a sample is the body alone.
{
  const create = (tag, sample) => ductape.app.webhooks.events.create({ name: 'Bare', tag, description: 'In the newer shape', sample })
  const whole = (body) => ({ headers: {}, query: {}, body, params: {} })
  check((await create('shapes:bare', { event: 'paid', total: 1 })).sample, whole({ event: 'paid', total: 1 }))
  check((await create('shapes:headers-alone', { headers: { a: 'b' } })).sample, whole({ headers: { a: 'b' } }))
  check((await create('shapes:another', { body: {}, headers: {}, event: 'x' })).sample, whole({ body: {}, headers: {}, event: 'x' }))
  check((await create('shapes:body-alone', { body: [1] })).sample, whole([1]))
  check((await create('shapes:list', [1, null])).sample, whole([1, null]))
  check((await create('shapes:stringed', '{"body":{"a":"b"},"query":{"c":1}}')).sample, { headers: {}, query: { c: 1 }, body: { a: 'b' }, params: {} })
  check((await ductape.app.webhooks.events.fetchAll('shapes')).map((e) => e.tag),
    ['another', 'bare', 'body-alone', 'headers-alone', 'list', 'stringed'].map((tag) => `shapes:${tag}`))
}

// Webhooks.
{
  const envs = [{ slug: 'prd', registration_url: 'https://example.com/register', method: 'POST', sample: { body: { url: '{{url}}', deep: null } } }, { slug: 'dev' }]
  const orders = await ductape.app.webhooks.create({ name: 'Orders', tag: 'orders', description: 'All about orders', envs })
  check(orders, { _id: 'orders', name: 'Orders', tag: 'orders', description: 'All about orders', envs, events: [], active: true, mode: 'lenient' })
  const changed = await ductape.app.webhooks.update('orders', { description: 'Orders alone', mode: 'strict', envs: [{ slug: 'stg' }] })
  check(changed, { ...orders, description: 'Orders alone', mode: 'strict', envs: [{ slug: 'stg' }] })
  check(await ductape.app.webhooks.fetch('orders'), changed)
  check((await ductape.app.webhooks.fetchAll()).map((w) => w.tag), ['new-webhook', 'orders', 'shapes'])
  check((await ductape.app.webhooks.fetch('new-webhook')).events.map((e) => e.tag), ['new-webhook:literal', 'new-webhook:new-event'])
  check((await ductape.app.webhooks.update('orders', { active: false })).active, false)
  check(JSON.parse(await hooktape.cli('apps', 'get', 'orders', '--json')).inactive, true)
  await ductape.app.webhooks.update('orders', { active: true, mode: 'lenient' })

  // With its events at once, and many from a file.
  const both = await ductape.app.webhooks.create({ name: 'Both', tag: 'both', description: 'At once', envs: [{ slug: 'prd' }],
    events: [{ name: 'One', tag: 'one', description: 'The first', sample: { n: 1 } }, { name: 'Two', tag: 'both:two', description: 'The second', sample: { n: 2 } }] })
  check(both.events.map((e) => e.tag), ['both:one', 'both:two'])
  const file = { version: '1.0', webhooks: [
    { name: 'Bulk', tag: 'bulk', envs: [{ slug: 'production' }], events: [{ name: 'Paid', tag: 'paid', selector: 'type,data.status' }] },
    { name: 'More', tag: 'more', description: 'Another', envs: [{ slug: 'prd' }] },
  ] }
  const done = await ductape.app.webhooks.importBulk(file)
  check(done.webhooks.map((w) => [w.tag, w.description, w.events.map((e) => [e.tag, e.description, e.selector])]),
    [['bulk', 'Bulk', [['bulk:paid', 'Paid', 'type,data.status']]], ['more', 'Another', []]])
  await refused(ductape.app.webhooks.importBulk(file), 'conflict', 409, /a webhook bulk already/)
  check(await ductape.app.webhooks.delete('both'), { tag: 'both' })
  await refused(ductape.app.webhooks.events.fetch('both:one'), 'not_found', 404, /no event "both:one"/)
  await refused(ductape.app.webhooks.fetch('both'), 'not_found', 404, /no webhook "both"/)

}

// What a product wants of a webhook goes to it.
{
  const product = await receive()
  const about = { product: 'shop', access_tag: 'shop:orders', webhook_tag: 'shipping' }
  await refused(ductape.products.webhooks.generateLink(about), 'not_found', 404, /no webhook "shipping"/)
  await ductape.app.webhooks.create({ name: 'Shipping', tag: 'shipping', description: 'x', envs: [{ slug: 'prd' }] })
  check((await ductape.products.webhooks.generateLink(about)).link, `${hooktape.ingest}/in/shipping`)
  check(await ductape.products.webhooks.fetchAll('shop', 'shop:orders'), [])
  const { link } = await ductape.products.webhooks.generateLink({ ...about, env: 'prd', url: product.url + '/old', method: 'POST' })
  await ductape.products.webhooks.generateLink({ ...about, env: 'prd', url: product.url + '/new', method: 'POST' })
  await fetch(link, { method: 'POST', body: '{"n":1}' })
  const got = await product.next()
  check([got.method, got.url, got.text], ['POST', '/new', '{"n":1}'])
  const [{ config: [{ uuid, ...config }], ...one }] = await until(async () => {
    const all = await ductape.products.webhooks.fetchAll('shop')
    return all[0].config[0].active && all
  })
  check([one, config, uuid.startsWith('wh_')], [{ tag: 'shipping', name: 'Shipping' }, { productEnv: 'prd', appEnv: 'prd', url: product.url + '/new', method: 'POST', active: true }, true])
  const enabled = await ductape.products.webhooks.enable({ ...about, envs: [{ slug: 'prd', url: product.url + '/a', method: 'POST' }, { slug: 'dev', url: product.url + '/b', method: 'PUT' }] })
  check(enabled[0].config.map((c) => [c.productEnv, c.url, c.active]), [['prd', product.url + '/a', true], ['dev', product.url + '/b', false]])
  check(enabled[0].config[0].uuid, uuid)
  check(await ductape.products.webhooks.fetchAll('other'), [])
  check(await ductape.products.webhooks.fetchAll('shop', 'other:access'), [])
  await refused(ductape.products.webhooks.enable({ ...about, envs: [{ slug: 'stg', url: 'nowhere', method: 'POST' }] }), 'invalid', 422, /url/)
  await refused(ductape.products.webhooks.enable({ ...about, envs: [{ slug: 'stg', url: product.url + '/a' }] }), 'conflict', 409, /already/)
  await refused(ductape.products.webhooks.enable(about), 'invalid', 422, /envs/)
  await product.close()
}

// Tags.
for (const [tag, words] of [['new-event', /want the webhook's tag before it/], ['a:b:c', /want one colon/], ['Orders:paid', /lower-case/], ['orders:Paid', /lower-case/],
  ['orders:', /lower-case/], [':paid', /lower-case/], ['orders:pa id', /lower-case/], ['orders:-x', /lower-case/], ['', /required/]]) {
  await refused(ductape.app.webhooks.events.create({ name: 'x', tag, description: 'x', sample: {} }), 'invalid', 422, words)
}
await refused(ductape.app.webhooks.events.create({ name: 'x', tag: 'new-webhook:new-event', description: 'x', sample: {} }), 'conflict', 409, /an event new-webhook:new-event already/)
await refused(ductape.app.webhooks.create({ name: 'x', tag: 'orders', description: 'x', envs: [{ slug: 'prd' }] }), 'conflict', 409, /a webhook orders already/)
await refused(ductape.app.webhooks.create({ name: 'x', tag: 'a:b', description: 'x', envs: [{ slug: 'prd' }] }), 'invalid', 422, /no colon/)
await refused(ductape.app.webhooks.create({ name: 'x', tag: 'x', description: 'x', envs: [] }), 'invalid', 422, /envs/)
await refused(ductape.app.webhooks.create({ name: 'x', tag: 'x', description: 'x', envs: [{ slug: 'prd' }, { slug: 'prd' }] }), 'invalid', 422, /twice/)
await refused(ductape.app.webhooks.create({ name: 'x', tag: 'x', description: 'x', envs: [{ slug: 'prd', method: 'TRACE' }] }), 'invalid', 422, /want one of GET/)
await refused(ductape.app.webhooks.events.create({ name: 'x', tag: 'orders:x', sample: {} }), 'invalid', 422, /description: it is required/)
await refused(ductape.app.webhooks.events.create({ name: 'x', tag: 'orders:x', description: 'x' }), 'invalid', 422, /sample: it is required/)
await refused(ductape.app.webhooks.events.create({ name: 'x', tag: 'orders:x', description: 'x', sample: { headers: { a: 1 }, body: {} } }), 'invalid', 422, /sample.headers.a: want a string/)
await refused(ductape.app.webhooks.events.create({ name: 'x', tag: 'orders:x', description: 'x', sample: { a: 1 }, selector: '$Event{b}' }), 'invalid', 422, /selector/)
await refused(ductape.app.webhooks.events.create({ name: 'x', tag: 'orders:x', description: 'x', sample: { a: 1 }, selector: 'a', selectorValue: {} }), 'invalid', 422, /selectorValue/)
await refused(ductape.app.webhooks.events.update('orders:nothing', { name: 'x' }), 'not_found', 404, /no event/)
await refused(ductape.app.webhooks.events.update('new-webhook:new-event', { tag: 'new-webhook:other' }), 'invalid', 422, /never changes/)
await refused(ductape.app.webhooks.events.fetchAll('nowhere'), 'not_found', 404, /no webhook "nowhere"/)
await refused(ductape.app.webhooks.events.fetchAll('new-webhook:new-event'), 'invalid', 422, /no colon/)
await refused(new Ductape({ url: 'http://127.0.0.1:1' }).app.webhooks.fetchAll(), 'unreachable', 0, /gave no answer/)

// What comes is held against the samples, in either mode, and kept and delivered
// whatever comes of it.
{
  const sample = { event: 'order.paid', order: { id: 'o_1', total: 12.5 }, lines: [{ sku: 'a' }], note: null }
  await ductape.app.webhooks.events.create({ name: 'Order paid', tag: 'orders:paid', description: 'An order was paid', selector: '$Event{event}}', sample })
  await ductape.app.webhooks.events.create({ name: 'Order sent', tag: 'orders:sent', description: 'An order was sent', selector: '$Event{event}', selectorValue: 'order.sent',
    sample: { headers: {}, query: {}, body: { event: 'any', by: 'post' }, params: {} } })
  check((await ductape.app.webhooks.events.fetch('orders:sent')).selectorValue, 'order.sent')
  const good = { ...sample, order: { id: 'o_2', total: 3 }, lines: [], note: { any: 'thing' } }
  for (const mode of ['lenient', 'strict']) {
    await ductape.app.webhooks.update('orders', { mode })
    const unknown = mode === 'lenient' ? 'warning' : 'invalid'
    for (const [body, verdict, type, problems] of [
      [good, 'valid', 'orders:paid'],
      [{ ...good, vat: 1 }, unknown, 'orders:paid', ['/vat: not known']],
      [{ event: 'order.paid', order: { id: 'o_2' }, lines: [{}], note: 1 }, 'invalid', 'orders:paid', ['/lines/0/sku: missing', '/order/total: missing']],
      [{ ...good, order: { id: 2, total: '3' } }, 'invalid', 'orders:paid', ['/order/id: got number, want string', '/order/total: got string, want number']],
      [{ event: 'order.sent', by: 'bike' }, 'valid', 'orders:sent'],
      [{ event: 'order.lost' }, 'unmatched'],
    ]) {
      const answer = await fetch(`${hooktape.ingest}/in/orders`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) })
      check(answer.status, 202)
      const { id } = await answer.json()
      const event = JSON.parse(await hooktape.cli('events', 'get', id, '--json'))
      check(event.conforms, { ...(type && { type }), verdict, ...(problems && { problems }) }, JSON.stringify(body))
    }
  }
  check((await hooktape.cli('events', 'ls', '--app', 'orders', '--filter', 'schema:invalid', '--json')).trim().split('\n').length, 5)
  await ductape.app.webhooks.update('orders', { mode: 'off' })
  await fetch(`${hooktape.ingest}/in/orders`, { method: 'POST', body: JSON.stringify(good) })
  check(JSON.parse(await hooktape.cli('events', 'get', 'last', '--json')).conforms, undefined)
}

// An event type made elsewhere is an event here, and the other way round.
{
  await hooktape.cli('types', 'create', 'orders:order.left', '--body', '{"id":"{{uuid}}"}', '--header', 'X-Id: 1')
  check((await ductape.app.webhooks.events.fetch('orders:order.left')).sample, { headers: { 'X-Id': '1' }, query: {}, body: { id: '{{uuid}}' }, params: {} })
  check(JSON.parse(await hooktape.cli('types', 'get', 'orders:paid', '--json')).selector, '$Event{event}}')
  check(await ductape.app.webhooks.events.delete('orders:order.left'), { tag: 'orders:order.left' })
}

// The descriptors of a sample are those of Ductape's older client.
for (const sample of [
  { event: 'paid', n: 1, half: 0.5, yes: true, no: false, none: null, empty: '', nothing: {}, list: [] },
  { a: { b: { c: { d: [{ e: 1 }, { e: 2, f: { g: [{ h: 'x' }] } }] } } } },
  { list: ['a', 1, true, null, [2, [3, { x: 1 }]], { y: [] }], 'odd key/~': { 'ä': '<&>"\\' } },
  [{ a: 1 }, { b: { c: 2 } }, 'x'],
]) {
  const { sample_data } = await ductape.app.webhooks.events.create({ name: 'x', tag: `described:n${checks}`, description: 'x', sample })
  const want = parser.parseData({ data: structuredClone(sample), type: 'JSON', expected: 'parsesample', category: 'event' })
  check(sample_data, want)
}

// The one call of the newer tools.
{
  const execute = async (method, params, change = {}) => {
    const iv = crypto.randomBytes(16)
    const cipher = crypto.createCipheriv('aes-256-cbc', crypto.createHash('sha256').update('public').digest(), iv)
    const text = JSON.stringify({ module: 'webhooks', method, params, user_id: 'u1', ...change })
    const payload = `${iv.toString('hex')}:${cipher.update(text, 'utf8', 'base64')}${cipher.final('base64')}`
    const body = zlib.gzipSync(JSON.stringify({ encrypted_payload: payload, workspace_id: 'w', user_id: 'u1', public_key: 'public' }))
    const response = await fetch(`${hooktape.api}/proxy/v1/sdk-proxy/execute`, { method: 'POST', headers: { 'Content-Type': 'application/json', 'Content-Encoding': 'gzip', 'x-access-token': 'any' }, body })
    return { http: response.status, ...await response.json() }
  }
  const done = async (method, ...params) => {
    const answer = await execute(method, ['space:app', ...params])
    assert(answer.status === true && answer.http === 200 && answer.data.request_id && answer.data.execution_time_ms >= 0, JSON.stringify(answer))
    return answer.data.data
  }
  check((await done('create', { name: 'Calls', tag: 'calls', description: 'One call', envs: [{ slug: 'prd' }] })).tag, 'calls')
  check((await done('createWithEvents', { name: 'Two', tag: 'calls2', description: 'x', envs: [{ slug: 'prd' }], events: [{ name: 'One', tag: 'one', description: 'x', sample: {} }] })).events.length, 1)
  check((await done('importBulk', { version: '1.0', webhooks: [{ name: 'Three', tag: 'calls3', envs: [{ slug: 'prd' }] }] })).webhooks.length, 1)
  check((await done('events.create', { name: 'Paid', tag: 'calls:paid', description: 'x', selector: '$Event{event}', sample: { event: 'paid' } })).sample, { event: 'paid' })
  check((await done('events.update', 'calls:paid', { sample: { event: 'paid', more: 1 } })).sample, { event: 'paid', more: 1 })
  check((await done('events.fetch', 'calls:paid')).selector, '$Event{event}')
  check((await done('events.list', 'calls')).length, 1)
  check((await done('update', 'calls', { name: 'Called' })).name, 'Called')
  check((await done('fetch', 'calls')).events.length, 1)
  check((await done('list')).some((w) => w.tag === 'calls3'), true)
  check(await done('events.delete', 'calls:paid'), { tag: 'calls:paid' })
  check(await done('delete', 'calls'), { tag: 'calls' })
  const wrong = await execute('events.fetch', ['space:app', 'calls:paid'])
  check([wrong.http, wrong.status, wrong.code], [404, false, 'not_found'])
  check((await execute('events.burn', [])).http, 404)
  check((await execute('list', [], { module: 'product' })).http, 404)
}

// A token, once there is one, is asked for.
{
  const { token } = JSON.parse(await hooktape.cli('tokens', 'create', '--name', 'ductape', '--scope', 'manage', '--app', 'orders', '--json'))
  await refused(ductape.app.webhooks.fetchAll(), 'unauthorized', 401, /Authorization/)
  const bound = new Ductape({ url: hooktape.api, token })
  check((await bound.app.webhooks.fetchAll()).map((w) => w.tag), ['orders'])
  check((await bound.app.webhooks.events.create({ name: 'x', tag: 'orders:bound', description: 'x', sample: {} })).tag, 'orders:bound')
  await refused(bound.app.webhooks.events.fetch('new-webhook:new-event'), 'not_found', 404, /no event/)
  await refused(bound.app.webhooks.events.create({ name: 'x', tag: 'elsewhere:x', description: 'x', sample: {} }), 'not_found', 404, /no event type/)
  await refused(bound.app.webhooks.create({ name: 'x', tag: 'elsewhere', description: 'x', envs: [{ slug: 'prd' }] }), 'forbidden', 403, /bound to the app/)
}

await until(() => handler.got.length >= 3)
await hooktape.stop()
await handler.close()
console.log(`ductape: ok, ${checks} checks`)
