import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseSpec } from './parse.ts'
import { SpecError } from './problems.ts'
import { describeSpec } from './schema.ts'
import { hashPlan, jsonSpecFile } from './spec.ts'

const known = { features: ['topic_affinity', 'pin_age', 'seen_before'], actions: ['click', 'save', 'hide'] }
const good = {
  version: 'home-1',
  features: {
    topic_affinity: { transform: 'signed-log1p' },
    pin_age: {},
    seen_before: { transform: { range: [0, 2] } },
  },
  actions: { click: { worth: 1, bias: -2, weights: { pin_age: 0.5 } }, hide: { worth: -5, bias: -6 } },
}

function problemsOf(spec: unknown): readonly string[] {
  try {
    parseSpec(typeof spec === 'string' ? spec : JSON.stringify(spec), known)
  } catch (error) {
    if (error instanceof SpecError) return error.problems
    throw error
  }
  return []
}

describe('ranking spec', () => {
  it('is read in its order; a feature without a weight has weight 0, one without a transform is not scaled', () => {
    expect(parseSpec(JSON.stringify(good), known)).toEqual({
      version: 'home-1',
      features: [
        { name: 'topic_affinity', transform: 'signed-log1p' },
        { name: 'pin_age', transform: 'identity' },
        { name: 'seen_before', transform: { range: [0, 2] } },
      ],
      models: [
        { action: 'click', bias: -2, weights: [0, 0.5, 0] },
        { action: 'hide', bias: -6, weights: [0, 0, 0] },
      ],
      worth: [1, -5],
      exploration: [],
    })
  })

  it('takes the deviation of the utility from its own features', () => {
    const spec = { ...good, exploration: { pin_age: 0.25, seen_before: 1 } }
    expect(parseSpec(JSON.stringify(spec), known).exploration).toEqual([
      { feature: 'pin_age', weight: 0.25 },
      { feature: 'seen_before', weight: 1 },
    ])
    expect(problemsOf({ ...good, exploration: { pin_agee: 1 } })).toEqual([
      "exploration.pin_agee is not among the spec's features; did you mean pin_age?",
    ])
  })

  it('lists every problem with its field and what to write instead', () => {
    const problems = problemsOf({
      version: '',
      features: { topic_afinity: { transform: 'sqrt' }, pin_age: { transfrom: 'log1p' }, nothing_alike: {} },
      actions: {
        click: { worth: 'much', wieghts: {}, weights: { pin_ag: 1, seen_before: 1e39 } },
        laugh: { worth: 1, bias: null },
      },
      extra: 1,
    })
    expect(problems).toEqual([
      'version is ""; give a name',
      'features.topic_afinity.transform "sqrt" is not a transform; the transforms are "identity", "log1p", "signed-log1p", {"log": floor}, {"range": [from, to]}',
      'features.pin_age.transfrom is not a setting; did you mean transform?',
      'actions.click.worth is "much"; give a number',
      'actions.click.bias is missing; give a number',
      'actions.click.weights.seen_before is 1e+39; give at most 3.4e+38',
      'actions.click.wieghts is not a setting; did you mean weights?',
      'actions.laugh.bias is null; give a number',
      'extra is not a setting; there are version, features, actions',
      'features.topic_afinity is not a feature; did you mean topic_affinity?',
      'features.nothing_alike is not a feature; there are topic_affinity, pin_age, seen_before',
      "actions.click.weights.pin_ag is not among the spec's features; did you mean pin_age?",
      "actions.click.weights.seen_before is not among the spec's features; there are topic_afinity, pin_age, nothing_alike",
      'actions.laugh is not an action; there are click, save, hide',
    ])
  })

  it.each<readonly [string, unknown, readonly string[]]>([
    ['half of a file', '{"version": "a", "features": {', ['not JSON: ']],
    ['an empty file', '', ['not JSON: ']],
    ['null', 'null', ['the spec is null; give an object']],
    ['a list', [], ['the spec is []; give an object']],
    ['an empty object', {}, ['version is missing', 'features is missing; give an object', 'actions is missing']],
    ['no names', { ...good, features: {}, actions: {} }, ['features is empty', 'actions is empty']],
    [
      'a list of features',
      { ...good, features: ['pin_age'] },
      ['features is ["pin_age"]; give an object', 'weights.pin_age'],
    ],
    ['a long name', { ...good, version: 'x'.repeat(200) }, ['version has 200 characters; give at most 128']],
    [
      'a floor of 0',
      { ...good, features: { pin_age: { transform: { log: 0 } } } },
      ['log is 0; give a number above 0'],
    ],
    [
      'a range backwards',
      { ...good, features: { pin_age: { transform: { range: [3, 1] } } } },
      ['features.pin_age.transform.range is [3,1]; give the smaller number first'],
    ],
    [
      'half of a range',
      { ...good, features: { pin_age: { transform: { range: [3] } } } },
      ['features.pin_age.transform.range'],
    ],
  ])('rejects %s', (_what, spec, expected) => {
    const problems = problemsOf(spec)
    expect(problems).toHaveLength(expected.length)
    expected.forEach((part, at) => expect(problems[at]).toContain(part))
  })

  it('names its file in the error', () => {
    expect(() => parseSpec('{}', known, '/etc/spec.json')).toThrow(/the ranking spec \/etc\/spec\.json has 3 problem/)
  })

  it('has a version of its content: other weights change it; the name, formatting and order of settings do not', () => {
    const versionOf = (spec: unknown, space = 0) => hashPlan(parseSpec(JSON.stringify(spec, null, space), known))
    const version = versionOf(good)
    expect(version).toMatch(/^[0-9a-f]{16}$/)
    expect(versionOf({ ...good, version: 'other' }, 2)).toBe(version)
    expect(versionOf({ ...good, actions: { ...good.actions, hide: { bias: -6, worth: -5 } } })).toBe(version)
    expect(versionOf({ ...good, actions: { ...good.actions, hide: { bias: -6, worth: -4 } } })).not.toBe(version)
  })

  it('describes each of its fields, and the file that ships uses only these', () => {
    const fields = describeSpec()
    expect(fields.map(({ path }) => path)).toEqual([
      'version',
      'features.NAME.transform',
      'exploration.NAME',
      'actions.ACTION.worth',
      'actions.ACTION.bias',
      'actions.ACTION.weights.NAME',
    ])
    for (const { description } of fields) expect(description.length).toBeGreaterThan(10)
    expect(readFileSync(jsonSpecFile, 'utf8')).toContain('"version"')
  })
})
