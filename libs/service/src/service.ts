import { ServiceError } from './errors.ts'

/**
 * The life of a service: `starting` (opening what it needs; alive, not ready) → `ready` (takes traffic, as long as no
 * component is unready) → `draining` (accepts no new work, finishes what it has) → `stopped`. After a failed start the state
 * goes from `starting` to `draining`. A service never returns to an earlier state.
 */
export type ServiceState = 'starting' | 'ready' | 'draining' | 'stopped'

export const serviceStates: readonly ServiceState[] = ['starting', 'ready', 'draining', 'stopped']

/** A part of a service that reports its health and closes in order: a server, a reader, a connection. */
export interface Component {
  readonly name: string
  /** Why the service must not get traffic now; null: this part is ready. */
  readonly notReady?: () => string | null
  /** A problem that does not stop the service from doing its work, shown in its health; null: none. */
  readonly warning?: () => string | null
  /** Why the process should be restarted; null: this part is alive. */
  readonly notAlive?: () => string | null
  /** Stops intake and finishes what is in flight: handled, flushed, committed. */
  readonly drain?: () => Promise<void>
  /** Frees what the part holds. */
  readonly close?: () => Promise<void>
}

/** The answer of a health check. */
export interface Health {
  readonly state: ServiceState
  readonly ok: boolean
  /** `component: reason` for each problem. */
  readonly reasons: readonly string[]
  /** `component: warning` for each problem that does not change `ok`; absent: none. */
  readonly warnings?: readonly string[]
}

/** The lifecycle of a service, for its process. */
export interface Service {
  state(): ServiceState
  /** Adds a part. Parts drain and close one by one, in reverse order: a server added last stops intake before the reader and the log that it uses close. */
  use(component: Component): void
  /** Runs `open`, which adds the parts, then becomes ready. If `open` fails, it closes the opened parts and rejects with the error. */
  start(open: () => Promise<void>): Promise<void>
  /** Drains and closes everything. A second call waits for the first. Rejects with STOP_FORCED after `stopTimeoutMs`. */
  stop(): Promise<void>
  readiness(): Health
  liveness(): Health
  /** Calls `listener` at every change of state. */
  onState(listener: (state: ServiceState) => void): void
}

/** Options of a service. */
export interface CreateServiceOptions {
  readonly name: string
  /** How long stopping may take. */
  readonly stopTimeoutMs: number
  /** Receives every error while draining and closing. The other parts still drain and close. */
  readonly onStopError: (component: string, error: unknown) => void
}

/** The lifecycle without the process: states, order, time limit. Several services can run in one process. */
export function createService(options: CreateServiceOptions): Service {
  let state: ServiceState = 'starting'
  let stopping: Promise<void> | null = null
  let step = ''
  const components: Component[] = []
  const listeners: ((state: ServiceState) => void)[] = []

  const enter = (next: ServiceState): void => {
    state = next
    for (const listener of listeners) listener(next)
  }

  const closeAll = async (): Promise<void> => {
    for (const phase of ['drain', 'close'] as const) {
      for (const component of components.toReversed()) {
        step = `${component.name} (${phase})`
        try {
          await component[phase]?.()
        } catch (error) {
          options.onStopError(component.name, error)
        }
      }
    }
  }

  const stop = async (): Promise<void> => {
    enter('draining')
    let timer: NodeJS.Timeout | undefined
    const bound = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(
          new ServiceError(
            'STOP_FORCED',
            `${options.name} did not stop within ${options.stopTimeoutMs} ms: waiting for ${step}`,
          ),
        )
      }, options.stopTimeoutMs)
    })
    try {
      await Promise.race([closeAll(), bound])
    } finally {
      clearTimeout(timer)
      enter('stopped')
    }
  }

  const reasonsOf = (ask: 'notReady' | 'notAlive' | 'warning'): string[] =>
    components.flatMap((component) => {
      const reason = component[ask]?.() ?? null
      return reason === null ? [] : [`${component.name}: ${reason}`]
    })

  const service: Service = {
    state: () => state,
    use(component) {
      components.push(component)
    },
    async start(open) {
      try {
        await open()
      } catch (error) {
        await service.stop().catch((stopError: unknown) => {
          options.onStopError(options.name, stopError)
        })
        throw error
      }
      if (state === 'starting') enter('ready')
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
    readiness() {
      const unready = reasonsOf('notReady')
      const reasons = state === 'ready' ? unready : [`${options.name}: ${state}`]
      // A service that waits at its start says for what.
      if (state === 'starting') reasons.push(...unready)
      const warnings = reasonsOf('warning')
      return { state, ok: reasons.length === 0, reasons, ...(warnings.length > 0 && { warnings }) }
    },
    liveness() {
      const reasons = reasonsOf('notAlive')
      return { state, ok: reasons.length === 0 && state !== 'stopped', reasons }
    },
    onState(listener) {
      listeners.push(listener)
    },
  }
  return service
}
