import { describe, expect, it } from 'vitest'
import { plantedBugs } from './planted-bugs.ts'
import { broken, fits, pageRules, pinRules, type Case } from './rules.ts'
import type { TruePin, TrueUser } from './truth.ts'

const atMs = Date.UTC(2026, 0, 1)
const user: TrueUser = {
  userId: 'u',
  age: null,
  locale: '',
  labels: [],
  includesOwn: false,
  wishes: new Map(),
  seen: new Map(),
  shown: [],
  acts: 0,
  knownUntil: 0,
}
const pin: TruePin = {
  pinId: 'p',
  words: [],
  topics: [],
  creatorId: 'c',
  createdAtMs: atMs,
  locale: '',
  availableFromMs: null,
  expiresAtMs: null,
  labels: [],
  minAge: 0,
  picture: '',
}

function aCase(given: { readonly pin?: Partial<TruePin>; readonly user?: Partial<TrueUser> } = {}): Case {
  const truePin = { ...pin, ...given.pin }
  const trueUser = { ...user, ...given.user }
  return {
    truth: { pins: new Map([['p', truePin]]), users: new Map([['u', trueUser]]), deleted: new Set() },
    user: trueUser,
    asked: {
      surface: 'home',
      about: '',
      pageSize: 5,
      atMs,
      locale: 'de-AT',
      topics: [],
      creators: [],
      maxAgeMs: null,
      exclude: [],
      seenElsewhere: [],
      labels: [],
      age: null,
      includesOwn: false,
      before: [],
    },
    answered: { items: [{ pinId: 'p', seenAgain: false }], isFull: true, reasons: [] },
    promised: {
      servedWindowMs: 1000,
      mostOfCreator: 3,
      mostOfTopic: 15,
      capWindow: 25,
      locales: ['de', 'de-AT', 'de-DE'],
    },
    until: Number.POSITIVE_INFINITY,
    eligible: () => [],
  }
}

describe('planted bugs', () => {
  it('are at least ten, each of a rule of its own', () => {
    const rules = plantedBugs.map(({ rule }) => rule)
    expect(new Set(rules).size).toBe(rules.length)
    expect(rules.length).toBeGreaterThanOrEqual(10)
    const known = [...Object.keys(pinRules), ...Object.keys(pageRules)]
    expect(rules.filter((rule) => !known.includes(rule))).toEqual([])
  })
})

describe('the rules', () => {
  it('accept a pin that everybody may see', () => {
    expect(broken(aCase())).toEqual([])
  })

  it.each([
    ['expired', { pin: { expiresAtMs: atMs } }],
    ['not yet available', { pin: { availableFromMs: atMs + 1000 } }],
    ['safety label', { pin: { labels: ['adult'] } }],
    ['minimum age', { pin: { minAge: 1 } }],
    ['other locale', { pin: { locale: 'de-DE' } }],
    ['own pin', { pin: { creatorId: 'u' } }],
    ['hidden', { user: { wishes: new Map([['hide p', { stands: true, since: 1, own: 1 }]]) } }],
    ['repeated within the window', { user: { shown: [{ pinId: 'p', atMs: atMs - 999 }] } }],
    ['seen, not marked', { user: { seen: new Map([['p', { atMs, since: 1 }]]) } }],
  ] as const)('name what breaks them: %s', (rule, given) => {
    expect(broken(aCase(given))).toEqual([`${rule}: p`])
  })

  it('know which locales suit a reader', () => {
    const offered = ['de', 'de-AT', 'de-DE', 'fr-FR']
    const suiting = (reader: string) => ['', ...offered].filter((locale) => fits(locale, reader, offered))
    expect(suiting('de-AT')).toEqual(['', 'de', 'de-AT'])
    expect(suiting('de-CH')).toEqual(['', 'de', 'de-AT', 'de-DE'])
    expect(suiting('de')).toEqual(['', 'de', 'de-AT', 'de-DE'])
    expect(suiting('ja')).toEqual([''])
    expect(suiting('')).toEqual(['', ...offered])
  })
})
