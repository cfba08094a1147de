// Writes every example payload as GitHub would send it: a body in payloads/N,
// and in webhooks a line with its number, event, delivery, signature, SHA-256.
import crypto from 'node:crypto'
import fs from 'node:fs'
import { createRequire } from 'node:module'

const events = createRequire(import.meta.url)('@octokit/webhooks-examples')
fs.mkdirSync('payloads')
const lines = []
for (const { name, examples } of events) {
  for (const example of examples) {
    const n = lines.length
    const body = Buffer.from(JSON.stringify(example))
    fs.writeFileSync(`payloads/${n}`, body)
    const signature = 'sha256=' + crypto.createHmac('sha256', process.env.SECRET).update(body).digest('hex')
    lines.push([n, name, crypto.randomUUID(), signature, crypto.createHash('sha256').update(body).digest('hex')].join(' '))
  }
}
fs.writeFileSync('webhooks', lines.join('\n') + '\n')
