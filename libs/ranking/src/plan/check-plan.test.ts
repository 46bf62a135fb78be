import { describe, expect, it } from 'vitest'
import { transformCatalogue } from '../transforms/catalogue.ts'
import { parsePlan } from './parse-plan.ts'
import { aPlan } from './plan.builders.ts'
import { PlanError } from './plan-error.ts'
import type { Plan, PlanHead, PlanNode } from './plan.ts'

const scalar = { kind: 'scalar' } as const
const saves = { name: 'pin.saves', type: scalar, side: 'candidate' } as const
const logged: PlanNode = {
  id: 'logged',
  transform: 'log1p',
  args: ['pin.saves'],
  params: {},
  type: scalar,
  side: 'candidate',
}
const head: PlanHead = {
  name: 'save',
  kind: 'probability',
  label: 'save',
  value: 'logged',
  lossWeight: 1,
  calibrate: 'none',
}
const good = aPlan({
  inputs: [saves],
  nodes: [logged],
  heads: [head],
  utility: [{ head: 'save', weight: 4 }],
  exposed: ['logged'],
})

function problemsOf(text: string): readonly string[] {
  try {
    parsePlan(text, transformCatalogue)
    return []
  } catch (error) {
    if (error instanceof PlanError) return error.problems
    throw error
  }
}

describe('a stored plan', () => {
  it('is read as it was written', () => {
    expect(parsePlan(JSON.stringify(good), transformCatalogue)).toEqual(good)
  })

  it.each<readonly [string, Partial<Plan>, readonly string[]]>([
    [
      'an unknown transform',
      { nodes: [{ ...logged, transform: 'log2p' }] },
      ['node logged: log2p is not a transform; did you mean log1p?'],
    ],
    [
      'an argument that comes later',
      { nodes: [{ ...logged, id: 'first', args: ['logged'] }, logged] },
      ['node first reads logged, which is not an input or an earlier node'],
    ],
    [
      'a mistyped argument',
      { nodes: [{ ...logged, args: ['pin.savs'] }] },
      ['node logged reads pin.savs, which is not an input or an earlier node; did you mean pin.saves?'],
    ],
    [
      'another type than the transform makes',
      { nodes: [{ ...logged, type: { kind: 'vector', size: 2 } }], heads: [], utility: [], exposed: [] },
      ['node logged has type vector[2]; log1p makes scalar of its arguments'],
    ],
    [
      'arguments that a transform does not take',
      { nodes: [{ ...logged, transform: 'dot' }] },
      ['node logged: dot needs 2 arguments and has 1'],
    ],
    [
      'a wrong parameter',
      { nodes: [{ ...logged, transform: 'log', params: { floor: -1 } }] },
      ['node logged: log.floor: Too small: expected number to be >0'],
    ],
    [
      'a parameter without its default',
      { nodes: [{ ...logged, transform: 'clip', params: { low: 0 } }] },
      ['node logged: parameters of clip lack defaults; expected {"high":null,"low":0}'],
    ],
    [
      'a value of the candidate on the request side',
      { nodes: [{ ...logged, side: 'request' }] },
      ["node logged is on the request's side and reads a value of the candidate's"],
    ],
    ['two of one name', { nodes: [logged, logged] }, ['node logged has the name of an earlier input or node']],
    [
      'an input that is an index',
      { inputs: [saves, { ...saves, name: 'row', type: { kind: 'index', rows: 9, hashes: 1 } }] },
      ['input row is index[9]; an input cannot be an index'],
    ],
    [
      'results that are not there',
      { heads: [{ ...head, value: 'logd' }], exposed: ['x'], firstPhase: { score: 'y', keep: 2 } },
      [
        'head save reads logd, which the plan does not have; did you mean logged?',
        'expose reads x, which the plan does not have',
        'first phase reads y, which the plan does not have',
      ],
    ],
    [
      'a head that is not one number',
      {
        inputs: [{ ...saves, type: { kind: 'category' } }],
        nodes: [],
        heads: [{ ...head, value: 'pin.saves' }],
        exposed: [],
      },
      ['head save reads pin.saves, which is category; it needs a scalar'],
    ],
    ['two heads of one name', { heads: [head, head] }, ['there are two heads save']],
    [
      'a utility of an unknown head',
      { utility: [{ head: 'sav', weight: 1 }] },
      ['utility weighs sav, which is not a head; did you mean save?'],
    ],
    [
      'a label that is an input',
      { inputs: [saves, { ...saves, name: 'save' }] },
      ['head save has the label save, which is also an input: a model must not read its label'],
    ],
    [
      'a training-only value that is computed',
      { trainingOnly: [{ input: 'logged', servingValue: 0 }] },
      ['training only names logged, which is not an input'],
    ],
  ])('is refused for %s', (_what, parts, problems) => {
    expect(problemsOf(JSON.stringify({ ...good, ...parts }))).toEqual(problems)
  })

  it('is refused if it is not a plan', () => {
    expect(problemsOf('{"format":')[0]).toMatch(/^is not JSON: /)
    expect(problemsOf('[]')).toEqual(['the plan: Invalid input: expected object, received array'])
    const problems = problemsOf(JSON.stringify({ ...good, format: 2, surprise: 1 }))
    expect(problems).toEqual(['format: Invalid input: expected 1', 'the plan: Unrecognized key: "surprise"'])
  })
})
