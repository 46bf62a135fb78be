import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { beforeAll, describe, expect, it } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { helmBinary } from './helm-binary.ts'

const chart = join(import.meta.dirname, 'freshet')
const needed = ['--set', 'kafka.brokers={kafka-0:9092,kafka-1:9092}', '--set', 'redis.url=redis://redis:6379']
const require = createRequire(import.meta.url)
// By path: the package's exports leave out some of its files.
const models = dirname(require.resolve('kubernetes-models/package.json'))

interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly labels: Readonly<Record<string, string>> }
  readonly spec: {
    readonly template?: {
      readonly spec: {
        readonly containers: readonly {
          readonly env?: readonly { readonly name: string; readonly value?: string; readonly valueFrom?: unknown }[]
          readonly livenessProbe?: unknown
          readonly readinessProbe?: unknown
        }[]
      }
    }
  }
}

let binary: string

function helm(...args: string[]): { code: number; stdout: string; stderr: string } {
  const result = spawnSync(binary, args, { encoding: 'utf8', env: { ...process.env, HELM_DEBUG: '' } })
  return { code: result.status ?? 1, stdout: result.stdout, stderr: result.stderr }
}

function template(...args: string[]): ReturnType<typeof helm> {
  return helm('template', 'release', chart, '--namespace', 'feeds', ...args)
}

function resourcesOf(text: string): Resource[] {
  return parseAllDocuments(text)
    .map((document) => document.toJS() as Resource | null)
    .filter((resource) => resource !== null)
}

/** Validates against the schemas of Kubernetes: unknown fields and wrong types throw. */
function validate(resource: Resource): void {
  const model = require(join(models, resource.apiVersion, `${resource.kind}.js`)) as Record<string, new (data: object) => { validate(): void }>
  new model[resource.kind]!(resource).validate()
}

describe('the chart', () => {
  beforeAll(() => {
    binary = helmBinary()
  }, 120_000)

  it('lints', () => {
    const { code, stdout, stderr } = helm('lint', '--strict', chart, ...needed)
    expect(code, stdout + stderr).toBe(0)
  })

  it('renders the same bytes twice', () => {
    const first = template(...needed)
    expect(first.code, first.stderr).toBe(0)
    expect(template(...needed).stdout).toBe(first.stdout)
  })

  it('renders resources that keep the schemas of Kubernetes', () => {
    const resources = resourcesOf(template(...needed).stdout)
    expect(new Set(resources.map(({ kind }) => kind))).toEqual(new Set(['Deployment', 'Service', 'PodDisruptionBudget', 'Job']))
    for (const resource of resources) expect(() => validate(resource), `${resource.kind} ${resource.metadata.name}`).not.toThrow()
  })

  it('would see a resource that breaks a schema', () => {
    const [deployment] = resourcesOf(template(...needed).stdout).filter(({ kind }) => kind === 'Deployment')
    const broken = { ...deployment!, spec: { ...deployment!.spec, replicas: 'two' } } as Resource
    expect(() => validate(broken)).toThrow(/replicas/)
  })

  it('has a section for every service, and no other', () => {
    const apps = readdirSync(join(import.meta.dirname, '../../apps')).filter((app) => app !== 'freshet')
    const deployments = resourcesOf(template(...needed).stdout).filter(({ kind }) => kind === 'Deployment')
    expect(deployments.map(({ metadata }) => metadata.labels['app.kubernetes.io/name']).sort()).toEqual(apps.sort())
  })

  it('probes liveness apart from readiness in every service', () => {
    for (const { kind, spec } of resourcesOf(template(...needed).stdout)) {
      if (kind !== 'Deployment') continue
      const [container] = spec.template!.spec.containers
      expect(container!.livenessProbe).toMatchObject({ httpGet: { path: '/livez' } })
      expect(container!.readinessProbe).toMatchObject({ httpGet: { path: '/readyz' } })
    }
  })

  it('takes the address of Redis from a secret where one is named, and never renders it', () => {
    const { stdout } = template('--set', 'kafka.brokers={kafka:9092}', '--set', 'redis.urlSecret.name=cache')
    const blender = resourcesOf(stdout).find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === 'release-blender')
    const entry = blender!.spec.template!.spec.containers[0]!.env!.find(({ name }) => name === 'FRESHET_REDIS_URL')
    expect(entry).toEqual({ name: 'FRESHET_REDIS_URL', valueFrom: { secretKeyRef: { name: 'cache', key: 'url' } } })
  })

  it.each([
    ['no broker', ['--set', 'redis.url=redis://r:6379'], /brokers/],
    ['no Redis', ['--set', 'kafka.brokers={k:9092}'], /redis/],
    ['a misspelt key', [...needed, '--set', 'services.ranker.replica=3'], /replica/],
    ['replicas as text', [...needed, '--set-string', 'services.ranker.replicas=3'], /replicas/],
    ['an unknown service', [...needed, '--set', 'services.scorer.replicas=3'], /scorer/],
  ])('refuses %s', (_name, args, message) => {
    const { code, stderr } = template(...args)
    expect(code).not.toBe(0)
    expect(stderr).toMatch(message)
  })
})
