import { describe, expect, it } from 'vitest'
import { canonicalJson } from '../plan/plan.ts'
import { call, either, infix, specBuilder } from './builder.ts'
import { compileSpec } from './compile.ts'
import { testCatalogue } from './testing.ts'

const text = `spec home
input user.id: category
input pin.id: category
input pin.saves: scalar
input pin.position: scalar
input pin.topics: sequence[8] of category
const cuts = [1, 2.5]
feature fresh = if pin.saves < 24 then 1 else -0.5
feature rate = clip(pin.saves / (pin.saves + 20), low: 0, high: 1)
feature taste = embedding(hash(cross(user.*, pin.topics), rows: 65536), size: 16)
feature place = embedding(bucketise(pin.position, boundaries: cuts), size: 2)
first phase keep 200 by 0.5 * rate + fresh
layer trunk = mlp(concat(rate, fresh, taste, place), hidden: [4])
head save: probability = linear(trunk), label: "saved", loss: 2
head dwell: amount = linear(trunk), calibrate: "isotonic"
utility = 4 * save + 0.1 * dwell
expose rate
training only pin.position = 0
train epochs: 3, dropout: 0.1
`

function built() {
  const category = { kind: 'category' } as const
  return specBuilder('home')
    .input('user.id', category)
    .input('pin.id', category)
    .input('pin.saves', { kind: 'scalar' })
    .input('pin.position', { kind: 'scalar' })
    .input('pin.topics', { kind: 'sequence', of: category, max: 8 })
    .constant('cuts', [1, 2.5])
    .feature('fresh', either(infix('pin.saves', '<', 24), 1, -0.5))
    .feature('rate', call('clip', [infix('pin.saves', '/', infix('pin.saves', '+', 20))], { low: 0, high: 1 }))
    .feature(
      'taste',
      call('embedding', [call('hash', [call('cross', ['user.*', 'pin.topics'])], { rows: 65536 })], { size: 16 }),
    )
    .feature('place', call('embedding', [call('bucketise', ['pin.position'], { boundaries: [1, 2.5] })], { size: 2 }))
    .firstPhase(200, infix(infix(0.5, '*', 'rate'), '+', 'fresh'))
    .layer('trunk', call('mlp', [call('concat', ['rate', 'fresh', 'taste', 'place'])], { hidden: [4] }))
    .head('save', 'probability', call('linear', ['trunk']), { label: 'saved', loss: 2 })
    .head('dwell', 'amount', call('linear', ['trunk']), { calibrate: 'isotonic' })
    .utility({ save: 4, dwell: 0.1 })
    .expose('rate')
    .trainingOnly('pin.position', 0)
    .train({ epochs: 3, dropout: 0.1 })
}

describe('the builder', () => {
  const options = { catalogue: testCatalogue, inputs: null }

  it('makes the same plan as the text, byte for byte', () => {
    const fromText = compileSpec(text, { ...options, file: 'a.rank', readFile: () => '' })
    expect(canonicalJson(built().compile(options).plan)).toBe(canonicalJson(fromText.plan))
  })

  it('writes its statements as text', () => {
    expect(built().toText()).toBe(text.replace('boundaries: cuts', 'boundaries: [1, 2.5]'))
  })

  it('lists all mistakes with the numbers of their statements', () => {
    const wrong = specBuilder('s')
      .feature('a', 'b')
      .feature('c', call('clip', ['a'], { low: 1 }))
    expect(() => wrong.compile(options)).toThrow(/builder:2:1: SPEC_UNKNOWN_NAME/)
  })
})
