import type { CallRule } from '@freshet/access/rules'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ConsoleError } from '../errors.ts'
import type { PageFile, PageFiles } from './files.ts'

/** The built page, or why there is none. */
export type Page = { readonly files: PageFiles } | { readonly problem: string }

const anybody: CallRule = { rule: 'public' }
/** Paths that are never one of the page's own. */
const notOfThePage = /^\/(api|assets|pictures)(\/|$)/

/**
 * Adds the page: its files, and `index.html` for every path that is the page's own. `config` stands in it, so that the page need not ask
 * before it draws.
 */
export function addPage(app: FastifyInstance, pageOf: () => Promise<Page>, config: object): void {
  let index: PageFile | undefined
  app.get('/*', { config: { access: anybody } }, async (request, reply) => {
    const page = await pageOf()
    const path = request.url.split('?')[0]!
    if ('problem' in page) return notOfThePage.test(path) ? unknown(path) : withoutPage(reply, page.problem)
    const isIndex = path === '/index.html' || (!page.files.has(path) && !notOfThePage.test(path))
    const file = isIndex ? (index ??= withConfig(page.files.get('/index.html'), config)) : page.files.get(path)
    return file === undefined ? unknown(path) : send(file, request, reply)
  })
}

function send(file: PageFile, { headers }: FastifyRequest, reply: FastifyReply): FastifyReply {
  const accepted = (headers['accept-encoding'] ?? '')
    .split(',')
    .filter((part) => !/;\s*q=0(\.0*)?\s*$/.test(part))
    .map((part) => part.split(';')[0]!.trim())
  const encoding = (['br', 'gzip'] as const).find((name) => accepted.includes(name) && file.packed.has(name))
  reply
    .type(file.type)
    .header('cache-control', file.immutable ? 'public, max-age=31536000, immutable' : 'no-cache')
    .header('vary', 'accept-encoding')
  if (encoding !== undefined) reply.header('content-encoding', encoding)
  return reply.send(encoding === undefined ? file.bytes : file.packed.get(encoding))
}

/** Browsers run no script of this type, so the content-security policy allows it. */
function withConfig(file: PageFile | undefined, config: object): PageFile | undefined {
  if (file === undefined) return undefined
  const json = JSON.stringify(config).replaceAll('<', '\\u003c')
  const text = file.bytes
    .toString()
    .replace('</body>', () => `<script type="application/json" id="config">${json}</script></body>`)
  return { ...file, bytes: Buffer.from(text), packed: new Map() }
}

function unknown(path: string): never {
  throw new ConsoleError('CONSOLE_PATH_UNKNOWN', `there is nothing at ${JSON.stringify(path.slice(0, 100))}`)
}

/** A page of its own, since a blank one would say nothing. */
function withoutPage(reply: FastifyReply, problem: string): FastifyReply {
  const text = problem.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return reply
    .code(503)
    .type('text/html; charset=utf-8')
    .send(
      `<!doctype html><html lang="en"><title>Freshet</title><h1>The console has no page</h1><p>The services run. Only the page could not be made: run <code>npm run console:build</code>, then load this again.</p><pre>${text}</pre></html>`,
    )
}
