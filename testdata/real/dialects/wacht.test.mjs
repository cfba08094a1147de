// Wacht: @wacht/backend for every operation of apps, endpoints and catalogs,
// and standardwebhooks for what is delivered. Those of deliveries and figures
// are in wachtlog.test.mjs.
import assert from 'node:assert/strict'
import { WachtClient, initClient, AuthenticationError, AuthorizationError, ConflictError, NotFoundError, ValidationError, WachtError } from '@wacht/backend'
import { Webhook } from 'standardwebhooks'
import { counting, receive, start, until } from './stage.mjs'

const { check, equal, fails, done } = counting()

const hooktape = await start()
const shop = await receive()
// Whoever leaves the options out is sent to the global client.
initClient({ apiKey: 'any', baseUrl: hooktape.api })
const wacht = new WachtClient({ apiKey: 'any', baseUrl: hooktape.api }).webhooks
const native = async (path) => (await fetch(`${hooktape.api}/api/v1${path}`)).json()

// Catalogs.
const paid = { name: 'invoice.paid', description: 'An invoice was paid', group: 'invoices', example_payload: { amount: 4200, note: '{{plum' },
  schema: { type: 'object', properties: { amount: { type: 'number' }, customer: { type: 'object', properties: { tier: { type: 'string' } } } } } }
const made = await wacht.createWebhookEventCatalog({ slug: 'billing', name: 'Billing', events: [paid] })
check('a catalog', made.slug === 'billing' && made.deployment_id === '1', made)
equal('its event', made.events, [{ ...paid, is_archived: false }])
equal('the catalog again', await wacht.getWebhookEventCatalog('billing'), made)
const more = await wacht.appendWebhookEventCatalogEvents('billing', { events: [{ name: 'invoice.voided', description: 'Voided' }, { name: 'order.old', description: 'Old', is_archived: true }] })
equal('appended', more.events.map((e) => e.name), ['invoice.paid', 'invoice.voided', 'order.old'])
await fails('an event twice', wacht.appendWebhookEventCatalogEvents('billing', { events: [{ name: 'new', description: '' }, paid] }), ValidationError, /^Event with name 'invoice.paid' already exists/, 400)
equal('and nothing appended', (await wacht.getWebhookEventCatalog('billing')).events.length, 3)
const archived = await wacht.archiveWebhookEventInCatalog('billing', { event_name: 'order.old', is_archived: false })
equal('taken out of the archive', archived.events.map((e) => e.is_archived), [false, false, false])
await wacht.archiveWebhookEventInCatalog('billing', { event_name: 'order.old', is_archived: true })
equal('described', (await wacht.updateWebhookEventCatalog('billing', { description: 'Money' })).description, 'Money')
const catalogs = await wacht.listWebhookEventCatalogs({})
equal('catalogs', [catalogs.data.map((c) => c.slug), catalogs.has_more, catalogs.total], [['billing'], false, 1])
equal('catalogs through the global client', (await wacht.listWebhookEventCatalogs()).data.length, 1)
await fails('no catalog', wacht.getWebhookEventCatalog('no/ne'), NotFoundError, /^Webhook event catalog not found/, 404)
await fails('a catalog twice', wacht.createWebhookEventCatalog({ slug: 'billing', name: 'x', events: [] }), ConflictError, /already/, 409)
check('types', (await hooktape.cli('types', 'ls', '--own')).includes('billing:invoice.paid'), 'no billing:invoice.paid')

// Apps.
const app = await wacht.createWebhookApp({ name: 'Shop', app_slug: 'My Shop', description: 'Jam', failure_notification_emails: ['ada@example.com'], event_catalog_slug: 'billing' })
equal('an app', { ...app, signing_secret: '', created_at: '', updated_at: '' }, { deployment_id: '1', app_slug: 'my_shop', name: 'Shop', description: 'Jam', signing_secret: '',
  failure_notification_emails: ['ada@example.com'], event_catalog_slug: 'billing', is_active: true, created_at: '', updated_at: '' })
check('its secret', /^whsec_[A-Za-z0-9+/]{43}=$/.test(app.signing_secret), app.signing_secret)
equal('the app again', await wacht.getWebhookApp('my_shop'), app)
await fails('an app twice', wacht.createWebhookApp({ name: 'x', app_slug: 'MY-SHOP' }), ConflictError, /already/, 409)
await fails('no app', wacht.getWebhookApp('none'), NotFoundError, /^Webhook app not found/, 404)
await fails('no name', wacht.createWebhookApp({}), WachtError, /missing field name/, 422)
const bare = await wacht.createWebhookApp({ name: 'Bare' })
check('a slug of its own', bare.app_slug.startsWith('slug_'), bare)
const apps = await wacht.listWebhookApps({ limit: 1, include_inactive: true })
equal('apps', [apps.data.map((a) => a.app_slug), apps.has_more, apps.limit, apps.offset], [[bare.app_slug], true, 1, 0])
const renamed = await wacht.updateWebhookApp(bare.app_slug, { name: 'Barer', is_active: false })
equal('updated', [renamed.name, renamed.is_active], ['Barer', false])
check('inactive apps are left out', !(await wacht.listWebhookApps({})).data.some((a) => a.app_slug === bare.app_slug), apps)
equal('its events', (await wacht.listWebhookEvents('my_shop')).map((e) => e.event_name), ['invoice.paid', 'invoice.voided', 'order.old'])
equal('its catalog', (await wacht.getWebhookCatalog('my_shop')).slug, 'billing')
equal('no events', await wacht.listWebhookEvents(bare.app_slug), [])
await fails('no catalog of an app', wacht.getWebhookCatalog(bare.app_slug), NotFoundError, /^No catalog assigned to this app/, 404)
check('apps elsewhere', (await hooktape.cli('apps', 'ls')).includes('my_shop'), 'no my_shop')

// Endpoints.
const endpoint = await wacht.createWebhookEndpoint('my_shop', { url: `${shop.url}/hooks`, description: 'Books', headers: { 'X-Team': 'plum' }, max_retries: 3, timeout_seconds: 5,
  rate_limit_config: { duration_ms: 1000, max_requests: 50 }, subscriptions: [{ event_name: 'invoice.paid', filter_rules: { amount: { $gte: 1000 } } }] })
check('an endpoint', endpoint.id.startsWith('wh_') && endpoint.is_active && !endpoint.auto_disabled && endpoint.failure_count === 0, endpoint)
equal('as it was asked for', [endpoint.url, endpoint.description, endpoint.headers, endpoint.max_retries, endpoint.timeout_seconds, endpoint.rate_limit_config, endpoint.subscriptions],
  [`${shop.url}/hooks`, 'Books', { 'X-Team': 'plum' }, 3, 5, { duration_ms: 1000, max_requests: 50 }, [{ event_name: 'invoice.paid', filter_rules: { amount: { $gte: 1000 } } }]])
const wants = (body) => wacht.createWebhookEndpoint('my_shop', { url: `${shop.url}/other`, subscriptions: [{ event_name: 'invoice.paid' }], ...body })
await fails('a bad URL', wants({ url: 'ftp://example.com' }), ValidationError, /^Invalid webhook URL: /, 400)
await fails('a private address', wants({ url: 'http://169.254.169.254/' }), ValidationError, /^Invalid webhook URL: /, 400)
await fails('no subscription', wants({ subscriptions: [] }), ValidationError, /^At least one subscription is required/, 400)
await fails('an unknown event', wants({ subscriptions: [{ event_name: 'plum' }] }), ValidationError, /^Unknown event 'plum' for app 'my_shop'/, 400)
await fails('an archived event', wants({ subscriptions: [{ event_name: 'order.old' }] }), ValidationError, /is archived and cannot be subscribed/, 400)
await fails('an unknown operator', wants({ subscriptions: [{ event_name: 'invoice.paid', filter_rules: { amount: { $about: 1 } } }] }), ValidationError, /filter_rules/, 400)
await fails('an unknown field', wants({ subscriptions: [{ event_name: 'invoice.paid', filter_rules: { plum: 1 } }] }), ValidationError, /unknown filter field/, 400)
await fails('too many attempts', wants({ max_retries: 33 }), ValidationError, /max_retries/, 400)
await fails('an app without a catalog', wacht.createWebhookEndpoint(bare.app_slug, { url: shop.url, subscriptions: [{ event_name: 'invoice.paid' }] }), ValidationError, /^Unknown event/, 400)
const all = await wants({ url: `${shop.url}/all`, subscriptions: [{ event_name: 'invoice.paid' }, { event_name: 'invoice.voided' }] })
equal('attempts by default', [all.max_retries, all.timeout_seconds], [32, 30])
const endpoints = await wacht.listWebhookEndpoints('my_shop', {})
equal('endpoints', [endpoints.data.map((e) => e.id), endpoints.has_more], [[all.id, endpoint.id], false])
const seen = await native(`/endpoints/${endpoint.id}`)
equal('the endpoint elsewhere', [seen.app, seen.format, seen.retry.preset, seen.subscriptions[0].type], ['my_shop', 'wacht', 'wacht', 'invoice.paid'])

// Events, and how a receiver verifies them.
const verified = (request, secret) => new Webhook(secret).verify(request.text, request.headers)
const triggered = await wacht.triggerWebhook('my_shop', { event_name: 'invoice.paid', payload: { amount: 4200, customer: { tier: 'gold' } } })
equal('to both', [triggered.delivered_count, triggered.filtered_count, triggered.delivery_ids.length], [2, 0, 2])
for (const request of [await shop.next(), await shop.next()]) {
  const { type, timestamp, data } = verified(request, app.signing_secret)
  equal('what is sent', [type, data], ['invoice.paid', { amount: 4200, customer: { tier: 'gold' } }])
  equal('whole seconds', timestamp.slice(-5), '.000Z')
  check('its id', triggered.delivery_ids.some((id) => request.headers['webhook-id'] === `msg_${id}`), request.headers)
  check('its sender', request.headers['user-agent'] === 'Wacht-Webhook/1.0', request.headers)
  check('its headers', request.url === '/all' || request.headers['x-team'] === 'plum', request.headers)
  assert.throws(() => verified(request, bare.signing_secret))
}
equal('filtered', await wacht.triggerWebhook('my_shop', { event_name: 'invoice.paid', payload: { amount: 1 } }).then((r) => [r.delivered_count, r.filtered_count]), [1, 1])
equal('only to who has no rules', (await shop.next()).url, '/all')
equal('to nobody', await wacht.triggerWebhook('my_shop', { event_name: 'plum', payload: [1] }), { delivery_ids: [], filtered_count: 0, delivered_count: 0 })
await fails('an inactive app', wacht.triggerWebhook(bare.app_slug, { event_name: 'x', payload: {} }), NotFoundError, /^Webhook app not found/, 404)
await hooktape.cli('events', 'create', '--app', 'my_shop', '--type', 'invoice.voided', '--data', '{"from":"the command"}')
equal('from the command line', verified(await shop.next(), app.signing_secret).data, { from: 'the command' })

// Rotation: receivers change over while both secrets count.
const rotated = await wacht.rotateWebhookSecret('my_shop')
check('another secret', rotated.signing_secret !== app.signing_secret, rotated)
equal('which reads have', (await wacht.getWebhookApp('my_shop')).signing_secret, rotated.signing_secret)
await wacht.triggerWebhook('my_shop', { event_name: 'invoice.voided', payload: {} })
const both = await shop.next()
check('by the new one', verified(both, rotated.signing_secret), both)
check('and the old one', verified(both, app.signing_secret), both)

// A test, changes, reactivation.
const tested = await wacht.testWebhookEndpoint('my_shop', endpoint.id, { event_name: 'invoice.paid', payload: { plum: 1 } })
equal('a test', [tested.success, tested.status_code, tested.error], [true, 200, null])
equal('what it sends', verified(await shop.next(), rotated.signing_secret).type, 'test.webhook')
shop.answer = () => ({ status: 500, body: 'no plums' })
const failed = await wacht.testWebhookEndpoint('my_shop', endpoint.id, { event_name: 'invoice.paid' })
check('a test that fails', !failed.success && failed.status_code === 500 && failed.response_body === 'no plums' && failed.error, failed)
equal('its default payload', verified(await shop.next(), rotated.signing_secret).data.event, 'invoice.paid')
const listed = async (id) => (await wacht.listWebhookEndpoints('my_shop', { include_inactive: true })).data.find((e) => e.id === id)
check('a failure', (await listed(endpoint.id)).failure_count === 1 && (await listed(endpoint.id)).last_failure_at, await listed(endpoint.id))
shop.answer = () => ({ status: 410 })
await wacht.triggerWebhook('my_shop', { event_name: 'invoice.voided', payload: {} })
const gone = await until(async () => { const e = await listed(all.id); return e.auto_disabled && e }, 'disabling')
check('what is gone is disabled', !gone.is_active && gone.auto_disabled_at, gone)
shop.answer = () => ({})
equal('reactivated', await wacht.reactivateWebhookEndpoint(all.id), { success: true, message: `Endpoint ${shop.url}/all reactivated successfully` })
check('as new', (await listed(all.id)).is_active && !(await listed(all.id)).auto_disabled && (await listed(all.id)).failure_count === 0, await listed(all.id))
const changed = await wacht.updateWebhookEndpoint('my_shop', endpoint.id, { description: 'Ledger', is_active: false, headers: {}, rate_limit_config: null, subscriptions: [{ event_name: 'invoice.voided' }] })
equal('changed', [changed.description, changed.is_active, changed.headers, changed.rate_limit_config, changed.subscriptions],
  ['Ledger', false, {}, { duration_ms: 1000, max_requests: 50 }, [{ event_name: 'invoice.voided', filter_rules: {} }]])
check('inactive ones are left out', !(await wacht.listWebhookEndpoints('my_shop', {})).data.some((e) => e.id === endpoint.id), changed)
await fails("another app's endpoint", wacht.updateWebhookEndpoint(bare.app_slug, endpoint.id, {}), NotFoundError, /^Webhook endpoint not found/, 404)

// The end of them.
equal('deleted', await wacht.deleteWebhookEndpoint('my_shop', endpoint.id), {})
await fails('deleted twice', wacht.deleteWebhookEndpoint('my_shop', endpoint.id), NotFoundError, /^Webhook endpoint not found/, 404)
await fails('reactivated when gone', wacht.reactivateWebhookEndpoint(endpoint.id), NotFoundError, /^Webhook endpoint not found/, 404)
equal('the app too', await wacht.deleteWebhookApp('my_shop'), {})
await fails('no app any more', wacht.getWebhookApp('my_shop'), NotFoundError, /^Webhook app not found/, 404)

// Tokens, from now on.
const token = async (...args) => JSON.parse(await hooktape.cli('tokens', 'create', '--json', ...args)).token
const manager = await token('boss', '--scope', 'manage')
const as = (apiKey) => new WachtClient({ apiKey, baseUrl: hooktape.api }).webhooks
await fails('no key', wacht.listWebhookApps({}), AuthenticationError, /token/, 401)
await fails('a key that only reads', as(await token('reader', '--scope', 'read')).deleteWebhookApp(bare.app_slug), AuthorizationError, /scope read/, 403)
equal('a key that may', await as(manager).deleteWebhookApp(bare.app_slug), {})

await shop.close()
await hooktape.stop()
done('wacht')
