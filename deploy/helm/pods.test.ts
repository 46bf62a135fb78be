import { describe, expect, it } from 'vitest'
import { ciValues, everything, needed, podOf, render, set, variablesOf, workloadOf, workloads } from './rendered.ts'

/** The pods' templates by workload, as text. */
function templates(args: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(workloads(render(args)).map(({ metadata, spec }) => [metadata.name, JSON.stringify(spec.template)]))
}

describe('pods', () => {
  it('are replaced when their settings change, and no others are', () => {
    const before = templates(needed)
    const after = templates(set('services.ranker.config.LOG_LEVEL=debug'))
    expect(Object.keys(before).filter((name) => before[name] !== after[name])).toEqual(['freshet-ranker'])
    const revised = templates(set('common.secretsRevision=second'))
    expect(Object.keys(before).filter((name) => before[name] === revised[name])).toEqual(['freshet-topics'])
  })

  it('get the restricted security context and no token', () => {
    for (const workload of workloads(render(ciValues('development')))) {
      const pod = podOf(workload)
      const own = workload.metadata.labels['app.kubernetes.io/name']!
      expect(pod, own).toMatchObject({ automountServiceAccountToken: false, securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } } })
      expect(pod.containers[0], own).toMatchObject({
        securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, readOnlyRootFilesystem: own !== 'development-kafka' },
      })
    }
  })

  it('are spread over nodes and zones, strictly where that is asked', () => {
    const spread = (args: readonly string[]) =>
      (podOf(workloadOf(render(args), 'blender')) as unknown as { topologySpreadConstraints: { topologyKey: string; whenUnsatisfiable: string }[] }).topologySpreadConstraints
    expect(spread(needed).map(({ topologyKey, whenUnsatisfiable }) => [topologyKey, whenUnsatisfiable])).toEqual([
      ['kubernetes.io/hostname', 'ScheduleAnyway'],
      ['topology.kubernetes.io/zone', 'ScheduleAnyway'],
    ])
    expect(spread(ciValues('shards')).map(({ whenUnsatisfiable }) => whenUnsatisfiable)).toEqual(['DoNotSchedule'])
  })

  it('send traces only if a collector is named', () => {
    expect(Object.keys(variablesOf('ranker', needed)).filter((name) => name.includes('TRACING'))).toEqual([])
    expect(variablesOf('ranker', ciValues('monitoring'))).toMatchObject({ FRESHET_TRACING_ENDPOINT: 'http://collector:4318', FRESHET_TRACING_SAMPLE_RATIO: '0.05' })
    expect(variablesOf('ranker', everything)['FRESHET_TRACING_SAMPLE_RATIO']).toBe('0')
  })

  it('of the updater have names that stay, which are the names of the instances', () => {
    expect(workloadOf(render(needed), 'feature-updater').kind).toBe('StatefulSet')
    expect(variablesOf('feature-updater', needed)['FRESHET_UPDATER_INSTANCE']).toBe('@hostname')
  })
})
