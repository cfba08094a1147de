// The api that Coviu hands to its plugins, as far as its document on webhooks
// describes it, over hooktape:
//
//   import { connect } from './coviu.mjs'
//   const api = connect({ url: 'http://127.0.0.1:4081', plugin: 'my-plugin', token })
//   const { referenceId, status, data, error } =
//     await api.webhooks.trigger('webhookId', { key: 'value' }, { header: 'value' }, { page: 2 })
//
// The promise is fulfilled whatever the endpoint answers, and also where it
// cannot be contacted: then error is true, and status 0. It is rejected, with an
// Error whose code says why, where there is no such webhook ("unknown_webhook"),
// where data, headers or queryParams do not fit its registration
// ("invalid_request"), where the token does not allow it ("unauthorized",
// "forbidden"), and where the service fails or is not there ("internal").

class TriggerError extends Error {
  constructor(code, message, status, cause) {
    super(message, cause && { cause })
    this.name = 'TriggerError'
    this.code = code
    this.status = status // of the service's answer; undefined where there was none
  }
}

// connect makes the api of a plugin. token is one of the scope ingest; fetch may
// be replaced.
export function connect({ url, plugin, token, fetch = globalThis.fetch }) {
  const base = `${String(url).replace(/\/+$/, '')}/coviu/v1/plugins/${encodeURIComponent(plugin)}/webhooks/`
  const headers = { 'Content-Type': 'application/json', ...(token && { Authorization: `Bearer ${token}` }) }

  async function trigger(webhookId, data, given = {}, queryParams = null) {
    let res, answer
    try {
      const body = JSON.stringify({ data, headers: given, queryParams })
      res = await fetch(base + encodeURIComponent(webhookId) + '/trigger', { method: 'POST', headers, body })
      answer = await res.json()
    } catch (err) {
      throw new TriggerError('internal', 'the webhook service cannot be reached, or does not answer as it should', res?.status, err)
    }
    if (!res.ok) throw new TriggerError(answer?.code ?? 'internal', answer?.message ?? `the service answered ${res.status}`, res.status)
    return answer
  }

  return { webhooks: { trigger } }
}
