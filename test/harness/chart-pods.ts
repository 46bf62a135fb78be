import { spawn } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  environmentOf,
  kubernetesVariables,
  podOf,
  render,
  workloadOf,
  type Container,
  type PodSpec,
  type Resource,
} from '../../deploy/helm/rendered.ts'
import { freePorts } from './ports.ts'
import { createNodeProcess, type ServiceProcess } from './processes.ts'

const root = join(import.meta.dirname, '../..')

/** A release of the chart whose containers run as processes of this machine. */
export interface ChartRelease {
  /**
   * The entry point of a service's container, or of the first pod of a shard; `overrides`: what differs because all pods share one
   * machine. Ports are free ones, unless the overrides name them.
   */
  pod(service: string, overrides?: Readonly<Record<string, string>>, shard?: number): Promise<ServiceProcess>
  /** Runs the job of the topics to its end. */
  applyTopics(): Promise<{ readonly code: number | null; readonly output: string }>
}

/** Renders a release. `secrets`: files of secrets, by the secret's name and its keys. */
export function chartRelease(options: {
  readonly release: string
  readonly args: readonly string[]
  readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>>
}): ChartRelease {
  const { release, args, secrets = {} } = options
  const resources = render(args, { release })
  const machine = mkdtempSync(join(tmpdir(), 'freshet-pods-'))

  /** What the image, the manifest and Kubernetes give a container, with the folders of its volumes where they are here. */
  const environment = (
    service: string,
    pod: PodSpec,
    container: Container,
    workload = `${release}-${service}`,
  ): Record<string, string> => {
    const folders = mount(join(machine, workload), pod, container, secrets)
    const image = {
      NODE_ENV: 'production',
      FRESHET_OPERATIONS_HOST: '0.0.0.0',
      FRESHET_OPERATIONS_PORT: '9464',
      APP: service,
    }
    const kubernetes = { HOSTNAME: `${workload}-0`, ...kubernetesVariables(resources, release) }
    const given = Object.entries(environmentOf(container)).map(([name, value]) => {
      const folder = [...folders].find(([path]) => value === path || value.startsWith(`${path}/`))
      return [name, folder === undefined ? value : folder[1] + value.slice(folder[0].length)]
    })
    return { ...image, ...kubernetes, ...(Object.fromEntries(given) as Record<string, string>) }
  }

  return {
    async pod(service, overrides = {}, shard) {
      const workload = workloadOf(resources, service, shard)
      const pod = podOf(workload)
      const [container] = pod.containers
      const here = new Map<string, number>()
      for (const { name } of container.ports ?? [])
        here.set(name, Number(overrides[`${name}.port`] ?? (await freePorts(1))[0]))
      const settings = {
        ...Object.fromEntries([...here].map(([name, port]) => [`${name}.port`, String(port)])),
        ...overrides,
      }
      return createNodeProcess({
        name: service,
        arguments: [
          `apps/${service}/src/main.ts`,
          ...Object.entries(settings).flatMap(([path, value]) => [`--${path}`, value]),
        ],
        env: environment(service, pod, container, workload.metadata.name),
        ports: { operations: here.get('operations') ?? 0, http: here.get('http') ?? 0, grpc: here.get('grpc') ?? 0 },
      })
    },
    applyTopics: () => runJob(resources, environment),
  }
}

type EnvironmentOf = (service: string, pod: PodSpec, container: Container) => Record<string, string>

function runJob(
  resources: readonly Resource[],
  environment: EnvironmentOf,
): Promise<{ code: number | null; output: string }> {
  const pod = podOf(workloadOf(resources, 'topics'))
  const [container] = pod.containers
  const [, ...script] = container.command ?? []
  const env = { PATH: process.env['PATH'] ?? '', ...environment('freshet', pod, container) }
  return new Promise((resolve) => {
    let output = ''
    const job = spawn(process.execPath, [...script, ...(container.args ?? [])], { cwd: root, env })
    for (const stream of [job.stdout, job.stderr]) stream.on('data', (bytes: Buffer) => (output += bytes.toString()))
    job.on('close', (code) => resolve({ code, output }))
  })
}

/** Lays a container's volumes out under a folder; answers mount paths and where they are. */
function mount(
  folder: string,
  pod: PodSpec,
  container: Container,
  secrets: Readonly<Record<string, Readonly<Record<string, string>>>>,
): ReadonlyMap<string, string> {
  const mounted = new Map<string, string>()
  for (const { name, mountPath } of container.volumeMounts ?? []) {
    const here = join(folder, mountPath)
    mkdirSync(here, { recursive: true })
    mounted.set(mountPath, here)
    const secret = pod.volumes?.find((volume) => volume.name === name)?.secret?.secretName
    if (secret === undefined) continue
    for (const [key, file] of Object.entries(secrets[secret] ?? {})) {
      mkdirSync(dirname(join(here, key)), { recursive: true })
      cpSync(file, join(here, key))
    }
  }
  return mounted
}
