import { describe, expect, it } from 'vitest'
import { features } from '../features/catalogue.ts'
import { servingInputs } from './serving-inputs.ts'

const named = (name: string) => servingInputs.find((input) => input.name === name)

describe('the inputs of serving', () => {
  it('contain every feature once, each under a name of its own', () => {
    const names = servingInputs.map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
    expect(servingInputs.flatMap(({ feature }) => feature ?? [])).toEqual(features.map(({ name }) => name))
  })

  it('have names that a spec can write', () => {
    expect(servingInputs.filter(({ name }) => !/^[a-z]\w*(\.[a-z]\w*)+$/.test(name))).toEqual([])
  })

  it('are in the group of what they depend on', () => {
    expect(named('user.save_rate')).toMatchObject({ feature: 'user_save_rate', side: 'request' })
    expect(named('pin.save_rate')).toMatchObject({ feature: 'pin_save_rate', side: 'candidate' })
    expect(named('candidate.topic_affinity')).toMatchObject({ feature: 'topic_affinity', side: 'candidate' })
    expect(named('candidate.pin_acted_recency')).toMatchObject({ feature: 'pin_acted_recency' })
    expect(named('candidate.retrieval_score')).toMatchObject({ feature: 'retrieval_score' })
    expect(named('request.hour_sin')).toMatchObject({ feature: 'hour_sin', side: 'request' })
  })

  it('of a user or a request are the same for all candidates', () => {
    const requestGroups = /^(user|request)\./
    expect(servingInputs.filter(({ name, side }) => requestGroups.test(name) !== (side === 'request'))).toEqual([])
  })
})
