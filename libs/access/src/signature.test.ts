import { createHmac, hash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createFingerprints } from './fingerprints.ts'
import { emptySha256, pendingSignature, sign, signatureWindowMs, type Signed } from './signature.ts'
import { codeOf, testTimeMs } from './testing.ts'

const secret = 'fs_abcdefghij_secret'
const signed: Signed = { method: 'POST', path: '/v1/engagements?x=1', bodySha256: hash('sha256', '{}', 'hex') }

function memory(max = 1_000, nowMs = () => testTimeMs) {
  return createFingerprints({ windowMs: signatureWindowMs, max, nowMs })
}

function check(
  given: { readonly time?: string | null; readonly signature?: string | null; readonly of?: Signed },
  { seen = memory(), nowMs = testTimeMs } = {},
): Promise<string> {
  const { time = String(testTimeMs), of = signed } = given
  const signature = given.signature === undefined ? sign(secret, time ?? '', signed) : given.signature
  return codeOf(() => pendingSignature(secret, { time, signature }, { nowMs, seen }).check(of))
}

describe('a signature', () => {
  it('is the HMAC of time, method, path and the hash of the body, in lines', () => {
    const text = `${testTimeMs}\nPOST\n/v1/engagements?x=1\n${hash('sha256', '{}', 'hex')}`
    expect(sign(secret, String(testTimeMs), signed)).toBe(createHmac('sha256', secret).update(text).digest('hex'))
    expect(emptySha256).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855')
  })

  it('is good for what was signed, and for nothing else', async () => {
    expect(await check({})).toBe('none')
    for (const change of [{ method: 'GET' }, { path: '/v1/engagements' }, { bodySha256: emptySha256 }])
      expect(await check({ of: { ...signed, ...change } })).toBe('ACCESS_SIGNATURE_WRONG')
    expect(await check({ signature: sign('other', String(testTimeMs), signed) })).toBe('ACCESS_SIGNATURE_WRONG')
  })

  it('may be five minutes old or ahead, and not more', async () => {
    for (const [offsetMs, code] of [
      [-signatureWindowMs, 'none'],
      [signatureWindowMs, 'none'],
      [-signatureWindowMs - 1, 'ACCESS_SIGNATURE_STALE'],
      [signatureWindowMs + 1, 'ACCESS_SIGNATURE_STALE'],
    ] as const)
      expect(await check({ time: String(testTimeMs + offsetMs) })).toBe(code)
  })

  it.each([
    ['no time', { time: null }, 'ACCESS_SIGNATURE_MISSING'],
    ['no signature', { signature: null }, 'ACCESS_SIGNATURE_MISSING'],
    ['a time in words', { time: 'now' }, 'ACCESS_SIGNATURE_STALE'],
    ['a time with a sign', { time: `+${testTimeMs}` }, 'ACCESS_SIGNATURE_STALE'],
    ['a short signature', { signature: 'ab' }, 'ACCESS_SIGNATURE_WRONG'],
    ['a signature that is not hexadecimal', { signature: 'z'.repeat(64) }, 'ACCESS_SIGNATURE_WRONG'],
  ])('with %s is refused', async (_name, given, code) => {
    expect(await check(given)).toBe(code)
  })

  it('works once in a process', async () => {
    const seen = memory()
    expect(await check({}, { seen })).toBe('none')
    expect(await check({}, { seen })).toBe('ACCESS_SIGNATURE_REPLAYED')
    expect(await check({ signature: sign(secret, String(testTimeMs), signed).toUpperCase() }, { seen })).toBe(
      'ACCESS_SIGNATURE_REPLAYED',
    )
  })

  it('that is wrong takes no room in the memory', async () => {
    const seen = memory(1)
    for (let i = 0; i < 10; i++) await check({ signature: String(i).repeat(64) }, { seen })
    expect(await check({}, { seen })).toBe('none')
    expect(await check({ time: String(testTimeMs + 1) }, { seen })).toBe('ACCESS_REPLAY_MEMORY_FULL')
  })
})

describe('the memory of signatures', () => {
  const bytesOf = (number: number): Uint8Array => hash('sha256', String(number), 'buffer')

  it('knows exactly what was added within the window', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(50), fc.integer({ min: -signatureWindowMs, max: signatureWindowMs })), {
          maxLength: 200,
        }),
        (adds) => {
          const seen = memory()
          const model = new Set<string>()
          for (const [number, offsetMs] of adds) {
            // The same signature always has the same time, because the time is signed.
            const timeMs = testTimeMs + (offsetMs % (number + 1))
            const name = `${number} ${timeMs}`
            const signature = hash('sha256', name, 'buffer')
            expect(seen.add(signature, timeMs)).toBe(model.has(name) ? 'known' : 'added')
            model.add(name)
          }
        },
      ),
    )
  })

  it('grows without losing any', () => {
    const seen = memory(100_000)
    for (let i = 0; i < 20_000; i++) expect(seen.add(bytesOf(i), testTimeMs)).toBe('added')
    for (let i = 0; i < 20_000; i += 97) expect(seen.add(bytesOf(i), testTimeMs)).toBe('known')
  })

  it('knows a signature for as long as it is accepted, whatever its time was', () => {
    fc.assert(
      fc.property(
        fc.nat(120_000),
        fc.integer({ min: -signatureWindowMs, max: signatureWindowMs }),
        fc.nat(2 * signatureWindowMs),
        (startMs, offsetMs, laterMs) => {
          let nowMs = testTimeMs + startMs
          const seen = memory(1_000, () => nowMs)
          const timeMs = nowMs + offsetMs
          seen.add(bytesOf(0), timeMs)
          nowMs = Math.min(nowMs + laterMs, timeMs + signatureWindowMs)
          // Others come in between.
          seen.add(bytesOf(1), nowMs)
          expect(seen.add(bytesOf(0), timeMs)).toBe('known')
        },
      ),
    )
  })

  it('forgets a signature within 30 seconds after it could be sent last, and then has room again', () => {
    let nowMs = testTimeMs
    const seen = memory(10, () => nowMs)
    for (let i = 0; i < 10; i++) expect(seen.add(bytesOf(i), nowMs)).toBe('added')
    expect(seen.add(bytesOf(10), nowMs)).toBe('full')
    nowMs += signatureWindowMs
    // What was signed then is still within the window.
    expect(seen.add(bytesOf(3), testTimeMs)).toBe('known')
    nowMs += 30_000
    expect(seen.add(bytesOf(11), nowMs)).toBe('added')
  })

  it('never refuses servers that send as many requests as fit into window and bucket', () => {
    const perSecond = 20
    let nowMs = testTimeMs
    const seen = memory((perSecond * (signatureWindowMs + 30_000)) / 1_000, () => nowMs)
    for (let i = 0; i < perSecond * 1_500; i++) {
      expect(seen.add(bytesOf(i), nowMs)).toBe('added')
      nowMs += 1_000 / perSecond
    }
  })
})
