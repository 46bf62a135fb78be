import { modelStages, type ModelRecord } from '@freshet/domain/model-record'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ModelRecord as ModelRecordMessage } from '../gen/freshet/model/v1/model.ts'
import { decodeModelRecord, encodeModelRecord, forgetModel } from './model-record.ts'

// Messages do not distinguish −0 from 0.
const number = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
const name = fc.stringMatching(/^[a-z0-9.-]{1,12}$/)
const time = fc.integer({ min: 0, max: 2 ** 45 })
const records: fc.Arbitrary<ModelRecord> = fc.record({
  surface: fc.constantFrom('home', 'related'),
  version: name,
  stage: fc.constantFrom(...modelStages),
  share: fc.double({ min: 0, max: 1, noNaN: true }),
  reason: fc.string(),
  atMs: time,
  sha256: fc.string(),
  planHash: fc.string(),
  parentVersion: fc.option(name),
  trainedAtMs: time,
  trainingRows: fc.nat(),
  results: fc.array(fc.record({ head: name, logLoss: number, servingLogLoss: fc.option(number) })),
})

describe('a record of models.v1', () => {
  it('is read as it was written, under its key, in the one partition', () => {
    fc.assert(
      fc.property(records, (record) => {
        const { key, value, partition } = encodeModelRecord(record)
        expect([key, partition]).toEqual([`${record.surface}/${record.version}`, 0])
        expect(decodeModelRecord(key, value)).toEqual({ surface: record.surface, version: record.version, record })
      }),
    )
  })

  it('without a value forgets the model of its key', () => {
    const { key, value } = forgetModel('home', 'home-1')
    expect(decodeModelRecord(key, value)).toEqual({ surface: 'home', version: 'home-1', record: null })
  })

  it.each([
    ['stage', { surface: 'home', version: 'v', stage: 0 }, 'stage is 0, which this version does not know'],
    ['surface', { version: 'v', stage: 1 }, 'surface is empty'],
    ['version', { surface: 'home', stage: 1 }, 'version is empty'],
    ['share', { surface: 'home', version: 'v', stage: 3, share: 2 }, 'share is 2, not from 0 to 1'],
  ] as const)('is refused for its %s', (_, message, problem) => {
    const value = ModelRecordMessage.encode(ModelRecordMessage.fromPartial(message)).finish()
    expect(() => decodeModelRecord('home/v', value)).toThrow(`freshet.model.v1.ModelRecord.${problem}`)
  })
})
