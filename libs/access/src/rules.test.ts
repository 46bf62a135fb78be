import { describe, expect, it } from 'vitest'
import { openCaller, type Caller, type CallerKind } from './caller.ts'
import { checkCaller, checkMessage, type CallRule, type Rule } from './rules.ts'

const caller = (kind: CallerKind, userId: string | null = null): Caller => ({ kind, keyId: kind, userId })
const code = (check: () => void): string => {
  try {
    check()
    return 'allowed'
  } catch (error) {
    return (error as { code: string }).code
  }
}

describe('checkCaller', () => {
  const rules: readonly Rule[] = ['public', 'write', 'read-own', 'trusted', 'admin', 'internal']
  const allowed: Readonly<Record<CallerKind, readonly Rule[]>> = {
    open: rules,
    anonymous: ['public'],
    write: ['public', 'write'],
    reader: ['public', 'read-own'],
    server: ['public', 'write', 'read-own', 'trusted'],
    admin: ['public', 'write', 'read-own', 'trusted', 'admin'],
    internal: ['public', 'read-own', 'trusted', 'internal'],
  }
  const cells = (Object.keys(allowed) as CallerKind[]).flatMap((kind) => rules.map((rule) => [rule, kind] as const))

  it.each(cells)('decides a call with the rule %s of a caller of the kind %s', (rule, kind) => {
    const expected = allowed[kind].includes(rule)
      ? 'allowed'
      : kind === 'anonymous'
        ? 'ACCESS_KEY_MISSING'
        : 'ACCESS_DENIED'
    expect(code(() => checkCaller({ rule }, caller(kind)))).toBe(expected)
  })

  it('lets a write key read with a read token beside it', () => {
    expect(code(() => checkCaller({ rule: 'read-own' }, caller('write', 'u1')))).toBe('allowed')
  })
})

describe('checkMessage', () => {
  interface Message {
    readonly user: string
    readonly explain?: boolean
  }
  const rule: CallRule<Message> = {
    rule: 'read-own',
    user: ({ user }) => user,
    trustedField: ({ explain }) => (explain === true ? 'explain' : null),
  }

  it('lets a reader ask for its own subject, and for nobody', () => {
    expect(code(() => checkMessage(rule, caller('reader', 'u1'), { user: 'u1' }))).toBe('allowed')
    expect(code(() => checkMessage(rule, caller('reader', 'u1'), { user: '' }))).toBe('allowed')
  })

  it('refuses another user, and a key without a token', () => {
    expect(code(() => checkMessage(rule, caller('reader', 'u1'), { user: 'u2' }))).toBe('ACCESS_OTHER_USER')
    expect(code(() => checkMessage(rule, caller('write'), { user: 'u2' }))).toBe('ACCESS_DENIED')
  })

  it('refuses what a rule denies to callers that are not trusted, with the words of the rule', () => {
    const strict: CallRule<Message> = { ...rule, denied: ({ user }) => (user === 'u1' ? 'user: is taken' : null) }
    expect(() => checkMessage(strict, caller('reader', 'u1'), { user: 'u1' })).toThrow('user: is taken')
    expect(code(() => checkMessage(strict, caller('reader', 'u1'), { user: 'u1' }))).toBe('ACCESS_FIELD_DENIED')
    expect(code(() => checkMessage(strict, caller('server'), { user: 'u1' }))).toBe('allowed')
  })

  it('keeps the fields of trusted callers for them', () => {
    const message = { user: 'u1', explain: true }
    expect(code(() => checkMessage(rule, caller('reader', 'u1'), message))).toBe('ACCESS_FIELD_DENIED')
    for (const trusted of [openCaller, caller('server'), caller('admin'), caller('internal')])
      expect(code(() => checkMessage(rule, trusted, { ...message, user: 'u2' }))).toBe('allowed')
  })
})
