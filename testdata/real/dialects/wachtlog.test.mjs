// Wacht: @wacht/backend for every operation of deliveries, replays and figures,
// and standardwebhooks for what is delivered again. The rest is in
// wacht.test.mjs.
import { WachtClient, initClient, NotFoundError, ValidationError, WachtError } from '@wacht/backend'
import { Webhook } from 'standardwebhooks'
import { counting, receive, start, until } from './stage.mjs'

const { check, equal, fails, done } = counting()

const hooktape = await start()
const books = await receive()
const mill = await receive()
// Whoever leaves the options out is sent to the global client.
initClient({ apiKey: 'any', baseUrl: hooktape.api })
const wacht = new WachtClient({ apiKey: 'any', baseUrl: hooktape.api }).webhooks

const event = (name) => ({ name, description: name })
await wacht.createWebhookEventCatalog({ slug: 'billing', name: 'Billing', events: [event('invoice.paid'), event('invoice.voided')] })
let { signing_secret: secret } = await wacht.createWebhookApp({ name: 'Shop', app_slug: 'shop', event_catalog_slug: 'billing' })
const subscriptions = [{ event_name: 'invoice.paid' }]
const good = await wacht.createWebhookEndpoint('shop', { url: `${books.url}/hooks`, subscriptions })
const weak = await wacht.createWebhookEndpoint('shop', { url: `${mill.url}/hooks`, subscriptions, max_retries: 1 })
const verified = (request) => new Webhook(secret).verify(request.text, request.headers)
const pay = async (payload) => (await wacht.triggerWebhook('shop', { event_name: 'invoice.paid', payload })).delivery_ids
const tried = (id) => until(async () => {
  const d = await wacht.getWebhookDelivery('shop', id, {})
  return d.status !== 'pending' && d
}, 'an attempt')
const ended = (id) => until(async () => {
  const task = await wacht.getWebhookReplayTaskStatus('shop', id)
  return task.status === 'completed' && task
}, 'the end of a replay')

// Nothing yet.
equal('no deliveries', await wacht.listWebhookDeliveries('shop', {}), { data: [], has_more: false, limit: 100, offset: 0 })
equal('no figures', await wacht.getWebhookStats('shop'), { total_deliveries: 0, success_rate: 0, active_endpoints: 2, failed_deliveries_24h: 0 })
equal('no analytics', (await wacht.getWebhookAnalytics('shop', {})).avg_response_time_ms, null)
equal('no timeseries', await wacht.getWebhookTimeseries('shop', {}), { data: [], interval: 'day' })

// One receiver takes it, and the other fails.
mill.answer = () => ({ status: 500, headers: { 'X-Mill': 'stuck' }, body: 'no flour' })
const ids = await pay({ amount: 4200 })
const first = [await tried(ids[0]), await tried(ids[1])]
const well = first.find((d) => d.endpoint_id === good.id)
const lost = first.find((d) => d.endpoint_id === weak.id)
equal('delivered', [well.status, well.http_status_code, well.attempt_number, well.max_attempts, well.event_name, well.app_slug], ['success', 200, 1, 32, 'invoice.paid', 'shop'])
equal('lost', [lost.status, lost.http_status_code, lost.attempt_number, lost.max_attempts, lost.response_body], ['permanently_failed', 500, 1, 1, 'no flour'])
equal('its headers', lost.response_headers['x-mill'], 'stuck')
check('its time', lost.response_time_ms >= 0 && Math.abs(Date.now() - new Date(lost.timestamp)) < 60_000, lost)
const original = await mill.next()
equal('what was sent', lost.payload, verified(original))
equal('under its id', original.headers['webhook-id'], `msg_${lost.delivery_id}`)
await books.next()

// The log and its filters.
const listed = async (options) => (await wacht.listWebhookDeliveries('shop', options)).data.map((d) => d.delivery_id)
equal('all', (await listed({})).sort(), [...ids].sort())
equal('through the global client', (await wacht.listWebhookDeliveries('shop')).data.length, 2)
equal('of an endpoint', await listed({ endpoint_id: weak.id }), [lost.delivery_id])
equal('of an event', (await listed({ event_name: 'invoice.voided' })).length, 0)
equal('well', await listed({ status: 'success' }), [well.delivery_id])
equal('given up', await listed({ status: 'permanently_failed' }), [lost.delivery_id])
equal('to be tried again', await listed({ status: 'failed' }), [])
equal('filtered', await listed({ status: 'filtered' }), [])
equal('since', (await listed({ since: lost.timestamp })).includes(lost.delivery_id), true)
equal('since tomorrow', await listed({ since: new Date(Date.now() + 86_400_000).toISOString() }), [])
equal('until yesterday', await listed({ until: new Date(Date.now() - 86_400_000).toISOString() }), [])
const page = await wacht.listWebhookDeliveries('shop', { limit: 1, offset: 0 })
equal('a page', [page.data.length, page.has_more, page.limit, page.offset], [1, true, 1, 0])
await fails('no id', wacht.getWebhookDelivery('shop', 'plum', {}), ValidationError, /^Invalid delivery ID/, 400)
await fails('no delivery', wacht.getWebhookDelivery('shop', '01ARZ3NDEKTSV4RRFFQ69G5FAV', {}), NotFoundError, /^Delivery not found/, 404)
await fails('none that waits', wacht.getWebhookDelivery('shop', well.delivery_id, { status: 'pending' }), NotFoundError, /^Pending delivery not found/, 404)
await fails('no app', wacht.listWebhookDeliveries('none', {}), NotFoundError, /^Webhook app not found/, 404)

// What waits is seen as it waits.
let release
mill.answer = () => new Promise((answer) => { release = () => answer({ status: 500 }) })
await wacht.updateWebhookEndpoint('shop', weak.id, { max_retries: 2 })
const slow = (await pay({ amount: 1 })).at(-1)
const waits = await until(async () => (await wacht.listWebhookDeliveries('shop', { status: 'pending' })).data[0], 'a delivery that waits')
check('it waits', waits.attempt_number === 0 && waits.http_status_code === null && waits.endpoint_id === weak.id, { waits, slow })
equal('its payload', (await wacht.getWebhookDelivery('shop', waits.delivery_id, { status: 'pending' })).payload, { amount: 1 })
await until(() => release, 'the request')
release()
const again = await tried(waits.delivery_id)
equal('to be tried again now', [again.status, again.attempt_number, again.max_attempts], ['failed', 1, 2])
equal('and it waits', (await wacht.getWebhookDelivery('shop', waits.delivery_id, { status: 'pending' })).status, 'pending')
await mill.next()
await books.next()

// Sent again, once the receiver has recovered and the secret was replaced.
mill.answer = () => ({})
secret = (await wacht.rotateWebhookSecret('shop')).signing_secret
const replay = await wacht.replayWebhookDelivery('shop', lost.delivery_id, { idempotency_key: 'once' })
equal('queued', replay.status, 'queued')
const same = await wacht.replayWebhookDelivery('shop', lost.delivery_id, { idempotency_key: 'once' })
equal('the same task', same.task_id, replay.task_id)
const task = await ended(replay.task_id)
equal('what it came to', [task.app_slug, task.total_count, task.processed, task.replayed_count, task.failed_count, task.last_delivery_id], ['shop', 1, 1, 1, 0, lost.delivery_id])
check('its times', [task.created_at, task.started_at, task.completed_at].every((at) => at.endsWith('+00:00') && new Date(at) <= Date.now()), task)
const resent = await mill.next()
equal('the same body', resent.text, original.text)
check('another id', resent.headers['webhook-id'] !== original.headers['webhook-id'], resent.headers)
equal('signed with the new secret', verified(resent).data, { amount: 4200 })
const copy = await tried(resent.headers['webhook-id'].slice(4))
equal('a delivery of its own', [copy.status, copy.attempt_number, copy.payload], ['success', 1, verified(resent)])
equal('what it repeats stays', (await wacht.getWebhookDelivery('shop', lost.delivery_id, {})).status, 'permanently_failed')

// Several, a range, and what cannot be.
const both = await ended((await wacht.replayWebhookDeliveries('shop', { delivery_ids: [well.delivery_id, lost.delivery_id, 'plum', '01ARZ3NDEKTSV4RRFFQ69G5FAV'] })).task_id)
equal('two of three', [both.total_count, both.replayed_count, both.failed_count], [3, 2, 1])
verified(await books.next())
verified(await mill.next())
const start_date = new Date(Date.now() - 3_600_000).toISOString()
const ranged = await ended((await wacht.replayWebhookDeliveries('shop', { start_date, end_date: new Date().toISOString(), status: 'permanently_failed', event_name: 'invoice.paid', endpoint_id: weak.id })).task_id)
equal('the one that was given up', [ranged.total_count, ranged.replayed_count], [1, 1])
equal('sent', verified(await mill.next()).data, { amount: 4200 })
await wacht.updateWebhookEndpoint('shop', weak.id, { is_active: false })
const off = await ended((await wacht.replayWebhookDelivery('shop', lost.delivery_id, {})).task_id)
equal('to nobody', [off.replayed_count, off.failed_count], [0, 1])
await wacht.reactivateWebhookEndpoint(weak.id)
const long = Array.from({ length: 501 }, () => lost.delivery_id)
await fails('too many', wacht.replayWebhookDeliveries('shop', { delivery_ids: long }), ValidationError, /^Maximum 500 delivery IDs are allowed per replay$/, 400)
await fails('too long', wacht.replayWebhookDeliveries('shop', { start_date: '2020-01-01T00:00:00Z' }), ValidationError, /^Replay range cannot exceed 48 hours$/, 400)
await fails('the wrong way round', wacht.replayWebhookDeliveries('shop', { start_date, end_date: '2020-01-01T00:00:00Z' }), ValidationError, /end_date/, 400)
await fails('no status', wacht.replayWebhookDeliveries('shop', { start_date, status: 'plum' }), ValidationError, /^invalid status$/, 400)
await fails('neither', wacht.replayWebhookDeliveries('shop', {}), WachtError, /^Invalid request payload/, 422)

// Tasks.
const tasks = await wacht.listWebhookReplayTasks('shop', {})
equal('tasks', [tasks.data.map((t) => t.task_id), tasks.has_more, tasks.limit, tasks.offset], [[off, ranged, both, task].map((t) => t.task_id), false, 20, 0])
equal('a page of tasks', (await wacht.listWebhookReplayTasks('shop', { limit: 1, offset: 1 })).data[0].task_id, ranged.task_id)
await wacht.updateWebhookEndpoint('shop', good.id, { rate_limit_config: { duration_ms: 60_000, max_requests: 1 } }) // what is replayed below stays here
const many = await Promise.allSettled(Array.from({ length: 8 }, () => wacht.replayWebhookDeliveries('shop', { delivery_ids: Array(500).fill(well.delivery_id) })))
const work = many.filter((one) => one.value).map((one) => one.value.task_id)
const most = many.filter((one) => one.reason).map((one) => one.reason)
check('three at once', work.length >= 3 && most.length > 0 && most.every((e) => e instanceof ValidationError && e.message === 'Maximum 3 replay jobs can run at once for this app'), many)
for (const id of work) equal('cancelled', await wacht.cancelWebhookReplayTask('shop', id), { status: 'cancelled', message: 'Replay task cancellation requested' })
const stopped = await wacht.getWebhookReplayTaskStatus('shop', work.at(-1))
check('it was', stopped.status === 'cancelled' && stopped.processed < 500, stopped)
await wacht.cancelWebhookReplayTask('shop', task.task_id)
equal('what had ended has', (await wacht.getWebhookReplayTaskStatus('shop', task.task_id)).status, 'completed')
await fails('no task', wacht.getWebhookReplayTaskStatus('shop', 'webhook-replay-batch-1-1'), NotFoundError, /^Replay task not found$/, 404)
await fails('no task to cancel', wacht.cancelWebhookReplayTask('shop', 'plum'), NotFoundError, /^Replay task not found$/, 404)

// Figures, of an app in which nothing else happens.
const till = await wacht.createWebhookApp({ name: 'Till', app_slug: 'till', event_catalog_slug: 'billing' })
const fine = await wacht.createWebhookEndpoint('till', { url: `${books.url}/till`, subscriptions: [...subscriptions, { event_name: 'invoice.voided' }] })
const poor = await wacht.createWebhookEndpoint('till', { url: `${mill.url}/till`, subscriptions })
await wacht.createWebhookEndpoint('till', { url: 'http://127.0.0.1:1/till', subscriptions: [{ event_name: 'invoice.voided' }], max_retries: 1 })
mill.answer = () => ({ status: 404 })
for (const event_name of ['invoice.paid', 'invoice.paid', 'invoice.voided']) await wacht.triggerWebhook('till', { event_name, payload: {} })
const stats = await until(async () => {
  const s = await wacht.getWebhookStats('till')
  return s.total_deliveries === 6 && s
}, 'six deliveries')
equal('stats', stats, { total_deliveries: 6, success_rate: 50, active_endpoints: 3, failed_deliveries_24h: 3 })
const { endpoint_performance, avg_response_time_ms, p50_response_time_ms, p95_response_time_ms, p99_response_time_ms, ...counts } = await wacht.getWebhookAnalytics('till', {})
equal('analytics', counts, { total_events: 2, total_deliveries: 6, successful_deliveries: 3, failed_deliveries: 3, filtered_deliveries: 0, success_rate: 50,
  top_events: [{ event_name: 'invoice.paid', count: 2 }, { event_name: 'invoice.voided', count: 1 }],
  failure_reasons: [{ reason: 'Client Error (4xx)', count: 2 }, { reason: 'Connection Failed', count: 1 }] })
check('times', [avg_response_time_ms, p50_response_time_ms, p95_response_time_ms, p99_response_time_ms].every((ms) => ms > 0), avg_response_time_ms)
equal('by endpoint', endpoint_performance.length, 3)
const { avg_response_time_ms: mean, ...best } = endpoint_performance.find((e) => e.endpoint_id === fine.id)
equal('the best', best, { endpoint_id: fine.id, endpoint_url: `${books.url}/till`, total_attempts: 3, successful_attempts: 3, failed_attempts: 0, success_rate: 100 })
check('its time', mean > 0, mean)
const worst = await wacht.getWebhookAnalytics('till', { endpoint_id: poor.id, start_date, end_date: new Date(Date.now() + 60_000).toISOString() })
equal('of one', [worst.total_deliveries, worst.failed_deliveries, worst.success_rate, worst.endpoint_performance.length], [2, 2, 0, 1])
equal('of another time', (await wacht.getWebhookAnalytics('till', { start_date: '2020-01-01T00:00:00Z', end_date: '2020-01-02T00:00:00Z' })).total_deliveries, 0)
equal('through the global client', (await wacht.getWebhookAnalytics('till')).total_deliveries, 6)
for (const interval of ['minute', 'hour', 'day', 'week', 'month']) {
  const series = await wacht.getWebhookTimeseries('till', { interval })
  const sum = (name) => series.data.reduce((n, point) => n + point[name], 0)
  equal(interval, [series.interval, sum('total_events'), sum('total_deliveries'), sum('successful_deliveries'), sum('failed_deliveries'), sum('filtered_deliveries')], [interval, 6, 6, 3, 3, 0])
}
equal('by the global client', (await wacht.getWebhookTimeseries('till')).interval, 'day')
equal('of one endpoint', (await wacht.getWebhookTimeseries('till', { endpoint_id: fine.id })).data.at(-1).success_rate, 100)
await fails('no interval', wacht.getWebhookTimeseries('till', { interval: 'year' }), ValidationError, /interval/, 400)
await fails('no endpoint', wacht.getWebhookAnalytics('till', { endpoint_id: '7' }), ValidationError, /^Invalid endpoint ID/, 400)
check('an app of its own', till.signing_secret !== secret, till)

// The same deliveries elsewhere.
const native = async (path) => (await fetch(`${hooktape.api}/api/v1${path}`)).json()
const seen = await native(`/deliveries/dlv_${lost.delivery_id}`)
equal('natively', [seen.status, seen.attempts, seen.last_attempt.response_status], ['failed', 1, 500])
check('as attempts', (await hooktape.cli('attempts', 'ls', '--endpoint', fine.id)).includes('200'), 'no attempt')

await Promise.all([books.close(), mill.close()])
await hooktape.stop()
done('wachtlog')
