import { describe, expect, it } from 'vitest'
import { canonicalJson, hashOfPlan } from '../plan/plan.ts'
import { compileSpec } from './compile.ts'
import { testCatalogue } from './testing.ts'

const inputs = `input user.id: category
input user.age: scalar
input pin.id: category
input pin.saves, pin.impressions: scalar
`

function compile(text: string, files: Readonly<Record<string, string>> = {}) {
  const readFile = (path: string): string => {
    const found = files[path]
    if (found === undefined) throw new Error('no such file')
    return found
  }
  return compileSpec(text, { file: 'home.rank', catalogue: testCatalogue, inputs: null, readFile }).plan
}

const nodesOf = (text: string) =>
  compile(`spec s\n${inputs}${text}`).nodes.map(({ id, transform, args }) => `${id} = ${transform}(${args.join(', ')})`)

describe('a compiled spec', () => {
  it('is a plan with all defaults, in an order in which each node comes after its arguments', () => {
    const plan = compile(`spec home
${inputs}
const prior = 20
function smooth(acted, seen) = (acted + prior * 0.02) / (seen + prior)
feature rate = smooth(pin.saves, pin.impressions)
feature taste = embedding(hash(cross(user.id, pin.id), rows: 2 ^ 16), size: 16)
first phase keep 200 by 0.5 * rate
layer trunk = mlp(concat(rate, taste), hidden: [32])
head save: probability = linear(trunk), loss: 2
head dwell: amount = linear(trunk), label: dwell_seconds, calibrate: isotonic
utility = 4 * save + 0.1 * dwell
expose rate
train epochs: 3, batch: 512
`)
    expect(plan).toMatchObject({
      format: 1,
      spec: 'home',
      firstPhase: { score: 'first_phase', keep: 200 },
      heads: [
        { name: 'save', kind: 'probability', label: 'save', value: 'save', lossWeight: 2, calibrate: 'none' },
        { name: 'dwell', kind: 'amount', label: 'dwell_seconds', value: 'dwell', lossWeight: 1, calibrate: 'isotonic' },
      ],
      utility: [
        { head: 'save', weight: 4 },
        { head: 'dwell', weight: 0.1 },
      ],
      exposed: ['rate'],
      training: { epochs: 3, batchRows: 512, learningRate: 0.001, l2: 0, dropout: 0, patience: 2 },
    })
    // user.age is declared, but nothing reads it.
    expect(plan.inputs.map(({ name, side }) => [name, side])).toEqual([
      ['user.id', 'request'],
      ['pin.id', 'candidate'],
      ['pin.saves', 'candidate'],
      ['pin.impressions', 'candidate'],
    ])
    const known = new Set(plan.inputs.map(({ name }) => name))
    for (const { id, args } of plan.nodes) {
      expect(args.filter((arg) => !known.has(arg))).toEqual([])
      known.add(id)
    }
    expect(plan.nodes.find(({ id }) => id === 'taste')).toMatchObject({
      transform: 'embedding',
      args: ['taste#2'],
      params: { size: 16 },
      type: { kind: 'vector', size: 16 },
      side: 'candidate',
    })
    expect(plan.nodes.find(({ id }) => id === 'taste#2')?.params).toEqual({ rows: 65536, hashes: 2 })
  })

  it('has one node for equal formulas', () => {
    expect(
      nodesOf('feature a = log1p(pin.saves)\nfeature b = log1p(pin.saves) + a\nhead save: probability = b'),
    ).toEqual(['a = log1p(pin.saves)', 'b = add(a, a)'])
  })

  it('has a node for each learned layer, even if two are written alike', () => {
    const text =
      'head save: probability = linear(pin.saves)\nhead click: probability = linear(pin.saves)\nutility = save + click'
    expect(nodesOf(text)).toEqual(['save = linear(pin.saves)', 'click = linear(pin.saves)'])
  })

  it('has constants folded in double precision', () => {
    const plan = compile(`spec s\n${inputs}const a = 0.1 + 0.2\nhead save: probability = pin.saves * (a * 10 - -1)`)
    expect(plan.nodes.filter(({ transform }) => transform === 'constant').map(({ params }) => params)).toEqual([
      { value: (0.1 + 0.2) * 10 + 1 },
    ])
  })

  it('takes the branch of a constant condition', () => {
    expect(nodesOf('head save: probability = if 1 < 2 and not false then pin.saves else user.age')).toEqual([])
  })

  it('computes what only reads the request on the request side', () => {
    const plan = compile(`spec s\n${inputs}feature old = log1p(user.age)\nhead save: probability = old * pin.saves`)
    expect(plan.nodes.map(({ id, side }) => [id, side])).toEqual([
      ['old', 'request'],
      ['save', 'candidate'],
    ])
  })

  it('expands a wildcard to the declared inputs of the group in order', () => {
    const plan = compile(
      `spec s\n${inputs}head save: probability = linear(embedding(hash(cross(user.*, pin.*), rows: 8), size: 2))`,
    )
    expect(plan.nodes[0]?.args).toEqual(['user.id', 'user.age', 'pin.id', 'pin.saves', 'pin.impressions'])
  })

  it('has the standard deviation of the utility only where the spec explores', () => {
    const text = `spec s\n${inputs}head save: probability = linear(pin.saves)`
    const still = compile(text)
    expect('exploration' in still).toBe(false)
    const plan = compile(`${text}\nexplore = 0.5 / (1 + pin.impressions) ^ 0.5`)
    expect(plan.exploration).toBe('explore')
    expect(plan.nodes.at(-1)).toMatchObject({ id: 'explore', transform: 'divide' })
    expect(hashOfPlan(plan)).not.toBe(hashOfPlan(still))
    expect(compile(`${text}\nexplore = pin.impressions`).exploration).toBe('pin.impressions')
  })

  it('exposes each name, also two of one formula', () => {
    const plan = compile(
      `spec s\n${inputs}feature a = log1p(pin.saves)\nfeature b = log1p(pin.saves)\nfeature c = pin.saves\nhead save: probability = a\nexpose a, b, c, pin.saves`,
    )
    expect(plan.exposed).toEqual(['a', 'b', 'c', 'pin.saves'])
    expect(plan.nodes.filter(({ transform }) => transform === 'identity').map(({ id, args }) => [id, ...args])).toEqual(
      [
        ['b', 'a'],
        ['c', 'pin.saves'],
      ],
    )
  })

  it('does not depend on the layout of the text', () => {
    const text = `spec s\n${inputs}feature a = pin.saves + 2 * user.age\nhead save: probability = clip(a, low: -3, high: 3)`
    const other = text
      .replace('= pin.saves +', '=\n  pin.saves # comment\n\n  +')
      .replace('clip(a, low', 'clip(\n  (a),\n  low')
    expect(canonicalJson(compile(other))).toBe(canonicalJson(compile(text)))
    expect(hashOfPlan(compile(text))).toMatch(/^[0-9a-f]{16}$/)
  })
})

describe('a spec that extends another', () => {
  const base = `spec home\n${inputs}const weight = 2\nfeature rate = pin.saves / pin.impressions\nhead save: probability = weight * rate\ntrain epochs: 3, batch: 64\n`

  it('has all its statements', () => {
    const plan = compile('spec related extends "./lib/home.rank"\nfeature more = rate + user.age\nexpose more', {
      'lib/home.rank': base,
    })
    expect(plan.spec).toBe('related')
    expect(plan.exposed).toEqual(['more'])
    expect(plan.heads).toHaveLength(1)
  })

  it('replaces statements of the same name, and options of train', () => {
    const plan = compile('spec related extends "home2.rank"\nfeature rate = log1p(pin.saves)\ntrain epochs: 9', {
      'home2.rank': base,
    })
    expect(plan.nodes.map(({ transform }) => transform)).not.toContain('divide')
    expect(plan.training).toMatchObject({ epochs: 9, batchRows: 64 })
  })
})
