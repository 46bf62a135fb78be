import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { bucketOf, holdOutOf, placesOf } from '../buckets.ts'
import { ExperimentsError } from './experiments-error.ts'
import { parametersOf } from './parameters.ts'
import { parseExperiments } from './parse.ts'
import { warningsOf } from './warnings.ts'

const schema = z.strictObject({
  seed: z.int().min(0).max(9).default(1),
  optimism: z.number().min(0).max(100).default(0),
  ordering: z
    .object({
      spacing: z.object({ lambda: z.number().min(0).max(1).default(0.5), window: z.int().default(8) }).prefault({}),
    })
    .prefault({}),
})
const rules = { readParameters: parametersOf(schema, schema.parse({})), sources: ['trending', 'popularity'] }
const parse = (file: unknown) =>
  parseExperiments(typeof file === 'string' ? file : JSON.stringify(file), 'e.json', rules)

const arm = (name: string, share: number, more: object = {}) => ({ name, share, ...more })
const experiment = (name: string, arms: readonly object[], more: object = {}) => ({
  name,
  control: 'off',
  arms,
  ...more,
})
const layer = (name: string, experiments: readonly object[], more: object = {}) => ({
  name,
  salt: `${name}-salt`,
  experiments,
  ...more,
})
const seeds = (name: string, share = 0.1) =>
  experiment(name, [arm('off', share), arm('on', share, { params: { seed: 3 } })])

/** The codes and texts of the problems of a file. */
function problemsOf(file: unknown): string {
  try {
    parse(file)
  } catch (error) {
    if (!(error instanceof ExperimentsError)) throw error
    return error.problems.map(({ code, path, text }) => `${code} ${path} ${text}`).join('\n')
  }
  return 'none'
}

describe('an experiment file', () => {
  it('gives arms their buckets in order, and values merged into the defaults', () => {
    const spacing = { params: { ordering: { spacing: { lambda: 0.25 } } }, withoutSources: ['trending'] }
    const { layers, holdOut, version } = parse({
      holdOut: { share: 0.05, salt: 'h' },
      layers: [
        layer('one', [
          experiment('first', [arm('off', 0.1), arm('on', 0.2, spacing)]),
          { ...seeds('second'), firstBucket: 500 },
        ]),
      ],
    })
    expect(holdOut).toEqual({ buckets: 50, salt: 'h' })
    expect(version).toMatch(/^[0-9a-f]{16}$/)
    const [first, second] = layers[0]!.experiments
    expect(first!.arms[1]).toMatchObject({
      firstBucket: 100,
      endBucket: 300,
      params: [{ path: ['ordering', 'spacing', 'lambda'], value: 0.25 }],
      withoutSources: ['trending'],
    })
    expect(second!.arms.map(({ firstBucket, endBucket }) => [firstBucket, endBucket])).toEqual([
      [500, 600],
      [600, 700],
    ])
  })

  it.each([
    ['{', /EXPERIMENTS_UNREADABLE {2}is not JSON/],
    [{ layers: [], more: 1 }, /EXPERIMENTS_SHAPE the file is not allowed: Unrecognized key: "more"/],
    [{ layers: [layer('one', [{ name: 'x' }])] }, /EXPERIMENTS_SHAPE layers\[0\]\.experiments\[0\]\.control/],
    [
      { layers: [layer('a', [seeds('x'), seeds('x')])] },
      /EXPERIMENTS_NAME layers\[0\]\.experiments\[1\]\.name repeats the name x/,
    ],
    [
      { layers: [layer('a', []), layer('b', [], { salt: 'a-salt' })] },
      /EXPERIMENTS_NAME layers\[1\]\.salt repeats the salt a-salt/,
    ],
    [
      { layers: [layer('a', [{ ...seeds('x'), control: 'of' }])] },
      /EXPERIMENTS_NAME .*control is of; name one of the arms off, on/,
    ],
    [
      { layers: [layer('a', [seeds('x', 0.5), seeds('y', 0.1)])] },
      /EXPERIMENTS_SHARES .* the shares of the layer are 1\.2 in all/,
    ],
    [
      { layers: [layer('a', [seeds('x', 0.0001)])] },
      /EXPERIMENTS_SHARES .*share is 0\.0001; give a whole number of thousandths/,
    ],
    [
      { layers: [layer('a', [seeds('x'), { ...seeds('y'), firstBucket: 150 }])] },
      /EXPERIMENTS_SHARES .* needs bucket 150, which the experiment x has/,
    ],
    [
      { layers: [layer('a', [experiment('x', [arm('off', 0.1), arm('on', 0.1, { params: { sead: 1 } })])])] },
      /EXPERIMENTS_PARAMETER layers\[0\]\.experiments\[0\]\.arms\[1\]\.params\.sead is not a parameter; did you mean seed\?/,
    ],
    [
      { layers: [layer('a', [experiment('x', [arm('off', 0.1), arm('on', 0.1, { params: { seed: 10 } })])])] },
      /EXPERIMENTS_PARAMETER .*params\.seed is not allowed: Too big/,
    ],
    [
      {
        layers: [
          layer('a', [
            experiment('x', [arm('off', 0.1), arm('on', 0.1, { params: { ordering: { spacing: { lamda: 1 } } } })]),
          ]),
        ],
      },
      /EXPERIMENTS_PARAMETER .*params\.ordering\.spacing\.lamda is not a parameter; did you mean lambda\?/,
    ],
    [
      `{"layers":[{"name":"a","salt":"s","experiments":[{"name":"x","control":"off","arms":[{"name":"off","share":0.1},{"name":"on","share":0.1,"params":{"__proto__":{"seed":2}}}]}]}]}`,
      /EXPERIMENTS_PARAMETER .*params\.__proto__ is not a parameter/,
    ],
    [
      { layers: [layer('a', [experiment('x', [arm('off', 0.1), arm('on', 0.1, { withoutSources: ['trendin'] })])])] },
      /EXPERIMENTS_SOURCE .*withoutSources\[0\] is "trendin", which is not a source; did you mean trending\?/,
    ],
    [
      { layers: [layer('a', [seeds('x')]), layer('b', [seeds('y')])] },
      /EXPERIMENTS_OVERLAP layers\[1\]\.experiments\[0\] changes seed, but the experiment x of the layer a changes seed/,
    ],
    [
      {
        layers: [
          layer('a', [experiment('x', [arm('off', 0.1), arm('on', 0.1, { onlySources: ['trending'] })])]),
          layer('b', [experiment('y', [arm('off', 0.1), arm('on', 0.1, { withoutSources: ['popularity'] })])]),
        ],
      },
      /EXPERIMENTS_OVERLAP .* changes sources\.popularity, but the experiment x of the layer a changes sources/,
    ],
  ])('is refused by name: %j', (file, expected) => {
    expect(problemsOf(file)).toMatch(expected)
  })

  it('may change one parameter in two experiments of one layer, which have different users', () => {
    expect(problemsOf({ layers: [layer('a', [seeds('x'), seeds('y')])] })).toBe('none')
  })

  it('is warned about when it is weak', () => {
    const file = parse({
      layers: [
        layer('a', [experiment('x', [arm('off', 0.1), arm('on', 0.001, { params: { seed: 2 } })])]),
        layer('b', [experiment('aa', [arm('off', 0.1), arm('on', 0.1)])], { unit: 'session' }),
      ],
    })
    const text = warningsOf(file).join('\n')
    for (const expected of [/no holdOut/, /only one bucket/, /A\/A test/, /draws by session/])
      expect(text).toMatch(expected)
  })
})

describe('buckets', () => {
  const file = parse({
    holdOut: { share: 0.1, salt: 'h' },
    layers: [
      layer('a', [seeds('x', 0.25)]),
      layer('b', [experiment('s', [arm('off', 0.5), arm('on', 0.5)])], { unit: 'session' }),
    ],
  })
  const users = Array.from({ length: 20_000 }, (_, n) => `user-${n}`)
  const unitsOf = (user: string) => ({ user, session: `s-${user}`, feed: `f-${user}` })

  it('have the shares of the file, independently in two layers, and none of the held-out users', () => {
    const counts = new Map<string, number>()
    let heldOut = 0
    for (const user of users) {
      const places = placesOf(file, unitsOf(user))
      if (holdOutOf(file, user)!.isHeldOut) {
        heldOut++
        expect(places).toEqual([])
        continue
      }
      const key = places.map(({ experiment: { name }, arm: { name: own } }) => `${name}=${own}`).join(' ')
      counts.set(key, (counts.get(key) ?? 0) + 1)
    }
    expect(Math.abs(heldOut / users.length - 0.1)).toBeLessThan(0.01)
    const rest = users.length - heldOut
    for (const [key, share] of [
      ['x=on s=on', 0.125],
      ['x=off s=on', 0.125],
      ['s=on', 0.25],
    ] as const)
      expect(Math.abs(counts.get(key)! / rest - share)).toBeLessThan(0.012)
  })

  it('are those of the user alone, whatever the session; a request without the unit has none', () => {
    for (const user of users.slice(0, 200)) {
      const own = (session: string) =>
        placesOf(file, { user, session, feed: 'f' }).filter(({ layer: { name } }) => name === 'a')
      expect(own('one')).toEqual(own('two'))
    }
    expect(placesOf(file, { user: '', session: '', feed: 'f' })).toEqual([])
    expect(placesOf(file, { user: '', session: 's', feed: 'f' }).map(({ layer: { name } }) => name)).toEqual(['b'])
  })

  it('a law: a bucket is a whole number from 0 to 999, always the same', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (unit, salt) => {
        const bucket = bucketOf(unit, salt)
        expect(Number.isInteger(bucket) && bucket >= 0 && bucket < 1_000).toBe(true)
        expect(bucketOf(unit, salt)).toBe(bucket)
      }),
    )
  })
})
