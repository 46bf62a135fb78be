import { anonymousCaller, openCaller, type Caller } from '@freshet/access/caller'
import { maxSourceTag } from '@freshet/domain/engagement'
import { describe, expect, it } from 'vitest'
import type { CallSource } from './rate-limits.ts'
import { createRateSecret } from './rate-secret.ts'
import { createSourceTags } from './source-tags.ts'

const startMs = Date.UTC(2026, 0, 1)
const dayMs = 86_400_000

function aClock() {
  let nowMs = startMs
  return { now: () => nowMs, advance: (ms: number) => void (nowMs += ms) }
}

function someTags({ secret = 1, clock = aClock() } = {}) {
  const bytes = new Uint8Array(32).fill(secret)
  return createSourceTags({ secret: () => bytes, trustedProxies: ['198.51.100.1'], clock })
}

const writer: Caller = { kind: 'write', keyId: 'fw_a', userId: null }
const from = (peer: string, caller = writer, forwarded = ''): CallSource => ({ caller, peer, forwarded })

describe('the tag of an address', () => {
  it('is the same in all replicas with the same secret, for all keys, and on one day', () => {
    const clock = aClock()
    const [one, two] = [someTags({ clock }), someTags()]
    const tag = one.of(from('192.0.2.1'))
    expect(two.of(from('192.0.2.1', { ...writer, keyId: 'fw_b', userId: 'ada' }))).toBe(tag)
    expect(two.of(from('198.51.100.1', writer, '192.0.2.1'))).toBe(tag)
    clock.advance(dayMs - 1)
    expect(one.of(from('192.0.2.1'))).toBe(tag)
    clock.advance(1)
    expect(one.of(from('192.0.2.1'))).not.toBe(tag)
  })

  it('differs between addresses and between secrets, and has 24 bits', () => {
    const tags = someTags()
    const found = Array.from({ length: 200 }, (_, n) => tags.of(from(`192.0.2.${n}`)))
    expect(new Set(found).size).toBe(200)
    for (const tag of found) {
      expect(tag).toBeGreaterThan(0)
      expect(tag).toBeLessThanOrEqual(maxSourceTag)
    }
    expect(someTags({ secret: 2 }).of(from('192.0.2.1'))).not.toBe(tags.of(from('192.0.2.1')))
    expect(tags.of(from('2001:db8:1:2::3'))).toBe(tags.of(from('2001:db8:1:9::3')))
  })

  it.each([
    ['a process without keys', from('192.0.2.1', openCaller)],
    ['a server key', from('192.0.2.1', { ...writer, kind: 'server' })],
    ['an admin key', from('192.0.2.1', { ...writer, kind: 'admin' })],
    ['a client in a private network', from('10.0.0.1')],
    ['a client on this machine', from('::1')],
  ])('does not exist for %s', (_name, source) => {
    expect(someTags().of(source)).toBeNull()
  })

  it('does not need many hashes, and stays in bounded memory', () => {
    const tags = someTags()
    const first = tags.of(from('192.0.2.1'))
    for (let n = 0; n < 30_000; n++) void tags.of(from(`203.0.${n >> 8}.${n & 255}`))
    expect(tags.of(from('192.0.2.1', anonymousCaller))).toBe(first)
  })
})

describe('the secret', () => {
  const ownSecret = new Uint8Array(32).fill(1)
  const sharedSecret = new Uint8Array(32).fill(2)

  it('is the configured one, else the one of all replicas, else that of the process', async () => {
    const clock = aClock()
    const shared = { secret: () => Promise.resolve(sharedSecret) }
    const configured = new Uint8Array(32).fill(3)
    expect(createRateSecret({ configured, shared, ownSecret, clock })()).toBe(configured)
    expect(createRateSecret({ configured: null, shared: null, ownSecret, clock })()).toBe(ownSecret)
    const secret = createRateSecret({ configured: null, shared, ownSecret, clock })
    expect(await secret()).toBe(sharedSecret)
    expect(secret()).toBe(sharedSecret)
  })

  it('is that of the process while the shared one cannot be read', async () => {
    const clock = aClock()
    let asked = 0
    let isAway = true
    const shared = {
      secret: () => {
        asked++
        return isAway ? Promise.reject(new Error('away')) : Promise.resolve(sharedSecret)
      },
    }
    const secret = createRateSecret({ configured: null, shared, ownSecret, clock })
    expect(await secret()).toBe(ownSecret)
    expect(secret()).toBe(ownSecret)
    expect(asked).toBe(1)
    isAway = false
    clock.advance(1_000)
    expect(await secret()).toBe(sharedSecret)
  })
})
