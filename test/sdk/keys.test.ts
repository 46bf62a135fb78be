import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFreshet, type FreshetError } from '@freshet/client/node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startDevServer, type DevServer } from './dev-server.ts'
import { runProgram } from './package.ts'

const root = join(import.meta.dirname, '../..')
const folder = mkdtempSync(join(tmpdir(), 'freshet-sdk-keys-'))
const file = (name: string): string => join(folder, name)
let dev: DevServer
let writeKey = ''

/** `freshet keys …`; what it prints. */
async function keys(...words: string[]): Promise<string> {
  const { stdout } = await runProgram(process.execPath, ['apps/freshet/bin/freshet.js', 'keys', ...words], {
    cwd: root,
  })
  return stdout.trim()
}
const tokenOf = (userId: string): Promise<string> => keys('token', userId, '--secret-file', file('token.secret'))

beforeAll(async () => {
  writeFileSync(file('token.secret'), 'a secret of the tests that is long enough for HS256')
  writeKey = await keys('create', 'write', '--file', file('keys.json'), '--origin', 'https://www.example.org')
  dev = await startDevServer({
    FRESHET_ACCESS_KEYS_FILE: file('keys.json'),
    FRESHET_ACCESS_JWT_SECRET_FILE: file('token.secret'),
  })
})
afterAll(async () => {
  await dev?.remove()
  rmSync(folder, { recursive: true, force: true })
})

describe('servers that are closed', () => {
  it('take events with the write key, and give a feed to the user of the token', async () => {
    const asked: string[] = []
    const freshet = createFreshet({
      ingestUrl: dev.ingestUrl,
      feedUrl: dev.feedUrl,
      writeKey,
      readToken() {
        asked.push('ann')
        return tokenOf('ann')
      },
    })
    await freshet.save('pin1', { userId: 'ann', boardId: 'shoes' })
    expect(await freshet.flush()).toEqual({ left: 0 })
    expect(freshet.counts()).toMatchObject({ accepted: 1, rejected: 0 })
    expect(await freshet.feed({ userId: 'ann' })).toMatchObject({ freshness: 'CURRENT' })
    await expect(freshet.feed({ userId: 'bob' })).rejects.toMatchObject({ status: 403 })
    // Once more, as a token can be of the user before.
    expect(asked).toHaveLength(2)
    await freshet.close()
  })

  it('merge the anonymous user into the user of the token', async () => {
    const freshet = createFreshet({
      ...{ ingestUrl: dev.ingestUrl, feedUrl: dev.feedUrl, writeKey },
      readToken: () => tokenOf('cleo'),
    })
    await freshet.save('pin1')
    await freshet.identify('cleo')
    expect(await freshet.flush()).toEqual({ left: 0 })
    expect(freshet.counts()).toMatchObject({ accepted: 2, rejected: 0 })
    expect(await freshet.feed()).toMatchObject({ freshness: 'CURRENT' })
    await freshet.close()
  })

  it('refuse events without a key, which stay queued', async () => {
    const codes: string[] = []
    const freshet = createFreshet({
      ingestUrl: dev.ingestUrl,
      onError: (error) => codes.push((error as FreshetError).code),
    })
    await freshet.save('pin1', { userId: 'ann', eventId: 'e1' })
    expect(await freshet.flush()).toEqual({ left: 1 })
    expect(codes).toHaveLength(1)
    expect(codes[0]).toMatch(/^(?!HTTP_)[A-Z_]+$/)
    expect(freshet.counts()).toMatchObject({ accepted: 0, rejected: 0 })
    await freshet.close()
  })
})
