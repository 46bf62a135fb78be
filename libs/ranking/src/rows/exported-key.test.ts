import { describe, expect, it } from 'vitest'
import { servingInputs } from '../language/serving-inputs.ts'
import { exportedKey } from './exported-key.ts'
import { rowJson } from './row-json.ts'
import { rowBatchOf } from './rows.fixture.ts'

describe('the key of an exported row', () => {
  it('exists for each input of serving', () => {
    expect(servingInputs.filter(({ name }) => exportedKey(name) === null)).toEqual([])
    expect(exportedKey('candidate.topic_affinity')).toBe('topic_affinity')
    expect(exportedKey('pin.invented')).toBeNull()
  })

  it('is one that an export writes', () => {
    const batch = {
      ...rowBatchOf([{ feedId: 'f', pinId: 'a', topics: ['bread'] }]),
      creatorIds: ['c'],
      surfaces: ['home'],
      sourceRanks: Float32Array.of(0),
    }
    const { values } = rowJson(batch, 0)
    for (const input of ['user.id', 'pin.id', 'pin.creator', 'pin.topics', 'request.surface', 'candidate.sources'])
      expect(Object.keys(values)).toContain(exportedKey(input))
  })
})
