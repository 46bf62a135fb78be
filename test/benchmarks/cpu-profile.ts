/** A CPU profile as V8's inspector gives it. */
export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number
    readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number }
    readonly children?: readonly number[]
  }[]
  readonly samples: readonly number[]
  /** Time of each sample since the one before, microseconds. */
  readonly timeDeltas: readonly number[]
}

/** Profiles a process whose inspector listens. */
export interface Profiler {
  start(): Promise<void>
  stop(): Promise<CpuProfile>
  close(): void
}

/** Connects to the inspector of a process: the `ws://` address that it prints at its start. */
export async function connectProfiler(address: string): Promise<Profiler> {
  const socket = new WebSocket(address)
  const waiting = new Map<number, (result: unknown) => void>()
  let asked = 0
  socket.addEventListener('message', ({ data }) => {
    const { id, result } = JSON.parse(data as string) as { readonly id?: number; readonly result?: unknown }
    if (id === undefined) return
    waiting.get(id)?.(result)
    waiting.delete(id)
  })
  await new Promise<void>((resolve, reject) => {
    socket.addEventListener('open', () => resolve(), { once: true })
    socket.addEventListener('error', () => reject(new Error(`no inspector at ${address}`)), { once: true })
  })
  const ask = (method: string, params: object = {}): Promise<unknown> =>
    new Promise((resolve) => {
      const id = ++asked
      waiting.set(id, resolve)
      socket.send(JSON.stringify({ id, method, params }))
    })
  await ask('Profiler.enable')
  await ask('Profiler.setSamplingInterval', { interval: 500 })
  return {
    async start() {
      await ask('Profiler.start')
    },
    stop: async () => ((await ask('Profiler.stop')) as { readonly profile: CpuProfile }).profile,
    close: () => socket.close(),
  }
}

/** A part of the work, and how its frames look: the file and function of a frame. */
interface Part {
  readonly name: string
  readonly of: RegExp
}

/** Where CPU time counts: the part of the innermost frame that belongs to one. Frames of shared libraries count for their caller. */
const parts: readonly Part[] = [
  {
    name: 'retrieve: sources',
    of: /libs\/retrieval\/src\/(sources|graph|neighbours|embeddings)\/|libs\/vectors\/src\//,
  },
  { name: 'retrieve: query, merge', of: /libs\/retrieval\/src\/|apps\/candidate-service\/src\/candidate-service/ },
  { name: 'rank: features and score', of: /libs\/ranking\/src\/|apps\/ranker\/src\/(ranker|views|rank-)/ },
  { name: 'filters', of: /apps\/blender\/src\/(filters|facts|hydrators)\// },
  { name: 'ordering', of: /libs\/ordering\/src\/|apps\/blender\/src\/(selectors|ordering)\// },
  {
    name: 'record, reserve, page',
    of: /apps\/blender\/src\/(outbox|feed-served|candidate-trace|sessions|side-effects)/,
  },
  { name: 'blender: rest', of: /apps\/blender\/src\/|libs\/pipeline\/src\// },
  { name: 'embeddings, models', of: /apps\/trainer\/src\/|libs\/embeddings\/src\// },
  {
    name: 'views and state',
    of: /apps\/(candidate-service|ranker|feature-updater)\/src\/|libs\/contracts\/src\/view-/,
  },
  { name: 'log and store', of: /lmdb|ioredis|kafkajs|platformatic|libs\/adapters\/src\// },
  { name: 'gRPC', of: /@grpc\/|http2|libs\/service\/src\/grpc/ },
  { name: 'HTTP', of: /fastify|node:_http|node:http/ },
]
const collector = 'garbage collection'
const others = 'others'

/** CPU time of each part of the work, milliseconds; idle time is left out. */
export function timeByPart(profile: CpuProfile): ReadonlyMap<string, number> {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]))
  const parents = new Map<number, number>()
  for (const { id, children = [] } of profile.nodes) for (const child of children) parents.set(child, id)
  const partOf = new Map<number, string | null>()
  const find = (id: number): string | null => {
    const known = partOf.get(id)
    if (known !== undefined) return known
    const { functionName, url } = nodes.get(id)!.callFrame
    const parent = parents.get(id)
    let part: string | null
    if (functionName === '(idle)') part = null
    else if (functionName === '(garbage collector)') part = collector
    else part = parts.find(({ of }) => of.test(url))?.name ?? (parent === undefined ? others : find(parent))
    partOf.set(id, part)
    return part
  }
  const times = new Map<string, number>([...parts.map(({ name }) => [name, 0] as const), [collector, 0], [others, 0]])
  for (const [at, sample] of profile.samples.entries()) {
    const part = find(sample)
    if (part !== null) times.set(part, times.get(part)! + (profile.timeDeltas[at] ?? 0) / 1000)
  }
  return times
}

/** A table of milliseconds a call: a line for each part of the work, a column for each process. */
export function formatParts(byProcess: ReadonlyMap<string, ReadonlyMap<string, number>>, calls: number): string {
  const processes = [...byProcess.keys()]
  const names = [...parts.map(({ name }) => name), collector, others]
  const cell = (process: string, part: string): number => (byProcess.get(process)!.get(part) ?? 0) / calls
  const total = (row: readonly number[]): number => row.reduce((sum, value) => sum + value, 0)
  const lines: string[][] = [['CPU, ms a feed', ...processes, 'all']]
  for (const part of names) {
    const row = processes.map((process) => cell(process, part))
    if (total(row) >= 0.005) lines.push([part, ...[...row, total(row)].map((value) => value.toFixed(2))])
  }
  const sums = processes.map((process) => total(names.map((part) => cell(process, part))))
  lines.push(['all', ...[...sums, total(sums)].map((value) => value.toFixed(2))])
  const widths = lines[0]!.map((_, column) => Math.max(...lines.map((line) => line[column]!.length)))
  return lines
    .map((line) =>
      line.map((text, at) => (at === 0 ? text.padEnd(widths[at]!) : text.padStart(widths[at]!))).join('  '),
    )
    .join('\n')
}
