import { spawnSync } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { helmBinary } from './helm-binary.ts'
import { chartFolder, ciValues, needed, render, valueSets } from './rendered.ts'

/** A kubeconfig of an API server in which the test may create and delete namespaces; it needs no nodes. vitest.config.ts excludes this file if the variable is not set; .ci/run sets it. */
const kubeconfig = process.env['FRESHET_TEST_KUBECONFIG']

function run(command: string, args: readonly string[], input = ''): { code: number | null; output: string } {
  const env = { ...process.env, KUBECONFIG: kubeconfig, HELM_DEBUG: '' }
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', input, env })
  return { code: status, output: stdout + stderr }
}

function kubectl(args: readonly string[], input?: string): { code: number | null; output: string } {
  return run('kubectl', args, input)
}

function succeeds(answer: { readonly code: number | null; readonly output: string }): string {
  expect(answer.code, answer.output).toBe(0)
  return answer.output
}

/** Kinds of add-ons, which the API server takes with any fields: chart.test.ts looks at the fields. */
const addOns = [
  ['keda.sh', 'v1alpha1', 'ScaledObject'],
  ['keda.sh', 'v1alpha1', 'TriggerAuthentication'],
  ['monitoring.coreos.com', 'v1', 'PodMonitor'],
  ['monitoring.coreos.com', 'v1', 'PrometheusRule'],
  ['gateway.networking.k8s.io', 'v1', 'HTTPRoute'],
  ['gateway.networking.k8s.io', 'v1', 'GRPCRoute'],
  ['kafka.strimzi.io', 'v1beta2', 'KafkaTopic'],
  ['kafka.strimzi.io', 'v1beta2', 'KafkaUser'],
] as const

function definitionOf([group, version, kind]: (typeof addOns)[number]): object {
  const [singular, plural] = [kind.toLowerCase(), `${kind.toLowerCase()}s`]
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    // The API server wants to know who approved definitions in groups of Kubernetes itself.
    metadata: { name: `${plural}.${group}`, annotations: { 'api-approved.kubernetes.io': 'unapproved, for a test' } },
    spec: { group, scope: 'Namespaced', names: { kind, singular, plural }, versions: [{ name: version, served: true, storage: true, schema: { openAPIV3Schema } }] },
  }
}

const namespaces: string[] = []
beforeAll(() => {
  const definitions = { apiVersion: 'v1', kind: 'List', items: addOns.map(definitionOf) }
  succeeds(kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(definitions)))
  succeeds(kubectl(['wait', '--for=condition=Established', '--timeout=30s', ...addOns.map(([group, , kind]) => `crd/${kind.toLowerCase()}s.${group}`)]))
})
afterAll(() => {
  for (const namespace of namespaces) kubectl(['delete', 'namespace', namespace, '--wait=false'])
})

const freshNamespace = (): string => {
  const namespace = `freshet-test-${process.pid}-${namespaces.length}`
  succeeds(kubectl(['create', 'namespace', namespace]))
  // Enforces the restricted Pod Security standard on pods, and warns about workloads.
  for (const mode of ['enforce', 'warn']) kubectl(['label', 'namespace', namespace, `pod-security.kubernetes.io/${mode}=restricted`])
  namespaces.push(namespace)
  return namespace
}

/** Names of the workloads in a namespace, with the log level of their first container. */
function levels(namespace: string): Readonly<Record<string, string>> {
  const found = JSON.parse(succeeds(kubectl(['get', 'deployments,statefulsets', '--namespace', namespace, '-o', 'json']))) as {
    items: readonly { metadata: { name: string }; spec: { template: { spec: { containers: readonly [{ env: readonly { name: string; value?: string }[] }] } } } }[]
  }
  return Object.fromEntries(
    found.items.map(({ metadata, spec }) => [metadata.name, spec.template.spec.containers[0].env.find(({ name }) => name === 'FRESHET_LOG_LEVEL')?.value ?? '']),
  )
}

describe.each([
  [4, ['freshet', 'freshet-kafka', '3.feeds', 'x'.repeat(53)]],
  [3, ['freshet', '3.feeds']],
] as const)('A23 · the chart on an API server, by helm %i', (major, releases) => {
  it.each(releases)('is installed, upgraded and rolled back as %s', (release) => {
    const namespace = freshNamespace()
    const at = ['--namespace', namespace, '--no-hooks', ...needed]
    const helm = (...args: readonly string[]): string => succeeds(run(helmBinary(major), args))
    helm('install', release, chartFolder, ...at)
    const installed = levels(namespace)
    const changes = ['services.blender.config.LOG_LEVEL=debug', 'services.ranker.autoscaling.enabled=true', 'services.candidate-service.shards=2', 'services.trainer.enabled=false', 'networkPolicy.enabled=true', 'monitoring.podMonitor.enabled=true']
    helm('upgrade', release, chartFolder, ...at, ...changes.flatMap((change) => ['--set', change]))
    const upgraded = levels(namespace)
    expect(Object.values(upgraded).filter((level) => level === 'debug')).toHaveLength(1)
    expect(Object.keys(upgraded).filter((name) => name.includes('-shard-'))).toHaveLength(2)
    expect(Object.keys(upgraded).some((name) => name.endsWith('-trainer'))).toBe(false)
    helm('rollback', release, '1', '--namespace', namespace, '--no-hooks')
    expect(levels(namespace)).toEqual(installed)
    helm('uninstall', release, '--namespace', namespace, '--no-hooks')
    expect(levels(namespace)).toEqual({})
  })
})

describe('A23 · the API server admits, strictly and by restricted Pod Security,', () => {
  it.each(valueSets)('what the chart renders with the values %s', (name) => {
    const namespace = freshNamespace()
    const output = succeeds(run(helmBinary(4), ['template', 'freshet', chartFolder, '--namespace', namespace, ...ciValues(name)]))
    const strict = ['apply', '--namespace', namespace, '--server-side', '--dry-run=server', '--validate=strict', '--warnings-as-errors', '-f', '-']
    const applied = succeeds(kubectl(strict, output))
    expect(applied.trim().split('\n')).toHaveLength(render(ciValues(name)).length)
  })

  it('and nothing that is not restricted', () => {
    const namespace = freshNamespace()
    const { stdout } = spawnSync(helmBinary(4), ['template', 'freshet', chartFolder, '--namespace', namespace, ...needed, '--set', 'common.podSecurityContext.runAsNonRoot=false'], { encoding: 'utf8' })
    const { code, output } = kubectl(['apply', '--namespace', namespace, '--server-side', '--dry-run=server', '--warnings-as-errors', '-f', '-'], stdout)
    expect(code).not.toBe(0)
    expect(output).toMatch(/runAsNonRoot/)
  })
})
