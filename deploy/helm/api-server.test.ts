import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { helmBinary } from './helm-binary.ts'
import { chartFolder, needed } from './rendered.ts'

/** A kubeconfig of an API server in which the test may create and delete namespaces; it needs no nodes. vitest.config.ts excludes this file if the variable is not set. */
const kubeconfig = process.env['FRESHET_TEST_KUBECONFIG']
const everything = ['--values', join(import.meta.dirname, 'everything.values.yaml')]

function run(command: string, args: readonly string[], input = ''): { code: number | null; output: string } {
  const env = { ...process.env, KUBECONFIG: kubeconfig, HELM_DEBUG: '' }
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', input, env })
  return { code: status, output: stdout + stderr }
}

function kubectl(args: readonly string[], input?: string): { code: number | null; output: string } {
  return run('kubectl', args, input)
}

const namespaces: string[] = []
afterAll(() => {
  for (const namespace of namespaces) kubectl(['delete', 'namespace', namespace, '--wait=false'])
})
const freshNamespace = (): string => {
  const namespace = `freshet-test-${process.pid}-${namespaces.length}`
  expect(kubectl(['create', 'namespace', namespace])).toMatchObject({ code: 0 })
  // Enforces the restricted Pod Security standard on pods, and warns about workloads.
  for (const mode of ['enforce', 'warn']) kubectl(['label', 'namespace', namespace, `pod-security.kubernetes.io/${mode}=restricted`])
  namespaces.push(namespace)
  return namespace
}

describe.each([4, 3] as const)('A23 · the chart on an API server, by helm %i', (major) => {
  it.each(['freshet', 'freshet-kafka', '3.feeds', 'x'.repeat(53)])('is installed and upgraded as %s', (release) => {
    const at = ['--namespace', freshNamespace(), '--no-hooks', ...needed]
    const install = run(helmBinary(major), ['install', release, chartFolder, ...at])
    expect(install, install.output).toMatchObject({ code: 0 })
    const changes = ['--set', 'services.blender.config.LOG_LEVEL=debug', '--set', 'services.blender.replicas=3', '--set', 'services.ranker.enabled=false', '--set', 'services.blender.config.RANKER_ADDRESS=ranker:7072']
    const upgrade = run(helmBinary(major), ['upgrade', release, chartFolder, ...at, ...changes])
    expect(upgrade, upgrade.output).toMatchObject({ code: 0 })
  })

  it.each([
    ['the least values', []],
    ['all of them', everything],
    ['TLS and logins', ['--set', 'kafka.tls.enabled=true', '--set', 'kafka.tls.caSecret.name=ca', '--set', 'kafka.sasl.mechanism=plain', '--set', 'kafka.sasl.username=me', '--set', 'kafka.sasl.passwordSecret.name=pw']],
  ])('conforms to the strict schema and to restricted Pod Security with %s', (_name, more) => {
    const namespace = freshNamespace()
    const { code, output } = run(helmBinary(major), ['template', 'freshet', chartFolder, '--namespace', namespace, ...needed, ...more])
    expect(code, output).toBe(0)
    const strict = ['apply', '--namespace', namespace, '--server-side', '--dry-run=server', '--validate=strict', '--warnings-as-errors', '-f', '-']
    const applied = kubectl(strict, output)
    expect(applied, applied.output).toMatchObject({ code: 0 })
  })
})
