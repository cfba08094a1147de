// Sends webhooks FROM to TO, one after the other on a kept connection.
import fs from 'node:fs'
import http from 'node:http'

const [url, from, to] = process.argv.slice(2)
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })

function send([n, event, delivery, signature]) {
  return new Promise((resolve, reject) => {
    const req = http.request(url + '/in/github/hooks', {
      agent, method: 'POST', timeout: 30_000,
      headers: {
        'User-Agent': 'GitHub-Hookshot/0000000', 'Content-Type': 'application/json',
        'X-GitHub-Event': event, 'X-GitHub-Delivery': delivery, 'X-Hub-Signature-256': signature,
      },
    }, (res) => {
      res.resume().on('end', () => (res.statusCode === 202 ? resolve() : reject(new Error(`${n}: ${res.statusCode}`))))
    })
    req.on('error', reject).on('timeout', () => req.destroy(new Error(`${n}: no answer`)))
    req.end(fs.readFileSync(`payloads/${n}`)) // no length is given: Node states it itself
  })
}

for (const line of fs.readFileSync('webhooks', 'utf8').trim().split('\n').slice(from, to)) await send(line.split(' '))
agent.destroy()
