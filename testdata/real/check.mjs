// Compares what hooktape keeps, as its API tells it, with what was sent.
import assert from 'node:assert'
import crypto from 'node:crypto'
import fs from 'node:fs'

const api = process.argv[2] + '/api/v1/'
const rows = []
for (let cursor = ''; ;) {
  const page = await (await fetch(`${api}events?order=asc&limit=100&app=github&cursor=${cursor}`)).json()
  rows.push(...page.data)
  if (!(cursor = page.next_cursor)) break
}
const want = fs.readFileSync('webhooks', 'utf8').trim().split('\n').map((line) => line.split(' '))
assert.equal(rows.length, want.length)
for (const [i, [n, event, delivery, signature, sha256]] of want.entries()) {
  const row = rows[i]
  const sent = fs.readFileSync(`payloads/${n}`)
  assert.deepEqual(
    [row.provider, row.event_type, row.provider_delivery_id, row.signature, row.method, row.target, row.size, row.sha256],
    ['github', event, delivery, { verdict: 'unchecked', scheme: 'X-Hub-Signature-256' }, 'POST', '/hooks', sent.length, sha256], n)
  assert.equal(row.headers.find(([name]) => name.toLowerCase() === 'x-hub-signature-256')[1], signature, n)
  const body = Buffer.from(await (await fetch(`${api}events/${row.id}/body`)).arrayBuffer())
  assert.equal(crypto.createHash('sha256').update(body).digest('hex'), sha256, n)
}
