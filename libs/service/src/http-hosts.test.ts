import { openAccess, type Access } from '@freshet/access/access'
import { AccessError } from '@freshet/access/errors'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createByteRoom } from './byte-room.ts'
import { createHttpApp } from './http-app.ts'
import { createMetrics } from './metrics.ts'
import { httpSettings } from './settings.ts'

function anApp(access: Partial<Access>, hosts?: readonly string[]) {
  const app = createHttpApp({
    ...{ name: 'test', access: { ...openAccess, ...access }, maxBodyBytes: 1_024, origins: [], methods: ['GET'] },
    limits: z.object(httpSettings(0)).parse({}),
    room: createByteRoom(1_024, () => performance.now()),
    answerTo: () => '{}',
    metrics: createMetrics(),
    ...(hosts && { hosts }),
  })
  app.setErrorHandler((error, _request, reply) =>
    error instanceof AccessError ? reply.code(error.httpStatus).send(error.code) : reply.code(500).send(),
  )
  app.get('/', { config: { access: { rule: 'public' } } }, async () => 'ok')
  return async (host: string) => (await app.inject({ url: '/', headers: { host } })).body
}

const ours = ['localhost', 'localhost:8080', '127.0.0.1:8080', '127.3.2.1', '[::1]:8080', 'LOCALHOST:80']
const foreign = [
  'rebound.example',
  'localhost.example:8080',
  '127.0.0.1.example',
  'localhost@rebound.example',
  '10.0.0.1',
  '0.0.0.0:8080',
  '[::2]',
  ':80',
  'local host',
]

describe('the host of a request', () => {
  it.each(ours)('may be %s where only this machine may call', async (host) => {
    expect(await anApp({ loopbackOnly: true })(host)).toBe('ok')
  })

  it.each(foreign)('may not be %s there', async (host) => {
    const refused: string[] = []
    const ask = anApp({ loopbackOnly: true, refused: (_server, code) => void refused.push(code) })
    expect(await ask(host)).toBe('ACCESS_HOST_REFUSED')
    expect(refused).toEqual(['ACCESS_HOST_REFUSED'])
  })

  it('may be any where keys or a setting say who may call', async () => {
    for (const host of [...ours, ...foreign]) expect(await anApp({ loopbackOnly: false })(host)).toBe('ok')
  })

  it('is checked by a server with names of its own, whoever may call', async () => {
    const ask = anApp({ open: false, loopbackOnly: false }, ['console.example.org'])
    expect([await ask('console.example.org:443'), await ask('localhost'), await ask('rebound.example')]).toEqual([
      'ok',
      'ok',
      'ACCESS_HOST_REFUSED',
    ])
  })
})
