// Receivers of what registered endpoints are sent, a path each. The receiver
// /NAME verifies as secrets/NAME/FORMAT says, with every secret that is a file
// there, and answers with the status in status/NAME, or 204. What it got is a
// line in NAME.log: the event, the attempt, the files whose secrets verify
// (or "nobody") and the member n of the data.
import crypto from 'node:crypto'
import fs from 'node:fs'
import http from 'node:http'
import { Webhook } from 'standardwebhooks'

const verifies = {
  standard: (secret, body, headers) => new Webhook(secret).verify(body, headers),
  // As Blocklet Server's own verifier: over the JSON it parsed and wrote again.
  blocklet: (secret, body, headers) => {
    const [t, v1] = headers['x-webhook-signature'].split(',').map((part) => part.split('=')[1])
    const again = JSON.stringify(JSON.parse(body))
    const want = crypto.createHmac('sha256', secret).update(`${t}.${again}`).digest('hex')
    if (want !== v1 || Math.abs(Date.now() / 1000 - t) > 300) throw new Error('signature')
    return JSON.parse(body)
  },
  // The creator of an ARK webhook keeps the half of the token that is not sent.
  ark: (token, body, headers) => {
    if (headers.authorization + token.slice(32) !== token) throw new Error('token')
    return JSON.parse(body)
  },
}

function read(file) {
  try { return fs.readFileSync(file, 'utf8').trim() } catch { return '' }
}

const server = http.createServer(async (req, res) => {
  const name = req.url.slice(1)
  const chunks = []
  for await (const chunk of req) chunks.push(chunk)
  const body = Buffer.concat(chunks)
  let n = '-'
  const by = []
  for (const format of fs.readdirSync(`secrets/${name}`)) {
    for (const key of fs.readdirSync(`secrets/${name}/${format}`).sort()) {
      try {
        const said = verifies[format](read(`secrets/${name}/${format}/${key}`), body, req.headers)
        n = (said.data ?? said).n
        by.push(key)
      } catch { /* nobody's */ }
    }
  }
  fs.appendFileSync(`${name}.log`, `${req.headers['hooktape-event-id']} ${req.headers['hooktape-attempt']} ${by.join('+') || 'nobody'} ${n}\n`)
  res.writeHead(Number(read(`status/${name}`)) || 204).end()
})
server.listen(0, '127.0.0.1', () => fs.writeFileSync(process.argv[2], `http://127.0.0.1:${server.address().port}`))
