import { describe, expect, it } from 'vitest'
import { compileTransform, transforms, transformSchema, type Transform } from './catalogue.ts'

/** Scales one of three columns. The other two must not change. */
function scaled(transform: Transform, values: readonly number[]): readonly number[] {
  const features = new Float32Array(values.length * 3).fill(9)
  values.forEach((value, row) => (features[row * 3 + 1] = value))
  const out = new Float32Array(features.length).fill(-7)
  compileTransform(transform, 3)(features, out, 1)
  for (let row = 0; row < values.length; row++) expect([out[row * 3], out[row * 3 + 2]]).toEqual([-7, -7])
  return values.map((_, row) => out[row * 3 + 1]!)
}

const f32 = (values: readonly number[]): readonly number[] => values.map(Math.fround)

describe('transforms', () => {
  it.each<readonly [Transform, readonly number[], readonly number[]]>([
    ['identity', [-2, 0, 3.5], [-2, 0, 3.5]],
    ['log1p', [-2, 0, Math.E - 1], [0, 0, 1]],
    ['signed-log1p', [1 - Math.E, 0, Math.E - 1], [-1, 0, 1]],
    [{ log: 0.5 }, [-1, 0.25, 1], [Math.log(0.5), Math.log(0.5), 0]],
    [{ range: [-2, 2] }, [-3, -2, 0, 1, 5], [0, 0, 0.5, 0.75, 1]],
  ])('%j scales one column by its formula and changes no other', (transform, values, expected) => {
    scaled(transform, values).forEach((value, row) => expect(value).toBeCloseTo(f32(expected)[row]!, 6))
  })

  it('have unique names, and a spelling that their schema accepts', () => {
    expect(new Set(transforms.map(({ name }) => name)).size).toBe(transforms.length)
    for (const { name, spelling } of transforms) {
      const example: unknown = JSON.parse(
        spelling
          .replace('floor', '0.5')
          .replace('from', '0')
          .replace(/\bto\b/, '1'),
      )
      expect(transformSchema.safeParse(example), name).toMatchObject({ success: true, data: example })
    }
  })

  it.each([
    ['lgo1p', /did you mean "log1p"\?; the transforms are "identity", /],
    [{ rnage: [0, 1] }, /did you mean \{"range": \[from, to\]\}\?/],
    [17, /is not a transform; the transforms are/],
    [null, /is not a transform; the transforms are/],
    [{ range: [2, 1] }, /give the smaller number first/],
    [{ log: 0 }, />0/],
    [{ log: 'x' }, /expected number/],
    [{ log: 1, floor: 2 }, /floor/],
  ])('reject %j', (given, why) => {
    const { success, error } = transformSchema.safeParse(given)
    expect(success).toBe(false)
    expect(JSON.stringify(error?.issues).replaceAll('\\"', '"')).toMatch(why)
  })
})
