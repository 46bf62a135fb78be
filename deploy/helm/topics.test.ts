import { describe, expect, it } from 'vitest'
import { ciValues, needed, render, workloadOf } from './rendered.ts'

describe('the job of the topics', () => {
  it('runs before the services, for Helm and for Argo CD', () => {
    expect(workloadOf(render(needed), 'topics').metadata.annotations).toEqual({
      'helm.sh/hook': 'pre-install,pre-upgrade',
      'helm.sh/hook-delete-policy': 'before-hook-creation,hook-succeeded',
      'argocd.argoproj.io/hook': 'PreSync',
      'argocd.argoproj.io/hook-delete-policy': 'BeforeHookCreation',
    })
  })

  it('runs after the Kafka of the chart where that is for development', () => {
    expect(workloadOf(render(ciValues('development')), 'topics').metadata.annotations).toMatchObject({
      'helm.sh/hook': 'post-install,post-upgrade',
      'argocd.argoproj.io/hook': 'Sync',
    })
  })
})
