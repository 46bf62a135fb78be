import { fork } from 'node:child_process'
import { join } from 'node:path'
import type { Answer, Ask, Ports, Readings, TargetRecord } from './target-messages.ts'

/** The target as the runner sees it. */
export interface Target {
  readonly ports: Ports
  /** What the target read of itself since the last time. `collect`: after it collected garbage. */
  read(collect?: boolean): Promise<Readings>
  append(record: TargetRecord): Promise<void>
  /** How the process ended; null: it runs. */
  ended(): string | null
  stop(): Promise<void>
}

type Without<Union, Key extends string> = Union extends unknown ? Omit<Union, Key> : never

/** Starts the target and waits until it listens. */
export async function startTarget(): Promise<Target> {
  const child = fork(join(import.meta.dirname, 'target.ts'), {
    execArgv: ['--expose-gc', '--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  })
  const waiting = new Map<number, { resolve(value: Answer['value']): void; reject(error: Error): void }>()
  let ended: string | null = null
  child.on('message', (answer: Answer) => {
    const asked = waiting.get(answer.id)
    waiting.delete(answer.id)
    if (answer.error === undefined) asked?.resolve(answer.value)
    else asked?.reject(new Error(answer.error))
  })
  child.on('exit', (code, signal) => {
    ended = `the target ended with ${signal ?? code}`
    for (const { reject } of waiting.values()) reject(new Error(ended))
    waiting.clear()
  })
  const answered = (id: number): Promise<Answer['value']> =>
    new Promise((resolve, reject) => {
      if (ended === null) waiting.set(id, { resolve, reject })
      else reject(new Error(ended))
    })
  let next = 1
  const ask = (asked: Without<Ask, 'id'>): Promise<Answer['value']> => {
    const id = next++
    const answer = answered(id)
    if (ended === null) child.send({ ...asked, id })
    return answer
  }
  const ports = (await answered(0)) as Ports
  return {
    ports,
    read: async (collect = false) => (await ask({ kind: 'readings', collect })) as Readings,
    async append(record) {
      await ask({ kind: 'append', record })
    },
    ended: () => ended,
    async stop() {
      if (ended !== null) return
      const gone = new Promise((resolve) => child.once('exit', resolve))
      child.disconnect()
      await gone
    },
  }
}
