import { describe, expect, it } from 'vitest'
import { instanceName } from './instance-name.ts'

const pod = { KUBERNETES_SERVICE_HOST: '10.0.0.1' }

describe('A25 · the name of an updater', () => {
  it.each([
    ['the pod of a StatefulSet', '@auto', 'freshet-feature-updater-0', pod, 'freshet-feature-updater-0'],
    ['the pod of a Deployment, which is never started again', '@auto', 'freshet-feature-updater-7d9f-x2k9z', pod, ''],
    ['a container of Docker', '@auto', '3f2a9c0d11be', {}, '3f2a9c0d11be'],
    ['a host on which two processes may run', '@auto', 'worker-1', {}, ''],
    ['one that was named', 'updater-a', 'worker-1', {}, 'updater-a'],
    ['one that is named after its host', '@hostname', 'worker-1', {}, 'worker-1'],
    ['one that is to have none', '', 'freshet-feature-updater-0', pod, ''],
  ])('A25: %s', (_what, setting, hostname, env, name) => {
    expect(instanceName(setting, { hostname, env })).toBe(name)
  })
})
