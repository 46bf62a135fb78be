import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileSpec } from '@freshet/ranking/language/compile'
import { transformCatalogue } from '@freshet/ranking/transforms/catalogue'
import { describe, expect, it } from 'vitest'

const folder = join(import.meta.dirname, 'specs')
const specs = readdirSync(folder).filter((name) => name.startsWith('frappe-'))

function planOf(spec: string) {
  const file = join(folder, spec)
  const readFile = (path: string): string => readFileSync(path, 'utf8')
  return compileSpec(readFile(file), { file, catalogue: transformCatalogue, inputs: null, readFile }).plan
}

describe('the specs of Frappe', () => {
  it('are the five that the table compares', () => {
    expect(specs).toEqual(['best', 'dcn', 'fm', 'forest', 'linear'].map((name) => `frappe-${name}.rank`))
  })

  it.each(specs)('%s predicts the one label from the ten categories of a row, calibrated', (spec) => {
    const { inputs, heads } = planOf(spec)
    expect(inputs.map(({ name, type }) => [name, type.kind])).toEqual(
      ['user', 'item', 'daytime', 'weekday', 'isweekend', 'homework', 'cost', 'weather', 'country', 'city'].map(
        (name) => [name, 'category'],
      ),
    )
    expect(heads).toMatchObject([{ name: 'used', label: 'used', kind: 'probability', calibrate: 'platt' }])
  })
})
