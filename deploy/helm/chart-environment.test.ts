import { join } from 'node:path'
import { readKafkaSettings } from '@freshet/freshet/connection'
import { loadConfig } from '@freshet/service/config'
import { beforeAll, describe, expect, it } from 'vitest'
import type { z } from 'zod'
import { ciValues, environmentOf, kubernetesVariables, needed, podOf, render, valueSets, workloads, workloadOf, type Resource } from './rendered.ts'
import { services } from './schema.ts'

const releases = ['freshet', 'freshet-blender', 'freshet-kafka', 'freshet-grpc', 'kafka', 'f', '3.feeds', 'x'.repeat(53)] as const

async function schemaOf(service: string): Promise<z.ZodObject> {
  const path = join(import.meta.dirname, '../../apps', service, 'src/config.ts')
  return ((await import(/* @vite-ignore */ path)) as { processSchema: z.ZodObject }).processSchema
}

/** An environment without the files of secrets, which are not here; chart-start.test.ts starts processes with files. */
function withoutFiles(env: Readonly<Record<string, string>>): Record<string, string> {
  const kept = Object.entries(env).filter(([name]) => !/_FILE$|_TLS_OPERATIONS$|_KAFKA_SASL_|_REDIS_USERNAME$/.test(name))
  return Object.fromEntries(kept)
}

describe('every set of values', () => {
  it.each(valueSets)('%s: each container gets an environment that its process accepts', async (name) => {
    const resources = render(ciValues(name))
    const secrets = { 'page-tokens/2026': 'a key of earlier pages', 'page-tokens/2027': 'a key of present pages' }
    const found = workloads(resources).filter(({ metadata }) => services.includes(metadata.labels['app.kubernetes.io/name']!))
    expect(found.length).toBeGreaterThan(4)
    for (const workload of found) {
      const [container] = podOf(workload).containers
      // References to a ConfigMap that is not here.
      const known = container.env!.filter(({ value, valueFrom }) => value !== undefined || valueFrom?.secretKeyRef !== undefined)
      const env = withoutFiles(environmentOf({ ...container, env: known }, secrets))
      const foreign: string[] = []
      const schema = await schemaOf(workload.metadata.labels['app.kubernetes.io/name']!)
      expect(() => loadConfig(schema, { env, onForeign: (names) => foreign.push(...names) }), workload.metadata.name).not.toThrow()
      expect(foreign, workload.metadata.name).toEqual([])
    }
  })
})

describe.each(releases)('A20 · a release called %s', (release) => {
  let resources: readonly Resource[]
  beforeAll(() => {
    resources = render(needed, { release })
  })

  it('switches service links off in every pod', () => {
    expect(workloads(resources)).toHaveLength(services.length + 1)
    for (const workload of workloads(resources)) expect(podOf(workload).enableServiceLinks, workload.metadata.name).toBe(false)
  })

  it.each(services)('gives %s an environment that it accepts, also with service links', async (service) => {
    const given = environmentOf(podOf(workloadOf(resources, service)).containers[0])
    const foreign: string[] = []
    const env = { ...kubernetesVariables(resources, release), ...given }
    const config = loadConfig(await schemaOf(service), { env, onForeign: (names) => foreign.push(...names) })
    expect(config).toMatchObject({ kafka: { brokers: ['kafka:9092'] }, operations: { host: '0.0.0.0', port: 9464 } })
    expect(foreign).toEqual([])
    expect(config).toEqual(loadConfig(await schemaOf(service), { env: given }))
  })

  it('gives the topics job an environment that it accepts', () => {
    const given = environmentOf(podOf(workloadOf(resources, 'topics')).containers[0])
    expect(readKafkaSettings({}, { ...kubernetesVariables(resources, release), ...given })).toMatchObject({ brokers: ['kafka:9092'] })
  })

  it('has resource names that Kubernetes accepts', () => {
    const names = resources.map(({ kind, metadata }) => `${kind}/${metadata.name}`)
    expect(new Set(names).size).toBe(names.length)
    for (const { metadata } of resources) {
      expect(metadata.name).toMatch(/^[a-z]([-a-z0-9]*[a-z0-9])?$/)
      expect(metadata.name.length).toBeLessThanOrEqual(52)
    }
    const addresses = environmentOf(podOf(workloadOf(resources, 'blender')).containers[0])
    for (const [service, name] of [['candidate-service', 'CANDIDATE_SERVICE'], ['ranker', 'RANKER']] as const) {
      const found = resources.find(({ kind, metadata }) => kind === 'Service' && metadata.labels['app.kubernetes.io/name'] === service)!
      expect(addresses[`FRESHET_${name}_ADDRESS`]).toBe(`dns:///${found.metadata.name}:${found.spec.ports![0]!.port}`)
    }
  })
})
