import { describe, expect, it } from 'vitest'
import { compileSpec } from './compile.ts'
import { diffPlans } from './diff.ts'
import { dotOf, explainPlan, formatExplanation } from './explain.ts'
import { testCatalogue } from './testing.ts'

const text = `spec home
input user.age, pin.saves: scalar
input pin.id: category
feature old = log1p(user.age)
feature taste = embedding(hash(pin.id, rows: 1000), size: 8)
layer trunk = mlp(concat(old, pin.saves, taste), hidden: [4])
first phase keep 50 by pin.saves
head save: probability = linear(trunk), label: saved
utility = 4 * save
`
const { plan } = compileSpec(text, { file: 'a.rank', catalogue: testCatalogue, inputs: null, readFile: () => '' })

describe('an explained plan', () => {
  const explanation = explainPlan(plan, testCatalogue)

  it('has the formula, type, side and kind of each statement', () => {
    expect(
      explanation.statements.map(({ name, formula, type, side, gradient }) => [name, formula, type, side, gradient]),
    ).toEqual([
      ['old', 'log1p(user.age)', 'scalar', 'request', 'fixed'],
      ['taste', 'embedding(hash(pin.id, rows: 1000, hashes: 2), size: 8)', 'vector[8]', 'candidate', 'learned'],
      ['trunk', 'mlp(concat(old, pin.saves, taste), hidden: [4])', 'vector[4]', 'candidate', 'learned'],
      ['save', 'linear(trunk, units: 1)', 'scalar', 'candidate', 'learned'],
    ])
  })

  it('adds up the cost of each side', () => {
    const sum = (side: 'perRequest' | 'perCandidate') =>
      explanation.statements.reduce((total, statement) => total + statement[side], 0)
    expect(explanation.perRequest).toBe(1)
    expect(sum('perRequest')).toBe(explanation.perRequest)
    expect(sum('perCandidate')).toBe(explanation.perCandidate)
    // A table's rows: two hashes of 8 numbers; a kernel of 10 × 4 and its bias; a kernel of 4 × 1 and its bias.
    expect(explanation.statements.map(({ perCandidate }) => perCandidate)).toEqual([0, 2 + 16, 10 + 40 + 4, 4 + 1])
  })

  it('is printed with both sides, the first phase, heads and utility', () => {
    expect(formatExplanation(explanation).join('\n')).toMatch(
      /^home: plan [0-9a-f]{16}\nonce per request [^]*user\.age[^]*\nonce per candidate [^]*taste[^]*first phase: the best 50 by pin\.saves\nhead save: probability of the label saved from save[^]*\nutility = 4 · save$/,
    )
  })

  it('ends with what is uncertain, if the spec explores', () => {
    const explored = `${text}explore = log1p(pin.saves)\n`
    const options = { file: 'a.rank', catalogue: testCatalogue, inputs: null, readFile: () => '' }
    const { plan: exploring } = compileSpec(explored, options)
    expect(formatExplanation(explainPlan(exploring, testCatalogue)).at(-1)).toBe('explore = log1p(pin.saves)')
    expect(diffPlans(plan, exploring)).toEqual([{ statement: 'explore', before: null, after: 'log1p(pin.saves)' }])
  })

  it('is a graph with an edge for each argument', () => {
    const edges = plan.nodes.flatMap(({ id, args }) => args.map((arg) => `  "${arg}" -> "${id}"`))
    const lines = dotOf(plan).split('\n')
    expect(lines.filter((line) => line.includes(' -> '))).toEqual(edges)
    expect(lines[0]).toBe('digraph "home" {')
  })
})
