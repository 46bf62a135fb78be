import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { serviceLinksOf } from '@freshet/service/testing'
import { parseAllDocuments } from 'yaml'
import { helmBinary } from './helm-binary.ts'

export const chartFolder = join(import.meta.dirname, 'freshet')
/** The values in the README's command. */
export const needed = ['--set', 'image.registry=freshet', '--set', 'kafka.brokers={kafka:9092}', '--set', 'redis.url=redis://redis:6379', '--set', 'access.existingSecret=freshet-keys'] as const

/** Names of the sets of values in the chart's folder ci/. */
export const valueSets = readdirSync(join(chartFolder, 'ci')).map((file) => file.replace('-values.yaml', ''))

/** The arguments of helm for a set of values. */
export function ciValues(name: string): readonly string[] {
  return ['--values', join(chartFolder, `ci/${name}-values.yaml`)]
}

/** The set of values that uses everything. */
export const everything = ciValues('everything')

/** The needed values and these (`path=value`). */
export function set(...values: readonly string[]): string[] {
  return [...needed, ...values.flatMap((value) => ['--set', value])]
}

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

/** The workload of a service, or of one of its shards. */
export function workloadOf(resources: readonly Resource[], service: string, shard?: number): Resource {
  const wanted = shard === undefined ? undefined : String(shard)
  const found = workloads(resources).find(
    ({ metadata: { labels } }) => labels['app.kubernetes.io/name'] === service && (wanted === undefined || labels['freshet.dev/shard'] === wanted),
  )
  if (found === undefined) throw new Error(`no workload of ${service}${wanted === undefined ? '' : `, shard ${wanted}`}`)
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

/** The resources of a kind. */
export function ofKind(resources: readonly Resource[], kind: string): readonly Resource[] {
  return resources.filter((resource) => resource.kind === kind)
}

/** The variables of a container whose values are in the manifest. */
export function plainVariables(workload: Resource): Record<string, string> {
  return Object.fromEntries(podOf(workload).containers[0].env!.flatMap(({ name, value }) => (value === undefined ? [] : [[name, value]])))
}

/** The environment of a service with these arguments of helm. */
export function variablesOf(service: string, args: readonly string[]): Record<string, string> {
  return environmentOf(podOf(workloadOf(render(args), service)).containers[0])
}

const require = createRequire(import.meta.url)
// By path: the packages' exports leave out some of their files.
const packages = [
  ['keda.sh/', dirname(require.resolve('@kubernetes-models/keda/package.json'))],
  ['monitoring.coreos.com/', dirname(require.resolve('@kubernetes-models/prometheus-operator/package.json'))],
  ['gateway.networking.k8s.io/', dirname(require.resolve('@kubernetes-models/gateway-api/package.json'))],
  ['', dirname(require.resolve('kubernetes-models/package.json'))],
] as const
/** Where a package has a resource only under an earlier version, with the same fields. */
const earlier: Readonly<Record<string, string>> = { 'gateway.networking.k8s.io/v1/GRPCRoute': 'gateway.networking.k8s.io/v1alpha2' }

/** Validates against the schemas of Kubernetes and of the add-ons. Throws for unknown fields and wrong types. Nothing here has the schemas of Strimzi; strimzi.test.ts looks at those resources. */
export function validate(resource: Resource): void {
  const { apiVersion, kind } = resource
  if (apiVersion.startsWith('kafka.strimzi.io/')) return
  const version = earlier[`${apiVersion}/${kind}`] ?? apiVersion
  const folder = packages.find(([group]) => version.startsWith(group))![1]
  const model = require(join(folder, version, `${kind}.js`)) as Record<string, new (data: object) => { validate(): void }>
  new model[kind]!({ ...resource, apiVersion: version }).validate()
}
