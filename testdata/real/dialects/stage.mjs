// What the tests in this directory share: a hooktape of their own, and a
// receiver that notes what it is sent.
import assert from 'node:assert/strict'
import { spawn, execFile } from 'node:child_process'
import fs from 'node:fs'
import http from 'node:http'
import os from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'

// start runs `hooktape listen` with more arguments on a store of its own, and
// resolves once it is ready: { api, ingest, cli(...args) → stdout, log() → its
// stderr so far, stop() }.
export async function start(...args) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'hooktape-'))
  const env = { ...process.env, HOOKTAPE_STORE: path.join(dir, 'store') }
  const child = spawn('./hooktape', ['listen', '--json', '--ingest', '127.0.0.1:0', '--api', '127.0.0.1:0', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  let log = ''
  child.stderr.on('data', (chunk) => { log += chunk; process.stderr.write(chunk) })
  const ended = new Promise((end) => child.once('exit', end))
  process.once('exit', () => child.kill())
  const ready = await new Promise((resolve, reject) => {
    let text = ''
    child.stdout.on('data', (chunk) => {
      text += chunk
      const end = text.indexOf('\n')
      if (end >= 0) resolve(JSON.parse(text.slice(0, end)))
    })
    ended.then((code) => reject(new Error(`hooktape ended with ${code}`)))
  })
  const run = promisify(execFile)
  return {
    ...ready,
    log: () => log,
    cli: async (...words) => (await run('./hooktape', words, { env, maxBuffer: 64 << 20 })).stdout,
    stop: async () => { child.kill('SIGINT'); await ended; fs.rmSync(dir, { recursive: true }) },
  }
}

// receive listens and notes every request: { url, got, next() → the next one,
// answer(req) may be replaced: it returns { status, headers, body } }.
export async function receive() {
  const waiting = []
  const r = { got: [], answer: () => ({}) }
  let seen = 0
  const server = http.createServer(async (req, res) => {
    const chunks = []
    for await (const chunk of req) chunks.push(chunk)
    const raw = Buffer.concat(chunks)
    const request = { method: req.method, url: req.url, headers: req.headers, rawHeaders: req.rawHeaders, raw, text: raw.toString() }
    const { status = 200, headers = {}, body = '' } = await r.answer(request)
    res.writeHead(status, headers).end(body)
    r.got.push(request)
    waiting.shift()?.()
  })
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening))
  r.url = `http://127.0.0.1:${server.address().port}`
  r.next = async () => {
    if (seen === r.got.length) await new Promise((come) => waiting.push(come))
    return r.got[seen++]
  }
  r.close = () => new Promise((closed) => { server.closeAllConnections(); server.close(closed) })
  return r
}

// until asks again until the answer is truthy, for 20 s at most.
export async function until(ask, what = 'it') {
  for (const end = Date.now() + 20_000; Date.now() < end;) {
    const answer = await ask()
    if (answer) return answer
    await new Promise((again) => setTimeout(again, 50))
  }
  throw new Error(`${what} did not happen within 20 s`)
}

// counting is checks that are counted: done says how many there were. fails wants
// a call to be rejected with an error of a kind, with words and a statusCode.
export function counting() {
  let checks = 0
  return {
    check: (name, ok, got) => { assert.ok(ok, `${name}: got ${JSON.stringify(got)}`); checks++ },
    equal: (name, got, want) => { assert.deepEqual(got, want, name); checks++ },
    fails: async (name, call, kind, words, status) => {
      await assert.rejects(call, (e) => {
        assert.ok(e instanceof kind, `${name}: got ${e.constructor.name} ${e.message}`)
        assert.match(e.message, words, name)
        if (status) assert.equal(e.statusCode, status, name)
        return true
      })
      checks++
    },
    done: (name) => console.log(`${name}: ok, ${checks} checks`),
  }
}
