import { fork } from 'node:child_process'
import { open, url } from 'node:inspector'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A separate process, so that its cost is not mixed with the cost of measuring. */
export interface Child {
  /** Calls one of its handlers. Rejects with the handler's error, or when the process ends. */
  ask<Answer>(handler: string, argument?: unknown): Promise<Answer>
  /** CPU time that it has used, milliseconds. */
  cpuMs(): Promise<number>
  /** Opens its inspector and returns the address. */
  inspector(): Promise<string>
  /** Lets it end; kills it when it doesn't. */
  stop(): Promise<void>
}

interface Question {
  readonly id: number
  readonly handler: string
  readonly argument: unknown
}

interface Answer {
  readonly id: number
  readonly value?: unknown
  readonly error?: string
}

/** What a child answers to, by name. `stop` is called before it ends. */
export type Handlers = Readonly<Record<string, (argument: never) => unknown>> & { readonly stop: () => Promise<void> }

const patienceMs = 20_000

/**
 * Starts a file of this folder as a process that calls `serveParent`. With its name in FRESHET_BENCH_PROFILE it leaves a
 * CPU profile in a folder of the system's temporary one.
 */
export function startChild(file: string): Child {
  const child = fork(join(import.meta.dirname, file), {
    execArgv:
      process.env['FRESHET_BENCH_PROFILE'] === file
        ? ['--cpu-prof', `--cpu-prof-dir=${join(tmpdir(), 'freshet-profiles')}`]
        : [],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    env: { ...process.env, NODE_ENV: 'production' },
  })
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>()
  let asked = 0
  let ended = false
  child.on('message', (message) => {
    const { id, value, error } = message as Answer
    const call = waiting.get(id)
    waiting.delete(id)
    if (error === undefined) call?.resolve(value)
    else call?.reject(new Error(`${file}: ${error}`))
  })
  const gone = new Promise<void>((resolve) => {
    child.once('exit', (code, signal) => {
      ended = true
      for (const { reject } of waiting.values()) reject(new Error(`${file} ended (${code ?? signal})`))
      waiting.clear()
      resolve()
    })
  })
  const ask = <T>(handler: string, argument?: unknown): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (ended) {
        reject(new Error(`${file} has ended`))
        return
      }
      const id = asked++
      waiting.set(id, { resolve: resolve as (value: unknown) => void, reject })
      child.send({ id, handler, argument } satisfies Question)
    })
  return {
    ask,
    cpuMs: () => ask<number>('cpuMs'),
    inspector: () => ask<string>('inspector'),
    async stop() {
      const force = setTimeout(() => child.kill('SIGKILL'), patienceMs)
      await ask('stop').catch(() => undefined)
      if (!ended) child.disconnect()
      await gone
      clearTimeout(force)
    },
  }
}

/** Answers the process that forked this one; ends when that one is gone. */
export function serveParent(handlers: Handlers): void {
  const all: Readonly<Record<string, (argument: never) => unknown>> = {
    ...handlers,
    cpuMs: () => {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    inspector: () => {
      open(0, '127.0.0.1')
      return url()
    },
  }
  process.on('message', (message) => {
    const { id, handler, argument } = message as Question
    void (async () => all[handler]?.(argument as never))().then(
      (value) => process.send?.({ id, value } satisfies Answer),
      (error: unknown) => process.send?.({ id, error: (error as Error).stack ?? String(error) } satisfies Answer),
    )
  })
  process.on('disconnect', () => process.exit(0))
}
