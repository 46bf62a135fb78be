import { spawn, type ChildProcess } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { eventually } from './eventually.ts'
import { freePorts } from './ports.ts'

const root = join(import.meta.dirname, '../..')

/** The five services. */
export const serviceNames = ['event-ingest', 'feature-updater', 'candidate-service', 'ranker', 'blender'] as const
export type ServiceName = (typeof serviceNames)[number]

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** What it wrote to standard error. */
  readonly stderr: string
}

/** A service as a process of its own, on fixed ports, that can be started again. */
export interface ServiceProcess {
  readonly name: string
  /** 0 where the service has no such server. */
  readonly ports: { readonly operations: number; readonly http: number; readonly grpc: number }
  /** Starts it; resolves when `/readyz` says 200. Rejects with its last lines when it ends before, or after the deadline. */
  start(deadlineMs?: number): Promise<void>
  /** Resolves when `/readyz` says 200. */
  ready(deadlineMs?: number): Promise<void>
  /** Whether `/readyz` and `/livez` say 200 now. */
  health(): Promise<{ readonly ready: boolean; readonly alive: boolean }>
  /** A gauge or counter of `/metrics` by the beginning of its line; NaN where there is none. */
  metric(line: string): Promise<number>
  running(): boolean
  signal(signal: NodeJS.Signals): void
  /** Resolves when it has ended; at once where it doesn't run. */
  ended(deadlineMs?: number): Promise<ProcessEnd>
  /** SIGTERM; resolves when it has drained and ended. */
  stop(deadlineMs?: number): Promise<ProcessEnd>
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
  /** Memory that it occupies, bytes. */
  residentBytes(): number
  /** Memory that is no page of a file, bytes; Linux only. */
  anonymousBytes(): number
  /** The last lines of all its runs. */
  logs(): string
}

const maxLogBytes = 2 << 20

// A test run that is broken off must not leave services behind.
const children = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of children) child.kill('SIGKILL')
})

/** A service that does not run yet. `env` overrides its brokers, Redis and ports. */
export async function createServiceProcess(
  name: ServiceName,
  env: Readonly<Record<string, string>>,
  folder?: () => string,
): Promise<ServiceProcess> {
  const [operations = 0, http = 0, grpc = 0] = await freePorts(3)
  const hasHttp = name === 'event-ingest' || name === 'blender'
  const hasGrpc = name !== 'feature-updater'
  const ports = { operations, http: hasHttp ? http : 0, grpc: hasGrpc ? grpc : 0 }
  return createNodeProcess({
    name,
    arguments: [`apps/${name}/src/main.ts`],
    ports,
    ...(folder !== undefined && { folder }),
    env: {
      FRESHET_OPERATIONS_PORT: String(operations),
      ...(hasHttp ? { FRESHET_HTTP_PORT: String(http) } : {}),
      ...(hasGrpc ? { FRESHET_GRPC_PORT: String(grpc) } : {}),
      ...env,
    },
  })
}

/** Any program of the repository with an operations server, run by this Node; the program's path is relative to the repository. */
export function createNodeProcess(options: {
  readonly name: string
  readonly arguments: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly ports: ServiceProcess['ports']
  /** The checkout whose program the next start runs; default: this one. */
  readonly folder?: () => string
}): ServiceProcess {
  const { name, env, ports } = options
  let child: ChildProcess | null = null
  let end: Promise<ProcessEnd> = Promise.resolve({ code: null, signal: null, stderr: '' })
  let output = ''

  const keep = (text: string): void => {
    output = (output + text).slice(-maxLogBytes)
  }
  const launch = (): void => {
    if (child !== null) throw new Error(`${name} runs already`)
    let stderr = ''
    const started = spawn(process.execPath, options.arguments, {
      cwd: options.folder?.() ?? root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...withoutOurs(process.env), NODE_ENV: 'production', ...env },
    })
    child = started
    children.add(started)
    started.stdout.on('data', (chunk: Buffer) => keep(chunk.toString()))
    started.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString()
      keep(chunk.toString())
    })
    end = new Promise((resolve) => {
      started.once('close', (code, signal) => {
        child = null
        children.delete(started)
        keep(`[${name} ended: code ${code}, signal ${signal}]\n`)
        resolve({ code, signal, stderr })
      })
    })
  }
  const asks = async (path: string): Promise<Response | null> =>
    fetch(`http://127.0.0.1:${ports.operations}${path}`, { signal: AbortSignal.timeout(2_000) }).catch(() => null)
  const statusBytes = (line: RegExp): number => {
    const status = child?.pid === undefined ? '' : readFileSync(`/proc/${child.pid}/status`, 'utf8')
    return Number(line.exec(status)?.[1] ?? 0) * 1024
  }
  const failed = (why: string): Error => new Error(`${name}: ${why}\n${output.slice(-4_000)}`)

  const service: ServiceProcess = {
    name,
    ports,
    async start(deadlineMs = 60_000) {
      launch()
      await service.ready(deadlineMs)
    },
    async ready(deadlineMs = 60_000) {
      let reasons = 'no answer'
      const isReady = async (): Promise<true | null> => {
        if (child === null) throw failed('ended before it was ready')
        const answer = await asks('/readyz')
        if (answer !== null) reasons = await answer.text().catch(() => 'no answer')
        return answer?.status === 200 ? true : null
      }
      await eventually(`${name} ready`, isReady, deadlineMs, 50).catch((error: unknown) => {
        throw failed(`${(error as Error).message.split('\n')[0]}; ${reasons}`)
      })
    },
    async health() {
      const [ready, alive] = await Promise.all([asks('/readyz'), asks('/livez')])
      await Promise.all([ready?.text(), alive?.text()])
      return { ready: ready?.status === 200, alive: alive?.status === 200 }
    },
    async metric(line) {
      const text = (await (await asks('/metrics'))?.text()) ?? ''
      const found = text.split('\n').find((each) => each.startsWith(line))
      return found === undefined ? Number.NaN : Number(found.slice(found.lastIndexOf(' ')))
    },
    running: () => child !== null,
    signal(signal) {
      child?.kill(signal)
    },
    async ended(deadlineMs = 30_000) {
      const still = AbortSignal.timeout(deadlineMs)
      return Promise.race([
        end,
        new Promise<never>((_, reject) => {
          still.addEventListener('abort', () => reject(failed(`did not end within ${deadlineMs} ms`)))
        }),
      ])
    },
    async stop(deadlineMs = 30_000) {
      service.signal('SIGTERM')
      return service.ended(deadlineMs)
    },
    async kill() {
      service.signal('SIGKILL')
      await end
    },
    residentBytes: () => statusBytes(/^VmRSS:\s+(\d+)/m),
    anonymousBytes: () => statusBytes(/^RssAnon:\s+(\d+)/m),
    logs: () => output,
  }
  return service
}

/** All services on one Kafka and one Redis. */
export interface Fleet extends Readonly<Record<ServiceName, ServiceProcess>> {
  readonly all: readonly ServiceProcess[]
  /** Base URL of event-ingest. */
  readonly ingestUrl: string
  /** host:port of the gRPC of the blenders, with commas between. */
  readonly feedAddress: string
  /** The second process of each service that runs twice. */
  readonly seconds: ReadonlyMap<ServiceName, ServiceProcess>
  /** Base URL of the blender's HTTP. */
  readonly feedUrl: string
  /** SIGTERM for all, in the direction of the data; what doesn't end is killed. */
  stop(): Promise<void>
  /** One more process of a service, not started; `stop` ends it too. */
  another(name: ServiceName): Promise<ServiceProcess>
  /** The last lines of all of them. */
  logs(): string
}

/**
 * Starts all services; resolves when all are ready. `env` goes to all of them, `envOf` to one. They reach Kafka by the client
 * library that FRESHET_TEST_KAFKA_CLIENT names: `kafkajs` (the default) or `platformatic`.
 */
export async function startFleet(options: {
  readonly brokers: readonly string[]
  readonly redisUrl: string
  readonly env?: Readonly<Record<string, string>>
  readonly envOf?: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>>
  /** Services that run twice. Default: none. */
  readonly pairs?: readonly ('candidate-service' | 'ranker' | 'blender')[]
  /** The way of the blender to a service that runs once; answers the address that the blender gets. Default: that of the service. */
  readonly wayTo?: (name: 'candidate-service' | 'ranker', port: number) => Promise<string>
  /** The checkout from which a service starts, asked at each start. Default: this one. */
  readonly folderOf?: (name: ServiceName) => string
}): Promise<Fleet> {
  const envs = new Map<ServiceName, Readonly<Record<string, string>>>()
  const folderOf = (name: ServiceName): (() => string) | undefined =>
    options.folderOf === undefined ? undefined : () => options.folderOf!(name)
  const create = (
    name: ServiceName,
    env: Readonly<Record<string, string>>,
    ofThisOne: Readonly<Record<string, string>> = {},
  ): Promise<ServiceProcess> => {
    envs.set(name, { ...env, ...options.envOf?.[name] })
    return createServiceProcess(name, { ...envs.get(name), ...ofThisOne }, folderOf(name))
  }
  const kafka = {
    FRESHET_KAFKA_BROKERS: options.brokers.join(','),
    FRESHET_KAFKA_CLIENT: process.env['FRESHET_TEST_KAFKA_CLIENT'] ?? 'kafkajs',
    ...options.env,
  }
  const redis = { FRESHET_REDIS_URL: options.redisUrl }
  const ingest = await create('event-ingest', kafka)
  const updater = await create('feature-updater', { ...kafka, ...redis }, { FRESHET_UPDATER_INSTANCE: 'first' })
  const seconds = new Map<ServiceName, ServiceProcess>()
  const pair = async (name: 'candidate-service' | 'ranker' | 'blender', env: Readonly<Record<string, string>>) => {
    const first = await create(name, env)
    if (options.pairs?.includes(name) === true) seconds.set(name, await create(name, env))
    return first
  }
  const addressOf = (first: ServiceProcess): string => {
    const second = seconds.get(first.name as ServiceName)
    return [first, ...(second === undefined ? [] : [second])].map(({ ports }) => `127.0.0.1:${ports.grpc}`).join()
  }
  const candidates = await pair('candidate-service', kafka)
  const ranker = await pair('ranker', kafka)
  const blender = await pair('blender', {
    ...kafka,
    ...redis,
    FRESHET_CANDIDATE_SERVICE_ADDRESS:
      (await options.wayTo?.('candidate-service', candidates.ports.grpc)) ?? addressOf(candidates),
    FRESHET_RANKER_ADDRESS: (await options.wayTo?.('ranker', ranker.ports.grpc)) ?? addressOf(ranker),
  })
  const all = [ingest, updater, candidates, ranker, blender, ...seconds.values()]
  const fleet: Fleet = {
    'event-ingest': ingest,
    'feature-updater': updater,
    'candidate-service': candidates,
    ranker,
    blender,
    all,
    ingestUrl: `http://127.0.0.1:${ingest.ports.http}`,
    feedAddress: addressOf(blender),
    seconds,
    feedUrl: `http://127.0.0.1:${blender.ports.http}`,
    async another(name) {
      const one = await createServiceProcess(name, envs.get(name) ?? {}, folderOf(name))
      all.push(one)
      return one
    },
    async stop() {
      for (const service of all) service.signal('SIGCONT')
      await Promise.all(all.map((service) => service.stop(15_000).catch(() => service.kill())))
    },
    logs: () => all.map((service) => `──── ${service.name}\n${service.logs().slice(-8_000)}`).join('\n'),
  }
  try {
    await Promise.all(all.map((service) => service.start(90_000)))
  } catch (error) {
    await fleet.stop()
    throw error
  }
  return fleet
}

/** The environment without settings that were meant for the tests themselves. */
function withoutOurs(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith('FRESHET_') && name !== 'VITEST'))
}
