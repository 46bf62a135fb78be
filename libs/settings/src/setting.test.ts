import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { flagSetting, numberSetting, optionalTextSetting, seedSetting, wholeSetting } from './setting.ts'

const schema = z.object({
  maxPins: wholeSetting(5, { description: 'Pins', unit: 'pins', min: 1, max: 10 }),
  share: numberSetting(0.5, { description: 'Share', unit: 'share', min: 0, max: 1 }),
  on: flagSetting(true, 'Works'),
  seed: seedSetting('Seed'),
  name: optionalTextSetting('Name', true),
})

describe('settings', () => {
  it('have defaults', () => {
    expect(schema.parse({})).toEqual({ maxPins: 5, share: 0.5, on: true, seed: 1, name: null })
  })

  it.each([{ maxPins: 0 }, { maxPins: 1.5 }, { share: 1.1 }, { share: NaN }, { on: 1 }, { seed: -1 }, { name: '' }])(
    'refuse %j',
    (given) => {
      expect(schema.safeParse(given).success).toBe(false)
    },
  )

  it('carry description, unit and secrecy', () => {
    expect(schema.shape.maxPins.meta()).toMatchObject({ description: 'Pins', unit: 'pins' })
    expect(schema.shape.name.meta()).toMatchObject({ description: 'Name', secret: true })
  })
})
