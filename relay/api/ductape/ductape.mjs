// Ductape's webhooks and webhook events as its document calls them, over a
// hooktape on this machine, without any dependency. Copy this file to where it
// is used.
//
//   import Ductape from './ductape.mjs'
//   const ductape = new Ductape({ url: 'http://127.0.0.1:4081', token: '…' })
//   const event = await ductape.app.webhooks.events.create({
//     name: 'Order paid', tag: 'orders:paid', description: 'An order was paid',
//     sample: { headers: {}, query: {}, body: { event: 'order.paid', id: 'o_1' }, params: {} },
//   })
//
// url is hooktape's management address; token is one of `hooktape tokens create`,
// where there are any. Each call resolves with what is there then, or rejects with
// a DuctapeError that says what is wrong.
//
//   app.webhooks.create({ name, tag, description, envs, events?, mode? })
//   app.webhooks.update(tag, changes)         only what is named changes
//   app.webhooks.fetchAll()                   an array
//   app.webhooks.fetch(tag)
//   app.webhooks.delete(tag)                  with its events
//   app.webhooks.importBulk({ version: '1.0', webhooks: [...] })
//   app.webhooks.events.create({ name, tag: 'webhook:event', description, sample, selector?, selectorValue? })
//   app.webhooks.events.update(tag, changes)  a sample is replaced whole
//   app.webhooks.events.fetchAll(webhook)     an array
//   app.webhooks.events.fetch(tag)
//   app.webhooks.events.delete(tag)
//   products.webhooks.generateLink({ product, access_tag, webhook_tag, env, url?, method? })
//                                             { link }: where the webhook is to be sent, to go on to url
//   products.webhooks.enable({ product, access_tag, webhook_tag, envs: [{ slug, url, method }] })
//   products.webhooks.fetchAll(product, access_tag?)

// DuctapeError is why a call was refused: a sentence, and for programs a code
// (invalid, conflict, not_found, …) and the HTTP status, 0 where hooktape could
// not be reached.
export class DuctapeError extends Error {
  constructor(message, code, status, options) {
    super(message, options)
    this.name = 'DuctapeError'
    this.code = code
    this.status = status
  }
}

export default class Ductape {
  #url
  #token

  constructor({ url = 'http://127.0.0.1:4081', token } = {}) {
    this.#url = url.replace(/\/+$/, '')
    this.#token = token
    const webhooks = this.#resource('/webhooks')
    const events = this.#resource('/events')
    this.app = {
      webhooks: {
        ...webhooks,
        importBulk: (file) => this.#call('POST', '/webhooks/import', file),
        events: { ...events, fetchAll: (webhook) => this.#call('GET', path('/webhooks', webhook) + '/events') },
      },
    }
    this.products = {
      webhooks: {
        enable: (about) => this.#call('POST', path('/products', about.product) + '/webhooks', about),
        generateLink: (about) => this.#call('POST', path('/products', about.product) + '/webhooks/generate-link', about),
        fetchAll: (product, access = '') => this.#call('GET', path('/products', product) + '/webhooks?access_tag=' + encodeURIComponent(access)),
      },
    }
  }

  #resource(at) {
    return {
      create: (made) => this.#call('POST', at, made),
      update: (tag, changes) => this.#call('PUT', path(at, tag), changes),
      fetchAll: () => this.#call('GET', at),
      fetch: (tag) => this.#call('GET', path(at, tag)),
      delete: (tag) => this.#call('DELETE', path(at, tag)),
    }
  }

  async #call(method, at, body) {
    const headers = this.#token ? { Authorization: `Bearer ${this.#token}` } : {}
    if (body !== undefined) headers['Content-Type'] = 'application/json'
    let response, answer
    try {
      response = await fetch(`${this.#url}/ductape/v1${at}`, { method, headers, body: body === undefined ? undefined : JSON.stringify(body) })
      answer = await response.json()
    } catch (cause) {
      throw new DuctapeError(`hooktape at ${this.#url} gave no answer: ${cause.message}`, 'unreachable', response?.status ?? 0, { cause })
    }
    if (answer.status !== true) throw new DuctapeError(answer.message, answer.code, response.status)
    return answer.data
  }
}

function path(at, tag) {
  if (typeof tag !== 'string' || tag === '') throw new DuctapeError('tag: it is required', 'invalid', 0)
  return `${at}/${encodeURIComponent(tag)}`
}
