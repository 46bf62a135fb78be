import { describe, expect, it } from 'vitest'
import { ciValues, needed, ofKind, render, set } from './rendered.ts'

const budgets = (args: readonly string[]): Readonly<Record<string, unknown>> =>
  Object.fromEntries(ofKind(render(args), 'PodDisruptionBudget').map(({ metadata, spec }) => [metadata.name.replace('freshet-', ''), (spec as unknown as { maxUnavailable: unknown }).maxUnavailable]))

describe('PodDisruptionBudgets', () => {
  it('exist for services with more than one pod, because one pod could never be moved', () => {
    expect(Object.keys(budgets(needed))).toEqual(['blender', 'candidate-service', 'event-ingest', 'feature-updater', 'ranker'])
    expect(Object.keys(budgets(set('services.blender.replicas=1')))).not.toContain('blender')
    expect(budgets(ciValues('development'))).toEqual({})
  })

  it('follow the least number of pods where an autoscaler sets it', () => {
    expect(Object.keys(budgets(ciValues('autoscaling')))).toEqual(['candidate-service', 'event-ingest', 'ranker'])
  })

  it('count each shard for itself', () => {
    const shards = Object.entries(budgets(ciValues('shards'))).filter(([name]) => name.startsWith('candidate'))
    expect(shards).toEqual([0, 1, 2, 3].map((index) => [`candidate-service-shard-${index}`, '50%']))
  })
})
