// An Express app as GitHub's guide has it: the raw body, then the signature,
// compared in constant time. Writes a line for each webhook it believes.
import crypto from 'node:crypto'
import fs from 'node:fs'
import express from 'express'

const app = express()
app.post('/github/hooks', express.raw({ type: '*/*', limit: '30mb' }), (req, res) => {
  const want = Buffer.from('sha256=' + crypto.createHmac('sha256', process.env.SECRET).update(req.body).digest('hex'))
  const got = Buffer.from(req.get('X-Hub-Signature-256') ?? '')
  if (want.length !== got.length || !crypto.timingSafeEqual(want, got)) return res.status(401).send('bad signature')
  JSON.parse(req.body)
  console.log(req.get('X-GitHub-Delivery'), req.get('X-GitHub-Event'), crypto.createHash('sha256').update(req.body).digest('hex'))
  res.sendStatus(204)
})
const server = app.listen(0, '127.0.0.1', () => {
  fs.writeFileSync(process.argv[2], `http://127.0.0.1:${server.address().port}`)
})
