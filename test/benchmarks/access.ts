/** What it costs to check a key, a signature and a read token, beside the bare hash or signature of the same bytes. `node test/benchmarks/access.ts`. */
import { createHmac, hash, randomBytes } from 'node:crypto'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createAccess } from '@freshet/access/access'
import { newKey } from '@freshet/access/new-key'
import { newToken } from '@freshet/access/new-token'
import { accessSettings } from '@freshet/access/settings'
import { sign } from '@freshet/access/signature'
import { createSystemClock } from '@freshet/adapters/system/clock'
import { jwtVerify } from 'jose'
import { z } from 'zod'
import { median, type Bench } from './bench.ts'
import { comparedRow, formatRows, type BenchRow } from './row.ts'

/** Checks between two readings of the clock. */
const together = 200
const keyCount = 100

/** All rows of this benchmark. */
export async function accessRows({ quick }: Pick<Bench, 'quick'> = { quick: false }): Promise<BenchRow[]> {
  const rounds = quick ? 20 : 300
  const { access, secret, server, write, token } = await aProcess()
  const headers =
    (given: Readonly<Record<string, string>>) =>
    (name: string): readonly string[] =>
      given[name] === undefined ? [] : [given[name]]
  try {
    const ofKey = headers({ 'freshet-key': write.text })
    const ofToken = headers({ authorization: `Bearer ${token}` })
    await access.identify(ofToken)
    const body = { method: 'POST', path: '/v1/engagements', bodySha256: hash('sha256', '{}', 'hex') }
    let at = Date.now()
    const signed = (): ((name: string) => readonly string[]) => {
      const time = String(at++)
      return headers({
        'freshet-key': server.entry.id,
        'freshet-time': time,
        'freshet-signature': sign(server.text, time, body),
      })
    }
    const row = { unit: 'µs', note: `${keyCount} keys in the file; headers as a lookup, without a server around it` }
    return [
      comparedRow({
        ...(await alternating(rounds, {
          value: () => access.identify(ofKey),
          reference: () => hash('sha256', write.text, 'buffer'),
        })),
        ...row,
        name: 'check of a write key',
        reference: 'SHA-256 of the key',
        aim: '≤ 5 µs',
      }),
      comparedRow({
        ...(await alternating(rounds, {
          prepare: signed,
          value: async (valuesOf) => (await access.identify(valuesOf)).signature?.check(body),
          reference: () => createHmac('sha256', server.text).update('x'.repeat(120)).digest('hex'),
        })),
        ...row,
        name: 'check of a signature',
        reference: 'HMAC of 120 bytes',
        aim: '',
      }),
      comparedRow({
        ...(await alternating(rounds, {
          value: () => access.identify(ofToken),
          reference: () => jwtVerify(token, secret),
        })),
        ...row,
        name: 'check of a read token that was seen before',
        reference: 'verification by jose',
        aim: '≤ 50 µs',
      }),
    ]
  } finally {
    access.close()
  }
}

/** Median times of one check, in µs, in alternating rounds. `prepare` is not timed. */
async function alternating<Given>(
  rounds: number,
  {
    prepare,
    value,
    reference,
  }: {
    readonly prepare?: () => Given
    readonly value: (given: Given) => unknown
    readonly reference: () => unknown
  },
): Promise<{ readonly value: number; readonly referenceValue: number }> {
  const [ours, theirs]: [number[], number[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const given = Array.from({ length: together }, () => prepare?.() as Given)
    ours.push(await timed((each) => value(given[each]!)))
    theirs.push(await timed(reference))
  }
  return { value: median(ours), referenceValue: median(theirs) }
}

/** µs of one call. */
async function timed(run: (each: number) => unknown): Promise<number> {
  const startMs = performance.now()
  for (let each = 0; each < together; each++) {
    const result = run(each)
    if (result instanceof Promise) await result
  }
  return ((performance.now() - startMs) * 1_000) / together
}

async function aProcess() {
  const folder = mkdtempSync(join(tmpdir(), 'freshet-access-'))
  const file = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }
  const createdAtMs = Date.now()
  const make = (kind: 'write' | 'server') =>
    newKey({ kind, project: 'bench', origins: [], createdAtMs, expiresAtMs: null }, randomBytes)
  const [write, server] = [make('write'), make('server')]
  const entries = [write, server, ...Array.from({ length: keyCount - 2 }, () => make('write'))].map(
    ({ entry }) => entry,
  )
  const secret = 'a secret of more than thirty-two bytes'
  const config = z.object(accessSettings).parse({
    keysFile: file('keys.json', JSON.stringify({ version: 1, keys: entries })),
    jwt: { secretFile: file('secret', secret) },
  })
  const access = await createAccess(config, {
    clock: createSystemClock(),
    onError: (error) => {
      throw error
    },
  })
  const expiresAtMs = createdAtMs + 3_600_000
  const token = await newToken({ userId: 'u1', issuedAtMs: createdAtMs, expiresAtMs }, secret)
  return { access, write, server, token, secret: new TextEncoder().encode(secret) }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.stdout.write(`${formatRows(await accessRows())}\n`)
