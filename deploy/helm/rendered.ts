import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { serviceLinksOf } from '@freshet/service/testing'
import { parseAllDocuments } from 'yaml'
import { helmBinary } from './helm-binary.ts'

export const chartFolder = join(import.meta.dirname, 'freshet')
/** The values in the README's command. */
export const needed = ['--set', 'kafka.brokers={kafka:9092}', '--set', 'redis.url=redis://redis:6379', '--set', 'access.existingSecret=freshet-keys'] as const

/** A variable in the form of Kubernetes. */
export interface Variable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } }
}

/** The fields of a container that tests read. */
export interface Container {
  readonly name: string
  readonly image: string
  readonly command?: readonly string[]
  readonly args?: readonly string[]
  readonly env?: readonly Variable[]
  readonly ports?: readonly { readonly name: string; readonly containerPort: number }[]
  readonly lifecycle?: { readonly preStop: { readonly exec: { readonly command: readonly string[] } } }
  readonly livenessProbe?: unknown
  readonly readinessProbe?: unknown
  readonly volumeMounts?: readonly { readonly name: string; readonly mountPath: string }[]
}

/** The fields of a pod's specification that tests read. */
export interface PodSpec {
  readonly containers: readonly [Container]
  readonly enableServiceLinks?: boolean
  readonly terminationGracePeriodSeconds?: number
  readonly volumes?: readonly { readonly name: string; readonly secret?: { readonly secretName: string; readonly items?: readonly { readonly key: string; readonly path: string }[] } }[]
}

/** A resource that the chart renders. */
export interface Resource {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: {
    readonly name: string
    readonly labels: Readonly<Record<string, string>>
    readonly annotations?: Readonly<Record<string, string>>
  }
  readonly spec: {
    readonly type?: string
    readonly clusterIP?: string
    readonly replicas?: number
    readonly ports?: readonly { readonly name: string; readonly port: number; readonly targetPort: string }[]
    readonly template?: { readonly metadata: Resource['metadata']; readonly spec: PodSpec }
    readonly volumeClaimTemplates?: readonly { readonly spec: object }[]
  }
}

const answers = new Map<string, { code: number; stdout: string; stderr: string }>()

/** The output of helm 4 or 3. Caches outputs by arguments. */
export function helm(major: 3 | 4, ...args: readonly string[]): { code: number; stdout: string; stderr: string } {
  const key = JSON.stringify([major, args])
  const known = answers.get(key)
  if (known !== undefined) return known
  const result = spawnSync(helmBinary(major), args, { encoding: 'utf8', env: { ...process.env, HELM_DEBUG: '' } })
  const answer = { code: result.status ?? 1, stdout: result.stdout, stderr: result.stderr }
  answers.set(key, answer)
  return answer
}

/** The resources of a release. Throws helm's message if helm fails. */
export function render(args: readonly string[], options: { readonly release?: string; readonly major?: 3 | 4 } = {}): readonly Resource[] {
  const { release = 'freshet', major = 4 } = options
  const { code, stdout, stderr } = helm(major, 'template', release, chartFolder, '--namespace', 'feeds', ...args)
  if (code !== 0) throw new Error(stderr)
  return parseAllDocuments(stdout)
    .map((document) => {
      const [error] = document.errors
      if (error !== undefined) throw error
      return document.toJS() as Resource | null
    })
    .filter((resource) => resource !== null)
}

/** Kinds of resources that run pods. */
export function workloads(resources: readonly Resource[]): readonly Resource[] {
  return resources.filter(({ kind }) => kind === 'Deployment' || kind === 'StatefulSet' || kind === 'Job')
}

/** The workload of a service. */
export function workloadOf(resources: readonly Resource[], service: string): Resource {
  const found = workloads(resources).find(({ metadata }) => metadata.labels['app.kubernetes.io/name'] === service)
  if (found === undefined) throw new Error(`no workload of ${service}`)
  return found
}

/** The pod of a workload. */
export function podOf(workload: Resource): PodSpec {
  return workload.spec.template!.spec
}

/** The environment of a container, with values of secrets by `name/key`. Throws if a name occurs twice or a secret is unknown. */
export function environmentOf(container: Container, secrets: Readonly<Record<string, string>> = {}): Record<string, string> {
  const env: Record<string, string> = {}
  for (const { name, value, valueFrom } of container.env ?? []) {
    if (name in env) throw new Error(`${container.name} has ${name} twice`)
    const from = valueFrom?.secretKeyRef
    const found = value ?? (from === undefined ? undefined : secrets[`${from.name}/${from.key}`])
    if (found === undefined) throw new Error(`${container.name} has no value for ${name}`)
    env[name] = found
  }
  return env
}

/** The variables that Kubernetes sets in each container of a namespace with these Services and with others whose names begin with the release's name. */
export function kubernetesVariables(resources: readonly Resource[], release: string, others: readonly string[] = ['kafka', 'redis', 'grpc', 'http', 'operations', 'log', 'config']): Record<string, string> {
  const clusterIp = '10.96.0.7'
  const links = {
    ...serviceLinksOf({ name: 'kubernetes', clusterIp: '10.96.0.1', ports: [{ name: 'https', port: 443 }] }),
    ...serviceLinksOf({ name: release, clusterIp, ports: [{ port: 80 }] }),
  }
  for (const other of others)
    Object.assign(links, serviceLinksOf({ name: `${release}-${other}`, clusterIp, ports: [{ name: 'tcp', port: 9092 }, { name: 'udp', port: 53, protocol: 'UDP' }] }))
  for (const { kind, metadata, spec } of resources)
    if (kind === 'Service') Object.assign(links, serviceLinksOf({ name: metadata.name, clusterIp, ports: spec.ports ?? [] }))
  return links
}
