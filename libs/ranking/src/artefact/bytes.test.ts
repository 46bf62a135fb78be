import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeArtefact, encodeArtefact } from './bytes.ts'
import { checkModelFits } from './fit.ts'
import { anArtefact, testTransforms } from './testing.ts'

const bytes = encodeArtefact(anArtefact())

const codeOf = (work: () => unknown): string => {
  try {
    work()
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
  return 'accepted'
}

/** The bytes with one field of their prefix changed. */
function changed(change: (all: Buffer) => void): Uint8Array {
  const copy = Buffer.from(bytes)
  change(copy)
  return copy
}

describe('the bytes of a model', () => {
  it('are read as the model that was written, and equal models have equal bytes', () => {
    const read = decodeArtefact(bytes, 'm')
    expect(read).toEqual(anArtefact())
    expect(Buffer.from(encodeArtefact(read)).equals(bytes)).toBe(true)
  })

  it('are read at any offset of a larger buffer', () => {
    const shifted = new Uint8Array(bytes.length + 3)
    shifted.set(bytes, 3)
    expect(decodeArtefact(shifted.subarray(3), 'm')).toEqual(anArtefact())
  })

  it('are refused by name when cut anywhere', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: bytes.length - 1 }), (length) => {
        expect(codeOf(() => decodeArtefact(bytes.slice(0, length), 'm'))).toBe('MODEL_ARTEFACT_TRUNCATED')
      }),
    )
  })

  it('are refused by name when a bit of any byte is flipped', () => {
    const codes = new Set<string>()
    for (let at = 0; at < bytes.length; at++) {
      const code = codeOf(() =>
        decodeArtefact(
          changed((all) => (all[at]! ^= 1 << (at % 8))),
          'm',
        ),
      )
      expect(code).toMatch(/^MODEL_ARTEFACT_/)
      codes.add(code)
    }
    expect([...codes].sort()).toEqual([
      'MODEL_ARTEFACT_DAMAGED',
      'MODEL_ARTEFACT_FOREIGN',
      'MODEL_ARTEFACT_NEWER',
      'MODEL_ARTEFACT_TRUNCATED',
    ])
  })

  it('are refused with bytes after their end', () => {
    expect(codeOf(() => decodeArtefact(Buffer.concat([bytes, Buffer.from('x')]), 'm'))).toBe('MODEL_ARTEFACT_DAMAGED')
  })

  it('of a newer format are refused with both formats', () => {
    expect(() =>
      decodeArtefact(
        changed((all) => all.writeUInt32LE(2, 8)),
        'models/home/x.model',
      ),
    ).toThrow('models/home/x.model has format 2; this version reads formats up to 1. Update this process')
  })

  it('are refused if the plan is not the one that the model was trained for', () => {
    const artefact = anArtefact()
    const other = { ...artefact, model: { ...artefact.model, plan: { ...artefact.model.plan, spec: 'other' } } }
    expect(codeOf(() => decodeArtefact(encodeArtefact(other), 'm'))).toBe('MODEL_PLAN_DIFFERS')
  })
})

describe('a model fits its plan', () => {
  const { model } = anArtefact()
  const withWeights = (weights: readonly (readonly [string, readonly number[], readonly number[]])[]) => ({
    ...model,
    parameters: {
      ...model.parameters,
      weights: new Map(
        weights.map(([name, shape, values]) => [name, { shape, values: Float32Array.from(values) }] as const),
      ),
    },
  })

  it('with the weights and statistics of each node', () => {
    expect(() => checkModelFits(model, testTransforms, 'm')).not.toThrow()
  })

  it.each([
    ['missing', withWeights([['save/kernel', [2], [1, 2]]]), /the weights save\/bias are missing/],
    [
      'of another shape',
      withWeights([
        ['save/kernel', [3], [1, 2, 3]],
        ['save/bias', [1], [0]],
      ]),
      /the shape \[3\], not \[2\]/,
    ],
    [
      'unused',
      withWeights([
        ['save/kernel', [2], [1, 2]],
        ['save/bias', [1], [0]],
        ['x/y', [1], [0]],
      ]),
      /no node .* x\/y/,
    ],
    [
      'not numbers',
      withWeights([
        ['save/kernel', [2], [1, NaN]],
        ['save/bias', [1], [0]],
      ]),
      /save\/kernel hold NaN/,
    ],
    [
      'without statistics',
      { ...model, parameters: { ...model.parameters, fitted: new Map() } },
      /scaled \(standardise\) has no statistics/,
    ],
  ])('and is refused when weights are %s', (_, misfit, message) => {
    expect(codeOf(() => checkModelFits(misfit, testTransforms, 'm'))).toBe('MODEL_WEIGHTS_MISFIT')
    expect(() => checkModelFits(misfit, testTransforms, 'm')).toThrow(message)
  })

  it('and is refused with the nearest name when this version does not have a transform', () => {
    const transforms = new Map([...testTransforms].filter(([name]) => name !== 'standardise'))
    transforms.set('standardize', testTransforms.get('standardise')!)
    expect(() => checkModelFits(model, transforms, 'm')).toThrow(
      'm uses transforms that this version does not have: standardise (did you mean standardize?)',
    )
  })
})
