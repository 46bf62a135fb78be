/**
 * `npm run sdk:example [-- FILE] [-- --port N]`: serves a page with the SDK beside it on an origin of its own, where `npm start`
 * lets pages post events and ask for feeds. FILE is `libs/client/examples/page.html` unless another page is given.
 */
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/** The origin that `npm start` allows has this port. */
const defaultPort = '8095'

const room = join(import.meta.dirname, '..')
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { port: { type: 'string', default: defaultPort } },
})
// npm runs scripts in the folder of the package, and INIT_CWD is where the command was called.
const page = resolve(process.env['INIT_CWD'] ?? '.', positionals[0] ?? join(room, 'examples/page.html'))
if (!existsSync(page)) throw new Error(`there is no file ${page}`)
const scripts = ['freshet.iife.js', 'freshet-events.iife.js', 'freshet.js', 'freshet-events.js']
if (!scripts.every((name) => existsSync(join(room, 'dist', name)))) await import('./build.ts')

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://page')
  const name = pathname.slice(1)
  const isScript = scripts.includes(name)
  if (!isScript && name !== '') return void response.writeHead(404).end()
  const file = isScript ? join(room, 'dist', name) : page
  if (!existsSync(file)) return void response.writeHead(404).end(`${file} is gone`)
  const type = isScript ? 'text/javascript' : 'text/html; charset=utf-8'
  response.writeHead(200, { 'content-type': type, 'cache-control': 'no-cache' })
  response.end(readFileSync(file))
})
server.listen(Number(values.port), 'localhost', () => {
  console.log(`${page}\nis at http://localhost:${values.port} while this runs; \`npm start\` must run too`)
})
