import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { Case } from './case.ts'
import { plantedBugs } from './planted-bugs.ts'
import { playFeeds } from './play.ts'
import { broken, fits, pageRules, pinRules } from './rules.ts'
import type { TruePin, TrueUser } from './truth.ts'

const runner = fileURLToPath(new URL('run.ts', import.meta.url))

function run(...options: readonly string[]): Promise<{ readonly code: number; readonly output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [runner, ...options], { maxBuffer: 64 << 20 }, (_error, out, err) => {
      resolve({ code: child.exitCode ?? -1, output: `${out}${err}` })
    })
  })
}

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
      boardsOf: [],
      maxAgeMs: null,
      exclude: [],
      seenElsewhere: [],
      labels: [],
      age: null,
      includesOwn: false,
      before: [],
      above: [],
    },
    answered: { items: [{ pinId: 'p', seenAgain: false }], isFull: true, reasons: [] },
    promised: {
      servedWindowMs: 1000,
      caps: { mostOfCreator: 2, mostOfTopic: 3, mostOfTopicAtStart: 2, window: 25, pool: 200, pagesRankedAgain: 40 },
      shares: [],
    },
    until: Number.POSITIVE_INFINITY,
    offered: ['de', 'de-AT', 'de-DE'],
    candidates: null,
  }
}

describe('feeds of a random world', () => {
  it('break no rule, and are the same byte for byte from the same seed', async () => {
    const [first, second] = [await playFeeds({ seed: 3, feeds: 400 }), await playFeeds({ seed: 3, feeds: 400 })]
    expect([...first.violations]).toEqual([])
    expect(first.pages.degraded).toBeGreaterThan(0)
    expect(first.seenAgain).toBeGreaterThan(0)
    expect(second.digest).toBe(first.digest)
  })

  it('keep the shares of sources that the settings ask for', async () => {
    expect([...(await playFeeds({ seed: 4, feeds: 200, mixes: true })).violations]).toEqual([])
  })

  it('are checked with planted bugs of at least ten rules', () => {
    const rules = plantedBugs.map(({ rule }) => rule)
    expect(new Set(rules).size).toBeGreaterThanOrEqual(10)
    const known = [...Object.keys(pinRules), ...Object.keys(pageRules)]
    expect(rules.filter((rule) => !known.includes(rule))).toEqual([])
  })

  it.each(plantedBugs.map(({ name, rule }) => [name, rule]))(
    'with the bug %s break the rule: %s',
    async (name, rule) => {
      const { code, output } = await run(
        '--feeds',
        '2000',
        '--bug',
        name,
        ...(rule === 'shares of sources' ? ['--mix'] : []),
      )
      expect(output).toContain(`× ${rule} — feed`)
      expect(code).toBe(1)
    },
  )
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

  describe('about caps', () => {
    const pins = ['p', 'q', 'r', 's'].map((pinId) => ({ ...pin, pinId }))
    const other = { ...pin, pinId: 'other', creatorId: 'd', topics: ['t'] }
    const page = (shown: readonly TruePin[], left: readonly TruePin[], count = 200): Case => ({
      ...aCase(),
      truth: { ...aCase().truth, pins: new Map([...shown, ...left].map((each) => [each.pinId, each])) },
      answered: { ...aCase().answered, items: shown.map(({ pinId }) => ({ pinId, seenAgain: false })) },
      candidates: { pins: [...shown, ...left], count, sourceOf: new Map() },
    })
    const name = ['cap of creators: r at place 2, though 1 others fitted, other for one']

    it('name a place over the cap while another candidate fits', () => {
      expect(broken(page(pins.slice(0, 3), [other]))).toEqual(name)
      expect(broken(page([...pins.slice(0, 3), other], []))).toEqual(name)
      expect(broken(page(pins.slice(0, 2), [other]))).toEqual([])
    })

    it('let a cap give way if no other candidate fits, or the others can be outside the pool', () => {
      expect(broken(page(pins.slice(0, 3), [pins[3]!]))).toEqual([])
      expect(broken(page(pins.slice(0, 3), [other], 201))).toEqual([])
      const busy = pins.map((each, n) => ({ ...each, creatorId: `c${n % 3}`, topics: n < 2 ? ['t'] : [] }))
      const again = { ...busy[2]!, creatorId: 'c0', topics: [] }
      const full = [busy[0]!, { ...busy[1]!, creatorId: 'c0' }, again]
      expect(broken(page(full, [other]))).toEqual([])
    })

    it('count the pages before', () => {
      const below = (above: readonly string[] | null): Case => {
        const of = page(pins.slice(1, 2), [pins[0]!, pins[2]!, other])
        return { ...of, asked: { ...of.asked, before: ['p', 'r'], above } }
      }
      const problem = 'cap across pages: q at place 0, though 1 others fitted, other for one'
      expect(broken(below(['p', 'r']))).toEqual([problem])
      expect(broken(below(['p', 'gone']))).toEqual([])
      expect(broken(below(null))).toEqual([])
    })

    it('count topics too', () => {
      const ofTopic = pins.map((each, n) => ({ ...each, creatorId: `c${n}`, topics: ['t'] }))
      const free = { ...pin, pinId: 'other', creatorId: 'd' }
      const problem = 'cap of topics: s at place 3, though 1 others fitted, other for one'
      expect(broken(page(ofTopic, [free]))).toEqual([problem])
      expect(broken(page(ofTopic.slice(0, 3), [free]))).toEqual([])
    })
  })

  it('know which locales suit a reader', () => {
    const offered = ['de', 'de-AT', 'de-DE', 'fr-FR']
    const suiting = (reader: string) => ['', ...offered].filter((locale) => fits(locale, reader, offered))
    expect(suiting('de-AT')).toEqual(['', 'de', 'de-AT'])
    expect(suiting('de-CH')).toEqual(['', 'de', 'de-AT', 'de-DE'])
    expect(suiting('de')).toEqual(['', 'de', 'de-AT', 'de-DE'])
    expect(suiting('ja')).toEqual([''])
    // A region of which the catalogue holds no pin any more is as good as none.
    expect(fits('de-DE', 'de-AT', ['de', 'de-DE'])).toBe(true)
    expect(suiting('')).toEqual(['', ...offered])
  })
})
