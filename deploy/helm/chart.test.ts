import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { generated } from './generate.ts'
import { chartFolder, ciValues, everything, helm, needed, ofKind, podOf, render, validate, valueSets, workloadOf, workloads, type Resource } from './rendered.ts'
import { services } from './schema.ts'

describe('the chart', () => {
  it('has a schema, files and a README that match the code and the values (npm run readme:update)', async () => {
    for (const [path, content] of await generated()) expect(readFileSync(path, 'utf8'), path).toBe(content)
  })

  it('has at least eight sets of values for its tests', () => {
    expect(valueSets.length).toBeGreaterThanOrEqual(8)
  })

  it.each([4, 3] as const)('lints with helm %i, with the fewest values and with all of them', (major) => {
    for (const args of [needed, everything]) {
      const { code, stdout, stderr } = helm(major, 'lint', '--strict', chartFolder, ...args)
      expect(code, stdout + stderr).toBe(0)
    }
  })

  it.each(valueSets)('renders valid resources with the values %s, the same with helm 3 and 4', (name) => {
    const resources = render(ciValues(name))
    for (const resource of resources) expect(() => validate(resource), `${resource.kind} ${resource.metadata.name}`).not.toThrow()
    expect(render(ciValues(name), { major: 3 })).toEqual(resources)
  })

  it('renders the same bytes twice', () => {
    // Two spellings of one flag, because answers are cached by their arguments.
    const [once, again] = ['1.35', '1.35.0'].map((version) => helm(4, 'template', 'freshet', chartFolder, '--kube-version', version, ...everything))
    expect(once!.code, once!.stderr).toBe(0)
    expect(again!.stdout).toBe(once!.stdout)
  })

  it('asks nothing of the cluster and draws nothing at random', () => {
    const templates = readdirSync(join(chartFolder, 'templates'))
    expect(templates.length).toBeGreaterThan(10)
    for (const file of templates)
      expect(readFileSync(join(chartFolder, 'templates', file), 'utf8'), file).not.toMatch(/\b(lookup|rand\w+|uuidv4|genCA|genSelfSignedCert|genPrivateKey|now|derivePassword)\b/)
  })

  it('detects a resource that violates a schema', () => {
    const deployment = workloadOf(render(needed), 'blender')
    const broken = { ...deployment, spec: { ...deployment.spec, replicas: 'two' } } as unknown as Resource
    expect(() => validate(broken)).toThrow(/replicas/)
    const [monitor] = ofKind(render(ciValues('monitoring')), 'PodMonitor')
    expect(() => validate({ ...monitor!, spec: { podMetricsEndpoints: 'all' } } as unknown as Resource)).toThrow(/podMetricsEndpoints/)
  })

  it('runs every service with separate probes for liveness and readiness', () => {
    const resources = workloads(render(needed)).filter(({ kind }) => kind !== 'Job')
    expect(resources.map(({ metadata }) => metadata.labels['app.kubernetes.io/name']).sort()).toEqual([...services].sort())
    for (const workload of resources) {
      expect(podOf(workload).containers[0]).toMatchObject({
        livenessProbe: { httpGet: { path: '/livez', port: 'operations' } },
        readinessProbe: { httpGet: { path: '/readyz', port: 'operations' } },
      })
    }
  })
})
