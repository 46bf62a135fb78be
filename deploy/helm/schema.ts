import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { topics } from '@freshet/contracts/topics'
import { describeConfig, envName, settingGroups, variablePrefix, type SettingRow } from '@freshet/service/setting-rows'
import type { z } from 'zod'
import { removedValues } from './removed.ts'

const root = join(import.meta.dirname, '../..')

type Schema = Readonly<Record<string, unknown>>

/** Services of the chart: all apps except the command line. */
export const services: readonly string[] = readdirSync(join(root, 'apps')).filter((app) => app !== 'freshet' && app !== 'console')

/** The settings that a service's process accepts. */
async function settingsOf(service: string): Promise<readonly SettingRow[]> {
  const { processSchema } = (await import(/* @vite-ignore */ join(root, 'apps', service, 'src/config.ts'))) as {
    processSchema: z.ZodObject
  }
  return describeConfig(processSchema)
}

function object(properties: Schema, required: readonly string[] = []): Schema {
  return { type: 'object', additionalProperties: false, ...(required.length === 0 ? {} : { required }), properties }
}

const definitions: Record<string, Schema> = {}

/** A schema that several places share. */
function shared(name: string, schema: Schema): Schema {
  definitions[name] = schema
  return { $ref: `#/definitions/${name}` }
}

const text = { type: 'string' } as const
const named = { type: 'string', minLength: 1 } as const
const flag = { type: 'boolean' } as const
const texts = shared('texts', { type: 'object', additionalProperties: { type: 'string' } })
const asKubernetes = { type: 'array', items: { type: 'object', required: ['name'] } } as const
const anyObject = { type: 'object' } as const
const peers = { type: 'array', items: anyObject } as const
const port = shared('port', { type: ['integer', 'null'], minimum: 1, maximum: 65_535 })
// "512" would mean 512 bytes, and "512m" half a byte.
const memory = { type: 'string', pattern: '^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)$' } as const
// 1000 would mean a thousand cores.
const cpu = { type: ['number', 'string'], exclusiveMinimum: 0, maximum: 256, pattern: '^([0-9]+m|[0-9]{1,2}(\\.[0-9]+)?)$' } as const
const quantities = shared('quantities', object({ cpu, memory, 'ephemeral-storage': memory }))
const resources = shared('resources', object({ requests: quantities, limits: quantities, claims: { type: 'array' } }))
const digest = { type: 'string', pattern: '^(sha256:[0-9a-f]{64})?$' } as const
const image = shared('image', object({ repository: text, tag: text, digest }))
const secret = (...keys: readonly string[]): Schema =>
  shared(`secret-${keys.join('-')}`, object({ name: text, ...Object.fromEntries(keys.map((key) => [key, named])) }))
const tls = { caSecret: secret('key'), clientSecret: secret('certKey', 'keyKey'), serverName: text }
const route = shared('route', object({ enabled: flag, parentRefs: { type: 'array', items: { type: 'object', required: ['name'] } }, hostnames: { type: 'array', items: named } }))
const redisAddress = { type: 'string', pattern: '^rediss?://[^\\s/]+(/[0-9]+)?$' } as const

/**
 * The settings of a service, groups of them as a whole, and settings of earlier charts, which the chart refuses with what replaces them. Settings
 * with secrets, and groups that contain them, are not allowed in `config`, because the chart renders it as plain text.
 */
function configOf(rows: readonly SettingRow[], service: string): Schema {
  const shown = rows.filter(({ secret: is }) => !is)
  const secretPaths = rows.filter(({ secret: is }) => is).map(({ path }) => path)
  const groups = [...settingGroups(shown)].filter((group) => !secretPaths.some((path) => path.startsWith(`${group}.`)))
  const key = (env: string): string => env.slice(variablePrefix.length)
  return object(
    Object.fromEntries([
      ...groups.map((group) => [key(envName(group)), { type: ['object', 'string'] }] as const),
      ...shown.map((row) => [key(row.env), valueOf(row)] as const),
      ...Object.entries(removedBelow(`services.${service}.config`)),
    ]),
  )
}

/** The values of a setting: its own type, or the same as text. */
function valueOf({ type, schema }: SettingRow): Schema {
  const kinds = type.split('|')
  if (kinds.includes('integer') || kinds.includes('number')) {
    const { minimum, maximum } = schema as { minimum?: number; maximum?: number }
    const bounds = { ...(isBound(minimum) ? { minimum } : {}), ...(isBound(maximum) ? { maximum } : {}) }
    const whole = kinds.includes('integer')
    return { type: [whole ? 'integer' : 'number', 'string'], ...bounds, pattern: whole ? '^-?[0-9]+$' : '^-?[0-9]+(\\.[0-9]+)?$' }
  }
  if (kinds.includes('boolean')) return { type: ['boolean', 'string'], pattern: '^(true|false)$' }
  if (Array.isArray(schema['enum'])) return { enum: schema['enum'] }
  if (kinds.includes('array')) return { type: ['array', 'string'], items: { type: ['string', 'integer'] } }
  if (kinds.includes('object')) return { type: ['object', 'string'] }
  return { type: ['string', 'integer'] }
}

function isBound(value: number | undefined): boolean {
  return value !== undefined && Math.abs(value) < Number.MAX_SAFE_INTEGER
}

const placement = {
  podAnnotations: texts,
  podLabels: texts,
  env: shared('env', {
    type: 'array',
    items: {
      type: 'object',
      required: ['name'],
      properties: { name: { type: 'string', pattern: '^[A-Za-z_][A-Za-z0-9_]*$' }, value: text },
    },
  }),
  volumes: asKubernetes,
  volumeMounts: { type: 'array', items: { type: 'object', required: ['name', 'mountPath'] } },
  nodeSelector: texts,
  tolerations: { type: 'array', items: anyObject },
  affinity: anyObject,
  priorityClassName: text,
}

/** Values of earlier charts below a path. The schema lets them through, because the chart then names what replaces them. */
function removedBelow(path: string): Schema {
  const names = Object.keys(removedValues).flatMap((removed) => (removed.startsWith(`${path}.`) ? [removed.slice(path.length + 1)] : []))
  return Object.fromEntries(names.map((name) => [name, {}]))
}

const replicas = { type: 'integer', minimum: 1, maximum: 1_000 } as const
const scaledByCpu = shared('scaledByCpu', object({ enabled: flag, minReplicas: replicas, maxReplicas: replicas, targetCpuPercent: { type: 'integer', minimum: 10, maximum: 100 } }))
const autoscaling: Readonly<Record<string, Schema>> = {
  'event-ingest': scaledByCpu,
  ranker: scaledByCpu,
  blender: scaledByCpu,
  'feature-updater': object({
    enabled: flag,
    minReplicas: replicas,
    maxReplicas: replicas,
    lagThreshold: { type: 'integer', minimum: 1, maximum: 100_000_000 },
    pollingSeconds: { type: 'integer', minimum: 1, maximum: 3_600 },
    fallbackReplicas: replicas,
  }),
}

async function serviceOf(service: string): Promise<Schema> {
  const stateful = service === 'candidate-service' || service === 'trainer'
  const only = service === 'trainer' ? { maximum: 1 } : { maximum: 1_000 }
  const section = object({
    enabled: flag,
    replicas: { type: 'integer', minimum: 0, ...only },
    ports: shared('ports', { ...object({ http: port, grpc: port, admin: port }), type: ['object', 'null'] }),
    config: configOf(await settingsOf(service), service),
    image,
    service: shared('service', object({ type: { enum: ['ClusterIP', 'NodePort', 'LoadBalancer'] }, headless: flag, annotations: texts })),
    resources,
    annotations: texts,
    ...placement,
    ...(autoscaling[service] === undefined ? {} : { autoscaling: autoscaling[service] }),
    ...(service === 'candidate-service' ? { shards: { type: 'integer', minimum: 1, maximum: 64 } } : {}),
    ...removedBelow('services.*'),
    ...(stateful ? { persistence: shared('persistence', object({ enabled: flag, size: memory, storageClass: text })) } : {}),
  })
  return { ...section, type: ['object', 'null'] }
}

const retained = Object.entries(topics).filter(([, { cleanup }]) => cleanup === 'delete')

/** The schema of the chart's values. `config` contains the settings that the services accept. */
export async function valuesSchema(): Promise<Schema> {
  const sections = await Promise.all(services.map(async (service) => [service, await serviceOf(service)] as const))
  const seconds = (most: number): Schema => ({ type: 'integer', minimum: 0, maximum: most })
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    ...object(
      {
        global: anyObject,
        image: object({ registry: text, tag: text, pullPolicy: { enum: ['Always', 'IfNotPresent', 'Never'] }, pullSecrets: { type: 'array', items: named } }),
        access: object({
          existingSecret: text,
          keysKey: named,
          internalKeyKey: named,
          jwt: object({ secretKey: text, jwksKey: text, jwksUrl: { type: 'string', pattern: '^(https?://.*)?$' }, issuer: text, audience: text }),
          open: flag,
        }),
        limits: object({ trustedProxies: { type: 'array', items: { type: 'string', pattern: '^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$' } } }),
        tls: object({ operations: flag, serverSecret: secret('certKey', 'keyKey'), caSecret: secret('key'), clientCaSecret: secret('key') }),
        kafka: object({
          brokers: { type: 'array', items: { type: 'string', pattern: '^[^\\s:/]+:[0-9]{1,5}$' } },
          tls: object({ enabled: flag, ...tls }),
          sasl: object({
            mechanism: { enum: ['none', 'plain', 'scram-sha-256', 'scram-sha-512'] },
            username: text,
            passwordSecret: secret('key'),
          }),
        }, ['brokers']),
        redis: object({
          url: { ...redisAddress, pattern: `${redisAddress.pattern}|^$` },
          clusterNodes: { type: 'array', items: redisAddress },
          urlSecret: secret('key'),
          username: text,
          passwordSecret: secret('key'),
          tls: object(tls),
        }),
        strimzi: object({ cluster: named, apiVersion: { enum: ['kafka.strimzi.io/v1beta2', 'kafka.strimzi.io/v1'] }, topics: flag, users: flag }),
        tracing: object({
          endpoint: { type: 'string', pattern: '^(https?://[^\\s/?#]+(/[^\\s?#]*)?)?$' },
          sampleRatio: { type: ['number', 'null'], minimum: 0, maximum: 1 },
        }),
        monitoring: object({
          podMonitor: object({ enabled: flag, interval: { type: 'string', pattern: '^[1-9][0-9]*(ms|s|m)$' }, labels: texts }),
          serviceMonitor: object({ enabled: flag, interval: { type: 'string', pattern: '^[1-9][0-9]*(ms|s|m)$' }, labels: texts }),
          rules: object({ enabled: flag, labels: texts }),
          dashboards: object({ enabled: flag, labels: texts, annotations: texts }),
        }),
        routes: object({
          http: route,
          grpc: route,
          ingress: object({ enabled: flag, className: text, hostname: text, tlsSecret: text, annotations: texts }),
        }),
        development: object({ kafka: object({ enabled: flag, image: named }), redis: object({ enabled: flag, image: named }) }),
        pageTokens: object({ keySecret: secret('key'), previousKeySecret: secret('key') }),
        networkPolicy: object({
          enabled: flag,
          clients: peers,
          admins: peers,
          monitors: peers,
          kafka: peers,
          redis: peers,
          egress: peers,
        }),
        topics: object({
          apply: flag,
          partitions: { type: 'integer', minimum: 1, maximum: 1_024 },
          replicationFactor: { type: ['integer', 'null'], minimum: 1, maximum: 9 },
          retention: object(Object.fromEntries(retained.map(([name]) => [name, { type: 'string', pattern: '^[1-9][0-9]{0,4}[hd]$' }]))),
          image,
          resources,
        }),
        common: object({
          logLevel: { enum: ['trace', 'debug', 'info', 'warn', 'error', 'silent'] },
          minReadySeconds: seconds(300),
          preStopSeconds: seconds(300),
          stopSeconds: { ...seconds(600), minimum: 1 },
          maxUnavailable: { type: ['integer', 'string'], minimum: 1, pattern: '^[1-9][0-9]?%$' },
          topologySpread: { type: 'array', items: object({ key: named, required: flag }, ['key', 'required']) },
          secretsRevision: text,
          ...removedBelow('common'),
          labels: texts,
          ...placement,
          serviceAccountName: text,
          podSecurityContext: anyObject,
        }),
        services: object(Object.fromEntries(sections)),
      },
      ['image', 'access', 'limits', 'tls', 'kafka', 'strimzi', 'redis', 'pageTokens', 'tracing', 'monitoring', 'routes', 'development', 'networkPolicy', 'topics', 'common', 'services'],
    ),
    definitions,
  }
}
